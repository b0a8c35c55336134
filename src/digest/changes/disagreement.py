"""What two sources tell differently about one fact, beyond both uncertainties. Sources are never mixed elsewhere."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from typing import NamedTuple

from digest.changes.kinds import Change, Figure, Kind, Reason
from digest.changes.noise import apart
from digest.changes.offers import OFFER_UNITS
from digest.config.sections import Policy
from digest.scores.catalog import ModelName, resolve
from digest.scores.snapshot import Benchmark, Score, Snapshot


class Told(NamedTuple):
    """A fact as one source tells it. Two sources tell one fact when `about` is the same for both."""

    about: tuple[str, ...]
    name: ModelName
    key: str
    score: Score
    benchmark: Benchmark


def disagreements(snapshots: Sequence[Snapshot], told: Collection[str], policy: Policy) -> tuple[Change, ...]:
    """Facts on which two of the sources differ, in a fixed order.

    `told` holds the facts (see `fact_of`) that an earlier edition told: they are known_disagreement and no news.
    """
    found: list[Change] = []
    for one, other in combinations(snapshots, 2):
        facts = {fact.about: fact for fact in _facts(other)}
        for mine in {fact.about: fact for fact in _facts(one)}.values():  # one fact under two ids is told once
            theirs = facts.get(mine.about)
            if theirs is None or not _differ(mine, theirs, policy):
                continue
            change = Change(
                kind=Kind.SOURCES_DISAGREE,
                reason=Reason.DISAGREEMENT,
                news=True,
                source=one.capture.source,
                key=mine.key,
                name=mine.name,
                benchmark=mine.benchmark.name,
                unit=mine.benchmark.unit,
                before=_figure(mine, one),
                after=_figure(theirs, other),
            )
            if fact_of(change) in told:
                change = _known(change)
            found.append(change)
    return tuple(sorted(found, key=lambda change: (change.source, change.benchmark or "", change.key)))


def fact_of(change: Change) -> str:
    """What a disagreement is about, the same in every week: the two sources, the row and the benchmark."""
    other = change.after.source if change.after else ""
    return "\n".join((change.source, other or "", change.key, change.benchmark or ""))


def _known(change: Change) -> Change:
    return replace(change, reason=Reason.KNOWN_DISAGREEMENT, news=False)


def _figure(fact: Told, snapshot: Snapshot) -> Figure:
    score = fact.score
    return Figure(score.value, None, score.low, score.high, fact.name, snapshot.capture.source)


def _facts(snapshot: Snapshot) -> Iterator[Told]:
    """Scores on benchmarks declared by their published name, and offers by their host, or by model without a host."""
    for name, about in snapshot.benchmarks.items():
        if about.shared:
            for key, score in snapshot.scores[name].items():
                model = resolve(snapshot.rows[key].raw)
                about_it = ("score", name, about.unit, *(part or "" for part in model.identity))
                yield Told(about_it, model, key, score, about)
    for key, offer in snapshot.offers.items():
        model = resolve(snapshot.rows[key].raw)
        at_host = key if offer.host is None or key.startswith(f"{offer.host}/") else f"{offer.host}/{key}"
        subject = ("model", model.model) if offer.host is None else ("host", at_host)
        for measure, unit in OFFER_UNITS.items():
            value = getattr(offer, measure)
            if value:  # a zero may mean free or not known: no two sources are held against each other over it
                yield Told(
                    ("offer", measure, *subject),
                    model,
                    key,
                    Score(Decimal(value)),
                    Benchmark(measure, unit=unit, shared=True),
                )


def _differ(mine: Told, theirs: Told, policy: Policy) -> bool:
    if mine.about[0] == "score":
        return apart(mine.score, theirs.score, mine.benchmark) and apart(mine.score, theirs.score, theirs.benchmark)
    percent = policy.disagree_price_percent if mine.benchmark.unit != "tokens" else policy.disagree_context_percent
    larger = max(mine.score.value, theirs.score.value)
    return abs(mine.score.value - theirs.score.value) * 100 > percent * larger
