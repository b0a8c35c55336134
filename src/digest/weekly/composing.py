"""A week held against the one before, and its edition composed from that; nothing is stored."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from digest.changes.compare import differing_rows
from digest.changes.kinds import NO_MEMORY, Memory
from digest.changes.week import State, WeekChanges, compare_week
from digest.config.settings import Settings
from digest.edition import override_store
from digest.edition import store as editions
from digest.edition.compose import compose
from digest.edition.content import Edition
from digest.edition.notes import for_sending, load_note
from digest.edition.overrides import Override
from digest.edition.store import StoredEdition
from digest.errors import DigestError, UsageError
from digest.scores import store as scores
from digest.scores.snapshot import Snapshot
from digest.weekly.calendar import Week, parse_week

EDITIONS_TO_CATCH_UP = 4
"""So many missed editions a reader's watch list reaches back."""


def find_week(connection: Connection, settings: Settings, text: str, now: datetime) -> Week:
    """A week by its name; `latest` is the newest one that has a capture. Raises UsageError or DigestError."""
    this = Week.now(now, settings.series.zone)
    if text != "latest":
        week = parse_week(text)
        if week > this:
            raise UsageError(f"{week} has not begun; the current week is {this}.")
        return week
    days = [
        capture.on
        for name in settings.enabled_sources
        if (capture := scores.newest_capture(connection, name, this.ends)) is not None
    ]
    if not days:
        raise DigestError("there is no capture yet; run `digest snapshot`, or `digest backfill DIR` to import some.")
    return Week.of(max(days))


def compare_weeks(connection: Connection, settings: Settings, previous: Week, current: Week) -> WeekChanges:
    """What changed at every enabled source between its state in one week and its state in another."""
    states = [_state(connection, settings, name, previous, current) for name in settings.enabled_sources]
    told = editions.told_before(connection, str(current))
    return compare_week(states, current.starts, current.ends, told, settings.policy)


def _state(connection: Connection, settings: Settings, name: str, previous: Week, current: Week) -> State:
    before = scores.newest_capture(connection, name, previous.ends)
    now = scores.newest_capture(connection, name, current.ends)
    loaded = scores.load_snapshot(connection, now) if now else None
    earlier = loaded if before == now else scores.load_snapshot(connection, before) if before else None
    waiting = scores.quarantined(connection, name, current.starts, current.ends)
    return State(
        source=name,
        stale_after_days=settings.sources[name].stale_after_days,
        previous=earlier,
        current=loaded,
        changed_on=scores.changed_on(connection, now) if now else None,
        failure=scores.last_failure(connection, name, current.starts, current.ends),
        doubt=waiting[1] if waiting else None,
        memory=_memory(connection, settings, earlier, loaded),
    )


def _memory(connection: Connection, settings: Settings, earlier: Snapshot | None, now: Snapshot | None) -> Memory:
    """What the rows that differ said in the weeks before."""
    if earlier is None or now is None or not (keys := differing_rows(earlier, now)):
        return NO_MEMORY
    since = earlier.capture.on - timedelta(weeks=settings.policy.flip_flop_weeks)
    return Memory(scores.recent_values(connection, earlier.capture, since, keys))


class Composed(NamedTuple):
    """A week's edition as facts, what it was composed of, the editions before it and the log of its overrides."""

    edition: Edition
    changes: WeekChanges
    earlier: Sequence[StoredEdition]
    overrides: tuple[Override, ...]


def composed(connection: Connection, settings: Settings, week: Week) -> Composed:
    """The edition of a week as it would be drafted now. Raises DigestError where no source has anything to say."""
    changes = compare_weeks(connection, settings, week.previous, week)
    earlier = editions.approved_before(connection, str(week), EDITIONS_TO_CATCH_UP)
    said = override_store.load(connection, str(week))
    if not any(it.state.current for it in changes.sources):
        raise DigestError(
            f"no source has a capture in or before {week}; run `digest snapshot` or `digest backfill DIR` first."
        )
    edition = compose(
        changes,
        settings,
        number=editions.edition_number(connection, str(week)),
        week=str(week),
        starts=week.starts,
        previous_week=str(week.previous),
        last_subjects=earlier[-1].rendered.subjects if earlier else (),
        note=for_sending(load_note(settings.series.notes, str(week))),
        overrides=said,
    )
    return Composed(edition, changes, earlier, said)
