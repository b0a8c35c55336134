"""Weeks: ISO 8601 weeks in the series' zone, whatever the clock of the machine says."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.errors import UsageError
from digest.weekly.calendar import Week, parse_week

BERLIN, SEOUL, HONOLULU = map(ZoneInfo, ("Europe/Berlin", "Asia/Seoul", "Pacific/Honolulu"))


@pytest.mark.parametrize("text", ["2026-W18", "2026W18", "2026-w18", "2026-04-27", "2026-05-03", "20260501"])
def test_a_week_is_named_by_its_number_or_by_any_of_its_days(text: str) -> None:
    week = parse_week(text)
    assert (str(week), week.starts, week.ends) == ("2026-W18", date(2026, 4, 27), date(2026, 5, 3))


@pytest.mark.parametrize("text", ["2026-W54", "2025-W53", "2026-W00", "0000-W01", "9999-W53", "2026-18", "week 18", ""])
def test_a_week_that_is_none_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no week; write 2026-W17, a date such as 2026-04-22, or latest\."):
        parse_week(text)


@pytest.mark.parametrize(
    ("day", "name"),
    [("2026-12-31", "2026-W53"), ("2027-01-03", "2026-W53"), ("2027-01-04", "2027-W01"), ("2024-12-30", "2025-W01")],
)
def test_the_week_at_the_turn_of_the_year_belongs_to_the_year_of_its_thursday(day: str, name: str) -> None:
    assert str(parse_week(day)) == name


@pytest.mark.parametrize(
    ("moment", "zone", "name"),
    [
        (datetime(2026, 5, 3, 23, 59, tzinfo=UTC), ZoneInfo("UTC"), "2026-W18"),
        (datetime(2026, 5, 4, 0, 0, tzinfo=UTC), ZoneInfo("UTC"), "2026-W19"),
        (datetime(2026, 5, 3, 22, 30, tzinfo=UTC), BERLIN, "2026-W19"),
        (datetime(2026, 5, 3, 15, 30, tzinfo=UTC), SEOUL, "2026-W19"),
        (datetime(2026, 5, 4, 9, 30, tzinfo=UTC), HONOLULU, "2026-W18"),
        (datetime(2026, 5, 4, 9, 30, tzinfo=SEOUL), HONOLULU, "2026-W18"),
    ],
)
def test_a_moment_belongs_to_the_week_of_the_series_zone(moment: datetime, zone: ZoneInfo, name: str) -> None:
    assert str(Week.now(moment, zone)) == name


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_a_week_with_a_change_of_clocks_ends_on_its_sunday(day: date) -> None:
    sunday, monday = datetime(day.year, day.month, day.day, 23, 59, tzinfo=BERLIN), Week.of(day)
    assert Week.now(sunday, BERLIN) == monday
    assert Week.now(sunday.astimezone(UTC), BERLIN) == monday


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(st.dates(date(1990, 1, 1), date(2200, 1, 1)))
def test_every_day_is_in_one_week_that_is_found_again_by_its_name(day: date) -> None:
    week = Week.of(day)
    assert week.starts <= day <= week.ends
    assert parse_week(str(week)) == week
    assert week.previous < week
    assert (week.starts - week.previous.ends).days == 1
