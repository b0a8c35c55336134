"""The first stage of a week: what the sources say, into the database. One capture, one transaction."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine

from digest import audit
from digest.changes.plausibility import doubts
from digest.config.settings import Settings
from digest.config.source import Source
from digest.database import reading, writing
from digest.edition import store as editions
from digest.errors import CaptureError, UsageError
from digest.scores import store
from digest.scores.figures import read
from digest.scores.recorded import Recorded, read_history
from digest.scores.snapshot import Capture, Snapshot
from digest.scores.sources import fetch
from digest.weekly.calendar import Week
from digest.weekly.stages import void

Outcome = Literal["stored", "known", "quarantined", "failed"]


@dataclass(frozen=True, slots=True)
class Collected:
    """What became of one capture: stored as new, known already, stored but quarantined, or failed with a sentence."""

    source: str
    on: date
    outcome: Outcome
    rows: int = 0
    size: int = 0
    detail: str = ""


def collect(
    engine: Engine, settings: Settings, now: datetime, *, missing_in: Week | None = None
) -> Iterator[Collected]:
    """Fetch every enabled source into the week of `now`. One that fails leaves the others, and its last capture.

    With `missing_in` only the sources that have no capture in that week are fetched.
    """
    on = now.astimezone(settings.series.zone).date()
    for name, source in settings.enabled_sources.items():
        with reading(engine) as connection:
            newest = store.newest_capture(connection, name, on)
        if missing_in and newest and newest.on >= missing_in.starts:
            continue
        yield _collect_one(engine, settings, name, source, on, now)


def check(settings: Settings, name: str, now: datetime) -> Snapshot:
    """Fetch and read one source without storing anything. Raises CaptureError."""
    source = known_source(settings, name)
    fetched = fetch(source.url, settings.fetch, store.NO_VALIDATORS)
    on = now.astimezone(settings.series.zone).date()
    return read(fetched.data or b"", _capture(name, on, now, fetched.data or b""), source)


def _collect_one(engine: Engine, settings: Settings, name: str, source: Source, on: date, now: datetime) -> Collected:
    with reading(engine) as connection:
        newest = store.newest_capture(connection, name, on)
        asked = store.load_validators(connection, newest) if newest else store.NO_VALIDATORS
        known = store.load_bytes(connection, newest.sha256) if newest else None
    try:
        fetched = fetch(source.url, settings.fetch, asked)
        data = fetched.data if fetched.data is not None else known
        if data is None:
            raise CaptureError("the server says that nothing changed, but nothing was asked for before.")
        snapshot = read(data, _capture(name, on, now, data), source)
    except CaptureError as error:
        said = str(error) if str(error).startswith(name) else f"{name}: {error}"
        with writing(engine) as connection:
            store.add_failure(connection, name, on, now, said)
        return Collected(name, on, "failed", detail=said)
    return _store(engine, snapshot, data, fetched.validators)


def _store(engine: Engine, snapshot: Snapshot, data: bytes, validators: store.Validators) -> Collected:
    """Store a capture; one that cannot be believed beside the capture before it is quarantined."""
    capture = snapshot.capture
    with reading(engine) as connection:
        before = store.newest_before(connection, capture.source, capture.at)
        believed = store.load_snapshot(connection, before) if before else None
    doubt = "; ".join(doubts(believed, snapshot)) if believed else ""
    with writing(engine) as connection:
        stored = store.add_snapshot(connection, snapshot, data, validators, doubt or None)
    outcome: Outcome = "known" if not stored else "quarantined" if doubt else "stored"
    return Collected(capture.source, capture.on, outcome, len(snapshot.rows), len(data), doubt)


def backfill(engine: Engine, settings: Settings, captures: list[Recorded]) -> Iterator[Collected]:
    """Import recorded captures, the oldest first. One that cannot be read leaves the others."""
    most = settings.fetch.max_megabytes * 1_000_000
    for recorded in captures:
        try:
            data = recorded.read(most)
        except CaptureError as error:
            yield Collected(recorded.source, recorded.on, "failed", detail=str(error))
            continue
        yield _import(engine, settings, recorded.source, recorded.on, data)


def backfill_history(
    engine: Engine, settings: Settings, source: str, repository: Path, path: str
) -> Iterator[Collected]:
    """Import a file's state at the start of each week from the history of a local git clone."""
    known_source(settings, source)
    most = settings.fetch.max_megabytes * 1_000_000
    for monday, data in read_history(repository, path, settings.series.zone, most):
        yield _import(engine, settings, source, monday, data)


def _import(engine: Engine, settings: Settings, name: str, on: date, data: bytes) -> Collected:
    """A capture dated by a day stands for that day's first moment in the series' zone."""
    capture = _capture(name, on, datetime.combine(on, time.min, settings.series.zone), data)
    with reading(engine) as connection:
        known = store.find_capture(connection, name, capture.at)
        labelled = store.bytes_of_day(connection, name, on)
    if capture.sha256 in labelled:
        return Collected(name, on, "known", size=len(data))
    if known is not None:
        detail = f"{name}, {on}: another capture of that date is stored and stays; remove the file or its date."
        return Collected(name, on, "failed", detail=detail)
    try:
        snapshot = read(data, capture, settings.sources[name])
    except CaptureError as error:
        return Collected(name, on, "failed", detail=str(error))
    return _store(engine, snapshot, data, store.NO_VALIDATORS)


def accept(engine: Engine, settings: Settings, name: str, now: datetime, who: str = audit.SCHEDULER) -> Capture:
    """Believe a source's quarantined capture, on a person's word: an edition that was approved without it, and is not
    being sent, has to be approved anew. Raises UsageError where none waits."""
    known_source(settings, name)
    with writing(engine) as connection:
        waiting = store.quarantined(connection, name, date.min, date.max)
        if waiting is None:
            raise UsageError(f"no capture of {name} waits to be accepted; `digest sources list` shows how it fares.")
        store.accept(connection, waiting[0], now)
        week, taken = str(Week.of(waiting[0].on)), waiting[0].on.isoformat()
        audit.write(connection, "accepted", week, who, now, source=name, capture=taken, sha256=waiting[0].sha256)
        for later in editions.weeks_since(connection, week):
            void(connection, later, who, now, f"a capture of {settings.sources[name].title} was accepted")
    return waiting[0]


def known_source(settings: Settings, name: str) -> Source:
    """The declared source of that name. Raises UsageError naming those there are."""
    if name not in settings.sources:
        raise UsageError(f'config.toml declares no source "{name}"; it has {", ".join(sorted(settings.sources))}.')
    return settings.sources[name]


def _capture(name: str, on: date, at: datetime, data: bytes) -> Capture:
    return Capture(name, on, at, hashlib.sha256(data).hexdigest(), len(data))
