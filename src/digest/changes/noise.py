"""Is a difference larger than what is not known? Intervals, then standard errors, then a declared margin."""

from decimal import Decimal
from enum import StrEnum

from digest.scores.snapshot import Benchmark, Score
from digest.scores.uncertainty import Z95, interval, is_uncertain, variance


def written_alike(one: Decimal, other: Decimal) -> bool:
    """Whether two figures are one, written by two programs: they differ in the seventh digit at most."""
    return abs(one - other) * 1_000_000 <= max(abs(one), abs(other))


class Basis(StrEnum):
    """What a judgement of noise rests on."""

    INTERVAL = "interval"
    STDERR = "stderr"
    MARGIN = "margin"
    NONE = "none"


def basis(one: Score, other: Score, benchmark: Benchmark) -> Basis:
    """The best that is known of both scores."""
    if is_uncertain(one) and is_uncertain(other):
        if interval(one) and interval(other):
            return Basis.INTERVAL
        if None not in (variance(one, benchmark.unit), variance(other, benchmark.unit)):
            return Basis.STDERR
    return Basis.MARGIN if benchmark.margin is not None else Basis.NONE


def is_published(one: Score, other: Score, benchmark: Benchmark) -> bool:
    """Whether the publisher says how uncertain both scores are, so that no margin of ours is asked."""
    return basis(one, other, benchmark) in (Basis.INTERVAL, Basis.STDERR)


def apart(one: Score, other: Score, benchmark: Benchmark) -> bool:
    """Whether two scores differ beyond their uncertainty.

    Published 95 % intervals must not touch; standard errors (or the n of a share in per cent, see `variance`) are put
    to a two-sample test at 95 %; without either the difference must exceed the benchmark's margin, and without that
    any difference counts.
    """
    difference = abs(one.value - other.value)
    if is_uncertain(one) and is_uncertain(other):
        mine, theirs = interval(one), interval(other)
        if mine and theirs:
            return mine[0] > theirs[1] or theirs[0] > mine[1]
        squared, other_squared = variance(one, benchmark.unit), variance(other, benchmark.unit)
        if squared is not None and other_squared is not None:
            return difference * difference > Z95 * Z95 * (squared + other_squared)
    return difference > (benchmark.margin or 0)


def needed(one: Score, other: Score, benchmark: Benchmark) -> Decimal:
    """The difference that `apart` asks two scores to exceed, in the benchmark's unit."""
    mine, theirs = interval(one), interval(other)
    if mine and theirs:
        upper, lower = (mine, theirs) if one.value >= other.value else (theirs, mine)
        return (max(one.value, other.value) - upper[0]) + (lower[1] - min(one.value, other.value))
    squared, other_squared = variance(one, benchmark.unit), variance(other, benchmark.unit)
    if squared is not None and other_squared is not None:
        return Z95 * (squared + other_squared).sqrt()
    return benchmark.margin or Decimal(0)
