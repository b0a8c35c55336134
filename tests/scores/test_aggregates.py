"""Means over benchmarks take from these their unit, direction and uncertainty, and are refused where they have none."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.snapshots import a_board, a_capture

from digest.changes.compare import compare
from digest.config import Source
from digest.errors import CaptureError
from digest.scores.aggregates import plain_means, with_aggregate_benchmarks, with_aggregate_scores
from digest.scores.figures import read
from digest.scores.snapshot import Benchmark, Score, Snapshot


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
