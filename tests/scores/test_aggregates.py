"""Means over benchmarks take from these their unit, direction and uncertainty, and are refused where they have none."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.snapshots import a_board, a_capture

from digest.changes.compare import compare
from digest.config.source import Source
from digest.errors import CaptureError
from digest.scores.aggregates import plain_means, weighted_means, with_aggregate_benchmarks, with_aggregate_scores
from digest.scores.figures import read
from digest.scores.snapshot import Benchmark, Score, Snapshot
from digest.scores.weights import Weights


def meant(board: Snapshot, margin: Decimal | None = None, **categories: tuple[str, ...]) -> Snapshot:
    means = plain_means(categories, "overall")
    benchmarks = with_aggregate_benchmarks(board.benchmarks, means, margin)
    return replace(
        board,
        benchmarks=benchmarks,
        scores=with_aggregate_scores(board.scores, benchmarks, [mean.name for mean in means]),
        lead="overall",
    )


def overall(board: Snapshot, key: str = "one") -> Score:
    return board.scores["overall"][key]


def test_the_error_of_a_mean_follows_from_those_of_its_inputs() -> None:
    figures = {"a": Score(Decimal(80), stderr=Decimal(3)), "b": Score(Decimal(60), stderr=Decimal(4))}
    board = meant(a_board({name: {"one": score} for name, score in figures.items()}), All=("a", "b"))
    assert overall(board) == Score(Decimal(70), stderr=Decimal("2.5"))


def test_intervals_and_counts_have_an_error_as_well() -> None:
    figures: Mapping[str, Any] = {"a": (80, 76, 84), "b": Score(Decimal(60), n=100)}
    board = meant(a_board({name: {"one": score} for name, score in figures.items()}), All=("a", "b"))
    assert (overall(board).stderr or Decimal(0)).quantize(Decimal("0.01")) == Decimal(
        "2.61"
    )  # sqrt(2.041² + 4.811²) / 2


def test_a_mean_of_figures_of_which_one_says_nothing_has_no_error() -> None:
    board = meant(a_board({"a": {"one": (80, 76, 84)}, "b": {"one": 60}}), Decimal(2), All=("a", "b"))
    assert overall(board).stderr is None
    assert board.benchmarks["overall"].margin == 2


def test_a_mean_takes_the_mean_of_the_margins_of_its_inputs() -> None:
    board = a_board({"a": {"one": 80}, "b": {"one": 60}})
    benchmarks = {name: replace(board.benchmarks[name], margin=Decimal(it)) for name, it in (("a", 1), ("b", 5))}
    assert meant(replace(board, benchmarks=benchmarks), Decimal(1), All=("a", "b")).benchmarks["overall"].margin == 3


def test_a_mean_takes_unit_direction_and_scale_of_its_inputs() -> None:
    board = a_board({"a": {"one": 8, "two": 9}}, unit="s", higher_is_better=False, relative=True)
    about = meant(board, All=("a",)).benchmarks["overall"]
    assert (about.unit, about.higher_is_better, about.relative) == ("s", False, True)


@pytest.mark.parametrize("bare", [False, True], ids=["every input with an interval", "one without"])
def test_noise_in_many_cells_moves_no_mean(bare: bool) -> None:
    def week(up: int) -> Snapshot:
        figures = {"one": (50 + up, 45 + up, 55 + up), "two": (40 + up, 35 + up, 45 + up)}
        columns: dict[str, Any] = {f"task-{n}": figures for n in range(3)}
        columns |= {"bare": {"one": 50, "two": 40}} if bare else {}
        return meant(a_board(columns), All=tuple(columns))

    changes = compare(week(0), week(2)).changes
    assert "overall" in {change.benchmark for change in changes}
    assert [change for change in changes if change.news] == []


def test_a_zero_that_means_not_known_is_no_part_of_a_mean() -> None:
    board = meant(a_board({"a": {"one": 0, "two": 4}, "b": {"one": 8, "two": 8}}, zero_is_missing=True), All=("a", "b"))
    assert board.scores["overall"].keys() == {"two"}


@pytest.mark.parametrize("unlike", [{"unit": "s"}, {"higher_is_better": False}])
def test_inputs_of_two_units_or_directions_have_no_mean(unlike: dict[str, Any]) -> None:
    benchmarks = {"a": Benchmark("a"), "b": replace(Benchmark("b"), **unlike)}
    with pytest.raises(CaptureError, match=r'"category:All" would be a mean of "a" .* and "b"'):
        with_aggregate_benchmarks(benchmarks, plain_means({"All": ("a", "b")}, "overall"), None)


def declared(**aggregates: Any) -> Source:
    return Source.model_validate(
        {
            "title": "Board",
            "url": "https://board.example/scores.csv",
            "kind": "scores",
            "format": "csv",
            "model": "model",
            "lead": "a",
            "columns": {"*": {}},
            "aggregates": {"maps": [{"categories": {"Coding": ["a"]}}], **aggregates},
        }
    )


@pytest.mark.parametrize("column", ["overall", "category:Coding"])
def test_a_published_column_of_an_aggregates_name_is_refused_with_what_to_do(column: str) -> None:
    data = f"model,a,{column}\none,80,70\n".encode()
    with pytest.raises(CaptureError, match=f'"{column}" is the name of .*`benchmark = `'):
        read(data, a_capture(on=date(2026, 4, 27)), declared())


def test_an_overall_mean_of_its_own_name_stands_beside_a_column_called_overall() -> None:
    snapshot = read(b"model,a,overall\none,80,70\n", a_capture(), declared(overall="our mean"))
    assert [snapshot.scores[name]["one"].value for name in ("overall", "our mean")] == [70, 80]


def test_an_overall_mean_of_a_categorys_name_is_refused() -> None:
    with pytest.raises(CaptureError, match="category:Coding"):
        read(b"model,a\none,80\n", a_capture(), declared(overall="category:Coding"))


WEIGHTS = Weights.model_validate(
    {
        "coverage": 80,
        "categories": {
            "Coding": {"weight": 60, "benchmarks": {"One": 75, "Two": 25, "Old": 0}},
            "Math": {"weight": 40, "benchmarks": {"Three": 100}},
        },
    }
)


def weighed(figures: Mapping[str, Mapping[str, Any]], coverage: int = 80, on: date = date(2026, 4, 20)) -> Snapshot:
    board = a_board(figures, on=on)
    means = weighted_means(WEIGHTS.model_copy(update={"coverage": Decimal(coverage)}), board.benchmarks, "overall")
    benchmarks = with_aggregate_benchmarks(board.benchmarks, means, Decimal(1))
    scores = with_aggregate_scores(board.scores, benchmarks, [mean.name for mean in means])
    return replace(board, benchmarks=benchmarks, scores=scores, lead="overall")


def test_weights_make_the_mean_and_one_of_zero_counts_for_nothing() -> None:
    board = weighed({"One": {"a": 80}, "Two": {"a": 40}, "Old": {"a": 1}, "Three": {"a": 50}})
    assert board.scores["category:Coding"]["a"].value == 70
    assert board.scores["overall"]["a"].value == 62
    assert board.benchmarks["category:Coding"].also == ("Old",)


def test_a_missing_benchmark_is_left_out_with_its_weight_and_too_little_is_not_ranked() -> None:
    figures = {"One": {"a": 80, "b": 80}, "Two": {"a": 40, "c": 40}, "Three": {"a": 50, "b": 50, "c": 50}}
    board = weighed(figures)
    assert set(board.scores["category:Coding"]) == set(board.scores["overall"]) == {"a"}
    assert weighed(figures, coverage=75).scores["category:Coding"]["b"].value == 80


def test_benchmarks_are_known_by_their_names_in_any_case() -> None:
    assert weighed({"ONE": {"a": 80}, "two": {"a": 40}, "three": {"a": 50}}).scores["overall"]["a"].value == 62


def test_a_source_that_lacks_most_of_the_weight_is_refused_in_a_sentence() -> None:
    with pytest.raises(CaptureError, match="less than 80 % of the weights"):
        weighed({"Three": {"a": 50}})


def test_a_mean_that_moved_because_another_benchmark_was_measured_is_no_news() -> None:
    figures = {"One": {"a": 80, "b": 70}, "Two": {"b": 30}, "Three": {"a": 50, "b": 50}}
    before = weighed(figures, coverage=40)
    after = weighed(figures | {"Two": {"a": 20, "b": 30}}, coverage=40, on=date(2026, 4, 27))
    found = {change.benchmark: change for change in compare(before, after).changes if change.key == "a"}
    assert {
        name: (change.reason.value, change.news) for name, change in found.items() if change.benchmark != "Two"
    } == {
        "category:Coding": ("filled_in", False),
        "overall": ("filled_in", False),
    }


def test_a_mean_over_figures_of_the_makers_is_said_to_be_theirs() -> None:
    board = a_board({"One": {"a": 80}, "Two": {"a": 40}, "Three": {"a": 50}})
    reported = {**board.benchmarks, "Two": replace(board.benchmarks["Two"], self_reported=True)}
    made = with_aggregate_benchmarks(reported, weighted_means(WEIGHTS, reported, "overall"), None)
    assert [made[name].self_reported for name in ("category:Coding", "category:Math", "overall")] == [True, False, True]
