"""Two snapshots of one source -> what changed, each with its reason.

The order of questions: which rows are the same; which benchmarks are the same, on which scale; what each figure that
differs means; and what all that did to the ranking.
"""

from digest.changes.boards import board_changes, board_of
from digest.changes.columns import columns
from digest.changes.identity import match_rows
from digest.changes.kinds import NO_MEMORY, Change, Kind, Memory, SourceChanges
from digest.changes.measuring import benchmark_changes, score_changes
from digest.changes.offers import offer_changes
from digest.changes.rows import first_rows, row_changes
from digest.scores.snapshot import Snapshot

_ORDER = {kind: place for place, kind in enumerate(Kind)}


def compare(previous: Snapshot | None, current: Snapshot, memory: Memory = NO_MEMORY) -> SourceChanges:
    """All differences between two captures of one source, news or not, in a fixed order."""
    source, capture = current.capture.source, current.capture
    if previous is None:
        return SourceChanges(source, None, capture, _ordered(list(first_rows(current, board_of(current)))))
    if current.says_the_same_as(previous):
        return SourceChanges(source, previous.capture, capture)
    before, after = board_of(previous), board_of(current)
    matching = match_rows(previous, current)
    found = columns(previous, current, matching.matches)
    changes = [
        *row_changes(previous, current, matching, before, after),
        *benchmark_changes(previous, current, found),
        *score_changes(current, found, memory),
        *offer_changes(previous, current, matching, memory),
        *board_changes(previous, current, matching, before, after, found),
    ]
    return SourceChanges(source, previous.capture, capture, _ordered(changes))


def differing_rows(previous: Snapshot, current: Snapshot) -> set[str]:
    """The keys of rows of both weeks that differ in any figure: those whose past compare() may want to know."""
    if current.says_the_same_as(previous):
        return set()
    matches = match_rows(previous, current).matches
    found = {cell.match.after.key for column in columns(previous, current, matches) for cell in column.cells}
    return found | {
        match.after.key
        for match in matches
        if previous.offers.get(match.before.key) != current.offers.get(match.after.key)
    }


def _ordered(changes: list[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda change: (_ORDER[change.kind], change.benchmark or "", change.key)))
