"""What is published of an uncertainty, and what it tells apart."""

from decimal import Decimal
from typing import Any

import pytest
from tests.snapshots import a_board

from digest.changes.compare import compare
from digest.changes.kinds import Kind, Reason
from digest.changes.noise import Basis, apart, basis
from digest.changes.ranking import leaderboard
from digest.scores.snapshot import Benchmark, Score
from digest.scores.uncertainty import interval

SHARE = Benchmark("share", unit="%", margin=Decimal(1))


def counted(value: Any, n: int) -> Score:
    return Score(Decimal(str(value)), n=n)


def test_one_of_fifty_is_no_more_than_none_of_fifty() -> None:
    assert not apart(counted(0, 50), counted(2, 50), SHARE)
    assert not apart(counted(100, 50), counted(98, 50), SHARE)


def test_many_of_fifty_are_more_than_none_of_fifty() -> None:
    assert apart(counted(0, 50), counted(20, 50), SHARE)


def test_an_n_beside_another_unit_than_per_cent_says_nothing() -> None:
    seconds = Benchmark("speed", unit="s", margin=Decimal(1))
    assert basis(counted(40, 50), counted(44, 50), seconds) is Basis.MARGIN
    assert apart(counted(40, 50), counted(44, 50), seconds)


@pytest.mark.parametrize("one", [Score(Decimal(80), low=Decimal(76)), Score(Decimal(80), high=Decimal(84))])
def test_the_published_side_of_an_interval_is_mirrored(one: Score) -> None:
    assert interval(one) == (Decimal(76), Decimal(84))
    assert basis(one, one, SHARE) is Basis.INTERVAL
    assert not apart(one, one._replace(value=Decimal(85), low=Decimal(83), high=None), SHARE)
    assert apart(one, one._replace(value=Decimal(88), low=Decimal(85), high=None), SHARE)


def test_rows_with_one_published_side_are_put_in_bands_by_it() -> None:
    board = a_board({"a": Score(Decimal(80), low=Decimal(76)), "b": Score(Decimal(75), high=Decimal(77))})
    assert [standing.band for standing in leaderboard(board, "main")] == [1, 1]


def test_an_interval_and_a_standard_error_are_tested_against_each_other() -> None:
    one, other = Score(Decimal(80), Decimal(76), Decimal(84)), Score(Decimal(84), stderr=Decimal(2))
    assert basis(one, other, SHARE) is Basis.STDERR
    assert not apart(one, other, SHARE)


def test_a_run_cost_within_the_margin_is_no_change_of_price() -> None:
    before, after = (
        a_board({"one": cost, "two": 3}, unit="USD", margin=Decimal("0.5"), higher_is_better=False)
        for cost in ("5.0", "5.4")
    )
    (change,) = compare(before, after).changes
    assert (change.kind, change.reason, change.news) == (Kind.PRICE_CHANGED, Reason.BELOW_THRESHOLD, False)
