"""What became of a message, in one vocabulary whatever carried it; and when to try again. Pure.

A reply that refuses says why in the vocabulary of `reasons`, as a returned message and a provider's event do.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from digest.delivery.reasons import CONSEQUENCES, Reason
from digest.delivery.reasons.codes import classify, coded
from digest.delivery.redaction import redacted

Kind = Literal["sent", "deferred", "failed", "refused", "content", "uncertain", "withheld"]
"""
sent: accepted; not ours any more.    deferred: not now, try again later.   failed: this reader cannot be reached.
refused: the relay will not take mail from this operator; nobody else's would fare better, so sending stops.
content: the relay will not take this edition.             uncertain: it may have been accepted, we cannot know.
withheld: we ourselves kept it back before the final dot.
"""

Stage = Literal["MAIL", "RCPT", "DATA", "dot"]

_ENHANCED = re.compile(r"[45]\.\d{1,3}\.\d{1,3}(?=\s|$)", re.ASCII)

_FIRST_WAIT = timedelta(minutes=5)
_LONGEST_WAIT = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`said` is the other side's answer without any address, for a person to read; `reason` why it said no.

    Of a deferred message the reason is that of its failure, should it be given up.
    """

    kind: Kind
    said: str = ""
    reason: Reason | None = None


def of_reply(stage: Stage, code: int, text: bytes, recipient: str = "") -> Outcome:
    """What an SMTP reply means for a message with one recipient. Only a 2xx at the dot is success."""
    words = text.decode("utf-8", "replace")
    said = f"{stage}: {code} {redacted(words, [recipient])}".rstrip()
    if stage == "dot" and 200 <= code < 300:
        return Outcome("sent", said)
    if stage == "dot" and not 400 <= code < 600:  # no SMTP reply at all: it says neither yes nor no
        return Outcome("uncertain", said)
    if not 400 <= code < 600:
        return Outcome("refused", said, "relay_fault")
    enhanced = _ENHANCED.match(words)
    status = enhanced[0] if enhanced and words[0] == str(code)[0] else ""
    reason = classify(status, code, words)
    if stage == "RCPT" and code == 552 and not status and reason == "too_large":
        reason = "mailbox_full"  # nothing was sent yet that could be too large
    if stage == "MAIL" and CONSEQUENCES[reason].fault == "reader":  # none was named yet: it is about the sender
        reason = "blocked_policy"
    return Outcome("deferred" if code < 500 else _failure(stage, reason, coded(status, code)), said, reason)


def _failure(stage: Stage, reason: Reason, by_code: Reason) -> Kind:
    """Who has to do something. Once a reader is named, words without the code stop no edition for all."""
    faults = {CONSEQUENCES[reason].fault, CONSEQUENCES[by_code].fault}
    if stage != "MAIL" and "reader" in faults:
        return "failed"
    return "content" if CONSEQUENCES[reason].fault == "edition" else "refused"


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
