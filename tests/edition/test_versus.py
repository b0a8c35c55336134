"""Models side by side: which row stands for each, who leads beyond uncertainty, and that sentences say no more."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.captures import declared
from tests.snapshots import a_board, a_price_list, an_offer

from digest.changes.noise import apart
from digest.changes.week import State, compare_week
from digest.config.sections import Verdicts
from digest.config.settings import Settings
from digest.edition import compared, terms, verdicts
from digest.edition.compared import called, differences, figures
from digest.edition.numbers import plain, tokens
from digest.edition.pairing import side_by_side
from digest.edition.terms import contexts, prices
from digest.edition.verdicts import questions, verdict
from digest.edition.versus import versus
from digest.edition.versus_facts import Versus
from digest.errors import DigestError, UsageError
from digest.language import speaking
from digest.rendering.email import whole
from digest.rendering.templates import fill
from digest.rendering.text import row, table, underlined, wrap
from digest.scores.snapshot import Benchmark, Score, Snapshot

EXHAUSTIVE = settings(max_examples=80, derandomize=True, deadline=None)


def settings_for(*snapshots: Snapshot, **changes: Any) -> Settings:
    titles = {snapshot.capture.source: snapshot.capture.source.title() for snapshot in snapshots}
    return Settings(sources={name: declared(title=title) for name, title in titles.items()}, **changes)


def compare(asked: Sequence[str], *snapshots: Snapshot, **changes: Any) -> Versus:
    by_source = {snapshot.capture.source: snapshot for snapshot in snapshots}
    return versus(asked, by_source, settings_for(*snapshots, **changes))


def in_categories(columns: Mapping[str, Mapping[str, Any]], **categories: tuple[str, ...]) -> Snapshot:
    """A board with category figures given as columns named category:..., and an overall figure that leads."""
    board = a_board(columns, margin=Decimal(1))
    inputs = {f"category:{name}": members for name, members in categories.items()}
    inputs["overall"] = tuple(inputs)
    about = {name: replace(it, inputs=inputs.get(name, ())) for name, it in board.benchmarks.items()}
    return replace(board, benchmarks=about, lead="overall")


def two(one: Any, other: Any, **about: Any) -> Versus:
    """alpha beside beta on one benchmark."""
    return compare(["alpha", "beta"], a_board({"alpha": one, "beta": other}, **{"margin": Decimal(1), **about}))


def everything(found: Versus) -> list[str]:
    return [*verdict(found), *(text for pair in questions(found) for text in pair)]


# Which row stands for a model


def test_a_name_without_a_variant_takes_the_best_ranked_row_and_names_the_others() -> None:
    board = a_board({"gpt-5.5-high": 76, "gpt-5.5-xhigh": 81, "gpt-5.5-medium": 69, "gpt-5.4-high": 70})
    found = compare(["gpt-5.5", "gpt-5.4"], board)
    entrant = found.matchups[0].entrants[0]
    assert entrant is not None
    assert (entrant.key, entrant.rank) == ("gpt-5.5-xhigh", 1)
    assert [(it.name.effort, it.rank) for it in entrant.also] == [("high", 2), ("medium", 4)]


def test_a_stated_variant_takes_only_that() -> None:
    board = a_board({"gpt-5.5-high": 76, "gpt-5.5-xhigh": 81, "gpt-5.4-high": 70})
    assert compare(["gpt-5.5-high", "gpt-5.4"], board).contenders[0].name.effort == "high"
    with pytest.raises(DigestError, match=r"but gpt-5\.5 high and gpt-5\.5 xhigh; name one of them"):
        compare(["gpt-5.5-low", "gpt-5.4"], board)


def test_effort_variants_of_one_model_stand_side_by_side_under_their_variants() -> None:
    found = compare(["gpt-5.5-xhigh", "gpt-5.5-high"], a_board({"gpt-5.5-high": 76, "gpt-5.5-xhigh": 81}))
    assert called(found) == ("gpt-5.5 xhigh", "gpt-5.5 high")
    assert found.matchups[0].lead is not None
    assert found.matchups[0].lead.winner == 0


def test_a_row_id_means_that_row() -> None:
    board = a_board({"run-1": 60, "run-2": 70, "other": 50})
    named = replace(board, rows={key: row._replace(raw="o3 (high)") for key, row in board.rows.items()})
    found = compare(["run-1", "run-2"], named)
    assert [entrant and entrant.key for entrant in found.matchups[0].entrants] == ["run-1", "run-2"]
    assert len(set(called(found))) == 2


def test_a_price_list_is_asked_for_the_makers_own_offer() -> None:
    offers = {
        "azure/gpt-5.5": an_offer(4, 20, host="azure"),
        "gpt-5.5": an_offer(5, 30, host="openai"),
        "gpt-5.4": an_offer("2.5", 15, host="openai"),
    }
    offered, _sources = prices(compare(["gpt-5.5", "gpt-5.4"], a_price_list(offers)))
    assert [one and one.key for one in offered] == ["gpt-5.5", "gpt-5.4"]


def test_of_two_hosts_under_one_name_the_maker_is_asked_not_the_cheaper() -> None:
    offers = {"bargain/gpt-5.5": an_offer(1, 2, host="bargain"), "openai/gpt-5.5": an_offer(5, 30, host="openai")}
    listed = a_price_list({**offers, "gpt-5.4": an_offer("2.5", 15, host="openai")})
    rows = {key: row._replace(raw=key.rpartition("/")[2]) for key, row in listed.rows.items()}
    offered, _sources = prices(compare(["gpt-5.5", "gpt-5.4"], replace(listed, rows=rows)))
    assert [one and one.key for one in offered] == ["openai/gpt-5.5", "gpt-5.4"]


def test_a_variant_that_no_board_has_is_not_taken_from_a_price_list() -> None:
    board, listed = a_board({"gpt-5.5-high": 76, "gpt-5.4": 70}), a_price_list({"gpt-5.5": an_offer(5, 30)})
    with pytest.raises(DigestError, match=r"but gpt-5\.5 high; name"):
        compare(["gpt-5.5-low", "gpt-5.4"], board, listed)


# What is asked for


@pytest.mark.parametrize("asked", [[], ["gpt-5.5"], ["gpt-5.5", "GPT-5.5"], ["alpha", " alpha "]])
def test_fewer_than_two_models_or_the_same_one_twice_is_wrong_usage(asked: list[str]) -> None:
    with pytest.raises(UsageError):
        compare(asked, a_board({"gpt-5.5": 1, "alpha": 2}))


def test_two_names_for_one_row_are_wrong_usage() -> None:
    with pytest.raises(UsageError, match=r"mean the same row of Board, gpt-5\.5-xhigh"):
        compare(["gpt-5.5", "gpt-5.5-xhigh"], a_board({"gpt-5.5-high": 76, "gpt-5.5-xhigh": 81}))


def test_an_unknown_model_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(DigestError) as caught:
        compare(["gemini-3.1-prо", "alpha"], a_board({"gemini-3.1-pro": 1, "alpha": 2}))
    assert str(caught.value).endswith("the nearest is gemini-3.1-pro.")


def test_what_is_suggested_can_be_asked_for() -> None:
    board = a_board({"o3 (high) + gpt-4.1": 78, "gpt-4.1": 52})
    with pytest.raises(DigestError, match=r"the nearest are o3 \+ gpt-4.1"):
        compare(["o3 + gpt-4", "gpt-4.1"], board)
    assert compare(["o3 + gpt-4.1", "gpt-4.1"], board).matchups


# Who is ahead


def test_a_lead_inside_the_margin_is_a_tie_and_beyond_it_a_lead() -> None:
    assert verdict(two("80.7", "80.3"))[0] == (
        "On Board (main), the two tie: 80.7 and 80.3 are within our margin of 1.0 point."
    )
    assert verdict(two("80.7", "79.6"))[0] == "alpha is ahead on Board (main), 80.7 to 79.6."
    assert verdict(two("80.7", "75.7"))[0] == "alpha is clearly ahead on Board (main), 80.7 to 75.7."


def test_how_large_a_clear_lead_is_stands_in_the_settings() -> None:
    board = a_board({"alpha": 80, "beta": 77}, margin=Decimal(1))
    clear = compare(["alpha", "beta"], board, verdicts=Verdicts(clear_lead=Decimal(3)))
    assert "clearly" in verdict(clear)[0]


def test_published_intervals_that_overlap_are_a_tie() -> None:
    found = two((1440, 1432, 1448), (1430, 1424, 1436), unit="rating")
    assert verdict(found)[0] == "On Board (main), the two tie: the published intervals of 1440 and 1430 overlap."


def test_a_lead_of_unknown_uncertainty_is_never_a_clear_one() -> None:
    found = two(90, 40, margin=None)
    assert verdict(found)[0].endswith("90.0 to 40.0; how uncertain that is, the source does not say.")
    assert "clearly" not in " ".join(everything(found))


def test_where_less_is_better_the_lower_figure_leads() -> None:
    found = two("11.3", "5.6", higher_is_better=False)
    assert verdict(found)[0] == "beta is clearly ahead on Board (main), 5.6 to 11.3 (lower is better)."


def test_the_gap_to_the_leader_is_in_points_and_in_per_cent_of_the_figure_behind() -> None:
    result = two("78.6", "65.8").matchups[0].other[0].results[1]
    assert result is not None
    assert result.percent is not None
    assert (result.gap, round(result.percent, 1)) == (Decimal("-12.8"), Decimal("19.5"))


def test_a_rating_has_no_per_cent() -> None:
    results = two(1440, 1300, unit="rating").matchups[0].other[0].results
    assert [result and result.percent for result in results] == [None, None]


def test_a_model_that_was_not_measured_lost_nothing() -> None:
    board = a_board({"main": {"alpha": 80, "beta": 70, "gamma": 60}, "side": {"beta": 50, "gamma": 40}})
    found = compare(["alpha", "beta", "gamma"], board).matchups[0]
    assert [(it.wins, it.ties, it.losses) for it in found.benchmarks] == [(1, 0, 0), (1, 0, 1), (0, 0, 2)]


def test_seconds_and_money_win_nothing() -> None:
    board = a_board({"main": {"alpha": 80, "beta": 70}, "cost": {"alpha": 9, "beta": 1}})
    money = replace(board, benchmarks={**board.benchmarks, "cost": Benchmark("cost", unit="USD")})
    assert [it.wins for it in compare(["alpha", "beta"], money).matchups[0].benchmarks] == [1, 0]


def test_the_largest_difference_separates_and_the_one_listed_first_of_equals() -> None:
    columns = {name: {"alpha": high, "beta": 50} for name, high in (("a", 60), ("b", 80), ("c", 80))}
    separator = compare(["alpha", "beta"], a_board(columns, margin=Decimal(1))).matchups[0].separator
    assert separator is not None
    assert separator.benchmark == "b"


def test_nothing_separates_where_no_difference_is_beyond_uncertainty() -> None:
    assert two("80.2", "80.0").matchups[0].separator is None


@given(st.lists(st.decimals(0, 100, places=2), min_size=2, max_size=2), st.data())
@EXHAUSTIVE
def test_what_a_lead_needs_is_what_tells_two_scores_apart(values: list[Decimal], data: st.DataObject) -> None:
    """`needed` is worked out apart from the judgement and must never contradict it."""
    halves = data.draw(st.lists(st.decimals("0.1", 9, places=1), min_size=2, max_size=2))
    kinds: dict[str, Any] = {
        "margin": [Score(value) for value in values],
        "interval": [Score(v, low=v - h, high=v + h) for v, h in zip(values, halves, strict=True)],
        "stderr": [Score(v, stderr=h) for v, h in zip(values, halves, strict=True)],
    }
    scores = kinds[data.draw(st.sampled_from(sorted(kinds)))]
    board = a_board({"alpha": scores[0], "beta": scores[1]}, margin=Decimal(2))
    lead = compare(["alpha", "beta"], board).matchups[0].other[0]
    assert (abs(values[0] - values[1]) > lead.needed) is apart(scores[0], scores[1], board.benchmarks["main"])


# How figures are written


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        ("86.9", "62.1", ("87", "62")),
        ("80.71", "80.28", ("80.7", "80.3")),
        ("81.44", "80.4", ("81", "80")),
        ("81.49", "80.51", ("81.5", "80.5")),
    ],
)
def test_an_overall_figure_is_whole_unless_that_would_hide_a_difference_or_a_tie(
    one: str, other: str, shown: tuple[str, str]
) -> None:
    found = compare(["alpha", "beta"], in_categories({"overall": {"alpha": one, "beta": other}}))
    assert found.matchups[0].lead is not None
    assert figures(found.matchups[0].lead, whole=True) == shown


def test_figures_that_differ_never_look_alike() -> None:
    lead = two("92.04", "92.00").matchups[0].lead
    assert lead is not None
    assert figures(lead) == ("92.04", "92.00")


def test_halves_are_rounded_up() -> None:
    lead = two("82.25", "40.65").matchups[0].lead
    assert lead is not None
    assert figures(lead) == ("82.3", "40.7")


# Strengths, prices, sizes


def test_the_model_that_is_behind_is_given_its_strength() -> None:
    board = in_categories(
        {
            "code": {"alpha": 80, "beta": 60},
            "talk": {"alpha": 50, "beta": 58},
            "category:Coding": {"alpha": 80, "beta": 60},
            "category:Language & style": {"alpha": 50, "beta": 58},
            "overall": {"alpha": 65, "beta": 59},
        },
        **{"Coding": ("code",), "Language & style": ("talk",)},
    )
    assert verdict(compare(["alpha", "beta"], board))[1] == "Pick beta for language and style tasks (58.0 to 50.0)."


def test_a_free_model_is_said_to_be_free_and_never_infinitely_cheaper() -> None:
    found = compare(["alpha", "beta"], a_price_list({"alpha": an_offer(2, 8), "beta": an_offer(0, 0)}))
    said = " ".join(everything(found))
    assert "beta is listed as free; alpha costs $2.00 in and $8.00 out per 1M tokens" in said
    assert "nfinity" not in said


def test_of_a_model_that_is_free_on_one_side_only_both_prices_are_figures_in_a_sentence() -> None:
    found = compare(["alpha", "beta"], a_price_list({"alpha": an_offer(2, 8), "beta": an_offer(0, 9)}))
    answer = dict(questions(found))["Which costs less?"]
    assert "alpha costs $2.00 in and $8.00 out per 1M tokens, beta $0.00 in and $9.00 out" in answer


def test_a_zero_that_means_not_known_is_not_free() -> None:
    listed = a_price_list({"alpha": an_offer(2, 8), "beta": an_offer(0, 0)})
    found = compare(["alpha", "beta"], replace(listed, zero_is_missing=True))
    said = " ".join(everything(found))
    assert "beta: price not known" in said
    assert "free" not in said


@pytest.mark.parametrize(
    ("dear", "words"),
    [
        (("2", "4"), "twice as much:"),
        (("2", "6"), "twice as much in and 3 times as much out:"),
        (("1", "5"), "as much in and 2.5 times as much out:"),
        (("1.02", "2.04"), "slightly more:"),
        (("3.333", "6.666"), "3.3 times as much:"),
    ],
)
def test_the_ratio_of_prices_is_told_in_words(dear: tuple[str, str], words: str) -> None:
    found = compare(["alpha", "beta"], a_price_list({"alpha": an_offer(*dear), "beta": an_offer(1, 2)}))
    answer = dict(questions(found))["Which costs less?"]
    assert answer.startswith(f"beta. alpha costs {words}")


def test_prices_that_cross_leave_neither_cheaper() -> None:
    found = compare(["alpha", "beta"], a_price_list({"alpha": an_offer(1, 9), "beta": an_offer(2, 8)}))
    assert dict(questions(found))["Which costs less?"].startswith("Neither. alpha costs $1.00 in and $9.00 out")


def test_a_price_that_cannot_be_believed_is_not_told() -> None:
    found = compare(["alpha", "beta"], a_price_list({"alpha": an_offer(5_000_000, 8), "beta": an_offer(1, 2)}))
    assert "5,000,000" not in " ".join(everything(found))


def test_prices_of_two_sources_are_not_held_against_each_other() -> None:
    one = a_price_list({"alpha": an_offer(2, 8)}, source="one")
    other = a_price_list({"beta": an_offer(0, 0)}, source="other")
    found = compare(["alpha", "beta"], one, other)
    assert "free" not in " ".join(verdict(found))
    answer = dict(questions(found))["Which costs less?"]
    assert "(One, Mon 27 Apr 2026)" in answer
    assert "(Other, Mon 27 Apr 2026)" in answer


def test_a_context_window_that_one_source_lacks_is_told_from_another_by_name() -> None:
    one = a_price_list({"alpha": an_offer(2, 8, 256_000), "beta": an_offer(1, 2)}, source="one")
    other = a_price_list({"beta": an_offer(1, 2, 128_000)}, source="other")
    sizes, sources = contexts(compare(["alpha", "beta"], one, other))
    assert sizes == (Decimal(256_000), Decimal(128_000))
    assert sources == ("One, Mon 27 Apr 2026", "Other, Mon 27 Apr 2026")


def test_the_catalogue_says_who_reasons_and_whose_weights_are_open() -> None:
    found = compare(["gpt-5.5", "kimi-k2.6"], a_board({"gpt-5.5": 80, "kimi-k2.6": 72}, margin=Decimal(1)))
    assert [(it.open_weights, it.reasoning) for it in found.contenders] == [(False, "yes"), (True, "yes")]
    assert dict(questions(found))["Are the weights open?"] == "gpt-5.5: no; kimi-k2.6: yes."


def test_speed_is_told_where_a_source_has_it() -> None:
    board = a_board({"main": {"alpha": 80, "beta": 70}, "seconds": {"alpha": 20, "beta": 90}})
    timed = Benchmark("seconds", unit="s", higher_is_better=False, margin=Decimal(30))
    found = compare(["alpha", "beta"], replace(board, benchmarks={**board.benchmarks, "seconds": timed}))
    assert "alpha, 20.0 s to 90.0 s (lower is better)" in dict(questions(found))["Which is faster?"]


# More than one source


def test_the_source_that_measured_more_of_the_contenders_comes_first_then_the_newer() -> None:
    old = a_board({"alpha": 1, "beta": 2}, source="old", on=date(2025, 4, 28))
    new = a_board({"alpha": 1, "beta": 2}, source="new")
    assert [it.source for it in compare(["alpha", "beta"], old, new).matchups] == ["new", "old"]


def test_another_source_that_has_it_the_other_way_round_is_told_with_its_day() -> None:
    one = a_board({"alpha": 80, "beta": 70}, source="one", margin=Decimal(1))
    other = a_board({"alpha": 40, "beta": 50}, source="other", margin=Decimal(1), on=date(2026, 2, 9))
    said = verdict(compare(["alpha", "beta"], one, other))
    assert said[1] == "On Other of Mon 9 Feb 2026 it is the other way round: beta is ahead, 50.0 to 40.0."


def test_a_source_without_the_leader_does_not_speak_against_it() -> None:
    one = a_board({"alpha": 80, "beta": 70, "gamma": 60}, source="one", margin=Decimal(1))
    other = a_board({"beta": 50, "gamma": 40}, source="other", margin=Decimal(1))
    assert "Other" not in " ".join(verdict(compare(["alpha", "beta", "gamma"], one, other)))


def test_two_sources_that_tell_one_figure_differently_are_named() -> None:
    one = a_board({"shared test": {"alpha": 78, "beta": 60}}, source="one", margin=Decimal(1), shared=True)
    other = a_board({"shared test": {"alpha": 62, "beta": 60}}, source="other", margin=Decimal(1), shared=True)
    found = compare(["alpha", "beta"], one, other)
    assert [it.name.title for it in found.disagreements] == ["alpha"]
    answer = dict(questions(found))["Do the sources agree?"]
    assert "Not on alpha: shared test is 78.0 (One, Mon 27 Apr) or 62.0 (Other, Mon 27 Apr)." in answer


def test_models_that_no_source_measured_both_are_not_compared() -> None:
    found = compare(["alpha", "beta"], a_board({"alpha": 80}, source="one"), a_board({"beta": 1}, source="other"))
    assert verdict(found) == ("No source we carry measured both, so their scores cannot be compared.",)


# No more than the figures say

NAMES = ("alpha", "beta", "gamma", "delta")
FIGURE = st.decimals(0, 100, places=1)
TABLES = st.lists(st.lists(st.one_of(st.none(), FIGURE), min_size=4, max_size=4), min_size=1, max_size=4)
PRICE = st.one_of(st.none(), st.decimals(0, 50, places=2))


def drawn(data: st.DataObject, count: int, margin: Decimal) -> Versus:
    table = data.draw(TABLES)
    columns = {
        f"test {letter}": {name: value for name, value in zip(NAMES, row, strict=True) if value is not None}
        for letter, row in zip("abcd", table, strict=False)
    }
    columns["test a"] = {name: columns["test a"].get(name, Decimal(50)) for name in NAMES}
    board = a_board(columns, margin=margin)
    offers = {
        name: an_offer(data.draw(PRICE), data.draw(PRICE), data.draw(st.integers(1, 2_000_000))) for name in NAMES
    }
    return compare(NAMES[:count], board, a_price_list(offers))


@given(st.integers(2, 4), st.decimals(0, 10, places=1), st.data())
@EXHAUSTIVE
def test_no_sentence_claims_a_lead_inside_the_uncertainty(count: int, margin: Decimal, data: st.DataObject) -> None:
    """Read back from the sentences alone: whoever is set above another is above by more than the margin."""
    for sentence in everything(drawn(data, count, margin)):
        for one, other in re.findall(r"(\d+\.?\d*) to (\d+\.?\d*)", sentence):
            assert Decimal(one) - Decimal(other) > margin, sentence
        for one, others in re.findall(r"(\d+\.?\d*), before ([^;]*?)\.(?:\s|$)", sentence):
            below = re.findall(r"with (\d+\.?\d*)", others)
            assert all(Decimal(one) - Decimal(other.rstrip(".")) > margin for other in below), sentence
        for one, other in re.findall(r"most: (\d+\.?\d*) for \w+, (\d+\.?\d*) for", sentence):
            assert Decimal(one) - Decimal(other) > margin, sentence


@given(st.integers(2, 4), st.data())
@EXHAUSTIVE
def test_every_number_in_a_sentence_is_one_of_the_figures(count: int, data: st.DataObject) -> None:
    found = drawn(data, count, Decimal(1))
    known = {spelling for number in numbers_of(found.model_dump()) for spelling in spellings(number)}
    tallies = found.matchups[0].benchmarks if found.matchups else ()
    known |= {spelling for it in tallies for spelling in spellings(Decimal(it.wins + it.ties + it.losses))}
    for sentence in everything(found):
        figures_only = sentence.replace("per 1M tokens", "").replace("Mon 27 Apr 2026", "")
        for number in re.findall(r"\d[\d,]*\.?\d*[KM]?", figures_only):
            assert number.rstrip(".,") in known, (number, sentence)


def numbers_of(value: Any) -> list[Decimal]:
    """Every number among the facts."""
    if isinstance(value, dict):
        return [number for part in value.values() for number in numbers_of(part)]
    if isinstance(value, list | tuple):
        return [number for part in value for number in numbers_of(part)]
    return [Decimal(value)] if isinstance(value, Decimal | int) and not isinstance(value, bool) else []


def spellings(number: Decimal) -> set[str]:
    """A figure rounded half up to so many decimals, with and without its last zeros, and as a count of tokens."""
    rounded = {plain(abs(number), places, thousands=True) for places in range(7)}
    return rounded | {text.rstrip("0").rstrip(".") for text in rounded if "." in text} | {tokens(abs(number))}


# In German


def test_german_says_who_leads_in_its_own_order_with_its_own_figures() -> None:
    board = a_board({"alpha": "80.7", "beta": "75.25", "gamma": 60}, margin=Decimal(1))
    with speaking("de"):
        assert verdict(compare(["alpha", "beta"], board))[0] == "alpha liegt bei Board (main) klar vorn, 80,7 zu 75,3."
        (lead, *_rest) = verdict(compare(["alpha", "beta", "gamma"], board))
        assert lead == "alpha liegt bei Board (main) klar vorn, mit 80,7 vor beta mit 75,3 und gamma mit 60,0."
        assert verdict(two("80.7", "80"))[0].startswith(
            "Bei Board (main) liegen beide gleichauf: 80,7 und 80,0 liegen "
        )
        assert compared.difference(two("80.7", "79.7").matchups[0].other[0], ("alpha", "beta")) == "gleichauf"


def test_german_keeps_the_capital_of_a_category() -> None:
    talk = {"alpha": 50, "beta": 58}
    columns = {"talk": talk, "category:Language & style": talk, "overall": {"alpha": 65, "beta": 59}}
    found = compare(["alpha", "beta"], in_categories(columns, **{"Language & style": ("talk",)}))
    with speaking("de"):
        assert verdict(found)[0] == "alpha liegt in der Gesamtwertung von Board klar vorn, 65 zu 59."
        assert verdict(found)[1] == "Wählen Sie beta für Language & style (58,0 zu 50,0)."


@given(st.integers(2, 4), st.data())
@EXHAUSTIVE
def test_nothing_is_decided_otherwise_in_another_language(count: int, data: st.DataObject) -> None:
    """As many sentences, questions and sources; and no question is an English one."""
    found = drawn(data, count, Decimal(1))
    english = shape_of(found)
    with speaking("de"):
        assert shape_of(found) == english
        german = {pair.question for pair in questions(found)}
    assert not german & {pair.question for pair in questions(found)}


def shape_of(found: Versus) -> tuple[Any, ...]:
    """What is told of a side by side, without the words."""
    cells = [[bool(source) for source in term.sources] for term in terms.terms(found)]
    free = [[cell.startswith(("free", "kostenlos")) for cell in term.cells] for term in terms.terms(found)]
    return len(verdict(found)), len(questions(found)), cells, free


# Hostile names

HOSTILE = [
    "<b>gpt</b><script>x</script>",
    "x" * 10_000,
    "x" * 10_001,
    "a\u202egpt\u2066",
    "b\x1b[31m\nred\x00",
    "[red]c[/red]",
]


def test_hostile_names_come_out_harmless() -> None:
    board = a_board({name: 90 - place * 5 for place, name in enumerate(HOSTILE)}, margin=Decimal(1))
    found = compare(HOSTILE, board)
    names = called(found)
    assert len(set(names)) == len(HOSTILE)
    for text in (*everything(found), *names):
        assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co") for char in text)
    assert max(map(len, names)) < 70


@pytest.mark.parametrize("name", HOSTILE)
def test_an_unknown_hostile_name_is_refused_in_one_short_line(name: str) -> None:
    with pytest.raises(DigestError) as caught:
        compare([name, "alpha"], a_board({"alpha": 1, "beta": 2}))
    assert len(str(caught.value)) < 300
    assert not any(unicodedata.category(char) in ("Cc", "Cf") for char in str(caught.value))


# In the mail


def rendered(template: str, found: Versus) -> str:
    words = {"compared": compared, "terms": terms, "verdicts": verdicts}
    layout = {"whole": whole, "wrap": wrap, "row": row, "table": table, "underlined": underlined}
    return fill(template, {"edition": SimpleNamespace(side_by_side=found), **words, **layout})


def test_the_mail_shows_three_to_six_differences_the_largest_first_on_one_scale() -> None:
    columns = {
        f"test {letter}": {"alpha": 50 + gap, "beta": 50} for letter, gap in zip("abcdefgh", range(8), strict=True)
    }
    rows = differences(compare(["alpha", "beta"], a_board(columns, margin=Decimal(1))))
    assert [row.words for row in rows] == [f"alpha by {gap}.0 points" for gap in (7, 6, 5, 4, 3, 2)]
    assert [row.bar[:2] for row in rows[:2]] == [
        (("blank", "4.0%"), ("lead", "46.0%")),
        (("blank", "10.6%"), ("lead", "39.4%")),
    ]


def test_a_difference_inside_the_margin_is_drawn_and_called_a_tie() -> None:
    (row,) = differences(two("80.3", "80.7"))
    assert row.words == "tie"
    assert row.bar == (("blank", "50.0%"), ("line", "1"), ("tie", "46.0%"), ("blank", "4.0%"))


def test_the_section_tells_the_same_in_markup_and_in_text() -> None:
    board = a_board({"gpt-5.5-xhigh": "80.7", "gpt-5.4-xhigh": "76.3"}, margin=Decimal(1))
    listed = a_price_list({"gpt-5.5": an_offer(5, 30, 1_050_000), "gpt-5.4": an_offer("2.5", 15, 1_050_000)})
    found = compare(["gpt-5.5", "gpt-5.4"], board, listed)
    text, markup = (rendered(template, found) for template in ("text/versus.txt", "email/versus.mjml"))
    for told in ("by 4.4 points", "$30.00", "1.05M", "USD per 1M tokens", "Verdict."):
        assert told in text
        assert told in markup
    assert max(map(len, text.splitlines())) <= 72


def test_hostile_names_stay_text_in_the_mail() -> None:
    found = compare(HOSTILE[:2], a_board({name: 90 - place * 9 for place, name in enumerate(HOSTILE)}))
    markup = rendered("email/versus.mjml", found)
    assert "<script>" not in markup
    assert "&lt;script&gt;" in markup
    assert max(map(len, rendered("text/versus.txt", found).splitlines())) <= 72


# The week's pair


def a_week(before: Mapping[str, Any], after: Mapping[str, Any], **about: Any) -> Versus | None:
    boards = [a_board(table, margin=Decimal(1), **about) for table in (before, after)]
    state = State(
        "board", 45, boards[0], replace(boards[1], capture=replace(boards[1].capture, sha256="b" * 64)), None, None
    )
    chosen = settings_for(boards[1])
    week = compare_week([state], date(2026, 4, 27), date(2026, 5, 3), (), chosen.policy)
    return side_by_side(week, chosen)


def test_a_new_first_stands_beside_the_row_it_took_the_place_from() -> None:
    found = a_week({"gpt-5.4": 80, "kimi-k2.6": 79}, {"gpt-5.5": 90, "kimi-k2.6": "80.5", "gpt-5.4": 80})
    assert found is not None
    assert called(found) == ("gpt-5.5", "gpt-5.4")


def test_an_arrival_below_the_first_stands_beside_the_leader_not_its_own_variant() -> None:
    table = {"gpt-5.5-xhigh": 90, "gpt-5.4": 80}
    found = a_week(table, {**table, "gpt-5.5-high": 85})
    assert found is not None
    assert called(found) == ("gpt-5.5", "gpt-5.4")


def test_a_week_without_arrivals_and_risers_has_no_pair() -> None:
    table = {"gpt-5.5": 90, "gpt-5.4": 80}
    assert a_week(table, table) is None


def test_an_arrival_below_the_rows_that_are_shown_makes_no_pair() -> None:
    table = {f"model-{letter}": 90 - place for place, letter in enumerate("abcdefgh")}
    assert a_week(table, {**table, "gpt-5.5": 10}) is None
