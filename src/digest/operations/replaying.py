"""What a restored copy takes over from the newer database that it replaces: what restricts, what was sent, what waits.

    withdrawals, complaints, bounces, lapses, pauses  ->  events of the copy's own log
    erasures                                          ->  erased again
    deliveries that went, or may have gone            ->  never made again
    deliveries that wait                              ->  wait here, where the copy has what they say
    weeks that a person skipped                       ->  skipped here
    nothing else: no new reader, no new consent, no choice

The newer database may be damaged. What of it cannot be read is told, and what may have been sent is held as uncertain.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine

from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery.outbox import State
from digest.edition.numbers import several
from digest.errors import StorageError
from digest.membership import leaving
from digest.operations import restoring_store as copy
from digest.operations import salvage_store as salvage
from digest.operations.salvage_store import Gap
from digest.subscribers import store
from digest.subscribers.consent import LIVE, ConsentEvent, Kind
from digest.subscribers.store import Subscriber
from digest.weekly import store as weekly
from digest.weekly.calendar import parse_week
from digest.weekly.due import STAGES

_ENDS: tuple[Kind, ...] = ("withdrawn", "complained", "bounced", "expired")
_STANDS: Mapping[str, State] = {
    "sent": "sent",
    "failed": "failed",
    "uncertain": "uncertain",
    "dot": "uncertain",
    "skipped": "skipped",
    "held": "held",
    "pending": "pending",
    "claimed": "pending",
    "deferred": "deferred",
}
"""How a delivery stands in the copy, by how it did in the newer database."""

_METHOD = "taken over from a newer database"
_EVENT = [one.name for one in fields(ConsentEvent)]


class Replayed(NamedTuple):
    """What was taken over: readers whose consent ended, or was paused, or who were erased; those among the first who
    came back since, and are out until they are asked; deliveries; deliveries held as uncertain; deliveries queued since
    that wait here as there; such that go to nobody, for the copy has no such edition approved; and weeks that a person
    skipped. `unread` says what could not be read."""

    ended: int
    paused: int
    erased: int
    came_back: int
    deliveries: int
    doubted: int
    waiting: int
    missed: int
    skipped: int
    unread: tuple[str, ...]


class _Account(NamedTuple):
    """What is counted and said while it goes on, by the names of `Replayed`."""

    counted: Counter[str]
    unread: list[str]


def replay(old: Engine, engine: Engine, settings: Settings, weeks: Sequence[str], now: datetime) -> Replayed:
    """Take over from `old`; `weeks` are those whose edition it may have sent. Raises StorageError where `old` is no
    later state of this copy; then nothing is taken over."""
    done = _Account(Counter(), [])
    with reading(old) as source, writing(engine) as connection:
        _check_kinship(source, connection)
        _take_link_key(source, connection, done)
        keys = store.link_keys(connection, settings.links, now)
        left = _take_events(source, connection, keys, done, now)
        _take_states(source, connection, left, done, now)
        _take_refusals(source, connection, keys, done)
        _take_mailings(source, connection, weeks, done, now)
        _take_deliveries(source, connection, done, now)
        _take_skipped(source, connection, done, now)
        copy.mark_replayed(connection)
    counted = {name: done.counted[name] for name in Replayed._fields if name != "unread"}
    return Replayed(**counted, unread=tuple(done.unread))


def _rows(source: Connection, table: str, names: Sequence[str], done: _Account, gaps: list[Gap]) -> Iterator[list[Any]]:
    """Pages of a table; what of it could not be read is said once it has been read through."""
    yield from salvage.pages(source, table, names, gaps)
    if gaps:
        done.unread.append(f"{table}: {several(len(gaps), 'part')} of it cannot be read")


def _check_kinship(source: Connection, connection: Connection) -> None:
    known = copy.known_mailings(connection)
    firsts = next(salvage.pages(source, "consent_event", ["id", "subscriber_id", "hash"], []), [])
    first = {name: firsts[0]._mapping[name] for name in ("id", "subscriber_id", "hash")} if firsts else None
    pages = salvage.pages(source, "mailing", ["id", "kind", "week"], [])
    strange = any(known.get(row.id, (row.kind, row.week)) != (row.kind, row.week) for page in pages for row in page)
    if strange or not copy.is_ancestor(connection, first):
        raise StorageError(
            "the database to replay from is no later state of this backup: they hold other logs. Name the right "
            "one, or restore without it."
        )


def _take_link_key(source: Connection, connection: Connection, done: _Account) -> None:
    for page in _rows(source, "link_key", ["id", "key", "created_at"], done, []):
        for row in page:
            copy.add_link_key(connection, {"id": row.id, "key": row.key, "created_at": row.created_at})


def _take_events(
    source: Connection, connection: Connection, keys: Sequence[bytes], done: _Account, now: datetime
) -> set[int]:
    """Append what ends or pauses a consent, in the log's order; the readers whose consent it ended."""
    since: dict[int, list[tuple[int, ConsentEvent]]] = defaultdict(list)
    for page in _rows(source, "consent_event", ["subscriber_id", "number", *_EVENT], done, []):
        heads = copy.log_heads(connection, {row.subscriber_id for row in page})
        for row in page:
            if row.kind in (*_ENDS, "paused", "erased") and row.number > heads.get(row.subscriber_id, row.number):
                event = ConsentEvent(**{name: row._mapping[name] for name in _EVENT})
                since[row.subscriber_id].append((row.number, event))
    left = set()
    for number, events in since.items():
        for _place, event in sorted(events, key=lambda one: one[0]):
            if _restrict(connection, number, event, keys, done, now):
                left.add(number)
    done.counted["ended"] += len(left)
    return left


def _restrict(
    connection: Connection, number: int, event: ConsentEvent, keys: Sequence[bytes], done: _Account, now: datetime
) -> bool:
    """Append an event that takes something away from a reader's consent; whether it ended it."""
    reader = store.one(connection, number)
    if reader is None:
        return False
    if event.kind == "erased":
        leaving.erase(connection, number, event, keys)
        done.counted["erased"] += 1
        return False
    if event.kind == "paused":
        until, known = event.until, reader.consent.paused_until
        if until is not None and until > now and (known is None or until > known):
            store.append(connection, number, event)
            done.counted["paused"] += 1
        return False
    consent = store.append(connection, number, event)
    if event.kind == "expired" and consent.confirmed_at is None and consent.withdrawn_at is None:
        store.discard(connection, number)  # as it was there: who never agreed to anything is not remembered
    return reader.consent.state in (LIVE, "requested") and consent.state not in (LIVE, "requested")


def _take_states(source: Connection, connection: Connection, left: set[int], done: _Account, now: datetime) -> None:
    """The readers' rows say the same as their events, and are read where these cannot be."""
    gaps, told = list[Gap](), 0
    names = ["id", "state", "withdrawn_at", "paused_until", "ended"]
    for page in _rows(source, "subscriber", names, done, gaps):
        readers: dict[int, Subscriber] = {}
        for start in range(0, len(page), store.CHUNK):
            readers |= store.get(connection, [row.id for row in page[start : start + store.CHUNK]])
        told += len(readers)
        for row in page:
            consent = readers[row.id].consent if row.id in readers else None
            if consent is None:
                continue
            done.counted["came_back"] += row.state == LIVE and row.id in left
            method = row.ended or _METHOD
            if row.state in _ENDS and consent.state in (LIVE, "requested"):
                at = row.withdrawn_at if row.state == "withdrawn" and row.withdrawn_at else now
                done.counted["ended"] += _restrict(
                    connection, row.id, ConsentEvent(row.state, at, method), (), done, now
                )
            elif row.paused_until is not None and consent.state == LIVE:
                paused = ConsentEvent("paused", now, _METHOD, until=row.paused_until)
                _restrict(connection, row.id, paused, (), done, now)
    if gaps and (count := copy.count_readers(connection) - told):
        done.unread.append(f"of {several(count, 'reader')} in it nobody can tell whether they left since the backup")


def _take_refusals(source: Connection, connection: Connection, keys: Sequence[bytes], done: _Account) -> None:
    for page in _rows(source, "refusal", ["key", "subscriber_id", "at"], done, []):
        for row in page:
            if store.one(connection, row.subscriber_id) is not None:
                leaving.erase(connection, row.subscriber_id, ConsentEvent("erased", row.at, _METHOD), keys)
                done.counted["erased"] += 1
        copy.add_refusals(
            connection, [{"key": row.key, "subscriber_id": row.subscriber_id, "at": row.at} for row in page]
        )


def _take_mailings(
    source: Connection, connection: Connection, weeks: Sequence[str], done: _Account, now: datetime
) -> None:
    names, gaps = ["id", "kind", "week", "content_hash", "queued_at", "control"], list[Gap]()
    known = copy.known_mailings(connection)
    for page in _rows(source, "mailing", names, done, gaps):
        for row in page:
            control = row.control or "going"
            if row.id in known:
                copy.restrict_mailing(connection, row.id, control)
            else:
                facts = {name: row._mapping[name] for name in names}
                copy.add_mailing(connection, {**facts, "control": control})
    copy.advance_numbers(connection)
    if gaps:
        closed = copy.unqueued(connection, weeks)
        copy.close_weeks(connection, closed, now)
        done.unread.extend(f"the edition of {week} may have been sent: none of that week goes out" for week in closed)


def _take_deliveries(source: Connection, connection: Connection, done: _Account, now: datetime) -> None:
    """What waits in the copy is uncertain unless the newer database says how it stands."""
    names = ["mailing_id", "subscriber_id", "provider", *copy.TOLD]
    mailings, waits = copy.known_mailings(connection), copy.held(connection)
    sendable = copy.sendable(connection)
    copy.doubt(connection, waits.newest_delivery if waits else 0, now)
    for page in _rows(source, "delivery", names, done, []):
        told = [
            {name: row._mapping[name] for name in names}
            | {"state": _STANDS[row.state], "reason": row.reason or "", "attempts": row.attempts or 0}
            | {"provider": row.provider or ""}
            for row in page
            if row.state in _STANDS and row.mailing_id in mailings
        ]
        done.counted.update(copy.settle(connection, told, sendable)._asdict())
    done.counted["doubted"] += copy.count_doubted(connection)
    copy.recount(connection, mailings)


def _take_skipped(source: Connection, connection: Connection, done: _Account, now: datetime) -> None:
    """Weeks that a person let go without an edition, and has not taken up again."""
    runs = (row for page in _rows(source, "stage_run", ["period", "stage", "state"], done, []) for row in page)
    periods = sorted({row.period for row in runs if row.stage in STAGES and row.state == "skipped"})
    known = copy.skipped_weeks(connection)
    for period in periods:
        weekly.skip(connection, parse_week(period), now)
    done.counted["skipped"] += len(set(periods) - known)
