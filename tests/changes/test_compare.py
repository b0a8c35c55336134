from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.snapshots import a_board, a_price_list, an_offer

from digest.changes.compare import compare
from digest.changes.kinds import EXPLAINED, Change, Kind, Reason
from digest.scores.aggregates import plain_means, with_aggregate_benchmarks, with_aggregate_scores
from digest.scores.snapshot import Row, Score, Snapshot


def told(before: Snapshot, after: Snapshot) -> list[tuple[Kind, Reason, bool]]:
    return [(change.kind, change.reason, change.news) for change in compare(before, after).changes]


def one(before: Snapshot, after: Snapshot, kind: Kind) -> Change:
    (change,) = [change for change in compare(before, after).changes if change.kind is kind]
    return change


def test_every_reason_is_explained() -> None:
    assert set(EXPLAINED) == set(Reason)


def test_a_first_capture_is_no_news() -> None:
    first = compare(None, a_board({"one": 80, "two": 70}))
    assert {(change.kind, change.reason, change.news) for change in first.changes} == {
        (Kind.MODEL_ADDED, Reason.FIRST_CAPTURE, False)
    }


def test_a_snapshot_compared_with_itself_has_no_change() -> None:
    board = a_board({"one": 80, "two": 70})
    assert compare(board, board).changes == ()


def test_new_and_gone_rows_are_news_with_their_rank() -> None:
    before, after = (
        a_board({"one": 80, "old": 70}, margin=Decimal(1)),
        a_board({"one": 80, "new": 75}, margin=Decimal(1)),
    )
    added, removed = one(before, after, Kind.MODEL_ADDED), one(before, after, Kind.MODEL_REMOVED)
    assert (added.key, added.news, added.after and added.after.rank) == ("new", True, 2)
    assert (removed.key, removed.news, removed.before and removed.before.rank) == ("old", True, 2)


@pytest.mark.parametrize(
    ("old", "new", "reason", "news"),
    [
        ((80, 78, 82), (81, 79, 83), Reason.WITHIN_UNCERTAINTY, False),
        ((80, 78, 82), (86, 84, 88), Reason.BEYOND_UNCERTAINTY, True),
        (
            Score(Decimal(80), stderr=Decimal(1)),
            Score(Decimal(82), stderr=Decimal(1)),
            Reason.WITHIN_UNCERTAINTY,
            False,
        ),
        (Score(Decimal(80), stderr=Decimal(1)), Score(Decimal(84), stderr=Decimal(1)), Reason.BEYOND_UNCERTAINTY, True),
        (Score(Decimal(80), n=225), Score(Decimal(84), n=225), Reason.WITHIN_UNCERTAINTY, False),
        (Score(Decimal(80), n=225), Score(Decimal(89), n=225), Reason.BEYOND_UNCERTAINTY, True),
        (80, 81, Reason.BELOW_THRESHOLD, False),
        (80, 81.1, Reason.BEYOND_THRESHOLD, True),
    ],
)
def test_a_score_change_is_news_only_beyond_what_is_not_known(
    old: object, new: object, reason: Reason, news: bool
) -> None:
    before, after = (a_board({"one": figure, "low": 1}, margin=Decimal(1), relative=True) for figure in (old, new))
    change = one(before, after, Kind.SCORE_CHANGED)
    assert (change.reason, change.news) == (reason, news)


def test_a_leader_within_the_margin_is_tied_and_no_news() -> None:
    before = a_board({"old": 80}, margin=Decimal(1))
    after = a_board({"old": 80, "new": "80.9"}, margin=Decimal(1))
    change = one(before, after, Kind.LEADER_CHANGED)
    assert (change.name.raw, change.reason, change.news) == ("new", Reason.TIED, False)
    assert change.before
    assert change.before.name
    assert change.before.name.raw == "old"


def test_a_leader_beyond_the_margin_is_news() -> None:
    change = one(
        a_board({"old": 80}, margin=Decimal(1)), a_board({"old": 80, "new": 82}, margin=Decimal(1)), Kind.LEADER_CHANGED
    )
    assert (change.reason, change.news) == (Reason.BEYOND_THRESHOLD, True)


def test_where_lower_is_better_the_lower_value_leads() -> None:
    before = a_board({"old": "3.3"}, margin=Decimal("0.5"), higher_is_better=False)
    after = a_board({"old": "3.3", "new": "1.8", "high": 20}, margin=Decimal("0.5"), higher_is_better=False)
    change = one(before, after, Kind.LEADER_CHANGED)
    assert (change.name.raw, change.news) == ("new", True)


def test_a_leader_that_left_is_told_as_a_withdrawal_and_not_as_a_win() -> None:
    change = one(a_board({"gone": 90, "next": 80, "low": 60}), a_board({"next": 80, "low": 60}), Kind.LEADER_CHANGED)
    assert (change.name.raw, change.reason) == ("next", Reason.WITHDRAWAL)


def test_two_rows_of_one_value_at_the_top_keep_the_leader_of_before() -> None:
    assert told(a_board({"zeta": 80}), a_board({"zeta": 80, "alpha": 80})) == [(Kind.MODEL_ADDED, Reason.ENTRY, True)]


def test_a_row_pushed_down_by_an_arrival_is_displaced() -> None:
    change = one(a_board({"one": 80, "two": 70}), a_board({"one": 80, "new": 75, "two": 70}), Kind.RANK_CHANGED)
    assert (change.key, change.reason, change.news) == ("two", Reason.DISPLACED, False)
    assert (change.before and change.before.rank, change.after and change.after.rank) == (2, 3)


def test_missing_and_zero_are_two_things() -> None:
    before = a_board({"main": {"one": 80, "two": 70}, "side": {"one": 0}})
    after = a_board({"main": {"one": 80, "two": 70}, "side": {"two": 0}})
    assert told(before, after) == [
        (Kind.SCORE_FILLED_IN, Reason.FILLED_IN, False),
        (Kind.SCORE_WITHDRAWN, Reason.VALUE_WITHDRAWN, False),
    ]


def test_a_zero_that_means_not_known_is_a_withdrawn_value() -> None:
    before, after = (
        a_board({"main": {"one": figure}}, unit="USD", zero_is_missing=True, higher_is_better=False)
        for figure in (6, 0)
    )
    assert told(before, after)[0] == (Kind.PRICE_WITHDRAWN, Reason.VALUE_WITHDRAWN, False)


def test_a_renamed_row_is_known_by_its_key_and_is_no_new_leader() -> None:
    before = a_board({"run-1": 80, "run-2": 70})
    after = replace(before, rows={**before.rows, "run-1": Row("run-1", "another name")})
    assert told(before, after) == [
        (Kind.MODEL_RENAMED, Reason.RENAME, False),
        (Kind.LEADER_CHANGED, Reason.RENAME, False),
    ]


def test_a_row_that_left_and_one_that_came_with_the_same_two_figures_are_one_row_renamed() -> None:
    before = a_board({"main": {"old": 80, "two": 70}, "side": {"old": 33, "two": 20}})
    after = a_board({"main": {"new": 80, "two": 70}, "side": {"new": 33, "two": 20}})
    assert Counter(kind for kind, _reason, _news in told(before, after)) == {
        Kind.MODEL_RENAMED: 1,
        Kind.LEADER_CHANGED: 1,
    }


def test_a_run_made_again_under_one_name_is_a_rerun() -> None:
    before = a_board({"run-1": 80, "low": 10}, margin=Decimal(1))
    before = replace(before, rows={**before.rows, "run-1": Row("run-1", "o3 (high)")})
    after = a_board({"run-2": 70, "low": 10}, margin=Decimal(1))
    after = replace(after, rows={**after.rows, "run-2": Row("run-2", "o3 (high)")})
    change = one(before, after, Kind.SCORE_CHANGED)
    assert (change.reason, change.news) == (Reason.RERUN, True)


def with_mean(snapshot: Snapshot, *members: str) -> Snapshot:
    means = plain_means({"All": members}, "overall")
    benchmarks = with_aggregate_benchmarks(snapshot.benchmarks, means, None)
    scores = with_aggregate_scores(snapshot.scores, benchmarks, [mean.name for mean in means])
    return replace(snapshot, scores=scores, benchmarks=benchmarks, lead="overall")


def test_a_new_column_is_one_benchmark_change_and_moves_no_model() -> None:
    before = with_mean(a_board({"a": {"one": 80, "two": 70}}), "a")
    after = with_mean(a_board({"a": {"one": 80, "two": 70}, "b": {"one": 10, "two": 90}}), "a", "b")
    changes = compare(before, after).changes
    assert [(change.kind, change.benchmark) for change in changes if change.news] == [(Kind.BENCHMARK_ADDED, "b")]
    assert {change.reason for change in changes} == {Reason.BENCHMARK_CHANGE}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (an_offer(5, 30), an_offer("2.5", 30), (Kind.PRICE_CHANGED, Reason.PRICE, True)),
        (an_offer(None, 30), an_offer(5, 30), (Kind.PRICE_FILLED_IN, Reason.FILLED_IN, False)),
        (an_offer(5, 30), an_offer(None, 30), (Kind.PRICE_WITHDRAWN, Reason.VALUE_WITHDRAWN, False)),
        (an_offer(5, 30), an_offer(15_000, 30), (Kind.PRICE_CHANGED, Reason.IMPLAUSIBLE, False)),
        (an_offer(context=128_000), an_offer(context=256_000), (Kind.CONTEXT_CHANGED, Reason.BEYOND_THRESHOLD, True)),
        (an_offer(context=None), an_offer(context=256_000), (Kind.CONTEXT_CHANGED, Reason.FILLED_IN, False)),
    ],
)
def test_offers_change_by_field_and_nothing_is_taken_for_zero(before, after, expected) -> None:  # type: ignore[no-untyped-def]
    assert told(a_price_list({"one": before}), a_price_list({"one": after})) == [expected]


def test_the_same_price_written_otherwise_is_no_change() -> None:
    assert told(a_price_list({"one": an_offer("5.0", "30")}), a_price_list({"one": an_offer("5", "30.00")})) == []


def test_the_id_of_a_change_is_stable_and_names_one_change() -> None:
    before, after = a_board({"one": 80, "two": 70}), a_board({"one": 85, "two": 60, "new": 1})
    found = compare(before, after)
    ids = [found.id_of(change) for change in found.changes]
    assert ids == [compare(before, after).id_of(change) for change in found.changes]
    assert len(set(ids)) == len(ids)


BOARDS = st.dictionaries(st.sampled_from("abcdefgh"), st.decimals(0, 100, places=2), min_size=1)


@given(BOARDS, BOARDS, st.randoms(use_true_random=False))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_the_order_of_rows_changes_nothing(before, after, random) -> None:  # type: ignore[no-untyped-def]
    def shuffled(figures: dict[str, Decimal]) -> dict[str, Decimal]:
        keys = list(figures)
        random.shuffle(keys)
        return {key: figures[key] for key in keys}

    straight = compare(a_board(before), a_board(after)).changes
    assert compare(a_board(shuffled(before)), a_board(shuffled(after))).changes == straight


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.decimals(10, 90, places=2), min_size=1), st.data())
@settings(max_examples=100, derandomize=True, deadline=None)
def test_noise_inside_the_intervals_is_never_news(figures, data) -> None:  # type: ignore[no-untyped-def]
    wide = Decimal(3)
    nudged = {key: value + data.draw(st.decimals(-3, 3, places=2)) for key, value in figures.items()}
    before, after = (
        a_board({key: (value, value - wide, value + wide) for key, value in board.items()})
        for board in (figures, nudged)
    )
    assert not [
        change for change in compare(before, after).changes if change.news and change.kind is Kind.SCORE_CHANGED
    ]
