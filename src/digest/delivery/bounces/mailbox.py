"""Where returned mail waits: a Maildir, or a folder on an IMAP server (RFC 9051).

A mail stays as it is until what follows from it is committed; then it is marked as read, and flagged if it is for a
person. None is ever deleted. Two readers at once do no harm, for a mail that was taken in is known by its bytes.
"""

import imaplib
import os
import re
import ssl
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from digest.config.sections import Bounces, Imap
from digest.delivery.bounces.returned import LONGEST_READ
from digest.errors import DeliveryError

_FLAGS = re.compile(r":2,([A-Za-z]*)$")


class Waiting(NamedTuple):
    """A mail's first bytes, and how to mark it as read; `settle(True)` flags it for a person, too."""

    raw: bytes
    settle: Callable[[bool], None]


def waiting(settings: Bounces) -> Generator[Waiting]:
    """The mails that nobody has read, the oldest first; none where no place is set.

    Raises DeliveryError where the folder or the server cannot be read.
    """
    if settings.maildir is not None:
        yield from _in_maildir(settings.maildir)
    elif settings.imap.host:
        yield from _on_imap(settings.imap)


def _in_maildir(folder: Path) -> Iterator[Waiting]:
    try:
        new = [folder / "new" / name for name in os.listdir(folder / "new")]
        cur = [folder / "cur" / name for name in os.listdir(folder / "cur")]
    except OSError as error:
        raise DeliveryError(
            f"[bounces] maildir {folder} cannot be read ({error.strerror}); it wants folders new and cur."
        ) from error
    unread = [*new, *(path for path in cur if "S" not in _flags(path.name))]
    for path in sorted(unread, key=lambda path: path.name):
        try:
            with path.open("rb") as file:
                raw = file.read(LONGEST_READ)
        except FileNotFoundError:
            continue  # another reader was quicker
        except OSError as error:
            raise DeliveryError(f"a mail in {path.parent} cannot be read ({error.strerror}).") from error
        yield Waiting(raw, _mark(folder, path))


def _mark(folder: Path, path: Path) -> Callable[[bool], None]:
    def mark(flagged: bool) -> None:
        flags = "".join(sorted({*_flags(path.name), "S", *("F" if flagged else "")}))
        try:
            path.rename(folder / "cur" / f"{_FLAGS.sub('', path.name)}:2,{flags}")
        except FileNotFoundError:
            pass  # another reader was quicker
        except OSError as error:
            raise DeliveryError(f"[bounces] maildir {folder} cannot be written ({error.strerror}).") from error

    return mark


def _flags(name: str) -> str:
    found = _FLAGS.search(name)
    return found[1] if found else ""


def _on_imap(settings: Imap) -> Iterator[Waiting]:
    with _faults(settings):
        server = _connect(settings)
        try:
            if settings.tls == "starttls":
                server.starttls(ssl.create_default_context())
            server.login(settings.user, settings.password.get_secret_value())
            _answer(server.select(_quoted(settings.folder)))
            for number in _answer(server.uid("SEARCH", "UNSEEN")).split():
                uid = number.decode("ascii")
                if (raw := _fetch(server, uid)) is not None:
                    yield Waiting(raw, _mark_on(server, uid, settings))
        finally:
            with suppress(OSError, imaplib.IMAP4.error):
                server.logout()
            with suppress(OSError):
                server.shutdown()  # also where the server did not hear that


@contextmanager
def _faults(settings: Imap) -> Iterator[None]:
    """What a server does wrong as a DeliveryError; none of its words, which may hold the user's name."""
    where = f"[bounces.imap] {settings.host}:{settings.port}"
    try:
        yield
    except ssl.SSLError as error:
        raise DeliveryError(f"{where} shows a certificate that cannot be trusted, or speaks no TLS there.") from error
    except (OSError, imaplib.IMAP4.abort) as error:
        raise DeliveryError(f"{where} cannot be reached, or broke off; the rest is read the next time.") from error
    except (imaplib.IMAP4.error, UnicodeError) as error:
        raise DeliveryError(f"{where} refuses the log-in or the folder; check user, password and folder.") from error


def _connect(settings: Imap) -> imaplib.IMAP4:
    wait = settings.timeout_seconds
    if settings.tls != "tls":
        return imaplib.IMAP4(settings.host, settings.port, timeout=wait)
    return imaplib.IMAP4_SSL(settings.host, settings.port, ssl_context=ssl.create_default_context(), timeout=wait)


def _fetch(server: imaplib.IMAP4, uid: str) -> bytes | None:
    """The first bytes of a mail, without marking it as read; None for one that is gone."""
    status, found = server.uid("FETCH", uid, f"(BODY.PEEK[]<0.{LONGEST_READ}>)")
    if status != "OK":
        raise imaplib.IMAP4.error(status)
    return next((part[1] for part in found if isinstance(part, tuple)), None)


def _mark_on(server: imaplib.IMAP4, uid: str, settings: Imap) -> Callable[[bool], None]:
    def mark(flagged: bool) -> None:
        with _faults(settings):
            _answer(server.uid("STORE", uid, "+FLAGS", r"(\Seen \Flagged)" if flagged else r"(\Seen)"))

    return mark


def _answer(told: tuple[str, list[bytes | None]]) -> bytes:
    status, found = told
    if status != "OK":
        raise imaplib.IMAP4.error(status)
    return found[0] or b"" if found else b""


def _quoted(folder: str) -> str:
    return '"{}"'.format(folder.replace("\\", "\\\\").replace('"', '\\"'))
