"""A source's own ranking: its top, and the rows that came and went."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise, takewhile
from typing import Literal

from digest.changes.kinds import Change, Kind, Reason
from digest.changes.noise import apart, basis
from digest.changes.ranking import Standing, leaderboard
from digest.changes.week import SourceWeek
from digest.config.source import Source
from digest.edition.facts import Figure, Name, Variant
from digest.edition.naming import proof_of, shown_figure, shown_name
from digest.edition.numbers import full
from digest.edition.receipts import figure_id
from digest.edition.section_facts import Arrival, Arrivals, Board, Gone, Leader, Place
from digest.edition.stories import Section, Told, changes_of, foremost, id_of, news_of, times_noise, value
from digest.edition.story_facts import Edit, Story
from digest.scores.catalog import ModelName, resolve
from digest.scores.snapshot import Benchmark, Snapshot

_MOST_VARIANTS = 5  # of one new model in a line


def best_ranks(weeks: Iterable[SourceWeek]) -> dict[str, int]:
    """The best rank of every model on the boards of the week."""
    best: dict[str, int] = {}
    for week in weeks:
        current = week.state.current
        for standing in leaderboard(current, current.lead) if current and current.lead else ():
            model = resolve(current.rows[standing.key].raw).model if current else ""
            best[model] = min(standing.rank, best.get(model, standing.rank))
    return best


def board(week: SourceWeek, source: Source, most: int) -> Section[Board] | None:
    """The first `most` rows; a story where another row came first."""
    current = week.state.current
    if current is None or current.lead is None or not (standings := leaderboard(current, current.lead)):
        return None
    about = current.benchmarks[current.lead]
    tied = _tied(standings, about)
    leader, held = _leader(week, is_tied=standings[0].key in tied)
    moved = None if leader in ("first_capture", "not_read") or _is_broken_off(week) else _moved(week)
    change = next(iter(changes_of(week, Kind.LEADER_CHANGED)), None)
    shown = Board(
        source=week.state.source,
        title=source.title,
        benchmark=about.title or about.name,
        unit=about.unit,
        higher_is_better=about.higher_is_better,
        uncertainty=basis(standings[0].score, standings[0].score, about).value,
        margin=about.margin,
        leader=leader,
        previous_leader=held and shown_name(held),
        change=id_of(week, change) if change else None,
        places=tuple(_place(current, standing, tied, moved) for standing in standings[:most]),
        ranked=len(standings),
        unranked=len(current.rows) - len(standings),
        steady=None if moved is None else len(list(takewhile(lambda it: it.key not in moved, standings))),
        current=proof_of(current.capture),
        previous=proof_of(week.state.previous.capture) if week.state.previous and leader != "not_read" else None,
    )
    return Section(shown, _leader_story(shown, standings, about))


def _leader_story(board: Board, standings: Sequence[Standing], about: Benchmark) -> tuple[Story, ...]:
    if board.change is None or board.leader not in ("new_leader", "new_but_tied", "new_within_noise"):
        return ()
    leads = board.leader == "new_leader" and not board.places[0].tied
    times = times_noise(standings[0].score, standings[1].score, about) if leads and len(standings) > 1 else Decimal(0)
    story = Story(
        id=board.change,
        kind="lead" if leads else "tie",
        section="boards",
        source=board.source,
        about=full(board.places[0].name),
        value=value("lead" if leads else "tie", times=times, rank=1),
    )
    return (story,)


def _tied(standings: Sequence[Standing], about: Benchmark) -> set[str]:
    """The rows that are not told apart from the next one above or below."""
    alike = (pair for pair in pairwise(standings) if not apart(pair[0].score, pair[1].score, about))
    return {standing.key for pair in alike for standing in pair}


def _leader(week: SourceWeek, *, is_tied: bool) -> tuple[Leader, ModelName | None]:
    """What became of the first place, and who held it before if somebody else did."""
    before, now = week.state.previous, week.state.current
    if before is None:
        return "first_capture", None
    if now is not None and now.capture == before.capture:
        return "not_read", None
    change = next(iter(changes_of(week, Kind.LEADER_CHANGED)), None)
    if _lead_is_anew(week):
        return "not_comparable", None
    if change is None or change.reason is Reason.RENAME:
        return "unchanged", None
    held = change.before.name if change.before else None
    if change.news:
        return "new_leader", held
    return ("new_but_tied" if is_tied else "new_within_noise"), held


def _lead_is_anew(week: SourceWeek) -> bool:
    """Whether the lead benchmark is another than before, so that its figures of two weeks are not comparable."""
    lead = week.state.current.lead if week.state.current else None
    return any(
        change.reason is Reason.BENCHMARK_CHANGE and change.benchmark == lead
        for change in changes_of(week, Kind.SCORE_CHANGED)
    )


def _is_broken_off(week: SourceWeek) -> bool:
    """Whether not even places can be compared: the two weeks share nothing of the lead benchmark."""
    ranking = changes_of(week, Kind.RANK_CHANGED, Kind.LEADER_CHANGED)
    return any(change.reason is Reason.BENCHMARK_CHANGE for change in ranking)


def _moved(week: SourceWeek) -> Mapping[str, Change]:
    """Per row key what happened to its place; a row that is not named kept it."""
    return {change.key: change for change in changes_of(week, Kind.MODEL_ADDED, Kind.RANK_CHANGED)}


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
        score=Figure(
            value=score.value,
            rank=standing.rank,
            low=score.low,
            high=score.high,
            receipt=figure_id(snapshot.capture, standing.key, snapshot.lead or ""),
        ),
        previous=shown_figure(previous) if previous else None,
        movement=movement,
    )


def arrivals(week: SourceWeek, source: Source, most: int, edits: Sequence[Edit] = ()) -> Section[Arrivals] | None:
    """New rows of a board, one entry a model, by its best variant; those of the best rank first."""
    current, news = week.state.current, news_of(week, Kind.MODEL_ADDED)
    if current is None or current.lead is None or not news:
        return None
    about = current.benchmarks[current.lead]
    standings = leaderboard(current, current.lead)
    bands = {standing.key: standing.band for standing in standings}
    tied = _tied(standings, about)
    by_model: dict[str, list[Change]] = defaultdict(list)
    for change in sorted(news, key=lambda change: (_rank(change) is None, _rank(change) or 0, change.key)):
        by_model[change.name.model].append(change)
    whole = [_arrival(week, current, rows, bands, tied) for rows in by_model.values()]
    models, stories = foremost(whole, most, edits)
    shown = Arrivals(
        source=week.state.source,
        title=source.title,
        unit=about.unit,
        counted_as="tasks" if source.aggregates else "columns",
        rows=len(news),
        models=models,
        folded=len(whole) - len(models),
    )
    return Section(shown, stories)


def _arrival(
    week: SourceWeek, current: Snapshot, rows: Sequence[Change], bands: Mapping[str, int], tied: Collection[str]
) -> Told[Arrival]:
    """One new model with its variants, of which the first is the best."""
    best, *others = rows
    measures = [name for name, about in current.benchmarks.items() if not about.inputs and about.unit != "USD"]
    measured = sum(best.key in current.scores[name] for name in measures)
    arrival = Arrival(
        change=id_of(week, best),
        name=shown_name(best.name),
        rank=_rank(best),
        band=bands.get(best.key),
        tied=best.key in tied,
        value=best.after.value if best.after else None,
        measured=measured,
        benchmarks=len(measures),
        also=tuple(
            Variant(
                name=shown_name(other.name),
                rank=_rank(other),
                value=other.after.value if other.after else None,
                receipt=id_of(week, other),
            )
            for other in others[:_MOST_VARIANTS]
        ),
        more=len(others[_MOST_VARIANTS:]),
    )
    share = Decimal(measured) / len(measures) if measures else Decimal(1)
    story = Story(
        id=arrival.change,
        kind="arrival",
        section="arrivals",
        source=week.state.source,
        about=full(arrival.name),
        value=value("arrival", rank=arrival.rank, share=share),
    )
    return Told(arrival, story)


def _rank(change: Change) -> int | None:
    return change.after.rank if change.after else None


def gone(
    week: SourceWeek, source: Source, ranks: Mapping[str, int], most: int, edits: Sequence[Edit] = ()
) -> Section[Gone] | None:
    """Rows that left a source. `ranks` are the best ranks of models on the week's boards."""
    whole = [_left(week, source, change, ranks) for change in news_of(week, Kind.MODEL_REMOVED)]
    if not whole:
        return None
    names, stories = foremost(whole, most, edits)
    shown = Gone(source=week.state.source, title=source.title, names=names, folded=len(whole) - len(names))
    return Section(shown, stories)


def _left(week: SourceWeek, source: Source, change: Change, ranks: Mapping[str, int]) -> Told[Name]:
    name = shown_name(change.name, offer=source.kind == "offers")
    held = change.before.rank if change.before else None
    known = [rank for rank in (held, ranks.get(change.name.model)) if rank is not None]
    story = Story(
        id=id_of(week, change),
        kind="gone",
        section="gone",
        source=week.state.source,
        about=full(name),
        value=value("gone", rank=min(known, default=None)),
    )
    return Told(name, story)
