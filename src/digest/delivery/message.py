"""A reader's message as the bytes that go over the wire (RFC 5322, MIME RFC 2045 to 2047).

The bytes are put together here rather than by the email package's message classes: those encode a long
List-Unsubscribe, which breaks one-click (cpython issue 85725), and turn some encoded words of a subject into header
lines (CVE-2024-6923). All is derived from the arguments: the same mailing to the same reader is always the same bytes.
"""

import binascii
import functools
import html
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from email.header import Header
from email.utils import format_datetime
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from digest.config.settings import Settings
from digest.delivery import signing
from digest.delivery.bounces import verp
from digest.delivery.outbox import Mailing
from digest.edition.numbers import calendar_day
from digest.errors import DeliveryError
from digest.language import speaking
from digest.rendering import templates
from digest.rendering.fragments import NOTHING, Part, place
from digest.rendering.reader_words import agreed
from digest.rendering.renditions import Mail
from digest.rendering.text import put, wrap
from digest.subscribers import links
from digest.subscribers.store import Subscriber

if TYPE_CHECKING:
    import hashlib


class Own(NamedTuple):
    """What is one reader's alone: the watch list; where a letter's button leads; when and how the reader agreed; and,
    for a consent that lapses soon, the day that it does and the link that keeps it."""

    watch: Part = NOTHING
    action: str = ""
    consented_on: date | None = None
    consent_method: str = ""
    keep: tuple[date, str] | None = None


NOBODY = Own()


class Compiled(NamedTuple):
    """A mail for many readers as bytes that are ready for the wire, cut where something is one reader's own.

    Between two literals stands what the slot names: one of `templates` in the text part, the same after `html ` in the
    HTML part, a header's name in the head. `dated` says that a day of consent is among them. Each message is signed by
    `signers`, as of `signed_at` in seconds since 1970; none where the relay signs.
    """

    literals: tuple[bytes, ...]
    slots: tuple[str, ...]
    dated: bool
    unsubscribe: str
    number: "hashlib._Hash"
    domain: str
    what: str
    signers: tuple[signing.Signer, ...]
    signed_at: int


def compile_mail(mail: Mail, mailing: Mailing, settings: Settings, *, lapsing: bool = False) -> Compiled:
    """A mail of a mailing, encoded once for all its readers; `lapsing` for those whose consent lapses soon.

    Raises DeliveryError for a mail that has no unsubscribe link in one of its parts: such mail must not go out; and
    ConfigError for a DKIM key that cannot be used.
    """
    what = f"{mailing.kind} mail of {mailing.week}"
    if any(templates.UNSUBSCRIBE_SLOT not in part for part in (mail.html, mail.text) if part is not None):
        raise DeliveryError(f"the {what} has no unsubscribe link in it; draft it again.")
    keep = mail.keep if lapsing else NOTHING
    text = put(mail.text, templates.KEEP_SLOT, keep.text)
    text_part = [_PLAIN, *_pieces(put(text, templates.WATCH_SLOT, templates.WATCH_SLOT), "")]
    pieces = _head(mail, mailing, settings)
    if mail.html is None:
        pieces += text_part
    else:
        rich = mail.html.replace(place(templates.KEEP_SLOT), keep.html)
        html_part = _pieces(rich.replace(place(templates.WATCH_SLOT), templates.WATCH_SLOT), _RICH)
        boundary = f"part-{sha256(f'{settings.mail.list_id} {what}'.encode()).hexdigest()[:32]}"
        edge = f"--{boundary}".encode()
        head = f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'.encode()
        pieces += [head, edge, b"\r\n", *text_part, b"\r\n", edge, b"\r\n", _HTML, *html_part, b"\r\n", edge, b"--\r\n"]
    literals, slots = _apart(pieces)
    return Compiled(
        literals=literals,
        slots=slots,
        dated=any(slot.removeprefix(_RICH) in _DATED for slot in slots),
        unsubscribe=unsubscribe_url(settings.series.base_url, ""),
        number=_number(mailing, settings),
        domain=sender_of(mailing, settings).rpartition("@")[2],
        what=what,
        signers=signing.signers(settings.dkim),
        signed_at=int(mailing.queued_at.timestamp()),
    )


def build(compiled: Compiled, subscriber: Subscriber, keys: Sequence[bytes], own: Own = NOBODY) -> bytes:
    """The message of one reader: CRLF line ends, no line that begins with a dot, ASCII but for an address that is not.

    `keys` sign the unsubscribe link, which stands in the body and, for one click (RFC 8058), in the header.
    Raises DeliveryError for a mail that has a place for something that `own` does not hold.
    """
    link = compiled.unsubscribe + links.sign(links.UNSUBSCRIBE, subscriber.id, keys)
    values = {
        "To": one_line(subscriber.mailbox).encode(),
        "Message-ID": message_id(compiled, subscriber.id).encode(),
        "List-Unsubscribe": link.encode(),
        templates.WATCH_SLOT: _watch_list(own.watch.text),
        _RICH + templates.WATCH_SLOT: _watch_list(own.watch.html),
    }
    _put(values, templates.UNSUBSCRIBE_SLOT, link)
    if own.action:
        _put(values, templates.ACTION_SLOT, own.action)
    if compiled.dated:
        lapses, keep_url = own.keep or (None, "")
        values |= _days(own.consented_on, own.consent_method, lapses, subscriber.locale)
        if keep_url:
            _put(values, templates.KEEP_URL_SLOT, keep_url)
    pieces = [b""] * (2 * len(compiled.slots) + 1)
    pieces[::2] = compiled.literals
    try:
        pieces[1::2] = [values[slot] for slot in compiled.slots]
    except KeyError as error:
        raise DeliveryError(
            f"the {compiled.what} has a place ({error.args[0]}) that nothing was given for; it was not sent."
        ) from error
    content = b"".join(pieces)
    return signing.sign(content, compiled.signers, compiled.signed_at) if compiled.signers else content


def _head(mail: Mail, mailing: Mailing, settings: Settings) -> list[bytes | str]:
    """The message's own headers, each on one line, with a slot for the value of what differs by reader."""
    sender = _mailbox(settings.mail.from_name, sender_of(mailing, settings))
    reply_to = one_line(settings.mail.reply_to or settings.mail.from_address)
    series = _mailbox(settings.series.title, settings.mail.list_id)
    return [
        f"Date: {format_datetime(mailing.queued_at)}\r\nFrom: {sender}\r\nTo: ".encode(),
        "To",
        f"\r\nReply-To: {reply_to}\r\nSubject: {_words('Subject', _subject(mail.subject))}\r\nMessage-ID: <".encode(),
        "Message-ID",
        f">\r\nList-Id: {series}\r\nList-Unsubscribe: <".encode(),  # RFC 2919; RFC 2369, never folded or encoded
        "List-Unsubscribe",
        b">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",  # RFC 8058
        f"Feedback-ID: {mailing.week}:{mailing.kind}::{settings.mail.list_id}\r\n".encode(),  # names no reader
        b"MIME-Version: 1.0\r\n",
    ]


_PLAIN, _HTML = (
    f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n".encode()
    for subtype in ("plain", "html")
)


_RICH = "html "
_DATED = (templates.CONSENTED_SLOT, templates.CONSENT_SLOT, templates.LAPSES_SLOT, templates.KEEP_URL_SLOT)


def _put(values: dict[str, bytes], slot: str, value: str) -> None:
    """Give a slot its value, in both parts."""
    values[slot] = _encoded(wrap(value) if slot == templates.CONSENT_SLOT else value)
    rich = html.escape(value)
    values[_RICH + slot] = values[slot] if rich == value and slot != templates.CONSENT_SLOT else _encoded(rich)


@functools.lru_cache(maxsize=4096)  # thousands agreed on one day
def _days(consented_on: date | None, method: str, lapses: date | None, locale: str) -> dict[str, bytes]:
    """What stands in the slots about a reader's consent, in the reader's language."""
    values: dict[str, bytes] = {}
    with speaking(locale):
        if consented_on is not None:
            _put(values, templates.CONSENTED_SLOT, calendar_day(consented_on))
            _put(values, templates.CONSENT_SLOT, agreed(consented_on, method))
        if lapses is not None:
            _put(values, templates.LAPSES_SLOT, calendar_day(lapses))
    return values


def _pieces(part: str, kind: str) -> Iterator[bytes | str]:
    """A part, encoded, cut at its slots. What looks like a slot in a reader's value is none: values are not cut."""
    part = part.rstrip("\r\n").replace("\r\n", "\n").replace("\r", "\n") + "\n"
    end = 0
    for slot in templates.ANY_SLOT.finditer(part):
        yield _encoded(part[end : slot.start()])
        yield kind + slot[0]
        end = slot.end()
    yield _encoded(part[end:])


def _apart(pieces: Iterable[bytes | str]) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    """Literals, neighbours joined, and the slots between them."""
    literals: list[list[bytes]] = [[]]
    slots: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            slots.append(piece)
            literals.append([])
        else:
            literals[-1].append(piece)
    return tuple(b"".join(parts) for parts in literals), tuple(slots)


def _encoded(piece: str) -> bytes:
    """A piece in quoted-printable, lines of at most 76 characters (RFC 2045 section 6.7), of which it takes whole ones:
    a piece that ends within a line of text ends in a soft line break. A dot that begins a line is encoded, so that the
    message needs no dot-stuffing (RFC 5321 section 4.5.2)."""
    if not piece:
        return b""
    text = piece.replace("\r\n", "\n")
    whole = text.endswith("\n")  # an equals sign keeps the room that the soft line break after it needs
    encoded = binascii.b2a_qp((text if whole else text + "=").encode(), istext=True).replace(b"\n", b"\r\n")
    encoded = encoded if whole else encoded.removesuffix(b"=3D")
    if encoded.startswith(b".") or b"\n." in encoded:
        encoded = b"\r\n".join(_without_dot(line) for line in encoded.split(b"\r\n"))
    return encoded if encoded.endswith(b"\n") else encoded + b"=\r\n"


_watch_list = functools.lru_cache(maxsize=8192)(_encoded)  # the same for all who follow the same


def _without_dot(line: bytes) -> bytes:
    if not line.startswith(b"."):
        return line
    line = b"=2E" + line[1:]
    if len(line) <= _LINE:
        return line
    cut = _LINE - 4
    while b"=" in line[cut - 2 : cut]:  # never within an encoded byte
        cut -= 1
    return line[:cut] + b"=\r\n" + _without_dot(line[cut:])


_LINE = 76


def sender_of(mailing: Mailing, settings: Settings) -> str:
    """The address that a mailing comes from: letters that confirm something have their own where one is named."""
    letters = settings.mail.letters_address if mailing.kind != "edition" else ""
    return letters or settings.mail.from_address


def return_path(mailing: Mailing, subscriber_id: int, settings: Settings, keys: Sequence[bytes]) -> str:
    """The envelope sender (RFC 5321 section 4.1.1.2) of one delivery: signed, so that what comes back names it; the
    mailing's own address where no bounce_address is set."""
    bounces = settings.mail.bounce_address
    return verp.return_path(bounces, mailing.id, subscriber_id, keys) if bounces else sender_of(mailing, settings)


def message_id(compiled: Compiled, subscriber_id: int) -> str:
    """The Message-ID without its brackets: one for each mailing and reader, with no address in it."""
    return f"{_of_reader(compiled.number, subscriber_id)}@{compiled.domain}"


def message_number(mailing: Mailing, subscriber_id: int, settings: Settings) -> str:
    """What stands before the at sign of a delivery's Message-ID: 32 hexadecimal digits."""
    return _of_reader(_number(mailing, settings), subscriber_id)


def _number(mailing: Mailing, settings: Settings) -> "hashlib._Hash":
    return sha256(f"{settings.mail.list_id}\n{mailing.kind}\n{mailing.week}\n".encode())


def _of_reader(of_mailing: "hashlib._Hash", subscriber_id: int) -> str:
    number = of_mailing.copy()
    number.update(str(subscriber_id).encode())
    return number.hexdigest()[:32]


def unsubscribe_url(base_url: str, token: str) -> str:
    """The link that unsubscribes one reader: a page that asks, and the target of the one-click POST."""
    return f"{base_url.rstrip('/')}/unsubscribe/{token}"


def one_line(text: str) -> str:
    """Text without control characters or line and paragraph separators, U+0085, U+2028 and U+2029 among them."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
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
