"""What differs in each benchmark's column, found in one pass; and what moved in it as a whole."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from itertools import compress, filterfalse
from operator import ne
from statistics import median, median_low
from typing import NamedTuple

from digest.changes.identity import Match
from digest.changes.noise import apart
from digest.scores.snapshot import Benchmark, Score, Snapshot

FEWEST_ROWS = 5
"""Below so many shared rows nothing can be called common."""


class Cell(NamedTuple):
    """A figure of a row of both weeks that differs; None on a side means that nothing was said there."""

    match: Match
    old: Score | None
    new: Score | None


class Column(NamedTuple):
    """A benchmark of both weeks: `shared` rows have a figure in both, `cells` are those that differ.

    `shift` is by how much a relative scale moved for everybody; `anew` says that the benchmark is another than before.
    """

    name: str
    about: Benchmark
    shared: int
    cells: tuple[Cell, ...]
    shift: Decimal = Decimal(0)
    anew: bool = False

    @property
    def changed(self) -> list[tuple[Score, Score]]:
        return [
            (cell.old, cell.new) for cell in self.cells if cell.old and cell.new and cell.old.value != cell.new.value
        ]


def columns(previous: Snapshot, current: Snapshot, matches: Sequence[Match]) -> tuple[Column, ...]:
    """Every benchmark of both weeks, with what differs in it, what moved as a whole, and whether it was made anew."""
    kept = {match.after.key: match for match in matches if match.before.key == match.after.key}
    moved = [match for match in matches if match.before.key != match.after.key]
    reused = (previous.rows.keys() & current.rows.keys()) - kept.keys()
    found = [
        _column(current.benchmarks[name], previous.scores[name], scores, kept, moved, reused)
        for name, scores in current.scores.items()
        if name in previous.scores
    ]
    found = [_on_moved_scale(column, previous, current, matches) for column in found]
    anew = _made_anew(found, previous)
    return tuple(column._replace(anew=column.name in anew) for column in found)


def _column(
    about: Benchmark,
    before: Mapping[str, Score],
    after: Mapping[str, Score],
    kept: Mapping[str, Match],
    moved: Sequence[Match],
    reused: Collection[str],
) -> Column:
    """`kept` are the matches by the key both sides have, `moved` those of two keys, `reused` keys of unlike rows.

    Rows that kept their key are most, in most weeks all: they are compared without a step of ours for each.
    """
    differing = list(compress(after, map(ne, after.values(), map(before.get, after))))
    shared = (
        len(after) - sum(key not in before for key in differing) - sum(key in before for key in reused if key in after)
    )
    differing += filterfalse(after.__contains__, before)
    cells = [Cell(kept[key], before.get(key), after.get(key)) for key in differing if key in kept]
    for match in moved:
        old, new = before.get(match.before.key), after.get(match.after.key)
        shared += old is not None and new is not None
        if old != new:
            cells.append(Cell(match, old, new))
    return Column(about.name, about, shared, tuple(sorted(cells, key=lambda cell: cell.match.after.key)))


def _on_moved_scale(column: Column, previous: Snapshot, current: Snapshot, matches: Sequence[Match]) -> Column:
    """The column with its shift, where its whole scale moved; then a row that stood still differs as well."""
    shift = _common_shift(column)
    if not shift:
        return column
    before, after = previous.scores[column.name], current.scores[column.name]
    cells = [
        Cell(match, before.get(match.before.key), after.get(match.after.key))
        for match in matches
        if match.before.key in before or match.after.key in after
    ]
    return column._replace(shift=shift, cells=tuple(cells))


def _common_shift(column: Column) -> Decimal:
    """By how much a relative scale was re-anchored: the median difference of the rows of both weeks.

    Zero unless it is beyond the noise floor (further than the figures are known) and two thirds of the rows moved with
    it: where only half of them rise, they rose.
    """
    if not column.about.relative or column.shared < FEWEST_ROWS or not column.changed:
        return Decimal(0)
    changed = [new.value - old.value for old, new in column.changed]
    shift = median_low(changed + [Decimal(0)] * (column.shared - len(changed)))
    known = median(max(half_width(old), half_width(new)) for old, new in column.changed)
    floor = max(known, column.about.margin or Decimal(0))
    together = sum(abs(difference - shift) <= floor for difference in changed)
    return shift if abs(shift) > floor and 3 * together >= 2 * column.shared else Decimal(0)


def half_width(score: Score) -> Decimal:
    """Half of the published 95 % interval, or what a standard error makes of it; zero where nothing is published."""
    if score.low is not None and score.high is not None:
        return (score.high - score.low) / 2
    return score.stderr * Decimal("1.959964") if score.stderr is not None else Decimal(0)


def unshifted(score: Score, by: Decimal) -> Score:
    """A score of this week on the scale of the week before."""
    low, high = (None if bound is None else bound - by for bound in (score.low, score.high))
    return Score(score.value - by, low, high, score.stderr, score.n)


def _made_anew(found: Sequence[Column], previous: Snapshot) -> set[str]:
    """Columns that changed for most rows at once while most others stood still, and the aggregates over them.

    Rows are measured one by one; when a whole column on a fixed scale changes, the benchmark did. Where most columns
    change nothing is said here: whether such a capture is to be believed is plausibility's question.
    """
    fixed = [column for column in found if is_on_a_fixed_scale(column.about)]
    moved = {
        column.name for column in fixed if column.shared >= FEWEST_ROWS and 2 * beyond_noise(column) > column.shared
    }
    anew = moved if 2 * len(moved) < len(fixed) else set()
    for column in found:  # an aggregate stands after what it is made of
        inputs = column.about.inputs
        if inputs and (inputs != previous.benchmarks[column.name].inputs or anew.intersection(inputs)):
            anew.add(column.name)
    return anew


def beyond_noise(column: Column) -> int:
    """How many figures differ by more than their published uncertainty."""
    published = Benchmark(column.name)  # a margin of ours says nothing of what the publisher did
    return sum(apart(old, new, published) for old, new in column.changed)


def is_on_a_fixed_scale(about: Benchmark) -> bool:
    """Whether its figures stand by themselves, are no mean of others and no money."""
    return not (about.inputs or about.relative or about.unit.startswith("USD"))


def came_and_went(previous: Snapshot, current: Snapshot) -> tuple[list[str], list[str]]:
    """Measured benchmarks that are only in this week's capture, and only in last week's."""
    return _only_in(current, previous), _only_in(previous, current)


def _only_in(one: Snapshot, other: Snapshot) -> list[str]:
    return sorted(name for name, about in one.benchmarks.items() if not about.inputs and name not in other.benchmarks)
