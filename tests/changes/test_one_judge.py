"""A place or a lead is news only where the row's own score is: each figure is judged once."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.snapshots import a_board

from digest.changes.compare import compare
from digest.changes.kinds import NO_MEMORY, Change, Kind, Memory, Reason
from digest.scores.snapshot import Snapshot

KEYS = st.sampled_from("abcdefg")
BOARDS = st.dictionaries(KEYS, st.integers(50, 70), min_size=2)


def only(before: Snapshot, after: Snapshot, kind: Kind, memory: Memory = NO_MEMORY) -> Change:
    (change,) = [change for change in compare(before, after, memory).changes if change.kind is kind]
    return change


def led(before: dict[str, Any], after: dict[str, Any], memory: Memory = NO_MEMORY, **about: Any) -> tuple[Reason, bool]:
    """The reason of the new lead, and whether it is news; the margin is 1."""
    about = {"margin": Decimal(1), **about}
    change = only(a_board(before, **about), a_board(after, **about), Kind.LEADER_CHANGED, memory)
    return change.reason, change.news


def had(key: str, value: int) -> Memory:
    return Memory({(key, "main"): [Decimal(value)]})


def test_a_lead_that_the_row_had_a_short_while_ago_is_a_flip_flop() -> None:
    assert led({"a": 90, "b": 80}, {"a": 90, "b": 95}, had("b", 95)) == (Reason.FLIP_FLOP, False)


def test_a_leader_that_fell_back_to_what_it_was_makes_no_new_leader() -> None:
    assert led({"a": 95, "b": 90}, {"a": 85, "b": 90}, had("a", 85)) == (Reason.FLIP_FLOP, False)


def test_the_rank_of_a_row_that_is_back_to_what_it_was_is_a_flip_flop() -> None:
    before, after = a_board({"a": 90, "b": 80, "c": 70}), a_board({"a": 90, "b": 80, "c": 85})
    ranks = [it for it in compare(before, after, had("c", 85)).changes if it.kind is Kind.RANK_CHANGED]
    assert [(it.key, it.reason, it.news) for it in ranks] == [
        ("b", Reason.DISPLACED, False),
        ("c", Reason.FLIP_FLOP, False),
    ]


def test_an_arrival_beyond_what_the_leader_ever_had_leads_though_that_one_flip_flopped() -> None:
    assert led({"a": 90}, {"a": 80, "new": 95}, had("a", 80)) == (Reason.BEYOND_THRESHOLD, True)
    assert led({"a": 90}, {"a": 80, "new": 85}, had("a", 80)) == (Reason.FLIP_FLOP, False)


def test_a_lead_that_follows_from_a_new_figure_has_its_reason() -> None:
    assert led({"a": 90, "b": 80}, {"a": 90, "b": 95}) == (Reason.RERUN, True)
    assert led({"a": 90, "b": 80}, {"a": 70, "b": 80}) == (Reason.RERUN, True)


def test_a_row_that_is_ranked_for_the_first_time_leads_like_an_arrival() -> None:
    before = a_board({"main": {"a": 80}, "side": {"a": 1, "b": 2}})
    after = a_board({"main": {"a": 80, "b": 90}, "side": {"a": 1, "b": 2}})
    assert only(before, after, Kind.LEADER_CHANGED).news


def test_a_value_that_was_away_for_a_week_and_is_back_makes_no_new_leader() -> None:
    before = a_board({"main": {"a": 80}, "side": {"a": 1, "b": 2}})
    after = a_board({"main": {"a": 80, "b": 90}, "side": {"a": 1, "b": 2}})
    change = only(before, after, Kind.LEADER_CHANGED, had("b", 90))
    assert (change.reason, change.news) == (Reason.FLIP_FLOP, False)


def test_the_other_of_two_that_shared_the_top_is_no_new_leader() -> None:
    assert led({"a": 80, "b": 80, "c": 50}, {"b": 80, "c": 50}) == (Reason.WITHDRAWAL, False)
    assert led({"a": 80, "b": "79.5", "c": 50}, {"b": "79.5", "c": 50}) == (Reason.WITHDRAWAL, False)
    assert led({"a": 80, "b": 80}, {"a": 60, "b": 80}) == (Reason.TIED, False)


def test_one_of_two_that_shared_the_top_leads_once_it_truly_rises() -> None:
    assert led({"a": 80, "b": 80}, {"a": 80, "b": 90}) == (Reason.RERUN, True)


def test_a_leader_that_left_while_the_next_moved_within_the_noise_was_not_overtaken() -> None:
    assert led({"a": 80, "b": "79.9", "c": 50}, {"b": "80.1", "c": 50}) == (Reason.WITHDRAWAL, False)
    assert led({"a": 82, "b": "80", "c": 50}, {"b": "80.9", "c": 50}) == (Reason.WITHDRAWAL, True)


@given(BOARDS, BOARDS, st.sets(st.tuples(KEYS, st.integers(50, 70))), st.booleans())
@settings(max_examples=300, derandomize=True, deadline=None)
def test_no_place_is_news_of_a_row_whose_score_is_none(before: Any, after: Any, past: Any, relative: bool) -> None:
    memory = Memory({(key, "main"): [Decimal(value)] for key, value in past})
    was, now = (a_board(week, margin=Decimal(2), relative=relative) for week in (before, after))
    changes = compare(was, now, memory).changes
    scores = {it.key: it.news for it in changes if it.kind is Kind.SCORE_CHANGED}
    assert all(scores.get(it.key) for it in changes if it.kind is Kind.RANK_CHANGED and it.news)
    for lead in (it for it in changes if it.kind is Kind.LEADER_CHANGED and it.news):
        fell = lead.before and lead.before.name and scores.get(lead.before.name.raw)
        assert scores.get(lead.key) or fell or lead.key not in before or lead.reason is Reason.WITHDRAWAL
