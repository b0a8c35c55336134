from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.snapshots import a_board, a_price_list, an_offer

from digest.changes.disagreement import disagreements, fact_of
from digest.changes.kinds import Reason
from digest.config.sections import Policy
from digest.scores.snapshot import Snapshot


def shared(figures: dict[str, Any], source: str, **about: Any) -> Snapshot:
    return a_board({"SWE-bench Verified": figures}, source=source, shared=True, margin=Decimal(1), **about)


def test_two_sources_that_tell_one_fact_differently_disagree() -> None:
    pair = [shared({"Qwen3.5-397B": "76.4"}, "one"), shared({"Qwen3.5 397B": 42}, "two")]
    (change,) = disagreements(pair, (), Policy())
    assert (change.source, change.reason, change.news) == ("one", Reason.DISAGREEMENT, True)
    assert change.after
    assert (change.after.source, change.after.value) == ("two", Decimal(42))


def test_figures_within_the_margin_agree() -> None:
    assert disagreements([shared({"m": 80}, "one"), shared({"m": "80.9"}, "two")], (), Policy()) == ()


def test_another_variant_of_a_model_is_another_fact() -> None:
    assert disagreements([shared({"m-high": 80}, "one"), shared({"m-low": 40}, "two")], (), Policy()) == ()


def test_columns_that_are_not_declared_by_a_published_name_are_never_compared() -> None:
    pair = [replace(a_board({"m": 80}, source="one")), replace(a_board({"m": 20}, source="two"))]
    assert disagreements(pair, (), Policy()) == ()


def test_a_disagreement_that_was_told_is_known_and_no_news() -> None:
    pair = [shared({"m": 80}, "one"), shared({"m": 42}, "two")]
    (first,) = disagreements(pair, (), Policy())
    (again,) = disagreements(pair, {fact_of(first)}, Policy())
    assert (again.reason, again.news) == (Reason.KNOWN_DISAGREEMENT, False)


def test_prices_are_compared_at_one_host_only_and_a_zero_with_nobody() -> None:
    one = a_price_list({"groq/m": an_offer("0.05", 0, host="groq"), "m": an_offer(9, host="x")}, source="one")
    two = a_price_list({"groq/m": an_offer("0.07", 1, host="groq"), "m": an_offer(1, host="y")}, source="two")
    assert [(change.key, change.benchmark) for change in disagreements([one, two], (), Policy())] == [
        ("groq/m", "input")
    ]
