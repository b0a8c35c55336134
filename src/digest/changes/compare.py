"""Two snapshots of one source -> what changed, each with its reason.

The order of questions: which rows are the same; which benchmarks are the same, on which scale; what each figure that
differs means; and what all that did to the ranking.
"""

from digest.changes.boards import board_changes, board_of
from digest.changes.columns import columns, renamed_columns, under_new_names
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
    matching = match_rows(previous, current, memory)
    renamed = renamed_columns(previous, current, matching.matches)
    previous = under_new_names(previous, renamed)
    found = columns(previous, current, matching.matches)
    scores = tuple(score_changes(current, found, memory))
    before, after = board_of(previous), board_of(current)
    changes = [
        *row_changes(previous, current, matching, before, after, memory),
        *benchmark_changes(previous, current, found, renamed),
        *scores,
        *offer_changes(previous, current, matching, memory),
        *board_changes(previous, current, matching, before, after, found, scores, memory),
    ]
    return SourceChanges(source, previous.capture, capture, _ordered(changes))


def differing_rows(previous: Snapshot, current: Snapshot) -> dict[str, str]:
    """The rows whose past compare() may want to know, {key by which a row went before: its key now}.

    They are those of both weeks that differ in any figure, and those that came: one may have been there before.
    """
    if current.says_the_same_as(previous):
        return {}
    matching = match_rows(previous, current)
    previous = under_new_names(previous, renamed_columns(previous, current, matching.matches))
    found = [cell.match for column in columns(previous, current, matching.matches) for cell in column.cells]
    found += [
        match
        for match in matching.matches
        if previous.offers.get(match.before.key) != current.offers.get(match.after.key)
    ]
    # a key that was another row's in the previous week holds that row's past
    new = {key: key for match in found if (key := match.after.key) not in previous.rows}
    came = {row.key: row.key for row in matching.arrived if row.key not in previous.rows}
    return {match.before.key: match.after.key for match in found} | new | came


def _ordered(changes: list[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda change: (_ORDER[change.kind], change.benchmark or "", change.key)))
