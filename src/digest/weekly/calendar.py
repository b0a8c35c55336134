"""Weeks: ISO 8601 weeks in the series' time zone. Pure: `now` is an argument."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from digest.errors import UsageError

_ISO_WEEK = re.compile(r"(\d{4})-?W(\d{2})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """An ISO week by its Monday. `str()` gives `2026-W18`."""

    starts: date

    @classmethod
    def of(cls, day: date) -> "Week":
        return cls(day - timedelta(days=day.weekday()))

    @classmethod
    def now(cls, now: datetime, zone: ZoneInfo) -> "Week":
        """The week of a moment, in the series' zone."""
        return cls.of(now.astimezone(zone).date())

    @property
    def ends(self) -> date:
        """Its Sunday, which still belongs to it."""
        return self.starts + timedelta(days=6)

    @property
    def previous(self) -> "Week":
        return Week(self.starts - timedelta(days=7))

    def __str__(self) -> str:
        year, number, _day = self.starts.isocalendar()
        return f"{year}-W{number:02}"


def parse_week(text: str) -> Week:
    """`2026-W17`, or any date in it such as `2026-04-22`. Raises UsageError."""
    try:
        if named := _ISO_WEEK.fullmatch(text):
            return Week(date.fromisocalendar(int(named[1]), int(named[2]), 1))
        return Week.of(date.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise UsageError(f'"{text}" is no week; write 2026-W17, a date such as 2026-04-22, or latest.') from error
