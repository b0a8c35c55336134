"""Mail to a relay by SMTP (RFC 5321) over several sessions at once, pipelined where the relay offers it (RFC 2920).

A batch has one message a session. The commands before its body are answered first; then the sender commits; then go
the body, its final dot and the commands of the session's next message. So a message costs one round trip, and a crash
leaves only those in doubt for which the relay may really have said yes.
"""

import re
import selectors
import smtplib
import socket
import ssl
from collections import deque
from collections.abc import Collection, Sequence
from types import TracebackType
from typing import Literal, NamedTuple, Self

from digest import config
from digest.delivery.outcomes import Outcome, Stage, lost, of_reply
from digest.delivery.transports import Advance, Envelope
from digest.errors import DeliveryError

_LEADING_DOT = re.compile(rb"(?m)^\.")
_UNWRITABLE = re.compile(r"[\s<>\x00-\x1f\x7f]")

_Done = list[tuple[int, Outcome]]


class _Begun(NamedTuple):
    """A message of which the relay waits for the body."""

    session: "_Session"
    envelope: Envelope


class Smtp:
    repeatable = False

    def __init__(self, settings: config.Smtp) -> None:
        self._settings = settings
        self._sessions: list[_Session] = []
        self.width = settings.sessions

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in self._sessions:
            if error is None:
                session.quit()
            else:
                session.drop()
        self._sessions = []

    def carry(self, batch: Sequence[Envelope], advance: Advance, done: _Done) -> None:
        waiting, begun, tried = deque(batch), list[_Begun](), set[int]()
        while waiting or begun:
            self._begin(waiting, begun, tried, done)
            turn = advance([message.envelope.delivery_id for message in begun])
            waiting.extend(turn.following)
            begun = self._hand_over(begun, turn.allowed, waiting, tried, done)

    def _begin(self, waiting: deque[Envelope], begun: list[_Begun], tried: set[int], done: _Done) -> None:
        """Begin messages on the sessions that are free: the commands of all, then the answers to all."""
        busy = [message.session for message in begun]
        started = []
        while waiting and len(busy) < self.width:
            session = self._free_session(busy)
            if session is None:
                break
            busy.append(session)
            started.append((session, waiting.popleft()))
        for session, envelope in started:
            session.say_beginning(envelope)
        for session, envelope in started:
            self._hear_beginning(session, envelope, waiting, begun, tried, done)

    def _hear_beginning(
        self,
        session: "_Session",
        envelope: Envelope,
        waiting: deque[Envelope],
        begun: list[_Begun],
        tried: set[int],
        done: _Done,
    ) -> None:
        """A message is begun, or it is done: the relay will not have it. One that a session ended before is tried on
        another, once."""
        answer = session.hear_beginning(envelope)
        if answer == "ready":
            begun.append(_Begun(session, envelope))
        elif answer == "ended" and envelope.delivery_id not in tried:
            tried.add(envelope.delivery_id)
            waiting.appendleft(envelope)
        else:
            done.append((envelope.delivery_id, lost("MAIL") if answer == "ended" else answer))

    def _hand_over(
        self, begun: Sequence[_Begun], allowed: Collection[int], waiting: deque[Envelope], tried: set[int], done: _Done
    ) -> list[_Begun]:
        """The bodies and dots of what is allowed, with the beginnings of what comes next, then the answers to all."""
        handed = []
        for session, envelope in begun:
            failure: Outcome | None = None
            if envelope.delivery_id not in allowed:
                session.drop()  # a message without its final dot is none (RFC 5321 section 4.1.1.4)
                failure = Outcome("withheld")
            elif not session.say_body(envelope) or session.has_spoken():
                session.drop()
                failure = lost("DATA")
            if failure is not None:
                done.append((envelope.delivery_id, failure))
                continue
            following = waiting.popleft() if waiting and session.pipelines and session.may_go_on_twice else None
            session.say_end(following)
            handed.append((session, envelope, following))
        next_begun: list[_Begun] = []
        for session, envelope, following in handed:
            done.append((envelope.delivery_id, session.hear_end(envelope)))
            if following is not None:
                self._hear_beginning(session, following, waiting, next_begun, tried, done)
        return next_begun

    def _free_session(self, busy: Sequence["_Session"]) -> "_Session | None":
        """An open session that nothing is begun on; None where the relay lets us have no more than are busy."""
        for session in [one for one in self._sessions if one not in busy]:
            if session.may_go_on and not session.has_spoken():
                return session
            session.quit()
            self._sessions.remove(session)
        try:
            session = _Session(self._settings)
        except DeliveryError:
            if not busy:
                raise
            self.width = len(busy)
            return None
        self._sessions.append(session)
        return session


class _Session:
    """One connection. What is said is heard later, in the same order; after a fault it is closed, and hears no more."""

    def __init__(self, settings: config.Smtp) -> None:
        self._smtp = connect(settings)
        if self._smtp.sock is not None:
            self._smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a dot waits for nobody
        self._left = settings.messages_per_connection
        self._carried = False
        self._stained = False  # the relay still holds a message that was refused half-way
        self._refusal: Outcome | None = None
        self.pipelines = self._smtp.has_extn("pipelining")

    @property
    def is_open(self) -> bool:
        return self._smtp.sock is not None

    @property
    def may_go_on(self) -> bool:
        return self._left > 0

    @property
    def may_go_on_twice(self) -> bool:
        """Whether it may carry another message after the one that is begun."""
        return self._left > 1

    def say_beginning(self, envelope: Envelope) -> None:
        self._refusal = self._unsayable(envelope)
        if self._refusal is None and self.pipelines:
            self._say(b"".join(command for _stage, command in self._commands(envelope)))

    def hear_beginning(self, envelope: Envelope) -> Outcome | Literal["ready", "ended"]:
        """Whether the relay waits for the body, or why it will not have the message; `ended` where it said nothing."""
        if self._refusal is not None:
            return self._refusal
        refused: tuple[Stage, int, bytes] | None = None
        accepts = has_reader = False
        stage: Stage = "MAIL"
        try:
            for stage, command in self._commands(envelope):
                if not self.pipelines:
                    if refused is not None:
                        break
                    self._say(command)
                code, text = self._hear()
                accepts = stage == "DATA" and code == 354
                has_reader |= stage == "RCPT" and 200 <= code < 300
                if refused is None and not (accepts or (stage != "DATA" and 200 <= code < 300)):
                    refused = stage, code, text
            if refused is None:
                self._stained = False
                return "ready"
            if accepts and has_reader:  # no empty mail for a reader whom the relay took all the same
                self.drop()
            elif accepts:  # a body for nobody: it ends at once (RFC 2920 section 3.1)
                self._say(b".\r\n")
                self._hear()
        except (OSError, smtplib.SMTPException):
            self.drop()
            if refused is None:
                return "ended" if stage == "MAIL" else lost(stage)
        self._stained = True
        if refused is None or refused[1] == 421:  # the relay ends the session
            self.drop()
            if refused is not None and refused[0] == "MAIL" and self._carried:
                return "ended"
        stage, code, text = refused or (stage, 0, b"")
        return of_reply(stage, code, text, envelope.recipient)

    def say_body(self, envelope: Envelope) -> bool:
        """All but the dot. False where the connection broke: then the relay has not got the message."""
        content = envelope.content
        if content.startswith(b".") or b"\n." in content:
            content = _LEADING_DOT.sub(b"..", content)
        return self._say(content)

    def say_end(self, following: Envelope | None) -> None:
        """The dot, and in the same write the beginning of the session's next message."""
        self._left -= 1
        self._carried = True
        self._refusal = self._unsayable(following) if following is not None else None
        commands = self._commands(following) if following is not None and self._refusal is None else []
        self._say(b"".join([b".\r\n", *(command for _stage, command in commands)]))

    def hear_end(self, envelope: Envelope) -> Outcome:
        try:
            code, text = self._hear()
        except (OSError, smtplib.SMTPException):
            self.drop()
            return lost("dot")
        if code == 421:
            self.drop()
        return of_reply("dot", code, text, envelope.recipient)

    def has_spoken(self) -> bool:
        """Did the relay end the session or complain before it saw the dot? Then it cannot have accepted the message."""
        if self._smtp.sock is None:
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(self._smtp.sock, selectors.EVENT_READ)
            return bool(selector.select(timeout=0))

    def quit(self) -> None:
        if self.is_open:
            try:
                self._smtp.quit()
            except (OSError, smtplib.SMTPException):
                self._smtp.close()

    def drop(self) -> None:
        self._smtp.close()

    def _unsayable(self, envelope: Envelope) -> Outcome | None:
        """Why a message cannot even be begun, whatever the relay says."""
        if not envelope.recipient.isascii() and not self._smtp.has_extn("smtputf8"):
            return Outcome("failed", "the relay takes no address with non-ASCII letters (SMTPUTF8, RFC 6531)")
        if _UNWRITABLE.search(envelope.recipient):
            return Outcome("failed", "the address has a character that no relay takes")
        return None

    def _commands(self, envelope: Envelope) -> list[tuple[Stage, bytes]]:
        options = f" SIZE={len(envelope.content)}" if self._smtp.has_extn("size") else ""  # RFC 1870
        options += "" if envelope.recipient.isascii() else " SMTPUTF8 BODY=8BITMIME"
        reset: list[tuple[Stage, bytes]] = [("MAIL", b"RSET\r\n")] if self._stained else []
        return [
            *reset,
            ("MAIL", f"MAIL FROM:<{envelope.sender}>{options}\r\n".encode()),
            ("RCPT", f"RCPT TO:<{envelope.recipient}>\r\n".encode()),
            ("DATA", b"DATA\r\n"),
        ]

    def _hear(self) -> tuple[int, bytes]:
        if self._smtp.sock is None:
            raise smtplib.SMTPServerDisconnected
        return self._smtp.getreply()

    def _say(self, said: bytes) -> bool:
        """Write to the relay; a connection that breaks is closed and noticed when it is listened to."""
        try:
            self._smtp.send(said)
        except (OSError, smtplib.SMTPException):
            self.drop()
            return False
        return True


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
