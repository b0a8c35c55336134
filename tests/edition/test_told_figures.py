"""No sentence says more than the facts: no lead inside the uncertainty, no figure that the edition does not hold."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import builders as b
from tests.edition.figures import untold
from tests.edition.weeks import BEFORE, composed
from tests.snapshots import MONDAY, a_board, a_price_list, an_offer

from digest.changes.noise import apart
from digest.changes.ranking import leaderboard
from digest.config.settings import Settings
from digest.edition import opening
from digest.edition.content import Edition
from digest.rendering.text import render_text
from digest.scores.snapshot import Score, Snapshot

MODELS = st.sampled_from([f"model-{letter}" for letter in "abcdefgh"])
VALUES = st.decimals(50, 60, places=2)
PRICES = st.one_of(st.none(), st.decimals(0, 9, places=2))
LISTS = st.dictionaries(
    MODELS, st.builds(an_offer, PRICES, PRICES, st.sampled_from([None, 8_000, 128_000])), max_size=6
)
SURE: dict[str, tuple[dict[str, Any], Callable[[Decimal], Any]]] = {
    "margin": ({"margin": Decimal(1)}, lambda value: value),
    "none": ({}, lambda value: value),
    "interval": ({"unit": "rating"}, lambda value: (value, value - 2, value + 3)),
    "n": ({"unit": "%"}, lambda value: Score(value, n=4000)),
}
TABLES = st.dictionaries(MODELS, VALUES, min_size=1)
drawn = settings(max_examples=80, derandomize=True, deadline=None)


def board(table: dict[str, Decimal], kind: str, on: date = MONDAY) -> Snapshot:
    about, sure = SURE[kind]
    return a_board({name: sure(value) for name, value in table.items()}, on=on, **about)


@given(TABLES, TABLES, st.sampled_from(sorted(SURE)))
@drawn
def test_no_sentence_claims_a_lead_inside_the_uncertainty_or_a_tie_outside_of_it(
    one: Any, other: Any, kind: str
) -> None:
    before, now = board(one, kind, BEFORE), board(other, kind)
    first, *rest = leaderboard(now, "main")
    clear = not rest or apart(first.score, rest[0].score, now.benchmarks["main"])
    edition = composed((before, now))
    told = f"{opening.subject(edition)}\n{opening.preheader(edition)}\n{render_text(edition, Settings())}"
    told = " ".join(told.partition("New models")[0].split())
    claims = (
        ("ties for", "tie at the top", "inside") if clear else ("takes #1", "takes first", "new first", "beyond the")
    )
    assert [claim for claim in claims if claim in told] == []


@given(TABLES, TABLES, LISTS, LISTS, st.sampled_from(sorted(SURE)))
@drawn
def test_every_figure_of_an_edition_is_in_its_facts(one: Any, other: Any, was: Any, asked: Any, kind: str) -> None:
    edition = composed(
        (board(one, kind, BEFORE), board(other, kind)), (a_price_list(was, on=BEFORE), a_price_list(asked))
    )
    told = "\n".join([opening.subject(edition), opening.preheader(edition), render_text(edition, Settings())])
    assert untold(edition, told) == []


@pytest.mark.parametrize("edition", [b.an_edition(), b.a_full_edition(), b.an_empty_edition()])
def test_every_figure_of_a_sample_edition_is_in_its_facts(edition: Edition) -> None:
    assert untold(edition, render_text(edition, Settings())) == []


@pytest.mark.parametrize(
    ("said", "figures"),
    [
        ("gpt-5.5 xhigh has 80.9.", ["80.9"]),
        ("Nine new rows.", ["9"]),
        ("sha256 deadbeef", ["deadbeef"]),
        ("as of Tue 28 Apr", ["Tue 28 Apr"]),
        ("gpt-5.5 xhigh has 80.7, 0.4 points more than gpt-5.4 xhigh.", []),
    ],
)
def test_a_figure_that_an_edition_does_not_hold_is_found(said: str, figures: list[str]) -> None:
    assert untold(b.an_empty_edition(boards=(b.a_board(),)), said)[: len(figures)] == figures


@given(TABLES, TABLES, LISTS, LISTS)
@drawn
def test_composing_is_deterministic_and_the_order_of_rows_changes_nothing(
    one: Any, other: Any, was: Any, asked: Any
) -> None:
    def edition(turned: bool) -> str:
        def order(table: dict[str, Any]) -> dict[str, Any]:
            return dict(reversed(table.items())) if turned else table

        weeks = (board(order(one), "margin", BEFORE), board(order(other), "margin"))
        return composed(weeks, (a_price_list(order(was), on=BEFORE), a_price_list(order(asked)))).document()

    assert edition(False) == edition(False) == edition(True)
