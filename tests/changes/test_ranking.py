from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.snapshots import a_board

from digest.changes.noise import apart
from digest.changes.ranking import leaderboard
from digest.scores.snapshot import Score


def places(figures: dict[str, Any], **about: Any) -> list[tuple[str, int, int]]:
    return [(it.key, it.rank, it.band) for it in leaderboard(a_board(figures, **about), "main")]


def test_rows_of_one_value_share_a_rank_and_the_next_is_counted_on() -> None:
    assert places({"c": 70, "b": 80, "a": 80}) == [("a", 1, 1), ("b", 1, 1), ("c", 3, 3)]


def test_rows_within_the_margin_of_a_better_one_are_in_its_band() -> None:
    figures = {"a": "80.71", "b": "80.28", "c": "79.9", "d": "76.91", "e": "76.0"}
    assert [band for _key, _rank, band in places(figures, margin=Decimal(1))] == [1, 1, 1, 4, 4]


def test_bands_of_intervals_count_the_rows_whose_lower_bound_is_above() -> None:
    figures = {"a": (1440, 1432, 1448), "b": (1418, 1404, 1430), "c": (1410, 1405, 1415)}
    assert [band for _key, _rank, band in places(figures)] == [1, 2, 2]


def test_where_lower_is_better_the_order_turns_round() -> None:
    figures = {"a": "3.3", "b": "1.8", "c": "3.5"}
    assert places(figures, higher_is_better=False, margin=Decimal("0.5")) == [("b", 1, 1), ("a", 2, 2), ("c", 3, 2)]


def test_a_zero_that_means_not_known_is_not_ranked() -> None:
    assert places({"a": 0, "b": 5}, unit="USD", higher_is_better=False, zero_is_missing=True) == [("b", 1, 1)]


SCORES = st.one_of(
    st.builds(lambda v, low, high: (v, v - low, v + high), *[st.decimals(0, 50, places=1)] * 3),
    st.decimals(0, 100, places=1),
    st.builds(lambda v, n: Score(v, n=n), st.decimals(0, 100, places=1), st.integers(10, 1000)),
)


@pytest.mark.parametrize("higher_is_better", [True, False])
@given(st.lists(SCORES, min_size=1, max_size=8))
@settings(max_examples=150, derandomize=True, deadline=None)
def test_a_band_is_one_more_than_the_better_rows_beyond_uncertainty(higher_is_better, scores) -> None:  # type: ignore[no-untyped-def]
    about = {"margin": Decimal(2), "higher_is_better": higher_is_better}
    board = a_board({str(index): score for index, score in enumerate(scores)}, **about)
    benchmark = board.benchmarks["main"]
    for standing in leaderboard(board, "main"):
        sign = 1 if higher_is_better else -1
        better = [
            other
            for other in board.scores["main"].values()
            if sign * other.value > sign * standing.score.value and apart(other, standing.score, benchmark)
        ]
        assert standing.band == 1 + len(better)
