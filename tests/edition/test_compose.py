"""An edition holds what the captures say: who is tied, what a zero means, what is counted and not listed."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from tests.snapshots import MONDAY, a_board, a_price_list, an_offer

from digest.changes.week import State, compare_week
from digest.config.sections import Policy
from digest.config.settings import Settings
from digest.config.source import Source
from digest.edition.compose import compose
from digest.edition.content import Edition
from digest.edition.naming import shown_name
from digest.scores.catalog import resolve
from digest.scores.snapshot import Snapshot

BEFORE = MONDAY - timedelta(days=7)


def _source(kind: str, **facts: Any) -> Source:
    declared: dict[str, Any] = {
        "title": "Sample",
        "url": "https://sample.example/",
        "format": "json",
        "model": "id",
        "kind": kind,
    }
    if kind == "scores":
        declared |= {"columns": {"main": {}}, "lead": "main"}
    return Source.model_validate({**declared, **facts})


def _composed(previous: Snapshot, current: Snapshot, source: Source) -> Edition:
    name = current.capture.source
    state = State(name, 999, previous, current, date.fromordinal(MONDAY.toordinal()), None)
    changes = compare_week([state], MONDAY, MONDAY + timedelta(days=6), (), Policy())
    settings = Settings(sources={name: source})
    return compose(changes, settings, number=1, week="2026-W18", starts=MONDAY, previous_week="2026-W17")


def test_a_row_is_tied_with_the_row_next_to_it_whatever_their_bands() -> None:
    figures = {"a": 80, "b": 79.4, "c": 78.7, "d": 70}
    edition = _composed(a_board({"d": 70}, on=BEFORE, margin=1), a_board(figures, margin=1), _source("scores"))
    assert [(place.band, place.tied) for place in edition.boards[0].places] == [
        (1, True), (1, True), (2, True), (4, False),
    ]  # fmt: skip
    assert [new.tied for new in edition.arrivals[0].models] == [True, True, True]


def test_a_zero_price_is_not_known_where_the_source_means_that_by_it() -> None:
    before = a_price_list({"o1": an_offer(5, 20)}, on=BEFORE)
    now = a_price_list({"o1": an_offer(0, 20), "o3": an_offer(0, 0), "o4-mini": an_offer(0, 2)})
    prices = {"input": "i", "output": "o"}
    was, meant = (replace(week, zero_is_missing=True) for week in (before, now))
    (told,) = _composed(was, meant, _source("offers", prices=prices)).prices
    assert [(entry.name.title, [money.after for money in entry.figures]) for entry in told.priced] == [
        ("o4-mini", [None, 2])
    ]
    (told,) = _composed(before, now, _source("offers", prices=prices)).prices
    assert [entry.name.title for entry in told.priced] == ["o1", "o3", "o4-mini"]


def test_news_on_other_benchmarks_is_counted_and_keeps_a_note_from_saying_that_no_model_moved() -> None:
    still = {f"m{n}": 50 + n for n in range(6)}
    columns = {"main": still, "side": still, "third": still, "gone": still}
    again = {**still, "m1": 90}
    now = {"main": still, "side": again, "third": again, "come": still}
    edition = _composed(a_board(columns, on=BEFORE, margin=1), a_board(now, margin=1), _source("scores"))
    assert [(movers.movers, movers.elsewhere) for movers in edition.movers] == [((), 2)]
    assert {note.models_moved for note in edition.method} == {2}


def test_a_board_is_told_by_the_title_of_its_benchmark() -> None:
    before, now = (a_board({"a": 1, "b": 2}, on=on, title="accuracy") for on in (BEFORE, MONDAY))
    assert _composed(before, now, _source("scores")).boards[0].benchmark == "accuracy"


def test_price_lists_and_movers_carry_both_captures() -> None:
    before, now = a_price_list({"o1": an_offer(5)}, on=BEFORE), a_price_list({"o1": an_offer(4)})
    (told,) = _composed(before, now, _source("offers", prices={"input": "i"})).prices
    assert told.previous is not None
    assert (told.previous.on, told.current.on) == (BEFORE, MONDAY)


def test_where_a_model_is_served_is_said_of_an_offer_and_never_of_a_score() -> None:
    name = resolve("azure/gpt-4o-mini")
    assert shown_name(name, offer=True).host == "azure"
    assert shown_name(name).host is None
