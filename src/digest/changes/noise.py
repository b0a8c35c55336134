"""Is a difference larger than what is not known? Intervals, then standard errors, then a declared margin."""

from decimal import Decimal
from enum import StrEnum

from digest.scores.snapshot import Benchmark, Score

_Z95_SQUARED = Decimal("1.959964") ** 2


class Basis(StrEnum):
    """What a judgement of noise rests on."""

    INTERVAL = "interval"
    STDERR = "stderr"
    MARGIN = "margin"
    NONE = "none"


def basis(one: Score, other: Score, benchmark: Benchmark) -> Basis:
    """The best that is known of both scores."""
    if None not in (one.low, one.high, other.low, other.high):
        return Basis.INTERVAL
    if _variance(one) is not None and _variance(other) is not None:
        return Basis.STDERR
    return Basis.MARGIN if benchmark.margin is not None else Basis.NONE


def apart(one: Score, other: Score, benchmark: Benchmark) -> bool:
    """Whether two scores differ beyond their uncertainty.

    Published 95 % intervals must not touch; standard errors (or the n of a share) are put to a two-sample test at
    95 %; without either the difference must exceed the benchmark's margin, and without that any difference counts.
    """
    if one.low is not None and one.high is not None and other.low is not None and other.high is not None:
        return one.low > other.high or other.low > one.high
    difference = abs(one.value - other.value)
    variance, other_variance = _variance(one), _variance(other)
    if variance is not None and other_variance is not None:
        return difference * difference > _Z95_SQUARED * (variance + other_variance)
    return difference > (benchmark.margin or 0)


def _variance(score: Score) -> Decimal | None:
    """The squared standard error in the score's own unit; of a share in per cent it follows from n."""
    if score.stderr is not None:
        return score.stderr * score.stderr
    if score.n and 0 <= score.value <= 100:
        return score.value * (100 - score.value) / score.n
    return None
