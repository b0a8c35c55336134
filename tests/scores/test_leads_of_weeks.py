"""What a source ranked by, week by week, on both databases."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Engine
from tests.snapshots import MONDAY, a_board

from digest.database import reading, writing
from digest.scores import store
from digest.scores.snapshot import Snapshot


def of(days: int, value: float = 80, hour: int = 9) -> Snapshot:
    """A board with two benchmarks, so many days after MONDAY."""
    on = MONDAY + timedelta(days=days)
    board = a_board({"main": {"a": (value, value - 1, value + 1)}, "other": {"a": 1, "b": 2}}, on=on)
    return replace(board, capture=replace(board.capture, at=datetime(on.year, on.month, on.day, hour, tzinfo=UTC)))


def leads(engine: Engine, *snapshots: Snapshot, weeks: int = 3, doubt: str | None = None) -> dict[date, Snapshot]:
    with writing(engine) as connection:
        for snapshot in snapshots:
            store.add_snapshot(connection, snapshot, b"bytes", doubt=doubt)
    with reading(engine) as connection:
        return store.leads_of_weeks(connection, "board", MONDAY + timedelta(days=3), weeks)


def test_each_week_is_told_by_its_newest_capture_under_its_monday(engine: Engine) -> None:
    found = leads(engine, of(0, 80), of(6, 81), of(-7, 70), of(-1, 71))
    assert {monday: board.scores["main"]["a"].value for monday, board in found.items()} == {
        MONDAY - timedelta(days=7): 71,
        MONDAY: 81,
    }


def test_only_the_scores_of_the_lead_are_loaded_with_their_intervals_and_rows(engine: Engine) -> None:
    stored = of(0)
    (lead,) = leads(engine, stored).values()
    assert lead.scores == {"main": stored.scores["main"]}
    assert lead.rows == {"a": stored.rows["a"]}
    assert (lead.capture.sha256, lead.lead, lead.benchmarks) == (
        stored.capture.sha256,
        "main",
        stored.benchmarks,
    )


def test_weeks_before_the_first_and_after_the_last_asked_are_left_out(engine: Engine) -> None:
    found = leads(engine, of(7), of(0), of(-14), of(-15), weeks=3)
    assert sorted(found) == [MONDAY - timedelta(days=14), MONDAY]


def test_a_quarantined_capture_tells_nothing_of_its_week(engine: Engine) -> None:
    assert leads(engine, of(0), doubt="half the rows are gone") == {}


def test_a_capture_without_a_lead_tells_nothing_of_its_week(engine: Engine) -> None:
    assert leads(engine, replace(of(0), lead=None)) == {}
