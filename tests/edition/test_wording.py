"""The words of the sections say what the facts say, and no more."""

from datetime import date
from decimal import Decimal

import pytest
from tests import builders as b
from tests.edition.corrections import a_correction

from digest.edition import health_words, price_words, source_words, wording
from digest.edition.section_facts import (
    Ahead,
    Board,
    GoesStale,
    HeldBack,
    Movers,
    NextEdition,
    Priced,
    PriceList,
    Renamed,
    TopTie,
)
from digest.language import speaking


def test_the_masthead_names_the_week_both_days_and_the_sources_that_are_fresh() -> None:
    edition = b.an_edition()
    assert wording.masthead_week(edition) == "Week 18, 2026"
    assert wording.dates(edition) == "Mon 27 Apr compared with Mon 20 Apr"
    assert health_words.sources_fresh(edition) == "3 of 4 sources fresh"


def test_rows_of_one_band_stand_under_one_label_and_a_lone_row_under_none() -> None:
    told = [(band.label, band.first, len(band.places)) for band in wording.bands(b.a_rating_board())]
    assert told == [
        ("", True, 1),
        ("Tied for 2nd: their intervals overlap", False, 2),
        ("Tied for 3rd: their intervals overlap", False, 2),
    ]
    assert wording.bands(b.a_board())[0].label == "Tied for 1st: within 1.0 point"


def test_a_board_says_when_lower_is_better() -> None:
    assert "Lower is better." in wording.board_note(b.a_lower_is_better_board())
    assert "Lower is better." not in wording.board_note(b.a_board())


@pytest.mark.parametrize(
    ("board", "heading"),
    [
        (b.a_board(), "LiveBench: a tie at the top"),
        (b.a_board(leader="new_leader"), "LiveBench: a tie at the top"),
        (b.a_quiet_board(), "LiveBench: the same first, tied"),
        (b.a_lower_is_better_board(), "Vectara hallucination: a new first"),
        (b.a_board(leader="first_capture"), "LiveBench: a first look"),
        (b.a_rating_board(), "Arena text: no change at the top"),
        (b.a_board(leader="not_comparable"), "LiveBench: not comparable with the week before"),
    ],
)
def test_a_boards_heading_says_what_became_of_the_first_place(board: Board, heading: str) -> None:
    assert wording.board_heading(board) == heading


def test_movements_are_told_in_words_beside_the_arrow() -> None:
    assert [wording.movement(place) for place in b.a_board().places[:3]] == ["new", "▼ down 1", "▼ down 1"]
    assert wording.movement(b.a_place(2, b.a_name(), "80", (5, "80"))) == "▲ up 3"
    assert wording.movement(b.a_place(2, b.a_name(), "80", movement=None)) == ""


def test_the_receipt_has_exact_figures_the_raw_row_both_days_and_both_hashes() -> None:
    assert wording.receipt(b.a_board()) == (
        "Receipt: 80.71 and 80.28; row gpt-5.5-xhigh; Mon 27 Apr, sha256 3af2987a. Before: Mon 20 Apr, sha256 05583756."
    )


def test_a_first_capture_has_no_receipt_of_a_week_before() -> None:
    assert "Before" not in wording.receipt(b.a_board(previous=None))


def test_a_standing_is_called_a_tie_or_a_lead_by_the_boards_own_rule() -> None:
    assert wording.standing(b.a_board()).endswith("inside the margin of 1.0 point: a tie.")
    assert wording.standing(b.a_rating_board()).endswith("beyond the published intervals.")
    untold = b.a_lower_is_better_board(uncertainty="none", margin=None)
    assert wording.standing(untold).endswith("; no uncertainty is published.")


def test_a_falling_figure_is_good_news_where_lower_is_better() -> None:
    higher, lower = b.some_movers(), b.some_movers(higher_is_better=False)
    falls = higher.movers[1]
    assert wording.moved_score(higher, falls) == ("78.2", "▼ −4.5 pt", "bad", "was 82.7")
    assert wording.moved_score(lower, falls).tone == "good"


def test_scores_that_moved_within_noise_are_counted_and_not_listed() -> None:
    note = wording.movers_note(b.some_movers(movers=(), within_noise=222))
    assert note == "Left out as noise: 222 scores on Aider polyglot moved, none beyond uncertainty."


def test_coverage_counts_tasks_and_names_the_other_variants() -> None:
    arrivals = b.some_arrivals()
    assert wording.coverage(arrivals, arrivals.models[0]) == "23 of 23 tasks. Also high #6, 76.2."


def test_a_model_without_a_rank_is_not_ranked_rather_than_last() -> None:
    assert wording.rank_words(None, False) == "not ranked"
    assert wording.rank_words(1, True) == "#1, tied"


@pytest.mark.parametrize(
    ("priced", "cell"),
    [
        (b.a_price("new", b.a_name(), input=(None, "5")), ("$5.00", "", "plain", "")),
        (b.a_price("new", b.a_name(), output=(None, "5")), ("not known", "", "plain", "")),
        (b.a_price("new", b.a_name(), input=(None, "0")), ("$0.00", "", "plain", "")),
        (b.a_price("changed", b.a_name(), input=("60", "30")), ("$30.00", "▼ half", "good", "was $60.00")),
        (b.a_price("changed", b.a_name(), input=("1", "1.2")), ("$1.20", "▲ 20% more", "bad", "was $1.00")),
        (b.a_price("changed", b.a_name(), input=("2", "0")), ("$0.00", "▼ less", "good", "was $2.00")),
        (b.a_price("changed", b.a_name(), output=("2", "1")), ("no change", "", "plain", "")),
        (b.a_price("withdrawn", b.a_name(), input=("30", None)), ("withdrawn", "", "plain", "was $30.00")),
        (b.a_price("filled_in", b.a_name(), input=(None, "0.028")), ("$0.028", "", "plain", "")),
    ],
)
def test_a_price_says_what_it_is_what_it_was_and_what_is_not_known(priced: Priced, cell: tuple[str, ...]) -> None:
    assert price_words.price_cell(priced, "input") == cell


def test_a_price_list_names_its_unit_its_source_and_its_day() -> None:
    assert price_words.prices_note(b.some_prices()) == "USD per 1M tokens, from LiteLLM prices as of Mon 27 Apr."
    run = b.some_prices(title="Aider", priced=(b.a_price("changed", b.a_name(), run_cost=("111", "21")),))
    assert price_words.prices_note(run) == "Run cost in USD for a whole benchmark run, from Aider as of Mon 27 Apr."
    assert price_words.price_columns(run) == [("run_cost", "Run cost")]


def test_a_context_window_is_told_in_tokens_with_what_it_was() -> None:
    scout = b.a_price("changed", b.a_name("scout"), context=("192000", "10485760"))
    assert price_words.price_note(scout) == "context 10.49M tokens, was 192K"
    filled = b.a_price("filled_in", b.a_name(), 3, context=(None, "128000"))
    assert price_words.price_note(filled) == "filled in, not changed, 128K tokens of context, the same under 3 ids"


def test_a_disagreement_names_each_source_with_its_figure_and_day() -> None:
    assert source_words.disagreement_sentence(b.a_disagreement()) == (
        "For SWE-bench Verified: 76.4 (Local LLM notes, Mon 2 Mar) and 42.0 (Side by side, Mon 9 Mar)."
    )


@pytest.mark.parametrize(
    ("measure", "unit", "figures"), [("input", "USD", ("$76.40", "$42.00")), ("context", "tokens", ("76", "42"))]
)
def test_disputed_prices_and_context_windows_have_their_own_units(
    measure: str, unit: str, figures: tuple[str, str]
) -> None:
    assert source_words.both_figures(b.a_disagreement(measure=measure, unit=unit)) == figures


def test_a_revised_benchmark_is_no_models_doing() -> None:
    note = b.a_method_note(kind="benchmark_revised", benchmark="category:Data Analysis")
    assert source_words.method_sentence(note).startswith(
        "LiveBench makes up Data Analysis differently now: 65 scores moved; no"
    )


def test_sources_in_trouble_come_first_and_are_called_by_name() -> None:
    edition = b.an_edition(health=(b.a_source(), b.a_stale_source(), b.a_failed_source()))
    assert [health.title for health in health_words.by_trouble(edition)] == [
        "Arena text",
        "Vectara hallucination",
        "LiveBench",
    ]


def test_a_stale_source_is_not_said_to_have_held_still() -> None:
    told = " ".join(health_words.health_sentences(b.a_stale_source()))
    assert told.startswith("Vectara hallucination last changed Mon 9 Feb, 77 days ago.")
    assert told.endswith("That does not say its figures held still; it says we do not know.")


def test_a_day_of_another_year_is_given_with_its_year() -> None:
    assert "Mon 9 Feb 2026, 200 days ago" in health_words.health_note(b.a_stale_source(age_days=200))


def test_a_failed_source_says_what_failed_and_that_there_is_no_news_of_it() -> None:
    told = " ".join(health_words.health_sentences(b.a_failed_source()))
    assert "could not be read (the server answered 503 three times)" in told
    assert told.endswith("No news of Arena text this week.")


def test_a_source_that_was_read_needs_no_sentence() -> None:
    assert health_words.health_sentences(b.a_source()) == []


def test_the_masthead_names_weeks_where_sources_were_captured_on_other_days() -> None:
    thursday = b.WEEK_18.model_copy(update={"on": date(2026, 4, 30)})
    edition = b.an_edition(health=(b.a_source(), b.a_source("Aider", current=thursday)))
    assert wording.dates(edition) == "Week of Mon 27 Apr compared with week of Mon 20 Apr"
    alone = b.an_edition(health=(b.a_source(current=thursday), b.a_stale_source()))
    assert wording.dates(alone) == "Thu 30 Apr compared with Mon 20 Apr"


@pytest.mark.parametrize("section", [b.a_board(), b.some_movers(), b.some_prices()])
def test_a_section_names_both_captures(section: Board | Movers | PriceList) -> None:
    assert wording.captures(section) == "Mon 27 Apr, sha256 3af2987a. Before: Mon 20 Apr, sha256 05583756."


def test_new_rows_are_counted_with_their_models_where_the_numbers_differ() -> None:
    assert wording.arrivals_sentence(b.some_arrivals()) == "Eight new rows of four models on LiveBench."
    assert wording.arrivals_sentence(b.some_arrivals(rows=4)) == "Four new rows on LiveBench."


def test_the_columns_of_a_table_are_no_tasks_and_told_only_where_some_are_missing() -> None:
    whole, part = (b.some_arrivals().models[2].model_copy(update={"measured": n, "benchmarks": 4}) for n in (4, 3))
    table = b.some_arrivals(counted_as="columns")
    assert [wording.coverage(table, new) for new in (whole, part)] == ["", "3 of 4 columns."]


def test_news_beside_the_lead_benchmark_is_counted() -> None:
    note = wording.movers_note(b.some_movers(elsewhere=3))
    assert note == "Three more changes on other benchmarks are not listed here."
    assert wording.movers_note(b.some_movers(movers=(), elsewhere=1)).startswith("One change on other benchmarks is")


def test_prices_without_a_column_are_counted() -> None:
    told = price_words.prices_folded(b.some_prices(folded=0, elsewhere=2))
    assert told == "2 changes of tier and cache prices and answer sizes are not listed here."


def test_a_row_of_which_only_the_context_changed_says_nothing_of_its_price() -> None:
    scout = b.a_price("changed", b.a_name("scout"), context=("192000", "10485760"))
    assert price_words.price_cell(scout, "input").value == ""


def test_a_benchmark_that_repeats_its_sources_word_is_set_off_by_a_comma() -> None:
    assert wording.measure(b.a_lower_is_better_board()) == "Vectara hallucination, Hallucination Rate"
    assert wording.measure(b.a_board()) == "LiveBench overall"


def test_standard_errors_are_told_as_the_test_that_is_made_of_them() -> None:
    board = b.a_board(uncertainty="stderr", margin=None)
    assert "inside the 95% uncertainty: a tie" in wording.standing(board)
    assert wording.bands(board)[0].label == "Tied for 1st: within the 95% uncertainty"


def test_the_disagreements_about_one_model_stand_together() -> None:
    price = {"unit": "USD per 1M tokens"}
    other = b.a_disagreement(name=b.a_name("o3"))
    edition = b.an_edition(
        disagreements=(b.a_disagreement(measure="input", **price), other, b.a_disagreement(measure="output", **price))
    )
    told = [(name.title, [one.measure for one in about]) for name, about in source_words.disputes(edition)]
    assert told == [("Qwen3.5 397B", ["input", "output"]), ("o3", ["SWE-bench Verified"])]


def test_a_correction_says_what_was_printed_what_is_true_and_when() -> None:
    assert source_words.correction_sentence(a_correction()) == (
        "Aider polyglot, pass rate 2: o3 high was printed as 80.0 on Mon 20 Apr and is 82.0 on Mon 27 Apr. "
        "The source put its figure right; the model did not move."
    )


def test_a_figure_that_was_taken_back_is_not_known_and_not_zero() -> None:
    cost = a_correction(benchmark="total_cost", unit="USD", printed=Decimal("6.3174"), true=None)
    assert source_words.correction_sentence(cost).endswith(
        "was printed as $6.32 on Mon 20 Apr and is not known on Mon 27 Apr. The source took its figure back."
    )


def test_a_key_that_was_given_to_another_row_is_no_rename() -> None:
    facts = {"change": "r", "source": "a", "title": "Aider", "rows": 1}
    renamed = Renamed(**facts, before=b.a_name("o1"), after=b.a_name("o3"))
    assert source_words.renamed_sentence(renamed) == "Aider lists o1 as o3 now."
    reused = source_words.renamed_sentence(renamed.model_copy(update={"reused": True}))
    assert reused == "Aider gave the row of o1 to o3: another model, so that neither moved."


def test_a_source_that_was_not_read_is_not_called_unchanged() -> None:
    missing = b.a_source(status="unchanged", current=b.WEEK_17)
    assert health_words.health_state(missing)[:2] == ("○", "Not read")
    assert health_words.health_note(missing) == "newest capture Mon 20 Apr"
    edition = b.an_edition(health=(b.a_source("Aider"), missing))
    assert health_words.by_trouble(edition)[0] == missing
    assert health_words.sources_fresh(edition) == "1 of 2 sources fresh"
    assert "LiveBench was not read this week." in " ".join(health_words.health_sentences(missing))


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (
            HeldBack(title="Arena text"),
            "Arena text: a capture waits for a person to look at it; until then nothing of it is told.",
        ),
        (
            GoesStale(title="Aider", changed_on=date(2026, 3, 25), on=date(2026, 5, 10)),
            "Aider last changed Wed 25 Mar; it counts as stale from Sun 10 May unless it changes before.",
        ),
        (
            TopTie(title="LiveBench", first=b.a_name("o3"), second=b.a_name("o1"), gap=Decimal("0.43"), unit="%"),
            "LiveBench: o3 and o1 are 0.4 points apart at the top, which is a tie.",
        ),
        (
            TopTie(title="LiveBench", first=b.a_name("o3"), second=b.a_name("o1"), gap=Decimal(0), unit="%"),
            "LiveBench: o3 and o1 are level at the top, which is a tie.",
        ),
        (NextEdition(starts=date(2026, 5, 4)), "The next edition is for the week of Mon 4 May."),
    ],
)
def test_what_to_watch_next_is_a_fact_with_its_day(ahead: Ahead, said: str) -> None:
    assert health_words.ahead_sentence(ahead) == said


def test_variants_beyond_the_fifth_are_counted() -> None:
    arrivals = b.some_arrivals()
    many = arrivals.models[0].model_copy(update={"more": 3})
    assert wording.coverage(arrivals, many).endswith("Also high #6, 76.2; 3 more variants.")


def test_a_price_that_another_list_has_too_names_it() -> None:
    priced = b.a_price("new", b.a_name(), input=(None, "5")).model_copy(update={"also_in": ("genai-prices",)})
    assert price_words.price_note(priced) == "new, the same price on genai-prices"


def test_a_standing_is_told_in_german_with_german_figures() -> None:
    with speaking("de"):
        assert wording.standing(b.a_board()) == (
            "gpt-5.5 xhigh liegt 0,4 Punkte vor gpt-5.4 xhigh, innerhalb der Spanne (1,0 Punkte): Gleichstand."
        )
        assert wording.bands(b.a_board())[0].label == "Gleichauf auf dem 1. Platz: höchstens 1,0 Punkte Abstand"
        assert [wording.movement(place) for place in b.a_board().places[:2]] == ["neu", "▼ 1 tiefer"]


def test_one_and_several_are_told_apart_in_german() -> None:
    one = b.some_gone(names=(b.a_name("o1"),), folded=0)
    with speaking("de"):
        assert wording.gone_sentence(one) == "Ein Eintrag fehlt jetzt bei LiteLLM prices: o1."
        assert wording.gone_sentence(b.some_gone()).startswith("Sechs Einträge fehlen jetzt bei LiteLLM prices: ")
        assert wording.arrivals_sentence(b.some_arrivals()) == "Acht neue Einträge bei LiveBench (vier Modelle)."
        assert [wording.not_listed(n, "price entry") for n in (0, 1, 1200)] == [
            "",
            "1 weiterer Preiseintrag steht nicht hier.",
            "1.200 weitere Preiseinträge stehen nicht hier.",
        ]


def test_a_price_is_told_in_german_with_what_it_was() -> None:
    halved = b.a_price("changed", b.a_name(), input=("60", "30"), context=("192000", "10485760"))
    with speaking("de"):
        assert price_words.price_sentence(halved).replace("\u00a0", " ") == (
            "Eingabe von 60,00 $ auf 30,00 $ je 1 Mio. Token, Kontext 10,49 Mio. Token (vorher 192 Tsd.)."
        )
        assert price_words.price_cell(halved, "input").change == "▼ halbiert"


def test_the_kinds_of_more_that_a_section_leaves_out_all_have_words() -> None:
    nouns = ("model", "correction", "disagreement", "method change", "renamed row", "price entry")
    assert [wording.not_listed(1, noun) for noun in nouns] == [f"1 more {noun} is not listed here." for noun in nouns]
    assert wording.not_listed(2, "price entry") == "2 more price entries are not listed here."
