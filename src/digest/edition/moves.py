"""Figures that changed at a source: scores that moved, apart from those that were put right or taken back."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from digest.changes.kinds import Change, Kind, Reason
from digest.changes.kinds import Figure as ChangedFigure
from digest.changes.ranking import leaderboard
from digest.changes.week import SourceWeek
from digest.config.source import Source
from digest.edition.naming import proof_of, shown_benchmark, shown_figure, shown_name
from digest.edition.numbers import full
from digest.edition.section_facts import Correction, Mover, Movers
from digest.edition.stories import Section, Told, changes_of, foremost, id_of, news_of, times_noise, value
from digest.edition.story_facts import Edit, Story
from digest.scores.snapshot import Benchmark, Score, Snapshot

_QUIET = (Reason.WITHIN_UNCERTAINTY, Reason.BELOW_THRESHOLD)
_TAKEN_BACK = (Kind.SCORE_WITHDRAWN, Kind.PRICE_WITHDRAWN)


def movers(week: SourceWeek, source: Source, most: int, edits: Sequence[Edit] = ()) -> Section[Movers] | None:
    """Scores on the lead benchmark that changed beyond uncertainty, those that are worth most first."""
    current = week.state.current
    if current is None or current.lead is None:
        return None
    changed = [change for change in changes_of(week, Kind.SCORE_CHANGED) if change.benchmark == current.lead]
    within_noise = sum(change.reason in _QUIET for change in changed)
    news = [change for change in changed if change.news and change.reason is not Reason.CORRECTION]
    elsewhere = _off_the_lead(week, current)
    if not news and not within_noise and not elsewhere:
        return None
    about = current.benchmarks[current.lead]
    ranks = {standing.key: standing.rank for standing in leaderboard(current, current.lead)}
    moved = {change.key: change.before for change in changes_of(week, Kind.MODEL_ADDED, Kind.RANK_CHANGED)}
    whole = [_mover(week, current, change, moved, ranks) for change in news]
    whole.sort(key=lambda told: (-told.story.value, -_size(told.fact), told.story.about, told.story.id))
    listed, stories = foremost(whole, most, edits)
    shown = Movers(
        source=week.state.source,
        title=source.title,
        benchmark=about.title or about.name,
        unit=about.unit,
        higher_is_better=about.higher_is_better,
        movers=listed,
        folded=len(whole) - len(listed),
        within_noise=within_noise,
        elsewhere=elsewhere,
        current=proof_of(current.capture),
        previous=proof_of(week.state.previous.capture) if week.state.previous else None,
    )
    return Section(shown, stories)


def _mover(
    week: SourceWeek,
    current: Snapshot,
    change: Change,
    moved: Mapping[str, ChangedFigure | None],
    ranks: Mapping[str, int],
) -> Told[Mover]:
    rank = ranks.get(change.key)
    before = moved.get(change.key)
    mover = Mover(
        change=id_of(week, change),
        reason=change.reason.value,
        name=shown_name(change.name),
        before=shown_figure(change.before).model_copy(update={"rank": before.rank if before else rank}),
        after=shown_figure(change.after).model_copy(update={"rank": rank}),
    )
    story = Story(
        id=mover.change,
        kind="mover",
        section="movers",
        source=week.state.source,
        about=full(mover.name),
        value=value("mover", times=_times(current, change), rank=rank),
    )
    return Told(mover, story)


def _times(current: Snapshot, change: Change) -> Decimal:
    """How many times its noise a score moved, by what is known of the new one's uncertainty where the old one's is
    not kept with the change."""
    after = current.scores.get(change.benchmark or "", {}).get(change.key)
    if after is None or change.before is None or change.before.value is None:
        return Decimal(0)
    before = Score(change.before.value, change.before.low, change.before.high, after.stderr, after.n)
    return times_noise(before, after, _about(current, change))


def _size(mover: Mover) -> Decimal:
    before, after = mover.before.value, mover.after.value
    return abs(after - before) if before is not None and after is not None else Decimal(0)


def _off_the_lead(week: SourceWeek, current: Snapshot) -> int:
    """News on measured benchmarks beside the lead; a category's mean follows from them and is not counted again."""
    return sum(
        change.benchmark != current.lead
        and change.reason is not Reason.CORRECTION
        and not _about(current, change).inputs
        for change in news_of(week, Kind.SCORE_CHANGED)
    )


def _about(current: Snapshot, change: Change) -> Benchmark:
    name = change.benchmark or ""
    return current.benchmarks.get(name, Benchmark(name))


def corrections(week: SourceWeek, source: Source, ranks: Mapping[str, int]) -> list[Told[Correction]]:
    """Figures that a board put right, and those of its lead benchmark or of money that it took back."""
    current, previous = week.state.current, week.state.previous
    if source.kind == "offers" or current is None or previous is None:
        return []
    right = [change for change in news_of(week, Kind.SCORE_CHANGED) if change.reason is Reason.CORRECTION]
    back = [
        change
        for change in changes_of(week, *_TAKEN_BACK)
        if change.reason is Reason.VALUE_WITHDRAWN and (change.benchmark == current.lead or change.unit == "USD")
    ]
    return [
        _correction(week, current, previous, source, change, ranks.get(change.name.model))
        for change in (*right, *back)
        if change.before and change.before.value is not None
    ]


def _correction(
    week: SourceWeek, current: Snapshot, previous: Snapshot, source: Source, change: Change, rank: int | None
) -> Told[Correction]:
    taken_back = change.kind in _TAKEN_BACK
    correction = Correction(
        change=id_of(week, change),
        source=week.state.source,
        title=source.title,
        name=shown_name(change.name),
        benchmark=shown_benchmark(week, change),
        unit=change.unit,
        printed=shown_figure(change.before).value or Decimal(0),
        true=None if taken_back else shown_figure(change.after).value,
        current=proof_of(current.capture),
        previous=proof_of(previous.capture),
    )
    story = Story(
        id=correction.change,
        kind="correction",
        section="corrections",
        source=week.state.source,
        about=full(correction.name),
        value=value("correction", times=Decimal(0) if taken_back else _times(current, change), rank=rank),
    )
    return Told(correction, story)
