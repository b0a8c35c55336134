"""Each week exactly once in every zone there is: 1,000 weeks, looked at in every minute around each change of clocks.

The suite takes some zones. `DIGEST_TEST_ZONES=all pytest tests/weekly/test_every_zone.py` is the full run.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from digest.config.settings import Settings
from digest.config.values import WeekTime
from digest.weekly.calendar import Week
from digest.weekly.due import STAGES, Done, Stage, Timetable, WeekDone, due, timetable

WEEKS = 1000
FIRST = date(1993, 1, 4)  # the weeks reach over the days that Kwajalein and Apia left out
LAST = FIRST + timedelta(weeks=WEEKS)
MINUTE = timedelta(minutes=1)
MARGIN = timedelta(minutes=75)
EVERYTHING = os.environ.get("DIGEST_TEST_ZONES") == "all"
ZONES = [
    *("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "UTC"),
    *("Pacific/Kwajalein", "Asia/Kathmandu"),
]


def changes(zone: ZoneInfo) -> list[datetime]:
    """The moments (UTC) at which the clocks of a zone were changed."""
    found = []
    day = datetime.combine(FIRST, time(), UTC) - timedelta(days=2)
    while day.date() <= LAST + timedelta(days=2):
        before, after = day, day + timedelta(days=1)
        if (stood := before.astimezone(zone).utcoffset()) != after.astimezone(zone).utcoffset():
            while after - before > MINUTE:
                middle = before + (after - before) / 2
                same = middle.astimezone(zone).utcoffset() == stood
                before, after = (middle, after) if same else (before, middle)
            found.append(after.replace(second=0, microsecond=0))
        day += timedelta(days=1)
    return found


def reading(moment: datetime, zone: ZoneInfo) -> datetime:
    """What a clock on the wall shows."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def timetables(zone: ZoneInfo, changed: Sequence[datetime]) -> Iterator[Timetable]:
    """The usual one; and for the days and times at which most clocks were changed one whose stages lie around them."""
    usual = timetable(Settings())
    yield Timetable(zone, usual.stages, {}, usual.late_by)
    shown = [reading(moment - MINUTE, zone) + MINUTE for moment in changed]
    seen: list[tuple[int, int]] = [(local.weekday(), local.hour) for local in shown]
    for weekday, hour in sorted(set(seen), key=lambda one: (-seen.count(one), one))[: 2 if EVERYTHING else 1]:
        middle = weekday * 1440 + hour * 60
        minutes = [min(max(middle + by, 0), 7 * 1440 - 1) for by in (-15, 0, 30, 59)]
        slots = (WeekTime(at // 1440, time(at % 1440 // 60, at % 60)) for at in minutes)
        yield Timetable(zone, dict(zip(STAGES, slots, strict=True)), {}, usual.late_by)


def looks(series: Timetable, changed: Sequence[datetime]) -> list[datetime]:
    """When it is looked: every minute around each change, and about each stage's time of each week."""
    found = set()
    for change in changed:
        minutes = int(2 * MARGIN / MINUTE)
        found |= {change - MARGIN + number * MINUTE for number in range(minutes + 1)}
    for number in range(WEEKS):
        monday = datetime.combine(FIRST, time(), series.zone) + timedelta(weeks=number)
        for slot in series.stages.values():
            local = datetime.combine(monday.date() + timedelta(days=slot.weekday), slot.at, series.zone)
            found |= {local.astimezone(UTC) + by * MINUTE for by in (-1, 0)}
    return sorted(found)


def live(series: Timetable, moments: Sequence[datetime]) -> dict[tuple[Week, Stage], datetime]:
    """Do what is due at each of these moments; when each stage of each week was done. Nothing is done twice."""
    done: dict[Week, WeekDone] = {}
    began: dict[tuple[Week, Stage], datetime] = {}
    for now in moments:
        while found := due(now, series, Done(done, last_begun=now)):
            for week, stage, _since in found:
                assert (week, stage) not in began
                began[week, stage] = now
                known = done.get(week, WeekDone())
                approved = now if stage == "approval" else known.approved_at
                done[week] = WeekDone(known.stages | {stage}, approved, queued=stage == "send")
        if len(done) > 8:
            del done[min(done)]
    return began


def expected(series: Timetable, moments: Sequence[datetime]) -> dict[tuple[Week, Stage], datetime]:
    """When the wall's clock first showed a stage's time or a later one, found by looking at it."""
    weeks = [Week(FIRST + timedelta(weeks=number)) for number in range(WEEKS)]
    slots = [(stage, series.stages[stage]) for stage in STAGES]
    waits = [
        (datetime.combine(week.starts + timedelta(days=slot.weekday), slot.at), week, stage)
        for week in weeks
        for stage, slot in slots
    ]
    found: dict[tuple[Week, Stage], datetime] = {}
    highest, place = reading(moments[0], series.zone), 0
    for now in moments:
        highest = max(highest, reading(now, series.zone))
        while place < len(waits) and waits[place][0] <= highest:
            found[waits[place][1:]] = now
            place += 1
    return found


@pytest.mark.long
def test_each_week_comes_exactly_once_in_every_zone_at_the_first_moment_its_clocks_show_the_time() -> None:
    known: set[tuple[object, ...]] = set()
    counted = {"zones": 0, "timetables": 0, "weeks": 0, "looks": 0, "changes": 0}
    for name in sorted(available_timezones()) if EVERYTHING else ZONES:
        zone = ZoneInfo(name)
        changed = changes(zone)
        counted["zones"] += 1
        alike = tuple((moment, reading(moment, zone)) for moment in [*changed, datetime.combine(FIRST, time(), UTC)])
        if alike in known:
            continue  # a zone of another name
        known.add(alike)
        counted["changes"] += len(changed)
        for series in timetables(zone, changed):
            moments = looks(series, changed)
            began, wanted = live(series, moments), expected(series, moments)
            in_span = {key: when for key, when in began.items() if FIRST <= key[0].starts < LAST}
            assert in_span == wanted, name
            assert len(wanted) == WEEKS * len(STAGES), name
            counted["timetables"] += 1
            counted["weeks"] += WEEKS
            counted["looks"] += len(moments)
    print(counted, file=sys.stderr)
