"""Which model for which need: what answers, who is ranked, who is tied, who is left out."""

import random
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.picking import ask, raws, week
from tests.snapshots import a_board, a_price_list, an_offer

from digest.edition.needs import Limits
from digest.edition.picks import hybrid, picks
from digest.errors import UsageError
from digest.scores.snapshot import Row, Snapshot

CODING, MATH = "category:Coding", "category:Mathematics"
steady = examples(max_examples=60, derandomize=True, deadline=None)


def coding(figures: dict[str, Any], **about: Any) -> Snapshot:
    return a_board({CODING: figures}, **{"margin": Decimal(1), **about})


def test_a_lead_beyond_the_margin_is_a_pick_with_its_runner_up() -> None:
    found = ask(week(coding({"ada": 80, "bob": 78, "cyd": 70})), coding=1)
    assert (found.outcome, raws(found.leaders), raws(found.others)) == ("pick", ["ada"], ["bob", "cyd"])
    assert found.gap == 2


def test_leaders_within_the_margin_are_tied_and_the_next_is_the_first_that_is_told_apart() -> None:
    found = ask(week(coding({"ada": 80, "bob": "79.5", "cyd": 79, "dan": "78.9"})), coding=1)
    assert (found.outcome, raws(found.leaders), raws(found.others)) == ("tie", ["ada", "bob", "cyd"], ["dan"])


def test_a_model_stands_by_its_best_variant_and_is_never_its_own_runner_up() -> None:
    found = ask(week(coding({"gpt-5.4-xhigh": 80, "gpt-5.4-high": 75, "kimi-k2.6": 70})), coding=1)
    assert raws([*found.leaders, *found.others]) == ["gpt-5.4-xhigh", "kimi-k2.6"]


def test_lower_is_better_where_the_benchmark_says_so() -> None:
    found = ask(week(coding({"ada": 3, "bob": 9}, higher_is_better=False)), coding=1)
    assert raws(found.leaders) == ["ada"]


def test_names_of_a_need_match_whatever_their_case_and_the_earlier_name_answers() -> None:
    found = ask(week(a_board({"swe bench_VERIFIED": {"ada": 1, "bob": 2}, "CODING": {"ada": 2, "bob": 1}})), coding=1)
    assert found.criteria[0].benchmark == "CODING"


def test_a_source_called_like_a_benchmark_answers_with_its_lead() -> None:
    board = a_board({"pass rate": {"ada": 80, "bob": 70}})
    assert ask(week(board, board="Aider polyglot"), coding=1).criteria[0].benchmark == "pass rate"


def test_of_two_sources_the_one_that_ranks_more_answers_unless_it_is_stale() -> None:
    small, large = coding({"ada": 80, "bob": 70}), coding({"ada": 1, "bob": 2, "cyd": 3}, source="other")
    assert ask(week(small, large), coding=1).criteria[0].source == "other"
    assert ask(week(small, large, stale=("other",)), coding=1).criteria[0].source == "board"


def test_a_source_that_is_not_stale_answers_before_one_whose_name_is_preferred() -> None:
    old = coding({"ada": 80, "bob": 70})
    new = a_board({"HumanEval": {"ada": 1, "bob": 2}}, source="other")
    assert ask(week(old, new, stale=("board",)), coding=1).criteria[0].source == "other"


def test_a_need_that_nobody_measures_has_no_pick_and_says_which() -> None:
    found = ask(week(coding({"ada": 80, "bob": 70})), coding=1, search=1)
    assert (found.outcome, found.why_none, found.missing) == ("none", "unmeasured", ("Search and browsing",))


def test_one_model_alone_is_no_comparison() -> None:
    assert ask(week(coding({"ada": 80})), coding=1).why_none == "unmeasured"


# Several needs


def test_needs_of_one_source_are_a_weighted_mean_of_one_row() -> None:
    board = a_board({CODING: {"ada": 80, "bob": 70}, MATH: {"ada": 50, "bob": 90}}, margin=Decimal(1))
    found = ask(week(board), coding=3, math=1)
    assert found.method == "mean"
    assert [(choice.name.raw, choice.value) for choice in found.leaders] == [("bob", Decimal(75))]
    assert found.others[0].value == Decimal("72.5")


def test_a_missing_figure_is_not_zero_and_its_model_is_not_ranked() -> None:
    board = a_board({CODING: {"ada": 80, "bob": 70, "cyd": 99}, MATH: {"ada": 50, "bob": 60}}, margin=Decimal(1))
    found = ask(week(board), coding=1, math=1)
    assert "cyd" not in raws([*found.leaders, *found.others])
    assert found.left_out.incomplete == 1


def test_the_mean_is_of_one_variant_never_of_the_best_of_each() -> None:
    board = a_board(
        {
            CODING: {"gpt-5.4-xhigh": 90, "gpt-5.4-low": 10, "kimi-k2.6": 60},
            MATH: {"gpt-5.4-xhigh": 10, "gpt-5.4-low": 90, "kimi-k2.6": 60},
        },
        margin=Decimal(1),
    )
    assert raws(ask(week(board), coding=1, math=1).leaders) == ["kimi-k2.6"]


def test_the_margin_of_a_mean_is_the_mean_of_the_margins() -> None:
    board = a_board({CODING: {"ada": 80, "bob": 70}, MATH: {"ada": 50, "bob": 60}})
    margins = {CODING: Decimal(1), MATH: Decimal(4)}
    about = {name: replace(board.benchmarks[name], margin=margin) for name, margin in margins.items()}
    found = ask(week(replace(board, benchmarks=about)), coding=2, math=1)
    assert (found.margin, found.outcome) == (Decimal(2), "pick")


def test_needs_of_two_sources_are_ranked_by_places_of_the_models_that_both_have() -> None:
    one = coding({"ada": 80, "bob": 70, "cyd": 60, "dan": 99})
    other = a_board({MATH: {"ada": 1450, "bob": 1400, "cyd": 1300, "eve": 1}}, source="other", unit="rating")
    found = ask(week(one, other), coding=1, math=1)
    assert found.method == "places"
    assert [(choice.name.raw, choice.value) for choice in [*found.leaders, *found.others]] == [
        ("ada", Decimal(100)),
        ("bob", Decimal(50)),
        ("cyd", Decimal(0)),
    ]


def test_a_place_is_moved_by_what_is_beyond_uncertainty_only() -> None:
    one = coding({"ada": 80, "bob": "79.5", "cyd": 60})
    other = a_board({MATH: {"ada": 5, "bob": 5, "cyd": 1}}, source="other", unit="s")
    assert raws(ask(week(one, other), coding=1, math=1).leaders) == ["ada", "bob"]


def test_a_higher_place_alone_is_no_lead() -> None:
    one = coding({"ada": 81, "bob": "80.2", "cyd": "79.9"})
    other = a_board({MATH: {"ada": 5, "bob": 5, "cyd": 5}}, source="other", unit="s")
    asked = prices(ada=an_offer(9, 9), bob=an_offer(1, 1), cyd=an_offer(1, 1))
    found = ask(week(one, other, asked), Limits(max_price=Decimal(2)), coding=1, math=1)
    assert [(choice.name.raw, choice.value) for choice in found.leaders] == [
        ("bob", Decimal(100)),
        ("cyd", Decimal(75)),
    ]


def test_units_of_one_source_that_have_no_mean_are_ranked_by_places() -> None:
    board = a_board({CODING: {"ada": 80, "bob": 70}, "took": {"ada": 9, "bob": 3}})
    took = replace(board.benchmarks["took"], unit="s", higher_is_better=False)
    found = ask(week(replace(board, benchmarks={**board.benchmarks, "took": took})), coding=2, latency=1)
    assert (found.method, raws(found.leaders)) == ("places", ["ada"])


# Prices, sizes, weights


def prices(**offers: Any) -> Snapshot:
    return a_price_list({name.replace("_", "-"): offer for name, offer in offers.items()})


def test_the_cheapest_is_looked_for_among_the_best_of_a_board() -> None:
    board = a_board({"overall": {f"m{n:02}": 99 - n for n in range(20)}})
    offers = {f"m{n:02}": an_offer(20 - n, 20 - n) for n in range(20)}
    found = ask(week(board, a_price_list(offers)), cost=1)
    assert raws(found.leaders) == ["m09"]
    assert found.group is not None
    assert (found.group.models, found.leaders[0].price) == (10, Decimal(11))


def test_limits_are_asked_before_who_is_among_the_best() -> None:
    closed = {f"gpt-{n}": 90 for n in range(20)}
    table = {"overall": {**closed, "kimi-k2.6": 60, "glm-5": 50}}
    offers = {model: an_offer(1, 1) for model in closed} | {"kimi-k2.6": an_offer(3, 3), "glm-5": an_offer(2, 2)}
    found = ask(week(a_board(table, margin=1), a_price_list(offers)), Limits(open_weights=True), cost=1)
    assert (raws(found.leaders), raws(found.others)) == (["glm-5"], ["kimi-k2.6"])


def test_a_price_is_blended_of_three_parts_input_and_one_part_output() -> None:
    found = ask(week(coding({"ada": 80, "bob": 70}), prices(ada=an_offer(2, 12), bob=an_offer(1, 1))), coding=1)
    assert found.leaders[0].price == Decimal("4.5")


def test_a_price_that_is_not_known_is_not_within_a_limit_and_is_counted() -> None:
    board = coding({"ada": 80, "bob": 70, "cyd": 60, "dan": 50})
    asked = prices(ada=an_offer(9, 9), bob=an_offer(1, None), cyd=an_offer(1, 1))
    found = ask(week(board, asked), Limits(max_price=Decimal(1)), coding=1)
    assert raws([*found.leaders, *found.others]) == ["cyd"]
    assert (found.left_out.dearer, found.left_out.price_unknown) == (1, 2)


def test_weights_of_which_nothing_is_known_are_not_open() -> None:
    board = coding({"no-such-thing": 90, "gpt-5.4": 80, "deepseek-v3.2": 70, "kimi-k2.6": 60})
    found = ask(week(board), Limits(open_weights=True), coding=1)
    assert raws([*found.leaders, *found.others]) == ["deepseek-v3.2", "kimi-k2.6"]
    assert (found.left_out.closed, found.left_out.weights_unknown) == (1, 1)


def test_privacy_is_a_condition_and_alone_the_best_model_overall_that_meets_it() -> None:
    board = a_board({"overall": {"gpt-5.4": 80, "kimi-k2.6": 70, "deepseek-v3.2": 60}})
    found = ask(week(board), privacy=1)
    assert (raws(found.leaders), found.leaders[0].figures[0].rank) == (["kimi-k2.6"], 2)


def test_privacy_beside_another_need_only_says_who_is_ranked() -> None:
    board = a_board({CODING: {"gpt-5.4": 80, "kimi-k2.6": 70, "deepseek-v3.2": 60}})
    found = ask(week(board), coding=1, privacy=5)
    assert (found.method, raws(found.leaders), found.open_weights) == ("figure", ["kimi-k2.6"], True)


def test_the_context_is_the_lists_or_else_the_catalogues() -> None:
    board = coding({"gpt-5.4": 80, "kimi-k2.6": 70, "no-such-thing": 60})
    asked = a_price_list({"gpt-5.4": an_offer(1, 1, 64_000), "other": an_offer(1, 1, 1)})
    found = ask(week(board, asked), Limits(min_context=100_000), coding=1)
    assert raws(found.leaders) == ["kimi-k2.6"]
    assert (found.left_out.shorter, found.left_out.context_unknown) == (1, 1)


def test_windows_in_thousands_and_in_units_of_1024_are_tied() -> None:
    asked = prices(ada=an_offer(1, 1, 1_000_000), bob=an_offer(1, 1, 1_048_576), cyd=an_offer(1, 1, 200_000))
    found = ask(week(a_board({"overall": {"ada": 3, "bob": 2, "cyd": 1}}), asked), long_context=1)
    assert sorted(raws(found.leaders)) == ["ada", "bob"]


def test_limits_that_nobody_meets_leave_no_pick() -> None:
    found = ask(week(coding({"ada": 80, "bob": 70})), Limits(max_price=Decimal(1)), coding=1)
    assert (found.outcome, found.why_none, found.left_out.price_unknown) == ("none", "unmet", 2)


@pytest.mark.parametrize("limits", [Limits(max_price=Decimal(-1)), Limits(Decimal("NaN")), Limits(min_context=0)])
def test_limits_that_cannot_be_meant_are_refused(limits: Limits) -> None:
    with pytest.raises(UsageError, match=r"--(max-price|min-context) .* is no (price|size)"):
        ask(week(coding({"ada": 80, "bob": 70})), limits, coding=1)


# The hybrid answer


def test_a_hybrid_takes_the_only_picks_first_and_settles_ties_in_their_favour() -> None:
    board = a_board({CODING: {"ada": 80, "bob": 80}, MATH: {"ada": 50, "bob": 60}, "IF": {"ada": 9, "bob": 9}})
    (only,) = hybrid(picks(week(board)))
    assert (only.name.raw, only.picked, only.tied) == ("bob", ("Mathematics",), ("Coding", "Instruction following"))


def test_a_model_picked_by_two_variants_is_named_without_one() -> None:
    rows = {"gpt-5.4-xhigh": 80, "gpt-5.4-low": 60, "kimi-k2.6": 50}
    board = a_board({CODING: rows, MATH: {**rows, "gpt-5.4-low": 99}})
    (only,) = hybrid(picks(week(board), needs=("coding", "math")))
    assert (only.name.title, only.name.effort) == ("gpt-5.4", None)


# Whatever the figures

NAMES = st.sampled_from([f"model-{letter}" for letter in "abcdefgh"])
FIGURES = st.decimals(0, 100, places=1)
TABLES = st.dictionaries(NAMES, st.tuples(FIGURES, FIGURES), min_size=2)


def two_columns(table: dict[str, tuple[Decimal, Decimal]]) -> Snapshot:
    columns = {
        CODING: {key: one for key, (one, _) in table.items()},
        MATH: {key: two for key, (_, two) in table.items()},
    }
    return a_board(columns, margin=Decimal(1))


@given(TABLES, st.randoms())
@steady
def test_the_order_of_rows_changes_nothing(table: Any, chance: random.Random) -> None:
    board = two_columns(table)
    mixed = sorted(table, key=lambda _: chance.random())
    other = replace(
        board,
        rows={key: Row(key, key) for key in mixed},
        scores={name: {key: column[key] for key in mixed} for name, column in board.scores.items()},
    )
    assert ask(week(board), coding=1) == ask(week(other), coding=1)
    assert ask(week(board), coding=2, math=1) == ask(week(other), coding=2, math=1)


@given(TABLES)
@steady
def test_a_pick_is_beyond_the_margin_and_all_that_are_tied_are_within_it(table: Any) -> None:
    found = ask(week(two_columns(table)), coding=1)
    best = found.leaders[0].value
    assert all(best - choice.value <= 1 for choice in found.leaders)
    assert all(best - choice.value > 1 for choice in found.others)
    assert found.outcome == ("tie" if len(found.leaders) > 1 else "pick")


@given(TABLES, TABLES)
@steady
def test_by_places_nobody_leads_who_is_not_better_somewhere_beyond_uncertainty(one: Any, two: Any) -> None:
    other = replace(two_columns(two), capture=replace(two_columns(two).capture, source="other"))
    only = replace(other, scores={MATH: other.scores[MATH]}, benchmarks={MATH: other.benchmarks[MATH]}, lead=MATH)
    found = ask(week(coding({key: pair[0] for key, pair in one.items()}), only), coding=1, math=1)
    for choice in found.others:
        first = [figure.value or Decimal(0) for figure in found.leaders[0].figures]
        mine = [figure.value or Decimal(0) for figure in choice.figures]
        assert any(best - value > 1 for best, value in zip(first, mine, strict=True))
