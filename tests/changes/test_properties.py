"""What must hold for any two weeks, not only for those that were recorded."""

from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.snapshots import a_board, a_price_list, an_offer

from digest.changes.compare import compare
from digest.changes.kinds import Change, Kind, Memory, Reason
from digest.scores.snapshot import Offer, Row, Snapshot

KEYS = st.sampled_from([f"model-{letter}" for letter in "abcdefghij"])
FIGURES = st.decimals(0, 100, places=1)
TABLES = st.dictionaries(KEYS, st.tuples(FIGURES, FIGURES), min_size=1)
PRICES = st.one_of(st.none(), st.decimals(0, 50, places=2))
OFFERS = st.dictionaries(KEYS, st.builds(an_offer, PRICES, PRICES, st.sampled_from([None, 8_000, 128_000])), max_size=8)
exhaustive = settings(max_examples=60, derandomize=True, deadline=None)


def board(table: dict[str, tuple[Decimal, Decimal]], **about: Any) -> Snapshot:
    columns = {
        "main": {key: one for key, (one, _two) in table.items()},
        "side": {k: two for k, (_o, two) in table.items()},
    }
    return a_board(columns, **{"margin": Decimal(1), **about})


def kinds(before: Snapshot, after: Snapshot) -> Counter[Kind]:
    return Counter(change.kind for change in compare(before, after).changes)


@given(TABLES, OFFERS)
@exhaustive
def test_a_snapshot_compared_with_itself_has_no_change(table: Any, offers: Any) -> None:
    assert compare(board(table), board(table)).changes == ()
    assert compare(a_price_list(offers), a_price_list(offers)).changes == ()


@given(st.lists(st.tuples(FIGURES, FIGURES), min_size=1, max_size=8, unique=True), st.data())
@exhaustive
def test_renaming_rows_with_figures_of_their_own_gives_as_many_renames_and_no_launch(figures: Any, data: Any) -> None:
    before = {f"old-thing-{index}": pair for index, pair in enumerate(figures)}
    renamed = data.draw(st.sets(st.sampled_from(sorted(before))))
    after = {(f"other-name-{key[-1]}" if key in renamed else key): pair for key, pair in before.items()}
    found = kinds(board(before), board(after))
    assert found[Kind.MODEL_RENAMED] == len(renamed)
    assert not found.keys() & {Kind.MODEL_ADDED, Kind.MODEL_REMOVED, Kind.SCORE_CHANGED}


@given(
    st.lists(st.decimals(900, 1500, places=1), min_size=5, max_size=10, unique=True),
    st.integers(50, 400),
    st.booleans(),
)
@exhaustive
def test_a_constant_added_to_a_relative_scale_is_one_shift_and_moves_nobody(
    values: Any, constant: int, down: bool
) -> None:
    def rated(shift: int) -> Snapshot:
        rows = {f"m{n}": (value + shift, value + shift - 8, value + shift + 8) for n, value in enumerate(values)}
        return a_board({"full": rows}, relative=True, unit="rating")

    changes = compare(rated(0), rated(-constant if down else constant)).changes
    assert [change.kind for change in changes if change.news] == [Kind.SCALE_SHIFTED]
    assert {change.reason for change in changes if not change.news} <= {Reason.SCALE_SHIFT}


@given(TABLES, TABLES, OFFERS, OFFERS)
@exhaustive
def test_without_memory_a_to_b_mirrors_b_to_a(one: Any, other: Any, offers: Any, other_offers: Any) -> None:
    def mirrored(change: Change) -> tuple[object, ...]:
        turned = {
            Kind.MODEL_ADDED: Kind.MODEL_REMOVED,
            Kind.SCORE_FILLED_IN: Kind.SCORE_WITHDRAWN,
            Kind.PRICE_FILLED_IN: Kind.PRICE_WITHDRAWN,
        }
        back = {after: before for before, after in turned.items()}
        kind = {**turned, **back}.get(change.kind, change.kind)
        return (kind, change.benchmark, *(() if kind is Kind.MODEL_RENAMED else (change.after, change.before)))

    def told(change: Change) -> tuple[object, ...]:
        figures = () if change.kind is Kind.MODEL_RENAMED else (change.before, change.after)
        return (change.kind, change.benchmark, *figures)

    for before, after in ((board(one), board(other)), (a_price_list(offers), a_price_list(other_offers))):
        there = [change for change in compare(before, after).changes if change.kind is not Kind.LEADER_CHANGED]
        back = [change for change in compare(after, before).changes if change.kind is not Kind.LEADER_CHANGED]
        assert Counter(map(told, there)) == Counter(map(mirrored, back))


@given(TABLES, TABLES, st.randoms(use_true_random=False))
@exhaustive
def test_the_order_of_rows_changes_nothing(one: Any, other: Any, random: Any) -> None:
    def shuffled(table: dict[str, Any]) -> dict[str, Any]:
        keys = list(table)
        random.shuffle(keys)
        return {key: table[key] for key in keys}

    assert compare(board(shuffled(one)), board(shuffled(other))).changes == compare(board(one), board(other)).changes


@given(st.dictionaries(KEYS, st.decimals(20, 80, places=1), min_size=1), st.data(), st.booleans())
@exhaustive
def test_noise_inside_the_intervals_is_never_news(values: Any, data: Any, relative: bool) -> None:
    nudged = {key: value + data.draw(st.decimals(-4, 4, places=1)) for key, value in values.items()}
    before, after = (
        a_board({key: (value, value - 4, value + 4) for key, value in some.items()}, relative=relative)
        for some in (values, nudged)
    )
    assert [change for change in compare(before, after).changes if change.news] == []


@given(st.dictionaries(KEYS, st.decimals(20, 60, places=1), min_size=1), st.data(), st.booleans())
@exhaustive
def test_a_model_truly_raised_beyond_its_interval_is_always_news(values: Any, data: Any, relative: bool) -> None:
    raised = data.draw(st.sampled_from(sorted(values)))
    lifted = {**values, raised: values[raised] + 20}
    before, after = (
        a_board({key: (value, value - 4, value + 4) for key, value in some.items()}, relative=relative)
        for some in (values, lifted)
    )
    news = [
        change.key for change in compare(before, after).changes if change.news and change.kind is Kind.SCORE_CHANGED
    ]
    assert news == [raised]


@given(OFFERS, st.integers(1, 10))
@exhaustive
def test_one_launch_in_many_ids_of_a_price_list_is_one_story(offers: Any, ids: int) -> None:
    hosts = ["", "azure/", "vertex_ai/", "openrouter/openai/", "databricks/", "groq/openai/", "replicate/openai/"]
    launched = {f"{host}gpt-9.9-turbo": Offer(None, Decimal(2), Decimal(8)) for host in hosts[:ids]}
    changes = compare(a_price_list(offers), a_price_list({**offers, **launched})).changes
    assert [change.kind for change in changes if change.news] == [Kind.MODEL_ADDED]
    assert sum(change.reason is Reason.SAME_FACT for change in changes) == len(launched) - 1


def test_a_whole_prefix_that_moved_is_one_change_with_its_rows() -> None:
    offers = {f"thing-{n}": Offer(None, Decimal(n), Decimal(2 * n), n * 1000) for n in range(1, 6)}
    moved = {f"vendor/{key}": offer for key, offer in offers.items()}
    (change,) = compare(a_price_list(offers), a_price_list(moved)).changes
    assert (change.kind, change.reason, change.rows, change.news) == (
        Kind.MODEL_RENAMED,
        Reason.NAMESPACE_MOVE,
        5,
        False,
    )


def test_a_key_that_was_given_to_another_row_is_no_fall() -> None:
    before = board({"run-1": (Decimal(80), Decimal(70)), "run-2": (Decimal(50), Decimal(40))})
    after = board({"run-1": (Decimal(20), Decimal(10)), "run-2": (Decimal(50), Decimal(40))})
    before = replace(before, rows={**before.rows, "run-1": Row("run-1", "gpt-5.4")})
    after = replace(after, rows={**after.rows, "run-1": Row("run-1", "claude-haiku-4-5")})
    found = {(change.kind, change.reason) for change in compare(before, after).changes}
    assert (Kind.MODEL_RENAMED, Reason.KEY_REUSED) in found
    assert not [kind for kind, _reason in found if kind is Kind.SCORE_CHANGED]


def test_a_column_made_anew_is_one_change_of_the_benchmark() -> None:
    rows = [f"m{n}" for n in range(8)]
    columns = {name: {row: 10 * n for n, row in enumerate(rows)} for name in ("main", "side", "third")}
    revised = {**columns, "side": {row: 10 * n + 3 for n, row in enumerate(rows)}}
    changes = compare(a_board(columns), a_board(revised)).changes
    assert [(change.kind, change.benchmark) for change in changes if change.news] == [(Kind.BENCHMARK_REVISED, "side")]
    assert {change.reason for change in changes} == {Reason.BENCHMARK_CHANGE}


def test_a_figure_that_is_back_to_what_it_was_is_told_once() -> None:
    before, after = (a_price_list({"m": Offer(None, Decimal(price))}, on=date(2026, 4, 13)) for price in ("3.6", "3.3"))
    (first,) = compare(before, after).changes
    (again,) = compare(before, after, Memory({("m", "input"): [Decimal("3.3")]})).changes
    assert (first.reason, first.news, again.reason, again.news) == (Reason.PRICE, True, Reason.FLIP_FLOP, False)
