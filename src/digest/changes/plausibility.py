"""Is a capture believable at all? What is not is kept aside with the evidence until a person accepts it."""

from collections.abc import Iterator
from decimal import Decimal
from statistics import median

from digest.changes.columns import Column, beyond_noise, columns, is_on_a_fixed_scale, mostly_moved
from digest.changes.identity import Matching, match_rows
from digest.changes.offers import OFFER_UNITS
from digest.changes.scales import FEWEST_ROWS, SAME
from digest.scores.snapshot import Snapshot

MOST_GONE = Decimal("0.5")
"""Such a share of the rows cannot have left in a week."""

UNIT_STEP = 20
"""Figures that are all so many times larger or smaller are in another unit."""


def doubts(believed: Snapshot, capture: Snapshot) -> tuple[str, ...]:
    """What speaks against a capture, beside the last one that was believed; nothing where it can be believed.

    Asked are: did half of the rows vanish; did the unit change; did most figures move on a scale that stands still.
    """
    matching = match_rows(believed, capture)
    found = columns(believed, capture, matching.matches)
    return (
        *_vanished(believed, matching),
        *_other_units(found),
        *_other_prices(believed, capture, matching),
        *_moved(found),
    )


def _vanished(believed: Snapshot, matching: Matching) -> Iterator[str]:
    gone, before = len(matching.left), len(believed.rows)
    if before >= FEWEST_ROWS and gone >= MOST_GONE * before:
        yield f"{gone} of {before} rows are gone"


def _other_units(found: tuple[Column, ...]) -> Iterator[str]:
    for column in found:
        if column.scale != SAME:  # a relative scale that was moved as a whole has no unit to lose
            continue
        ratios = [abs(new.value / old.value) for old, new in column.changed if old.value and new.value]
        yield from _unit_doubt(column.name, ratios, column.shared)


def _other_prices(believed: Snapshot, capture: Snapshot, matching: Matching) -> Iterator[str]:
    for name in OFFER_UNITS:
        ratios, shared = [], 0
        for match in matching.matches:
            old = getattr(believed.offers.get(match.before.key), name, None)
            new = getattr(capture.offers.get(match.after.key), name, None)
            if old and new:
                shared += 1
                if old != new:
                    ratios.append(Decimal(new) / Decimal(old))
        yield from _unit_doubt(name, ratios, shared)


def _unit_doubt(name: str, ratios: list[Decimal], shared: int) -> Iterator[str]:
    if shared >= FEWEST_ROWS and 2 * len(ratios) > shared:
        ratio = median(ratios)
        if ratio >= UNIT_STEP or ratio * UNIT_STEP <= 1:
            size = f"{ratio:.0f} times" if ratio > 1 else f"1/{1 / ratio:.0f} of"
            yield f'"{name}" is {size} what it was for {len(ratios)} of {shared} rows: another unit?'


def _moved(found: tuple[Column, ...]) -> Iterator[str]:
    """Most figures of most benchmarks moved, where each row stands by itself."""
    fixed = [column for column in found if is_on_a_fixed_scale(column.about) and column.shared]
    moved = [column for column in fixed if mostly_moved(column)]
    if moved and 2 * len(moved) >= len(fixed):
        figures = sum(map(beyond_noise, moved))
        yield f"{figures} figures of {len(moved)} of {len(fixed)} benchmarks changed at once"
