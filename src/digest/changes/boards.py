"""Places on the lead benchmark: who moved, and who tops the board, compared on what both weeks share."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from digest.changes.columns import Column, columns, measure_alike
from digest.changes.identity import Match, Matching
from digest.changes.kinds import Change, Figure, Kind, Memory, Reason
from digest.changes.measuring import score_changes
from digest.changes.noise import apart, is_published
from digest.changes.ranking import Standing, leaderboard
from digest.changes.rows import Ranks, figure_of, unit_of
from digest.changes.scales import SAME
from digest.scores.aggregates import made_of, with_aggregate_scores
from digest.scores.catalog import resolve
from digest.scores.snapshot import Benchmark, Score, Snapshot

_NOISE = (Reason.WITHIN_UNCERTAINTY, Reason.BELOW_THRESHOLD)


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
    scores: Sequence[Change],
    memory: Memory,
) -> Iterator[Change]:
    """Rank changes of rows of both weeks, and another row at the top.

    Whether a row moved was judged with its score: what is no news there is none here. A lead that is made up otherwise
    than before is compared, and its moves judged, on the benchmarks that both weeks share; where it shares none,
    places of the two weeks have nothing to do with one another.
    """
    lead = current.lead
    if lead is None or lead not in previous.scores:
        return
    comparable = previous.lead == lead and measure_alike(previous.benchmarks[lead], current.benchmarks[lead])
    column = next(column for column in found if column.name == lead)
    if column.anew and comparable:
        shared = _on_shared_cells(previous, current, {column.name for column in found if column.anew})
        comparable = shared is not None
        if shared is not None:
            before, after = (board_of(snapshot) for snapshot in shared)
            found = columns(*shared, matching.matches)
            scores = tuple(score_changes(shared[1], found, memory))
            column = next(column for column in found if column.name == lead)
    if column.scale != SAME:
        before = {key: standing._replace(score=column.scale.forth(standing.score)) for key, standing in before.items()}
    judged = {change.key: change for change in scores if change.benchmark == lead}
    for match in matching.matches:
        old, new = before.get(match.before.key), after.get(match.after.key)
        if old is None or new is None or old.rank == new.rank:
            continue
        reason, news = Reason.BENCHMARK_CHANGE, False
        if comparable:
            reason, news = _judge_rank(old, new, judged.get(new.key), column.about)
        yield _change(Kind.RANK_CHANGED, reason, news, current, new, figure_of(old.score, old.rank))
    yield from _leader_change(previous, current, matching.matches, before, after, judged if comparable else None)


def _on_shared_cells(previous: Snapshot, current: Snapshot, anew: Collection[str]) -> tuple[Snapshot, Snapshot] | None:
    """Both snapshots with their overall mean made of the categories and benchmarks that both have, unchanged."""
    lead = current.lead or ""
    shared: dict[str, Benchmark] = {}
    for name in current.benchmarks[lead].inputs:
        if name in previous.benchmarks[lead].inputs and name in previous.benchmarks:
            members = set(previous.benchmarks[name].inputs) - set(anew)
            shared |= {name: kept} if (kept := made_of(current.benchmarks[name], members)) else {}
    if not shared:
        return None
    shared |= {lead: kept} if (kept := made_of(current.benchmarks[lead], shared.keys())) else {}
    return _measured_by(previous, shared), _measured_by(current, shared)


def _measured_by(snapshot: Snapshot, means: Mapping[str, Benchmark]) -> Snapshot:
    benchmarks = {**snapshot.benchmarks, **means}
    return replace(snapshot, benchmarks=benchmarks, scores=with_aggregate_scores(snapshot.scores, benchmarks, means))


def _judge_rank(old: Standing, new: Standing, moved: Change | None, about: Benchmark) -> tuple[Reason, bool]:
    """`moved` is what was judged of the row's own score: a place is news only where that is."""
    if moved is None or old.score.value == new.score.value:
        return Reason.DISPLACED, False
    if not moved.news:
        return moved.reason, False
    rose = new.rank < old.rank
    if rose is not _is_better(new.score, old.score, about):  # it rose and was overtaken all the same, or the other way
        return Reason.DISPLACED, False
    return (moved.reason, True) if old.band != new.band else (Reason.TIED, False)


def _leader_change(
    previous: Snapshot,
    current: Snapshot,
    matches: Sequence[Match],
    before: Ranks,
    after: Ranks,
    judged: Mapping[str, Change] | None,
) -> Iterator[Change]:
    """Given whenever another row tops the board; news only where it is ahead beyond uncertainty.

    `judged` are the judgements of the rows' scores; None where the two weeks cannot be compared.
    """
    if not before or not after:
        return
    held = next(iter(before.values()))
    old = replace(figure_of(held.score, 1), name=resolve(previous.rows[held.key].raw))
    heir = next((match for match in matches if match.before.key == held.key), None)
    best, *others = after.values()
    on_top = {standing.key for standing in after.values() if standing.rank == 1}
    if heir and heir.after.key in on_top:
        if heir.before.raw != heir.after.raw:
            yield _change(Kind.LEADER_CHANGED, Reason.RENAME, False, current, after[heir.after.key], old)
        return
    if judged is None:
        reason, news = Reason.BENCHMARK_CHANGE, False
    else:
        was = next((before.get(match.before.key) for match in matches if match.after.key == best.key), None)
        left = after.get(heir.after.key) if heir else None
        rise = _Move(was, best, judged.get(best.key))
        fall = _Move(held, left, judged.get(heir.after.key) if heir else None)
        tied = any(other.band == 1 for other in others)
        reason, news = _judge_lead(rise, fall, current.benchmarks[current.lead or ""], tied=tied, gone=heir is None)
    yield _change(Kind.LEADER_CHANGED, reason, news, current, best, old)


class _Move(NamedTuple):
    """A row's place in both weeks, and what was judged of its score; None where it has none."""

    was: Standing | None
    now: Standing | None
    judged: Change | None

    @property
    def excuse(self) -> Reason | None:
        """Why the move of its score does not count; None where it counts, or where there was none."""
        stood_still = self.was and self.now and self.was.score.value == self.now.score.value
        if self.judged is None or self.judged.news or stood_still:
            return None
        if self.was is None and self.judged.reason is Reason.FILLED_IN:
            return None  # a row that is ranked for the first time is measured against the others like a new one
        return self.judged.reason

    @property
    def counted(self) -> Score | None:
        """The score that counts: this week's, or the one before where the move does not count or the row is gone."""
        standing = self.was if self.excuse or self.now is None else self.now
        return standing.score if standing else None


def _judge_lead(rise: _Move, fall: _Move, about: Benchmark, *, tied: bool, gone: bool) -> tuple[Reason, bool]:
    """`rise` is the new leader's move, `fall` that of the row that led; `tied` says that others share the top now,
    `gone` that the row that led is.

    A lead is news where it is one without the moves that are none, and where the new leader did not merely stay
    behind at a top that it shared.
    """
    ours, theirs, held = rise.counted, fall.counted, fall.was.score if fall.was else None
    rose = rise.judged is not None and rise.judged.news
    shared = rise.was is not None and rise.was.band == 1 and not rose
    if _is_ahead(ours, theirs, about) and not tied and not shared:
        if rise.judged and rose:
            return rise.judged.reason, True
        if fall.judged and not _is_ahead(ours, held, about):
            return fall.judged.reason, True
        published = ours and theirs and is_published(ours, theirs, about)
        return Reason.BEYOND_UNCERTAINTY if published else Reason.BEYOND_THRESHOLD, True
    causes = [cause for cause in (rise.excuse, fall.excuse, Reason.WITHDRAWAL if gone else None) if cause]
    cause = next((cause for cause in causes if cause not in _NOISE), None)
    if tied and cause in (None, Reason.WITHDRAWAL):
        return Reason.TIED, False
    if cause is None:
        return causes[0] if causes else Reason.TIED, False
    return cause, cause is Reason.WITHDRAWAL and not shared


def _is_ahead(one: Score | None, other: Score | None, about: Benchmark) -> bool:
    """Better beyond uncertainty."""
    return one is not None and other is not None and _is_better(one, other, about) and apart(one, other, about)


def _is_better(one: Score, other: Score, about: Benchmark) -> bool:
    sign = 1 if about.higher_is_better else -1
    return sign * one.value > sign * other.value


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
