"""The table of standings: what each model scores and costs, now and in the week before, for readers who follow models.

Only what can be said of a model as a whole is in it: its best row on each board's lead and on each aggregate, and the
lowest price that a list knows. Sections tell news; this table is what they were chosen from, by model.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from decimal import Decimal

from digest.changes.kinds import Kind, Reason
from digest.changes.offers import IMPLAUSIBLE_PRICE
from digest.changes.ranking import leaderboard
from digest.changes.week import SourceWeek
from digest.config.source import Source
from digest.edition.facts import Name
from digest.edition.naming import blended_unit, shown_name
from digest.edition.needs import Blend, packaged_needs
from digest.edition.watch_facts import Held, Level, Measure, Standings
from digest.scores.catalog import Catalog, packaged_catalog, resolve
from digest.scores.snapshot import Snapshot

PRICE = "lowest price"
_MOST_TIED = 30

Best = dict[str, tuple[Decimal, str]]
"""By model: its best figure, and the raw name of the row that has it."""


def standings_table(weeks: Sequence[SourceWeek], sources: Mapping[str, Source]) -> Standings:
    """The table of a week, from the sources that are told; a failed or stale one is left out, for nothing is known.

    Scores are in their benchmark's unit, prices in USD per 1M tokens of input and output in the mixture of
    data/needs.toml. Models that are priced and scored nowhere are in it where the catalogue knows them.
    """
    catalog = packaged_catalog()
    measures: list[Measure] = []
    levels: dict[str, list[Level]] = {}
    for week in weeks:
        if not week.told:
            continue
        for measure, now, before in _columns(week, sources[week.state.source].title):
            place = len(measures)
            measures.append(measure)
            for model in now.keys() | before.keys():
                value, raw = now.get(model) or (None, before[model][1])
                was = before[model][0] if model in before else None
                levels.setdefault(model, []).append(Level(place, value, was, raw))
    scores = {place for place, measure in enumerate(measures) if measure.benchmark != PRICE}
    told = sorted(
        model
        for model, held in levels.items()
        if model in catalog.models or any(level.measure in scores for level in held)
    )
    return Standings(
        measures=tuple(measures), models=tuple(_held(model, tuple(levels[model]), catalog) for model in told)
    )


def _held(model: str, levels: tuple[Level, ...], catalog: Catalog) -> Held:
    known = catalog.models.get(model)
    title = resolve(levels[0].raw).title
    return Held(model=model, title=title, organisation=known.organisation if known else None, levels=levels)


def _columns(week: SourceWeek, title: str) -> Iterator[tuple[Measure, Best, Best]]:
    current, previous = week.state.current, week.state.previous
    if current is None:
        return
    for name in _told_benchmarks(current):
        about, was = current.benchmarks[name], previous.benchmarks.get(name) if previous else None
        yield (
            Measure(
                source=week.state.source,
                title=title,
                benchmark=about.title or about.name,
                unit=about.unit,
                higher_is_better=about.higher_is_better,
                comparable=was is not None and was.inputs == about.inputs and name not in _remade(week),
                first=_first(current, name),
                first_before=_first(previous, name) if previous and was else (),
                entered=_first(current, name, but=previous.scores.get(name, {})) if previous and was else (),
            ),
            _best(current, name),
            _best(previous, name) if previous and was else {},
        )
    blend = packaged_needs().blend
    if current.offers:
        yield (
            Measure(
                source=week.state.source,
                title=title,
                benchmark=PRICE,
                unit=blended_unit(blend.input, blend.output),
                higher_is_better=False,
                comparable=previous is not None,
            ),
            _cheapest(current, blend),
            _cheapest(previous, blend) if previous else {},
        )


def _told_benchmarks(snapshot: Snapshot) -> list[str]:
    """The lead, and every aggregate. Money is no score."""
    return [
        name
        for name, about in snapshot.benchmarks.items()
        if (name == snapshot.lead or about.inputs) and about.unit != "USD" and name in snapshot.scores
    ]


def _remade(week: SourceWeek) -> set[str | None]:
    """The benchmarks that are not what they were, or whose scale moved."""
    told = week.changes.changes if week.changes else ()
    kinds, reasons = (Kind.BENCHMARK_REVISED, Kind.SCALE_SHIFTED), (Reason.BENCHMARK_CHANGE, Reason.SCALE_SHIFT)
    return {change.benchmark for change in told if change.kind in kinds or change.reason in reasons}


def _first(snapshot: Snapshot, benchmark: str, but: Container[str] = ()) -> tuple[Name, ...]:
    """The rows that could be first within uncertainty, without those of the keys `but`; none where too many could."""
    top = [standing.key for standing in leaderboard(snapshot, benchmark) if standing.band == 1]
    if len(top) > _MOST_TIED:
        return ()
    return tuple(shown_name(resolve(snapshot.rows[key].raw)) for key in top if key not in but)


def _best(snapshot: Snapshot, benchmark: str) -> Best:
    """The best row of each model; two models that work together are none of the two."""
    best: Best = {}
    for standing in leaderboard(snapshot, benchmark):
        name = resolve(snapshot.rows[standing.key].raw)
        if name.pair is None:
            best.setdefault(name.model, (standing.score.value.normalize(), name.raw))
    return best


def _cheapest(snapshot: Snapshot, blend: Blend) -> Best:
    """The lowest price of each model. A price of nothing is a trial or a machine of one's own, and no price."""
    cheapest: Best = {}
    for key, offer in snapshot.offers.items():
        if not offer.input or not offer.output or max(offer.input, offer.output) > IMPLAUSIBLE_PRICE:
            continue
        price = blend.price(offer.input, offer.output).normalize()
        name = resolve(snapshot.rows[key].raw)
        if name.pair is None:
            cheapest[name.model] = min(cheapest.get(name.model, (price, name.raw)), (price, name.raw))
    return cheapest
