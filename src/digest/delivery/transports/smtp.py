"""Mail to a relay by SMTP (RFC 5321): the session by the standard library, the message's end by our own hand.

The body is sent without its final dot; `before_dot` commits; then comes the dot and the relay's answer. So a crash
leaves only those messages in doubt for which the relay may really have said yes.
"""

import re
import selectors
import smtplib
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Self

from digest import config
from digest.delivery.outcomes import Outcome, Stage, lost, of_reply
from digest.delivery.transports import Envelope
from digest.errors import DeliveryError

_LEADING_DOT = re.compile(rb"(?m)^\.")


class Smtp:
    repeatable = False

    def __init__(self, settings: config.Smtp) -> None:
        self._settings = settings
        self._session: smtplib.SMTP | None = None
        self._messages = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._quit()
        else:
            self._drop()

    def deliver(self, envelope: Envelope, before_dot: Callable[[], bool]) -> Outcome:
        used = self._session is not None
        session = self._open_session()
        refusal = self._begin(session, envelope)
        if refusal is not None and refusal.kind == "deferred" and used and self._session is None:
            session = self._open_session()  # the relay had only ended the old session
            refusal = self._begin(session, envelope)
        return refusal or self._finish(session, envelope, before_dot)

    def _begin(self, session: smtplib.SMTP, envelope: Envelope) -> Outcome | None:
        """The commands before the body; None when the relay waits for it."""
        if not envelope.recipient.isascii() and not session.has_extn("smtputf8"):
            return Outcome("failed", "the relay takes no address with non-ASCII letters (SMTPUTF8, RFC 6531)")
        stage: Stage = "MAIL"
        try:
            code, text = session.mail(envelope.sender, _mail_options(session, envelope))
            if 200 <= code < 300:
                stage = "RCPT"
                code, text = session.rcpt(envelope.recipient)
            if stage == "RCPT" and 200 <= code < 300:
                stage = "DATA"
                code, text = session.docmd("DATA")
        except (OSError, smtplib.SMTPException):
            self._drop()
            return lost(stage)
        return None if stage == "DATA" and code == 354 else self._refused(stage, code, text, envelope.recipient)

    def _finish(self, session: smtplib.SMTP, envelope: Envelope, before_dot: Callable[[], bool]) -> Outcome:
        """The body, the permission, the dot and the answer."""
        try:
            session.send(_LEADING_DOT.sub(b"..", envelope.content))
        except (OSError, smtplib.SMTPException):
            self._drop()
            return lost("DATA")
        if not before_dot():
            self._drop()  # a message without its final dot is none (RFC 5321 section 4.1.1.4)
            return Outcome("withheld")
        if _has_spoken(session):
            self._drop()
            return lost("DATA")
        try:
            session.send(b".\r\n")
            code, text = session.getreply()
        except (OSError, smtplib.SMTPException):
            self._drop()
            return lost("dot")
        self._messages += 1
        if 200 <= code < 300:
            return of_reply("dot", code, text, envelope.recipient)
        return self._refused("dot", code, text, envelope.recipient)

    def _refused(self, stage: Stage, code: int, text: bytes, recipient: str) -> Outcome:
        if code == 421:  # the relay ends the session
            self._drop()
        elif self._session is not None:
            try:
                self._session.rset()
            except (OSError, smtplib.SMTPException):
                self._drop()
        return of_reply(stage, code, text, recipient)

    def _open_session(self) -> smtplib.SMTP:
        if self._session is not None and self._messages >= self._settings.messages_per_connection:
            self._quit()
        if self._session is None:
            self._session = connect(self._settings)
            self._messages = 0
        return self._session

    def _quit(self) -> None:
        if self._session is not None:
            try:
                self._session.quit()
            except (OSError, smtplib.SMTPException):
                self._session.close()
            self._session = None

    def _drop(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


def _mail_options(session: smtplib.SMTP, envelope: Envelope) -> list[str]:
    options = [f"SIZE={len(envelope.content)}"] if session.has_extn("size") else []  # RFC 1870
    return options if envelope.recipient.isascii() else [*options, "SMTPUTF8", "BODY=8BITMIME"]


def _has_spoken(session: smtplib.SMTP) -> bool:
    """Did the relay end the session or complain before it saw the dot? Then it cannot have accepted the message."""
    if session.sock is None:
        return True
    with selectors.DefaultSelector() as selector:
        selector.register(session.sock, selectors.EVENT_READ)
        return bool(selector.select(timeout=0))


def connect(settings: config.Smtp) -> smtplib.SMTP:
    """Open a session: connection, TLS with the certificate checked, log-in. Raises DeliveryError."""
    where = f"the relay {settings.host}:{settings.port}"
    session: smtplib.SMTP | None = None
    try:
        if settings.tls == "tls":
            context = ssl.create_default_context()
            session = smtplib.SMTP_SSL(settings.host, settings.port, timeout=settings.timeout_seconds, context=context)
        else:
            session = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_seconds)
        session.ehlo_or_helo_if_needed()
        if settings.tls == "starttls":
            session.starttls(context=ssl.create_default_context())
            session.ehlo()
        if settings.user:
            session.login(settings.user, settings.password.get_secret_value())
    except (OSError, smtplib.SMTPException) as error:
        if session is not None:
            session.close()
        raise DeliveryError(f"{where} {_connection_fault(error)}. Nothing is lost; send again to go on.") from error
    return session


def _connection_fault(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"refuses the log-in ({error.smtp_code}); check [smtp] user and password"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"shows a certificate that cannot be trusted ({error.verify_message}); check [smtp] host"
    if isinstance(error, ssl.SSLError):
        return "speaks no TLS there; check [smtp] port and tls"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "does not offer what [smtp] asks for, TLS or a log-in; check tls, user and port"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"refuses the connection ({error.smtp_code}); ask who runs it"
    reason = getattr(error, "strerror", None) or "no answer"
    return f"cannot be reached ({reason}); check [smtp] host and port"
