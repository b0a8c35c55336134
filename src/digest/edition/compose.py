"""WeekChanges -> Edition: which stories, in which order, how many. Facts only; sentences are wording's."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Literal, TypeVar

from digest.changes.disagreement import fact_of
from digest.changes.kinds import Change, Kind, Reason
from digest.changes.kinds import Figure as ChangedFigure
from digest.changes.noise import apart, basis
from digest.changes.offers import OFFER_UNITS
from digest.changes.ranking import Standing, leaderboard
from digest.changes.week import SourceWeek, WeekChanges
from digest.config import Settings, Source
from digest.edition.content import (
    Arrival,
    Arrivals,
    Board,
    Disagreement,
    Edition,
    Figure,
    Gone,
    Health,
    Leader,
    MethodNote,
    Mover,
    Movers,
    Place,
    Renamed,
    Said,
    Variant,
)
from digest.edition.naming import proof_of, shown_name
from digest.edition.prices import price_list
from digest.scores.catalog import ModelName, resolve
from digest.scores.snapshot import Benchmark, Snapshot


def compose(
    changes: WeekChanges, settings: Settings, *, number: int, week: str, starts: date, previous_week: str
) -> Edition:
    """The edition of a week; the same facts give the same edition."""
    most = settings.policy.rows_per_section
    told = [(it, settings.sources[it.state.source]) for it in changes.sources if it.told]
    on_boards = {
        change.name.model for it, source in told if source.kind == "scores" for change in _news(it, Kind.MODEL_ADDED)
    }
    disagreed = _disagreements(changes, settings.sources)
    renamed = [entry for it, source in told for entry in _renamed(it, source)]
    return Edition(
        series=settings.series.title,
        tagline=settings.series.tagline,
        number=number,
        week=week,
        starts=starts,
        previous_week=previous_week,
        boards=_present(_board(it, source, most) for it, source in told),
        arrivals=_present(_arrivals(it, source, most) for it, source in told),
        movers=_present(_movers(it, source, most) for it, source in told),
        prices=_present(price_list(it, source, on_boards, most) for it, source in told),
        gone=_present(_gone(it, source, most) for it, source in told),
        disagreements=disagreed[:most],
        disagreements_folded=len(disagreed[most:]),
        method=tuple(note for it, source in told for note in _method(it, source)),
        renamed=tuple(renamed[:most]),
        renamed_folded=len(renamed[most:]),
        health=tuple(_health(it, settings.sources[it.state.source]) for it in changes.sources),
    )


T = TypeVar("T")


def _present(sections: Iterable[T | None]) -> tuple[T, ...]:
    return tuple(section for section in sections if section is not None)


def _all(week: SourceWeek) -> tuple[Change, ...]:
    return week.changes.changes if week.changes else ()


def _news(week: SourceWeek, *kinds: Kind) -> list[Change]:
    return [change for change in _all(week) if change.news and change.kind in kinds]


def _id(week: SourceWeek, change: Change) -> str:
    return week.changes.id_of(change) if week.changes else ""


def _figure(changed: ChangedFigure | None) -> Figure:
    if changed is None:
        return Figure()
    return Figure(value=changed.value, rank=changed.rank, low=changed.low, high=changed.high)


# Boards


def _board(week: SourceWeek, source: Source, most: int) -> Board | None:
    current = week.state.current
    if current is None or current.lead is None or not (standings := leaderboard(current, current.lead)):
        return None
    about = current.benchmarks[current.lead]
    leader, held = _leader(week)
    tied = _tied(standings, about)
    moved = _moved(week) if week.state.previous and not _is_broken_off(week) else None
    return Board(
        source=week.state.source,
        title=source.title,
        benchmark=about.title or about.name,
        unit=about.unit,
        higher_is_better=about.higher_is_better,
        uncertainty=basis(standings[0].score, standings[0].score, about).value,
        margin=about.margin,
        leader=leader,
        previous_leader=held and shown_name(held),
        change=next((_id(week, change) for change in _all(week) if change.kind is Kind.LEADER_CHANGED), None),
        places=tuple(_place(current, standing, tied, moved) for standing in standings[:most]),
        ranked=len(standings),
        unranked=len(current.rows) - len(standings),
        current=proof_of(current.capture),
        previous=proof_of(week.state.previous.capture) if week.state.previous else None,
    )


def _tied(standings: Sequence[Standing], about: Benchmark) -> set[str]:
    """The rows that are not told apart from the next one above or below."""
    alike = (pair for pair in pairwise(standings) if not apart(pair[0].score, pair[1].score, about))
    return {standing.key for pair in alike for standing in pair}


def _leader(week: SourceWeek) -> tuple[Leader, ModelName | None]:
    """What became of the first place, and who held it before if somebody else did."""
    if week.state.previous is None:
        return "first_capture", None
    change = next((change for change in _all(week) if change.kind is Kind.LEADER_CHANGED), None)
    if _lead_is_anew(week):
        return "not_comparable", None
    if change is None or change.reason is Reason.RENAME:
        return "unchanged", None
    return "new_leader" if change.news else "new_but_tied", change.before.name if change.before else None


def _lead_is_anew(week: SourceWeek) -> bool:
    """Whether the lead benchmark is another than before, so that its figures of two weeks are not comparable."""
    lead = week.state.current.lead if week.state.current else None
    return any(
        change.kind is Kind.SCORE_CHANGED and change.reason is Reason.BENCHMARK_CHANGE and change.benchmark == lead
        for change in _all(week)
    )


def _is_broken_off(week: SourceWeek) -> bool:
    """Whether not even places can be compared: the two weeks share nothing of the lead benchmark."""
    ranking = (Kind.RANK_CHANGED, Kind.LEADER_CHANGED)
    return any(change.kind in ranking and change.reason is Reason.BENCHMARK_CHANGE for change in _all(week))


def _moved(week: SourceWeek) -> Mapping[str, Change]:
    """Per row key what happened to its place; a row that is not named kept it."""
    kinds = (Kind.MODEL_ADDED, Kind.RANK_CHANGED)
    return {change.key: change for change in _all(week) if change.kind in kinds}


def _place(snapshot: Snapshot, standing: Standing, tied: Collection[str], moved: Mapping[str, Change] | None) -> Place:
    score = standing.score
    change = moved.get(standing.key) if moved is not None else None
    previous = change.before if change else None
    movement: Literal["new", "same", "up", "down"] | None = "same" if moved is not None else None
    if change and change.kind is Kind.MODEL_ADDED:
        movement = "new"
    elif previous and previous.rank is not None:
        movement = "up" if standing.rank < previous.rank else "down"
    return Place(
        name=shown_name(resolve(snapshot.rows[standing.key].raw)),
        rank=standing.rank,
        band=standing.band,
        tied=standing.key in tied,
        score=Figure(value=score.value, rank=standing.rank, low=score.low, high=score.high),
        previous=_figure(previous) if previous else None,
        movement=movement,
    )


# Rows that came and went, scores that moved


def _arrivals(week: SourceWeek, source: Source, most: int) -> Arrivals | None:
    """New rows of a board, one entry a model, by its best variant."""
    current, news = week.state.current, _news(week, Kind.MODEL_ADDED)
    if current is None or current.lead is None or not news:
        return None
    measures = [name for name, about in current.benchmarks.items() if not about.inputs and about.unit != "USD"]
    standings = leaderboard(current, current.lead)
    bands = {standing.key: standing.band for standing in standings}
    tied = _tied(standings, current.benchmarks[current.lead])
    by_model: dict[str, list[Change]] = defaultdict(list)
    for change in sorted(news, key=lambda change: (_rank(change) is None, _rank(change) or 0, change.key)):
        by_model[change.name.model].append(change)
    models = [
        Arrival(
            change=_id(week, best),
            name=shown_name(best.name),
            rank=_rank(best),
            band=bands.get(best.key),
            tied=best.key in tied,
            value=best.after.value if best.after else None,
            measured=sum(best.key in current.scores[name] for name in measures),
            benchmarks=len(measures),
            also=tuple(
                Variant(
                    name=shown_name(other.name), rank=_rank(other), value=other.after.value if other.after else None
                )
                for other in others
            ),
        )
        for best, *others in by_model.values()
    ]
    return Arrivals(
        source=week.state.source,
        title=source.title,
        unit=current.benchmarks[current.lead].unit,
        counted_as="tasks" if source.aggregates else "columns",
        rows=len(news),
        models=tuple(models[:most]),
        folded=len(models[most:]),
    )


def _rank(change: Change) -> int | None:
    return change.after.rank if change.after else None


def _movers(week: SourceWeek, source: Source, most: int) -> Movers | None:
    """Scores on the lead benchmark that changed beyond uncertainty, the largest first."""
    current = week.state.current
    if current is None or current.lead is None:
        return None
    changed = [
        change for change in _all(week) if change.kind is Kind.SCORE_CHANGED and change.benchmark == current.lead
    ]
    quiet = (Reason.WITHIN_UNCERTAINTY, Reason.BELOW_THRESHOLD)
    within_noise = sum(change.reason in quiet for change in changed)
    news = sorted((change for change in changed if change.news), key=lambda change: (-_size(change), change.key))
    elsewhere = _off_the_lead(week, current)
    if not news and not within_noise and not elsewhere:
        return None
    about = current.benchmarks[current.lead]
    ranks = {standing.key: standing.rank for standing in leaderboard(current, current.lead)}
    moved = {key: change.before for key, change in _moved(week).items()}
    movers = [
        Mover(
            change=_id(week, change),
            reason=change.reason.value,
            name=shown_name(change.name),
            before=_figure(change.before).model_copy(update={"rank": _rank_before(moved, ranks, change.key)}),
            after=_figure(change.after).model_copy(update={"rank": ranks.get(change.key)}),
        )
        for change in news[:most]
    ]
    return Movers(
        source=week.state.source,
        title=source.title,
        benchmark=about.title or about.name,
        unit=about.unit,
        higher_is_better=about.higher_is_better,
        movers=tuple(movers),
        folded=len(news[most:]),
        within_noise=within_noise,
        elsewhere=elsewhere,
        current=proof_of(current.capture),
        previous=proof_of(week.state.previous.capture) if week.state.previous else None,
    )


def _off_the_lead(week: SourceWeek, current: Snapshot) -> int:
    """News on measured benchmarks beside the lead; a category's mean follows from them and is not counted again."""
    return sum(
        change.benchmark != current.lead and not _about(current, change).inputs
        for change in _news(week, Kind.SCORE_CHANGED)
    )


def _about(current: Snapshot, change: Change) -> Benchmark:
    name = change.benchmark or ""
    return current.benchmarks.get(name, Benchmark(name))


def _size(change: Change) -> Decimal:
    before, after = _figure(change.before).value, _figure(change.after).value
    return abs(after - before) if before is not None and after is not None else Decimal(0)


def _rank_before(moved: Mapping[str, ChangedFigure | None], ranks: Mapping[str, int], key: str) -> int | None:
    before = moved.get(key)
    return before.rank if before else ranks.get(key)


def _gone(week: SourceWeek, source: Source, most: int) -> Gone | None:
    offers = source.kind == "offers"
    names = [shown_name(change.name, offer=offers) for change in _news(week, Kind.MODEL_REMOVED)]
    if not names:
        return None
    return Gone(source=week.state.source, title=source.title, names=tuple(names[:most]), folded=len(names[most:]))


def _method(week: SourceWeek, source: Source) -> list[MethodNote]:
    return [
        MethodNote(
            change=_id(week, change),
            source=week.state.source,
            title=source.title,
            kind=kind,
            benchmark=_shown_benchmark(week, change),
            unit=change.unit,
            rows=change.rows,
            shift=change.after.value if kind == "scale_shifted" and change.after else None,
            models_moved=len(_news(week, Kind.SCORE_CHANGED)),
        )
        for kind in _METHOD
        for change in _news(week, Kind(kind))
    ]


def _shown_benchmark(week: SourceWeek, change: Change) -> str:
    """The title of a benchmark that one of the two weeks has, else its name."""
    name = change.benchmark or ""
    known = [
        state.benchmarks[name]
        for state in (week.state.current, week.state.previous)
        if state and name in state.benchmarks
    ]
    return next((about.title for about in known if about.title), name)


_METHOD: tuple[Literal["benchmark_added", "benchmark_removed", "benchmark_revised", "scale_shifted"], ...] = (
    "benchmark_added",
    "benchmark_removed",
    "benchmark_revised",
    "scale_shifted",
)


def _renamed(week: SourceWeek, source: Source) -> list[Renamed]:
    """Rows whose name says something else than before; another spelling of the same name and variant is left out."""
    return [
        Renamed(
            change=_id(week, change),
            source=week.state.source,
            title=source.title,
            before=shown_name(change.before.name, offer=source.kind == "offers"),
            after=shown_name(change.name, offer=source.kind == "offers"),
            rows=change.rows,
        )
        for change in _all(week)
        if change.kind is Kind.MODEL_RENAMED and change.before and change.before.name
    ]


# All sources


def _disagreements(changes: WeekChanges, sources: Mapping[str, Source]) -> tuple[Disagreement, ...]:
    """Scores before prices, and then the widest gap first: what it is about tells the rest of the order."""
    days = {it.state.source: it.state.current.capture.on for it in changes.sources if it.state.current}

    def said(figure: ChangedFigure, source: str) -> Said:
        return Said(source=source, title=sources[source].title, value=figure.value or Decimal(0), on=days[source])

    told = [
        (change, change.before, change.after)
        for change in changes.disagreements
        if change.news and change.before and change.after
    ]
    return tuple(
        Disagreement(
            change=changes.id_of_disagreement(change),
            fact=fact_of(change),
            name=shown_name(change.name, offer=change.benchmark in OFFER_UNITS),
            measure=change.benchmark or "",
            unit=change.unit,
            said=(said(before, before.source or ""), said(after, after.source or "")),
        )
        for change, before, after in sorted(told, key=lambda it: _disagreement_order(it[0]))
    )


def _disagreement_order(change: Change) -> tuple[bool, Decimal, str, str]:
    before, after = (_figure(figure).value or Decimal(0) for figure in (change.before, change.after))
    gap = abs(before - after) / max(before, after, Decimal(1))
    return change.benchmark in OFFER_UNITS, -gap, change.key, change.benchmark or ""


def _health(week: SourceWeek, source: Source) -> Health:
    state = week.state
    return Health(
        source=state.source,
        title=source.title,
        status=week.status,
        home=source.home,
        licence=source.licence,
        counted=len(state.current.rows) if state.current else 0,
        counted_as="ids" if source.kind == "offers" else "models",
        current=proof_of(state.current.capture) if state.current else None,
        previous=proof_of(state.previous.capture) if state.previous else None,
        changed_on=state.changed_on,
        age_days=week.age_days,
        detail=state.failure or state.doubt or "",
    )
