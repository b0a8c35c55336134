"""What a score says of its own uncertainty, in whichever way the source publishes it."""

from decimal import Decimal

from digest.scores.snapshot import Score

Z95 = Decimal("1.959964")
"""So many standard errors on either side of a figure hold 95 % of a normal distribution."""


def is_uncertain(score: Score) -> bool:
    """Whether anything is said of a score's uncertainty; most sources publish the figure alone."""
    return score[1:] != (None, None, None, None)


def interval(score: Score) -> tuple[Decimal, Decimal] | None:
    """The published 95 % interval; where only one side is published, the other is as far away."""
    if score.low is None and score.high is None:
        return None
    low = score.low if score.low is not None else 2 * score.value - (score.high or 0)
    high = score.high if score.high is not None else 2 * score.value - low
    return low, high


def variance(score: Score, unit: str) -> Decimal | None:
    """The squared standard error in the score's own unit; None where nothing is published that says it.

    It is the published standard error's, else the interval's. The n of a share in per cent says it by the adjusted
    Wald ("plus four") method: two successes and two failures are added, so that a share of 0 or 100 % is not taken
    for certain (Agresti and Coull, The American Statistician 52, 1998). An n beside any other unit says nothing.
    """
    if score.stderr is not None:
        return score.stderr * score.stderr
    if (bounds := interval(score)) is not None:
        return ((bounds[1] - bounds[0]) / (2 * Z95)) ** 2
    if score.n and unit == "%" and 0 <= score.value <= 100:
        cases = score.n + 4
        share = (score.value * score.n + 200) / cases
        return share * (100 - share) / cases
    return None


def half_width(score: Score, unit: str) -> Decimal:
    """Half of the 95 % interval, published or made of the standard error; zero where nothing is published."""
    squared = variance(score, unit)
    return Z95 * squared.sqrt() if squared is not None else Decimal(0)
