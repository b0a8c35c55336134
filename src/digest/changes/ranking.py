"""Leaderboards: the order of a benchmark's rows, their ranks, and the bands within which they are tied."""

from bisect import bisect_left
from typing import NamedTuple

from digest.changes.noise import Basis, apart, basis
from digest.scores.snapshot import Score, Snapshot


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
        worse = sorted(sign * (score.low if sign < 0 else score.high) for score in scores)  # type: ignore[operator]
        better = [sign * (score.high if sign < 0 else score.low) for score in scores]  # type: ignore[operator]
        return [bisect_left(worse, bound) + 1 for bound in better]
    if grounds <= {Basis.MARGIN, Basis.NONE}:
        values = [sign * score.value for score in scores]
        return [bisect_left(values, value - (about.margin or 0)) + 1 for value in values]
    return [
        1 + sum(apart(score, better, about) for better in scores[:index] if better.value != score.value)
        for index, score in enumerate(scores)
    ]
