"""One connection to a relay (RFC 5321): what is said on it, and what is heard.

The relay may be broken or hostile. Its replies are read within limits; one that cannot be a reply to what was said ends
the session, for what comes after it would be taken for the answer to something else.
"""

import re
import selectors
import smtplib
import socket
import ssl
from typing import Literal

from digest.config import sections
from digest.delivery.outcomes import Outcome, Stage, lost, of_reply
from digest.delivery.transports import Envelope
from digest.errors import DeliveryError

_UNWRITABLE = re.compile(r"[\s<>\x00-\x1f\x7f]")
_REPLY_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])([^\r\n]*))?\r?\n")  # RFC 5321 section 4.2
_LONGEST_LINE = 8192  # bytes, of the 512 that section 4.5.3.1.5 has
_MOST_LINES = 100
_FAREWELL = 5.0  # seconds that a relay has to answer QUIT


class Session:
    """One connection. What is said is heard later, in the same order; after a fault it is closed, and hears no more."""

    def __init__(self, relay: sections.Relay, limits: sections.Smtp) -> None:
        self._smtp = connect(relay, limits.timeout_seconds)
        self._left = limits.messages_per_connection
        self.has_carried = False
        self._stained = False  # the relay still holds a message that was refused half-way
        self._refusal: Outcome | None = None
        self.pipelines = self._smtp.has_extn("pipelining")

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
        if refused is None or not _keeps_the_session(refused[1]):
            self.drop()
            if refused is not None and refused[0] == "MAIL" and self.has_carried:
                return "ended"
        stage, code, text = refused or (stage, 0, b"")
        return of_reply(stage, code, text, envelope.recipient)

    def say_body(self, envelope: Envelope) -> bool:
        """All but the dot. False where the connection broke: then the relay has not got the message."""
        return self._say(envelope.content)

    def say_end(self, following: Envelope | None) -> None:
        """The dot, and in the same write the beginning of the session's next message."""
        self._left -= 1
        self.has_carried = True
        self._refusal = self._unsayable(following) if following is not None else None
        commands = self._commands(following) if following is not None and self._refusal is None else []
        self._say(b"".join([b".\r\n", *(command for _stage, command in commands)]))

    def hear_end(self, envelope: Envelope) -> Outcome:
        try:
            code, text = self._hear()
        except (OSError, smtplib.SMTPException):
            self.drop()
            return lost("dot")
        if not (200 <= code < 300 or _keeps_the_session(code)):
            self.drop()
        return of_reply("dot", code, text, envelope.recipient)

    def has_spoken(self) -> bool:
        """Did the relay end the session or complain before it saw the dot? Then it cannot have accepted the message."""
        sock, file = self._smtp.sock, self._smtp.file
        if sock is None or file is None:
            return True
        patience = sock.gettimeout()
        sock.settimeout(0)
        try:
            if file.peek(1):  # what came with an earlier reply is no longer in the socket
                return True
            if not isinstance(sock, ssl.SSLSocket):
                sock.recv(1, socket.MSG_PEEK)
                return True  # the end: what had come, the file would have shown
        except (BlockingIOError, ssl.SSLWantReadError):  # nothing, or a message of TLS itself
            return False
        except OSError:
            return True
        finally:
            sock.settimeout(patience)
        with selectors.SelectSelector() as selector:  # nothing came, or the end
            selector.register(sock, selectors.EVENT_READ)
            return bool(selector.select(timeout=0))

    def hear_early(self, envelope: Envelope) -> Outcome:
        """What the relay said before it saw the dot, and what follows for the message, which it has not got."""
        try:
            code, text = self._hear()
        except (OSError, smtplib.SMTPException):
            return lost("DATA")
        finally:
            self.drop()
        return of_reply("DATA", code, text, envelope.recipient) if 400 <= code < 600 else lost("DATA")

    def quit(self) -> None:
        if self._smtp.sock is not None:
            try:
                self._smtp.sock.settimeout(_FAREWELL)
                self._smtp.quit()
            except (OSError, smtplib.SMTPException):
                self._smtp.close()

    def drop(self) -> None:
        self._smtp.close()

    def _unsayable(self, envelope: Envelope) -> Outcome | None:
        """Why a message cannot even be begun, whatever the relay says."""
        if not envelope.recipient.isascii() and not self._smtp.has_extn("smtputf8"):
            return Outcome(
                "failed", "the relay takes no address with non-ASCII letters (SMTPUTF8, RFC 6531)", "smtputf8"
            )
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


class _Client(smtplib.SMTP):
    """The library's client with its replies read within limits."""

    def getreply(self) -> tuple[int, bytes]:
        """A whole reply: its code and its lines. Closes the connection and raises SMTPServerDisconnected for none."""
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("the session is over")
        if self.file is None:
            self.file = self.sock.makefile("rb")
        codes, lines = set[bytes](), list[bytes]()
        while len(lines) < _MOST_LINES:
            try:
                found = _REPLY_LINE.fullmatch(self.file.readline(_LONGEST_LINE + 1))
            except OSError as error:
                self.close()
                raise smtplib.SMTPServerDisconnected("no answer") from error
            if found is None:
                break
            codes.add(found[1])
            lines.append((found[3] or b"").strip(b" \t"))
            if len(codes) > 1:
                break  # two codes are no reply, and nothing more need come
            if found[2] != b"-":
                return int(found[1]), b"\n".join(lines)
        self.close()
        raise smtplib.SMTPServerDisconnected("what it says is no reply")


class _TlsClient(_Client, smtplib.SMTP_SSL):
    pass


def connect(relay: sections.Relay, timeout: float) -> smtplib.SMTP:
    """Open a session: connection, TLS with the certificate checked, log-in. Raises DeliveryError."""
    where = f"the relay {relay.host}:{relay.port}"
    section = "[smtp]" if isinstance(relay, sections.Smtp) else "[smtp.fallback]"
    session: smtplib.SMTP | None = None
    try:
        if relay.tls == "tls":
            context = ssl.create_default_context()
            session = _TlsClient(relay.host, relay.port, timeout=timeout, context=context)
        else:
            session = _Client(relay.host, relay.port, timeout=timeout)
        session.ehlo_or_helo_if_needed()
        if relay.tls == "starttls":
            session.starttls(context=ssl.create_default_context())
            session.ehlo()
        if relay.user:
            session.login(relay.user, relay.password.get_secret_value())
        if session.sock is not None:
            session.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a dot waits for nobody
    except (OSError, smtplib.SMTPException, ValueError) as error:
        if session is not None:
            session.close()
        fault = _connection_fault(error, section)
        # From None: an error about the log-in may quote it.
        raise DeliveryError(f"{where} {fault}.{NOTHING_LOST}") from None
    return session


NOTHING_LOST = " Nothing is lost; send again to go on."


def _connection_fault(error: Exception, section: str) -> str:
    match error:
        case smtplib.SMTPAuthenticationError():
            return f"refuses the log-in ({error.smtp_code}); check {section} user and password"
        case ssl.SSLCertVerificationError():
            return f"shows a certificate that cannot be trusted ({error.verify_message}); check {section} host"
        case ssl.SSLError():
            return f"speaks no TLS there; check {section} port and tls"
        case smtplib.SMTPNotSupportedError():
            return f"does not offer what {section} asks for, TLS or a log-in; check tls, user and port"
        case smtplib.SMTPResponseException():
            return f"refuses the connection ({error.smtp_code}); ask who runs it"
        case ValueError():  # no name of a host; letters that a log-in cannot have; a log-in answered with nonsense
            return f"cannot be spoken to with these settings; check {section} host, user and password, all ASCII"
    reason = getattr(error, "strerror", None) or "no answer"
    return f"cannot be reached ({reason}); check {section} host and port"


def _keeps_the_session(code: int) -> bool:
    """Whether the session goes on after a refusal: not after 421, nor after what is no answer to what was said."""
    return 400 <= code < 600 and code != 421
