"""Benchmarks and their figures: which benchmark changed itself, and what each figure that differs means."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from digest.changes.columns import Cell, Column, came_and_went, unshifted
from digest.changes.kinds import Change, Figure, Kind, Memory, Reason
from digest.changes.noise import Basis, apart, basis
from digest.changes.rows import figure_of
from digest.scores.catalog import ModelName, resolve
from digest.scores.snapshot import Benchmark, Score, Snapshot

Verdict = tuple[Kind, Reason, bool]

_NO_MODEL = ModelName("", "", "")


def benchmark_changes(previous: Snapshot, current: Snapshot, found: Sequence[Column]) -> Iterator[Change]:
    """One change for a benchmark that came, went, was made anew, or whose whole scale moved."""
    came, went = came_and_went(previous, current)
    for name in came:
        yield _of_benchmark(Kind.BENCHMARK_ADDED, current.benchmarks[name], current, len(current.scores[name]))
    for name in went:
        yield _of_benchmark(Kind.BENCHMARK_REMOVED, previous.benchmarks[name], current, len(previous.scores[name]))
    explained = {*came, *went}
    for column in found:  # an aggregate that changed only with what came, went or was made anew is not told again
        if column.anew and not _follows(column, previous, explained):
            yield _of_benchmark(Kind.BENCHMARK_REVISED, column.about, current, len(column.changed))
        if column.anew:
            explained.add(column.name)
    moved = [column for column in found if column.shift]
    if moved:
        told = next((column for column in moved if column.name == current.lead), moved[0])
        change = _of_benchmark(Kind.SCALE_SHIFTED, told.about, current, len(moved))
        yield replace(change, reason=Reason.SCALE_SHIFT, after=Figure(told.shift))


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
    for column in found:
        for cell in column.cells:
            verdict = _judge(cell, column, memory, again=cell.match.after.key in rerun)
            if verdict is not None:
                kind, reason, news = verdict
                yield Change(
                    kind=kind,
                    reason=reason,
                    news=news,
                    source=current.capture.source,
                    key=cell.match.after.key,
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


def _judge(cell: Cell, column: Column, memory: Memory, *, again: bool) -> Verdict | None:
    """Kind, reason and whether it is news; None where only the published uncertainty differs."""
    about, old, new = column.about, cell.old, cell.new
    money = about.unit.startswith("USD")
    if new is None or (about.zero_is_missing and old is not None and not new.value):
        return (Kind.PRICE_WITHDRAWN if money else Kind.SCORE_WITHDRAWN), Reason.VALUE_WITHDRAWN, False
    if old is None or (about.zero_is_missing and not old.value):
        return (Kind.PRICE_FILLED_IN if money else Kind.SCORE_FILLED_IN), Reason.FILLED_IN, False
    if old.value == new.value and not column.shift:
        return None
    kind = Kind.PRICE_CHANGED if money else Kind.SCORE_CHANGED
    if column.anew:
        return kind, Reason.BENCHMARK_CHANGE, False
    if memory.had(cell.match.after.key, column.name, new.value):
        return kind, Reason.FLIP_FLOP, False
    if money:
        return kind, Reason.PRICE, True
    return _judge_score(old, new, column, again=again)


def _judge_score(old: Score, new: Score, column: Column, *, again: bool) -> Verdict:
    about = column.about
    on_old_scale = unshifted(new, column.shift) if column.shift else new
    published = basis(old, new, about) in (Basis.INTERVAL, Basis.STDERR)
    if not apart(old, on_old_scale, about):
        if column.shift and apart(old, new, about):
            return Kind.SCORE_CHANGED, Reason.SCALE_SHIFT, False
        return Kind.SCORE_CHANGED, Reason.WITHIN_UNCERTAINTY if published else Reason.BELOW_THRESHOLD, False
    if about.relative or about.inputs:
        return Kind.SCORE_CHANGED, Reason.BEYOND_UNCERTAINTY if published else Reason.BEYOND_THRESHOLD, True
    return Kind.SCORE_CHANGED, Reason.RERUN if again else Reason.CORRECTION, True
