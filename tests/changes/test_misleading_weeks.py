"""Weeks in which two things happened at once, and figures that are the same though they are not equal."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.snapshots import a_board, a_price_list, an_offer

from digest.changes.compare import compare
from digest.changes.kinds import NO_MEMORY, Kind, Memory, Reason
from digest.changes.plausibility import doubts
from digest.scores.snapshot import Benchmark, Score, Snapshot

ROWS = {f"m{n}": Decimal(40 + 5 * n) + Decimal("0.1") for n in range(8)}


def told(before: Snapshot, after: Snapshot, memory: Memory = NO_MEMORY) -> list[tuple[Kind, Reason, bool]]:
    return [(it.kind, it.reason, it.news) for it in compare(before, after, memory).changes]


# Names


def measured(name: str, *figures: Any) -> Snapshot:
    """One row of that name with so many figures, above seven others that stand still."""
    others = {f"column-{place}": dict(ROWS) for place in range(len(figures))}
    return a_board(
        {column: {**rows, name: Decimal(str(figures[n]))} for n, (column, rows) in enumerate(others.items())}
    )


def test_a_leader_that_is_renamed_and_measured_again_in_part_is_no_launch_and_no_new_leader() -> None:
    before, after = measured("Zyx Alpha", 90, 81.5, 72.5, 63.5), measured("gpt-5.4", 95, 81.5, 72.5, 63.5)
    assert told(before, after) == [
        (Kind.MODEL_RENAMED, Reason.RENAME, False),
        (Kind.SCORE_CHANGED, Reason.RERUN, True),
        (Kind.LEADER_CHANGED, Reason.RENAME, False),
    ]


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("Zyx Beta", (95, 83, 72.5, 63.5)),
        ("Zyx Beta", (95, 0, 72.5, 63.5)),
        ("gpt-5.4-mini", (95, 81.5, 72.5, 63.5)),
    ],
    ids=["half of them differ", "a zero is no figure of its own", "two known models"],
)
def test_too_few_equal_figures_make_no_rename(name: str, figures: tuple[Any, ...]) -> None:
    old = "gpt-5.4" if name.startswith("gpt") else "Zyx Alpha"
    before = measured(old, 90, figures[1] if figures[1] == 0 else 81.5, 72.5, 63.5)
    kinds = {kind for kind, _reason, _news in told(before, measured(name, *figures))}
    assert {Kind.MODEL_ADDED, Kind.MODEL_REMOVED} <= kinds


def test_figures_that_two_arrivals_share_prove_nothing() -> None:
    before = measured("Zyx Alpha", 90, 81.5, 72.5, 63.5)
    after = measured("Zyx Beta", 95, 81.5, 72.5, 63.5)
    twin = {name: {**column, "Zyx Gamma": column["Zyx Beta"]} for name, column in after.scores.items()}
    kinds = {kind for kind, _reason, _news in told(before, a_board(twin))}
    assert Kind.MODEL_RENAMED not in kinds


def test_a_prefix_that_is_dropped_is_told_without_a_slash() -> None:
    offers = {f"thing-{n}": an_offer(n, 2 * n) for n in range(1, 6)}
    (change,) = compare(a_price_list({f"v/{key}": it for key, it in offers.items()}), a_price_list(offers)).changes
    assert (change.name.raw, change.before and change.before.name and change.before.name.raw) == ("*", "v/*")


# The same figure, written otherwise or nearly


def test_a_column_written_with_one_digit_more_is_no_other_benchmark() -> None:
    finer = {key: value + Decimal("0.01") * (n % 5 - 2) for n, (key, value) in enumerate(ROWS.items())}
    for before, after in ((a_board(ROWS), a_board(finer)), (a_board(finer), a_board(ROWS))):
        assert doubts(before, after) == ()
        assert {reason for _kind, reason, _news in told(before, after)} == {Reason.BELOW_THRESHOLD}


def test_a_column_that_moved_by_its_last_digit_is_another() -> None:
    moved = {key: value + Decimal("0.1") for key, value in ROWS.items()}
    assert (Kind.BENCHMARK_REVISED, Reason.BENCHMARK_CHANGE, True) in told(a_board(ROWS), a_board(moved))


def test_a_figure_that_another_program_wrote_is_the_same() -> None:
    assert told(a_board({"a": 80, "b": 70}), a_board({"a": "80.0000001", "b": 70})) == [
        (Kind.SCORE_CHANGED, Reason.BELOW_THRESHOLD, False)
    ]


@pytest.mark.parametrize(("back", "reason"), [("60.6", Reason.FLIP_FLOP), ("61.2", Reason.RERUN)])
def test_a_figure_that_is_back_within_the_noise_is_told_once(back: str, reason: Reason) -> None:
    memory = Memory({("a", "main"): [Decimal(60), Decimal(55)]})
    before, after = (a_board({"a": value, "b": 10}, margin=Decimal(1)) for value in (50, back))
    assert (Kind.SCORE_CHANGED, reason, reason is Reason.RERUN) in told(before, after, memory)


def test_noise_beside_a_remembered_figure_is_noise() -> None:
    before, after = (a_board({"a": (value, value - 4, value + 4), "b": 10}) for value in (60, 61))
    (change,) = told(before, after, Memory({("a", "main"): [Decimal("60.5")]}))
    assert change[1] is Reason.WITHIN_UNCERTAINTY


def test_a_price_that_is_back_but_for_its_last_digits_is_a_flip_flop() -> None:
    before, after = (a_price_list({"m": an_offer(price)}) for price in ("3.6", "3.3"))
    (change,) = told(before, after, Memory({("m", "input"): [Decimal("3.30000000001")]}))
    assert change[1] is Reason.FLIP_FLOP


def test_a_rating_that_stood_still_while_the_scale_rose_is_not_back_at_what_it_was() -> None:
    def rated(shift: int) -> Snapshot:
        values = {key: 10 * value + (0 if key == "m4" else shift) for key, value in ROWS.items()}
        return a_board({key: (value, value - 8, value + 8) for key, value in values.items()}, relative=True)

    memory = Memory({("m4", "main"): [10 * ROWS["m4"]]})
    assert (Kind.SCORE_CHANGED, Reason.BEYOND_UNCERTAINTY, True) in told(rated(0), rated(100), memory)


# Slips of units


@pytest.mark.parametrize("slip", ["0.01", "100", "1000"])
def test_a_score_in_another_unit_never_headlines(slip: str) -> None:
    slipped = {**ROWS, "m3": ROWS["m3"] * Decimal(slip)}
    changes = told(a_board(ROWS, margin=Decimal(1)), a_board(slipped, margin=Decimal(1)))
    assert (Kind.SCORE_CHANGED, Reason.IMPLAUSIBLE, False) in changes
    assert not any(news for _kind, _reason, news in changes)


def cost(value: Any) -> Snapshot:
    board = a_board({"main": {"a": 80, "b": 70}, "cost": {"a": value, "b": 5}})
    return replace(
        board, benchmarks={**board.benchmarks, "cost": Benchmark("cost", unit="USD", higher_is_better=False)}
    )


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        ("6000000", Reason.IMPLAUSIBLE),
        ("6.0000000001", Reason.BELOW_THRESHOLD),
        ("3", Reason.PRICE),
        ("0", Reason.PRICE),
    ],
)
def test_money_on_a_board_is_judged_like_a_price(now: str, reason: Reason) -> None:
    assert told(cost(6), cost(now)) == [(Kind.PRICE_CHANGED, reason, reason is Reason.PRICE)]


def test_a_rating_or_a_mean_is_no_slip_of_units() -> None:
    before, after = (a_board({"a": Score(Decimal(value)), "b": Score(Decimal(1))}, relative=True) for value in (5, 500))
    assert (Kind.SCORE_CHANGED, Reason.BEYOND_THRESHOLD, True) in told(before, after)
