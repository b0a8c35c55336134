from decimal import Decimal
from typing import Any

from tests.snapshots import a_board, a_price_list

from digest.changes.plausibility import doubts
from digest.scores.snapshot import Offer, Snapshot

ROWS = [f"m{n}" for n in range(10)]


def board(factor: Any = 1, rows: list[str] = ROWS, plus: int = 0, **about: Any) -> Snapshot:
    columns = {name: {row: Decimal(10 + ord(row[-1])) * factor + plus for row in rows} for name in ("a", "b")}
    return a_board(columns, **about)


def test_a_capture_like_the_one_before_is_believed() -> None:
    assert doubts(board(), board()) == ()


def test_new_rows_and_one_gone_are_believed() -> None:
    assert doubts(board(), board(rows=[*ROWS[1:], "n1", "n2", "n3"])) == ()


def test_half_of_the_rows_gone_is_not_believed() -> None:
    assert doubts(board(), board(rows=ROWS[:4])) == ("6 of 10 rows are gone",)


def test_another_unit_is_not_believed() -> None:
    assert any("another unit?" in doubt for doubt in doubts(board(), board(Decimal("0.01"))))


def test_prices_in_another_unit_are_not_believed() -> None:
    before, after = (
        a_price_list({row: Offer(None, Decimal(n + 1) * factor, Decimal(2)) for n, row in enumerate(ROWS)})
        for factor in (1, 1_000_000)
    )
    (doubt,) = doubts(before, after)
    assert doubt.startswith('"input" is 1000000 times what it was for 10 of 10 rows')


def test_most_figures_of_a_fixed_scale_at_once_are_not_believed_and_of_a_relative_one_are() -> None:
    assert doubts(board(), board(plus=1)) == ("20 figures of 2 of 2 benchmarks changed at once",)
    assert doubts(board(relative=True), board(plus=1, relative=True)) == ()


def test_a_board_of_four_rows_is_never_doubted() -> None:
    assert doubts(board(rows=ROWS[:4]), board(rows=ROWS[:1], plus=5)) == ()
