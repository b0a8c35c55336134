"""The headers of a message, each with its value as it is sent, where it is defined, and what it is there for."""

from collections.abc import Mapping
from email import message_from_bytes, policy
from typing import NamedTuple


class Meaning(NamedTuple):
    standard: str
    why: str


MEANINGS: Mapping[str, Meaning] = {
    "Date": Meaning("RFC 5322, 3.6.1", "When the edition was queued: the same for all its readers."),
    "From": Meaning("RFC 5322, 3.6.2", "Who writes. Its domain is the one that SPF, DKIM and DMARC are held against."),
    "To": Meaning("RFC 5322, 3.6.3", "This reader alone; nobody sees another reader's address."),
    "Reply-To": Meaning("RFC 5322, 3.6.2", "Where an answer goes: a mailbox that somebody reads."),
    "Subject": Meaning("RFC 5322, 3.6.5", "The week's first fact; what is not ASCII is an encoded word (RFC 2047)."),
    "Message-ID": Meaning("RFC 5322, 3.6.4", "One for each edition and reader, always the same: copies are known."),
    "List-Id": Meaning("RFC 2919", "Names the list, so that a reader can sort its mail without looking at the sender."),
    "List-Unsubscribe": Meaning("RFC 2369, 3.2", "The way out, as the button that the reader's program shows."),
    "List-Unsubscribe-Post": Meaning("RFC 8058", "One click is enough: the program posts to that address by itself."),
    "Feedback-ID": Meaning("Gmail's feedback loop; no RFC", "Counts complaints by week; names no reader."),
    "MIME-Version": Meaning("RFC 2045, 4", "What follows is MIME."),
    "Content-Type": Meaning("RFC 2046, 5.1.4", "The edition as text and as HTML; the reader's program picks."),
    "Content-Transfer-Encoding": Meaning("RFC 2045, 6", "How bytes are written: ASCII lines of at most 76."),
    "DKIM-Signature": Meaning("RFC 6376", "Signed by our domain: a change on the way would be seen."),
    "Return-Path": Meaning("RFC 5321, 4.4", "The envelope's sender, added on arrival: where returned mail goes."),
}


class Explained(NamedTuple):
    name: str
    value: str
    standard: str
    why: str


def explained(message: bytes, return_path: str) -> list[Explained]:
    """The headers of a message in their order, and first the one that the receiving side adds from the envelope."""
    parsed = message_from_bytes(message, policy=policy.compat32)
    pairs = [("Return-Path", f"<{return_path}>"), *parsed.items()]
    unknown = Meaning("", "")
    return [Explained(name, " ".join(str(value).split()), *MEANINGS.get(name, unknown)) for name, value in pairs]
