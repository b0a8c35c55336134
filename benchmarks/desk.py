"""The editor's desk: what an editor waits for, beside merely composing the draft.

Two desks are opened as programs, by `digest preview`: that of the demo's week, and that of the newest recorded week
with 100,000 readers (the demo's again where there are no recorded captures). Opening lasts from the start of the
program until its page is there; a reload from the save of a template until the event has come and the wide mail is
served with what was saved, while the checks of the save before may still run.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
from sqlalchemy import Engine, text

from benchmarks.importing import RECORDED
from digest.config.assets import asset
from digest.config.loading import load_settings
from digest.config.settings import Settings
from digest.database import open_database, reading, writing
from digest.operations.demo import NOW, WEEK, run_demo
from digest.scores.recorded import find_recorded
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent
from digest.subscribers.store import Newcomer
from digest.weekly import composing
from digest.weekly.calendar import Week
from digest.weekly.collecting import backfill

ROUNDS, READERS, BATCH = 3, 100_000, 5_000
SOME_WEEKS = timedelta(weeks=6)  # of captures: as many as a draft looks back on
MASTHEAD = '{% include "email/masthead.mjml" %}\n'
PATIENCE = 300


def run() -> None:
    """Print seconds until the desk is open, until it shows a save, and until it has checked and counted."""
    with tempfile.TemporaryDirectory() as folder:
        demo = _demo(Path(folder))
        real = _recorded(Path(folder)) if RECORDED.is_dir() else demo
        for name, place in {"the demo": demo, f"{real.week}, recorded": real}.items():
            readers = _fill(place) if place is real else 3
            print(f"the desk of {name}, {readers:,} readers: {_timed(place)}")
            place.engine.dispose()


class Place(NamedTuple):
    """A folder in which the program runs, with templates and data of its own, and what is in it."""

    folder: Path
    engine: Engine
    settings: Settings
    week: Week
    now: datetime


def _demo(folder: Path) -> Place:
    made = run_demo(folder / "made")
    house = _house(folder / "demo", asset("data") / "demo" / "config.toml")
    shutil.copy(folder / "made" / "digest.db", house)
    engine = open_database(f"sqlite:///{house / 'digest.db'}")
    with writing(engine) as connection:
        for table in ("delivery", "mailing", "told", "approval", "edition"):
            connection.execute(text(f"DELETE FROM {table}"))
    return Place(house, engine, made.settings, WEEK, NOW)


def _recorded(folder: Path) -> Place:
    house = _house(folder / "recorded", asset("config.toml"))
    settings = load_settings(house / "config.toml")
    engine = open_database(f"sqlite:///{house / 'digest.db'}")
    captures, _skipped = find_recorded(RECORDED, settings.sources)
    newest = max(one.on for one in captures)
    list(backfill(engine, settings, [one for one in captures if newest - one.on < SOME_WEEKS]))
    now = datetime(2026, 12, 1, tzinfo=UTC)
    with reading(engine) as connection:
        return Place(house, engine, settings, composing.find_week(connection, settings, "latest", now), now)


def _house(folder: Path, config: Path) -> Path:
    """The checkout's templates and data as copies, and its code."""
    for name in ("templates", "data"):
        shutil.copytree(asset(name), folder / name)
    shutil.copy(config, folder / "config.toml")
    (folder / "src").symlink_to(Path(sys.modules["digest"].__path__[0]).parent)
    return folder


def _fill(place: Place) -> int:
    countries = ("DE", "US", "KR", "FR", "GB", "CA", "JP", "BR")
    agreed = [
        ConsentEvent("confirmed", place.now - timedelta(days=9), "form", country=code, regime=code)
        for code in countries
    ]
    for start in range(0, READERS, BATCH):
        numbers = range(start, start + BATCH)
        emails = [f"r{number}@example.org" for number in numbers]
        newcomers = [Newcomer(email, email, agreed[number % 8]) for email, number in zip(emails, numbers, strict=True)]
        with writing(place.engine) as connection:
            store.add(connection, newcomers, place.now)
    return READERS


def _timed(place: Place) -> str:
    composed = statistics.median(_seconds(lambda: _compose(place)) for _ in range(ROUNDS))
    start = time.perf_counter()
    with _opened(place) as client:
        assert 'class="fault"' not in client.get("").text
        opened = time.perf_counter() - start
        checked = _seconds(lambda: _wait_for(client, lambda: "being counted" not in client.get("").text))
        reloads = statistics.median(_saved(place, client, number) for number in range(ROUNDS))
    return (
        f"open after {opened:.2f} s, checked and counted {checked:.1f} s later; a save shown after {reloads:.2f} s "
        f"(composing alone {composed:.2f} s)"
    )


def _compose(place: Place) -> None:
    with reading(place.engine) as connection:
        composing.composed(connection, place.settings, place.week)


@contextmanager
def _opened(place: Place) -> Iterator[httpx.Client]:
    """The program, and a browser that has opened its address."""
    command = [
        sys.executable,
        "-m",
        "digest",
        "preview",
        str(place.week),
        "--no-open",
        f"--now={place.now.isoformat()}",
    ]
    env = {**os.environ, "PYTHONPATH": str(place.folder / "src")}
    with subprocess.Popen(
        command, cwd=place.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as desk:
        try:
            assert desk.stdout is not None
            found = re.search(r"http://\S+", desk.stdout.readline().decode())
            assert found, "digest preview said no address"
            with httpx.Client(timeout=PATIENCE) as client:
                moved = client.get(found[0], headers={"Sec-Fetch-Site": "none"})
                client.base_url = httpx.URL(f"http://{urlsplit(found[0]).netloc}{moved.headers['location']}")
                yield client
        finally:
            desk.terminate()


def _saved(place: Place, client: httpx.Client, number: int) -> float:
    """Seconds from the save of a template to the mail that has it."""
    template, words = place.folder / "templates" / "email" / "edition.mjml", f"This is save {number}."
    said = template.read_text(encoding="utf-8")
    card = f"<mj-section><mj-column><mj-text>{words}</mj-text></mj-column></mj-section>\n"
    with client.stream("GET", "events") as stream:
        lines = stream.iter_lines()
        next(lines)
        start = time.perf_counter()
        template.write_text(said.replace(MASTHEAD, MASTHEAD + card, 1), encoding="utf-8")
        while words not in client.get("mail/600").text:
            assert next(line for line in lines if line.startswith("data: "))
        return time.perf_counter() - start


def _wait_for(client: httpx.Client, seen: Callable[[], bool]) -> None:
    with client.stream("GET", "events") as stream:
        lines = (line for line in stream.iter_lines() if line.startswith("data: "))
        while not seen():
            next(lines)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
