"""A reader's message as the bytes that go over the wire (RFC 5322, MIME RFC 2045 to 2047).

The bytes are put together here rather than by the email package's message classes: those encode a long
List-Unsubscribe, which breaks one-click (cpython issue 85725), and turn some encoded words of a subject into header
lines (CVE-2024-6923). All is derived from the arguments: the same mailing to the same reader is always the same bytes.
"""

import binascii
import functools
import html
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from email.header import Header
from email.utils import format_datetime
from hashlib import sha256
from typing import NamedTuple

from digest.config import Settings
from digest.delivery.outbox import Mailing
from digest.errors import DeliveryError
from digest.rendering import templates
from digest.rendering.fragments import NOTHING, Part, place
from digest.rendering.reader_words import agreed, calendar_day
from digest.rendering.renditions import Mail
from digest.rendering.text import put, wrap
from digest.subscribers import links
from digest.subscribers.store import Subscriber


class Own(NamedTuple):
    """What is one reader's alone: the watch list; where a letter's button leads; when and how the reader agreed; and,
    for a consent that lapses soon, the day that it does and the link that keeps it."""

    watch: Part = NOTHING
    action: str = ""
    consented_on: date | None = None
    consent_method: str = ""
    keep: tuple[date, str] | None = None


NOBODY = Own()


def build(
    mail: Mail, subscriber: Subscriber, mailing: Mailing, settings: Settings, keys: Sequence[bytes], own: Own = NOBODY
) -> bytes:
    """The message of one reader, CRLF line ends, not dot-stuffed; ASCII but for an address that is not.

    `keys` sign the unsubscribe link, which stands in the body and, for one click (RFC 8058), in the header. A mail
    without an HTML part is one text/plain.
    Raises DeliveryError if the mail has no place for that link, or one for something that `own` does not hold: such
    mail must not go out.
    """
    if any(templates.UNSUBSCRIBE_SLOT not in part for part in (mail.html, mail.text) if part is not None):
        raise DeliveryError(f"the {mailing.kind} mail of {mailing.week} has no unsubscribe link in it; draft it again.")
    unsubscribe = unsubscribe_url(settings.series.base_url, subscriber.id, keys)
    number = message_id(subscriber, mailing, settings)
    headers = (
        ("Date", format_datetime(mailing.queued_at)),
        ("From", _mailbox(settings.mail.from_name, sender_of(mailing, settings))),
        ("To", one_line(subscriber.mailbox)),
        ("Reply-To", one_line(settings.mail.reply_to or settings.mail.from_address)),
        ("Subject", _words("Subject", _subject(mail.subject))),
        ("Message-ID", f"<{number}>"),
        ("List-Id", _mailbox(settings.series.title, settings.mail.list_id)),  # RFC 2919
        ("List-Unsubscribe", f"<{unsubscribe}>"),  # RFC 2369; never folded, never encoded
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),  # RFC 8058
        ("MIME-Version", "1.0"),
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return head.encode() + _body(_filled(mail, own, unsubscribe), f"part-{number.partition('@')[0]}")


def sender_of(mailing: Mailing, settings: Settings) -> str:
    """The address that a mailing comes from: letters that confirm something have their own where one is named."""
    letters = settings.mail.letters_address if mailing.kind != "edition" else ""
    return letters or settings.mail.from_address


def _filled(mail: Mail, own: Own, unsubscribe: str) -> Mail:
    """The mail with everything in it that is one reader's own."""
    keep = mail.keep if own.keep is not None else NOTHING
    values: dict[str, str] = {templates.UNSUBSCRIBE_SLOT: unsubscribe}
    if own.action:
        values[templates.ACTION_SLOT] = own.action
    if own.consented_on is not None:
        values[templates.CONSENTED_SLOT] = calendar_day(own.consented_on)
        values[templates.CONSENT_SLOT] = agreed(own.consented_on, own.consent_method)
    if own.keep is not None:
        values[templates.LAPSES_SLOT], values[templates.KEEP_URL_SLOT] = calendar_day(own.keep[0]), own.keep[1]
    rich = None
    if mail.html is not None:
        rich = mail.html.replace(place(templates.WATCH_SLOT), own.watch.html)
        rich = rich.replace(place(templates.KEEP_SLOT), keep.html)
        rich = _in_slots(rich, {slot: html.escape(value) for slot, value in values.items()})
    text = put(put(mail.text, templates.WATCH_SLOT, own.watch.text), templates.KEEP_SLOT, keep.text)
    if templates.CONSENT_SLOT in values:
        values[templates.CONSENT_SLOT] = wrap(values[templates.CONSENT_SLOT])
    return mail._replace(html=rich, text=_in_slots(text, values))


def _in_slots(part: str, values: Mapping[str, str]) -> str:
    """A part with a value in each of its slots, in one pass: a value that looks like a slot stays a value."""
    try:
        return templates.ANY_SLOT.sub(lambda slot: values[slot[0]], part)
    except KeyError as error:
        raise DeliveryError(
            f"a mail has a place ({error.args[0]}) that nothing was given for; it was not sent."
        ) from error


def _body(mail: Mail, boundary: str) -> bytes:
    """The rest of the message after its own headers: two alternatives, the richer last, or the text alone."""
    plain = _part("plain", mail.text)
    if mail.html is None:
        return plain
    head = f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n'.encode()
    open_, close = f"\r\n--{boundary}\r\n".encode(), f"\r\n--{boundary}--\r\n".encode()
    return b"".join([head, open_, plain, open_, _part("html", mail.html), close])


def message_id(subscriber: Subscriber, mailing: Mailing, settings: Settings) -> str:
    """The Message-ID without its brackets: one for each mailing and reader, with no address in it."""
    what = f"{settings.mail.list_id}\n{mailing.kind}\n{mailing.week}\n{subscriber.id}"
    return f"{sha256(what.encode()).hexdigest()[:32]}@{sender_of(mailing, settings).rpartition('@')[2]}"


def unsubscribe_url(base_url: str, subscriber_id: int, keys: Sequence[bytes]) -> str:
    """The link that unsubscribes one reader: a page that asks, and the target of the one-click POST."""
    return f"{base_url.rstrip('/')}/unsubscribe/{links.sign(links.UNSUBSCRIBE, subscriber_id, keys)}"


def one_line(text: str) -> str:
    """Text without control characters or line and paragraph separators, U+0085, U+2028 and U+2029 among them."""
    bare = "".join(" " if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") else char for char in text)
    return " ".join(bare.split())


def _subject(text: str) -> str:
    text = one_line(text)
    while "=?" in text:  # removing one may bring another together
        text = text.replace("=?", "")
    return text


def _mailbox(name: str, address: str) -> str:
    """`"Name" <address>` (RFC 5322 section 3.4), or the address alone."""
    name = _subject(name)
    if not name:
        return f"<{one_line(address)}>"
    phrase = '"{}"'.format(name.replace("\\", "\\\\").replace('"', '\\"')) if name.isascii() else _words("From", name)
    return f"{phrase} <{one_line(address)}>"


@functools.lru_cache(maxsize=256)  # one subject goes to many readers
def _words(header: str, text: str) -> str:
    """Text of a header: as it is when ASCII, else encoded words of at most 75 characters, folded (RFC 2047)."""
    return text if text.isascii() else Header(text, "utf-8", 75, header).encode(linesep="\r\n")


def _part(subtype: str, text: str) -> bytes:
    """One alternative: head and quoted-printable body, lines of at most 76 characters (RFC 2045 section 6.7)."""
    lines = text.rstrip("\r\n").replace("\r\n", "\n").replace("\r", "\n") + "\n"
    body = binascii.b2a_qp(lines.replace("\n", "\r\n").encode(), istext=True)
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    return head.encode() + body
