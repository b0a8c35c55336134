"""Benchmarks and their figures: which benchmark changed itself, and what each figure that differs means."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from statistics import median

from digest.changes.columns import Cell, Column, RenamedColumn, came_and_went, is_on_a_fixed_scale
from digest.changes.kinds import Change, Figure, Kind, Memory, Reason
from digest.changes.noise import apart, is_published, written_alike
from digest.changes.offers import judge_money
from digest.changes.rows import figure_of
from digest.changes.scales import SAME
from digest.scores.catalog import ModelName, resolve
from digest.scores.snapshot import Benchmark, Score, Snapshot

UNIT_STEPS = (100, 1_000, 1_000_000)
"""What a share is multiplied by to be a percentage, and a unit to be a thousandth or a millionth of it."""

Verdict = tuple[Kind, Reason, bool]
Judgements = Mapping[str, tuple[Reason, bool]]

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
    explained = {*came, *went, *_with_them(current, previous, came), *_with_them(previous, current, went)}
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


def _with_them(one: Snapshot, other: Snapshot, measured: Collection[str]) -> set[str]:
    """The aggregates that only one week has, over benchmarks that only that week has."""
    only = {name: about for name, about in one.benchmarks.items() if name not in other.benchmarks}
    return {name for name, about in only.items() if not set(measured).isdisjoint(about.inputs)}


def _follows(column: Column, previous: Snapshot, explained: set[str]) -> bool:
    """Whether an aggregate is another only because of members that came, went or were made anew themselves."""
    now, before = _weights(column.about), _weights(previous.benchmarks[column.name])
    kept = now.keys() & before.keys()
    ratios = {Fraction(now[name]) / Fraction(before[name]) for name in kept}
    followed = (now.keys() ^ before.keys()) <= explained and len(ratios) <= 1
    return followed and not explained.isdisjoint(now.keys() | before.keys())


def _weights(about: Benchmark) -> dict[str, Decimal]:
    return dict(zip(about.inputs, about.weights, strict=True))


def score_changes(current: Snapshot, found: Sequence[Column], memory: Memory) -> Iterator[Change]:
    """Every figure that differs, with its reason."""
    rerun = _measured_again(found)
    judged: dict[str, dict[str, tuple[Reason, bool]]] = {}  # by row and benchmark, of what means are made of
    inputs = {member for column in found for member in column.about.inputs}
    for column in found:  # an aggregate stands after what it is made of
        for cell in column.cells:
            key = cell.match.after.key
            verdict = _judge(cell, column, memory, judged.get(key, {}), again=key in rerun)
            if verdict is None:
                continue
            kind, reason, news = verdict
            if column.name in inputs:
                judged.setdefault(key, {})[column.name] = reason, news
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


def _judge(cell: Cell, column: Column, memory: Memory, judged: Judgements, *, again: bool) -> Verdict | None:
    """Kind, reason and whether it is news; None where only the published uncertainty differs.

    `judged` is what was said of the row's other benchmarks: a mean goes by what it is made of.
    """
    about, old, new = column.about, cell.old, cell.new
    money = about.unit.startswith("USD")
    if new is None or (about.zero_is_missing and old is not None and not new.value):
        return (Kind.PRICE_WITHDRAWN if money else Kind.SCORE_WITHDRAWN), Reason.VALUE_WITHDRAWN, False
    made_of = [judged[name] for name in about.inputs if name in judged]
    cause = _cause_of_inputs(made_of) if made_of else None
    past = () if about.inputs or about.relative else memory.recent.get((cell.match.after.key, column.name), ())
    if past and any(written_alike(value, new.value) for value in past):
        cause = Reason.FLIP_FLOP
    if old is None or (about.zero_is_missing and not old.value):
        reason = Reason.FLIP_FLOP if cause is Reason.FLIP_FLOP else Reason.FILLED_IN
        return (Kind.PRICE_FILLED_IN if money else Kind.SCORE_FILLED_IN), reason, False
    if old.value == new.value and column.scale == SAME:
        return None
    kind = Kind.PRICE_CHANGED if money else Kind.SCORE_CHANGED
    if column.anew and cause is not Reason.FILLED_IN:
        return kind, Reason.BENCHMARK_CHANGE, False
    if cause is not None:
        return kind, cause, False
    inputs_have_news = any(news for _reason, news in made_of)
    reason, news = _judge_size(old, new, column, again=again, inputs_have_news=inputs_have_news)
    if news and any(not apart(_at(new, value), new, about) for value in past):
        return kind, Reason.FLIP_FLOP, False
    return kind, reason, news


def _cause_of_inputs(made_of: Sequence[tuple[Reason, bool]]) -> Reason | None:
    """Why the move of a mean says nothing: it is over other figures than before, or over one that is not believed; or
    what it is made of is back at what it was, and nothing else moved. None where it is to be judged by its size."""
    causes = {reason for reason, _news in made_of}
    if causes & {Reason.FILLED_IN, Reason.VALUE_WITHDRAWN}:
        return Reason.FILLED_IN
    if Reason.IMPLAUSIBLE in causes:
        return Reason.IMPLAUSIBLE
    return Reason.FLIP_FLOP if Reason.FLIP_FLOP in causes and not any(news for _reason, news in made_of) else None


def _at(score: Score, value: Decimal) -> Score:
    """A value of which no more is remembered, as uncertain as a score."""
    low, high = (None if bound is None else bound - score.value + value for bound in (score.low, score.high))
    return Score(value, low, high, score.stderr, score.n)


def _judge_size(old: Score, new: Score, column: Column, *, again: bool, inputs_have_news: bool) -> tuple[Reason, bool]:
    """Noise, the scale's own move, or the row's."""
    about = column.about
    published = is_published(old, new, about)
    if not column.scale.apart(old, new, about):
        if column.scale != SAME and apart(old, new, about):
            return Reason.SCALE_SHIFT, False
        return Reason.WITHIN_UNCERTAINTY if published else Reason.BELOW_THRESHOLD, False
    if about.inputs and about.margin is None and not published and not inputs_have_news:
        return Reason.WITHIN_UNCERTAINTY, False  # a mean that only noise in what it is made of has moved
    if about.unit.startswith("USD"):
        return judge_money(old.value, new.value)
    if column.scale == SAME and (written_alike(old.value, new.value) or abs(old.value - new.value) <= column.rounding):
        return Reason.BELOW_THRESHOLD, False
    if is_on_a_fixed_scale(about) and _slipped(*sorted((abs(old.value), abs(new.value)))):
        return Reason.IMPLAUSIBLE, False
    if about.relative or about.inputs:
        return Reason.BEYOND_UNCERTAINTY if published else Reason.BEYOND_THRESHOLD, True
    return Reason.RERUN if again else Reason.CORRECTION, True


def _slipped(low: Decimal, high: Decimal) -> bool:
    """Whether a figure has the same digits in another unit: 0.612 for 61.2 %, seconds for milliseconds."""
    return 0 < 99 * low < high and any(written_alike(high, low * step) for step in UNIT_STEPS)
