"""Places over weeks: which models, which places, which weeks cannot be compared, and all of it in words."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.snapshots import MONDAY, a_board

from digest.edition.history import Placing, RankHistory, below, finding, rank_history, told
from digest.language import speaking
from digest.scores.snapshot import Snapshot


def history(*weeks: Snapshot | None, **changes: Any) -> RankHistory:
    """Of weeks up to that of MONDAY, None for one without a capture."""
    mondays = [MONDAY - timedelta(weeks=back) for back in reversed(range(len(weeks)))]
    leads = {monday: board for monday, board in zip(mondays, weeks, strict=True) if board}
    facts = rank_history(leads, changes.pop("title", "Sample"), MONDAY)
    assert facts is not None
    return facts._replace(**changes)


def board(*values: float, margin: str | None = None, **about: Any) -> Snapshot:
    """Models m1, m2, ... with these scores."""
    figures = {f"m{place}": value for place, value in enumerate(values, start=1)}
    return a_board(figures, margin=Decimal(margin) if margin else None, **about)


def test_a_model_stands_by_its_best_row_counted_over_all_rows() -> None:
    facts = history(a_board({"gpt-5.5-xhigh": 80, "gpt-5.5-high": 79, "other": 78}))
    assert [(track.title, track.places) for track in facts.tracks] == [
        ("gpt-5.5", (Placing(1, True),)),
        ("other", (Placing(3, False),)),
    ]


def test_a_row_under_another_spelling_of_its_name_keeps_its_line() -> None:
    facts = history(a_board({"openai/gpt-5.5": 80, "b": 70}), a_board({"gpt-5.5": 80, "b": 70}))
    assert facts.tracks[0].places == (Placing(1, True), Placing(1, True))


def test_a_week_without_a_capture_leaves_a_hole_and_is_named() -> None:
    facts = history(board(2, 1), None, board(2, 1))
    assert facts.read == (True, False, True)
    assert facts.tracks[0].places == (Placing(1, True), None, Placing(1, True))
    assert "No capture in the week of Mon 20 Apr." in told(facts)


def test_a_model_that_was_not_ranked_in_a_week_has_no_place_in_it() -> None:
    facts = history(board(2), board(2, 1))
    assert facts.tracks[1].places == (None, Placing(2, False))
    assert "m2: #2, ranked since Mon 27 Apr" in told(facts)


def test_weeks_before_the_first_capture_are_not_in_the_history() -> None:
    assert history(None, None, board(2, 1)).weeks == (MONDAY,)


def test_nothing_is_told_of_a_board_that_was_never_read_or_ranks_nobody() -> None:
    assert rank_history({}, "Sample", MONDAY) is None
    assert rank_history({MONDAY: a_board({"main": {}})}, "Sample", MONDAY) is None


def test_rows_within_the_margin_tie_and_the_finding_says_so() -> None:
    facts = history(board(80, 79.5, 70, margin="1"))
    assert facts.tied == (2,)
    assert finding(facts) == "m1 and m2 tie for first on Sample"
    assert "m1: #1, tied for first; m2: #2, tied for first; m3: #3." in told(facts)


def test_a_lead_beyond_the_margin_is_first_alone() -> None:
    facts = history(board(80, 78, margin="1"))
    assert facts.tied == (1,)
    assert finding(facts) == "m1 is first on Sample"


def test_many_that_tie_are_counted_past_the_third() -> None:
    assert finding(history(board(*[80] * 5))) == "m1, m2, m3 and 2 more tie for first on Sample"


def test_where_lower_is_better_the_lowest_is_first_and_the_words_say_why() -> None:
    facts = history(board(3, 1, 2, higher_is_better=False))
    assert [track.title for track in facts.tracks] == ["m2", "m3", "m1"]
    assert "Lower scores are better." in told(facts)


def test_negative_scores_and_ratings_are_ranked_like_any_other() -> None:
    facts = history(a_board({"a": -3, "b": -1, "c": (1400, 1390, 1410)}))
    assert [track.title for track in facts.tracks] == ["c", "b", "a"]


def test_a_benchmark_made_up_otherwise_breaks_the_comparison() -> None:
    facts = history(board(1, 2, inputs=("x",)), None, board(2, 1, inputs=("x", "y")))
    assert facts.anew == (False, False, True)
    assert "m1: #1;" in told(facts)
    assert "#2 to #1" not in told(facts)
    assert "made up anew from the week of Mon 27 Apr on" in told(facts)


def test_a_part_of_a_part_made_up_otherwise_breaks_the_comparison() -> None:
    def nested(*tasks: str) -> Snapshot:
        sample = a_board({"overall": {"a": 2}, "coding": {"a": 1}})
        about = {
            "overall": sample.benchmarks["overall"].__class__("overall", inputs=("coding",)),
            "coding": sample.benchmarks["coding"].__class__("coding", inputs=tasks),
        }
        return Snapshot(sample.capture, sample.rows, about, sample.scores, lead="overall")

    assert history(nested("x"), nested("x")).anew == (False, False)
    assert history(nested("x"), nested("x", "y")).anew == (False, True)


def test_a_place_that_changed_is_told_from_first_to_last() -> None:
    assert "m1: #2 to #1; m2: #1 to #2." in told(history(board(1, 2), board(2, 1)))


def test_a_history_that_ends_before_the_last_week_says_when() -> None:
    facts = history(board(2, 1), None)
    assert facts.last == 0
    assert finding(facts) == "m1 is first on Sample in the last capture, of the week of Mon 20 Apr"


def test_only_the_top_is_drawn_and_places_below_it_share_one_line() -> None:
    many = board(*range(40, 0, -1))
    before = a_board({f"m{place}": place for place in range(1, 41)})
    facts = history(before, many)
    assert [track.title for track in facts.tracks] == [f"m{place}" for place in range(1, 9)]
    assert facts.tracks[0].places[0] == Placing(40, False)
    assert below(facts) == 10


def test_german_tells_the_finding_and_the_courses_in_its_own_order() -> None:
    facts = history(board(70, 80), None, board(80, 80))
    with speaking("de"):
        assert finding(facts) == "m1 und m2 liegen bei Sample gemeinsam vorn"
        said = told(facts)
    assert ": Plätze von 2 Modellen nach ihrer jeweils besten Zeile. m1: von #2 auf #1, gemeinsam vorn; m2: #1," in said
    assert said.endswith("liegt kein Abruf vor.")
