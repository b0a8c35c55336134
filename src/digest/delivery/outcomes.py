"""What became of a message, in one vocabulary whatever carried it; and when to try again. Pure.

SMTP replies are read by their enhanced status code (RFC 3463), which says whose fault it was, and by the basic code
(RFC 5321 section 4.2) where a relay gives none.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

Kind = Literal["sent", "deferred", "failed", "refused", "content", "uncertain", "withheld"]
"""
sent: accepted; not ours any more.    deferred: not now, try again later.   failed: this reader cannot be reached.
refused: the relay will not take mail from this operator; nobody else's would fare better, so sending stops.
content: the relay will not take this edition.             uncertain: it may have been accepted, we cannot know.
withheld: we ourselves kept it back before the final dot.
"""

Stage = Literal["MAIL", "RCPT", "DATA", "dot"]

# Permanent failures by enhanced status code, the longest match first; 5.x.y is looked up without its 5.
_BY_STATUS: dict[str, Kind] = {
    "1": "failed",  # addressing
    "1.7": "refused",  # the sender's address
    "1.8": "refused",
    "2": "failed",  # the reader's mailbox: full, disabled, message too long for it
    "3": "failed",  # the reader's mail system
    "3.4": "content",  # too big for the system
    "4": "failed",  # no way there
    "5": "refused",  # protocol: what we say is not understood, or wants a log-in
    "6": "content",
    "6.7": "failed",  # a non-ASCII address that the way there cannot carry (RFC 6531)
    "7": "refused",  # policy and authentication
    "7.13": "failed",  # the reader's account is disabled
    "7.17": "failed",  # the mailbox or its domain has another owner now (RFC 7293)
    "7.18": "failed",
}
_BY_CODE: dict[int, Kind] = {550: "failed", 551: "failed", 552: "content", 553: "failed", 556: "failed"}
_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$)")
_ADDRESS = re.compile(r"<?[^\s<>]+@[^\s<>]+>?")

_FIRST_WAIT = timedelta(minutes=5)
_LONGEST_WAIT = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`said` is the other side's answer without any mail address, for a person to read."""

    kind: Kind
    said: str = ""


def of_reply(stage: Stage, code: int, text: bytes, recipient: str = "") -> Outcome:
    """What an SMTP reply means for a message with one recipient. Only a 2xx at the dot is success."""
    said = text.decode("utf-8", "replace")
    enhanced = _ENHANCED.match(said)
    if stage == "dot" and 200 <= code < 300:
        kind: Kind = "sent"
    elif stage == "dot" and not 400 <= code < 600:  # no SMTP reply at all: it says neither yes nor no
        kind = "uncertain"
    elif 400 <= code < 500:
        kind = "deferred"
    elif enhanced and enhanced[1] == "5":
        kind = _BY_STATUS.get(f"{enhanced[2]}.{enhanced[3]}") or _BY_STATUS.get(enhanced[2], "failed")
    elif stage == "RCPT" and code == 552:  # at this stage it is the mailbox that is full
        kind = "failed"
    else:
        kind = _BY_CODE.get(code, "refused")
    if stage == "MAIL" and kind == "failed":  # no reader was named yet: it is about the sender
        kind = "refused"
    return Outcome(kind, f"{stage}: {code} {_without_addresses(said, recipient)}".rstrip())


def lost(stage: Stage) -> Outcome:
    """The connection broke. After the final dot the message may have been accepted all the same."""
    return Outcome("uncertain" if stage == "dot" else "deferred", f"{stage}: the connection was lost")


def next_attempt(
    delivery_id: int, attempts: int, since: datetime, now: datetime, give_up: timedelta
) -> datetime | None:
    """When to try a deferred delivery again, or None once `give_up` has passed since it was first deferred.

    5, 10, 20 minutes and so on up to 4 hours, each spread over a quarter up or down by the delivery's id, so that what
    was deferred together does not come back together.
    """
    wait = min(_FIRST_WAIT * 2 ** min(attempts - 1, 10), _LONGEST_WAIT)
    spread = sha256(f"{delivery_id}/{attempts}".encode()).digest()[0] / 255
    at = now + wait * (0.75 + spread / 2)
    return at if at - since < give_up else None


def _without_addresses(said: str, recipient: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in said)
    unnamed = _ADDRESS.sub("(address)", printable)
    if name := recipient.rpartition("@")[0]:  # relays also say "no user ann here"
        unnamed = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "(address)", unnamed, flags=re.IGNORECASE)
    return " ".join(unnamed.split())[:200]
