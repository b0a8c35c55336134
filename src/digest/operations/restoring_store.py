"""What a restored copy has to learn, and what a person has to say of it: in the database."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, inspect, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

import digest.audit
import digest.delivery.tables
import digest.scores.store
import digest.subscribers.tables
import digest.weekly.store  # noqa: F401 (the imports register the tables)
from digest.database import metadata
from digest.delivery.outbox import LETTERS, PERHAPS_SENT, WAITING, Mailing
from digest.edition.store import published_on
from digest.subscribers.store import CHUNK

_restored = metadata.tables["restored"]
_mailing = metadata.tables["mailing"]
_delivery = metadata.tables["delivery"]
_subscriber = metadata.tables["subscriber"]
_event = metadata.tables["consent_event"]
_refusal = metadata.tables["refusal"]
_key = metadata.tables["link_key"]
_run = metadata.tables["stage_run"]

MAY_HAVE_GONE = "it may have been sent after the backup"


class Restored(NamedTuple):
    """A copy of a moment; the highest id of its deliveries; whether it was told what had been sent since."""

    backed_up_at: datetime
    newest_delivery: int
    replayed: bool


def hold(connection: Connection, backed_up_at: datetime) -> None:
    """Let this database send nothing until a person accepts it. Of two backups the earlier moment stays."""
    known = held(connection)
    moment = min(known.backed_up_at, backed_up_at) if known else backed_up_at
    newest = connection.scalar(select(func.max(_delivery.c.id))) or 0
    connection.execute(delete(_restored))
    row = {"id": 1, "backed_up_at": moment, "newest_delivery": newest, "replayed": False}
    connection.execute(insert(_restored), row)


def held(connection: Connection) -> Restored | None:
    """Of which moment this copy is, while it waits for a person; None where it does not."""
    wanted = select(*(_restored.c[name] for name in Restored._fields))
    row = connection.execute(wanted.order_by(_restored.c.backed_up_at)).first()
    return None if row is None else Restored(*row)


def can_hold(connection: Connection) -> bool:
    """Whether the tables are those of a version that knows of restored copies."""
    return "restored" in inspect(connection).get_table_names()


def mark_replayed(connection: Connection) -> None:
    connection.execute(update(_restored).values(replayed=True))


def lift(connection: Connection) -> None:
    """Let this database send again."""
    connection.execute(delete(_restored))


def is_whole(connection: Connection) -> bool:
    """Whether SQLite can read all of its pages."""
    return bool(connection.scalar(text("PRAGMA quick_check(1)")) == "ok")


def newest_trace(connection: Connection, now: datetime) -> datetime | None:
    """The newest moment that is written anywhere: a copy is not older. What is dated after `now` tells nothing."""
    at = [metadata.tables[name].c.at for name in ("capture", "audit")]
    at += [_delivery.c.changed_at, _event.c.at, _mailing.c.queued_at, _run.c.started_at]
    moments = [connection.scalar(select(func.max(column)).where(column <= now)) for column in at]
    return max((moment for moment in moments if moment is not None), default=None)


# What may have been sent


def doubt(connection: Connection, newest: int, now: datetime) -> None:
    """Make deliveries uncertain that wait, up to an id."""
    values = {"state": "uncertain", "outcome": MAY_HAVE_GONE, "next_attempt_at": None, "claimed_until": None}
    waits = and_(_delivery.c.id <= newest, _delivery.c.state.in_(WAITING))
    connection.execute(update(_delivery).where(waits).values({**values, "changed_at": now}))


def count_doubted(connection: Connection) -> int:
    """How many deliveries `doubt` made uncertain."""
    doubted = (_delivery.c.state == "uncertain", _delivery.c.outcome == MAY_HAVE_GONE)
    return connection.scalar(select(func.count()).where(*doubted)) or 0


def count_waiting(connection: Connection, low: int, high: int) -> list[tuple[Mailing, int]]:
    """Mailings of which deliveries of a range of ids wait, and how many; the oldest first. Aborted ones do not."""
    waits = and_(
        _delivery.c.mailing_id == _mailing.c.id,
        _mailing.c.control != "aborted",
        _delivery.c.id.between(low, high),
        _delivery.c.state.in_(WAITING),
    )
    wanted = select(func.count().label("waiting"), *_mailing.c).join_from(_mailing, _delivery, waits)
    rows = connection.execute(wanted.group_by(*_mailing.c).order_by(_mailing.c.week, _mailing.c.kind)).mappings()
    return [(Mailing(**{name: row[name] for name in row if name != "waiting"}), row["waiting"]) for row in rows]


def unqueued(connection: Connection, weeks: Sequence[str]) -> list[str]:
    """Those of the weeks of which no edition was queued."""
    edition = (_mailing.c.kind == "edition", _mailing.c.week.in_(weeks))
    known = set(connection.scalars(select(_mailing.c.week).where(*edition)))
    return [week for week in weeks if week not in known]


def close_weeks(connection: Connection, weeks: Sequence[str], now: datetime) -> None:
    """Keep the editions of weeks from being queued: a mailing that was aborted before it reached anybody."""
    row = {"kind": "edition", "content_hash": PERHAPS_SENT, "queued_at": now, "audience": 0, "control": "aborted"}
    if weeks:
        connection.execute(insert(_mailing), [{**row, "week": week} for week in weeks])


# What a newer database tells


def is_ancestor(connection: Connection, first: Mapping[str, Any] | None) -> bool:
    """Whether a consent event of a newer database, by its id, subscriber_id and hash, is in this one as well."""
    if first is None:
        return True
    columns = (_event.c.subscriber_id, _event.c.hash)
    own = connection.execute(select(*columns).where(_event.c.id == first["id"])).first()
    if own is None:  # all that both had may be what cannot be read there
        return bool(first["id"] > (connection.scalar(select(func.max(_event.c.id))) or 0))
    return tuple(own) == (first["subscriber_id"], first["hash"])


def log_heads(connection: Connection, ids: Collection[int]) -> dict[int, int]:
    """The number of the newest event of each of these readers that are there."""
    found: dict[int, int] = {}
    numbers = list(ids)
    for start in range(0, len(numbers), CHUNK):
        chosen = _subscriber.c.id.in_(numbers[start : start + CHUNK])
        rows = connection.execute(select(_subscriber.c.id, _subscriber.c.log_number).where(chosen))
        found.update(tuple(row) for row in rows)
    return found


def add_refusals(connection: Connection, refusals: Sequence[Mapping[str, Any]]) -> None:
    """Remember addresses that were erased, by their keyed hashes, where that is not known."""
    into = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    if refusals:
        connection.execute(into(_refusal).on_conflict_do_nothing(index_elements=["key"]), list(refusals))


def add_link_key(connection: Connection, key: Mapping[str, Any]) -> None:
    """Keep the key that signed links since the backup, where there was none: links in mails work for ever."""
    if connection.scalar(select(_key.c.id)) is None:
        connection.execute(insert(_key), dict(key))


def known_mailings(connection: Connection) -> dict[int, tuple[str, str]]:
    """Kind and week of each mailing, by its id."""
    rows = connection.execute(select(_mailing.c.id, _mailing.c.kind, _mailing.c.week))
    return {row.id: (row.kind, row.week) for row in rows}


def add_mailing(connection: Connection, mailing: Mapping[str, Any]) -> None:
    """A mailing with its id: bounces name it by that."""
    connection.execute(insert(_mailing), {**mailing, "audience": 0})


def restrict_mailing(connection: Connection, mailing_id: int, control: str) -> None:
    """Pause or abort a mailing as it was; one that is aborted stays so."""
    if control in ("paused", "aborted"):
        mine = (_mailing.c.id == mailing_id, _mailing.c.control != "aborted")
        connection.execute(update(_mailing).where(*mine).values(control=control))


def sendable(connection: Connection) -> set[int]:
    """The mailings that could go on: letters, and editions of which the very content that was queued is approved."""
    rows = connection.execute(select(_mailing.c.id, _mailing.c.kind, _mailing.c.week, _mailing.c.content_hash)).all()
    approved = {one.week: one for row in rows if row.kind == "edition" and (one := published_on(connection, row.week))}
    return {
        row.id
        for row in rows
        if row.kind in LETTERS or (row.week in approved and approved[row.week].content_hash == row.content_hash)
    }


class Settled(NamedTuple):
    """How many deliveries went and were not known to; were added as waiting; were added as skipped, though they waited,
    for there is nothing to send them."""

    deliveries: int
    waiting: int
    missed: int


def settle(connection: Connection, told: Sequence[Mapping[str, Any]], going: Collection[int]) -> Settled:
    """Record how deliveries stand, each with mailing_id, subscriber_id, provider and the columns of `TOLD`. One that
    waits and is not there is added if its reader is: to wait, if its mailing is one of those that can be `going`."""
    known = _states(connection, told)
    keyed = [((one["mailing_id"], one["subscriber_id"]), one) for one in told]
    new = [one for key, one in keyed if key not in known]
    readers = log_heads(connection, {one["subscriber_id"] for one in new})
    queued = [one for one in new if one["state"] in WAITING and one["subscriber_id"] in readers]
    waiting = [one for one in queued if one["mailing_id"] in going]
    missed = [{**one, **_MISSED} for one in queued if one["mailing_id"] not in going]
    added = [*(one for one in new if one["state"] not in WAITING), *waiting, *missed]
    changed = [
        {"of_mailing": key[0], "of_reader": key[1]} | {f"to_{name}": one[name] for name in TOLD}
        for key, one in keyed
        if key in known and (known[key] != one["state"] or known[key] == "uncertain")
    ]
    if added:
        connection.execute(insert(_delivery), added)
    if changed:
        connection.execute(_SETTLING, changed)
    states = [*(one["state"] for one in added), *(one["to_state"] for one in changed)]
    went = sum(state in ("sent", "failed", "uncertain") for state in states)
    return Settled(went, len(waiting), len(missed))


_MISSED = {"state": "skipped", "outcome": "the backup has no such edition", "next_attempt_at": None}
TOLD = ("state", "outcome", "reason", "attempts", "deferred_since", "next_attempt_at", "changed_at")
_SETTLING = (
    update(_delivery)
    .where(_delivery.c.mailing_id == bindparam("of_mailing"), _delivery.c.subscriber_id == bindparam("of_reader"))
    .values({name: bindparam(f"to_{name}", type_=_delivery.c[name].type) for name in TOLD})
    .values(claimed_until=None, claimed_by=None)
)


def _states(connection: Connection, told: Sequence[Mapping[str, Any]]) -> dict[tuple[int, int], str]:
    """The states of deliveries that are there, by mailing and reader."""
    found: dict[tuple[int, int], str] = {}
    columns = (_delivery.c.mailing_id, _delivery.c.subscriber_id, _delivery.c.state)
    for start in range(0, len(told), CHUNK):
        chunk = told[start : start + CHUNK]
        mailings, readers = ({one[name] for one in chunk} for name in ("mailing_id", "subscriber_id"))
        own = (_delivery.c.mailing_id.in_(mailings), _delivery.c.subscriber_id.in_(readers))
        found.update({(row[0], row[1]): row[2] for row in connection.execute(select(*columns).where(*own))})
    return found


def recount(connection: Connection, mailing_ids: Iterable[int]) -> None:
    """Make audiences what their deliveries add up to."""
    for number in mailing_ids:
        count = select(func.count()).where(_delivery.c.mailing_id == number).scalar_subquery()
        connection.execute(update(_mailing).where(_mailing.c.id == number).values(audience=count))


def advance_numbers(connection: Connection) -> None:
    """On PostgreSQL, number new mailings after those that brought their numbers along."""
    if connection.dialect.name == "postgresql":
        newest = "(SELECT coalesce(max(id), 0) + 1 FROM mailing)"
        connection.execute(text(f"SELECT setval(pg_get_serial_sequence('mailing', 'id'), {newest}, false)"))


def skipped_weeks(connection: Connection) -> set[str]:
    """The weeks that a person let go without an edition."""
    return set(connection.scalars(select(_run.c.period).where(_run.c.state == "skipped")))


def count_readers(connection: Connection) -> int:
    """How many readers there are, in whatever state."""
    return connection.scalar(select(func.count()).select_from(_subscriber)) or 0


def is_empty(connection: Connection) -> bool:
    """Whether there is no table in this database, in the schema that is looked in first."""
    return not inspect(connection).get_table_names()
