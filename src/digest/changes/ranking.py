"""Leaderboards: the order of a benchmark's rows, their ranks, and the bands within which they are tied."""

from bisect import bisect_left, bisect_right
from decimal import Decimal
from typing import NamedTuple

from digest.changes.noise import Basis, apart, basis
from digest.scores.snapshot import Benchmark, Score, Snapshot
from digest.scores.uncertainty import Z95, interval, variance


class Standing(NamedTuple):
    """A row's place. `rank` counts the rows that are better, plus one; `band` only those better beyond uncertainty."""

    key: str
    score: Score
    rank: int
    band: int


def leaderboard(snapshot: Snapshot, benchmark: str) -> tuple[Standing, ...]:
    """The rows of a benchmark, best first; rows of one value in the order of their keys.

    A row without a score is not ranked, nor is a zero where the source means "not known" by it.
    """
    about = snapshot.benchmarks[benchmark]
    sign = -1 if about.higher_is_better else 1
    ordered = sorted(
        (
            (sign * score.value, key, score)
            for key, score in snapshot.scores[benchmark].items()
            if score.value or not about.zero_is_missing
        ),
        key=lambda entry: entry[:2],
    )
    bands = _bands([score for _value, _key, score in ordered], snapshot, benchmark)
    standings: list[Standing] = []
    for place, ((_value, key, score), band) in enumerate(zip(ordered, bands, strict=True), start=1):
        above = standings[-1] if standings else None
        rank = above.rank if above and above.score.value == score.value else place
        standings.append(Standing(key, score, rank, band))
    return tuple(standings)


def _bands(scores: list[Score], snapshot: Snapshot, benchmark: str) -> list[int]:
    """1 + the number of rows that are better beyond uncertainty: the convention of the rating boards."""
    about = snapshot.benchmarks[benchmark]
    sign = -1 if about.higher_is_better else 1
    grounds = {basis(score, score, about) for score in scores}
    if grounds == {Basis.INTERVAL}:  # better beyond uncertainty: its worse bound is past one's better bound
        bounds = [bound for bound in map(interval, scores) if bound is not None]
        worse = sorted(sign * (low if sign < 0 else high) for low, high in bounds)
        better = [sign * (high if sign < 0 else low) for low, high in bounds]
        return [bisect_left(worse, bound) + 1 for bound in better]
    values = [sign * score.value for score in scores]
    if grounds <= {Basis.MARGIN, Basis.NONE}:
        return [bisect_left(values, value - (about.margin or 0)) + 1 for value in values]
    squared = [it for score in scores if (it := variance(score, about.unit)) is not None]
    if Basis.INTERVAL not in grounds and len(squared) == len(scores):
        return _bands_by_error(values, squared)
    reach = _reach(scores, about)
    bands = []
    for index, score in enumerate(scores):
        far = bisect_left(values, values[index] - reach)
        near = (better for better in scores[far:index] if better.value != score.value)
        bands.append(1 + far + sum(apart(score, better, about) for better in near))
    return bands


def _bands_by_error(values: list[Decimal], squared: list[Decimal]) -> list[int]:
    """Of values, best first, and squared standard errors: the two-sample test of `apart`, put only to those rows that
    are neither too near for the smallest of the errors nor far enough for the largest."""
    smallest, largest, square = min(squared), max(squared), Z95 * Z95
    bands = []
    for value, error in zip(values, squared, strict=True):
        far = bisect_left(values, value - Z95 * (error + largest).sqrt())
        near = bisect_right(values, value - Z95 * (error + smallest).sqrt(), lo=far)
        doubtful = zip(values[far:near], squared[far:near], strict=True)
        bands.append(1 + far + sum((value - better) ** 2 > square * (error + other) for better, other in doubtful))
    return bands


def _reach(scores: list[Score], about: Benchmark) -> Decimal:
    """Any two rows further from each other than this are apart, whatever is known of them."""
    known = [bounds for bounds in map(interval, scores) if bounds is not None]
    widest = max((high - low for low, high in known), default=Decimal(0))
    variances = [squared for score in scores if (squared := variance(score, about.unit)) is not None]
    deviation = (2 * max(variances, default=Decimal(0))).sqrt()
    return max(about.margin or Decimal(0), 2 * widest, Z95 * deviation)
