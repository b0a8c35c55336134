"""What an edition says first is the most important fact, and never more than the evidence."""

import pytest
from tests import builders as b
from tests.edition.corrections import a_correction

from digest.edition import opening
from digest.edition.content import Edition
from digest.edition.story_facts import Story
from digest.language import speaking

QUIET = b.an_empty_edition(boards=(b.a_quiet_board(),), health=(b.a_source(), b.a_stale_source()))
UNREAD = (b.a_failed_source(), b.a_stale_source())
EDITIONS = {
    "tie": (b.an_edition(), "gpt-5.5 xhigh ties for #1 · 7 more new entries"),
    "lead": (
        b.an_empty_edition(boards=(b.a_lower_is_better_board(),)),
        "finix_s1_32b takes #1 by 1.5 points",
    ),
    "quiet with a price": (
        QUIET.model_copy(update={"prices": (b.a_halved_price(),)}),
        "No top-7 change · gpt-5.5-pro at half price",
    ),
    "only a price": (b.an_empty_edition(prices=(b.a_halved_price(),)), "gpt-5.5-pro at half price"),
    "only new prices": (
        b.an_empty_edition(prices=(b.some_prices(priced=b.some_prices().priced[:1]),)),
        "gpt-5.5 is priced",
    ),
    "nothing changed": (
        b.an_empty_edition(health=(b.a_source(status="unchanged", counted=98),)),
        "Nothing changed on LiveBench · 98 models checked",
    ),
    "read, but no news": (
        b.an_empty_edition(health=(b.a_source(counted=98),)),
        "No news on LiveBench · 98 models checked",
    ),
    "only noise": (
        b.an_empty_edition(movers=(b.some_movers(movers=(), within_noise=222),), health=(b.a_source("Arena text"),)),
        "Nothing beyond noise on Arena text",
    ),
    "only failed": (
        b.an_empty_edition(health=(b.a_failed_source(),)),
        "No source could be read this week",
    ),
    "only stale": (b.an_empty_edition(health=(b.a_stale_source(),)), "No source said anything new this week"),
    "first capture": (
        b.an_empty_edition(
            boards=(b.a_board(leader="first_capture", previous=None),), health=(b.a_source(status="new"),)
        ),
        "A first look at LiveBench",
    ),
    "no source at all": (b.an_empty_edition(), "No source said anything new this week"),
    "benchmark revised": (
        b.an_empty_edition(method=(b.a_method_note(kind="benchmark_revised", benchmark="overall"),)),
        "65 overall scores moved; no model did",
    ),
    "benchmark made up anew": (
        b.an_empty_edition(boards=(b.a_board(leader="not_comparable"),), method=(b.a_method_note(),)),
        "LiveBench overall moved; no model did",
    ),
    "a mover": (b.an_empty_edition(movers=(b.some_movers(),)), "o3 high up 1.7 points"),
    "disagreement": (
        b.an_empty_edition(disagreements=(b.a_disagreement(),)),
        "Qwen3.5 397B: two sources disagree",
    ),
    "rows left": (b.an_empty_edition(gone=(b.some_gone(),)), "6 rows left LiteLLM prices"),
}


@pytest.mark.parametrize("kind", EDITIONS)
def test_the_subject_carries_the_fact(kind: str) -> None:
    edition, subject = EDITIONS[kind]
    assert opening.subject(edition).startswith(subject)


@pytest.mark.parametrize("edition", [edition for edition, _ in EDITIONS.values()] + [b.a_full_edition()])
def test_subject_and_preheader_fit_and_the_preheader_is_a_second_fact(edition: Edition) -> None:
    subject, preheader = opening.subject(edition), opening.preheader(edition)
    assert 0 < len(subject) <= 50
    assert 0 < len(preheader) <= 85
    assert opening.points(edition)[0].brief not in preheader


def test_a_tie_is_not_told_as_a_lead_even_when_the_board_calls_it_one() -> None:
    edition = b.an_empty_edition(boards=(b.a_board(leader="new_leader"),))
    told = " ".join([opening.subject(edition), opening.headline(edition), opening.lead(edition)])
    assert "ties for" in told
    assert "takes" not in told


def test_a_lead_is_told_with_its_distance_and_with_who_was_first_before() -> None:
    edition = b.an_empty_edition(boards=(b.a_lower_is_better_board(),))
    assert opening.headline(edition) == "finix_s1_32b takes first place on Vectara hallucination"
    assert opening.lead(edition) == (
        "Its 1.8 on Vectara hallucination, Hallucination Rate is 1.5 points ahead of gemini-2.5-flash-lite, "
        "beyond the margin of 0.5 points. gemini-2.5-flash-lite was first before."
    )


def test_a_lead_beyond_uncertainty_comes_before_a_tie() -> None:
    edition = b.an_empty_edition(boards=(b.a_board(), b.a_lower_is_better_board()))
    assert opening.subject(edition).startswith("finix_s1_32b takes #1")


def test_a_first_place_that_two_variants_of_one_model_share_names_the_variants() -> None:
    places = (
        b.a_place(1, b.a_name("gpt-5.5", "xhigh"), "80.71", band=1),
        b.a_place(2, b.a_name("gpt-5.5", "high"), "80.28", band=1),
    )
    assert "over gpt-5.5 high" in opening.lead(b.an_empty_edition(boards=(b.a_board(places=places),)))


def test_in_brief_has_at_most_three_items_and_none_that_the_headline_tells() -> None:
    assert [point.brief for point in opening.in_brief(b.an_edition())] == [
        "Eight new rows of four models on LiveBench.",
        "o3 high is up 1.7 points.",
        "gemini-embedding-2-preview on Vertex AI costs 25% less.",
    ]
    assert opening.in_brief(b.an_empty_edition(prices=(b.a_halved_price(),))) == []


def test_in_brief_does_not_repeat_what_the_opening_has_told_in_full() -> None:
    edition = b.an_empty_edition(
        movers=(b.some_movers(),), prices=(b.a_halved_price(),), disagreements=(b.a_disagreement(),)
    )
    assert opening.headline(edition) == "o3 high is up 1.7 points on Aider polyglot"
    assert "o3 high is up" not in " ".join(point.brief for point in opening.in_brief(edition))


def test_a_board_of_a_source_that_was_not_read_is_not_called_unchanged() -> None:
    edition = b.an_empty_edition(boards=(b.a_quiet_board(),), health=(b.a_source(status="failed"),))
    assert "change" not in opening.subject(edition)


def test_a_failed_source_is_named_beside_what_was_read() -> None:
    edition = b.an_empty_edition(health=(b.a_source(status="unchanged"), b.a_failed_source()))
    assert opening.preheader(edition) == "Arena text could not be read."


def test_a_source_that_has_long_been_stale_is_no_news_beside_news() -> None:
    edition = b.an_empty_edition(prices=(b.a_halved_price(),), health=(b.a_source(), b.a_stale_source()))
    assert "stale" not in " ".join([opening.subject(edition), opening.preheader(edition)])
    assert opening.preheader(edition) == "1 of 2 sources fresh. Mon 27 Apr compared with Mon 20 Apr."


def test_price_changes_of_different_size_are_not_summed_up_in_one() -> None:
    mixed = b.a_price("changed", b.a_name("o3"), input=("10", "5"), output=("40", "38"))
    same = b.a_price("changed", b.a_name("o3"), input=("10", "7.5"), output=("40", "30"))
    run = b.a_price("changed", b.a_name("o3"), run_cost=("20", "10"))
    subjects = [opening.subject(b.an_empty_edition(prices=(b.some_prices(priced=(p,)),))) for p in (mixed, same, run)]
    assert subjects == ["o3 has a new price", "o3 costs 25% less", "o3 costs half to run"]


def test_a_name_too_long_for_the_subject_is_clipped_and_the_fact_stays() -> None:
    places = (b.a_place(1, b.a_name("m" * 10_000), "90"), b.a_place(2, b.a_name("o3"), "80"))
    subject = opening.subject(b.an_empty_edition(boards=(b.a_board(leader="new_leader", places=places),)))
    assert subject.endswith("… takes #1 by 10.0 points")
    assert len(subject) <= 50


def test_a_sentence_does_not_change_the_case_of_a_models_name() -> None:
    for edition, _ in EDITIONS.values():
        told = " ".join(" ".join(point) for point in opening.points(edition))
        assert "Gpt-" not in told
        assert "Gemini-" not in told


def test_a_variant_is_told_with_the_model_so_that_two_rows_of_one_model_are_not_confused() -> None:
    edition = b.an_empty_edition(boards=(b.a_quiet_board(),), arrivals=(b.some_arrivals(),), health=(b.a_source(),))
    told = " ".join([opening.lead(edition), *(point.detail for point in opening.points(edition))])
    assert "gpt-5.5 xhigh 80.7" in told
    assert "claude-opus-4.7 xhigh 76.9" in told


def test_a_name_whose_variant_does_not_fit_the_subject_goes_without_it() -> None:
    name = b.a_name("gpt-5.5-codex-max-preview-20260420", "xhigh", thinking="64k")
    places = (b.a_place(1, name, "90"), b.a_place(2, b.a_name("o3"), "80"))
    edition = b.an_empty_edition(boards=(b.a_board(leader="new_leader", places=places),))
    assert opening.subject(edition).startswith("gpt-5.5-codex-max-previe")
    assert opening.headline(edition).startswith("gpt-5.5-codex-max-preview-20260420 thinking 64k, xhigh")


def test_no_model_is_said_to_have_stood_still_where_one_moved() -> None:
    moved = b.a_method_note(kind="benchmark_revised", benchmark="overall", models_moved=2)
    shifted = b.a_method_note(kind="scale_shifted", benchmark="overall", shift=7, models_moved=2)
    board = b.a_board(leader="not_comparable")
    elsewhere = b.some_movers(source="livebench", movers=(), elsewhere=3)
    for edition in (
        b.an_empty_edition(method=(moved,)),
        b.an_empty_edition(method=(shifted,)),
        b.an_empty_edition(boards=(board,), movers=(elsewhere,)),
    ):
        told = " ".join(" ".join(point) for point in opening.points(edition))
        assert "no model" not in told
        assert "moved" in told


def test_a_context_window_is_no_price_that_was_cut_or_put_right() -> None:
    scout = b.a_price("changed", b.a_name("scout"), context=("192000", "10485760"))
    edition = b.an_empty_edition(prices=(b.some_prices(priced=(scout,), folded=0),))
    assert opening.headline(edition) == "scout has another context window"
    assert "cut" not in opening.lead(edition)


def test_a_benchmark_that_the_headline_tells_of_is_not_told_again_in_brief() -> None:
    edition = b.an_empty_edition(boards=(b.a_board(leader="not_comparable"),), method=(b.a_method_note(),))
    assert "consecutive events" in opening.lead(edition)
    assert opening.in_brief(edition) == []


def test_a_new_first_row_is_not_counted_again_as_the_only_new_entry() -> None:
    one = b.some_arrivals(rows=1, models=b.some_arrivals().models[:1])
    assert opening.subject(b.an_empty_edition(boards=(b.a_board(),), arrivals=(one,))) == "gpt-5.5 xhigh ties for #1"
    two = b.some_arrivals(rows=2, models=b.some_arrivals().models[:2])
    assert opening.subject(b.an_empty_edition(boards=(b.a_board(),), arrivals=(two,))).endswith("1 more new entry")


def test_the_subject_is_never_that_of_the_edition_before() -> None:
    edition, told = b.an_edition(), []
    for _week in range(3):
        told.append(opening.subject(edition))
        edition = edition.model_copy(update={"last_subjects": (told[-1].upper(),)})
    assert told[0] == told[2] != told[1]
    alone = b.an_empty_edition(health=(b.a_source(status="unchanged", counted=98),))
    again = alone.model_copy(update={"last_subjects": ("Nothing changed on LiveBench · 98 models checked",)})
    assert opening.subject(again) == "Nothing changed on LiveBench · week 18"


def test_a_subject_that_would_be_repeated_names_its_week() -> None:
    edition = b.an_empty_edition(health=(b.a_source(status="unchanged", counted=98),))
    subjects = list(opening._subjects(edition))
    assert len(subjects) == 2
    assert all(len(line) <= 50 for line in subjects)
    assert opening.subject(edition.model_copy(update={"last_subjects": (subjects[0],)})) == subjects[1]


def test_a_new_row_among_the_first_ten_is_told_by_name_with_its_place_and_its_tie() -> None:
    arrivals = b.some_arrivals(models=b.some_arrivals().models[1:], rows=6)
    edition = b.an_empty_edition(arrivals=(arrivals,))
    assert opening.subject(edition) == "claude-opus-4.7 xhigh enters LiveBench at #4, tied"
    assert opening.headline(edition) == "claude-opus-4.7 xhigh enters LiveBench at #4, tied"
    assert opening.lead(edition).startswith("Six new rows of three models on LiveBench. claude-opus-4.7 xhigh 76.9")


def test_one_row_that_left_is_told_by_name() -> None:
    gone = b.some_gone(names=(b.a_name("gpt-5.1-codex-max", "xhigh"),), folded=0)
    edition = b.an_empty_edition(gone=(gone,))
    assert opening.subject(edition) == "gpt-5.1-codex-max xhigh left LiteLLM prices"


def test_a_first_row_that_noise_brought_to_the_top_is_told_neither_as_a_lead_nor_as_a_tie() -> None:
    places = (b.a_place(1, b.a_name("o3"), "81", (2, "80")), b.a_place(2, b.a_name("o1"), "79", (1, "80")))
    edition = b.an_empty_edition(boards=(b.a_board(leader="new_within_noise", places=places),))
    told = " ".join([opening.subject(edition), opening.headline(edition), opening.lead(edition)])
    assert opening.headline(edition) == "o3 comes first on LiveBench, within noise"
    assert "no score moved beyond the margin of 1.0 point" in told
    assert "takes" not in told
    assert "ties" not in told


def test_what_is_worth_more_is_told_first() -> None:
    edition = b.an_empty_edition(movers=(b.some_movers(),), prices=(b.a_halved_price(),))
    assert opening.headline(edition).startswith("o3 high is up")
    worth = [("movers", "aider", 70), ("prices", "litellm", 90)]
    stories = tuple(
        Story(id=source, kind="mover", section=section, source=source, about="o3", value=value)
        for section, source, value in worth
    )
    assert opening.headline(edition.model_copy(update={"stories": stories})) == "gpt-5.5-pro at half price"


def test_a_quiet_week_says_so_where_no_board_can() -> None:
    edition = b.an_empty_edition(prices=(b.some_prices(priced=()),), health=(b.a_source(),), quiet=True)
    new = edition.model_copy(update={"prices": (b.some_prices(priced=b.some_prices().priced[:1]),)})
    assert opening.headline(new) == "Nothing of weight changed on LiveBench"
    assert opening.subject(new) == "A quiet week · gpt-5.5 is priced"


def test_corrections_are_counted_and_the_first_is_told() -> None:
    board = b.a_quiet_board(steady=10)
    edition = b.an_empty_edition(
        boards=(board,), health=(b.a_source(),), corrections=(a_correction(),), corrections_folded=1, quiet=True
    )
    assert opening.subject(edition) == "No top-10 change · 2 corrections"
    assert opening.in_brief(edition)[0].detail.endswith(
        "The source put its figure right; the model did not move. One more below."
    )


def test_a_failed_source_is_told_once_in_brief() -> None:
    edition = b.an_empty_edition(prices=(b.a_halved_price(),), health=(b.a_source(), b.a_failed_source()))
    (point,) = opening.in_brief(edition)
    assert point.brief == "Arena text could not be read."
    assert "could not be read" not in point.detail


def test_a_week_in_which_nothing_was_captured_says_that_nothing_is_known() -> None:
    edition = b.an_empty_edition(health=(b.a_source(status="unchanged", current=b.WEEK_17),))
    assert opening.headline(edition) == "No source was read this week"
    assert "we do not know" in opening.lead(edition)


def test_the_reading_time_grows_with_the_page_and_is_never_zero() -> None:
    assert opening.reading_time(b.an_empty_edition()) == "1 min read"
    minutes = [int(opening.reading_time(edition).split()[0]) for edition in (b.an_edition(), b.a_full_edition())]
    assert 1 < minutes[0] < minutes[1]


@pytest.mark.parametrize("edition", [edition for edition, _ in EDITIONS.values()] + [b.a_full_edition()])
def test_in_german_too_subject_and_preheader_fit_and_stand_in_no_english_words(edition: Edition) -> None:
    english = {line for point in opening.points(edition) for line in (point.headline, point.lead)}
    with speaking("de"):
        assert 0 < len(opening.subject(edition)) <= 50
        assert 0 < len(opening.preheader(edition)) <= 85
        assert english.isdisjoint({opening.headline(edition), opening.lead(edition)})


def test_a_german_edition_begins_with_the_same_fact() -> None:
    with speaking("de"):
        assert opening.subject(b.an_edition()) == "gpt-5.5 xhigh teilt sich Platz 1 · 7 weitere neu"
        assert opening.headline(b.an_edition()) == "gpt-5.5 xhigh teilt sich Platz 1 bei LiveBench"
        assert opening.lead(b.an_edition()) == (
            "Es erreicht 80,7 (LiveBench overall) und steht oben, aber der Vorsprung auf gpt-5.4 xhigh (0,4 Punkte) "
            "liegt innerhalb der Spanne (1,0 Punkte)."
        )


def test_a_halved_price_is_told_as_half_in_every_language() -> None:
    run = b.a_price("changed", b.a_name("o3"), run_cost=("20", "10"))
    cheaper = b.a_price("changed", b.a_name("o3"), input=("10", "7.5"), output=("40", "30"))
    editions = [b.an_empty_edition(prices=(b.some_prices(priced=(priced,)),)) for priced in (run, cheaper)]
    with speaking("de"):
        said = [
            opening.subject(edition).replace("\u00a0", " ")
            for edition in (b.an_empty_edition(prices=(b.a_halved_price(),)), *editions)
        ]
    assert said == ["gpt-5.5-pro zum halben Preis", "o3 kostet im Lauf die Hälfte", "o3 kostet 25 % weniger"]


def test_rows_with_equal_scores_on_a_board_without_uncertainty_are_told_as_equal() -> None:
    places = tuple(b.a_place(rank, b.a_name(name), "81", band=1) for rank, name in ((1, "o3"), (2, "o1")))
    board = b.a_board(leader="new_but_tied", places=places, uncertainty="none", margin=None)
    assert opening.points(b.an_empty_edition(boards=(board,)))[0].detail == "o3 81.0 and o1 81.0: equal scores."


def test_a_benchmark_with_one_row_has_it() -> None:
    edition = b.an_empty_edition(method=(b.a_method_note(kind="benchmark_added", rows=1),))
    assert opening.points(edition)[0].detail == "One row has it."
