"""Which row of this week is which row of last week."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from digest.scores.snapshot import Row, Snapshot

Fingerprint = tuple[tuple[str, object], ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A row of both weeks: by its key, by a name that only one row has, or by figures that only one row has."""

    before: Row
    after: Row
    by: Literal["key", "name", "figures"]


def match_rows(previous: Snapshot, current: Snapshot) -> tuple[tuple[Match, ...], tuple[Row, ...], tuple[Row, ...]]:
    """-> (rows of both weeks, rows that left, rows that arrived), each in the order of their keys."""
    matches = [Match(previous.rows[key], row, "key") for key, row in current.rows.items() if key in previous.rows]
    left = {key: row for key, row in previous.rows.items() if key not in current.rows}
    arrived = {key: row for key, row in current.rows.items() if key not in previous.rows}
    by_name = _unique_pairs({k: r.raw for k, r in left.items()}, {k: r.raw for k, r in arrived.items()})
    matches += [Match(left.pop(before), arrived.pop(after), "name") for before, after in by_name]
    by_figures = _unique_pairs(_fingerprints(previous, left), _fingerprints(current, arrived))
    matches += [Match(left.pop(before), arrived.pop(after), "figures") for before, after in by_figures]
    matches.sort(key=lambda match: match.after.key)
    return tuple(matches), tuple(sorted(left.values())), tuple(sorted(arrived.values()))


def _unique_pairs(left: Mapping[str, object], arrived: Mapping[str, object]) -> list[tuple[str, str]]:
    """Keys that left and keys that arrived with the same trait, where nobody else on either side has it."""
    return [
        (before[0], after[0])
        for trait in dict.fromkeys(left.values())
        if len(before := [key for key, value in left.items() if value == trait]) == 1
        and len(after := [key for key, value in arrived.items() if value == trait]) == 1
    ]


def _fingerprints(snapshot: Snapshot, rows: Mapping[str, Row]) -> dict[str, Fingerprint]:
    """All scores of each row that has two or more: one alone can be a coincidence. Money is put right too often."""
    measured = [
        name
        for name, about in sorted(snapshot.benchmarks.items())
        if not (about.inputs or about.unit.startswith("USD"))
    ]
    prints = {
        key: tuple((name, snapshot.scores[name][key].value) for name in measured if key in snapshot.scores[name])
        for key in rows
    }
    return {key: figures for key, figures in prints.items() if len(figures) >= 2}
