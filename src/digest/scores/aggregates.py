"""Means over benchmarks: of each category, and of the categories; with what is known of their uncertainty."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from digest.errors import CaptureError
from digest.scores.snapshot import Benchmark, Score
from digest.scores.uncertainty import variance
from digest.scores.weights import Weights

ONE = Decimal(1)


def plain_means(categories: Mapping[str, Iterable[str]], overall: str) -> tuple[Benchmark, ...]:
    """A publisher's own aggregates: `category:<name>` of its benchmarks, then `overall` of the categories, each only
    where it is complete."""
    made = [_plain(f"category:{name}", tuple(members)) for name, members in categories.items() if members]
    return (*made, _plain(overall, tuple(it.name for it in made))) if made else ()


def _plain(name: str, inputs: tuple[str, ...]) -> Benchmark:
    return Benchmark(name, inputs=inputs, weights=(ONE,) * len(inputs), least=Decimal(len(inputs)))


def weighted_means(weights: Weights, published: Iterable[str], overall: str) -> tuple[Benchmark, ...]:
    """Our aggregates over a source's benchmarks, which are known by their published names in any case.

    Raises CaptureError where the source has too few of the benchmarks for any row to be ranked.
    """
    known = {name.casefold(): name for name in published}
    categories = {f"category:{title}": category for title, category in weights.categories.items()}
    means = []
    for name, category in categories.items():
        members = {known[it.casefold()]: w for it, w in category.benchmarks.items() if it.casefold() in known}
        found = _weighted(name, members, sum(category.benchmarks.values()), weights.coverage)
        means += [found] if found else []
    there = {it.name: categories[it.name].weight for it in means}
    every = _weighted(overall, there, sum(it.weight for it in categories.values()), weights.coverage)
    if every is None:
        raise CaptureError(
            f"its benchmarks make up less than {weights.coverage} % of the weights of data/benchmarks.toml, so that no "
            "row can be ranked: declare category maps under `aggregates` in config.toml instead"
        )
    return (*means, every)


def _weighted(name: str, members: Mapping[str, Decimal], of: Decimal | int, coverage: Decimal) -> Benchmark | None:
    """A mean that wants `coverage` per cent of the weight `of` all its members, published or not."""
    counted = {member: weight for member, weight in members.items() if weight}
    least = of * coverage / 100
    if sum(counted.values()) < least:
        return None
    also = tuple(member for member in members if member not in counted)
    return Benchmark(name, inputs=tuple(counted), weights=tuple(counted.values()), least=least, also=also)


def with_aggregate_benchmarks(
    benchmarks: Mapping[str, Benchmark], means: Sequence[Benchmark], margin: Decimal | None
) -> dict[str, Benchmark]:
    """Add each aggregate: its unit, direction and scale are those of its inputs.

    A mean of figures that each stay within their margin stays within the mean of the margins; where not every input
    has one, `margin` is the aggregate's. Raises CaptureError where a published benchmark has an aggregate's name, and
    where inputs differ in unit, direction or in whether they are relative: such figures have no mean.
    """
    every = dict(benchmarks)
    for mean in means:
        name = mean.name
        if name in every or name in mean.inputs:
            raise CaptureError(
                f'"{name}" is the name of a benchmark and of an aggregate: rename one in config.toml, a column by '
                "`benchmark = `, the overall mean by `overall = `, a category by its key"
            )
        made_of = [every[member] for member in mean.inputs]
        for one in made_of[1:]:
            if _measure(one) != _measure(made_of[0]):
                raise CaptureError(
                    f'"{name}" would be a mean of "{made_of[0].name}" ({_told(made_of[0])}) and "{one.name}" '
                    f"({_told(one)}): make categories in config.toml of benchmarks of one unit and direction"
                )
        margins = [
            one.margin * weight for one, weight in zip(made_of, mean.weights, strict=True) if one.margin is not None
        ]
        unit, higher_is_better, relative = _measure(made_of[0])
        every[name] = replace(
            mean,
            unit=unit,
            higher_is_better=higher_is_better,
            margin=sum(margins, Decimal(0)) / sum(mean.weights) if len(margins) == len(made_of) else margin,
            relative=relative,
            self_reported=any(one.self_reported for one in made_of),
        )
    return every


def made_of(mean: Benchmark, members: Collection[str]) -> Benchmark | None:
    """The aggregate made of some of its inputs only, which want the same share of their weight measured."""
    kept = {name: weight for name, weight in zip(mean.inputs, mean.weights, strict=True) if name in members}
    if not kept:
        return None
    weight, of = sum(kept.values(), Decimal(0)), sum(mean.weights, Decimal(0))
    least = min(weight, weight * mean.least / of) if mean.least is not None else None
    return replace(mean, inputs=tuple(kept), weights=tuple(kept.values()), least=least)


def shares(name: str, benchmarks: Mapping[str, Benchmark]) -> dict[str, Fraction]:
    """What each measured benchmark counts in one, however it is cut into categories: 1 in all."""
    about = benchmarks[name]
    if not about.inputs:
        return {name: Fraction(1)}
    of = Fraction(sum(about.weights))
    counted: dict[str, Fraction] = defaultdict(Fraction)
    for member, weight in zip(about.inputs, about.weights, strict=True):
        for measured, share in shares(member, benchmarks).items():
            counted[measured] += share * Fraction(weight) / of
    return dict(counted)


def _measure(about: Benchmark) -> tuple[str, bool, bool]:
    return about.unit, about.higher_is_better, about.relative


def _told(about: Benchmark) -> str:
    return f"{about.unit or 'no unit'}, {'higher' if about.higher_is_better else 'lower'} is better"


def with_aggregate_scores(
    scores: Mapping[str, Mapping[str, Score]], benchmarks: Mapping[str, Benchmark], names: Iterable[str]
) -> dict[str, Mapping[str, Score]]:
    """Add the aggregates of these names, each after what it is made of.

    A row has one where the inputs that were measured weigh enough; a missing score is never zero, it is left out with
    its weight. Where all of them say how uncertain they are, the mean has a standard error; their errors are taken for
    independent.
    """
    every = dict(scores)
    for name in names:
        about = benchmarks[name]
        columns = [
            (weight, benchmarks[member].unit, _known(every[member], benchmarks[member]))
            for member, weight in zip(about.inputs, about.weights, strict=True)
        ]
        every[name] = means = {}
        for key in dict.fromkeys(key for _weight, _unit, column in columns for key in column):
            measured = [(weight, unit, column[key]) for weight, unit, column in columns if key in column]
            if sum(weight for weight, _unit, _score in measured) >= (about.least or 0):
                means[key] = _mean(measured)
    return every


def _known(column: Mapping[str, Score], about: Benchmark) -> Mapping[str, Score]:
    return {key: score for key, score in column.items() if score.value} if about.zero_is_missing else column


def _mean(measured: Sequence[tuple[Decimal, str, Score]]) -> Score:
    of = sum((weight for weight, _unit, _score in measured), Decimal(0))
    mean = Score(sum((weight * score.value for weight, _unit, score in measured), Decimal(0)) / of)
    errors = [(weight, variance(score, unit)) for weight, unit, score in measured]
    squared = [weight * weight * error for weight, error in errors if error is not None]
    return mean._replace(stderr=sum(squared, Decimal(0)).sqrt() / of) if len(squared) == len(measured) else mean
