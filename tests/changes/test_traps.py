"""Weeks that look like news and are none, and news that could be taken for something else."""

from decimal import Decimal
from typing import Any

from tests.snapshots import a_board, a_price_list, an_offer

from digest.changes.compare import compare
from digest.changes.kinds import Change, Kind, Reason
from digest.changes.plausibility import doubts
from digest.scores.snapshot import Offer, Snapshot

ROWS = {f"m{n}": 1000 + 50 * n for n in range(6)}


def rated(values: dict[str, int]) -> Snapshot:
    return a_board({key: (value, value - 8, value + 8) for key, value in values.items()}, relative=True, unit="rating")


def news(before: Snapshot, after: Snapshot) -> list[tuple[str, str]]:
    return [(change.kind.value, change.key) for change in compare(before, after).changes if change.news]


def only(before: Snapshot, after: Snapshot, kind: Kind) -> Change:
    (change,) = [change for change in compare(before, after).changes if change.kind is kind]
    return change


def test_a_new_row_on_a_re_anchored_scale_displaces_and_moves_nobody() -> None:
    after = rated({**{key: value + 100 for key, value in ROWS.items()}, "new": 1500})
    assert news(rated(ROWS), after) == [("model_added", "new"), ("leader_changed", "new"), ("scale_shifted", "")]


def test_half_of_the_rows_rising_together_is_no_shift_of_the_scale() -> None:
    risen = {key: value + (30 if key in ("m0", "m1", "m2") else 0) for key, value in ROWS.items()}
    assert [key for kind, key in news(rated(ROWS), rated(risen)) if kind == "score_changed"] == ["m0", "m1", "m2"]


def test_a_row_that_stood_still_while_the_scale_rose_has_fallen() -> None:
    after = {key: value + (0 if key == "m4" else 100) for key, value in ROWS.items()}
    assert ("score_changed", "m4") in news(rated(ROWS), rated(after))
    assert ("score_changed", "m1") not in news(rated(ROWS), rated(after))


def test_noise_in_a_whole_column_is_no_other_benchmark() -> None:
    columns: dict[str, Any] = {
        name: {f"m{n}": (40 + 5 * n, 36 + 5 * n, 44 + 5 * n) for n in range(6)} for name in ("main", "side", "third")
    }
    finer = {key: (value + Decimal("0.1"), low, high) for key, (value, low, high) in columns["side"].items()}
    assert news(a_board(columns), a_board({**columns, "side": finer})) == []
    assert doubts(a_board({"main": columns["side"]}), a_board({"main": finer})) == ()


def test_a_rename_in_a_week_with_a_new_column_is_a_rename() -> None:
    before = a_board({"main": {"old": 80, "x": 70}, "side": {"old": 33, "x": 20}})
    after = a_board({"main": {"new": 80, "x": 70}, "side": {"new": 33, "x": 20}, "third": {"new": 5, "x": 6}})
    assert news(before, after) == [("benchmark_added", "")]


def test_rows_that_scored_nothing_at_all_are_not_taken_for_one_another() -> None:
    before = a_board({"main": {"old": 0, "x": 70}, "side": {"old": 0, "x": 20}})
    after = a_board({"main": {"new": 0, "x": 70}, "side": {"new": 0, "x": 20}})
    assert news(before, after) == [("model_added", "new"), ("model_removed", "old")]


def test_a_model_that_goes_by_another_id_of_a_price_list_was_neither_launched_nor_withdrawn() -> None:
    before = a_price_list({"azure/gpt-5.4": an_offer(3, 5), "gpt-5.4": an_offer(3, 5)})
    after = a_price_list({"vertex_ai/gpt-5.4": an_offer(4, 6), "gpt-5.4": an_offer(3, 5)})
    assert news(before, after) == []


def test_a_leader_that_only_lost_its_score_was_not_beaten() -> None:
    before = a_board({"main": {"a": 90, "b": 70}, "side": {"a": 1, "b": 2}})
    after = a_board({"main": {"b": 70}, "side": {"a": 1, "b": 2}})
    change = only(before, after, Kind.LEADER_CHANGED)
    assert (change.reason, change.news) == (Reason.VALUE_WITHDRAWN, False)


def test_two_rows_that_change_places_within_the_noise_make_no_new_leader() -> None:
    before = a_board({"a": 80, "b": "79.9"}, margin=Decimal(1))
    after = a_board({"a": "79.4", "b": "80.6"}, margin=Decimal(1))
    assert not only(before, after, Kind.LEADER_CHANGED).news


def test_a_leader_that_anybody_may_equal_is_tied() -> None:
    before = a_board({"wide": (105, 95, 115), "narrow": (95, 94, 96)})
    after = a_board({"wide": (94, 84, 104), "narrow": (95, 94, 96), "new": (100, 98, 102)})
    assert only(before, after, Kind.LEADER_CHANGED).reason is Reason.TIED


def test_a_row_that_rose_and_was_overtaken_is_displaced() -> None:
    before = a_board({"a": 50, "b": 20}, margin=Decimal(1))
    after = a_board({"a": 60, "b": 20, "new": 90}, margin=Decimal(1))
    (change,) = [c for c in compare(before, after).changes if c.kind is Kind.RANK_CHANGED and c.key == "a"]
    assert (change.reason, change.news) == (Reason.DISPLACED, False)


def test_a_lead_whose_direction_turned_round_has_no_new_leader() -> None:
    before, after = (a_board({"a": 1, "b": 9, "c": 5}, higher_is_better=higher) for higher in (True, False))
    assert not [change for change in compare(before, after).changes if change.news]


def test_prices_and_sizes_that_slip_by_a_unit_never_headline() -> None:
    before, after = (
        a_price_list({"m": an_offer("3", context=128_000)}),
        a_price_list({"m": an_offer("0.000003", context=128)}),
    )
    assert {change.reason for change in compare(before, after).changes} == {Reason.IMPLAUSIBLE}


def test_a_price_written_with_more_digits_is_no_change_of_price() -> None:
    before, after = a_price_list({"m": an_offer("0.28")}), a_price_list({"m": an_offer("0.2800000001")})
    assert news(before, after) == []


def test_a_tier_that_is_dropped_at_the_base_price_is_no_change() -> None:
    tiered = Offer(None, Decimal(5), Decimal(30), details=(("input above 200K", Decimal(5)),))
    assert compare(a_price_list({"m": tiered}), a_price_list({"m": tiered._replace(details=())})).changes == ()


def test_half_of_the_rows_gone_is_not_believed() -> None:
    ten = a_board({f"m{n}": n for n in range(10)})
    assert doubts(ten, a_board({f"m{n}": n for n in range(5)})) == ("5 of 10 rows are gone",)
