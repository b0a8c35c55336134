"""Three schedulers at once, killed at any moment: one edition a week, and each reader has each week's mail once.

The suite lives a few weeks in one zone; `DIGEST_TEST_WEEKS=60 pytest tests/weekly/test_killed_schedulers.py` is the
full run, in five.
"""

import email
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email import policy
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.captures import body, serving

from digest.config.settings import Settings
from digest.database import reading
from digest.delivery import counting, outbox
from digest.weekly import store
from digest.weekly.calendar import Week, parse_week
from digest.weekly.due import STAGES, Stage, Timetable, stage_moment, timetable

WEEKS = int(os.environ.get("DIGEST_TEST_WEEKS", "2"))
READERS = 3
AT_ONCE = 3
ON_SUNDAY = {"snapshot": "sun 01:30", "draft": "sun 02:00", "approval": "sun 02:15", "send": "sun 02:30"}
ON_FRIDAY = {"snapshot": "thu 06:00", "draft": "thu 07:00", "approval": "fri 09:00", "send": "fri 10:00"}
PLACES = [
    ("Europe/Berlin", "2020-W42", ON_SUNDAY),  # clocks change in W43, and there is a week 53
    ("America/New_York", "2026-W43", ON_SUNDAY),
    ("Australia/Lord_Howe", "2026-W12", ON_SUNDAY),
    ("Pacific/Apia", "2011-W51", ON_FRIDAY),  # without the Friday of W52
    ("Africa/Casablanca", "2026-W06", ON_SUNDAY),
]
_PROGRAM = Path(__file__).with_name("schedule_until_killed.py")


class Schedulers:
    """Numbered processes, and the clock that all of them look at."""

    def __init__(self, process: subprocess.Popen[str], clock: Path) -> None:
        self._process, self._clock = process, clock

    def say(self, command: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self._clock.read_text())

    @now.setter
    def now(self, moment: datetime) -> None:
        new = self._clock.with_suffix(".new")
        new.write_text(moment.isoformat())
        new.replace(self._clock)


@contextmanager
def schedulers(settings: dict[str, Any], clock: Path) -> Iterator[Schedulers]:
    command = [sys.executable, str(_PROGRAM), json.dumps(settings), str(clock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Schedulers(process, clock)
        process.stdin and process.stdin.close()  # it kills what still runs


@contextmanager
def board(running: Callable[[], datetime]) -> Iterator[str]:
    """A source with another score that is higher each week."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        number = running().isocalendar().week
        rows = [f"model-{row},{10 * row + 2 * (row == number % 7)}" for row in range(1, 8)]
        body("\n".join(["model,score", *rows]).encode())(request)

    with serving(answer) as server:
        yield server.url


def configured(database_url: str, folder: Path, zone: str, slots: dict[str, str], url: str) -> dict[str, Any]:
    source = {"title": "Board", "url": url, "kind": "scores", "format": "csv", "model": "model", "lead": "score"}
    return {
        "database": {"url": database_url},
        "series": {"timezone": zone, "notes": str(folder / "notes")},
        "delivery": {"maildir": str(folder / "outbox")},
        "links": {"keys": ["0123456789abcdef0123456789abcdef"]},
        "approval": {"required": False},
        "schedule": slots,
        "fetch": {"allow_http": True, "allow_private_addresses": True, "retries": 0},
        "sources": {"board": {**source, "columns": {"score": {}}}},
    }


def wait_for(running: Schedulers, is_so: Callable[[], bool]) -> None:
    """Let the time go by, 5 seconds each 50 ms, until something is so: a lease lasts 3 seconds."""
    patience = time.monotonic() + 180
    while not is_so():
        assert time.monotonic() < patience, running.now
        time.sleep(0.05)
        running.now += timedelta(seconds=5)


def is_done(engine: Engine, series: Timetable, week: Week, stage: Stage) -> bool:
    with reading(engine) as connection:
        known = store.read_done(connection, week).weeks.get(week)
        if known is None or stage != "send":
            return known is not None and (stage in known.stages or known.queued)
        mailing = outbox.find(connection, str(week))
        tally = counting.tally(connection, mailing.id) if mailing else {}
    return mailing is not None and not any(tally[state] for state in outbox.WAITING)


@pytest.mark.long
@pytest.mark.parametrize(("zone", "first", "slots"), PLACES if WEEKS > 10 else PLACES[:1])
def test_three_schedulers_killed_at_any_moment_make_one_edition_a_week(
    engine: Engine,
    database_url: str,
    add_readers: Callable[[int], list[int]],
    rows: Callable[[str], list[dict[str, Any]]],
    tmp_path: Path,
    zone: str,
    first: str,
    slots: dict[str, str],
) -> None:
    add_readers(READERS)
    chance = random.Random(f"{zone} {engine.dialect.name}")
    clock, week, kills = tmp_path / "now", parse_week(first), 0
    weeks = [Week(week.starts + timedelta(weeks=number)) for number in range(WEEKS)]
    with board(lambda: datetime.fromisoformat(clock.read_text())) as url:
        settings = configured(database_url, tmp_path, zone, slots, url)
        series = timetable(Settings.model_validate(settings))
        clock.write_text((stage_moment(week, "snapshot", series) - timedelta(minutes=30)).isoformat())
        with schedulers(settings, clock) as running:
            for number in range(AT_ONCE):
                running.say(f"start {number}")
            for week in weeks:
                for stage in STAGES:
                    running.now = max(running.now, stage_moment(week, stage, series))
                    for number in chance.sample(range(AT_ONCE), chance.randrange(AT_ONCE)):
                        time.sleep(chance.uniform(0.0, 0.4))
                        running.say(f"kill {number}")
                        kills += 1
                        assert running.say(f"start {number}") == AT_ONCE
                    wait_for(running, lambda week=week, stage=stage: is_done(engine, series, week, stage))  # type: ignore[misc]
    check(rows, weeks, tmp_path / "outbox" / "new")
    taken_over = sum(row["fence"] > 1 for row in stage_rows(engine))
    told = f"{WEEKS} weeks, {kills} kills, {taken_over} stages taken over"
    print(f"{zone}, {engine.dialect.name}: {told}", file=sys.stderr)


def stage_rows(engine: Engine) -> list[dict[str, Any]]:
    with reading(engine) as connection:
        return [dict(row) for row in connection.execute(store._runs.select()).mappings()]


def check(rows: Callable[[str], list[dict[str, Any]]], weeks: list[Week], folder: Path) -> None:
    """One edition and one mailing a week, and every reader has each one's mail once."""
    names = [str(week) for week in weeks]
    mailings = [row for row in rows("mailing") if row["kind"] == "edition"]
    assert [row["week"] for row in mailings] == names
    sent = Counter((row["mailing_id"], row["state"]) for row in rows("delivery"))
    assert sent == {(row["id"], "sent"): READERS for row in mailings}
    mails = [email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in folder.iterdir()]
    assert len({mail["Message-ID"] for mail in mails}) == len(mails) == READERS * len(weeks)
    assert set(Counter(mail["To"] for mail in mails).values()) == {len(weeks)}
