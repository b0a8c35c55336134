"""Captures into the database: one at a time, each whole or not at all, and none ever overwritten."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.captures import Server, body, declared, git, serving
from urllib3.util.retry import Retry

from digest.config.sections import Fetch
from digest.config.settings import Settings
from digest.config.source import Source
from digest.database import reading
from digest.errors import CaptureError, UsageError
from digest.scores import store
from digest.scores.recorded import Recorded
from digest.scores.snapshot import Capture, Snapshot
from digest.weekly.calendar import Week
from digest.weekly.collecting import Collected, backfill, backfill_history, check, collect

HERE = Fetch(allow_http=True, allow_private_addresses=True, retries=0, connect_seconds=2)
CLOSED = "http://127.0.0.1:1/"
Rows = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Retry, "sleep", lambda *_: None)


@pytest.fixture
def at_servers(settings: Settings) -> Callable[..., Settings]:
    """Settings with a source for each server, or address, or whole declaration."""

    def declare(**places: Server | str | Source) -> Settings:
        sources = {
            name: place if isinstance(place, Source) else declared(url=place if isinstance(place, str) else place.url)
            for name, place in places.items()
        }
        return settings.model_copy(update={"sources": sources, "fetch": HERE})

    return declare


@pytest.fixture
def state(engine: Engine) -> Callable[..., Any]:
    """The newest snapshot of a source, and its bytes."""

    def state(source: str = "sample", until: date = date(2099, 1, 1)) -> tuple[Snapshot, bytes | None] | None:
        with reading(engine) as connection:
            newest = store.newest_capture(connection, source, until)
            if newest is None:
                return None
            return store.load_snapshot(connection, newest), store.load_bytes(connection, newest.sha256)

    return state


def board(score: int) -> bytes:
    return f"model,score\naurora-2,{score}\nborealis-1,7\n".encode()


def recorded(folder: Path, day: str, data: bytes, source: str = "sample") -> Recorded:
    path = folder / f"{source}-{day}.csv"
    path.write_bytes(data)
    return Recorded(source, date.fromisoformat(day), path)


def outcomes(found: list[Collected]) -> list[tuple[str, str]]:
    return [(one.source, one.outcome) for one in found]


# Fetching


def test_every_source_is_stored_with_its_bytes(engine: Engine, at_servers: Any, state: Any, now: datetime) -> None:
    with serving(body(board(80))) as one, serving(body(board(70))) as other:
        found = list(collect(engine, at_servers(one=one, other=other), now))
    assert found[0] == Collected("one", now.date(), "stored", 2, len(board(80)))
    assert outcomes(found) == [("one", "stored"), ("other", "stored")]
    for name, score in (("one", 80), ("other", 70)):
        snapshot, data = state(name)
        assert snapshot.scores["score"]["aurora-2"].value == score
        assert data == board(score)


def test_a_source_that_fails_leaves_the_others_and_its_last_capture(
    engine: Engine, at_servers: Any, state: Any, rows: Rows, now: datetime
) -> None:
    with serving(body(board(80)), body(b"<html>")) as bad, serving(body(board(70))) as good:
        chosen = at_servers(bad=bad, closed=CLOSED, good=good)
        list(collect(engine, chosen, now - timedelta(days=7)))
        found = list(collect(engine, chosen, now))
    assert outcomes(found) == [("bad", "failed"), ("closed", "failed"), ("good", "stored")]
    assert "HTML page" in found[0].detail
    assert state("bad")[0].capture.on == now.date() - timedelta(days=7)
    assert state("closed") is None
    assert [failure["source"] for failure in rows("failure")] == ["closed", "bad", "closed"]


def test_a_failure_is_recorded_with_its_one_sentence(engine: Engine, at_servers: Any, now: datetime) -> None:
    with serving(body(b"model,score\naurora-2,oops\n")) as server:
        (found,) = collect(engine, at_servers(sample=server), now)
    with reading(engine) as connection:
        told = store.last_failure(connection, "sample", now.date(), now.date())
    assert told == found.detail
    assert told == "sample, 2026-05-04: line 2: \"score\" is 'oops', which is no number; the capture was left out."


@pytest.mark.parametrize("name", ["a\\u0000", "\\ud800", "\\u001b[31m", "x" * 9_000])
def test_a_failure_that_quotes_hostile_bytes_is_recorded_on_both_databases(
    engine: Engine, at_servers: Any, rows: Rows, now: datetime, name: str
) -> None:
    source = declared(format="json", rows=[{"key_as": "model"}])
    with serving(body(f'{{"{name}": {{"score": "?"}}}}'.encode())) as server:
        chosen = at_servers(sample=source.model_copy(update={"url": server.url}))
        (found,) = collect(engine, chosen, now)
    assert found.outcome == "failed"
    assert [failure["detail"] for failure in rows("failure")] == [found.detail]


def test_bytes_that_have_not_changed_are_a_capture_of_the_new_day(
    engine: Engine, at_servers: Any, state: Any, now: datetime
) -> None:
    with serving(body(board(80), ETag='"one"'), body(b"", 304)) as server:
        chosen = at_servers(sample=server)
        list(collect(engine, chosen, now))
        found = list(collect(engine, chosen, now + timedelta(days=7)))
    assert outcomes(found) == [("sample", "stored")]
    assert [asked.get("if-none-match") for asked in server.asked] == [None, '"one"']
    snapshot, data = state()
    assert (snapshot.capture.on, data) == (now.date() + timedelta(days=7), board(80))


def test_a_server_is_asked_about_the_bytes_that_are_taken_if_it_has_no_others(
    engine: Engine, at_servers: Any, state: Any, now: datetime
) -> None:
    """With --now in the past there are later captures; theirs are not the bytes of that day."""
    with serving(body(board(70), ETag='"early"'), body(board(80), ETag='"late"'), body(b"", 304)) as server:
        chosen = at_servers(sample=server)
        for days in (0, 14, 7):
            list(collect(engine, chosen, now + timedelta(days=days)))
    assert server.asked[2]["if-none-match"] == '"early"'
    assert state(until=now.date() + timedelta(days=7))[1] == board(70)


def test_a_server_that_says_unchanged_without_being_asked_is_a_failure(
    engine: Engine, at_servers: Any, now: datetime
) -> None:
    with serving(body(b"", 304)) as server:
        (found,) = collect(engine, at_servers(sample=server), now)
    assert found.outcome == "failed"
    assert "nothing was asked for before" in found.detail


def test_one_moment_is_captured_once(engine: Engine, at_servers: Any, rows: Rows, now: datetime) -> None:
    with serving(body(board(80))) as server:
        found = [list(collect(engine, at_servers(sample=server), now)) for _ in range(2)]
    assert [one.outcome for (one,) in found] == ["stored", "known"]
    assert len(rows("capture")) == 1


def test_a_run_again_fetches_only_what_the_week_still_lacks(engine: Engine, at_servers: Any, now: datetime) -> None:
    with serving(body(board(80))) as there, serving(body(b"", 500), body(board(70))) as late:
        chosen = at_servers(there=there, late=late)
        list(collect(engine, chosen, now))
        found = list(collect(engine, chosen, now + timedelta(hours=1), missing_in=Week.of(now.date())))
    assert outcomes(found) == [("late", "stored")]
    assert (len(there.asked), len(late.asked)) == (1, 2)


def test_a_source_that_is_switched_off_is_not_fetched(engine: Engine, at_servers: Any, now: datetime) -> None:
    with serving(body(board(80))) as server:
        off = declared(url=server.url, enabled=False)
        assert list(collect(engine, at_servers(sample=off), now)) == []
    assert server.asked == []


def test_a_capture_is_dated_by_the_day_of_the_series(engine: Engine, at_servers: Any, now: datetime) -> None:
    with serving(body(board(80))) as server:
        chosen = at_servers(sample=server)
        series = chosen.series.model_copy(update={"timezone": "Pacific/Auckland"})
        (found,) = collect(engine, chosen.model_copy(update={"series": series}), now.replace(hour=13))
    assert found.on == now.date() + timedelta(days=1)


def test_a_check_reads_a_source_and_stores_nothing(engine: Engine, at_servers: Any, rows: Rows, now: datetime) -> None:
    with serving(body(board(80)), body(b"")) as server:
        chosen = at_servers(sample=server)
        assert check(chosen, "sample", now).scores["score"]["aurora-2"].value == 80
        with pytest.raises(CaptureError, match="the file is empty"):
            check(chosen, "sample", now)
    assert rows("capture") == rows("failure") == []


def test_a_check_of_an_unknown_source_names_the_known(at_servers: Any, now: datetime) -> None:
    with pytest.raises(UsageError, match='declares no source "other"; it has one, sample'):
        check(at_servers(sample=CLOSED, one=CLOSED), "other", now)


# Importing


def test_recorded_captures_are_imported_once(engine: Engine, at_servers: Any, tmp_path: Path) -> None:
    captures = [recorded(tmp_path, "2026-03-02", board(70)), recorded(tmp_path, "2026-03-09", board(80))]
    first, again = (list(backfill(engine, at_servers(sample=CLOSED), captures)) for _ in range(2))
    assert [(one.outcome, one.rows) for one in first] == [("stored", 2)] * 2
    assert [one.outcome for one in again] == ["known"] * 2


def test_a_recorded_capture_that_fails_leaves_the_others_and_stores_nothing(
    engine: Engine, at_servers: Any, tmp_path: Path, rows: Rows
) -> None:
    gone = Recorded("sample", date(2026, 3, 9), tmp_path / "gone.csv")
    captures = [
        recorded(tmp_path, "2026-03-02", b"model,score\naurora-2,1\nborealis-1"),
        gone,
        recorded(tmp_path, "2026-03-16", board(80)),
    ]
    found = list(backfill(engine, at_servers(sample=CLOSED), captures))
    assert [one.outcome for one in found] == ["failed", "failed", "stored"]
    assert "it was cut short" in found[0].detail
    assert "gone.csv cannot be read" in found[1].detail
    assert [capture["on"] for capture in rows("capture")] == [date(2026, 3, 16)]


def test_other_bytes_for_a_known_date_are_refused_and_the_stored_stay(
    engine: Engine, at_servers: Any, tmp_path: Path, state: Any
) -> None:
    chosen = at_servers(sample=CLOSED)
    list(backfill(engine, chosen, [recorded(tmp_path, "2026-03-02", board(70))]))
    (found,) = backfill(engine, chosen, [recorded(tmp_path, "2026-03-02", board(80))])
    assert found.outcome == "failed"
    assert found.detail.startswith("sample, 2026-03-02: another capture of that date is stored and stays")
    assert state()[1] == board(70)


def test_a_day_stands_for_its_first_moment_in_the_zone_of_the_series(
    engine: Engine, at_servers: Any, tmp_path: Path, state: Any
) -> None:
    chosen = at_servers(sample=CLOSED)
    series = chosen.series.model_copy(update={"timezone": "Europe/Berlin"})
    list(backfill(engine, chosen.model_copy(update={"series": series}), [recorded(tmp_path, "2026-03-02", board(70))]))
    capture: Capture = state()[0].capture
    assert (capture.on, capture.at.isoformat()) == (date(2026, 3, 2), "2026-03-01T23:00:00+00:00")


def test_the_history_of_a_clone_is_imported_week_by_week(
    engine: Engine, at_servers: Any, tmp_path: Path, state: Any
) -> None:
    git(tmp_path, "init", "--quiet")
    for moment, data in (("2026-03-03T12:00:00Z", board(70)), ("2026-03-11T12:00:00Z", b"model,score\n")):
        (tmp_path / "board.csv").write_bytes(data)
        git(tmp_path, "add", "board.csv")
        git(tmp_path, "commit", "--quiet", "--message=board", at=moment)
    chosen = at_servers(sample=CLOSED)
    found = list(backfill_history(engine, chosen, "sample", tmp_path, "board.csv"))
    assert [(one.on.isoformat(), one.outcome) for one in found] == [("2026-03-09", "stored"), ("2026-03-16", "failed")]
    assert state()[1] == board(70)
    again = backfill_history(engine, chosen, "sample", tmp_path, "board.csv")
    assert [one.outcome for one in again] == ["known", "failed"]


def test_the_history_of_an_unknown_source_is_wrong_usage(engine: Engine, at_servers: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='declares no source "other"; it has sample'):
        list(backfill_history(engine, at_servers(sample=CLOSED), "other", tmp_path, "board.csv"))
