"""When the pick for a need is another than the week before, and why; never because of noise."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.picking import raws, some_settings
from tests.snapshots import MONDAY, a_board, a_price_list, an_offer

from digest.edition.pick_changes import changed_picks
from digest.edition.pick_facts import PickChange
from digest.scores.snapshot import Snapshot

BEFORE = date(2026, 4, 20)
CODING = "category:Coding"


def coding(on: date = MONDAY, /, **figures: Any) -> Snapshot:
    rows = {name.replace("_", "-"): figure for name, figure in figures.items()}
    return a_board({CODING: rows}, margin=Decimal(1), on=on)


def change_of(need: str, before: tuple[Snapshot, ...], now: tuple[Snapshot, ...]) -> PickChange | None:
    weeks = [{snapshot.capture.source: snapshot for snapshot in week} for week in (before, now)]
    found = changed_picks(weeks[0], weeks[1], some_settings())
    return next(pick.change for pick in found if pick.needs == (need,))


def coding_change(before: Snapshot, now: Snapshot) -> PickChange | None:
    return change_of("coding", (before,), (now,))


def test_a_new_model_in_front_is_the_cause_and_the_old_pick_is_kept() -> None:
    change = coding_change(coding(BEFORE, ada=80, bob=70), coding(ada=80, bob=70, cyd=90))
    assert change is not None
    assert (change.why, change.by and change.by.raw, raws(change.before)) == ("arrived", "cyd", ["ada"])


def test_the_same_pick_is_no_change_however_its_score_moved() -> None:
    assert coding_change(coding(BEFORE, ada=80, bob=70), coding(ada=90, bob=70)) is None


def test_a_change_among_tied_leaders_is_no_change() -> None:
    assert coding_change(coding(BEFORE, ada=80, bob="79.5"), coding(ada="79.5", bob=80)) is None
    assert coding_change(coding(BEFORE, ada=80, bob="79.5"), coding(ada=70, bob=80)) is None


def test_moves_of_which_none_is_beyond_noise_change_no_pick() -> None:
    before, now = coding(BEFORE, ada="80.6", bob="79.5", cyd=50), coding(ada="79.6", bob="80.5", cyd=50)
    narrow = {CODING: replace(now.benchmarks[CODING], margin=Decimal("0.8"))}
    assert coding_change(replace(before, benchmarks=narrow), replace(now, benchmarks=narrow)) is not None
    wide = {CODING: replace(now.benchmarks[CODING], margin=Decimal("1.0"))}
    assert coding_change(replace(before, benchmarks=wide), replace(now, benchmarks=wide)) is None


def test_a_pick_that_rose_and_one_that_fell_are_told_apart() -> None:
    rose = coding_change(coding(BEFORE, ada=80, bob=70, cyd=5), coding(ada=80, bob=90, cyd=5))
    fell = coding_change(coding(BEFORE, ada=80, bob=70, cyd=5), coding(ada=60, bob=70, cyd=5))
    assert [(it.why, it.by and it.by.raw) for it in (rose, fell) if it] == [("rose", "bob"), ("fell", "ada")]


def test_a_pick_that_is_gone_was_withdrawn() -> None:
    change = coding_change(coding(BEFORE, ada=80, bob=70, cyd=60), coding(bob=70, cyd=60))
    assert change is not None
    assert (change.why, change.by and change.by.raw) == ("withdrawn", "ada")


def test_a_pick_that_only_goes_by_another_name_is_no_change() -> None:
    columns = {CODING: {"old-name": 80, "bob": 70}, "category:Mathematics": {"old-name": 41, "bob": 42}}
    renamed = {name: {"new-name": column["old-name"], "bob": column["bob"]} for name, column in columns.items()}
    assert coding_change(a_board(columns, on=BEFORE), a_board(renamed)) is None


def test_another_source_that_answers_is_named_as_the_cause() -> None:
    larger = a_board({CODING: {"bob": 3, "ada": 2, "cyd": 1}}, source="other")
    board = coding(BEFORE, ada=80, bob=70)
    change = change_of("coding", (board,), (board, larger))
    assert change is not None
    assert (change.why, change.criterion.source) == ("source", "board")


def test_another_source_that_picks_one_of_the_same_models_is_no_change() -> None:
    larger = a_board({CODING: {"bob": 3, "ada": 2, "cyd": 1}}, source="other")
    board = coding(BEFORE, ada=80, bob="79.5")
    assert change_of("coding", (board,), (board, larger)) is None


def test_without_a_pick_the_week_before_there_is_no_change() -> None:
    assert change_of("coding", (), (coding(ada=80, bob=70),)) is None


def test_a_cheaper_model_changes_the_pick_for_cost() -> None:
    board = a_board({"overall": {"ada": 3, "bob": 2}})
    before = a_price_list({"ada": an_offer(1, 1), "bob": an_offer(2, 2)}, on=BEFORE)
    now = a_price_list({"ada": an_offer(1, 1), "bob": an_offer("0.5", "0.5")})
    change = change_of("cost", (board, before), (board, now))
    assert change is not None
    assert (change.why, change.by and change.by.raw) == ("rose", "bob")


def test_the_cheapest_that_is_no_longer_among_the_best_is_told_as_such() -> None:
    ranks = {f"m{n:02}": 90 - 2 * n for n in range(12)}
    asked = a_price_list({name: an_offer(20 - n, 20 - n) for n, name in enumerate(ranks)})
    before = a_board({"overall": ranks}, on=BEFORE, margin=Decimal(1))
    overtaken = a_board({"overall": {**ranks, "new-one": 99}}, margin=Decimal(1))
    change = change_of("cost", (before, asked), (overtaken, asked))
    assert change is not None
    assert (change.why, raws(change.before)) == ("standing", ["m09"])


def test_a_model_that_noise_moves_in_and_out_of_the_best_changes_no_pick() -> None:
    ranks = {f"m{n:02}": Decimal(90 - 2 * n) for n in range(10)} | {"m10": Decimal("70.5")}
    asked = a_price_list({name: an_offer(20 - n, 20 - n) for n, name in enumerate(ranks)})
    before = a_board({"overall": ranks}, on=BEFORE, margin=Decimal(1))
    now = a_board({"overall": {**ranks, "m10": Decimal("71.4")}}, margin=Decimal(1))
    assert change_of("cost", (before, asked), (now, asked)) is None


NAMES = st.sampled_from([f"model-{letter}" for letter in "abcdef"])
TABLES = st.dictionaries(NAMES, st.decimals(0, 100, places=1), min_size=2)
NOISE = st.lists(st.decimals("-0.5", "0.5", places=1), min_size=6, max_size=6)


@given(TABLES, NOISE)
@examples(max_examples=80, derandomize=True, deadline=None)
def test_whatever_moves_by_less_than_the_margin_changes_no_pick(table: Any, noise: Any) -> None:
    moved = {name: value + by for (name, value), by in zip(table.items(), noise, strict=False)}
    before, now = (a_board({CODING: rows}, margin=Decimal(1)) for rows in (table, moved))
    assert coding_change(before, now) is None
