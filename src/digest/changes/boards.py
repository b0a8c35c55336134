"""Places on the lead benchmark: who moved, and who tops the board, compared on what both weeks share."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from digest.changes.columns import Column, unshifted
from digest.changes.identity import Match, Matching
from digest.changes.kinds import Change, Figure, Kind, Reason
from digest.changes.noise import Basis, apart, basis
from digest.changes.ranking import Standing, leaderboard
from digest.changes.rows import Ranks, figure_of, unit_of
from digest.scores.catalog import resolve
from digest.scores.snapshot import Benchmark, Snapshot, with_aggregates


def board_of(snapshot: Snapshot) -> Ranks:
    """The standings on the lead benchmark by row key, best first; none for a source that ranks nothing."""
    if snapshot.lead is None:
        return {}
    return {standing.key: standing for standing in leaderboard(snapshot, snapshot.lead)}


def board_changes(
    previous: Snapshot,
    current: Snapshot,
    matching: Matching,
    before: Ranks,
    after: Ranks,
    found: Sequence[Column],
) -> Iterator[Change]:
    """Rank changes of rows of both weeks, and another row at the top.

    A lead that is made up otherwise than before is compared on the benchmarks that both weeks share; where it shares
    none, places of the two weeks have nothing to do with one another.
    """
    lead = current.lead
    if lead is None or lead not in previous.scores:
        return
    about = current.benchmarks[lead]
    was = previous.benchmarks[lead]
    alike = (was.unit, was.higher_is_better, was.relative) == (about.unit, about.higher_is_better, about.relative)
    comparable = alike and previous.lead == lead
    column = next(column for column in found if column.name == lead)
    if column.anew and comparable:
        shared = _on_shared_cells(previous, current, {column.name for column in found if column.anew})
        comparable = shared is not None
        if shared is not None:
            before, after = (board_of(snapshot) for snapshot in shared)
    if column.shift:
        before = {key: it._replace(score=unshifted(it.score, -column.shift)) for key, it in before.items()}
    for match in matching.matches:
        old, new = before.get(match.before.key), after.get(match.after.key)
        if old is None or new is None or old.rank == new.rank:
            continue
        reason, news = _judge_rank(old, new, about) if comparable else (Reason.BENCHMARK_CHANGE, False)
        yield _change(Kind.RANK_CHANGED, reason, news, current, new, figure_of(old.score, old.rank))
    yield from _leader_change(previous, current, matching.matches, before, after, comparable=comparable)


def _on_shared_cells(previous: Snapshot, current: Snapshot, anew: Collection[str]) -> tuple[Snapshot, Snapshot] | None:
    """Both snapshots with their overall mean made of the categories and benchmarks that both have, unchanged."""
    lead = current.lead or ""
    categories = {
        name.removeprefix("category:"): [
            member
            for member in current.benchmarks[name].inputs
            if member in previous.benchmarks[name].inputs and member not in anew
        ]
        for name in current.benchmarks[lead].inputs
        if name in previous.benchmarks[lead].inputs and name in previous.benchmarks
    }
    categories = {name: members for name, members in categories.items() if members}
    if not categories:
        return None
    return (
        replace(previous, scores=with_aggregates(previous.scores, categories, lead)[0]),
        replace(current, scores=with_aggregates(current.scores, categories, lead)[0]),
    )


def _judge_rank(old: Standing, new: Standing, about: Benchmark) -> tuple[Reason, bool]:
    if old.score.value == new.score.value:
        return Reason.DISPLACED, False
    published = _is_published(old, new, about)
    if not apart(old.score, new.score, about):
        return Reason.WITHIN_UNCERTAINTY if published else Reason.BELOW_THRESHOLD, False
    rose = new.rank < old.rank
    if rose is not _is_better(new, old, about):  # it rose and was overtaken all the same, or the other way round
        return Reason.DISPLACED, False
    return Reason.BEYOND_UNCERTAINTY if published else Reason.BEYOND_THRESHOLD, old.band != new.band


def _is_published(one: Standing, other: Standing, about: Benchmark) -> bool:
    return basis(one.score, other.score, about) in (Basis.INTERVAL, Basis.STDERR)


def _leader_change(
    previous: Snapshot,
    current: Snapshot,
    matches: Sequence[Match],
    before: Ranks,
    after: Ranks,
    *,
    comparable: bool,
) -> Iterator[Change]:
    """Given whenever another row tops the board; news only where it is ahead beyond uncertainty."""
    if not before or not after:
        return
    held = next(iter(before.values()))
    old = replace(figure_of(held.score, 1), name=resolve(previous.rows[held.key].raw))
    now: Mapping[str, Match] = {match.before.key: match for match in matches}
    heir = now.get(held.key)
    best, *others = after.values()
    on_top = {standing.key for standing in after.values() if standing.rank == 1}
    if heir and heir.after.key in on_top:
        if heir.before.raw != heir.after.raw:
            yield _change(Kind.LEADER_CHANGED, Reason.RENAME, False, current, after[heir.after.key], old)
        return
    about = current.benchmarks[current.lead or ""]
    if not comparable:
        reason, news = Reason.BENCHMARK_CHANGE, False
    elif any(other.band == 1 for other in others):
        reason, news = Reason.TIED, False
    elif heir is None and not _is_better(best, held, about):
        reason, news = Reason.WITHDRAWAL, True
    elif heir is not None and heir.after.key not in after:
        reason, news = Reason.VALUE_WITHDRAWN, False
    elif heir is not None and _stood_still(best, held, before, after, matches, about):
        reason, news = Reason.WITHIN_UNCERTAINTY, False
    else:
        published = _is_published(best, held, about)
        reason, news = Reason.BEYOND_UNCERTAINTY if published else Reason.BEYOND_THRESHOLD, True
    yield _change(Kind.LEADER_CHANGED, reason, news, current, best, old)


def _stood_still(
    best: Standing, held: Standing, before: Ranks, after: Ranks, matches: Sequence[Match], about: Benchmark
) -> bool:
    """Whether neither the new leader nor the old one moved beyond uncertainty: they changed places within the noise."""
    pairs = [(before.get(match.before.key), after.get(match.after.key)) for match in matches]
    both = [
        (old, new)
        for old, new in pairs
        if (old and new and best.key == new.key) or (old and new and held.key == old.key)
    ]
    return len(both) == 2 and not any(apart(old.score, new.score, about) for old, new in both)


def _is_better(one: Standing, other: Standing, about: Benchmark) -> bool:
    sign = 1 if about.higher_is_better else -1
    return sign * one.score.value > sign * other.score.value


def _change(kind: Kind, reason: Reason, news: bool, current: Snapshot, new: Standing, before: Figure) -> Change:
    return Change(
        kind=kind,
        reason=reason,
        news=news,
        source=current.capture.source,
        key=new.key,
        name=resolve(current.rows[new.key].raw),
        benchmark=current.lead,
        unit=unit_of(current),
        before=before,
        after=figure_of(new.score, new.rank),
    )
