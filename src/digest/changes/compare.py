"""Two snapshots of one source -> what changed, each with its reason."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from digest.changes.identity import Match, match_rows
from digest.changes.kinds import Change, Figure, Kind, Reason, SourceChanges
from digest.changes.noise import Basis, apart, basis
from digest.changes.ranking import Standing, leaderboard
from digest.scores.catalog import ModelName, resolve
from digest.scores.snapshot import Benchmark, Offer, Row, Score, Snapshot

IMPLAUSIBLE_PRICE = Decimal(1000)
"""USD per million tokens above which a price is taken for a slip of units: kept, and never told as news."""

_ORDER = list(Kind)

Ranks = Mapping[str, Standing]


def compare(previous: Snapshot | None, current: Snapshot) -> SourceChanges:
    """All differences between two captures of one source, news or not, in a fixed order."""
    after = _board(current)
    if previous is None:
        first = [_arrival(current, after, row, Reason.FIRST_CAPTURE, news=False) for row in current.rows.values()]
        return SourceChanges(current.capture.source, None, current.capture, tuple(sorted(first, key=_order)))
    if current.says_the_same_as(previous):
        return SourceChanges(current.capture.source, previous.capture, current.capture)
    before = _board(previous)
    matches, left, arrived = match_rows(previous, current)
    changes = [
        *(_arrival(current, after, row, Reason.ENTRY, news=True) for row in arrived),
        *(_departure(previous, before, row) for row in left),
        *(_rename(match, current, after) for match in matches if match.before.raw != match.after.raw),
        *_benchmark_changes(previous, current),
        *_score_changes(previous, current, matches),
        *_offer_changes(previous, current, matches),
        *_ranking_changes(previous, current, matches, before, after),
    ]
    return SourceChanges(current.capture.source, previous.capture, current.capture, tuple(sorted(changes, key=_order)))


def _order(change: Change) -> tuple[int, str, str]:
    return _ORDER.index(change.kind), change.benchmark or "", change.key


# Rows


def _board(snapshot: Snapshot) -> Ranks:
    """The standings on the lead benchmark by row key, best first; none for a source that ranks nothing."""
    if snapshot.lead is None:
        return {}
    return {standing.key: standing for standing in leaderboard(snapshot, snapshot.lead)}


def _place(board: Ranks, key: str) -> Figure:
    """A row's place on the lead benchmark, an empty figure where it has none."""
    return _figure(board[key].score, board[key].rank) if key in board else Figure()


def _arrival(current: Snapshot, board: Ranks, row: Row, reason: Reason, *, news: bool) -> Change:
    return Change(
        kind=Kind.MODEL_ADDED,
        reason=reason,
        news=news,
        source=current.capture.source,
        key=row.key,
        name=resolve(row.raw),
        benchmark=current.lead,
        unit=_unit(current),
        after=_place(board, row.key),
    )


def _departure(previous: Snapshot, board: Ranks, row: Row) -> Change:
    return Change(
        kind=Kind.MODEL_REMOVED,
        reason=Reason.WITHDRAWAL,
        news=True,
        source=previous.capture.source,
        key=row.key,
        name=resolve(row.raw),
        benchmark=previous.lead,
        unit=_unit(previous),
        before=_place(board, row.key),
    )


def _rename(match: Match, current: Snapshot, board: Ranks) -> Change:
    return Change(
        kind=Kind.MODEL_RENAMED,
        reason=Reason.RENAME,
        news=False,
        source=current.capture.source,
        key=match.after.key,
        name=resolve(match.after.raw),
        benchmark=current.lead,
        unit=_unit(current),
        before=Figure(name=resolve(match.before.raw)),
        after=_place(board, match.after.key),
    )


def _unit(snapshot: Snapshot) -> str:
    return snapshot.benchmarks[snapshot.lead].unit if snapshot.lead else ""


# Benchmarks


def _benchmark_changes(previous: Snapshot, current: Snapshot) -> Iterator[Change]:
    """One change for a benchmark that came, went, or is made up otherwise than before."""
    source = current.capture.source

    def change(kind: Kind, name: str, rows: int) -> Change:
        return Change(
            kind, Reason.BENCHMARK_CHANGE, True, source, "", ModelName("", "", ""), name, _unit_of(name), rows=rows
        )

    def _unit_of(name: str) -> str:
        return (current.benchmarks.get(name) or previous.benchmarks[name]).unit

    came = {name for name in _measured(current) if name not in previous.benchmarks}
    went = {name for name in _measured(previous) if name not in current.benchmarks}
    for name in sorted(came):
        yield change(Kind.BENCHMARK_ADDED, name, len(current.scores[name]))
    for name in sorted(went):
        yield change(Kind.BENCHMARK_REMOVED, name, len(previous.scores[name]))
    for name, about in sorted(current.benchmarks.items()):
        before = previous.benchmarks.get(name)
        others = {member for member in about.inputs if member not in came}
        if before and about.inputs and others != set(before.inputs) - went:
            yield change(Kind.BENCHMARK_REVISED, name, len(current.scores[name]))


def _measured(snapshot: Snapshot) -> Iterator[str]:
    return (name for name, about in snapshot.benchmarks.items() if not about.inputs)


def _redefined(previous: Snapshot, current: Snapshot) -> set[str]:
    """Aggregates that are not the mean of the same benchmarks as before, directly or through one another."""
    redefined: set[str] = set()
    for name, about in current.benchmarks.items():  # an aggregate stands after what it is made of
        before = previous.benchmarks.get(name)
        if about.inputs and (before is None or before.inputs != about.inputs or redefined.intersection(about.inputs)):
            redefined.add(name)
    return redefined


# Scores


def _score_changes(previous: Snapshot, current: Snapshot, matches: Sequence[Match]) -> Iterator[Change]:
    redefined = _redefined(previous, current)
    for name, about in current.benchmarks.items():
        if name not in previous.benchmarks:
            continue
        before, after = previous.scores[name], current.scores[name]
        for match in matches:
            old, new = before.get(match.before.key), after.get(match.after.key)
            if old == new:
                continue
            verdict = _judge_score(old, new, about, match, redefined=name in redefined)
            if verdict:
                kind, reason, news = verdict
                yield Change(
                    kind,
                    reason,
                    news,
                    current.capture.source,
                    match.after.key,
                    resolve(match.after.raw),
                    name,
                    about.unit,
                    old and _figure(old),
                    new and _figure(new),
                )


def _judge_score(
    old: Score | None, new: Score | None, about: Benchmark, match: Match, *, redefined: bool
) -> tuple[Kind, Reason, bool] | None:
    """Kind, reason and whether it is news; None where the figure itself is the same."""
    money = about.unit.startswith("USD")
    if new is None or (about.zero_is_missing and old is not None and not new.value):
        return (Kind.PRICE_WITHDRAWN if money else Kind.SCORE_WITHDRAWN), Reason.VALUE_WITHDRAWN, False
    if old is None or (about.zero_is_missing and not old.value):
        return (Kind.PRICE_FILLED_IN if money else Kind.SCORE_FILLED_IN), Reason.FILLED_IN, False
    if old.value == new.value:
        return None
    if redefined:
        return Kind.SCORE_CHANGED, Reason.BENCHMARK_CHANGE, False
    if money:
        return Kind.PRICE_CHANGED, Reason.PRICE, True
    published = basis(old, new, about) in (Basis.INTERVAL, Basis.STDERR)
    if not apart(old, new, about):
        return Kind.SCORE_CHANGED, Reason.WITHIN_UNCERTAINTY if published else Reason.BELOW_THRESHOLD, False
    if match.by == "name":
        return Kind.SCORE_CHANGED, Reason.RERUN, True
    return Kind.SCORE_CHANGED, Reason.BEYOND_UNCERTAINTY if published else Reason.BEYOND_THRESHOLD, True


def _figure(score: Score, rank: int | None = None) -> Figure:
    return Figure(score.value, rank, score.low, score.high)


# Offers


def _offer_changes(previous: Snapshot, current: Snapshot, matches: Sequence[Match]) -> Iterator[Change]:
    nothing = Offer()
    for match in matches:
        before = previous.offers.get(match.before.key, nothing)
        after = current.offers.get(match.after.key, nothing)
        if before == after:
            continue
        for measure, unit in OFFER_UNITS.items():
            old, new = getattr(before, measure), getattr(after, measure)
            if old == new:
                continue
            kind, reason, news = _judge_offer(old, new, money=unit != "tokens")
            yield Change(
                kind,
                reason,
                news,
                current.capture.source,
                match.after.key,
                resolve(match.after.raw),
                measure,
                unit,
                Figure(None if old is None else Decimal(old)),
                Figure(None if new is None else Decimal(new)),
            )


OFFER_UNITS = {
    "input": "USD per 1M tokens",
    "output": "USD per 1M tokens",
    "context": "tokens",
    "max_output": "tokens",
}
"""The fields of an offer that are compared, with their units."""


def _judge_offer(old: Decimal | None, new: Decimal | None, *, money: bool) -> tuple[Kind, Reason, bool]:
    if new is None:
        return (Kind.PRICE_WITHDRAWN if money else Kind.CONTEXT_CHANGED), Reason.VALUE_WITHDRAWN, False
    if old is None:
        return (Kind.PRICE_FILLED_IN if money else Kind.CONTEXT_CHANGED), Reason.FILLED_IN, False
    if not money:
        return Kind.CONTEXT_CHANGED, Reason.BEYOND_THRESHOLD, True
    if max(old, new) > IMPLAUSIBLE_PRICE:
        return Kind.PRICE_CHANGED, Reason.IMPLAUSIBLE, False
    return Kind.PRICE_CHANGED, Reason.PRICE, True


# Ranks on the lead benchmark


def _ranking_changes(
    previous: Snapshot, current: Snapshot, matches: Sequence[Match], before: Ranks, after: Ranks
) -> Iterator[Change]:
    lead = current.lead
    if lead is None or lead not in previous.scores:
        return
    about = current.benchmarks[lead]
    redefined = lead in _redefined(previous, current)
    for match in matches:
        old, new = before.get(match.before.key), after.get(match.after.key)
        if old is None or new is None or old.rank == new.rank:
            continue
        reason, news = _judge_rank(old, new, about, redefined=redefined)
        yield _rank_change(Kind.RANK_CHANGED, reason, news, current, new, _figure(old.score, old.rank))
    yield from _leader_change(previous, current, matches, list(before.values()), list(after.values()))


def _judge_rank(old: Standing, new: Standing, about: Benchmark, *, redefined: bool) -> tuple[Reason, bool]:
    published = basis(old.score, new.score, about) in (Basis.INTERVAL, Basis.STDERR)
    if redefined:
        return Reason.BENCHMARK_CHANGE, False
    if old.score.value == new.score.value:
        return Reason.DISPLACED, False
    if not apart(old.score, new.score, about):
        return (Reason.WITHIN_UNCERTAINTY if published else Reason.BELOW_THRESHOLD), False
    return (Reason.BEYOND_UNCERTAINTY if published else Reason.BEYOND_THRESHOLD), old.band != new.band


def _leader_change(
    previous: Snapshot,
    current: Snapshot,
    matches: Sequence[Match],
    before: Sequence[Standing],
    after: Sequence[Standing],
) -> Iterator[Change]:
    """Given whenever another row tops the board; news only where it is ahead beyond uncertainty."""
    if not before or not after or current.lead is None:
        return
    now = {match.before.key: match for match in matches}.get(before[0].key)
    best = [standing for standing in after if standing.rank == 1]
    old = replace(_figure(before[0].score, 1), name=resolve(previous.rows[before[0].key].raw))
    if now and now.after.key in {standing.key for standing in best}:
        if now.before.raw != now.after.raw:
            yield _rank_change(Kind.LEADER_CHANGED, Reason.RENAME, False, current, best[0], old)
        return
    about = current.benchmarks[current.lead]
    rival = next((standing for standing in after if standing.key != best[0].key), None)
    if current.lead in _redefined(previous, current):
        reason, news = Reason.BENCHMARK_CHANGE, False
    elif rival and not apart(best[0].score, rival.score, about):
        reason, news = Reason.TIED, False
    elif now is None and not _better(best[0].score, before[0].score, about):
        reason, news = Reason.WITHDRAWAL, True
    else:
        published = basis(best[0].score, before[0].score, about) in (Basis.INTERVAL, Basis.STDERR)
        reason, news = (Reason.BEYOND_UNCERTAINTY if published else Reason.BEYOND_THRESHOLD), True
    yield _rank_change(Kind.LEADER_CHANGED, reason, news, current, best[0], old)


def _better(one: Score, other: Score, about: Benchmark) -> bool:
    return one.value > other.value if about.higher_is_better else one.value < other.value


def _rank_change(kind: Kind, reason: Reason, news: bool, current: Snapshot, new: Standing, before: Figure) -> Change:
    name = resolve(current.rows[new.key].raw)
    after = _figure(new.score, new.rank)
    return Change(
        kind, reason, news, current.capture.source, new.key, name, current.lead, _unit(current), before, after
    )
