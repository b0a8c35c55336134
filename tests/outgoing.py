"""An edition as routing asks of it, and what is mailed of it."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from digest.config.settings import Settings
from digest.delivery.contents import Contents, of_edition
from digest.edition.rendered import Rendered
from digest.subscribers.regimes import packaged_regimes
from digest.subscribers.routing import Outgoing
from tests.builders import an_edition


def some_outgoing(week: str = "2026-W18", **changes: Any) -> Outgoing:
    """An edition with news that may go out at any hour; give any field to change it."""
    facts = {
        "week": week,
        "quiet": False,
        "stirred": frozenset(),
        "closes_at": datetime(2026, 5, 7, 9, 0, tzinfo=UTC),
        "regimes": packaged_regimes(),
        "commercial": False,
        "from_hour": 0,
        "until_hour": 24,
        "zone": ZoneInfo("UTC"),
    }
    return Outgoing(**{**facts, **changes})


def some_contents(rendered: Rendered, settings: Settings, **changes: Any) -> Contents:
    """What `rendered` says to each reader."""
    return of_edition(rendered, [an_edition()], some_outgoing(**changes), settings)
