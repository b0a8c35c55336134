"""A reader hears of what they follow: the newest figure of a fact once, what holds still, what is gone."""

import json
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import builders as b
from tests.snapshots import MONDAY, a_board, a_price_list, an_offer

from digest.changes.week import State, compare_week
from digest.config.sections import Policy
from digest.config.source import Source
from digest.edition.content import Edition
from digest.edition.facts import Figure
from digest.edition.naming import blended_unit
from digest.edition.pick_facts import Choice, Criterion, Pick, PickChange
from digest.edition.retelling import retold, tellable
from digest.edition.standings import PRICE, standings_table
from digest.edition.watch_facts import Held, Level, Measure, Standings, Threshold, WatchList
from digest.edition.watch_words import crossing_row, row_of, since, standing_still
from digest.edition.watching import Known, followed, known_names, parse_watch_list, watched
from digest.errors import DigestError
from digest.language import speaking
from digest.scores.snapshot import Snapshot

KNOWN = Known(
    models={"gpt 5.5": "gpt-5.5", "gpt 5.4": "gpt-5.4", "kimi k2.6": "kimi-k2.6"},
    providers={"openai": "OpenAI", "anthropic": "Anthropic"},
    benchmarks={"livebench": "livebench", "swe bench pro": "SWE-bench Pro"},
    categories={"coding": "Coding"},
    needs={"coding": "coding"},
)
CODING = Threshold(category="Coding", at_least=Decimal(80), under=Decimal(1))


# What a reader asks for


def test_a_list_is_read_in_any_spelling_and_each_name_kept_once() -> None:
    text = '{"models": ["GPT-5.5", "openai/gpt-5.5"], "providers": ["openai"], "categories": ["category:Coding"]}'
    assert parse_watch_list(text, KNOWN) == WatchList(
        models=("gpt-5.5",), providers=("OpenAI",), categories=("Coding",)
    )


def test_a_threshold_is_read_to_the_digit() -> None:
    text = '{"thresholds": [{"category": "coding", "at_least": 80, "under": 0.1}]}'
    assert parse_watch_list(text, KNOWN).thresholds == (CODING.model_copy(update={"under": Decimal("0.1")}),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no valid JSON"),
        ('{"models": [1,]}', "is no valid JSON"),
        ("[" * 10_000, "is no valid JSON"),
        ('{"thresholds": [NaN]}', "is no valid JSON"),
        ("[]", "is no object of lists"),
        ('{"models": "gpt-5.5"}', "is no object of lists"),
        ('{"model": []}', 'no key "model"; did you mean models?'),
        ('{"models": ["gpt-5.6"]}', 'the model "gpt-5.6" is not known; did you mean gpt-5.5 or gpt-5.4'),
        ('{"providers": ["OpenAl"]}', 'the provider "OpenAl" is not known; did you mean OpenAI?'),
        ('{"benchmarks": ["swe-bench-prop"]}', "did you mean SWE-bench Pro"),
        ('{"needs": ["zzz"]}', "look it up among the names"),
        ('{"models": [null]}', "is no text"),
        ('{"thresholds": [{"category": "coding", "at_least": 80}]}', "exactly the keys category, at_least and under"),
        ('{"thresholds": [{"category": "codign", "at_least": 8, "under": 1}]}', "did you mean Coding?"),
        ('{"thresholds": [{"category": "coding", "at_least": 101, "under": 1}]}', "a number from 0 to 100"),
        ('{"thresholds": [{"category": "coding", "at_least": true, "under": 1}]}', "a number from 0 to 100"),
        ('{"thresholds": [{"category": "coding", "at_least": 80, "under": 0}]}', "USD per 1M tokens, above 0"),
        ('{"thresholds": [{"category": "coding", "at_least": 80, "under": 1e999999999}]}', "USD per 1M tokens"),
        (json.dumps({"models": ["gpt-5.5"] * 101}), "more than 100 things"),
        (json.dumps({"models": ["x" * 30_000]}), "longer than 20,000 characters"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(DigestError) as refusal:
        parse_watch_list(text, KNOWN)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


@given(
    st.text(max_size=60) | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists).map(json.dumps)
)
def test_no_text_at_all_raises_anything_but_a_sentence(text: str) -> None:
    try:
        parse_watch_list(text, KNOWN)
    except DigestError as error:
        said = str(error)
    else:
        said = ""
    assert not said or said.isprintable()


def test_what_can_be_followed_is_in_the_catalogue_or_in_the_edition() -> None:
    known = known_names(b.an_edition(standings=_table()), ["coding"])
    assert known.models["gpt 5.4"] == "gpt-5.4"
    assert known.models["elephant alpha"] == "elephant-alpha"
    assert {"livebench", "coding"} <= known.benchmarks.keys()
    assert (known.categories, known.needs) == ({"coding": "Coding"}, {"coding": "coding"})


# One edition


def _ids(watch: WatchList, *editions: Edition) -> tuple[str, ...]:
    told = watched(watch, followed(editions))
    assert told is not None
    return told.stories


def _details(watch: WatchList, *editions: Edition) -> list[str]:
    threads = tellable(editions)
    return [row_of(threads[id_]).detail for id_ in _ids(watch, *editions)]


def test_an_empty_list_is_told_nothing() -> None:
    assert watched(WatchList(), followed([b.an_edition()])) is None


def test_a_model_is_followed_through_every_section() -> None:
    moved = b.some_movers(movers=(b.some_movers().movers[0].model_copy(update={"name": b.a_name("gpt-5.5", "xhigh")}),))
    prices = b.some_prices(priced=(b.a_price("changed", b.a_name("gpt-5.5"), input=("5", "4")),))
    arrivals = b.some_arrivals(models=b.some_arrivals().models[:1])
    edition = b.an_edition(
        arrivals=(arrivals,), movers=(moved,), prices=(prices,), disagreements=(b.a_disagreement(name=b.a_name()),)
    )
    assert _details(WatchList(models=("gpt-5.5",)), edition) == [
        "Tied for first on LiveBench overall. Before, gpt-5.4 xhigh was first.",
        "New on LiveBench. 23 of 23 tasks. Also high #6, 76.2.",
        "Aider polyglot pass rate 2, the source measured it again; was 79.6.",
        "LiteLLM prices: $5.00 to $4.00 in per 1M tokens.",
        "For SWE-bench Verified: 76.4 (Local LLM notes, Mon 2 Mar) and 42.0 (Side by side, Mon 9 Mar).",
    ]


def test_stories_about_a_followed_model_come_before_those_of_a_followed_board() -> None:
    edition = b.an_edition()
    watch = WatchList(models=("claude-opus-4.5",), benchmarks=("livebench",))
    (first, *others) = _details(watch, edition)
    assert first == "LiveBench overall: 76.0, score unchanged."
    assert "Tied for first on LiveBench overall. Before, gpt-5.4 xhigh was first." in others


def test_a_benchmark_is_followed_by_its_name_or_by_its_source() -> None:
    edition = b.an_empty_edition(method=(b.a_method_note(change="n1"),), movers=(b.some_movers(),))
    assert _ids(WatchList(benchmarks=("Consecutive-Events",)), edition) == ("n1",)
    assert _ids(WatchList(benchmarks=("aider",)), edition) == ("m1", "m2")
    assert _ids(WatchList(benchmarks=("vectara",)), edition) == ()


def test_a_maker_is_followed_through_its_models() -> None:
    edition = b.an_empty_edition(movers=(b.some_movers(),), standings=_table(o3=None))
    assert _ids(WatchList(providers=("OpenAI",)), edition) == ("m1",)
    assert _ids(WatchList(providers=("Anthropic",)), edition) == ()


def _pick(now: str, before: str | None, title: str = "Coding") -> Pick:
    def choice(model: str) -> Choice:
        return Choice(name=b.a_name(model), figures=(), raws=(), value=Decimal(1))

    about = {"need": "coding", "title": "Coding", "weight": 1, "source": "s", "source_title": "S", "benchmark": "b"}
    more = {"unit": "%", "higher_is_better": True, "self_reported": False, "ranked": 1, "unmeasured": 0, "stale": False}
    criterion = Criterion(**about, **more, current=b.WEEK_18)
    change = PickChange(why="rose", before=(choice(before),), criterion=criterion) if before else None
    return Pick(needs=("coding",), title=title, outcome="pick", leaders=(choice(now),), change=change)


def test_a_need_is_followed_through_its_pick_and_told_from_the_first_to_the_last() -> None:
    picks = [_pick("o3", "o1"), _pick("o4-mini", "o3"), _pick("o1", "o4-mini")]
    weeks = [_week(17 + place, picks=(pick,)) for place, pick in enumerate(picks)]
    watch = WatchList(needs=("coding",))
    assert _details(watch, *weeks[:1]) == ["Now o3. Before, o1."]
    assert _details(watch, *weeks[:2]) == ["Now o4-mini. Before, o1."]
    assert _details(watch, *weeks) == []
    assert _details(watch, _week(18, picks=(_pick("o3", None),))) == []


# Since the last edition that the reader got


def _week(number: int, **sections: Any) -> Edition:
    starts = date.fromisocalendar(2026, number, 1)
    about = {"week": f"2026-W{number}", "previous_week": f"2026-W{number - 1}", "starts": starts, "number": number}
    return b.an_empty_edition(**about, **sections)


def _moved(id_: str, before: str, after: str, title: str = "o3") -> Any:
    figures = {"before": Figure(value=Decimal(before)), "after": Figure(value=Decimal(after))}
    mover = b.some_movers().movers[0].model_copy(update={"change": id_, "name": b.a_name(title), **figures})
    return {"movers": (b.some_movers(movers=(mover,)),)}


def _priced(id_: str, what: str, **figures: Any) -> Any:
    priced = b.a_price(what, b.a_name("o3"), **figures).model_copy(update={"change": id_})
    return {"prices": (b.some_prices(priced=(priced,)),)}


def test_a_score_that_moved_twice_is_told_once_from_the_oldest_to_the_newest() -> None:
    weeks = [_week(16, **_moved("a", "70", "74")), _week(17), _week(18, **_moved("b", "74", "79"))]
    (thread,) = retold(weeks).threads
    assert thread.id == "a-b"
    row = row_of(thread)
    assert (row.value, row.change) == ("79.0", "▲ +9.0 pt")
    assert row.detail.endswith("was 70.0.")
    assert _ids(WatchList(models=("o3",)), *weeks) == ("a-b",)
    assert _ids(WatchList(models=("o3",)), *weeks[1:]) == ("b",)


def test_what_is_back_where_it_was_is_not_told() -> None:
    scores = [_week(17, **_moved("a", "70", "74")), _week(18, **_moved("b", "74", "70"))]
    prices = [
        _week(17, **_priced("a", "changed", input=("4", "2"))),
        _week(18, **_priced("b", "changed", input=("2", "4"))),
    ]
    assert _ids(WatchList(models=("o3",)), *scores) == ()
    assert _ids(WatchList(models=("o3",)), *prices) == ()


def test_a_price_that_fell_twice_is_told_from_the_first_to_the_last() -> None:
    weeks = [
        _week(17, **_priced("a", "changed", input=("8", "4"), output=("20", "10"))),
        _week(18, **_priced("b", "changed", input=("4", "2"))),
    ]
    assert _details(WatchList(models=("o3",)), *weeks) == [
        "LiteLLM prices: $8.00 to $2.00 in and $20.00 to $10.00 out per 1M tokens."
    ]


def test_a_price_that_came_and_went_is_not_told_and_one_that_was_new_is_new_with_its_newest_figure() -> None:
    new = _week(16, **_priced("a", "new", input=(None, "8")))
    cut = _week(17, **_priced("b", "changed", input=("8", "4")))
    gone = _week(18, **_priced("c", "withdrawn", input=("4", None)))
    watch = WatchList(models=("o3",))
    assert _ids(watch, new, cut, gone) == ()
    assert _details(watch, new, cut) == ["LiteLLM prices: $4.00 in per 1M tokens."]
    assert _details(watch, cut, gone) == ["LiteLLM prices gives no price any more; it was $8.00 in per 1M tokens."]


def test_an_arrival_that_was_missed_is_told_as_new_with_its_newest_rank() -> None:
    came = b.some_arrivals(models=(b.some_arrivals().models[2].model_copy(update={"change": "a"}),), rows=1)
    place = b.a_place(4, b.a_name("kimi-k2.6", thinking="on"), "75", (20, "72.17"))
    weeks = [_week(17, arrivals=(came,)), _week(18, boards=(b.a_quiet_board(places=(place,)),))]
    row = row_of(next(thread for thread in retold(weeks).threads if "kimi-k2.6" in thread.models and thread.section))
    assert (row.detail, row.value, row.change) == ("New on LiveBench. 23 of 23 tasks.", "#4", "75.0")


def test_a_lead_that_was_lost_and_won_back_is_not_told() -> None:
    one, other = b.a_name("gpt-5.5"), b.a_name("gpt-5.4")

    def board(first: Any, second: Any, change: str) -> Any:
        places = (b.a_place(1, first, "81", (2, "79")), b.a_place(2, second, "79", (1, "81")))
        return b.a_board(leader="new_leader", previous_leader=second, places=places, change=change)

    weeks = [_week(17, boards=(board(one, other, "a"),)), _week(18, boards=(board(other, one, "b"),))]
    assert not any(thread.fact[0] == "first" for thread in retold(weeks).threads)
    assert [thread.id for thread in retold(weeks[1:]).threads if thread.fact[0] == "first"] == ["b"]


def test_a_row_that_left_is_withdrawn_and_its_older_stories_are_not_told() -> None:
    left = b.some_gone(source="aider", names=(b.a_name("o3"),), folded=0)
    weeks = [_week(17, **_moved("a", "70", "74")), _week(18, gone=(left,))]
    told = watched(WatchList(models=("o3",)), followed(weeks))
    assert told is not None
    assert (told.stories, told.withdrawn) == ((), ("o3",))
    assert standing_still(told) == "No longer listed: o3."


def test_two_rows_of_one_name_are_never_told_as_one() -> None:
    both = tuple(mover.model_copy(update={"name": b.a_name("o3")}) for mover in b.some_movers().movers)
    weeks = [_week(17, movers=(b.some_movers(movers=both),)), _week(18, movers=(b.some_movers(movers=both),))]
    assert len(_ids(WatchList(models=("o3",)), *weeks[1:])) == 2


def test_the_list_says_since_when_it_is_told() -> None:
    told = watched(WatchList(models=("o3",)), followed([_week(16), _week(17), _week(18)]))
    assert told is not None
    assert (told.since, told.missed) == ("2026-W16", 2)
    assert since(told) == "What changed since Mon 13 Apr for what you follow, with two editions that you did not get."


def test_the_list_says_since_when_it_is_told_in_german_and_in_the_number_that_fits() -> None:
    weeks = [_week(16), _week(17), _week(18)]
    one, two = (watched(WatchList(models=("o3",)), followed(missed)) for missed in (weeks[1:], weeks))
    assert one is not None
    assert two is not None
    with speaking("de"):
        assert since(one).endswith("geändert hat; eine Ausgabe haben Sie nicht erhalten.")
        assert since(two).startswith("Was sich seit Mo., 13. Apr")
        assert since(two).endswith(" auf Ihrer Merkliste geändert hat; zwei Ausgaben haben Sie nicht erhalten.")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=6))
def test_over_any_weeks_a_score_is_told_from_where_it_was_to_where_it_is(values: list[int]) -> None:
    weeks = [
        _week(18 + place, **(_moved(f"c{place}", str(before), str(after)) if before != after else {}))
        for place, (before, after) in enumerate(pairwise(values))
    ]
    threads = [thread.entry for thread in retold(weeks).threads]
    told = [(entry.before.value, entry.after.value) for entry in threads]  # type: ignore[union-attr]
    assert told == ([(values[0], values[-1])] if values[0] != values[-1] else [])


# The table of standings


def _table(*, comparable: bool = True, **models: tuple[Any, Any, Any, Any] | None) -> Standings:
    """model=(coding now, coding before, price now, price before)."""
    measures = (
        Measure(source="livebench", title="LiveBench", benchmark="category:Coding", unit="%", higher_is_better=True,
                comparable=comparable),
        Measure(source="litellm", title="LiteLLM", benchmark=PRICE, unit="USD per 1M tokens", higher_is_better=False,
                comparable=comparable),
    )  # fmt: skip

    def figure(value: Any) -> Decimal | None:
        return None if value is None else Decimal(str(value))

    held = [
        Held(
            model=model.replace("_", "-"),
            title=model.replace("_", "-"),
            organisation="OpenAI" if model.startswith(("o", "gpt")) else None,
            levels=tuple(
                Level(place, figure(now), figure(before), model)
                for place, (now, before) in enumerate(zip(figures[::2], figures[1::2], strict=True))
                if (now, before) != (None, None)
            ),
        )
        for model, figures in ((model, found or ()) for model, found in models.items())
    ]
    return Standings(measures=measures, models=tuple(held))


def _crossed(*tables: Standings, line: Threshold = CODING) -> list[str]:
    weeks = [_week(18 + place, standings=table) for place, table in enumerate(tables)]
    told = watched(WatchList(thresholds=(line,)), followed(weeks))
    assert told is not None
    return [crossing.name for crossing in told.crossings]


def test_a_threshold_lets_a_model_through_when_it_gets_cheap_or_good_or_arrives() -> None:
    table = _table(cheaper=(81, 81, "0.9", "1.1"), better=(80, 79, "0.8", "0.8"), new=(90, None, "0.7", None))
    assert _crossed(table) == ["new", "better", "cheaper"]


def test_a_threshold_is_silent_of_what_it_let_through_before_and_of_what_it_does_not() -> None:
    table = _table(
        already=(81, 81, "0.9", "0.9"), dear=(95, 95, "1", "2"), poor=("79.99", 70, "0.1", "0.1"),
        unpriced=(95, 80, None, None), unmeasured=(None, None, "0.1", "3"),
    )  # fmt: skip
    assert _crossed(table) == []


def test_a_threshold_crossed_in_an_edition_that_was_missed_is_told() -> None:
    crossed, still = _table(kimi=(85, 85, "0.9", "1.1")), _table(kimi=(85, 85, "0.9", "0.9"))
    assert _crossed(crossed, still) == ["kimi"]
    assert _crossed(still) == []
    assert _crossed(crossed, _table(kimi=(85, 85, "1.2", "0.9"))) == []


def test_nothing_crosses_a_threshold_by_a_source_being_read_for_the_first_time() -> None:
    assert _crossed(_table(comparable=False, kimi=(85, None, "0.9", None))) == []


def test_a_crossing_names_score_price_sources_and_what_was_asked() -> None:
    edition = _week(18, standings=_table(kimi=(81.25, 81.25, "0.95", "1.20")))
    told = watched(WatchList(thresholds=(CODING,)), followed([edition]))
    assert told is not None
    row = crossing_row(told.crossings[0])
    assert (row.title, row.value, row.change) == ("kimi", "$0.95", "was $1.20")
    assert row.detail == (
        "81.3 in Coding on LiveBench; lowest price by LiteLLM in USD per 1M tokens. "
        "You asked for at least 80 under $1.00."
    )


@pytest.mark.parametrize(("asked", "said"), [("80", "80"), ("79.95", "80"), ("62.5", "62,5"), ("0", "0")])
def test_a_crossing_is_told_in_german_with_the_mixture_of_its_price(asked: str, said: str) -> None:
    edition = _week(18, standings=_table(kimi=(81.25, 1, "0.95", "1.20")))
    line = Threshold(category="Coding", at_least=Decimal(asked), under=Decimal(1))
    told = watched(WatchList(thresholds=(line,)), followed([edition]))
    assert told is not None
    crossing = told.crossings[0].model_copy(update={"unit": blended_unit(3, 1)})
    with speaking("de"):
        assert crossing_row(crossing).detail == (
            "81,3 in Coding bei LiveBench; niedrigster Preis laut LiteLLM in USD je 1 Mio. Token, Ein-/Ausgabe "
            f"3:1. Ihre Vorgabe: mindestens {said} für unter 1,00\u00a0$."
        )


def test_a_followed_model_without_a_story_is_unchanged_moved_or_withdrawn() -> None:
    table = _table(still=(81, 81, 1, 1), moved=(81, 80, 1, 1), gone=(None, 80, None, 1), new=(80, None, None, None))
    told = watched(WatchList(models=("still", "moved", "gone", "nobody")), followed([_week(18, standings=table)]))
    assert told is not None
    assert (told.unchanged, told.moved, told.withdrawn) == (("still",), ("moved",), ("gone",))
    assert standing_still(told) == (
        "No longer listed: gone. Unchanged: still. Moved within noise, or further down than this mail lists: moved."
    )


def test_nothing_is_said_to_be_unchanged_where_the_weeks_cannot_be_compared() -> None:
    table = _table(comparable=False, still=(81, 81, 1, 1))
    told = watched(WatchList(models=("still",)), followed([_week(18, standings=table)]))
    assert told is not None
    assert standing_still(told) == "No story of this edition is about what you follow."


def _standings(previous: Snapshot | None, current: Snapshot, status: str = "told", **facts: Any) -> Standings:
    declared: dict[str, Any] = {"title": "Sample", "url": "https://sample.example/", "format": "json", "model": "id"}
    scores = {"kind": "scores", "columns": {"main": {}}, "lead": "main"}
    offers = {"kind": "offers", "prices": {"input": "i", "output": "o"}}
    source = Source.model_validate(declared | (offers if current.offers else scores) | facts)
    failure = "no answer" if status == "failed" else None
    name = current.capture.source
    state = State(name, 999, previous, current, MONDAY, failure)
    week = compare_week([state], MONDAY, MONDAY + timedelta(days=6), (), Policy())
    return standings_table(week.sources, {name: source})


BEFORE = MONDAY - timedelta(days=7)


def _levels(table: Standings) -> dict[str, list[tuple[Any, Any, str]]]:
    return {held.model: [(level.now, level.before, level.raw) for level in held.levels] for held in table.models}


def test_the_table_holds_each_models_best_row_now_and_before() -> None:
    before = a_board({"gpt-5.5-high": 70, "gpt-5.5-low": 60, "o3": 50}, on=BEFORE, margin=1)
    now = a_board({"gpt-5.5-high": 71, "gpt-5.5-low": 75, "o1": 40}, margin=1)
    table = _standings(before, now)
    assert _levels(table) == {
        "gpt-5.5": [(75, 70, "gpt-5.5-low")], "o1": [(40, None, "o1")], "o3": [(None, 50, "o3")],
    }  # fmt: skip
    assert {held.organisation for held in table.models} == {"OpenAI"}


def test_the_table_holds_the_lowest_price_that_is_one() -> None:
    offers = {
        "o3": an_offer(2, 8),
        "azure/o3": an_offer(1, 5),
        "github/o3": an_offer(0, 0),
        "deepinfra/o3": an_offer(1),
    }
    before, now = a_price_list({"o3": an_offer(2, 10)}, on=BEFORE), a_price_list(offers)
    assert _levels(_standings(before, now)) == {"o3": [(2, 4, "azure/o3")]}


def test_a_failed_source_is_not_in_the_table_and_a_first_capture_is_not_comparable() -> None:
    now = a_board({"o3": 50}, margin=1)
    assert _standings(now, now, "failed").models == ()
    (measure,) = _standings(None, now).measures
    assert not measure.comparable


def _top(before: dict[str, int], now: dict[str, int]) -> bool:
    """Whether who could be first on a benchmark that leads no board is told."""
    table = _standings(a_board(before, on=BEFORE, margin=2), a_board(now, margin=2))
    return bool(retold([_week(18, standings=table)]).threads)


def test_a_top_is_told_when_somebody_new_is_in_it_or_nobody_of_before() -> None:
    assert _top({"o1": 50, "o3": 40}, {"o1": 50, "o3": 40, "o4-mini": 51})
    assert _top({"o1": 50, "o3": 40}, {"o1": 50, "o3": 60})
    assert not _top({"o1": 50, "o3": 40}, {"o1": 50, "o3": 49})
    assert not _top({"o1": 50, "o3": 49}, {"o1": 52, "o3": 49})


def test_a_category_is_followed_by_who_is_first_in_it() -> None:
    table = _standings(a_board({"o1": 50, "o3": 40}, on=BEFORE, margin=1), a_board({"o1": 50, "o3": 60}, margin=1))
    edition = _week(18, standings=table)
    assert _details(WatchList(categories=("main",)), edition) == ["o3 is first on Sample. Before, o1 was first."]
