"""Prices tier by tier, zeros by what they mean, and which rows go by another name."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.captures import declared, read_file, read_text
from tests.snapshots import a_board, a_price_list, an_offer

from digest.changes.compare import compare, differing_rows
from digest.changes.kinds import NO_MEMORY, Figure, Kind, Memory, Reason
from digest.errors import CaptureError
from digest.scores.snapshot import Offer, Row, Snapshot

Told = tuple[str, str, Reason, bool]


def tiered(asked: Any, answered: Any = None, **details: Any) -> Offer:
    """An offer; `above_200K=6` is the price of an input of more than 200,000 tokens, other names are as they stand."""
    named = {name.replace("above_", "input above ").replace("_", " "): Decimal(str(p)) for name, p in details.items()}
    return an_offer(asked, answered)._replace(details=tuple(sorted(named.items())))


def prices(offers: Mapping[str, Offer], *, zero_is_missing: bool = False) -> Snapshot:
    return replace(a_price_list(offers), zero_is_missing=zero_is_missing)


def between(before: Offer, after: Offer, *, zero_is_missing: bool = False) -> list[Told]:
    was, now = (prices({"m": offer}, zero_is_missing=zero_is_missing) for offer in (before, after))
    return told(was, now)


def told(before: Snapshot, after: Snapshot, memory: Memory = NO_MEMORY) -> list[Told]:
    return [(c.key, c.benchmark or "", c.reason, c.news) for c in compare(before, after, memory).changes]


def rows(before: Snapshot, after: Snapshot, memory: Memory = NO_MEMORY) -> list[tuple[str, str, Reason]]:
    """What happened to rows and their names, and nothing of what that did to places."""
    kinds = (Kind.MODEL_ADDED, Kind.MODEL_REMOVED, Kind.MODEL_RENAMED)
    return [(c.kind.value, c.key, c.reason) for c in compare(before, after, memory).changes if c.kind in kinds]


def called(snapshot: Snapshot, **names: str) -> Snapshot:
    """The same figures under the same keys, where the publisher writes other names."""
    return replace(snapshot, rows={**snapshot.rows, **{key: Row(key, raw) for key, raw in names.items()}})


# Zero, missing and free


@pytest.mark.parametrize(
    ("was", "now", "not_known", "free"),
    [
        (0, "1.2", (Kind.PRICE_FILLED_IN, Reason.FILLED_IN, False), (Kind.PRICE_CHANGED, Reason.PRICE, True)),
        ("1.2", 0, (Kind.PRICE_WITHDRAWN, Reason.VALUE_WITHDRAWN, False), (Kind.PRICE_CHANGED, Reason.PRICE, True)),
        (None, 0, None, (Kind.PRICE_FILLED_IN, Reason.FILLED_IN, False)),
        (0, None, None, (Kind.PRICE_WITHDRAWN, Reason.VALUE_WITHDRAWN, False)),
    ],
)
@pytest.mark.parametrize("declares", [True, False])
def test_a_zero_is_not_known_where_the_list_says_so_and_free_elsewhere(
    was: Any, now: Any, not_known: Any, free: Any, declares: bool
) -> None:
    before, after = (prices({"m": an_offer(price, 9)}, zero_is_missing=declares) for price in (was, now))
    expected = not_known if declares else free
    assert [(c.kind, c.reason, c.news) for c in compare(before, after).changes] == ([expected] if expected else [])


def test_a_size_or_tier_of_zero_is_not_known_either() -> None:
    before = an_offer(5, context=0)._replace(details=(("input above 200K", Decimal(0)),))
    after = an_offer(5, context=128_000)._replace(details=(("input above 200K", Decimal(10)),))
    assert between(before, after, zero_is_missing=True) == [
        ("m", "input above 200K", Reason.FILLED_IN, False),
        ("m", "context", Reason.FILLED_IN, False),
    ]


def test_two_offers_that_know_nothing_are_not_taken_for_one_another() -> None:
    before = prices({"thing-preview": an_offer(0, 0)}, zero_is_missing=True)
    after = prices({"thing": an_offer(0, 0)}, zero_is_missing=True)
    assert [kind for kind, _key, _reason in rows(before, after)] == ["model_added", "model_removed"]


@pytest.mark.parametrize("declares", [True, False])
def test_what_a_zero_means_is_read_with_the_prices(declares: bool) -> None:
    asks = {"input": "price", "zero_is_missing": declares}
    source = declared(format="json", kind="offers", columns={}, lead=None, prices=asks)
    assert read_text('[{"model": "m", "price": 0}]', source).zero_is_missing is declares


# Tiers


def one(before: Offer, after: Offer) -> tuple[str | None, Kind, bool, Decimal | None, Decimal | None]:
    """The only change between two offers, with its figures."""
    (change,) = compare(prices({"m": before}), prices({"m": after})).changes
    old, new = change.before or Figure(), change.after or Figure()
    return change.benchmark, change.kind, change.news, old.value, new.value


def test_a_tier_that_comes_or_goes_is_another_price_where_the_base_held_or_holds() -> None:
    plain, above = an_offer(5, 30), tiered(5, 30, above_200K=10)
    assert one(plain, above) == ("input above 200K", Kind.PRICE_CHANGED, True, Decimal(5), Decimal(10))
    assert one(above, plain) == ("input above 200K", Kind.PRICE_CHANGED, True, Decimal(10), Decimal(5))


def test_without_a_tier_the_tier_below_it_holds() -> None:
    both, lower = tiered(5, above_128K=8, above_1M=12), tiered(5, above_128K=8)
    assert one(both, lower) == ("input above 1M", Kind.PRICE_CHANGED, True, Decimal(12), Decimal(8))


AMOUNTS = st.one_of(st.none(), st.decimals(0, 20, places=1))
DETAILS = st.dictionaries(
    st.sampled_from(["input above 128K", "input above 1M", "output above 200K", "cached input"]),
    st.decimals(0, 20, places=1),
)
OFFERS = st.builds(lambda i, o, more: Offer(None, i, o, details=tuple(sorted(more.items()))), AMOUNTS, AMOUNTS, DETAILS)


@given(OFFERS, OFFERS, st.booleans())
@settings(max_examples=200, derandomize=True, deadline=None)
def test_tiers_and_zeros_of_a_to_b_mirror_those_of_b_to_a(one: Offer, other: Offer, declares: bool) -> None:
    turned = {Kind.PRICE_FILLED_IN: Kind.PRICE_WITHDRAWN, Kind.PRICE_WITHDRAWN: Kind.PRICE_FILLED_IN}
    before, after = (prices({"m": offer}, zero_is_missing=declares) for offer in (one, other))
    there, back = compare(before, after).changes, compare(after, before).changes
    assert {(it.kind, it.benchmark, it.before, it.after) for it in there} == {
        (turned.get(it.kind, it.kind), it.benchmark, it.after, it.before) for it in back
    }


def test_the_packaged_lists_name_a_tier_alike_and_take_no_threshold_for_a_price() -> None:
    offers = read_file("genai_prices", "2026-03-02.json").offers
    assert offers["aurora/aurora-2-long"].details == (
        ("input above 200K", Decimal(5)),
        ("output above 200K", Decimal("22.5")),
    )
    assert offers["hub/aurora-2"].details == (
        ("condition otherwise input", Decimal(4)),
        ("condition otherwise output", Decimal(16)),
        ("input above 128K", Decimal(6)),
    )


def test_a_tier_is_named_by_its_threshold_and_not_by_its_place() -> None:
    details = '{"input": input.tiers[].{above: start, price: price}}'
    asks = {"input": "input.base", "details": details, "scale": "10"}
    source = declared(format="json", kind="offers", columns={}, lead=None, prices=asks)
    text = '[{"model": "m", "input": {"base": 1, "tiers": [%s]}}]'
    one, other = '{"start": 200000, "price": 2}', '{"start": 1500, "price": 3}'
    read = [read_text(text % tiers, source).offers["m"].details for tiers in (f"{one}, {other}", f"{other}, {one}")]
    assert read[0] == read[1] == (("input above 1500", Decimal(30)), ("input above 200K", Decimal(20)))


def test_a_conditional_price_is_named_by_its_condition_and_not_by_its_place() -> None:
    details = "{condition: prices[].{when: constraint || 'otherwise', input: input}}"
    asks = {"input": "prices[-1].input", "details": details}
    source = declared(format="json", kind="offers", columns={}, lead=None, prices=asks)
    text = '[{"model": "m", "prices": [{"input": 4}, {"constraint": {"start_date": "2026-02-01"}, "input": 3}]}]'
    assert read_text(text, source).offers["m"].details == (
        ("condition otherwise input", Decimal(4)),
        ("condition start_date 2026-02-01 input", Decimal(3)),
    )


@pytest.mark.parametrize(
    ("inside", "fault"),
    [
        ('[{"above": 2000, "price": 1}, {"above": 2000, "price": 2}]', 'names two prices "tier above 2K"'),
        ("[-1]", "no price to believe"),
        ("[1e999]", "no price to believe"),
    ],
)
def test_further_prices_that_cannot_be_are_refused(inside: str, fault: str) -> None:
    asks = {"input": "price", "details": "{tier: tier}"}
    source = declared(format="json", kind="offers", columns={}, lead=None, prices=asks)
    with pytest.raises(CaptureError, match=fault):
        read_text(f'[{{"model": "m", "price": 1, "tier": {inside}}}]', source)


# The same fact


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (tiered(6, above_200K=12), tiered(3, above_200K=6), Reason.SAME_FACT),
        (tiered("0.1", cached_input="0.025"), tiered("0.09", cached_input="0.023"), Reason.SAME_FACT),
        (tiered(6, above_200K=12), tiered(3, above_200K=3), Reason.SAME_FACT),
        (tiered(6, above_200K=12), tiered(3, above_200K=9), Reason.PRICE),
        (tiered(6, above_200K=12), tiered(3, above_200K=24), Reason.PRICE),
    ],
)
def test_a_tier_is_the_same_fact_as_its_base_only_where_it_moved_with_it(
    before: Offer, after: Offer, reason: Reason
) -> None:
    base, tier = sorted(between(before, after), key=lambda change: len(change[1]))
    assert base[1:] == ("input", Reason.PRICE, True)
    assert tier[2:] == (reason, reason is Reason.PRICE)


def test_an_output_s_tier_does_not_follow_the_input() -> None:
    before = tiered(6, 30)._replace(details=(("output above 200K", Decimal(60)),))
    after = tiered(3, 30)._replace(details=(("output above 200K", Decimal(30)),))
    assert ("m", "output above 200K", Reason.PRICE, True) in between(before, after)


def test_a_price_that_is_only_back_under_one_id_hides_no_first_change_of_another() -> None:
    before, after = (prices({"gpt-5.4": an_offer(price), "azure/gpt-5.4": an_offer(price)}) for price in ("3.6", "3.3"))
    memory = Memory({("gpt-5.4", "input"): [Decimal("3.3")]})
    assert told(before, after, memory) == [
        ("azure/gpt-5.4", "input", Reason.PRICE, True),
        ("gpt-5.4", "input", Reason.FLIP_FLOP, False),
    ]


# Names


@pytest.mark.parametrize(
    ("old", "new", "renamed"),
    [
        ("thing-9.2-preview", "thing-9.2", True),
        ("google/gemini-3.1-flash-lite-preview", "google/gemini-3.1-flash-lite", True),
        ("deepseek-v3.2-exp", "deepseek-v3.2", False),
        ("grok-4.20-beta", "grok-4.20", False),
    ],
)
def test_a_preview_may_be_its_release_and_an_exp_or_beta_is_another_model(old: str, new: str, renamed: bool) -> None:
    before, after = (prices({name: an_offer("0.28", "0.42", 128_000)}) for name in (old, new))
    found = {kind for kind, _key, _reason in rows(before, after)}
    assert found == ({"model_renamed"} if renamed else {"model_added", "model_removed"})


def moving(count: int, *, left: int = 0, arrived: int = 0) -> tuple[Snapshot, Snapshot]:
    """So many rows that get a prefix, beside others that left or arrived there."""
    offers = {f"thing-{n}": an_offer(n, 2 * n) for n in range(1, count + 1)}
    gone = {f"gone-{n}": an_offer(90 + n, 3) for n in range(left)}
    new = {f"vendor/new-{n}": an_offer(70 + n, 4) for n in range(arrived)}
    return prices(offers | gone), prices({f"vendor/{key}": offer for key, offer in offers.items()} | new)


@pytest.mark.parametrize("others", [{"left": 1}, {"arrived": 1}])
def test_a_prefix_moves_in_a_week_that_also_brings_or_takes_a_row(others: dict[str, int]) -> None:
    found = compare(*moving(9, **others)).changes
    assert [(c.reason, c.rows) for c in found if c.kind is Kind.MODEL_RENAMED] == [(Reason.NAMESPACE_MOVE, 9)]
    assert sum(c.news for c in found) == 1


@pytest.mark.parametrize("others", [{"left": 2}, {"arrived": 2}])
def test_a_prefix_of_which_a_fifth_did_not_move_has_not_moved(others: dict[str, int]) -> None:
    assert not [c for c in compare(*moving(8, **others)).changes if c.reason is Reason.NAMESPACE_MOVE]


def test_names_that_the_catalogue_knows_move_with_their_prefix_as_one_change() -> None:
    offers = {name: an_offer(n, 2 * n) for n, name in enumerate(("gpt-5.4", "gpt-5.4-mini", "o3"), start=1)}
    moved = {f"openai/{name}": offer for name, offer in offers.items()}
    assert rows(prices(offers), prices(moved)) == [("model_renamed", "openai/", Reason.NAMESPACE_MOVE)]


TWO = {"main": {"run": 80, "x": 70}, "side": {"run": 33, "x": 20}}
OTHER = {"main": {"run": 20, "x": 70}, "side": {"run": 12, "x": 20}}
ONE_EQUAL = {"main": {"run": 20, "x": 70}, "side": {"run": 33, "x": 20}}


@pytest.mark.parametrize(
    ("old", "new", "figures", "reason"),
    [
        ("gpt-5.4", "claude-haiku-4-5", OTHER, Reason.KEY_REUSED),
        ("gpt-5.4", "claude-haiku-4-5", ONE_EQUAL, Reason.RENAME),
        ("Zyx Large", "Quop", OTHER, Reason.KEY_REUSED),
        ("Zyx Large", "zyx-large (v2)", OTHER, Reason.RENAME),
        ("gpt-5.4", "GPT 5.4 (high)", OTHER, Reason.RENAME),
    ],
)
def test_a_key_is_reused_by_another_model_with_other_figures_only(
    old: str, new: str, figures: Any, reason: Reason
) -> None:
    before, after = called(a_board(TWO), run=old), called(a_board(figures), run=new)
    assert ("model_renamed", "run", reason) in rows(before, after)


@pytest.mark.parametrize(
    ("old", "new", "figure", "reason"),
    [
        ("gpt-5.4", "claude-haiku-4-5", 20, Reason.KEY_REUSED),
        ("gpt-5.4", "claude-haiku-4-5", 80, Reason.RENAME),
        ("Zyx Large", "Quop", 20, Reason.RENAME),
    ],
)
def test_one_figure_shows_that_a_key_is_reused_only_where_the_catalogue_knows_both_names(
    old: str, new: str, figure: int, reason: Reason
) -> None:
    before, after = called(a_board({"run": 80}), run=old), called(a_board({"run": figure}), run=new)
    assert ("model_renamed", "run", reason) in rows(before, after)


def test_places_for_keys_are_reused_by_whoever_arrives_above_and_nobody_moved() -> None:
    before = called(a_board({"1": 80, "2": 70, "3": 60}), **{"1": "gpt-5.4", "2": "o3", "3": "claude-haiku-4-5"})
    after = called(a_board({"1": 90, "2": 80, "3": 70}), **{"1": "gpt-5.9", "2": "gpt-5.4", "3": "o3"})
    changes = compare(before, after).changes
    assert [(it.kind, it.name.raw) for it in changes if it.news] == [
        (Kind.MODEL_ADDED, "gpt-5.9"),
        (Kind.MODEL_REMOVED, "claude-haiku-4-5"),
        (Kind.LEADER_CHANGED, "gpt-5.9"),
    ]


def test_what_is_remembered_of_a_key_is_no_past_of_another_row_under_it() -> None:
    before, after = called(a_board(TWO), run="Zyx Large"), called(a_board(OTHER), run="Quop")
    memory = Memory({("run", "main"): [Decimal(80)], ("run", "side"): [Decimal(33)]})
    assert rows(before, after, memory) == rows(before, after)


@pytest.mark.parametrize(("sizes", "reason"), [((8_000, 64_000), Reason.KEY_REUSED), ((8_000,) * 2, Reason.RENAME)])
def test_whether_a_key_of_a_price_list_is_reused_its_offers_say(sizes: Any, reason: Reason) -> None:
    before = called(prices({"slot-1": an_offer(3, 9, sizes[0])}), **{"slot-1": "gpt-5.4"})
    after = called(prices({"slot-1": an_offer(1, 2, sizes[-1])}), **{"slot-1": "claude-haiku-4-5"})
    assert ("model_renamed", "slot-1", reason) in rows(before, after)


@pytest.mark.parametrize(
    ("old", "new", "renamed"),
    [("gpt-5.4", "claude-haiku-4-5", False), ("gpt-5.4", "gpt-5.4-mini", False), ("Zyx Alpha", "gpt-5.4", True)],
)
def test_equal_figures_make_no_one_of_two_models_that_the_catalogue_knows(old: str, new: str, renamed: bool) -> None:
    def board(name: str) -> Snapshot:
        return a_board({"main": {name: 80, "x": 70}, "side": {name: 33, "x": 20}})

    found = {kind for kind, _key, _reason in rows(board(old), board(new))}
    assert found == ({"model_renamed"} if renamed else {"model_added", "model_removed"})


# What the weeks before say


def test_a_row_s_past_stands_under_the_key_it_had_and_under_its_own_of_earlier() -> None:
    before = called(a_board({"run-1": 80, "run-2": 70}), **{"run-1": "o3 (high)", "run-2": "gpt-5.4"})
    after = called(a_board({"run-2": 78, "run-3": 71}), **{"run-2": "gpt-5.4", "run-3": "o3 (high)"})
    assert differing_rows(before, after) == {"run-1": "run-3", "run-3": "run-3", "run-2": "run-2"}


def test_a_key_that_changed_hands_keeps_the_past_of_neither_row_for_the_other() -> None:
    before = a_board({"main": {"run-1": 80, "run-2": 50}, "side": {"run-1": 70, "run-2": 40}})
    after = a_board({"main": {"run-2": 81, "run-3": 51}, "side": {"run-2": 71, "run-3": 41}})
    before = called(before, **{"run-1": "o3 (high)", "run-2": "gpt-5.4"})
    after = called(after, **{"run-2": "o3 (high)", "run-3": "gpt-5.4"})
    assert differing_rows(before, after) == {"run-1": "run-2", "run-2": "run-3", "run-3": "run-3"}


def test_a_key_that_was_given_to_another_row_brings_no_past_with_it() -> None:
    before, after = called(a_board(TWO), run="gpt-5.4"), called(a_board(OTHER), run="claude-haiku-4-5")
    assert differing_rows(before, after) == {}


def test_a_renamed_row_that_is_back_at_its_value_is_no_news() -> None:
    before = called(a_board({"run-1": 80, "x": 10}, margin=Decimal(1)), **{"run-1": "o3 (high)"})
    after = called(a_board({"run-2": 70, "x": 10}, margin=Decimal(1)), **{"run-2": "o3 (high)"})
    memory = Memory({("run-2", "main"): [Decimal(70)]})  # told of run-1, by the key it has now
    assert [(key, reason) for key, _name, reason, _news in told(before, after, memory)] == [("run-2", Reason.FLIP_FLOP)]


def test_a_rename_that_is_taken_back_is_neither_a_launch_nor_a_withdrawal() -> None:
    before = prices({"zyx-2": an_offer(3, 9, 8_000)})
    after = prices({"zyx-1": an_offer(4, 12, 8_000)})
    memory = Memory({("zyx-1", name): [Decimal(value)] for name, value in (("input", 3), ("output", 9))})
    assert rows(before, after) == [
        ("model_added", "zyx-1", Reason.ENTRY),
        ("model_removed", "zyx-2", Reason.WITHDRAWAL),
    ]
    assert rows(before, after, memory) == [("model_renamed", "zyx-1", Reason.RENAME)]


def test_a_row_that_was_away_for_a_week_is_back_and_no_launch() -> None:
    before, after = a_board({"a": 80}), a_board({"a": 80, "b": 20, "new": 10})
    memory = Memory({("b", "main"): [Decimal(20)]})
    assert rows(before, after, memory) == [
        ("model_added", "b", Reason.FLIP_FLOP),
        ("model_added", "new", Reason.ENTRY),
    ]


def test_a_model_that_is_back_under_one_id_is_not_launched_under_another() -> None:
    before = prices({"gpt-5.4": an_offer(3)})
    after = prices({"gpt-5.4": an_offer(3), "o3": an_offer(2), "azure/o3": an_offer(2)})
    memory = Memory({("azure/o3", "input"): [Decimal(2)]})
    assert rows(before, after, memory) == [
        ("model_added", "azure/o3", Reason.FLIP_FLOP),
        ("model_added", "o3", Reason.SAME_FACT),
    ]
