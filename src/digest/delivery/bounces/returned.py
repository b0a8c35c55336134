"""Returned mail, read: what became of which delivery, and how surely.

Anybody can write to the address that returned mail goes to. So a signature of ours must prove what it is about before
it may change anything: the return path of the delivery, or the link to unsubscribe in the message that is returned, and
who has that could unsubscribe the reader anyway. What only names an address or a Message-ID is for a person to look at.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Literal

from digest.delivery.bounces import mime, plain, reports, verp
from digest.delivery.bounces.mime import Mime
from digest.delivery.bounces.reports import Finding, Kind
from digest.delivery.reasons import Reason
from digest.delivery.redaction import redacted
from digest.subscribers import links

LONGEST_READ = 256 * 1024
"""Bytes of a message that are read. What it says stands before the message that it returns."""

Proof = Literal["return_path", "unsubscribe_link", "none"]


@dataclass(frozen=True, slots=True)
class Returned:
    """A message that came back.

    `mailing_id` and `subscriber_id` are of the delivery that it is about, where `proof` shows it; the link to
    unsubscribe proves the reader alone. `status` is an enhanced status code (RFC 3463) or empty, `said` the system's
    words, one line without any address. `message_id`, without its brackets, and `addresses`, in lower case, are what
    the message names; they prove nothing.
    """

    kind: Kind
    reason: Reason | None = None
    status: str = ""
    said: str = ""
    mailing_id: int | None = None
    subscriber_id: int | None = None
    proof: Proof = "none"
    message_id: str = ""
    addresses: tuple[str, ...] = field(default=(), repr=False)


_NOTHING = Finding("unknown")
# Where the address stands that a message was delivered to, the most reliable first.
_DELIVERED_TO = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "to")
_UNSUBSCRIBE = re.compile(rb"/unsubscribe/([A-Za-z0-9_-]{32})(?![A-Za-z0-9_-])")
_OWN_MESSAGE_ID = re.compile(r"^message-id:\s*<([0-9a-f]{32}@[a-z0-9.-]{1,253})>", re.IGNORECASE | re.MULTILINE)
_ANSWERED = re.compile(r"<([0-9a-f]{32}@[a-z0-9.-]{1,253})>", re.IGNORECASE)
_MOST_TRIED = 50


def read_returned(raw: bytes, keys: Sequence[bytes], now: datetime) -> Returned:
    """Read a message that came to the bounce mailbox, or an abuse report. Never raises, whatever the bytes.

    `keys` are those that sign links and return paths.
    """
    raw = raw[:LONGEST_READ]
    try:
        message = mime.parse(raw)
        finding = _finding(message, raw)
        content = _content(message, raw)
    except Exception:  # noqa: BLE001 (mail from anybody: what breaks a parser is kept, counted, and says nothing)
        message, finding, content = Mime({}, "", "", ()), _NOTHING, raw
    mailing_id, subscriber_id, proof = _attributed(content, keys, now)
    readers = _readers(message)
    return Returned(
        kind=finding.kind,
        reason=finding.reason,
        status=finding.status,
        said=redacted(finding.said, [*finding.addresses, *readers]),
        mailing_id=mailing_id,
        subscriber_id=subscriber_id,
        proof=proof,
        message_id=_message_id(message),
        addresses=finding.addresses or readers,
    )


def _finding(message: Mime, raw: bytes) -> Finding:
    """What the first reader says that knows such messages. Reports of failure call themselves automatic answers too."""
    return (
        reports.feedback(message)
        or reports.delivery_status(message)
        or reports.disposition(message)
        or plain.notice(message)
        or plain.automatic(message)
        or plain.guessed(raw)
        or _NOTHING
    )


def _content(message: Mime, raw: bytes) -> bytes:
    """All that may hold a token, the most reliable first: as it came, and the parts as they read once decoded."""
    header = [message.header[name] for name in _DELIVERED_TO if name in message.header]
    parts = [part.text for part in message.parts]
    return b"\n".join([*(text.encode("utf-8", "replace") for text in header), raw, *(text.encode() for text in parts)])


def _attributed(content: bytes, keys: Sequence[bytes], now: datetime) -> tuple[int | None, int | None, Proof]:
    if whose := verp.find(content, keys):
        return whose.mailing_id, whose.subscriber_id, "return_path"
    for found in islice(_UNSUBSCRIBE.finditer(content), _MOST_TRIED):
        if link := links.read(found[1].decode("ascii"), links.UNSUBSCRIBE, keys, now):
            return None, link.subscriber_id, "unsubscribe_link"
    return None, None, "none"


def _readers(message: Mime) -> tuple[str, ...]:
    """To whom the message of ours went that came back, as its own header says."""
    inside = (
        part for part in message.parts if part.type.startswith("text/rfc822") and _OWN_MESSAGE_ID.search(part.text)
    )
    return tuple(filter(None, (reports.address_in(reports.header_of(part).get("to", "")) for part in inside)))


def _message_id(message: Mime) -> str:
    """The Message-ID of the message that came back, if it looks like ours: nothing else may hold an address."""
    answered = f"{message.header.get('in-reply-to', '')} {message.header.get('references', '')}"
    inside = (_OWN_MESSAGE_ID.search(part.text) for part in message.parts)
    found = next(filter(None, inside), None) or _ANSWERED.search(answered)
    return found[1].lower() if found else ""
