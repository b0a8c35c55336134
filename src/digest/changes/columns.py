"""What differs in each benchmark's column, found in one pass; and what moved in it as a whole."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import compress, filterfalse
from operator import ne
from typing import NamedTuple

from digest.changes.identity import Match
from digest.changes.noise import apart
from digest.changes.scales import FEWEST_ROWS, SAME, Scale, scale_between
from digest.scores.aggregates import shares
from digest.scores.snapshot import Benchmark, Score, Snapshot


class Cell(NamedTuple):
    """A figure of a row of both weeks that differs; None on a side means that nothing was said there."""

    match: Match
    old: Score | None
    new: Score | None


class Column(NamedTuple):
    """A benchmark of both weeks: `shared` rows have a figure in both, `cells` are those that differ.

    `scale` is how a relative scale moved for everybody; `anew` says that the benchmark is another than before;
    `rounding` is how far a figure may differ that is only written with more or fewer digits than before.
    """

    name: str
    about: Benchmark
    shared: int
    cells: tuple[Cell, ...]
    scale: Scale = SAME
    anew: bool = False
    rounding: Decimal = Decimal(0)

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
    anew = _made_anew(found, previous, current)
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
    in_order = list(before) == list(after)
    figures = before.values() if in_order else map(before.get, after)
    differing = list(compress(after, map(ne, after.values(), figures)))
    in_both = len(after) - sum(key not in before for key in differing)
    if in_both < len(before):
        differing += filterfalse(after.__contains__, before)
    shared = in_both - sum(key in before for key in reused if key in after)
    cells = [Cell(kept[key], before.get(key), after.get(key)) for key in differing if key in kept]
    for match in moved:
        old, new = before.get(match.before.key), after.get(match.after.key)
        shared += old is not None and new is not None
        if old != new:
            cells.append(Cell(match, old, new))
    column = Column(about.name, about, shared, tuple(sorted(cells, key=lambda cell: cell.match.after.key)))
    return column._replace(rounding=_rounding(column.changed))


def _rounding(changed: Sequence[tuple[Score, Score]]) -> Decimal:
    """Half of the last digit of the week that writes fewer; nothing where both write as many, or few rows say so."""
    was, now = (min((_last_digit(pair[week].value) for pair in changed), default=0) for week in (0, 1))
    return Decimal(5).scaleb(max(was, now) - 1) if was != now and len(changed) >= FEWEST_ROWS else Decimal(0)


def _last_digit(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _on_moved_scale(column: Column, previous: Snapshot, current: Snapshot, matches: Sequence[Match]) -> Column:
    """The column with its scale, where that moved; then a row that stood still differs as well."""
    if not column.about.relative or 2 * len(column.changed) < column.shared:
        return column
    before, after = previous.scores[column.name], current.scores[column.name]
    cells = [
        Cell(match, before.get(match.before.key), after.get(match.after.key))
        for match in matches
        if match.before.key in before or match.after.key in after
    ]
    scale = scale_between([(cell.old, cell.new) for cell in cells if cell.old and cell.new], column.about)
    return column if scale == SAME else column._replace(scale=scale, cells=tuple(cells))


def _made_anew(found: Sequence[Column], previous: Snapshot, current: Snapshot) -> set[str]:
    """Columns on a fixed scale that changed for most rows at once, and the aggregates that are made of them, or of
    other benchmarks or by other weights than before.

    Rows are measured one by one: when a whole column changes, the benchmark did. A capture in which most columns do is
    held back by plausibility, and gets here only on a person's word.
    """
    anew = {column.name for column in found if mostly_moved(column)}
    aggregates = [column.name for column in found if column.about.inputs]
    made = {name: shares(name, current.benchmarks) for name in aggregates}
    otherwise = {name for name in aggregates if made[name] != shares(name, previous.benchmarks)}
    return anew | otherwise | {name for name in aggregates if anew & made[name].keys()}


def mostly_moved(column: Column) -> bool:
    """Whether most rows of a benchmark on a fixed scale moved beyond noise."""
    enough = is_on_a_fixed_scale(column.about) and column.shared >= FEWEST_ROWS
    return enough and 2 * len(column.cells) > column.shared and 2 * beyond_noise(column) > column.shared


def beyond_noise(column: Column) -> int:
    """How many figures differ by more than their published uncertainty, or their last digit."""
    published = replace(column.about, margin=None)  # a margin of ours says nothing of what the publisher did
    return sum(
        apart(old, new, published) and abs(old.value - new.value) > column.rounding for old, new in column.changed
    )


def is_on_a_fixed_scale(about: Benchmark) -> bool:
    """Whether its figures stand by themselves, are no mean of others and no money."""
    return not (about.inputs or about.relative or about.unit.startswith("USD"))


def came_and_went(previous: Snapshot, current: Snapshot) -> tuple[list[str], list[str]]:
    """Measured benchmarks that are only in this week's capture, and only in last week's."""
    return _only_in(current, previous), _only_in(previous, current)


def _only_in(one: Snapshot, other: Snapshot) -> list[str]:
    return sorted(name for name, about in one.benchmarks.items() if not about.inputs and name not in other.benchmarks)


class RenamedColumn(NamedTuple):
    """A benchmark that goes by another name: of `rows` rows of both weeks, `same` have the same figure in it."""

    before: str
    after: str
    same: int
    rows: int


def renamed_columns(previous: Snapshot, current: Snapshot, matches: Sequence[Match]) -> tuple[RenamedColumn, ...]:
    """A column that went and one that came with the same figure in nine of ten rows, where no other column has them.

    Five rows must be the same in five figures of their own: a column of zeros is like any other.
    """
    came, went = came_and_went(previous, current)
    if not (came and went):
        return ()
    alike = [
        RenamedColumn(before, after, len(values), rows)
        for (before, after), values in sorted(_equal_figures(previous, current, matches, came, went).items())
        if len(set(values)) >= FEWEST_ROWS
        and measure_alike(previous.benchmarks[before], current.benchmarks[after])
        and 10 * len(values) >= 9 * (rows := _rows_of_either(previous.scores[before], current.scores[after], matches))
    ]
    was, now = Counter(pair.before for pair in alike), Counter(pair.after for pair in alike)
    return tuple(
        pair
        for pair in alike
        if pair.before in went and pair.after in came and was[pair.before] == now[pair.after] == 1
    )


def _equal_figures(
    previous: Snapshot, current: Snapshot, matches: Sequence[Match], came: Collection[str], went: Collection[str]
) -> Mapping[tuple[str, str], list[Decimal]]:
    """By (benchmark before, benchmark after), of which one went or came: the figures that a row has in both."""
    equal: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for match in matches:
        now: dict[Decimal, list[str]] = defaultdict(list)
        for name, score in _measured(current, match.after.key):
            now[score.value].append(name)
        for before, score in _measured(previous, match.before.key):
            for after in now.get(score.value, ()):
                if before in went or after in came:
                    equal[before, after].append(score.value)
    return equal


def _measured(snapshot: Snapshot, key: str) -> Iterator[tuple[str, Score]]:
    for name, scores in snapshot.scores.items():
        if key in scores and not snapshot.benchmarks[name].inputs:
            yield name, scores[key]


def measure_alike(one: Benchmark, other: Benchmark) -> bool:
    """Whether two figures of theirs can be compared at all."""
    return (one.unit, one.higher_is_better, one.relative) == (other.unit, other.higher_is_better, other.relative)


def _rows_of_either(before: Mapping[str, Score], after: Mapping[str, Score], matches: Sequence[Match]) -> int:
    return sum(match.before.key in before or match.after.key in after for match in matches)


def under_new_names(previous: Snapshot, renamed: Sequence[RenamedColumn]) -> Snapshot:
    """Last week's snapshot with its benchmarks by the names they have now."""
    if not renamed:
        return previous
    names = {pair.before: pair.after for pair in renamed}

    def now(name: str) -> str:
        return names.get(name, name)

    return replace(
        previous,
        benchmarks={
            now(name): replace(about, name=now(name), inputs=tuple(map(now, about.inputs)))
            for name, about in previous.benchmarks.items()
        },
        scores={now(name): scores for name, scores in previous.scores.items()},
        lead=previous.lead and now(previous.lead),
    )
