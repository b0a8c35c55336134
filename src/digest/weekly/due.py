"""What is due: a function of now, the series' timetable and what is done. Pure.

A week's stages have a weekday and a time of the day in the series' zone. A local time that a change of clocks leaves
out is taken at the first moment after the gap, be it an hour or a whole day; of one that comes twice the first counts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from digest.config.settings import Settings
from digest.config.values import WeekTime
from digest.weekly.calendar import Week

Stage = Literal["snapshot", "draft", "approval", "send"]
"""Reading the sources; composing; the approval's deadline; queueing to the readers. Mail that is queued is the
outbox's business."""

STAGES: tuple[Stage, ...] = get_args(Stage)

Daily = Literal["retention", "backup"]

DAILY: tuple[Daily, ...] = get_args(Daily)

WEEKS_ASKED = 4
"""So many weeks back a week that has not gone out is asked about; after that it is news no more."""

LONGEST_SILENCE = timedelta(weeks=WEEKS_ASKED)
"""After so long without anything done, it is the clock that is doubted: nothing begins without a person."""

MOST_AHEAD = timedelta(days=1)
"""What was begun later than so long from now was begun by a clock that ran ahead, or now is one that was set back."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """When a series' stages and daily jobs are, in its zone; `late_by` is how late an edition goes out unasked."""

    zone: ZoneInfo
    stages: Mapping[Stage, WeekTime]
    daily: Mapping[Daily, time]
    late_by: timedelta


@dataclass(frozen=True, slots=True)
class WeekDone:
    """What is done of a week: its stages; since when its edition is approved, if it is; whether it has gone to the
    outbox; whether a person skipped it."""

    stages: frozenset[Stage] = frozenset()
    approved_at: datetime | None = None
    queued: bool = False
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What is done: of weeks, which day each daily job was last done for, and when anything was last begun, or a person
    last said that the clock is right."""

    weeks: Mapping[Week, WeekDone] = field(default_factory=dict)
    daily: Mapping[Daily, date] = field(default_factory=dict)
    last_begun: datetime | None = None


class Due(NamedTuple):
    """A stage of a week that is due since a moment (UTC)."""

    week: Week
    stage: Stage
    since: datetime


class DailyDue(NamedTuple):
    """A daily job that is due for a day of the series' zone."""

    day: date
    job: Daily


def timetable(settings: Settings) -> Timetable:
    """The timetable that config.toml declares; without a folder for backups there is no such job."""
    schedule = settings.schedule
    jobs = [job for job in DAILY if job != "backup" or settings.backups.folder]
    return Timetable(
        zone=settings.series.zone,
        stages={stage: getattr(schedule, stage) for stage in STAGES},
        daily={job: getattr(schedule, job) for job in jobs},
        late_by=timedelta(hours=schedule.late_by_hours),
    )


@lru_cache(maxsize=4096)
def moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment (UTC) of a local time: the first one where it comes twice, the end of the gap where it never comes."""
    local = datetime.combine(day, at, zone)
    found = local.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return found
    before, after = local.replace(fold=1).astimezone(UTC), found  # on either side of the change
    stands = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == stands:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def stage_moment(week: Week, stage: Stage, series: Timetable) -> datetime:
    """When a stage of a week is due (UTC)."""
    when = series.stages[stage]
    return moment(week.starts + timedelta(days=when.weekday), when.at, series.zone)


def due(now: datetime, series: Timetable, done: Done, asked: Week | None = None) -> tuple[Due, ...]:
    """The stages that may be done now, the oldest week's first; of each week the first that is not done.

    A week that a person has `asked` for waits for no time: what is done of it is done again, until it is queued.
    """
    if asked is not None:
        return _asked(now, series, done.weeks.get(asked, WeekDone()), asked)
    if is_doubtful(now, done):
        return ()
    found = (_next(now, series, done.weeks.get(week, WeekDone()), week) for week in _weeks(now, series, done))
    return tuple(one for one in found if one is not None)


def _next(now: datetime, series: Timetable, known: WeekDone, week: Week) -> Due | None:
    """The first stage of a week that is not done, where its time has come and is not over."""
    if known.queued or known.skipped:
        return None
    approved = known.approved_at is not None
    for stage in STAGES:
        if stage in known.stages or (approved and stage != "send"):
            continue
        if stage == "send" and not approved:
            return None
        since = stage_moment(week, stage, series)
        counted = max(since, known.approved_at) if stage == "send" and known.approved_at else since
        on_time = now - counted < series.late_by
        # Reading and composing reach nobody: as long as the week lasts, late is better than never.
        harmless = stage in ("snapshot", "draft") and Week.now(now, series.zone) == week
        return Due(week, stage, since) if since <= now and (on_time or harmless) else None
    return None


def _asked(now: datetime, series: Timetable, known: WeekDone, week: Week) -> tuple[Due, ...]:
    if known.queued:
        return ()
    stages: tuple[Stage, ...] = ("send",) if known.approved_at else STAGES[:-1]
    return tuple(Due(week, stage, now) for stage in stages if stage != "snapshot" or week == Week.now(now, series.zone))


def _weeks(now: datetime, series: Timetable, done: Done) -> Iterator[Week]:
    """The weeks that may have something due: this one, and earlier ones since the first that is known. One that lies
    before the newest known and was never begun is not begun any more: the clock was set back, or it was missed."""
    this = Week.now(now, series.zone)
    known = _believed(now, series, done)
    newest = max(known, default=this.previous)
    week, weeks = this, []
    for _ in range(WEEKS_ASKED + 1):
        if week in known or week > newest:
            weeks.append(week)
        week = week.previous
    first = min(known, default=this)
    return (week for week in reversed(weeks) if week >= first)


def _believed(now: datetime, series: Timetable, done: Done) -> frozenset[Week]:
    """The weeks that are known, without those that a clock began that ran ahead: what they say of others is wrong."""
    newest = Week.now(now + MOST_AHEAD, series.zone)
    return frozenset(week for week in done.weeks if week <= newest)


def asks(now: datetime, series: Timetable, done: Done) -> tuple[Week, ...]:
    """The weeks whose edition is too late to go out unasked, the oldest first; a person goes on with them or skips
    them. None of them is of the time before the first week that is known. A clock that is doubted asks about none."""
    this = Week.now(now, series.zone)
    believed = _believed(now, series, done)
    known = [week for week in believed if week <= this]
    if is_doubtful(now, done) or (believed and not known):  # the clock was set back
        return ()
    weeks = [Week(this.starts - timedelta(weeks=back)) for back in range(WEEKS_ASKED, -1, -1)]
    since = min(known, default=this)
    return tuple(
        week for week in weeks if week >= since and _is_late(now, series, done.weeks.get(week, WeekDone()), week)
    )


def _is_late(now: datetime, series: Timetable, known: WeekDone, week: Week) -> bool:
    since = stage_moment(week, "send", series)
    counted = max(since, known.approved_at) if known.approved_at else since
    return not (known.queued or known.skipped) and now - counted >= series.late_by


def is_doubtful(now: datetime, done: Done) -> bool:
    """Whether the clock may be wrong: it is so long that anything was done, or something was done at a moment to come.
    Set forward by a year, it would send an edition of a week to come, and let every consent of a year lapse."""
    return doubt(now, done.last_begun) is not None


def doubt(now: datetime, last_begun: datetime | None) -> str | None:
    """Why the clock may be wrong, and what to do, as a sentence; None where nothing speaks against it."""
    if last_begun is not None and now - last_begun > LONGEST_SILENCE:
        why = f"nothing was done by itself since {last_begun:%Y-%m-%d}"
    elif last_begun is not None and last_begun - now > MOST_AHEAD:
        why = f"something was done on {last_begun:%Y-%m-%d}, which is yet to come"
    else:
        return None
    return (
        f"the clock says {now:%Y-%m-%d} and {why}, so it is doubted and nothing begins: set it right; if it is right, "
        "run digest weekly"
    )


def next_due(now: datetime, series: Timetable, done: Done) -> Due | None:
    """The first stage whose time is yet to come."""
    this = Week.now(now, series.zone)
    coming = [
        Due(week, stage, stage_moment(week, stage, series))
        for week in (this, Week(this.starts + timedelta(weeks=1)))
        for stage in STAGES
        if not _is_over(done.weeks.get(week, WeekDone()), stage)
    ]
    return min((one for one in coming if one.since > now), key=attrgetter("since"), default=None)


def _is_over(known: WeekDone, stage: Stage) -> bool:
    return known.queued or known.skipped or stage in known.stages or (stage != "send" and known.approved_at is not None)


def daily_due(now: datetime, series: Timetable, done: Done) -> tuple[DailyDue, ...]:
    """The daily jobs whose time has come today, or came yesterday and was slept through; each once a day at most."""
    if is_doubtful(now, done):
        return ()
    today = now.astimezone(series.zone).date()
    found = []
    for job, at in series.daily.items():
        days = (day for day in (today, today - timedelta(days=1)) if moment(day, at, series.zone) <= now)
        day = next(days, None)
        last = done.daily.get(job)
        if day is not None and (last is None or last < day or last > today + MOST_AHEAD):
            found.append(DailyDue(day, job))
    return tuple(found)
