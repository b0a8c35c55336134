"""What a story is worth, which of them a section lists, and which week is quiet."""

from decimal import Decimal
from typing import Any

import pytest
from tests import builders as b
from tests.edition.weeks import BEFORE, composed
from tests.snapshots import MONDAY, a_board, a_price_list, an_offer

from digest.changes.noise import apart
from digest.edition.stories import MATERIAL, Told, doublings, foremost, is_quiet, times_noise, value
from digest.edition.story_facts import Story
from digest.scores.snapshot import Benchmark, Score


def story(worth: int = MATERIAL, section: Any = "movers", **changes: Any) -> Story:
    return Story(
        **{"id": "s", "kind": "mover", "section": section, "source": "a", "about": "o3", "value": worth, **changes}
    )


def test_a_story_is_worth_more_for_its_size_its_rank_and_its_coverage() -> None:
    assert value("mover", times=Decimal(2), rank=5) > value("mover", times=Decimal(1), rank=5)
    assert value("mover", times=Decimal(1), rank=5) > value("mover", times=Decimal(1), rank=20)
    assert value("arrival", rank=5) > value("arrival", rank=5, share=Decimal("0.5"))
    assert value("mover", times=Decimal(50)) == value("mover", times=Decimal(3))
    assert value("mover", rank=31) == value("mover", rank=None) == 40


def test_a_lead_is_worth_more_than_any_tie_and_a_tie_more_than_a_price_that_halved() -> None:
    assert value("lead", rank=1) > value("tie", rank=1) > value("price_changed", times=Decimal(1), rank=1)


@pytest.mark.parametrize(
    ("one", "other", "about"),
    [
        (Score(Decimal(80)), Score(Decimal("81.5")), Benchmark("m", margin=Decimal(1))),
        (Score(Decimal(80)), Score(Decimal("80.5")), Benchmark("m", margin=Decimal(1))),
        (Score(Decimal(80), stderr=Decimal(1)), Score(Decimal(83), stderr=Decimal(1)), Benchmark("m")),
        (Score(Decimal(60), n=225), Score(Decimal(68), n=225), Benchmark("m")),
        (Score(Decimal(60), n=225), Score(Decimal(73), n=225), Benchmark("m")),
        (Score(Decimal(9), Decimal(6), Decimal(10)), Score(Decimal(15), Decimal(11), Decimal(16)), Benchmark("m")),
        (Score(Decimal(9), Decimal(6), Decimal(12)), Score(Decimal(15), Decimal(11), Decimal(16)), Benchmark("m")),
        (Score(Decimal(9)), Score(Decimal(9)), Benchmark("m")),
        (Score(Decimal(9)), Score(Decimal(10)), Benchmark("m")),
    ],
)
def test_a_difference_is_larger_than_its_noise_exactly_where_the_two_are_told_apart(
    one: Score, other: Score, about: Benchmark
) -> None:
    times = times_noise(one, other, about)
    assert times == times_noise(other, one, about)
    assert (times >= 1) is apart(one, other, about)


def test_a_price_that_halved_counts_as_one_that_doubled_and_a_free_one_as_the_most() -> None:
    assert doublings(Decimal(4), Decimal(2)) == doublings(Decimal(2), Decimal(4)) == pytest.approx(1)
    assert doublings(Decimal(4), Decimal(0)) == 3
    assert doublings(None, Decimal(4)) == doublings(Decimal(4), Decimal(4)) == 0


def test_the_stories_that_are_worth_most_are_listed_in_the_order_in_which_they_stood() -> None:
    whole = [Told(b.a_name(title), story(worth, id=title)) for title, worth in (("c", 1), ("a", 9), ("b", 5), ("d", 5))]
    names, stories = foremost(whole, 2)
    assert [name.title for name in names] == ["a", "b"]
    assert [(told.id, told.listed) for told in stories] == [("c", False), ("a", True), ("b", True), ("d", False)]


@pytest.mark.parametrize(
    ("told", "status", "quiet"),
    [
        ([], "fresh", True),
        ([story(MATERIAL - 1)], "fresh", True),
        ([story(MATERIAL)], "fresh", False),
        ([story(99, "corrections")], "unchanged", True),
        ([], "failed", False),
        ([], "quarantined", False),
        ([], "new", False),
        ([], "stale", False),
    ],
)
def test_a_week_is_quiet_where_nothing_of_weight_happened_and_every_source_was_read(
    told: list[Story], status: str, quiet: bool
) -> None:
    assert is_quiet(told, [b.a_source(status=status)]) is quiet


def test_a_week_in_which_no_source_was_captured_is_not_quiet() -> None:
    assert not is_quiet([], [b.a_source(current=b.WEEK_17)])


def test_a_quiet_week_gives_a_short_edition() -> None:
    table = {f"m{n}": 90 - 3 * n for n in range(20)}
    now = {**table, "late": 20}
    edition = composed((a_board(table, on=BEFORE, margin=1), a_board(now, margin=1)))
    assert (edition.quiet, len(edition.boards[0].places)) == (True, 3)
    loud = composed((a_board(table, on=BEFORE, margin=1), a_board({**table, "early": 95}, margin=1)))
    assert (loud.quiet, len(loud.boards[0].places)) == (False, 7)


def test_the_same_price_on_two_lists_is_told_once_and_both_are_named() -> None:
    before = {"o1": an_offer(5, 20)}
    weeks = [
        (a_price_list(before, source=name, on=BEFORE), a_price_list({"o1": an_offer(4, 20), **more}, source=name))
        for name, more in (("one", {}), ("two", {"o3": an_offer(1, 2)}))
    ]
    one, two = composed(*weeks).prices
    assert [(entry.name.title, entry.also_in) for entry in one.priced] == [("o1", ("Source B",))]
    assert [entry.name.title for entry in two.priced] == ["o3"]


def test_a_list_that_says_only_what_another_says_too_is_left_out() -> None:
    before, now = {"o1": an_offer(5, 20)}, {"o1": an_offer(4, 20)}
    weeks = [(a_price_list(before, source=name, on=BEFORE), a_price_list(now, source=name)) for name in ("one", "two")]
    assert [prices.title for prices in composed(*weeks).prices] == ["Source A"]


def test_a_figure_that_was_put_right_is_a_correction_and_no_move() -> None:
    columns = {name: {f"m{n}": 50 + 4 * n for n in range(6)} for name in ("main", "side", "third")}
    right = {**columns, "main": {**columns["main"], "m1": 70}}
    edition = composed((a_board(columns, on=BEFORE, margin=1), a_board(right, margin=1)))
    assert [(it.name.title, it.printed, it.true) for it in edition.corrections] == [("m1", Decimal(54), Decimal(70))]
    assert [movers.movers for movers in edition.movers] == []
    again = {name: {**column, "m1": 70} for name, column in columns.items()}
    edition = composed((a_board(columns, on=BEFORE, margin=1), a_board(again, margin=1)))
    assert [[mover.name.title for mover in movers.movers] for movers in edition.movers] == [["m1"]]
    assert edition.corrections == ()


def test_a_board_whose_first_row_is_ahead_only_by_noise_is_told_as_that() -> None:
    before = {"a": Decimal("80.0"), "b": Decimal("79.4"), "c": 60}
    now = {"a": Decimal("79.2"), "b": Decimal("80.3"), "c": 60}
    edition = composed((a_board(before, on=BEFORE, margin=1), a_board(now, margin=1)))
    assert (edition.boards[0].leader, edition.boards[0].places[0].tied) == ("new_within_noise", False)


def test_a_board_that_was_not_captured_again_is_not_called_unchanged() -> None:
    now = a_board({"a": 80, "b": 70}, on=BEFORE, margin=1)
    (board,) = composed((now, now)).boards
    assert (board.leader, board.previous, board.places[0].movement) == ("not_read", None, None)


@pytest.mark.parametrize(
    ("changed_on", "kinds"),
    [(MONDAY, ["next_edition"]), (MONDAY.replace(month=3, day=25), ["goes_stale", "next_edition"])],
)
def test_what_to_watch_next_is_read_off_the_data(changed_on: Any, kinds: list[str]) -> None:
    weeks = (a_board({"a": 80, "b": 70}, on=BEFORE), a_board({"a": 80, "b": 70}))
    assert [ahead.kind for ahead in composed(weeks, changed_on=changed_on).ahead] == kinds


def test_a_tie_at_the_top_and_a_capture_that_waits_are_watched() -> None:
    weeks = (a_board({"a": 80}, on=BEFORE, margin=1), a_board({"a": 80, "b": Decimal("79.6")}, margin=1))
    assert [ahead.kind for ahead in composed(weeks).ahead] == ["top_tie", "next_edition"]
    assert [ahead.kind for ahead in composed(weeks, doubt="too many rows are gone").ahead] == [
        "held_back",
        "next_edition",
    ]
