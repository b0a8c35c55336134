"""The table of weeks: how far each stage of each week is, who is at it until when, and by which number.

A holder may do its stage until its lease ends; then another takes it over with a higher number (a fencing token), and
what the first one still writes under its old number is refused. Daily jobs stand in the same table, by their day, and
so does a person's word that the clock is right.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, SQLModel

from digest.database import UtcDateTime, metadata
from digest.delivery import outbox
from digest.edition import store as editions
from digest.errors import DeliveryError, DigestError
from digest.weekly.calendar import Week, parse_week
from digest.weekly.due import DAILY, STAGES, WEEKS_ASKED, Daily, Done, Stage, WeekDone, doubt

State = Literal["running", "open", "done", "skipped"]
"""`open`: it was begun and is to be done again, from the moment on at which its lease ends."""

LEASE = timedelta(minutes=5)
_WORD = "clock"  # a person's word of a day that the clock is right, in place of a stage
_SKEW = timedelta(hours=1)  # a lease that ends later than any could was given by a clock that ran ahead


class StageRunRow(SQLModel, table=True):
    """A stage of a week, or a daily job of a day: `period` is 2026-W18 or 2026-05-04. `said` is what kept it from being
    done."""

    __tablename__ = "stage_run"

    period: str = Field(primary_key=True)
    stage: str = Field(primary_key=True)
    state: str
    fence: int
    holder: str
    started_at: datetime = Field(sa_type=UtcDateTime)
    leased_until: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    said: str = ""


_runs = metadata.tables["stage_run"]


class LostLeaseError(DigestError):
    """Somebody else is at this stage by now, or a person skipped it; what was about to be written was not."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to do a stage until the lease ends. `said` is what kept the last holder from it."""

    period: str
    stage: Stage | Daily
    fence: int
    said: str = ""


class Trouble(NamedTuple):
    """A stage that could not be done, and why."""

    period: str
    stage: Stage | Daily
    said: str
    again_at: datetime


def claim(
    connection: Connection,
    period: str,
    stage: Stage | Daily,
    holder: str,
    now: datetime,
    is_dead: Callable[[str], bool],
    *,
    asked: bool = False,
) -> Lease | None:
    """Take a stage, if nobody else has it. One that is done or skipped only where a person `asked` for it.

    Compare and set: of two who find the same state one changes the row, the other changes nothing.
    """
    mine = and_(_runs.c.period == period, _runs.c.stage == stage)
    known = connection.execute(select(_runs).where(mine)).first()
    values = {"state": "running", "holder": holder, "started_at": now, "leased_until": now + LEASE, "ended_at": None}
    if known is None:
        row = {"period": period, "stage": stage, "fence": 1, "said": "", **values}
        with suppress(IntegrityError), connection.begin_nested():
            connection.execute(insert(_runs), row)
            return Lease(period, stage, 1)
        return None
    over = not now < known.leased_until <= now + LEASE + _SKEW
    if not (over or is_dead(known.holder) if known.state == "running" else asked or (known.state == "open" and over)):
        return None
    same = and_(mine, _runs.c.fence == known.fence, _runs.c.state == known.state)
    same = and_(same, _runs.c.leased_until == known.leased_until)
    taken = connection.execute(update(_runs).where(same).values(**values, fence=known.fence + 1))
    return Lease(period, stage, known.fence + 1, known.said) if taken.rowcount else None


def hold(connection: Connection, lease: Lease, now: datetime) -> None:
    """Renew a lease in the transaction whose writes it guards. Raises LostLeaseError where it is another's by now."""
    _write(connection, lease, {"leased_until": now + LEASE})


def finish(connection: Connection, lease: Lease, now: datetime) -> None:
    """Say that a stage is done. Raises LostLeaseError."""
    _write(connection, lease, {"state": "done", "ended_at": now, "said": ""})


def leave_open(connection: Connection, lease: Lease, now: datetime, said: str, again_at: datetime) -> None:
    """Give a stage back, to be done again from a moment on. Raises LostLeaseError."""
    _write(connection, lease, {"state": "open", "ended_at": now, "said": said, "leased_until": again_at})


def _write(connection: Connection, lease: Lease, values: Mapping[str, object]) -> None:
    mine = and_(_runs.c.period == lease.period, _runs.c.stage == lease.stage)
    held = and_(mine, _runs.c.fence == lease.fence, _runs.c.state == "running")
    if not connection.execute(update(_runs).where(held).values(**values)).rowcount:
        raise LostLeaseError(f"the {lease.stage} of {lease.period} is in other hands by now; see `digest status`.")


def skip(connection: Connection, week: Week, now: datetime) -> None:
    """Mark a week as one that gets no edition. Whoever is at one of its stages can write nothing of it any more."""
    for stage in STAGES:
        mine = and_(_runs.c.period == str(week), _runs.c.stage == stage)
        values = {"state": "skipped", "ended_at": now, "said": ""}
        with suppress(IntegrityError), connection.begin_nested():
            row = {"period": str(week), "stage": stage, "fence": 1, "holder": "", "started_at": now}
            connection.execute(insert(_runs), {**row, "leased_until": now, **values})
            continue
        changed = {**values, "fence": _runs.c.fence + 1}
        connection.execute(update(_runs).where(mine, _runs.c.state != "done").values(changed))


def reopen(connection: Connection, week: Week, now: datetime) -> None:
    """Take up a week again that was skipped."""
    skipped = and_(_runs.c.period == str(week), _runs.c.state == "skipped")
    connection.execute(update(_runs).where(skipped).values(state="open", leased_until=now, started_at=now))


def vouch(connection: Connection, zone: ZoneInfo, now: datetime) -> None:
    """Take a person's word that the clock is right. What was begun at moments to come was begun by a clock that ran
    ahead: of weeks and days to come it is forgotten, else it counts as begun by now."""
    this, today = Week.now(now, zone), now.astimezone(zone).date()
    of_weeks = and_(_runs.c.stage.in_(STAGES), _runs.c.period > str(this))
    of_days = and_(_runs.c.stage.in_(DAILY), _runs.c.period > today.isoformat())
    ahead = _runs.c.started_at > now
    connection.execute(_runs.delete().where(ahead, or_(of_weeks, of_days), _runs.c.state != "skipped"))
    connection.execute(update(_runs).where(ahead).values(started_at=now))
    said = and_(_runs.c.period == today.isoformat(), _runs.c.stage == _WORD)
    if connection.execute(update(_runs).where(said).values(started_at=now)).rowcount:
        return
    row = {"period": today.isoformat(), "stage": _WORD, "state": "done", "fence": 1, "holder": "", "said": ""}
    with suppress(IntegrityError), connection.begin_nested():  # another process noted the same word
        connection.execute(insert(_runs), {**row, "started_at": now, "leased_until": now, "ended_at": now})


def heed_clock(connection: Connection, now: datetime) -> None:
    """Raise DeliveryError where the clock is doubted: by it what waits may be too late, and consents have lapsed."""
    if said := doubt(now, _last_begun(connection)):
        raise DeliveryError(f"{said}.")


def _last_begun(connection: Connection) -> datetime | None:
    return cast(datetime | None, connection.scalar(select(func.max(_runs.c.started_at))))


def read_done(connection: Connection, this: Week, asked: Week | None = None) -> Done:
    """What is done of the weeks that matter when `this` is the current one, and of one that a person asked for."""
    oldest = Week(this.starts - timedelta(weeks=WEEKS_ASKED))
    weeks = select(_runs.c.period, _runs.c.stage, _runs.c.state).where(_runs.c.stage.in_(STAGES))
    found: dict[Week, list[tuple[Stage, State]]] = {}
    wanted = or_(_runs.c.period >= str(oldest), _runs.c.period == str(asked or this))
    for period, stage, state in connection.execute(weeks.where(wanted)):
        found.setdefault(parse_week(period), []).append((stage, state))
    known = {week: _week_done(connection, week, found.get(week, ())) for week in {*found, this, asked or this}}
    begun = {week: one for week, one in known.items() if week in found or one != WeekDone()}
    newest = select(_runs.c.stage, func.max(_runs.c.period)).where(_runs.c.stage.in_(DAILY), _runs.c.state == "done")
    days = {
        cast(Daily, stage): date.fromisoformat(day) for stage, day in connection.execute(newest.group_by(_runs.c.stage))
    }
    return Done(begun, days, _last_begun(connection))


def _week_done(connection: Connection, week: Week, stages: Iterable[tuple[Stage, State]]) -> WeekDone:
    published = editions.published_on(connection, str(week))
    return WeekDone(
        stages=frozenset(stage for stage, state in stages if state == "done"),
        approved_at=published.approved_at if published else None,
        queued=outbox.find(connection, str(week)) is not None,
        skipped=any(state == "skipped" for _stage, state in stages),
    )


def troubles(connection: Connection) -> list[Trouble]:
    """What could not be done and waits to be tried again, the oldest first."""
    columns = (_runs.c.period, _runs.c.stage, _runs.c.said, _runs.c.leased_until)
    waits = select(*columns).where(_runs.c.state == "open", _runs.c.said != "").order_by(_runs.c.started_at)
    return [Trouble(*row) for row in connection.execute(waits)]


def forget_days(connection: Connection, before: date) -> None:
    """Drop the daily jobs, and the words given, of days long past."""
    old = and_(_runs.c.stage.in_((*DAILY, _WORD)), _runs.c.period < before.isoformat())
    connection.execute(_runs.delete().where(old))
