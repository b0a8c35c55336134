"""A mean is made of benchmarks by weights: when these change, it is another mean, and nobody moved because of it."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.snapshots import a_board

from digest.changes.compare import compare
from digest.changes.kinds import NO_MEMORY, Change, Kind, Memory, Reason
from digest.scores.aggregates import shares, weighted_means, with_aggregate_benchmarks, with_aggregate_scores
from digest.scores.snapshot import Snapshot
from digest.scores.weights import Weights

Table = dict[str, dict[str, Decimal]]
CODING = {"one": 75, "two": 25}
TABLE: Table = {
    name: {f"m{n}": Decimal(20 + 5 * n + start) for n in range(8)}
    for name, start in (("one", 0), ("two", 7), ("three", 14))
}
"""m7 leads everywhere, m6 is five points behind it."""


def meant(table: Table, coding: dict[str, int] = CODING, coverage: int = 60, **others: dict[str, int]) -> Snapshot:
    """Coding counts 60, Math 40 and any other category 20."""
    categories = {"Coding": (60, coding), "Math": (40, {"three": 100})} | {k: (20, v) for k, v in others.items()}
    weights = Weights.model_validate(
        {
            "coverage": coverage,
            "categories": {name: {"weight": of, "benchmarks": it} for name, (of, it) in categories.items()},
        }
    )
    board = a_board(table, margin=Decimal(1))
    means = weighted_means(weights, board.benchmarks, "overall")
    about = with_aggregate_benchmarks(board.benchmarks, means, Decimal(1))
    scores = with_aggregate_scores(board.scores, about, [mean.name for mean in means])
    return replace(board, benchmarks=about, scores=scores, lead="overall")


def with_cells(table: Table, **figures: dict[str, Any]) -> Table:
    """The table with other figures; {"m6": None} takes one away."""
    changed = {name: {**table.get(name, {}), **figures.get(name, {})} for name in (*table, *figures)}
    return {
        name: {key: Decimal(value) for key, value in column.items() if value is not None}
        for name, column in changed.items()
    }


def news(before: Snapshot, after: Snapshot, memory: Memory = NO_MEMORY) -> list[tuple[str, str, str]]:
    changes = compare(before, after, memory).changes
    return [(it.kind.value, it.benchmark or "", it.key) for it in changes if it.news]


def lead(before: Snapshot, after: Snapshot, memory: Memory = NO_MEMORY) -> Change:
    (change,) = [it for it in compare(before, after, memory).changes if it.kind is Kind.LEADER_CHANGED]
    return change


def test_other_weights_are_one_change_of_the_benchmark_and_move_nobody() -> None:
    before, after = meant(TABLE), meant(TABLE, {"one": 25, "two": 75})
    assert news(before, after) == [("benchmark_revised", "category:Coding", "")]


@pytest.mark.parametrize("same", [{"two": 25, "one": 75}, {"one": 150, "two": 50}], ids=["another order", "scaled"])
def test_weights_that_come_to_the_same_are_no_change(same: dict[str, int]) -> None:
    raised = with_cells(TABLE, one={"m2": 70})
    assert news(meant(TABLE), meant(raised, same)) == news(meant(TABLE), meant(raised))


def test_what_a_benchmark_counts_is_exact_however_it_is_cut_into_categories() -> None:
    found = shares("overall", meant(TABLE).benchmarks)
    assert {name: str(share) for name, share in found.items()} == {"one": "9/20", "two": "3/20", "three": "2/5"}


def test_a_new_category_of_a_new_benchmark_is_told_once() -> None:
    table = with_cells(TABLE, four={f"m{n}": 90 - 9 * n for n in range(8)})
    assert news(meant(TABLE), meant(table, Logic={"four": 100})) == [("benchmark_added", "four", "")]
    assert news(meant(table, Logic={"four": 100}), meant(TABLE)) == [("benchmark_removed", "four", "")]


def test_a_category_under_another_name_is_no_change_of_the_overall_mean() -> None:
    board = meant(TABLE)
    about = {name.replace("Math", "Maths"): replace(it, name=it.name.replace("Math", "Maths"))
             for name, it in board.benchmarks.items()}  # fmt: skip
    about["overall"] = replace(about["overall"], inputs=("category:Coding", "category:Maths"))
    scores = {name.replace("Math", "Maths"): column for name, column in board.scores.items()}
    assert compare(board, replace(board, benchmarks=about, scores=scores)).changes == ()


def test_a_model_that_truly_takes_the_lead_in_the_week_of_a_new_benchmark_is_told() -> None:
    table = with_cells(TABLE, one={"m6": 90}, four={f"m{n}": 50 for n in range(8)})
    found = news(meant(TABLE), meant(table, {**CODING, "four": 50}))
    assert [it for it in found if it[1] == "overall"] == [
        ("rank_changed", "overall", "m6"),
        ("leader_changed", "overall", "m6"),
    ]


def test_a_new_benchmark_that_puts_another_model_on_top_makes_no_leader() -> None:
    table = with_cells(TABLE, four={f"m{n}": 99 - 14 * n for n in range(8)})
    after = meant(table, {**CODING, "four": 300})
    assert max(after.scores["overall"].items(), key=lambda it: it[1].value)[0] != "m7"
    assert news(meant(TABLE), after) == [("benchmark_added", "four", "")]


def test_a_lead_that_another_measured_benchmark_alone_gives_is_none() -> None:
    before = meant(with_cells(TABLE, two={"m6": None}))
    change = lead(before, meant(with_cells(TABLE, two={"m6": 99})))
    assert (change.key, change.reason, change.news) == ("m6", Reason.FILLED_IN, False)


def test_a_model_that_is_measured_enough_for_the_first_time_may_lead() -> None:
    before = meant(with_cells(TABLE, one={"m7": None}))
    assert (lead(before, meant(TABLE)).key, lead(before, meant(TABLE)).news) == ("m7", True)


def test_a_mean_of_a_figure_that_is_back_is_back_whatever_the_noise_beside_it() -> None:
    after = meant(with_cells(TABLE, one={"m6": 90}, two={"m6": "57.5"}))
    assert lead(meant(TABLE), after).news
    change = lead(meant(TABLE), after, Memory({("m6", "one"): [Decimal(90)]}))
    assert (change.reason, change.news) == (Reason.FLIP_FLOP, False)


def test_a_benchmark_that_counts_for_nothing_moves_no_mean() -> None:
    shown = {**CODING, "old": 0}
    table = with_cells(TABLE, old={f"m{n}": n for n in range(8)})
    raised = with_cells(table, old={"m3": 99})
    assert news(meant(table, shown), meant(raised, shown)) == [("score_changed", "old", "m3")]
    assert news(meant(table, shown), meant(TABLE, shown)) == [("benchmark_removed", "old", "")]


def test_a_slip_of_units_moves_no_mean_and_makes_no_leader() -> None:
    slipped = meant(with_cells(TABLE, one={"m3": 3500}))
    assert news(meant(TABLE), slipped) == news(slipped, meant(TABLE)) == []
    assert lead(meant(TABLE), slipped).reason is Reason.IMPLAUSIBLE
