"""The stories behind the edition as the desk lists them: the chip of each kind, and the two sides of a receipt."""

from collections.abc import Mapping
from typing import NamedTuple

from digest.edition.content import Captured, Receipt
from digest.edition.numbers import score
from digest.edition.story_facts import StoryKind

CHIPS: Mapping[StoryKind, tuple[str, str]] = {
    "lead": ("Leader", "accent"),
    "tie": ("Leader, tied", "accent"),
    "arrival": ("New model", "up"),
    "mover": ("Score changed", "accent"),
    "price_changed": ("Price", "up"),
    "price_withdrawn": ("Price withdrawn", "down"),
    "price_new": ("New price", "up"),
    "price_filled_in": ("Filled in", "neutral"),
    "gone": ("Withdrawn", "down"),
    "disagreement": ("Sources disagree", "warn"),
    "offers_disagree": ("Prices disagree", "warn"),
    "correction": ("Correction", "warn"),
    "benchmark_added": ("New benchmark", "neutral"),
    "benchmark_removed": ("Benchmark gone", "neutral"),
    "benchmark_revised": ("Benchmark changed", "down"),
    "scale_shifted": ("Scale shifted", "down"),
    "renamed": ("Renamed", "neutral"),
}
"""What the chip of a kind of story says, and its tone."""


class Side(NamedTuple):
    """One side of a receipt: the capture's day, the publisher's own name of the row, the value, the fetched bytes."""

    on: str
    raw: str
    value: str
    sha256: str


def sides(receipt: Receipt | None) -> tuple[Side, ...]:
    """The captures that a receipt names, the earlier one first."""
    return tuple(_side(it, receipt.unit) for it in (receipt.previous, receipt.current) if it) if receipt else ()


def _side(captured: Captured, unit: str) -> Side:
    value = score(captured.value, unit, 2) if captured.value is not None else "none"
    return Side(f"{captured.on.day} {captured.on:%b}", captured.raw or "none", value, captured.sha256)
