"""What runs by itself: each week once whatever the clock does, faults told once, an end between two batches."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from apscheduler.schedulers import base
from sqlalchemy import Engine

from digest import scheduler
from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery import counting
from digest.delivery.outbox import Mailing
from digest.operations.status import read_status
from digest.weekly import running, stages, store
from digest.weekly.calendar import Week, parse_week
from digest.weekly.due import STAGES
from tests.captures import body, serving
from tests.delivery.sink import sink
from tests.real_server import served
from tests.weekly.looking import at, look, unedited

W19 = parse_week("2026-W19")
DAY, YEAR = timedelta(days=1), timedelta(days=365)
READERS = 3


@pytest.fixture
def desk(settings: Settings) -> Iterator[Settings]:
    with unedited(settings) as chosen:
        yield chosen


def periods(engine: Engine) -> set[str]:
    with reading(engine) as connection:
        return {row.period for row in connection.execute(store._runs.select())}


def needs(engine: Engine, settings: Settings, now: datetime) -> list[str]:
    with reading(engine) as connection:
        return [said for _about, said in running.needs(connection, settings, now)]


@pytest.mark.long
def test_clocks_that_jump_by_a_day_or_a_year_send_nothing_twice_and_begin_no_week_to_come(
    engine: Engine, desk: Settings, add_readers: Callable[[int], list[int]], rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    add_readers(READERS)
    weeks = [W19, Week(W19.starts + 7 * DAY)]
    look(engine, desk, at(desk, W19, "snapshot"))
    for week in weeks:
        for stage in STAGES:
            moment = at(desk, week, stage)
            for jump in (-YEAR, YEAR, -DAY, DAY):
                look(engine, desk, moment + jump)
                look(engine, desk, moment)
    assert [row["week"] for row in rows("mailing")] == [str(week) for week in weeks]
    assert {row["state"] for row in rows("delivery")} == {"sent"}
    assert len(rows("delivery")) == READERS * len(weeks) == len(list((desk.delivery.maildir / "new").iterdir()))
    assert {period[:4] for period in periods(engine)} == {"2026"}
    assert {period for period in periods(engine) if "W" in period} == {str(week) for week in weeks}


def test_a_week_that_was_slept_through_asks_and_is_sent_or_skipped_on_a_persons_word(
    engine: Engine, desk: Settings, add_readers: Callable[[int], list[int]], rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    add_readers(READERS)
    look(engine, desk, at(desk, W19, "approval"))
    late = at(desk, W19, "send", timedelta(hours=30))
    look(engine, desk, late)
    assert rows("mailing") == []
    asking = f"the edition of {W19} is late and waits for a word: digest weekly --week {W19}, or digest skip {W19}"
    assert needs(engine, desk, late) == [asking]
    assert asking in [need.said for need in read_status(engine, desk, late).needs]
    with writing(engine) as connection:
        store.skip(connection, W19, late)
    assert needs(engine, desk, late) == []
    look(engine, desk, late)
    assert rows("mailing") == []
    assert [ran.error for ran in running.run_due(engine, desk, lambda: late, asked=W19)] == [None]
    look(engine, desk, late)
    assert {row["state"] for row in rows("delivery")} == {"sent"}


def test_a_machine_that_slept_for_some_hours_goes_on_by_itself(
    engine: Engine, desk: Settings, add_readers: Callable[[int], list[int]], rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    add_readers(READERS)
    look(engine, desk, at(desk, W19, "send", timedelta(hours=20)))
    assert [row["state"] for row in rows("delivery")] == ["sent"] * READERS


def test_an_edition_waits_for_its_editor_and_goes_out_when_its_time_has_come(
    engine: Engine, desk: Settings, rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    strict = desk.model_copy(update={"approval": desk.approval.model_copy(update={"required": True})})
    look(engine, strict, at(strict, W19, "send"))
    assert rows("mailing") == []
    stages.approve(engine, W19, at(strict, W19, "send", DAY))
    look(engine, strict, at(strict, W19, "send", DAY))
    assert [row["week"] for row in rows("mailing")] == [str(W19)]


def test_sources_that_do_not_answer_are_tried_again_until_the_draft(engine: Engine, desk: Settings) -> None:
    board = desk.sources["board"].model_copy(update={"url": "http://127.0.0.1:9/"})
    down = desk.model_copy(update={"sources": {"board": board}})
    first = at(desk, W19, "snapshot")
    look(engine, down, first)
    assert told_of_sources(engine, down, first) == ["source board failed"]
    assert needs(engine, down, first) == []  # one fault is told once
    look(engine, desk, first + timedelta(minutes=29))
    assert told_of_sources(engine, desk, first + timedelta(minutes=29)) == ["source board failed"]
    look(engine, desk, first + timedelta(minutes=30))
    assert told_of_sources(engine, desk, first + timedelta(minutes=30)) == []


def told_of_sources(engine: Engine, settings: Settings, now: datetime) -> list[str]:
    return [need.about for need in read_status(engine, settings, now).needs if need.about.startswith("source")]


def test_a_stage_that_fails_is_told_once_and_named_by_status_until_it_is_done(
    engine: Engine, desk: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(scheduler._log, "error", lambda event, **fields: told.append(fields), raising=False)
    monkeypatch.setattr("digest.weekly.stages.render", lambda *_: (_ for _ in ()).throw(ValueError("ada@example.org")))
    for minutes in range(0, 12, 5):
        look(engine, desk, at(desk, W19, "draft", timedelta(minutes=minutes)))
    fault = {"week": str(W19), "stage": "draft", "problem": "ValueError"}
    assert told == [fault]
    (said,) = needs(engine, desk, at(desk, W19, "draft"))
    assert said == f"the draft of {W19} could not be done: a fault of the program (ValueError)"
    monkeypatch.undo()
    look(engine, desk, at(desk, W19, "draft", timedelta(minutes=15)))
    assert needs(engine, desk, at(desk, W19, "draft")) == []


def test_the_end_comes_between_two_batches_and_leaves_nothing_in_doubt(
    engine: Engine, settings: Settings, add_readers: Callable[[int], list[int]], clock: Callable[[], datetime]
) -> None:
    add_readers(300)
    with sink(slow=(0.02, 0.02)) as relay:
        smtp = {"host": "127.0.0.1", "port": relay.port, "tls": "none", "sessions": 2}
        over = {"delivery": {"transport": "smtp"}, "smtp": smtp, "links": settings.links}
        slow = Settings.model_validate({**settings.model_dump(), **over})
        mailing = _queue_some(engine, slow, clock())
        with scheduler.scheduled(engine, slow, clock, 0.05):
            while relay.got.total() < 20:
                time.sleep(0.01)
        began = time.monotonic()
        with reading(engine) as connection:
            states = {state: count for state, count in counting.tally(connection, mailing.id).items() if count}
        assert set(states) == {"sent", "pending"}
        assert states["sent"] == relay.got.total()
    assert time.monotonic() - began < 10
    assert not any("ThreadPoolExecutor" in thread.name for thread in threading.enumerate())


def _queue_some(engine: Engine, settings: Settings, now: datetime) -> Mailing:
    """The edition of an approved week, queued."""
    with serving(body(b"model,score\nm1,10\nm2,20\n")) as server:
        source = {"title": "B", "url": server.url, "kind": "scores", "format": "csv", "model": "model", "lead": "score"}
        changed = {
            "sources": {"board": {**source, "columns": {"score": {}}}},
            "fetch": {"allow_http": True, "allow_private_addresses": True},
            "links": settings.links,
        }
        asked = Settings.model_validate({**settings.model_dump(), **changed})
        list(running.run_due(engine, asked, lambda: now, asked=W19))
    stages.approve(engine, W19, now)
    return stages.queue(engine, settings, W19, now)


def test_a_clock_that_is_set_back_by_a_day_does_not_silence_the_ticker(
    engine: Engine, settings: Settings, clock: Callable[[], datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    shift = [timedelta(0)]

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + shift[0]  # noqa: TID251

    monkeypatch.setattr(base, "datetime", Shifted)
    ticks = [0]

    def tick(*_given: Any) -> None:
        ticks[0] += 1

    monkeypatch.setattr(scheduler, "do_weeks", tick)
    with scheduler.scheduled(engine, settings, clock, 0.05):
        _wait(lambda: ticks[0] > 3)
        shift[0] = -DAY
        before = ticks[0] + 1
        _wait(lambda: ticks[0] > before + 3)


def _wait(is_so: Callable[[], bool]) -> None:
    patience = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < patience
        time.sleep(0.01)


def test_returned_mail_is_read_beside_the_rest(
    engine: Engine, settings: Settings, clock: Callable[[], datetime], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    read = threading.Event()
    monkeypatch.setattr(scheduler, "take_mail", lambda *_: read.set())
    bounces = settings.bounces.model_copy(update={"maildir": tmp_path / "bounces"})
    with scheduler.scheduled(engine, settings.model_copy(update={"bounces": bounces}), clock, 0.05):
        assert read.wait(10)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_server_that_is_told_to_stop_ends_its_work_in_order(database_url: str, tmp_path: Path) -> None:
    with served(database_url, tmp_path / "server") as server:
        pass  # it is told to stop
    assert server.process.returncode == 0
    assert b'"event": "ended"' in server.said
