"""Doing what is due: claim a stage of a week, do it, say what became of it; stage after stage, week after week.

snapshot -> draft -> approval -> send          each under a lease, each again at no harm
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from digest import audit
from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery import claimants
from digest.delivery.outbox import Mailing
from digest.edition import store as editions
from digest.edition.store import StoredEdition
from digest.errors import DigestError
from digest.weekly import collecting, stages, store
from digest.weekly.calendar import Week, parse_week
from digest.weekly.collecting import Collected
from digest.weekly.due import STAGES, Done, Due, WeekDone, asks, doubt, due, stage_moment, timetable
from digest.weekly.stages import Drafted, Guard
from digest.weekly.store import Lease, Trouble

_AGAIN = timedelta(minutes=5)  # what failed is tried again after so long,
_SOURCES_AGAIN = timedelta(minutes=30)  # and sources that did not answer after so long, until the draft
_TOLD_FOR = timedelta(days=7)  # after that it is of a week that nobody waits for

Result = tuple[Collected, ...] | Drafted | StoredEdition | Mailing | None
"""What a stage gives: what was read, the draft, the edition if it was approved at the deadline, the mailing."""


AtDeadline = Callable[[Engine, Settings, Week, datetime, Guard], StoredEdition | None]
"""Decides at the deadline of approval: the edition, approved now, or None where it waits."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A stage that was done, or what kept it from being done. `again` is whether it failed for the same reason the last
    time."""

    due: Due
    result: Result = None
    error: Exception | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class _Work:
    """What a stage is done with."""

    engine: Engine
    settings: Settings
    clock: Callable[[], datetime]
    stopping: Callable[[], bool]
    asked: bool
    at_deadline: AtDeadline


def run_due(
    engine: Engine,
    settings: Settings,
    clock: Callable[[], datetime],
    *,
    asked: Week | None = None,
    stopping: Callable[[], bool] = bool,
    at_deadline: AtDeadline | None = None,
) -> Iterator[Ran]:
    """Do what is due, or all of a week that a person `asked` for, in order; each stage at most once. A stage that fails
    stops no other week's. Between two stages, and between two sources, it ends once `stopping` says so.

    Who asks for a week says that the clock is right. Any number of processes may do so at once. `at_deadline` decides
    on a draft that nobody approved; without it that is `unless_doubtful`, which looks into no mail.
    """
    work = _Work(engine, settings, clock, stopping, asked is not None, at_deadline or unless_doubtful)
    if asked is not None:
        vouch(engine, settings, clock())
        with writing(engine) as connection:
            store.reopen(connection, asked, clock())
    tried: set[tuple[Week, str]] = set()
    failed: set[Week] = set()
    while not stopping():
        one = _first(work, asked, tried, failed)
        if one is None:
            return
        tried.add((one.week, one.stage))
        ran = _run(work, one)
        if ran is not None:
            yield ran
        if ran is None or ran.error is not None:
            failed.add(one.week)


def vouch(engine: Engine, settings: Settings, now: datetime) -> None:
    """Take a person's word that the clock is right. What one that ran ahead did for weeks to come and did not queue is
    done anew when they come; an approval of theirs is void."""
    this = str(Week.now(now, settings.series.zone))
    with writing(engine) as connection:
        store.vouch(connection, settings.series.zone, now)
        for week in editions.approved_since(connection, now):
            if week > this:
                stages.void(connection, week, audit.SCHEDULER, now, "it was approved by a clock that ran ahead")


def needs(connection: Connection, settings: Settings, now: datetime) -> Iterator[tuple[str, str]]:
    """What of the weeks needs a person: a name, which stays the same for as long as it does, and a sentence that says
    what to do."""
    series = timetable(settings)
    done = store.read_done(connection, Week.now(now, series.zone))
    if said := doubt(now, done.last_begun):
        yield "clock", said
        return
    for week in asks(now, series, done):
        known = done.weeks.get(week, WeekDone())
        unapproved = "approval" in known.stages and known.approved_at is None
        go_on = f"digest approve {week}" if unapproved else f"digest weekly --week {week}"
        yield f"late {week}", f"the edition of {week} is late and waits for a word: {go_on}, or digest skip {week}"
    for one in store.troubles(connection):
        if one.again_at > now - _TOLD_FOR and not _is_over(one, done):
            yield f"stage {one.period} {one.stage}", f"the {one.stage} of {one.period} could not be done: {one.said}"


def _is_over(trouble: Trouble, done: Done) -> bool:
    """Whether what could not be done is wanted no more: a later day's was done, a person did it by hand or skipped the
    week, or a later stage was done without it."""
    if trouble.stage not in STAGES:
        return any(job == trouble.stage and trouble.period < str(day) for job, day in done.daily.items())
    known = done.weeks.get(parse_week(trouble.period), WeekDone())
    later = STAGES[STAGES.index(trouble.stage) + 1 :]
    approved = known.approved_at is not None and trouble.stage != "send"
    return known.queued or known.skipped or approved or not known.stages.isdisjoint(later)


def _first(work: _Work, asked: Week | None, tried: set[tuple[Week, str]], failed: set[Week]) -> Due | None:
    now, series = work.clock(), timetable(work.settings)
    with reading(work.engine) as connection:
        done = store.read_done(connection, Week.now(now, series.zone), asked)
    found = (one for one in due(now, series, done, asked) if one.week not in failed)
    return next((one for one in found if (one.week, one.stage) not in tried), None)


def _run(work: _Work, one: Due) -> Ran | None:
    """Do one stage; None where somebody else is at it, or its time to be tried again has not come."""
    with writing(work.engine) as connection:
        holder, now = claimants.name(), work.clock()
        lease = store.claim(connection, str(one.week), one.stage, holder, now, claimants.is_dead, asked=work.asked)
    if lease is None:
        if not work.asked:
            return None
        said = f"the {one.stage} of {one.week} is being done by another process; run the command again in a while."
        return Ran(one, error=DigestError(said))
    try:
        result, again_at, said = _do(work, one, lease)
        with writing(work.engine) as connection:
            if again_at is None:
                store.finish(connection, lease, work.clock())
            else:
                store.leave_open(connection, lease, work.clock(), said, again_at)
    except store.LostLeaseError as error:
        return Ran(one, error=error)
    except Exception as error:  # noqa: BLE001 (told by whoever asked; other weeks go on)
        return _failed(work, one, lease, error)
    return Ran(one, result)


def _failed(work: _Work, one: Due, lease: Lease, error: Exception) -> Ran:
    # What we did not foresee may name a reader: only its kind is kept.
    said = str(error) if isinstance(error, DigestError) else f"a fault of the program ({type(error).__name__})"
    try:
        with writing(work.engine) as connection:
            store.leave_open(connection, lease, work.clock(), said, work.clock() + _AGAIN)
    except DigestError:  # the lease is lost, or the database is away: then it ends by itself
        pass
    return Ran(one, error=error, again=said == lease.said)


def _do(work: _Work, one: Due, lease: Lease) -> tuple[Result, datetime | None, str]:
    """Do a stage: what it gives; and if it is to be done again, when and why."""

    def guard(connection: Connection) -> None:
        store.hold(connection, lease, work.clock())

    engine, settings, now = work.engine, work.settings, work.clock()
    match one.stage:
        case "snapshot":
            return _collect(work, one.week, guard)
        case "draft":
            return stages.draft(engine, settings, one.week, now, guard=guard), None, ""
        case "approval":
            approved = work.at_deadline(engine, settings, one.week, now, guard)
            # Who asks before the deadline does not take it away.
            return approved, now if work.asked and approved is None else None, ""
        case "send":
            return stages.queue(engine, settings, one.week, now, guard), None, ""


def _collect(work: _Work, week: Week, guard: Guard) -> tuple[Result, datetime | None, str]:
    """Read the sources that have no capture in the week yet. One that fails is tried again until the draft."""
    found: list[Collected] = []
    now = work.clock()
    for one in collecting.collect(work.engine, work.settings, now, missing_in=week):
        found.append(one)
        with writing(work.engine) as connection:
            guard(connection)
        if work.stopping():
            return tuple(found), work.clock(), ""
    failed = [one for one in found if one.outcome == "failed"]
    series, now = timetable(work.settings), work.clock()
    again_at = min(now + _SOURCES_AGAIN, stage_moment(week, "draft", series))
    if failed and again_at > now and not work.asked:
        return tuple(found), again_at, ""  # the sources themselves are told of
    return tuple(found), None, ""


def unless_doubtful(
    engine: Engine, settings: Settings, week: Week, now: datetime, guard: Guard
) -> StoredEdition | None:
    """What becomes of a draft that nobody approved until the deadline: it is approved where [approval] wants no editor
    and no source is held back; else it waits."""
    with reading(engine) as connection:
        stored = editions.load_edition(connection, str(week))
        held = stages.held_back(connection, settings, week)
    statuses = {health.status for health in stored.edition.health} if stored else set()
    doubtful = held or "quarantined" in statuses or not statuses & {"fresh", "unchanged", "new"}
    if settings.approval.required or doubtful:
        return None
    return stages.approve(engine, week, now, guard=guard)
