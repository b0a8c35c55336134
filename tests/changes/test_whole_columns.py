"""Scales that move, columns that get another name or are made anew: one change each, and no model moves."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.snapshots import a_board

from digest.changes.compare import compare
from digest.changes.kinds import Change, Kind, Reason
from digest.changes.plausibility import doubts
from digest.scores.snapshot import Snapshot

ROWS = {f"m{n}": Decimal(1000 + 50 * n) for n in range(8)}


def rated(values: dict[str, Decimal]) -> Snapshot:
    figures = {key: (value, value - 8, value + 8) for key, value in values.items()}
    return a_board(figures, relative=True, unit="rating")


def news(before: Snapshot, after: Snapshot) -> list[tuple[Kind, str]]:
    return [(change.kind, change.key) for change in compare(before, after).changes if change.news]


def stretched(value: Decimal, times: str, about: int = 1200) -> Decimal:
    return about + (value - about) * Decimal(times)


@pytest.mark.parametrize("times", ["0.5", "1.25", "2"])
@pytest.mark.parametrize("about", [0, 1000, 1200])
def test_a_stretched_scale_is_one_change_and_moves_nobody(times: str, about: int) -> None:
    after = {key: stretched(value, times, about) for key, value in ROWS.items()}
    assert news(rated(ROWS), rated(after)) == [(Kind.SCALE_SHIFTED, "")]


def test_a_stretch_says_by_how_much() -> None:
    after = {key: stretched(value, "1.25") for key, value in ROWS.items()}
    (change,) = [it for it in compare(rated(ROWS), rated(after)).changes if it.kind is Kind.SCALE_SHIFTED]
    assert "1.250 times" in change.evidence


def test_a_model_raised_on_a_stretched_scale_is_news() -> None:
    after = {key: stretched(value, "1.5") + (90 if key == "m3" else 0) for key, value in ROWS.items()}
    assert (Kind.SCORE_CHANGED, "m3") in news(rated(ROWS), rated(after))
    assert (Kind.SCORE_CHANGED, "m6") not in news(rated(ROWS), rated(after))


def test_whole_ratings_that_are_rounded_after_a_stretch_move_nobody() -> None:
    before, after = (
        a_board({key: (value * times).quantize(Decimal(1)) for key, value in ROWS.items()}, relative=True)
        for times in (Decimal(1), Decimal("1.333"))
    )
    assert news(before, after) == [(Kind.SCALE_SHIFTED, "")]


@pytest.mark.parametrize(
    "risen", [{"m7", "m6"}, {"m7", "m6", "m5"}, {"m7", "m0", "m6"}, {"m0", "m1", "m2"}, {"m0", "m3", "m6"}]
)
def test_a_few_models_that_rose_are_no_stretch_of_the_scale(risen: set[str]) -> None:
    after = {key: value + (40 if key in risen else 0) for key, value in ROWS.items()}
    assert {key for kind, key in news(rated(ROWS), rated(after)) if kind is Kind.SCORE_CHANGED} == risen


def test_models_that_moved_apart_at_both_ends_of_a_scale_that_stood_still_are_told() -> None:
    before = {f"m{n}": Decimal(1000 + 50 * n) for n in range(9)}
    moves = {"m0": -30, "m7": 30, "m8": 30}
    after = {key: value + moves.get(key, 0) for key, value in before.items()}
    # more than half of the rows differ: the others moved by a hair, as ratings do
    after |= {key: after[key] + Decimal("0.1") for key in ("m1", "m3", "m5")}
    assert {key for kind, key in news(rated(before), rated(after)) if kind is Kind.SCORE_CHANGED} == moves.keys()


@given(
    st.lists(st.integers(0, 40), min_size=5, max_size=12),
    st.decimals("0.5", "2", places=2),
    st.integers(-300, 300),
)
@settings(max_examples=200, derandomize=True, deadline=None)
def test_hardly_anybody_moves_on_a_line_that_all_rows_are_on(strewn: list[int], times: Decimal, shift: int) -> None:
    before = {f"m{n}": Decimal(900 + 50 * n + value) for n, value in enumerate(strewn)}
    after = {key: value * times + shift for key, value in before.items()}
    movers = [key for kind, key in news(rated(before), rated(after)) if kind is Kind.SCORE_CHANGED]
    assert len(movers) < 3  # two rows are on any line: they may have moved by themselves


@pytest.mark.parametrize("rows", [2, 3, 4])
def test_a_few_shared_rows_that_all_moved_alike_are_a_shift(rows: int) -> None:
    before = dict(list(ROWS.items())[:rows])
    after = {key: value + 100 + (n % 2) * 3 for n, (key, value) in enumerate(before.items())}
    assert news(rated(before), rated(after)) == [(Kind.SCALE_SHIFTED, "")]


def test_of_a_few_shared_rows_that_moved_unlike_each_is_told() -> None:
    before = dict(list(ROWS.items())[:3])
    assert news(rated(before), rated({**before, "m2": before["m2"] + 100})) == [(Kind.SCORE_CHANGED, "m2")]


COLUMN: dict[str, Any] = {f"m{n}": 10 + n for n in range(10)}


def revised(before: Snapshot, after: Snapshot) -> list[Change]:
    return [change for change in compare(before, after).changes if change.kind.value.startswith("benchmark")]


def test_a_column_under_another_name_is_one_change_with_the_name_it_had() -> None:
    before, after = a_board({"main": COLUMN, "old": ROWS}), a_board({"main": COLUMN, "new": ROWS})
    (change,) = compare(before, after).changes
    assert (change.kind, change.reason, change.benchmark, change.news) == (
        Kind.BENCHMARK_REVISED,
        Reason.RENAME,
        "new",
        False,
    )
    assert '"old"' in change.evidence


def test_a_lead_under_another_name_is_the_same_board() -> None:
    before = a_board({"main": COLUMN})
    after = a_board({"renamed": {**COLUMN, "m9": 60}})
    assert {change.kind for change in compare(before, after).changes} == {Kind.BENCHMARK_REVISED, Kind.SCORE_CHANGED}


@pytest.mark.parametrize(
    "other",
    [
        {key: value + 1 for key, value in COLUMN.items()},
        {key: value + (n > 7) for n, (key, value) in enumerate(COLUMN.items())},
        dict(list(COLUMN.items())[:4]),
    ],
    ids=["other figures", "two of ten other", "four rows"],
)
def test_a_column_with_other_figures_is_another_benchmark(other: dict[str, Any]) -> None:
    kinds = {it.kind for it in revised(a_board({"main": ROWS, "old": COLUMN}), a_board({"main": ROWS, "new": other}))}
    assert kinds == {Kind.BENCHMARK_ADDED, Kind.BENCHMARK_REMOVED}


def test_a_column_of_equal_figures_proves_nothing() -> None:
    flat = dict.fromkeys(COLUMN, 0)
    before, after = a_board({"main": COLUMN, "old": flat}), a_board({"main": COLUMN, "new": flat})
    assert {it.kind for it in revised(before, after)} == {Kind.BENCHMARK_ADDED, Kind.BENCHMARK_REMOVED}


def test_a_column_whose_figures_others_have_as_well_proves_nothing() -> None:
    before, after = a_board({"main": COLUMN, "old": COLUMN}), a_board({"main": COLUMN, "new": COLUMN})
    assert {it.kind for it in revised(before, after)} == {Kind.BENCHMARK_ADDED, Kind.BENCHMARK_REMOVED}


def test_an_only_column_that_moved_for_most_rows_is_one_change_of_the_benchmark() -> None:
    after = {key: value + (5 if key < "m7" else 0) for key, value in COLUMN.items()} | {"m0": 90}
    assert doubts(a_board(COLUMN), a_board(after))
    assert news(a_board(COLUMN), a_board(after)) == [(Kind.BENCHMARK_REVISED, "")]
    reasons = {change.kind: change.reason for change in compare(a_board(COLUMN), a_board(after)).changes}
    assert reasons[Kind.SCORE_CHANGED] is reasons[Kind.LEADER_CHANGED] is Reason.BENCHMARK_CHANGE


def test_half_of_the_rows_of_an_only_column_may_have_moved_one_by_one() -> None:
    after = {key: value + (5 if key < "m5" else 0) for key, value in COLUMN.items()}
    assert {kind for kind, _key in news(a_board(COLUMN), a_board(after))} >= {Kind.SCORE_CHANGED}
