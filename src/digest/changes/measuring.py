"""Benchmarks and their figures: which benchmark changed itself, and what each figure that differs means."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from statistics import median

from digest.changes.columns import Cell, Column, RenamedColumn, came_and_went
from digest.changes.kinds import Change, Figure, Kind, Memory, Reason
from digest.changes.noise import apart, is_published
from digest.changes.rows import figure_of
from digest.changes.scales import SAME
from digest.scores.catalog import ModelName, resolve
from digest.scores.snapshot import Benchmark, Score, Snapshot

Verdict = tuple[Kind, Reason, bool]

_NO_MODEL = ModelName("", "", "")


def benchmark_changes(
    previous: Snapshot, current: Snapshot, found: Sequence[Column], renamed: Sequence[RenamedColumn]
) -> Iterator[Change]:
    """One change for a benchmark that came, went, got another name, was made anew, or whose whole scale moved."""
    came, went = came_and_went(previous, current)
    for name in came:
        yield _of_benchmark(Kind.BENCHMARK_ADDED, current.benchmarks[name], current, len(current.scores[name]))
    for name in went:
        yield _of_benchmark(Kind.BENCHMARK_REMOVED, previous.benchmarks[name], current, len(previous.scores[name]))
    for pair in renamed:
        change = _of_benchmark(Kind.BENCHMARK_REVISED, current.benchmarks[pair.after], current, pair.rows)
        said = f'called "{pair.before}" before: {pair.same} of {pair.rows} rows have the same figure'
        yield replace(change, reason=Reason.RENAME, news=False, evidence=said)
    explained = {*came, *went}
    for column in found:  # an aggregate that changed only with what came, went or was made anew is not told again
        if column.anew and not _follows(column, previous, explained):
            yield _of_benchmark(Kind.BENCHMARK_REVISED, column.about, current, len(column.changed))
        if column.anew:
            explained.add(column.name)
    yield from _scale_shift(current, [column for column in found if column.scale != SAME])


def _scale_shift(current: Snapshot, moved: Sequence[Column]) -> Iterator[Change]:
    """One change for all scales of a source that moved, told of the lead where that is among them."""
    if not moved:
        return
    told = next((column for column in moved if column.name == current.lead), moved[0])
    change = replace(_of_benchmark(Kind.SCALE_SHIFTED, told.about, current, len(moved)), reason=Reason.SCALE_SHIFT)
    if told.scale.stretch == 1:
        yield replace(change, after=Figure(told.scale.shift))
    else:
        usual = median(new.value - old.value for old, new in told.changed)
        said = f"every difference is {told.scale.stretch:.3f} times what it was; the usual figure moved by {usual:.2f}"
        yield replace(change, after=Figure(usual), evidence=said)


def _of_benchmark(kind: Kind, about: Benchmark, current: Snapshot, rows: int) -> Change:
    return Change(
        kind=kind,
        reason=Reason.BENCHMARK_CHANGE,
        news=True,
        source=current.capture.source,
        key="",
        name=_NO_MODEL,
        benchmark=about.name,
        unit=about.unit,
        rows=rows,
    )


def _follows(column: Column, previous: Snapshot, explained: set[str]) -> bool:
    """Whether an aggregate is another only because of members that came, went or were made anew themselves."""
    inputs, before = set(column.about.inputs), set(previous.benchmarks[column.name].inputs)
    if not inputs:
        return False
    return (inputs ^ before) <= explained and bool((inputs | before) & explained)


def score_changes(current: Snapshot, found: Sequence[Column], memory: Memory) -> Iterator[Change]:
    """Every figure that differs, with its reason."""
    rerun = _measured_again(found)
    news_of: dict[str, set[str]] = {}  # by row, the benchmarks on which it has news
    gaps_of: dict[str, set[str]] = {}  # and those it has only in one of the weeks, or that are means over other ones
    for column in found:  # an aggregate stands after what it is made of
        for cell in column.cells:
            key = cell.match.after.key
            verdict = _judge(cell, column, memory, again=key in rerun, news_of=news_of.get(key, ()))
            if verdict is None:
                continue
            kind, reason, news = verdict
            if not gaps_of.get(key, set()).isdisjoint(column.about.inputs) and reason is not Reason.VALUE_WITHDRAWN:
                reason, news = Reason.FILLED_IN, False
            if news:
                news_of.setdefault(key, set()).add(column.name)
            if reason in (Reason.FILLED_IN, Reason.VALUE_WITHDRAWN):
                gaps_of.setdefault(key, set()).add(column.name)
            yield Change(
                kind=kind,
                reason=reason,
                news=news,
                source=current.capture.source,
                key=key,
                name=resolve(cell.match.after.raw),
                benchmark=column.name,
                unit=column.about.unit,
                before=cell.old and figure_of(cell.old),
                after=cell.new and figure_of(cell.new),
            )


def _measured_again(found: Sequence[Column]) -> set[str]:
    """Rows that have a new run under an old name, or most of whose figures changed at once."""
    changed: dict[str, int] = {}
    still: dict[str, int] = {}
    again = set()
    fixed = [column for column in found if not (column.about.inputs or column.about.relative)]
    for column in fixed:
        for cell in column.cells:
            key = cell.match.after.key
            changed[key] = changed.get(key, 0) + 1
            if cell.match.by != "key":
                again.add(key)
    for key, count in changed.items():
        still[key] = len(fixed) - count
    return again | {key for key, count in changed.items() if count > still[key]}


def _judge(cell: Cell, column: Column, memory: Memory, *, again: bool, news_of: Collection[str]) -> Verdict | None:
    """Kind, reason and whether it is news; None where only the published uncertainty differs."""
    about, old, new = column.about, cell.old, cell.new
    money = about.unit.startswith("USD")
    if new is None or (about.zero_is_missing and old is not None and not new.value):
        return (Kind.PRICE_WITHDRAWN if money else Kind.SCORE_WITHDRAWN), Reason.VALUE_WITHDRAWN, False
    returned = memory.had(cell.match.after.key, column.name, new.value)
    if old is None or (about.zero_is_missing and not old.value):
        reason = Reason.FLIP_FLOP if returned else Reason.FILLED_IN
        return (Kind.PRICE_FILLED_IN if money else Kind.SCORE_FILLED_IN), reason, False
    if old.value == new.value and column.scale == SAME:
        return None
    kind = Kind.PRICE_CHANGED if money else Kind.SCORE_CHANGED
    if column.anew:
        return kind, Reason.BENCHMARK_CHANGE, False
    if returned:
        return kind, Reason.FLIP_FLOP, False
    return kind, *_judge_size(old, new, column, again=again, news_of=news_of)


def _judge_size(
    old: Score, new: Score, column: Column, *, again: bool, news_of: Collection[str]
) -> tuple[Reason, bool]:
    """Noise, the scale's own move, or the row's."""
    about = column.about
    published = is_published(old, new, about)
    if not column.scale.apart(old, new, about):
        if column.scale != SAME and apart(old, new, about):
            return Reason.SCALE_SHIFT, False
        return Reason.WITHIN_UNCERTAINTY if published else Reason.BELOW_THRESHOLD, False
    if about.inputs and about.margin is None and not published and not set(about.inputs).intersection(news_of):
        return Reason.WITHIN_UNCERTAINTY, False  # a mean that only noise in what it is made of has moved
    if about.unit.startswith("USD"):
        return Reason.PRICE, True
    if about.relative or about.inputs:
        return Reason.BEYOND_UNCERTAINTY if published else Reason.BEYOND_THRESHOLD, True
    return Reason.RERUN if again else Reason.CORRECTION, True
