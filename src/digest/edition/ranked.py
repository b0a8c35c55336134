"""Models in the order of one need, or of several by weight; and which of them the first is better than."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Literal, NamedTuple

from digest.changes.noise import apart
from digest.edition.yardsticks import Standing, Subject, Yardstick
from digest.scores.snapshot import Benchmark, Score
from digest.scores.uncertainty import variance

Method = Literal["figure", "mean", "places"]


class Ranked(NamedTuple):
    """A model with its rows, one for each yardstick, and the score that ranks it."""

    subject: Subject
    standings: tuple[Standing, ...]
    score: Score


@dataclass(frozen=True, slots=True)
class Ranking:
    """Models, the best first. `ahead` tells whether one is better than another beyond uncertainty; `about` describes
    the scores that rank them, and `incomplete` counts the models that lack one of several figures."""

    method: Method
    yardsticks: tuple[Yardstick, ...]
    about: Benchmark
    models: tuple[Ranked, ...]
    ahead: Callable[[Ranked, Ranked], bool]
    incomplete: int = 0


def ranking(weights: Sequence[Decimal], options: Sequence[Sequence[Yardstick]]) -> Ranking:
    """Rank the models by needs of these weights. `options` are the yardsticks of each need, the preferred one first.

    One need: each model by its best row. Several that one source measures in one unit: the weighted mean of a row's
    figures. Else the weighted mean of a model's places (see `_by_places`).
    """
    if len(options) == 1:
        return _by_figure(options[0][0])
    together = _of_one_source(options)
    return _by_mean(weights, together) if together else _by_places(weights, tuple(found[0] for found in options))


def _of_one_source(options: Sequence[Sequence[Yardstick]]) -> tuple[Yardstick, ...]:
    """Benchmarks of one source in one unit and direction, one for each need; of several such sources the preferred."""
    alike = [
        chosen
        for chosen in product(*options)
        if len({(one.capture.source, one.about.unit, one.about.higher_is_better) for one in chosen}) == 1
        and not chosen[0].is_list
    ]

    def preference(chosen: tuple[Yardstick, ...]) -> tuple[bool, int]:
        return chosen[0].stale, sum(found.index(one) for found, one in zip(options, chosen, strict=True))

    return min(alike, key=preference, default=())


def _by_figure(yardstick: Yardstick) -> Ranking:
    models = [Ranked(subject, rows[:1], rows[0].score) for subject, rows in yardstick.rows.items()]
    return _in_order("figure", (yardstick,), yardstick.about, models, 0)


def _by_mean(weights: Sequence[Decimal], yardsticks: tuple[Yardstick, ...]) -> Ranking:
    """Each model by its row of the best mean, of rows that have every figure: one that is missing is never zero.

    A mean of figures that each stay within their margin stays within the weighted mean of the margins. Where every
    figure says how uncertain it is, the mean has a standard error; their errors are taken for independent.
    """
    first = yardsticks[0].about
    margins = [one.about.margin for one in yardsticks]
    about = Benchmark(
        "weighted mean",
        unit=first.unit,
        higher_is_better=first.higher_is_better,
        margin=None if None in margins else weighted(weights, [margin or Decimal(0) for margin in margins]),
    )
    everybody = set[Subject]().union(*(one.rows for one in yardsticks))
    models = [
        min(means, key=lambda one: (yardsticks[0].sign * one.score.value, one.standings[0].key))
        for subject in everybody
        if (means := _means(subject, weights, yardsticks))
    ]
    return _in_order("mean", yardsticks, about, models, len(everybody) - len(models))


def _means(subject: Subject, weights: Sequence[Decimal], yardsticks: tuple[Yardstick, ...]) -> list[Ranked]:
    columns = [{standing.key: standing for standing in one.rows.get(subject, ())} for one in yardsticks]
    complete = set(columns[0]).intersection(*columns[1:])
    rows = [tuple(column[key] for column in columns) for key in complete]
    return [Ranked(subject, row, _mean(weights, row, yardsticks[0].about.unit)) for row in rows]


def _mean(weights: Sequence[Decimal], row: Sequence[Standing], unit: str) -> Score:
    mean = Score(weighted(weights, [standing.score.value for standing in row]))
    variances = [variance(standing.score, unit) for standing in row]
    squared = [weight * weight * part for weight, part in zip(weights, variances, strict=True) if part is not None]
    if len(squared) < len(row):
        return mean
    return mean._replace(stderr=sum(squared, Decimal(0)).sqrt() / sum(weights, Decimal(0)))


def weighted(weights: Sequence[Decimal], values: Sequence[Decimal]) -> Decimal:
    """The weighted mean."""
    total = sum((weight * value for weight, value in zip(weights, values, strict=True)), Decimal(0))
    return total / sum(weights, Decimal(0))


def _in_order(
    method: Method, yardsticks: tuple[Yardstick, ...], about: Benchmark, models: Iterable[Ranked], incomplete: int
) -> Ranking:
    sign = -1 if about.higher_is_better else 1
    ordered = sorted(models, key=lambda one: (sign * one.score.value, one.subject[0], one.subject[1] or ""))
    return Ranking(
        method, yardsticks, about, tuple(ordered), lambda one, other: apart(one.score, other.score, about), incomplete
    )


def _by_places(weights: Sequence[Decimal], yardsticks: tuple[Yardstick, ...]) -> Ranking:
    """Models that every yardstick has, by the weighted mean of their places.

    A place runs from 100, where no model is better beyond uncertainty, to 0, where all others are. So figures of two
    sources are never held against each other, only where a model stands in each. One is ahead of another where its mean
    place is higher and it is better beyond uncertainty by at least one yardstick: places alone prove nothing.
    """
    everybody = [subject for subject in yardsticks[0].rows if all(subject in one.rows for one in yardsticks)]
    places = [_places(one, everybody) for one in yardsticks]
    models = [
        Ranked(
            subject,
            tuple(one.rows[subject][0] for one in yardsticks),
            Score(weighted(weights, [column[subject] for column in places])),
        )
        for subject in everybody
    ]

    def ahead(one: Ranked, other: Ranked) -> bool:
        pairs = zip(yardsticks, one.standings, other.standings, strict=True)
        return one.score.value > other.score.value and any(
            yardstick.better(mine.score, theirs.score) for yardstick, mine, theirs in pairs
        )

    ordered = sorted(models, key=lambda one: (-one.score.value, one.subject[0], one.subject[1] or ""))
    incomplete = len(yardsticks[0].rows) - len(everybody)
    return Ranking("places", yardsticks, Benchmark("places", unit="points"), tuple(ordered), ahead, incomplete)


def _places(yardstick: Yardstick, everybody: Sequence[Subject]) -> Mapping[Subject, Decimal]:
    best = {subject: yardstick.rows[subject][0].score for subject in everybody}
    others = max(len(everybody) - 1, 1)
    return {
        subject: 100 - Decimal(100) * sum(yardstick.better(score, mine) for score in best.values()) / others
        for subject, mine in best.items()
    }
