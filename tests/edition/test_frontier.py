"""Score against price: whose price, which models nothing beats on both, and that in words."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.builders import a_board, a_lower_is_better_board, a_source, an_edition

from digest.edition.content import Edition
from digest.edition.frontier import ScoreByPrice, finding, score_by_price, told
from digest.edition.watch_facts import Held, Level, Measure, Standings
from digest.language import speaking

PRICE_UNIT = "USD per 1M tokens, 3 in to 1 out"


def an_edition_with(
    *models: tuple[str, str | None, str | None], board: Any = None, second: dict[str, str] | None = None
) -> Edition:
    """Models as (id, score, price); `second` is another list's prices."""
    board = board or a_board()

    def measure(source: str, benchmark: str, unit: str) -> Measure:
        return Measure(
            source=source, title=source, benchmark=benchmark, unit=unit, higher_is_better=True, comparable=True
        )

    def held(model: str, *levels: str | None) -> Held:
        told = tuple(Level(place, Decimal(now), None, model) for place, now in enumerate(levels) if now is not None)
        return Held(model=model, title=model, organisation=None, levels=told)

    standings = Standings(
        measures=(
            measure(board.source, board.benchmark, board.unit),
            measure("litellm", "lowest price", PRICE_UNIT),
            measure("genai_prices", "lowest price", PRICE_UNIT),
        ),
        models=tuple(held(model, score, price, (second or {}).get(model)) for model, score, price in models),
    )
    return an_edition(boards=(board,), standings=standings, health=(a_source("litellm"), a_source("LiveBench")))


def facts_of(*models: tuple[str, str | None, str | None], **changes: Any) -> ScoreByPrice:
    edition = an_edition_with(*models, **changes)
    facts = score_by_price(edition, edition.boards[0].source)
    assert facts is not None
    return facts


def test_the_frontier_is_what_nothing_is_cheaper_and_better_than() -> None:
    facts = facts_of(("best", "80", "10"), ("dear", "79", "20"), ("cheap", "50", "1"), ("poor", "40", "2"))
    assert [spot.model for spot in facts.unbeaten] == ["cheap", "best"]
    assert finding(facts) == "Nothing is both cheaper and better than best or cheap on LiveBench overall"


@pytest.mark.parametrize("other", [("b", "80", "11"), ("b", "79", "10")])
def test_the_same_score_for_more_or_less_for_the_same_price_is_beaten(other: tuple[str, str, str]) -> None:
    assert [spot.model for spot in facts_of(("a", "80", "10"), other).unbeaten] == ["a"]


def test_two_of_one_score_and_price_beat_each_other_in_nothing() -> None:
    assert [spot.model for spot in facts_of(("a", "80", "10"), ("b", "80", "10")).unbeaten] == ["a", "b"]


def test_where_lower_is_better_the_frontier_is_of_low_scores() -> None:
    board = a_lower_is_better_board()
    facts = facts_of(("low", "1.8", "10"), ("high", "9", "20"), ("cheap", "4", "1"), board=board)
    assert [spot.model for spot in facts.unbeaten] == ["cheap", "low"]
    assert "Lower scores are better." in told(facts)


def test_negative_scores_have_a_place() -> None:
    assert [spot.model for spot in facts_of(("a", "-5", "1"), ("b", "-9", "2")).unbeaten] == ["a"]


def test_a_model_without_a_price_or_with_a_price_of_nothing_is_left_out_and_counted() -> None:
    facts = facts_of(("a", "80", "10"), ("b", "79", None), ("c", "78", "0"), ("unscored", None, "1"))
    assert [spot.model for spot in facts.spots] == ["a"]
    assert facts.unpriced == 2
    assert "2 models without a known price left out." in told(facts)


def test_prices_are_of_the_one_list_that_knows_most_of_the_board() -> None:
    facts = facts_of(("a", "80", "10"), ("b", "79", None), second={"a": "5", "b": "4"})
    assert facts.prices == "genai_prices"
    assert {spot.model: spot.price for spot in facts.spots} == {"a": 5, "b": 4}


def test_without_a_price_or_a_board_or_standings_there_is_no_picture() -> None:
    edition = an_edition_with(("a", "80", None))
    assert score_by_price(edition, "livebench") is None
    assert score_by_price(an_edition_with(("a", "80", "1")), "aider") is None
    assert score_by_price(edition.model_copy(update={"standings": None}), "livebench") is None


def test_the_words_tell_figures_unit_list_and_both_days() -> None:
    facts = facts_of(("a", "80.71", "11.25"), ("b", "70", "0.0625"))
    assert facts.scored_on == facts.priced_on == date(2026, 4, 27)
    assert told(facts) == (
        "2 models by overall, captured Mon 27 Apr, and price in USD per 1M tokens, 3 in to 1 out, litellm of "
        "Mon 27 Apr. Not beaten on both: a 80.7 at $11.25; b 70.0 at $0.063."
    )


def test_one_priced_model_is_called_the_only_one() -> None:
    assert finding(facts_of(("a", "80", "10"))) == "Only a has both a score on LiveBench overall and a known price"


def test_german_counts_models_and_spells_the_unit_of_a_price() -> None:
    facts = facts_of(("a", "80", "10"), ("b", "79", None))
    with speaking("de"):
        said = told(facts)
    assert "1 Modell nach overall (Abruf: " in said
    assert " und Preis in USD je 1 Mio. Token, Ein-/Ausgabe 3:1, litellm" in said
    assert "1 Modell ohne bekannten Preis fehlt." in said
