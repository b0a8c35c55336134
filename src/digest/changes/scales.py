"""How a relative scale moved as a whole between two weeks: up or down, or stretched."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations
from statistics import median
from typing import NamedTuple

from digest.changes.noise import apart
from digest.scores.snapshot import Benchmark, Score
from digest.scores.uncertainty import half_width

FEWEST_ROWS = 5
"""Below so many shared rows nothing can be called common, but what all of them do alike."""

FEWEST_MOVED = 3
"""Any two rows are on one line: so many must have moved before a line says anything."""

MOST_FITTED = 100
"""Rows that a line is fitted to: the slopes between so many are enough for their median."""

Pairs = Sequence[tuple[Score, Score]]


class Scale(NamedTuple):
    """How a figure of the week before reads on this week's scale: times `stretch`, and `shift` more.

    No figure of a stretched scale is known better than to `rounding`, the last digit that is published.
    """

    shift: Decimal = Decimal(0)
    stretch: Decimal = Decimal(1)
    rounding: Decimal = Decimal(0)

    def forth(self, score: Score) -> Score:
        """A score of the week before on this week's scale."""
        return self._written(score, self.stretch, self.shift)

    def back(self, score: Score) -> Score:
        """A score of this week on the scale of the week before."""
        return self._written(score, 1 / self.stretch, -self.shift / self.stretch)

    def _written(self, score: Score, times: Decimal, more: Decimal) -> Score:
        if self == SAME:
            return score
        value, low, high = (
            None if part is None else part * times + more for part in (score.value, score.low, score.high)
        )
        stderr = None if score.stderr is None else score.stderr * times
        return Score(value or Decimal(0), low, high, stderr, score.n)

    def apart(self, old: Score, new: Score, about: Benchmark) -> bool:
        """Whether a row moved beyond uncertainty, its two figures put on one scale."""
        now = self.back(new)
        return apart(old, now, about) and abs(now.value - old.value) > self.rounding


SAME = Scale()


def scale_between(pairs: Pairs, about: Benchmark) -> Scale:
    """The scale's move, from the scores of each row of both weeks; SAME where it did not move beyond the noise.

    Robust on purpose: medians, so that the rows that truly moved do not move the scale.
    """
    if len(pairs) < 2:
        return SAME
    shifted = _shifted(pairs, about)
    return _stretched(pairs, about, shifted) or shifted


def _shifted(pairs: Pairs, about: Benchmark) -> Scale:
    """The median difference, if it is beyond the noise floor (further than the figures are known) and two thirds of
    the rows moved with it: where only half of them rise, they rose. Of fewer than five rows all must."""
    differences = [new.value - old.value for old, new in pairs]
    known = median(max(half_width(old, about.unit), half_width(new, about.unit)) for old, new in pairs)
    floor = max(known, about.margin or Decimal(0))
    shift = median(differences)
    together = sum(abs(difference - shift) <= floor for difference in differences)
    common = 3 * together >= 2 * len(pairs) if len(pairs) >= FEWEST_ROWS else together == len(pairs)
    return Scale(shift) if common and abs(shift) > floor else SAME


def _stretched(pairs: Pairs, about: Benchmark, shifted: Scale) -> Scale | None:
    """A line through the figures of both weeks, if it explains what a shift leaves: a move of most rows, or of rows at
    both ends apart from each other; at least two thirds of them, and the usual row twice as well."""
    moved = [new.value > shifted.forth(old).value for old, new in pairs if shifted.apart(old, new, about)]
    split = any(moved) and not all(moved)
    if len(pairs) < FEWEST_ROWS or len(moved) < FEWEST_MOVED or not (split or 3 * len(moved) >= 2 * len(pairs)):
        return None
    line = _line(pairs)
    if line is None or 2 * _usual_gap(pairs, line) > _usual_gap(pairs, shifted):
        return None
    left = sum(line.apart(old, new, about) for old, new in pairs)
    return line if 3 * left <= len(moved) else None


def _line(pairs: Pairs) -> Scale | None:
    """The median slope between every two rows, and the median of what is left (Theil and Sen's estimator)."""
    ordered = sorted((old.value, new.value) for old, new in pairs)
    some = [ordered[index * len(ordered) // MOST_FITTED] for index in range(MOST_FITTED)]
    points = some if len(ordered) > MOST_FITTED else ordered
    slopes = [(b - a) / (x - w) for (w, a), (x, b) in combinations(points, 2) if x != w]
    if not slopes or (stretch := median(slopes)) <= 0:
        return None
    shift = median(new - stretch * old for old, new in ordered)
    digits = [value.as_tuple().exponent for pair in ordered for value in pair]
    coarsest = max(exponent for exponent in digits if isinstance(exponent, int))
    return Scale(shift, stretch, Decimal(1).scaleb(coarsest))


def _usual_gap(pairs: Pairs, scale: Scale) -> Decimal:
    return median(abs(new.value - scale.forth(old).value) for old, new in pairs)
