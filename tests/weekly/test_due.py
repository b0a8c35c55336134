"""What is due is a function of now, the timetable and what is done: once a week, whatever clocks and zones do."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.config.settings import Settings
from digest.config.values import WeekTime
from digest.weekly.calendar import Week, parse_week
from digest.weekly.due import (
    Daily,
    Done,
    Stage,
    Timetable,
    WeekDone,
    asks,
    daily_due,
    doubt,
    due,
    is_doubtful,
    moment,
    next_due,
    stage_moment,
    timetable,
)

BERLIN = ZoneInfo("Europe/Berlin")
W18, W19, W20 = (parse_week(name) for name in ("2026-W18", "2026-W19", "2026-W20"))
FIRST, LAST = datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2040-01-01")  # local times
MONDAY = datetime(2026, 5, 4, tzinfo=BERLIN)  # of W19


@lru_cache
def series(zone: str = "Europe/Berlin", late_by: int = 24) -> Timetable:
    """Snapshot Monday at 6, draft at 7, the deadline Tuesday at 9, sending at 10."""
    usual = timetable(Settings())
    return Timetable(ZoneInfo(zone), usual.stages, usual.daily, timedelta(hours=late_by))


def known(**weeks: WeekDone) -> Done:
    return Done({parse_week(f"2026-{name}"): done for name, done in weeks.items()})


def at(hours: float) -> datetime:
    """So many hours after W19 began in Berlin."""
    return MONDAY + timedelta(hours=hours)


def told(now: datetime, done: Done, asked: Week | None = None) -> list[tuple[Week, Stage]]:
    return [(one.week, one.stage) for one in due(now, series(), done, asked)]


@pytest.mark.parametrize(
    ("day", "at_time", "zone", "found"),
    [
        (date(2026, 3, 29), time(2, 30), "Europe/Berlin", "2026-03-29T01:00:00+00:00"),  # left out: 03:00 there
        (date(2026, 10, 25), time(2, 30), "Europe/Berlin", "2026-10-25T00:30:00+00:00"),  # twice: the first
        (date(2026, 10, 4), time(2, 15), "Australia/Lord_Howe", "2026-10-03T15:30:00+00:00"),  # half an hour left out
        (date(2011, 12, 30), time(9, 0), "Pacific/Apia", "2011-12-30T10:00:00+00:00"),  # a day left out
        (date(1993, 8, 21), time(9, 0), "Pacific/Kwajalein", "1993-08-21T12:00:00+00:00"),
        (date(2026, 5, 4), time(9, 0), "Asia/Kathmandu", "2026-05-04T03:15:00+00:00"),
    ],
)
def test_a_local_time_is_one_moment_whatever_clocks_do(day: date, at_time: time, zone: str, found: str) -> None:
    assert moment(day, at_time, ZoneInfo(zone)).isoformat() == found


@given(st.datetimes(FIRST, LAST), st.sampled_from(["Europe/Berlin", "Pacific/Apia"]))
def test_a_later_local_time_is_never_an_earlier_moment(local: datetime, name: str) -> None:
    zone, later = ZoneInfo(name), local + timedelta(minutes=1)
    one, two = (moment(when.date(), when.time().replace(second=0, microsecond=0), zone) for when in (local, later))
    assert one <= two


def test_the_stages_of_a_week_are_due_one_after_the_other_at_their_times() -> None:
    approved = WeekDone(frozenset({"snapshot", "draft"}), approved_at=at(20))
    for hours, done, expected in (
        (5.99, known(), []),
        (6, known(), [(W19, "snapshot")]),
        (6.5, known(W19=WeekDone(frozenset({"snapshot"}))), []),
        (7, known(W19=WeekDone(frozenset({"snapshot"}))), [(W19, "draft")]),
        (32.9, known(W19=WeekDone(frozenset({"snapshot", "draft"}))), []),
        (33, known(W19=WeekDone(frozenset({"snapshot", "draft"}))), [(W19, "approval")]),
        (33.9, known(W19=approved), []),
        (34, known(W19=approved), [(W19, "send")]),
        (34, known(W19=WeekDone(queued=True)), []),
        (34, known(W19=WeekDone(skipped=True)), []),
        (34, known(W19=WeekDone(frozenset({"snapshot", "draft", "approval"}))), []),  # it waits for an editor
    ):
        assert told(at(hours), done) == expected, hours


def test_an_edition_that_is_late_asks_and_does_not_go_out() -> None:
    done = known(W19=WeekDone(frozenset({"snapshot", "draft", "approval"}), approved_at=at(20)))
    assert told(at(57.9), done) == [(W19, "send")]
    assert asks(at(57.9), series(), done) == ()
    assert told(at(58), done) == []
    assert asks(at(58), series(), done) == (W19,)
    assert asks(at(58), series(), known(W19=WeekDone(skipped=True))) == ()


def test_an_approval_that_came_late_is_a_persons_word() -> None:
    done = known(W19=WeekDone(frozenset({"snapshot", "draft", "approval"}), approved_at=at(100)))
    assert told(at(101), done) == [(W19, "send")]


def test_sources_are_read_late_as_long_as_the_week_lasts_and_never_for_a_week_that_is_over() -> None:
    assert told(at(140), known()) == [(W19, "snapshot")]
    assert told(at(168 + 5), known(W19=WeekDone(frozenset({"snapshot"})))) == []


def test_a_machine_that_slept_for_two_weeks_does_this_week_and_asks_about_the_others() -> None:
    done, now = known(W18=WeekDone(queued=True)), at(3 * 168 + 6)
    assert told(now, done) == [(parse_week("2026-W22"), "snapshot")]
    assert [str(week) for week in asks(now, series(), done)] == ["2026-W19", "2026-W20", "2026-W21"]


def test_the_first_week_is_the_one_in_which_it_was_installed() -> None:
    assert told(at(8), Done()) == [(W19, "snapshot")]
    assert asks(at(8), series(), Done()) == ()


def test_a_clock_that_was_set_back_begins_no_week_of_the_past() -> None:
    done = Done({W19: WeekDone(frozenset({"snapshot"}))}, last_begun=at(6))
    year_ago = at(34) - timedelta(days=365)
    assert told(year_ago, done) == []
    assert asks(year_ago, series(), done) == ()


def test_after_a_long_silence_the_clock_is_doubted_until_a_person_says_otherwise() -> None:
    done = Done({W19: WeekDone(queued=True)}, last_begun=at(34))
    in_a_year = at(34) + timedelta(days=365)
    assert is_doubtful(in_a_year, done)
    assert told(in_a_year, done) == []
    assert daily_due(in_a_year, series(), done) == ()
    this = Week.now(in_a_year, BERLIN)
    assert told(in_a_year, done, asked=this) == [(this, stage) for stage in ("snapshot", "draft", "approval")]


def test_a_first_start_with_a_clock_a_year_ahead_is_told_once_it_is_set_right() -> None:
    ahead, right = at(8) + timedelta(days=365), at(8)
    later = Week.now(ahead, BERLIN)
    done = Done({later: WeekDone(frozenset({"snapshot", "draft"}))}, {"retention": ahead.date()}, last_begun=ahead)
    for hours in range(0, 363 * 24, 5):
        now = right + timedelta(hours=hours)
        assert is_doubtful(now, done), now
        assert (told(now, done), daily_due(now, series(), done), asks(now, series(), done)) == ([], (), ())
    said = doubt(right, done.last_begun)
    assert said is not None
    assert f"something was done on {ahead:%Y-%m-%d}, which is yet to come" in said
    assert "set it right; if it is right, run digest weekly" in said


def test_what_a_clock_did_that_ran_ahead_keeps_nothing_from_going_on_once_a_person_said_so() -> None:
    for ahead in (timedelta(weeks=3), timedelta(days=365)):
        later = Week.now(at(34) + ahead, BERLIN)
        done = Done({later: WeekDone(queued=True)}, {"retention": later.starts}, last_begun=at(5))
        assert told(at(8), done) == [(W19, "snapshot")]
        assert [one.day for one in daily_due(at(8), series(), done)] == [MONDAY.date()]
        assert asks(at(60), series(), done) == (W19,)


JUMPS = [timedelta(days=-365), timedelta(days=-1), timedelta(days=1), timedelta(weeks=3), timedelta(days=365)]


@pytest.mark.parametrize("jump", JUMPS, ids=lambda jump: f"{jump.days:+} days")
@pytest.mark.parametrize("hours", [5, 33.5, 34.5, 167])
def test_a_clock_that_jumps_and_is_set_right_leaves_each_week_done_once(jump: timedelta, hours: float) -> None:
    table = Table()
    for hour in range(-168, 4 * 168):
        if hour == hours or hour - 0.5 == hours:
            table.look(at(hours) + jump)
            table.look(at(hours) + jump + timedelta(hours=2))  # what has just been begun is gone on with
        table.look(at(hour), a_person_looks=True)
    assert len(set(table.sent)) == len(table.sent)
    assert set(WEEKS) <= set(table.sent) <= {*WEEKS, Week.now(at(hours) + jump, BERLIN)}
    assert [day for day in table.days if day in DAYS] == DAYS


WEEKS = [parse_week(f"2026-W{number}") for number in range(18, 23)]
DAYS = [MONDAY.date() + timedelta(days=number) for number in range(21)]


class Table:
    """What the table of weeks does with what is due, and the person who is told that the clock is doubted."""

    def __init__(self) -> None:
        self.done = Done()
        self.sent: list[Week] = []
        self.days: list[date] = []

    def look(self, now: datetime, *, a_person_looks: bool = False) -> None:
        if a_person_looks and is_doubtful(now, self.done):
            this = Week.now(now, BERLIN)
            kept = {week: known for week, known in self.done.weeks.items() if week <= this or known.queued}
            self.done = Done(kept, self.done.daily, now)
        for found in daily_due(now, series(), self.done):
            if found.day not in self.days:
                self.days.append(found.day)
            self._note(self.done.weeks, {found.job: found.day}, now)
        while stages := due(now, series(), self.done):
            week, stage = stages[0].week, stages[0].stage
            known = self.done.weeks.get(week, WeekDone())
            approved = now if stage == "approval" else known.approved_at
            if stage == "send":
                self.sent.append(week)
            changed = WeekDone(known.stages | {stage}, approved, stage == "send")
            self._note({**self.done.weeks, week: changed}, self.done.daily, now)

    def _note(self, weeks: Mapping[Week, WeekDone], daily: Mapping[Daily, date], now: datetime) -> None:
        self.done = Done(weeks, daily, max(now, self.done.last_begun or now))


def test_a_week_that_a_person_asks_for_waits_for_no_time() -> None:
    assert told(at(1), known(), asked=W18) == [(W18, "draft"), (W18, "approval")]
    assert told(at(1), known(W18=WeekDone(approved_at=at(0))), asked=W18) == [(W18, "send")]
    assert told(at(1), known(W18=WeekDone(queued=True)), asked=W18) == []


def test_a_daily_job_is_due_once_a_day_and_made_up_for_after_a_night_without_power() -> None:
    (job,) = daily_due(at(3.5), series(), Done())
    assert job == (MONDAY.date(), "retention")
    assert daily_due(at(3.5), series(), Done(daily={"retention": MONDAY.date()})) == ()
    (late,) = daily_due(at(1), series(), Done(daily={"retention": date(2026, 5, 1)}))
    assert late.day == date(2026, 5, 3)
    assert daily_due(at(-20), series(), Done(daily={"retention": MONDAY.date()})) == ()


def test_status_knows_what_comes_next() -> None:
    coming = next_due(at(7), series(), known(W19=WeekDone(frozenset({"snapshot", "draft"}))))
    assert coming == (W19, "approval", stage_moment(W19, "approval", series()))
    coming = next_due(at(40), series(), known(W19=WeekDone(queued=True)))
    assert coming is not None
    assert (coming.week, coming.stage) == (W20, "snapshot")


def test_times_that_run_backwards_are_refused() -> None:
    with pytest.raises(ValueError, match="out of order"):
        Settings.model_validate({"schedule": {"draft": "mon 05:59"}})
    with pytest.raises(ValueError, match="no time of a week"):
        Settings.model_validate({"schedule": {"draft": "monday"}})
    assert Settings().schedule.send == WeekTime(1, time(10))
    assert stage_moment(parse_week("2020-W53"), "send", series("UTC")) == datetime(2020, 12, 29, 10, tzinfo=UTC)
