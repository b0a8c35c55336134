"""What a need is measured by: one source's own benchmark, or one list's prices or context windows, by model."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, NamedTuple

from digest.changes.noise import apart
from digest.changes.offers import MONEY, SAME_SIZE_PERCENT
from digest.changes.ranking import leaderboard
from digest.config.settings import Settings
from digest.edition.entrants import Wanted, row_of, told_price
from digest.edition.needs import Blend, Need, Needs, plain_name
from digest.scores.catalog import ModelName, packaged_catalog, resolve
from digest.scores.snapshot import Benchmark, Capture, Offer, Row, Score, Snapshot

Subject = tuple[str, str | None]
"""A model, whatever its variant: canonical id, and the pair where two models worked together."""

SPEED_UNITS = ("s", "tokens/s")
PRICE = Benchmark("blended price", unit=MONEY, higher_is_better=False)
CONTEXT = Benchmark("context window", unit="tokens")
_SAME_SIZE = 1 - Decimal(SAME_SIZE_PERCENT) / 100


class Asked(NamedTuple):
    """What a list says of a model: USD per 1M tokens, and the context window in tokens. None where it says nothing."""

    key: str
    raw: str
    input: Decimal | None
    output: Decimal | None
    blended: Decimal | None
    context: Decimal | None


class Standing(NamedTuple):
    """A row's figure; `rank` among all rows of a benchmark, None for a price or a size."""

    key: str
    raw: str
    score: Score
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What answers a need. `rows` are the figures of each model's rows, the best row first; `unmeasured` counts models
    of the same source without one. `stale` says that the source told nothing new for long."""

    capture: Capture
    title: str
    about: Benchmark
    rows: Mapping[Subject, tuple[Standing, ...]]
    unmeasured: int = 0
    stale: bool = False

    @property
    def is_list(self) -> bool:
        """Whether it holds prices or sizes out of a list, no benchmark's figures."""
        return self.about in (PRICE, CONTEXT)

    @property
    def is_quantity(self) -> bool:
        """A price, a size or a speed, which says nothing of how good a model is."""
        return self.is_list or self.about.unit in SPEED_UNITS

    @property
    def sign(self) -> int:
        return -1 if self.about.higher_is_better else 1

    def better(self, one: Score, other: Score) -> bool:
        """Whether one is better than the other beyond uncertainty."""
        return self.sign * one.value < self.sign * other.value and apart(one, other, self.about)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The snapshots of a week with all that picks are made of. `stale` names sources that said nothing new for long."""

    snapshots: Mapping[str, Snapshot]
    settings: Settings
    needs: Needs
    stale: Collection[str]
    lists: Mapping[str, Mapping[Subject, Asked]]


def evidence(
    snapshots: Mapping[str, Snapshot], settings: Settings, needs: Needs, stale: Collection[str] = ()
) -> Evidence:
    """Read what every source asks for every model, once for all needs, in the order of config.toml. A price that cannot
    be believed is not told."""
    snapshots = {source: snapshots[source] for source in settings.sources if source in snapshots}
    lists = {source: asked for source, found in snapshots.items() if (asked := _asked(found, needs.blend))}
    return Evidence(snapshots, settings, needs, frozenset(stale), lists)


def subject_of(name: ModelName) -> Subject:
    return name.model, name.pair


def open_weights(subject: Subject) -> bool | None:
    """Whether the weights are known to be open; None where nobody said so, and of two models that worked together."""
    model, pair = subject
    about = packaged_catalog().models.get(model)
    return about.open_weights if about and pair is None else None


def _asked(snapshot: Snapshot, blend: Blend) -> dict[Subject, Asked]:
    """By model what its plainest offer asks (`row_of` says which that is)."""
    by_subject: dict[Subject, dict[str, Row]] = defaultdict(dict)
    for key in snapshot.offers:
        by_subject[subject_of(resolve(snapshot.rows[key].raw))][key] = snapshot.rows[key]
    found = {}
    for subject, rows in by_subject.items():
        model, pair = subject
        wanted = Wanted(model, ModelName(model, model, model, pair=pair))
        key = row_of(wanted, replace(snapshot, rows=rows)) or next(iter(rows))
        asked = _of_offer(rows[key], snapshot, snapshot.offers[key], blend)
        if asked[2:] != (None, None, None, None):
            found[subject] = asked
    return found


def _of_offer(row: Row, snapshot: Snapshot, offer: Offer, blend: Blend) -> Asked:
    asked, answered = (told_price(snapshot, price) for price in (offer.input, offer.output))
    blended = blend.price(asked, answered) if asked is not None and answered is not None else None
    return Asked(row.key, row.raw, asked, answered, blended, snapshot.known(offer.context or None))


# Which yardsticks there are for a need, the preferred one first


def yardsticks(need: Need, evidence: Evidence, among: Collection[Subject] = ()) -> list[Yardstick]:
    """What can answer a need: benchmarks first, else what its `measure` says.

    Of benchmarks: those of sources that are not stale, then the one named earlier, then the one that ranks most rows,
    then the order of config.toml. Of lists the one that knows most of the models `among` which is chosen.
    """
    if found := _by_name(need.benchmarks, evidence):
        return found
    match need.measure:
        case "speed":
            return _in_order((0, one) for one in _speeds(evidence))
        case "price" | "context":
            return of_lists(need.measure, evidence, among)
        case "open_weights":
            return overall(evidence)
        case "benchmark":
            return []


def overall(evidence: Evidence) -> list[Yardstick]:
    """How good models are altogether: what sums up a board, else what ranks one."""
    if found := _by_name(evidence.needs.overall, evidence):
        return found
    leads = [lead_of(source, evidence) for source in evidence.snapshots]
    return _in_order((0, lead) for lead in leads if lead is not None)


def lead_of(source: str, evidence: Evidence) -> Yardstick | None:
    """The benchmark that ranks a source's own board; a price list has none."""
    lead = evidence.snapshots[source].lead
    return _column(source, lead, evidence) if lead is not None else None


def _by_name(names: Iterable[str], evidence: Evidence) -> list[Yardstick]:
    """Of each source the benchmark that is named earliest."""
    places = {plain_name(name): place for place, name in reversed(list(enumerate(names)))}
    found = []
    for source, snapshot in evidence.snapshots.items():
        spelled = [(name, text) for name, about in snapshot.benchmarks.items() for text in (name, about.title)]
        if snapshot.lead is not None:
            spelled.append((snapshot.lead, evidence.settings.sources[source].title))
        matches = [(places[plain], name) for name, text in spelled if (plain := plain_name(text)) in places]
        if matches:
            place, name = min(matches)
            found.append((place, _column(source, name, evidence)))
    return _in_order(found)


def _speeds(evidence: Evidence) -> Iterable[Yardstick]:
    for source, snapshot in evidence.snapshots.items():
        for name, about in snapshot.benchmarks.items():
            if about.unit in SPEED_UNITS:
                yield _column(source, name, evidence)


def _in_order(found: Iterable[tuple[int, Yardstick]]) -> list[Yardstick]:
    """The preferred one first. One model alone is no comparison, so such a column answers nothing."""
    compared = [(place, one) for place, one in found if len(one.rows) > 1]
    compared.sort(key=lambda it: (it[1].stale, it[0], -sum(map(len, it[1].rows.values()))))
    return [one for _place, one in compared]


def _column(source: str, name: str, evidence: Evidence) -> Yardstick:
    snapshot = evidence.snapshots[source]
    rows: dict[Subject, list[Standing]] = defaultdict(list)
    for standing in leaderboard(snapshot, name):
        raw = snapshot.rows[standing.key].raw
        rows[subject_of(resolve(raw))].append(Standing(standing.key, raw, standing.score, standing.rank))
    everybody = {subject_of(resolve(row.raw)) for row in snapshot.rows.values()}
    return Yardstick(
        capture=snapshot.capture,
        title=evidence.settings.sources[source].title,
        about=snapshot.benchmarks[name],
        rows={subject: tuple(standings) for subject, standings in rows.items()},
        unmeasured=len(everybody - rows.keys()),
        stale=source in evidence.stale,
    )


def of_lists(measure: Literal["price", "context"], evidence: Evidence, among: Collection[Subject]) -> list[Yardstick]:
    """The lists that tell a price or a size of two models or more, the one that tells most of the models asked for
    first."""
    found = []
    for source, asked in evidence.lists.items():
        figures = {subject: one.blended if measure == "price" else one.context for subject, one in asked.items()}
        known = {subject: figure for subject, figure in figures.items() if figure is not None}
        if len(known) > 1:
            asked_for = known.keys() & set(among) if among else known
            found.append((len(asked_for), _of_list(source, measure, known, evidence)))
    found.sort(key=lambda it: (it[1].stale, -it[0]))
    return [one for _count, one in found]


def _of_list(source: str, measure: str, known: Mapping[Subject, Decimal], evidence: Evidence) -> Yardstick:
    asked = evidence.lists[source]
    about, score = (PRICE, Score) if measure == "price" else (CONTEXT, size)
    rows = {subject: Standing(asked[subject].key, asked[subject].raw, score(known[subject])) for subject in known}
    return Yardstick(
        capture=evidence.snapshots[source].capture,
        title=evidence.settings.sources[source].title,
        about=about,
        rows={subject: (standing,) for subject, standing in rows.items()},
        stale=source in evidence.stale,
    )


def size(tokens: Decimal) -> Score:
    """A context window; one that is at most 5 % smaller may be the same one, counted in units of 1,024."""
    return Score(tokens, low=tokens * _SAME_SIZE, high=tokens)
