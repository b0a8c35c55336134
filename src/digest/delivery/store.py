"""What becomes known of deliveries once the relay took them, or may have: in the database.

    uncertain -> sent | failed | pending        sent | dot -> failed

A message that came back is no longer `sent`, so that the tally says how many arrived as far as anybody knows.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from hashlib import sha256
from typing import Literal, cast

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

import digest.delivery.tables  # noqa: F401 (the import registers the tables)
from digest.database import metadata
from digest.delivery.outbox import Mailing, State
from digest.delivery.reasons import Reason

_delivery = metadata.tables["delivery"]
_mailing = metadata.tables["mailing"]
_seen = metadata.tables["seen_event"]
_count = metadata.tables["returned_count"]

_WENT: tuple[State, ...] = ("dot", "sent", "failed", "uncertain")
# Says nothing new, and lets SQLite find deliveries by an index that begins with the mailing instead of reading all.
_OF_ANY = _delivery.c.mailing_id.in_(select(_mailing.c.id))


@dataclass(frozen=True, slots=True)
class Uncertain:
    """A delivery of which nobody knows whether the reader has it, and since when that is so."""

    id: int
    mailing: Mailing
    subscriber_id: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Tried:
    """A mailing that was handed over for one reader, or refused: what it came to, and why if it failed."""

    mailing: Mailing
    state: State
    reason: Reason | None
    changed_at: datetime


def uncertain(connection: Connection, week: str | None = None) -> list[Uncertain]:
    """Uncertain deliveries of all mailings, or of those of one week (or, of letters, one day); the oldest first."""
    held = and_(_delivery.c.mailing_id == _mailing.c.id, _OF_ANY, _delivery.c.state == "uncertain")
    wanted = select(_delivery.c.id.label("own"), _delivery.c.subscriber_id, _delivery.c.changed_at, *_mailing.c)
    wanted = wanted.join_from(_mailing, _delivery, held).order_by(_mailing.c.queued_at, _delivery.c.id)
    if week is not None:
        wanted = wanted.where(_mailing.c.week == week)
    rows = connection.execute(wanted).mappings()
    return [Uncertain(row["own"], _mailing_of(row), row["subscriber_id"], row["changed_at"]) for row in rows]


def count_uncertain(connection: Connection) -> dict[str, int]:
    """How many deliveries are uncertain, by the week of their edition (or, of letters, by kind and day)."""
    held = and_(_delivery.c.mailing_id == _mailing.c.id, _OF_ANY, _delivery.c.state == "uncertain")
    counted = select(_mailing.c.kind, _mailing.c.week, func.count()).join_from(_mailing, _delivery, held)
    rows = connection.execute(counted.group_by(_mailing.c.kind, _mailing.c.week).order_by(_mailing.c.week))
    return {week if kind == "edition" else f"{kind} {week}": count for kind, week, count in rows}


def arrived(connection: Connection, mailing_id: int, subscriber_id: int, said: str, now: datetime) -> bool:
    """Record that an uncertain delivery reached the reader. False where it was not uncertain."""
    values = {"state": "sent", "outcome": said, "changed_at": now}
    held = (*_one(mailing_id, subscriber_id), _delivery.c.state == "uncertain")
    return connection.execute(update(_delivery).where(*held).values(values)).rowcount == 1


def came_back(
    connection: Connection, mailing_id: int, subscriber_id: int, reason: Reason, said: str, now: datetime
) -> bool:
    """Record that a delivery failed after it was handed over. False where that was known, or it never was."""
    values = {"state": "failed", "reason": reason, "outcome": said, "claimed_until": None, "changed_at": now}
    # A quick relay returns a message before its sender has written down that it took it.
    handed_over = _delivery.c.state.in_(("dot", "sent", "uncertain"))
    held = (*_one(mailing_id, subscriber_id), handed_over)
    return connection.execute(update(_delivery).where(*held).values(values)).rowcount == 1


def refused(connection: Connection, mailing_id: int, reasons: Mapping[int, Reason]) -> set[int]:
    """Keep why deliveries failed, by reader; the readers whose delivery has failed indeed."""
    failed = set[int]()
    for reason in set(reasons.values()):
        readers = [reader for reader, why in reasons.items() if why == reason]
        mine = (_delivery.c.mailing_id == mailing_id, _delivery.c.subscriber_id.in_(readers))
        kept = update(_delivery).where(*mine, _delivery.c.state == "failed").values(reason=reason)
        failed.update(connection.scalars(kept.returning(_delivery.c.subscriber_id)))
    return failed


def again(connection: Connection, ids: Collection[int], now: datetime) -> int:
    """Make uncertain deliveries due again; how many were."""
    held = (_delivery.c.id.in_(ids), _delivery.c.state == "uncertain")
    values = {"state": "pending", "outcome": "", "claimed_by": None, "claimed_until": None, "changed_at": now}
    return connection.execute(update(_delivery).where(*held).values(values)).rowcount


def tried(connection: Connection, subscriber_id: int, most: int = 500) -> list[Tried]:
    """What was handed over for one reader, or refused; the newest mailing first."""
    mine = and_(_delivery.c.mailing_id == _mailing.c.id, _OF_ANY, _delivery.c.subscriber_id == subscriber_id)
    columns = (_delivery.c.state, _delivery.c.reason, _delivery.c.changed_at.label("since"), *_mailing.c)
    wanted = select(*columns).join_from(_mailing, _delivery, mine)
    wanted = wanted.where(_delivery.c.state.in_(_WENT)).order_by(_mailing.c.queued_at.desc())
    rows = connection.execute(wanted.limit(most)).mappings()
    return [Tried(_mailing_of(row), row["state"], _reason(row["reason"]), row["since"]) for row in rows]


def _reason(word: str) -> Reason | None:
    return cast(Reason, word) if word else None


def _mailing_of(row: RowMapping) -> Mailing:
    return Mailing(**{one.name: row[one.name] for one in fields(Mailing)})


def _one(mailing_id: int, subscriber_id: int) -> tuple[ColumnElement[bool], ...]:
    return _delivery.c.mailing_id == mailing_id, _delivery.c.subscriber_id == subscriber_id


def seen(connection: Connection, name: str, until: datetime) -> bool:
    """Whether a name was seen before; if not, it is from now on. Two at once: the second waits for the first."""
    hashed = sha256(name.encode("utf-8", "replace")).hexdigest()  # of any length, and it may hold anything
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    new = insert(_seen).values(name=hashed, until=until).on_conflict_do_nothing(index_elements=["name"])
    return connection.scalar(new.returning(_seen.c.name)) is None


def forget_seen(connection: Connection, now: datetime) -> None:
    """Forget names that nobody tells again."""
    connection.execute(delete(_seen).where(_seen.c.until < now))


Came = Literal["bounced", "complained", "unsubscribed", "delivered", "late", "automatic", "unproven", "unreadable"]
"""
bounced: it came back.   late: it is still being tried.   complained, unsubscribed, delivered: so says who carries it.
automatic: a program answered.   unproven: no signature shows whose it is.   unreadable: for a person to read.
"""


def count(connection: Connection, day: date, came: Mapping[Came, int]) -> None:
    """Count what came back, by kind."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for kind, number in sorted(came.items()):
        first = insert(_count).values(day=day, kind=kind, count=number)
        more = {"count": _count.c.count + number}
        connection.execute(first.on_conflict_do_update(index_elements=["day", "kind"], set_=more))


def counted(connection: Connection, since: date) -> dict[Came, int]:
    """How many came back since a day, by kind."""
    rows = connection.execute(
        select(_count.c.kind, func.sum(_count.c.count)).where(_count.c.day >= since).group_by(_count.c.kind)
    )
    return {kind: int(number) for kind, number in rows}
