"""A reader's message as the bytes that go over the wire (RFC 5322, MIME RFC 2045 to 2047).

The bytes are put together here rather than by the email package's message classes: those encode a long
List-Unsubscribe, which breaks one-click (cpython issue 85725), and turn some encoded words of a subject into header
lines (CVE-2024-6923). All is derived from the arguments: the same mailing to the same reader is always the same bytes.
"""

import binascii
import html
import re
import unicodedata
from collections.abc import Sequence
from email.header import Header
from email.utils import format_datetime
from hashlib import sha256

from digest.config import Settings
from digest.delivery.outbox import Mailing
from digest.edition.content import Rendered
from digest.errors import DeliveryError
from digest.rendering.fragments import NOTHING, Part, filled
from digest.rendering.templates import UNSUBSCRIBE_SLOT
from digest.subscribers import links
from digest.subscribers.store import Subscriber

_LINE_END = re.compile(r"\r\n?|\n")


def build(
    rendered: Rendered,
    subscriber: Subscriber,
    mailing: Mailing,
    settings: Settings,
    keys: Sequence[bytes],
    watch: Part = NOTHING,
) -> bytes:
    """The message of one reader, CRLF line ends, not dot-stuffed; ASCII but for an address that is not.

    `keys` sign the unsubscribe link, which stands in the body and, for one click (RFC 8058), in the header; `watch` is
    the reader's watch list.
    Raises DeliveryError if the edition was rendered without a place for that link: such mail must not go out.
    """
    if UNSUBSCRIBE_SLOT not in rendered.html or UNSUBSCRIBE_SLOT not in rendered.text:
        raise DeliveryError(f"the edition of {mailing.week} has no unsubscribe link in it; draft it again.")
    unsubscribe = unsubscribe_url(settings.series.base_url, subscriber.id, keys)
    number = message_id(subscriber, mailing, settings)
    boundary = f"part-{number.partition('@')[0]}"
    mail = settings.mail
    headers = (
        ("Date", format_datetime(mailing.queued_at)),
        ("From", _mailbox(mail.from_name, mail.from_address)),
        ("To", one_line(subscriber.mailbox)),
        ("Reply-To", one_line(mail.reply_to or mail.from_address)),
        ("Subject", _words("Subject", _subject(rendered.subject))),
        ("Message-ID", f"<{number}>"),
        ("List-Id", _mailbox(settings.series.title, mail.list_id)),  # RFC 2919
        ("List-Unsubscribe", f"<{unsubscribe}>"),  # RFC 2369; never folded, never encoded
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),  # RFC 8058
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
    )
    own = filled(rendered, watch)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    plain = _part("plain", own.text.replace(UNSUBSCRIBE_SLOT, unsubscribe))
    rich = _part("html", own.html.replace(UNSUBSCRIBE_SLOT, html.escape(unsubscribe)))
    open_, close = f"\r\n--{boundary}\r\n".encode(), f"\r\n--{boundary}--\r\n".encode()
    return b"".join([head.encode(), open_, plain, open_, rich, close])


def message_id(subscriber: Subscriber, mailing: Mailing, settings: Settings) -> str:
    """The Message-ID without its brackets: one for each mailing and reader, with no address in it."""
    what = f"{settings.mail.list_id}\n{mailing.kind}\n{mailing.week}\n{subscriber.id}"
    return f"{sha256(what.encode()).hexdigest()[:32]}@{settings.mail.from_address.rpartition('@')[2]}"


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


def _words(header: str, text: str) -> str:
    """Text of a header: as it is when ASCII, else encoded words of at most 75 characters, folded (RFC 2047)."""
    return text if text.isascii() else Header(text, "utf-8", 75, header).encode(linesep="\r\n")


def _part(subtype: str, text: str) -> bytes:
    """One alternative: head and quoted-printable body, lines of at most 76 characters (RFC 2045 section 6.7)."""
    lines = _LINE_END.sub("\r\n", text.rstrip("\r\n") + "\n")
    body = binascii.b2a_qp(lines.encode(), istext=True)
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    return head.encode() + body
