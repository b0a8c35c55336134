"""The sentences of picks say what the facts say, and no more."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.picking import ask, some_settings, week
from tests.snapshots import a_board, a_price_list, an_offer

from digest.edition import pick_words as words
from digest.edition.needs import Limits
from digest.edition.numbers import money, plain, tokens
from digest.edition.pick_changes import changed_picks
from digest.edition.pick_facts import Pick
from digest.edition.picks import picks
from digest.language import speaking
from digest.scores.snapshot import Snapshot

CODING, MATH = "category:Coding", "category:Mathematics"


def coding(figures: dict[str, Any], **about: Any) -> Snapshot:
    return a_board({CODING: figures}, **{"margin": Decimal(1), **about})


def test_a_lead_is_told_with_its_size_its_runner_up_and_what_it_is_beyond() -> None:
    found = ask(week(coding({"ada": 80, "bob": "77.4"})), coding=1)
    assert words.note(found) == "80.0 on Board Coding; next is bob, 77.4."
    assert words.reasons(found) == [
        "ada has 80.0 on Board Coding, 2.6 points ahead of bob with 77.4, which is beyond the margin of 1.0 point."
    ]


def test_a_tie_says_so_and_which_of_them_is_cheaper() -> None:
    asked = a_price_list({"ada": an_offer(2, 12), "bob": an_offer(1, 1)})
    found = ask(week(coding({"ada": 80, "bob": "79.4", "cyd": 5}), asked), coding=1)
    assert words.who(found) == "ada and bob"
    assert words.note(found) == (
        "80.0 and 79.4 on Board Coding, within the margin of 1.0 point: a tie. bob costs least, $1.00 blended."
    )
    assert words.reasons(found)[1] == "cyd, 5.0, is the best that is told apart from ada."


def test_of_many_that_are_tied_three_are_named_and_the_rest_is_counted() -> None:
    found = ask(week(coding(dict.fromkeys(("ada", "bob", "cyd", "dan", "eve"), 80))), coding=1)
    assert words.who(found) == "ada, bob, cyd and 2 more"
    assert words.note(found) == "ada has 80.0 on Board Coding; 4 more have the same: a tie."


def test_a_tie_of_intervals_is_told_as_such() -> None:
    found = ask(week(coding({"ada": (1450, 1440, 1460), "bob": (1445, 1435, 1455)}, unit="rating")), coding=1)
    assert words.note(found) == "1450 and 1445 on Board Coding, with intervals that overlap: a tie."


def test_a_lead_without_any_published_uncertainty_says_that() -> None:
    found = ask(week(coding({"ada": 80, "bob": 79}, margin=None)), coding=1)
    assert words.reasons(found)[0].endswith("with 79.0; no uncertainty is published.")


def test_two_figures_are_never_rounded_into_one() -> None:
    found = ask(week(coding({"ada": "80.04", "bob": "80.02"}, margin=None)), coding=1)
    assert "80.04" in words.note(found)
    assert "80.02" in words.note(found)


def test_a_free_model_is_said_to_be_free() -> None:
    board = a_board({"overall": {"ada": 80, "bob": 70}})
    found = ask(week(board, a_price_list({"ada": an_offer(2, 8), "bob": an_offer(0, 0)})), cost=1)
    assert words.note(found) == "Free in Prices; next is ada, $3.50."
    assert words.reasons(found)[0] == "bob is free in Prices, $3.50 less than ada with $3.50."


def test_a_price_names_what_goes_in_and_what_comes_out() -> None:
    board = a_board({"overall": {"ada": 80, "bob": 70}})
    found = ask(week(board, a_price_list({"ada": an_offer(2, 8), "bob": an_offer(9, 9)})), cost=1)
    assert "ada asks $2.00 in and $8.00 out." in words.note(found)
    assert "Compared are the 2 models that could be among the 10 best on Board overall. ada is #1 there with 80.0." in (
        words.reasons(found)
    )


def test_limits_are_told_with_how_many_they_left_out_and_why() -> None:
    board = coding({"gpt-5.4": 80, "kimi-k2.6": 70, "deepseek-v3.2": 60, "nobody-knows": 50})
    asked = a_price_list({"kimi-k2.6": an_offer(1, 1), "other": an_offer(1, 1)})
    found = ask(week(board, asked), Limits(Decimal(2), True, 1000), coding=1)
    assert words.note(found) == "70.0, #2 on Board Coding."
    assert words.reasons(found)[1] == (
        "1 model has open weights, a blended price of at most $2.00 in Prices and a context of at least 1K tokens; "
        "left out: 1 with closed weights, 1 of whose weights nothing is known and 1 whose price is not known."
    )


def test_an_answer_to_several_needs_shows_figures_and_weights() -> None:
    board = a_board({CODING: {"ada": 80, "bob": 70, "cyd": 1}, MATH: {"ada": 50, "bob": 90}}, margin=Decimal(1))
    assert words.reasons(ask(week(board), coding=3, math="0.5"))[1] == (
        "ada has 80.0 on Board Coding (weight 3) and 50.0 on Board Mathematics (weight 0.5). "
        "1 model without every figure is not ranked."
    )


def test_a_stale_source_and_figures_that_makers_report_are_said_to_be_so() -> None:
    found = ask(week(coding({"ada": 80, "bob": 70}, self_reported=True), stale=("board",)), coding=1)
    assert "Board is stale: its figures are of Mon 27 Apr 2026." in words.note(found)
    assert "The makers of the models report the figures of Board Coding themselves." in words.note(found)


def test_a_changed_pick_tells_what_it_was_and_why_it_is_not_any_more() -> None:
    before, now = coding({"ada": 80, "bob": 70}), coding({"ada": 80, "bob": 70, "cyd": 90})
    found = changed_picks({"board": before}, {"board": now}, some_settings())[0]
    assert words.note(found) == "90.0 on Board Coding. Was ada, 80.0: cyd is newly listed."


def test_needs_that_nobody_measures_are_one_sentence() -> None:
    found = picks(week(coding({"ada": 80, "bob": 70})))
    assert words.unmeasured(found).startswith("No source here has figures for agentic tasks, mathematics, search")
    assert words.unmeasured(found).endswith(", cost or latency.")
    assert [pick.title for pick in words.answered(found)] == ["Coding", "Privacy"]


def test_no_pick_under_limits_says_what_stood_in_the_way() -> None:
    found = ask(week(coding({"ada": 80, "bob": 70})), Limits(open_weights=True), coding=1)
    assert words.note(found) == (
        "No model is known to have open weights; left out: 2 of whose weights nothing is known."
    )


def test_the_hybrid_answer_names_each_model_with_its_needs() -> None:
    board = a_board({CODING: {"ada": 80, "bob": 70}, MATH: {"ada": 1, "bob": 9}, "IF": {"ada": 5, "bob": 5}})
    assert words.hybrid_sentence(picks(week(board))) == (
        "ada for coding and, tied, instruction following; bob for mathematics."
    )


def test_receipts_name_row_day_and_hash_of_every_source_behind_a_pick() -> None:
    found = ask(
        week(coding({"ada": 80, "bob": 70}), a_price_list({"ada": an_offer(1, 1), "bob": an_offer(2, 2)})), coding=1
    )
    sha = found.criteria[0].current.sha256[:8]
    assert words.receipts(found)[0] == f"Board, Mon 27 Apr 2026, sha256 {sha}; row ada"
    assert words.receipts(found)[1].startswith("Prices, Mon 27 Apr 2026, sha256 ")


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "x" * 10_000, "\x1b[2J\x00evil", "gpt‮4-tpg", "a\nb"])
def test_hostile_names_come_out_harmless(name: str) -> None:
    found = ask(week(coding({name: 80, "bob": 70})), coding=1)
    for sentence in [words.who(found), words.note(found), *words.reasons(found), *words.receipts(found)]:
        assert sentence.isprintable()
        assert len(sentence) < 600


HOSTILE_TITLES = [
    "100% sure",
    "%(count)s %s %",
    "",
    "a\x04b",
    "chip\x04tie",
    "\x1b[2J<b>",
    "x" * 10_000,
    "gpt\u202e4-tpg",
]


@pytest.mark.parametrize("locale", ["en", "de"])
@pytest.mark.parametrize("title", HOSTILE_TITLES)
def test_hostile_titles_of_needs_come_out_harmless(title: str, locale: str) -> None:
    pick, none = picks(week(coding({"ada": 80, "bob": 70})))[:2]
    pick = pick.model_copy(update={"title": title})
    none = none.model_copy(update={"title": title, "missing": (title,)})
    unshared = pick.model_copy(update={"outcome": "none", "why_none": "nothing_shared", "leaders": ()})
    with speaking(locale):
        said = [words.title(pick), words.unmeasured([none]), words.note(unshared), words.hybrid_sentence([pick, pick])]
    for sentence in said:
        assert sentence.isprintable()
        assert 0 < len(sentence) < 200
    assert said[0] == (title if "%" in title else said[0])


# In German


def test_a_lead_and_what_it_is_beyond_is_told_in_german() -> None:
    found = ask(week(coding({"ada": 80, "bob": "77.4"})), coding=1)
    with speaking("de"):
        assert words.note(found) == "80,0 bei Board Coding; danach kommt bob (77,4)."
        assert words.reasons(found) == [
            "ada hat 80,0 bei Board Coding, 2,6 Punkte vor bob mit 77,4; das ist mehr als die Spanne (1,0 Punkte)."
        ]


def test_a_tie_and_its_cheapest_are_told_in_german() -> None:
    asked = a_price_list({"ada": an_offer(2, 12), "bob": an_offer(1, 1)})
    found = ask(week(coding({"ada": 80, "bob": "79.4", "cyd": 79, "dan": 79, "eve": 5}), asked), coding=1)
    with speaking("de"):
        assert words.who(found) == "ada, bob, cyd und 1 weiteres"
        assert words.note(found) == (
            "ada hat 80,0 bei Board Coding; 3 weitere liegen innerhalb der Spanne (1,0 Punkte): Gleichstand. "
            "Von den 2 mit bekanntem Preis hat bob den niedrigsten Mischpreis: 1,00\u00a0$."
        )


def test_limits_are_told_in_german_in_the_plural_that_fits() -> None:
    board = coding({"gpt-5.4": 80, "kimi-k2.6": 70, "deepseek-v3.2": 60})
    found = ask(week(board), Limits(None, True, 1000), coding="0.5")
    with speaking("de"):
        assert words.reasons(found)[1] == (
            "2 Modelle haben offene Gewichte und einen Kontext von mindestens 1\u00a0Tsd. Token; "
            "ausgelassen: 1 mit geschlossenen Gewichten."
        )
        assert words.plain_weight(Decimal("0.50")) == "0,5"


def test_needs_keep_their_capital_inside_a_german_sentence() -> None:
    board = a_board({CODING: {"ada": 80, "bob": 70}, MATH: {"ada": 1, "bob": 9}, "IF": {"ada": 5, "bob": 5}})
    found = picks(week(board))
    both = ask(week(board, a_price_list({"ada": an_offer(1, 1)})), coding=1, cost=1)
    with speaking("de"):
        assert words.hybrid_sentence(found) == (
            "ada für Programmieren und gleichauf für Anweisungstreue; bob für Mathematik."
        )
        assert words.unmeasured(found).endswith("Multimodalität, Kosten oder Latenz.")
        assert words.title(both) == "Programmieren, Kosten"


# Whatever the figures

FIGURES = st.decimals(0, 100, places=2)
PRICES = st.decimals(0, 90, places=2)
NAMES = st.sampled_from(["ada", "bob", "cyd", "dan", "eve", "fay"])
TABLES = st.dictionaries(NAMES, st.tuples(FIGURES, FIGURES, PRICES, PRICES, st.integers(1000, 2_000_000)), min_size=2)


def everything(table: Any) -> list[Pick]:
    board = a_board(
        {
            "overall": {name: row[0] for name, row in table.items()},
            CODING: {name: row[0] for name, row in table.items()},
            MATH: {name: row[1] for name, row in table.items()},
        },
        margin=Decimal(2),
    )
    asked = a_price_list({name: an_offer(*row[2:]) for name, row in table.items()})
    found = week(board, asked)
    limits = Limits(Decimal(40), min_context=9000)
    combined = [ask(found, each, **needs) for each in (Limits(), limits) for needs in COMBINED]
    return [*picks(found), *picks(found, limits), *combined]


COMBINED: list[dict[str, Any]] = [{"coding": 2, "math": 1}, {"coding": 1, "cost": 2}, {"long_context": 1, "math": 1}]


@given(TABLES)
@examples(max_examples=40, derandomize=True, deadline=None)
def test_no_sentence_claims_a_lead_inside_the_uncertainty(table: Any) -> None:
    for found in everything(table):
        said = " ".join([words.note(found), *words.reasons(found)])
        if found.outcome == "tie":
            assert "a tie" in said
            assert not re.search(r"ahead of|less than|more than|next is", said)
        elif found.method == "figure" and found.criteria and found.criteria[0].unit == "%" and found.gap is not None:
            assert found.gap > 2


@given(TABLES)
@examples(max_examples=40, derandomize=True, deadline=None)
def test_every_number_in_a_sentence_is_in_the_facts(table: Any) -> None:
    for found in everything(table):
        facts = json.loads(found.model_dump_json())
        known = {"100", "1M", "5"} | {text for figure in figures_in(facts) for text in written(figure)}
        for sentence in [words.note(found), *words.reasons(found)]:
            for number in re.findall(r"\d[\d,.]*[KM]?", sentence):
                assert number.rstrip(".,") in known, sentence


def figures_in(node: Any) -> list[Decimal]:
    """Every figure of a JSON document; Decimals are texts in it."""
    if isinstance(node, dict):
        return [figure for member in node.values() for figure in figures_in(member)]
    if isinstance(node, list):
        return [Decimal(len(node)), Decimal(len(node) - 1), *(it for member in node for it in figures_in(member))]
    try:
        return [Decimal(str(node))]
    except ArithmeticError:
        return []


def written(figure: Decimal) -> list[str]:
    places = [plain(figure, decimals) for decimals in range(7)]
    return [*places, money(figure).strip("$"), tokens(figure), f"{figure.normalize():f}"]
