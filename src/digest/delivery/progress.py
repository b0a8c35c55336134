"""How fast senders are and how long the rest takes: the figures of the terminal, `status`, the metrics and the log."""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

import digest.delivery.tables  # noqa: F401 (the import registers the tables)
from digest.database import metadata, writing
from digest.delivery.outbox import State

_sender = metadata.tables["sender"]

_log = logging.getLogger(__name__)

_AT_HAND: tuple[State, ...] = ("pending", "claimed", "dot")

_TOLD_EVERY = timedelta(seconds=2)
_LOGGED_EVERY = timedelta(seconds=60)
_WINDOW = timedelta(seconds=20)  # of which the rate is taken
_SILENT = timedelta(seconds=15)  # a sender that says nothing for so long is not counted


@dataclass(frozen=True, slots=True)
class Progress:
    """Of a mailing: deliveries that are done and that are still to be made, senders at work, deliveries a second, and
    the seconds that are left at that speed; None where nothing moves."""

    done: int
    left: int
    senders: int
    per_second: float
    seconds_left: float | None


def progress(connection: Connection, mailing_id: int, tally: Mapping[State, int], now: datetime) -> Progress:
    """How far a mailing is whose deliveries stand as `tally` says."""
    alive = select(func.count(), func.coalesce(func.sum(_sender.c.per_second), 0.0)).where(
        _sender.c.mailing_id == mailing_id, _sender.c.seen_at > now - _SILENT
    )
    senders, per_second = connection.execute(alive).one()
    left = sum(tally.get(state, 0) for state in _AT_HAND)
    seconds = left / per_second if left and per_second else None
    return Progress(sum(tally.values()) - left, left, senders, float(per_second), seconds)


class Meter:
    """What one sender has done, told to the database every few seconds. `is_enough` says when it is to end."""

    def __init__(self, claimant: str, mailing_id: int, is_enough: Callable[[int], bool] = lambda _done: False) -> None:
        self.claimant = claimant
        self._mailing_id, self._is_enough = mailing_id, is_enough
        self._done = 0
        self._marks: deque[tuple[datetime, int]] = deque()
        self._logged: datetime | None = None

    @property
    def is_full(self) -> bool:
        return self._is_enough(self._done)

    def note(self, connection: Connection, count: int, now: datetime) -> None:
        """Count deliveries that were dealt with."""
        self._done += count
        if not self._marks:
            self._marks.append((now, self._done - count))
        if now - self._marks[-1][0] < _TOLD_EVERY:
            return
        self._marks.append((now, self._done))
        while len(self._marks) > 2 and now - self._marks[0][0] > _WINDOW:
            self._marks.popleft()
        since, before = self._marks[0]
        rate = (self._done - before) / (now - since).total_seconds()
        row = {"claimant": self.claimant, "mailing_id": self._mailing_id, "seen_at": now, "per_second": rate}
        insert = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(_sender)
        told = {"seen_at": now, "per_second": rate}
        connection.execute(insert.values(row).on_conflict_do_update(index_elements=["claimant"], set_=told))
        if self._logged is None or now - self._logged >= _LOGGED_EVERY:
            self._logged = now
            _log.info("mailing %d: %d dealt with by this sender, %.1f a second", self._mailing_id, self._done, rate)


@contextmanager
def at_work(engine: Engine, meter: Meter) -> Iterator[None]:
    """While a sender works. One that died is not counted once it was silent for some seconds."""
    try:
        yield
    finally:
        with writing(engine) as connection:
            connection.execute(delete(_sender).where(_sender.c.claimant == meter.claimant))
