"""The editor's desk: how long it takes to open, and to show what was saved, beside merely composing the draft.

Two desks are timed in this process: that of the demo's week, and that of the newest recorded week (the demo's again
where there are no recorded captures) with 100,000 readers. Opening is the first draft and the page made from it; a
reload is a draft after a save, and the page again. Neither waits for the checks, which come after.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, text

from benchmarks.importing import RECORDED
from digest.config import Settings, asset, load_settings
from digest.database import open_database, reading, writing
from digest.desk.page import page
from digest.desk.state import Desk
from digest.operations.demo import NOW, WEEK, run_demo
from digest.scores.recorded import find_recorded
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent
from digest.subscribers.store import Newcomer
from digest.weekly import stages
from digest.weekly.calendar import Week
from digest.weekly.collecting import backfill

ROUNDS, READERS, BATCH = 3, 100_000, 5_000
SOME_WEEKS = timedelta(weeks=6)  # of captures: as many as a draft looks back on


def run() -> None:
    """Print seconds until the desk is open, until it shows a save, and until it has checked and counted."""
    with tempfile.TemporaryDirectory() as folder:
        demo = _demo(Path(folder))
        real = _recorded(Path(folder)) if RECORDED.is_dir() else demo
        for name, (engine, settings, week, now) in {"the demo": demo, f"{real[2]}, recorded": real}.items():
            readers = _fill(engine, now) if engine is real[0] else 3
            print(f"the desk of {name}, {readers:,} readers: {_timed(engine, settings, week, now)}")
            engine.dispose()


Place = tuple[Engine, Settings, Week, datetime]


def _demo(folder: Path) -> Place:
    settings = run_demo(folder / "demo").settings
    engine = open_database(settings.database.url)
    with writing(engine) as connection:
        for table in ("delivery", "mailing", "told", "approval", "edition"):
            connection.execute(text(f"DELETE FROM {table}"))
    return engine, settings, WEEK, NOW


def _recorded(folder: Path) -> Place:
    settings = load_settings(asset("config.toml"))
    engine = open_database(f"sqlite:///{folder / 'recorded.db'}")
    captures, _skipped = find_recorded(RECORDED, settings.sources)
    newest = max(one.on for one in captures)
    list(backfill(engine, settings, [one for one in captures if newest - one.on < SOME_WEEKS]))
    now = datetime(2026, 12, 1, tzinfo=UTC)
    with reading(engine) as connection:
        return engine, settings, stages.find_week(connection, settings, "latest", now), now


def _fill(engine: Engine, now: datetime) -> int:
    countries = ("DE", "US", "KR", "FR", "GB", "CA", "JP", "BR")
    agreed = [
        ConsentEvent("confirmed", now - timedelta(days=9), "form", country=code, regime=code) for code in countries
    ]
    for start in range(0, READERS, BATCH):
        numbers = range(start, start + BATCH)
        emails = [f"r{number}@example.org" for number in numbers]
        newcomers = [Newcomer(email, email, agreed[number % 8]) for email, number in zip(emails, numbers, strict=True)]
        with writing(engine) as connection:
            store.add(connection, newcomers, now)
    return READERS


def _timed(engine: Engine, settings: Settings, week: Week, now: datetime) -> str:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(engine, week, lambda: settings, Path(folder) / "config.toml", lambda: now, settings)

        def show() -> None:
            desk.redraft()
            assert desk.fault is None, desk.fault
            assert page(desk, "light", "nonce")

        opened = _seconds(show)
        reloads = statistics.median(_seconds(show) for _ in range(ROUNDS))
        composed = statistics.median(_seconds(lambda: _compose(engine, settings, week)) for _ in range(ROUNDS))
        checked = _seconds(desk.check)
    assert desk.is_checked
    return (
        f"open after {opened:.2f} s, a save shown after {reloads:.2f} s (composing alone {composed:.2f} s), "
        f"checked and counted {checked:.1f} s later"
    )


def _compose(engine: Engine, settings: Settings, week: Week) -> None:
    with reading(engine) as connection:
        stages.composed(connection, settings, week)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
