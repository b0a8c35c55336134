"""What became of a message, in one vocabulary whatever carried it; and when to try again. Pure.

A reply that refuses says why in the vocabulary of `reasons`, as a returned message and a provider's event do.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from digest.delivery.pacing import Pace
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

# What a reply asks of our speed towards a provider, by the reply code and the beginning of the enhanced status, the
# longest match first. 4.7.x are policies about us; 4.7.1 is greylisting, too, which harms nobody to slow down for.
_PACES: Mapping[tuple[int, str], Pace] = {
    (421, "4.7"): "pause",
    (421, ""): "slow",
    (450, "4.7"): "slow",
    (451, "4.7"): "slow",
    (452, "4.7"): "slow",
}

_FIRST_WAIT = timedelta(minutes=5)
_LONGEST_WAIT = timedelta(hours=4)
_SPREAD_AFTER_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`said` is the other side's answer without any address, for a person to read; `reason` why it said no.

    Of a deferred message the reason is that of its failure, should it be given up. `pace` is what the answer asks of
    our speed towards the reader's provider.
    """

    kind: Kind
    said: str = ""
    reason: Reason | None = None
    pace: Pace = "keep"


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
    if code < 500:
        return Outcome("deferred", said, reason, _pace(stage, code, status))
    if stage != "MAIL" and reason == "blocked_policy" and _failure(stage, reason, coded(status, code)) == "refused":
        return Outcome("deferred", said, reason, "pause")  # this provider refuses us; others need not
    return Outcome(_failure(stage, reason, coded(status, code)), said, reason)


def _pace(stage: Stage, code: int, status: str) -> Pace:
    """Before a reader is named, a relay speaks of itself: its limits are settings of ours."""
    if stage == "MAIL":
        return "keep"
    beginning = ".".join(status.split(".")[:2])
    return _PACES.get((code, beginning)) or _PACES.get((code, ""), "keep")


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
    delivery_id: int,
    attempts: int,
    since: datetime,
    now: datetime,
    give_up: timedelta,
    closed_until: datetime | None = None,
    closes_at: datetime | None = None,
) -> datetime | None:
    """When to try a deferred delivery again, or None once `give_up` has passed since it was first deferred, or where
    that would be when the edition's time is over (`closes_at`). Not before its provider opens again (`closed_until`).

    5, 10, 20 minutes and so on up to 4 hours, each spread over a quarter up or down by the delivery's id, so that what
    was deferred together does not come back together.
    """
    wait = min(_FIRST_WAIT * 2 ** min(attempts - 1, 10), _LONGEST_WAIT)
    spread = sha256(f"{delivery_id}/{attempts}".encode()).digest()[0] / 255
    at = now + wait * (0.75 + spread / 2)
    if closed_until is not None and closed_until > at:
        at = closed_until + _SPREAD_AFTER_PAUSE * spread
    return at if at - since < give_up and (closes_at is None or at < closes_at) else None
