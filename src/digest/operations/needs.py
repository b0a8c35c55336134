"""What needs a person, each with a sentence that says what to do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from digest.changes.week import SourceWeek
from digest.config.sections import Approval, Mail
from digest.config.settings import Settings
from digest.delivery import outbox
from digest.delivery import store as deliveries
from digest.delivery.progress import Progress
from digest.edition.numbers import several
from digest.weekly.due import WeekDone

_MOST_FAILED = 0.05  # of an edition's deliveries
_SOME = 10
_MOST_COMPLAINTS = 0.001  # what Gmail and Yahoo ask of senders
_NOT_MOVING = timedelta(minutes=15)

A_DOMAIN = "a domain"
"""One that is no large provider's is not named where what stands is told: it may be one reader's own."""


class Need(NamedTuple):
    """What needs a person. `about` names the trouble and is the same for as long as it lasts, `said` tells it with what
    to do; `wakes` says whether it is worth a mail, or only to be seen by who looks."""

    about: str
    said: str
    wakes: bool = True


@dataclass(frozen=True, slots=True)
class Limit:
    """A provider, a domain or our relay ("*") that is sent to slowly, or not at all until a moment (ISO 8601, UTC); of
    the relay, how many more mails the warm-up plan allows today."""

    provider: str
    per_second: float | None
    closed_until: str | None
    said: str
    left_today: int | None = None


class Waiting(NamedTuple):
    """A mailing that is not finished: its deliveries by state, how they move, and when the last of them did."""

    mailing: outbox.Mailing
    tally: Mapping[outbox.State, int]
    progress: Progress
    moved_at: datetime | None
    now: datetime


def settings_to_mend(settings: Settings) -> Iterator[Need]:
    """What must be set before mail goes to real readers."""
    if settings.delivery.transport == "maildir":
        return
    if not settings.series.base_url.startswith("https://"):
        yield Need("base_url", "[series] base_url is not https://: one-click unsubscribing wants it (RFC 8058).")
    if not settings.series.postal_address:
        yield Need("postal_address", "[series] postal_address is empty: most countries want one in every mail.")
    if settings.mail.from_address == Mail().from_address:
        yield Need("from_address", "[mail] from_address is still the packaged one: use a domain of yours.")


def of_sources(sources: Sequence[SourceWeek]) -> Iterator[Need]:
    for one in sources:
        name = one.state.source
        if one.status == "failed":
            why = f"{one.state.failure}".rstrip(".")
            said = f"source {name} failed: {why}. See digest sources check {name}, and mend [sources.{name}]."
            yield Need(f"source {name} failed", said)
    for one in sources:
        if one.status == "stale":
            name = one.state.source
            said = (
                f"source {name} is stale: unchanged for {one.age_days} days. See whether it moved, and mend its url in "
                f"[sources.{name}], its stale_after_days, or set enabled = false."
            )
            yield Need(f"source {name} stale", said)
    for one in sources:
        if one.status == "quarantined":
            name = one.state.source
            said = f"source {name} is held back ({one.state.doubt}): digest sources accept {name}"
            yield Need(f"source {name} quarantined", said)


def of_edition(week: str, known: WeekDone, approval: Approval) -> Iterator[Need]:
    """A draft that nobody approved. It wakes a person where the deadline does not approve it, or did not."""
    if known.approved_at is not None or known.queued or known.skipped:
        return
    held = "approval" in known.stages
    if approval.required or held:
        said = f"the edition of {week} waits for approval: digest approve {week}, or digest skip {week}"
        yield Need(f"approval {week}", said, wakes=held or approval.at_deadline == "hold")


def of_mailings(waiting: Sequence[Waiting]) -> Iterator[Need]:
    """What is still to be sent. What is held waits for a moment, not for a person; what moves needs none."""
    for one in waiting:
        mailing = one.mailing
        left = sum(one.tally[state] for state in ("pending", "claimed", "dot", "deferred"))
        at_hand = sum(one.tally[state] for state in ("pending", "claimed", "dot"))
        stands = at_hand > 0 and not one.progress.senders
        stands &= one.moved_at is not None and one.now - one.moved_at > _NOT_MOVING
        about = f"mailing {mailing.kind} {mailing.week}"
        if not left:
            continue
        if mailing.kind in outbox.LETTERS:
            said = f"{left:,} {mailing.kind} mails of {mailing.week} wait: digest serve sends them."
            yield Need(about, said, wakes=stands)
        elif mailing.control == "paused":
            said = f"the mailing of {mailing.week} is paused, {left:,} deliveries wait: digest resume {mailing.week}"
            yield Need(f"{about} paused", said, wakes=False)  # a person did that
        else:
            said = f"{left:,} deliveries of {mailing.week} are still to be made: digest send {mailing.week}"
            yield Need(about, said, wakes=stands)


def of_late(too_late: Mapping[str, int]) -> Iterator[Need]:
    """Deliveries that were given up before anybody tried to make them."""
    for week, count in too_late.items():
        yield Need(
            f"too late {week}",
            f"{several(count, 'delivery')} of {week} came too late and will not be made: nothing sent them within "
            "[delivery] give_up_after_hours. See that digest serve or digest worker runs, and tell the news in the "
            "next edition.",
        )


def of_limits(limits: Sequence[Limit]) -> Iterator[Need]:
    """Providers that take nothing from us for a while; domains that are not named are counted."""
    closed = [one for one in limits if one.closed_until is not None]
    unnamed = [one.closed_until or "" for one in closed if one.provider == A_DOMAIN]
    if unnamed:
        said = f"{several(len(unnamed), 'domain')} of few readers: no mail of ours is taken until {max(unnamed)}"
        yield Need("closed domains", f"{said}. What waits is tried again then; the relay's log says why.")
    for one in closed:
        if one.provider != A_DOMAIN:
            who = "the relay" if one.provider == "*" else one.provider
            said = (
                f'{who} takes no mail of ours until {one.closed_until} ("{one.said}"): see what it says of the sender.'
            )
            yield Need(f"closed {one.provider}", said)


def of_confirmations(braked_until: datetime | None) -> Iterator[Need]:
    if braked_until is not None:
        yield Need(
            "confirmations paused",
            f"confirmations are paused until {braked_until:%Y-%m-%d %H:%M} UTC: more sign-ups came in than "
            "[signup] in_all allows; look at `digest subscribers list --state requested`.",
        )


def of_countries(age: str | None) -> Iterator[Need]:
    if age:
        yield Need("country database", age)


def of_deliveries(uncertain: Mapping[str, int], returned: Mapping[deliveries.Came, int]) -> Iterator[Need]:
    for week, count in uncertain.items():
        said = (
            f"{several(count, 'uncertain delivery')} of {week}, for the relay broke off at the last: digest reconcile"
        )
        yield Need(f"uncertain {week}", said)
    flagged = returned.get("unproven", 0) + returned.get("unreadable", 0)
    if flagged:
        said = (
            f"{several(flagged, 'returned mail')} of the last 30 days could not be taken in: read what is flagged in "
            "the mailbox of [bounces]; who wants no more mail goes by digest subscribers remove."
        )
        yield Need("returned mail flagged", said)


def of_readers(week: str, tally: Mapping[outbox.State, int]) -> Iterator[Need]:
    """That more failed than ever should: it is the sender's repute, or a fault that is not the readers'."""
    sent, failed = tally.get("sent", 0), tally.get("failed", 0)
    if failed >= _SOME and failed > _MOST_FAILED * (sent + failed):
        yield Need(
            f"failed {week}",
            f"{failed:,} of {sent + failed:,} deliveries of {week} failed: if a provider refused what was right, "
            "digest bounces undo --since TIME",
        )


def of_complaints(complained: int, sent: int) -> Iterator[Need]:
    """That more readers called it spam than providers put up with; both counts are of the same 30 days."""
    if complained > _MOST_COMPLAINTS * sent > 0:
        yield Need(
            "complaints",
            f"{several(complained, 'complaint')} of {several(sent, 'mail')} in 30 days; from 0.1 % on large providers "
            "refuse the sender: digest pause the mailing, and see by digest subscribers list how those who joined of "
            "late came in.",
        )
