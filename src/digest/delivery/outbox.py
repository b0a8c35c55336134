"""The outbox: who is to get which mailing, and how far each delivery has come.

    pending -> claimed -> dot -> sent | deferred | failed | uncertain        skipped: consent had ended

`claimed` is a lease. `dot` is committed just before the message's final dot: a row that died before it was certainly
not sent and goes again; one that died in it is uncertain and is held, unless repeating the delivery does no harm.
Every change of a claimed row is guarded by the claim, so a sender that lost its lease changes nothing.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    UniqueConstraint,
    and_,
    bindparam,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, SQLModel

from digest.database import UtcDateTime, metadata
from digest.errors import DeliveryError
from digest.subscribers import store
from digest.subscribers.consent import LIVE
from digest.subscribers.store import Subscriber

State = Literal["pending", "claimed", "dot", "sent", "deferred", "failed", "skipped", "uncertain"]


class MailingRow(SQLModel, table=True):
    """One thing mailed to many. `audience` is how many readers were frozen into it when it was queued."""

    __tablename__ = "mailing"
    __table_args__ = (UniqueConstraint("kind", "week"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    week: str
    content_hash: str
    queued_at: datetime = Field(sa_type=UtcDateTime)
    audience: int


class DeliveryRow(SQLModel, table=True):
    """One mailing to one reader. No foreign key to the reader, who may be erased while this stays to be counted."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("mailing_id", "subscriber_id"),
        Index("ix_delivery_state", "mailing_id", "state", "id"),
    )

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    )
    mailing_id: int = Field(foreign_key="mailing.id")
    subscriber_id: int = Field(sa_type=BigInteger)
    state: str
    claimed_by: str | None = None
    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    attempts: int = 0
    deferred_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    next_attempt_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str
    changed_at: datetime = Field(sa_type=UtcDateTime)


_mailing = metadata.tables["mailing"]
_delivery = metadata.tables["delivery"]
_subscriber = metadata.tables["subscriber"]


@dataclass(frozen=True, slots=True)
class Mailing:
    """A queued mailing: `week` as 2026-W18, `content_hash` of what was approved, `audience` readers in all."""

    id: int
    kind: str
    week: str
    content_hash: str
    queued_at: datetime
    audience: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this sender may make until its lease ends."""

    id: int
    attempts: int
    deferred_since: datetime | None
    subscriber: Subscriber


@dataclass(frozen=True, slots=True)
class Batch:
    """What one claim took: deliveries to make, and how many were skipped because their reader's consent had ended."""

    deliveries: tuple[Claimed, ...]
    skipped: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What a delivery has come to; `next_attempt_at` and `deferred_since` only when it is deferred."""

    id: int
    state: Literal["sent", "deferred", "failed", "uncertain"]
    outcome: str
    deferred_since: datetime | None = None
    next_attempt_at: datetime | None = None


def queue(connection: Connection, week: str, content_hash: str, now: datetime) -> Mailing:
    """Queue a week's edition to everyone whose consent is live now. Again, it gives back the mailing as it is.

    Raises DeliveryError if the week was queued with another content.
    """
    if find(connection, week) is None:
        with suppress(IntegrityError), connection.begin_nested():  # another process queued it at the same moment
            _queue(connection, week, content_hash, now)
    mailing = find(connection, week)
    if mailing is None or mailing.content_hash != content_hash:
        raise DeliveryError(
            f"the edition of {week} was queued with another content than is approved now; "
            "readers already have that one, so tell the difference in next week's edition."
        )
    return mailing


def _queue(connection: Connection, week: str, content_hash: str, now: datetime) -> None:
    row = {"kind": "edition", "week": week, "content_hash": content_hash, "queued_at": now, "audience": 0}
    number = connection.execute(insert(_mailing).values(row).returning(_mailing.c.id)).scalar_one()
    audience = select(
        literal(number), _subscriber.c.id, literal("pending"), literal(0), literal(""), literal(now, UtcDateTime)
    ).where(_subscriber.c.state == LIVE)
    columns = ["mailing_id", "subscriber_id", "state", "attempts", "outcome", "changed_at"]
    connection.execute(insert(_delivery).from_select(columns, audience))
    frozen = select(func.count()).where(_delivery.c.mailing_id == number).scalar_subquery()
    connection.execute(update(_mailing).where(_mailing.c.id == number).values(audience=frozen))


def find(connection: Connection, week: str) -> Mailing | None:
    """The mailing of a week's edition, if it was queued."""
    row = connection.execute(select(_mailing).where(_mailing.c.kind == "edition", _mailing.c.week == week)).first()
    return None if row is None else Mailing(**row._mapping)


def claim(connection: Connection, mailing_id: int, claimant: str, now: datetime, lease: timedelta, limit: int) -> Batch:
    """Take up to `limit` deliveries that are due, oldest first, and skip those whose reader's consent has ended."""
    due = or_(_delivery.c.state == "pending", and_(_delivery.c.state == "deferred", _delivery.c.next_attempt_at <= now))
    oldest = (
        select(_delivery.c.id).where(_delivery.c.mailing_id == mailing_id, due).order_by(_delivery.c.id).limit(limit)
    )
    rows = connection.execute(
        update(_delivery)
        .where(_delivery.c.id.in_(oldest.with_for_update(skip_locked=True)))  # SQLite has one writer and no such clause
        .values(state="claimed", claimed_by=claimant, claimed_until=now + lease, changed_at=now)
        .returning(_delivery.c.id, _delivery.c.subscriber_id, _delivery.c.attempts, _delivery.c.deferred_since)
    ).all()
    readers = store.get(connection, [row.subscriber_id for row in rows])
    deliveries = []
    for number, subscriber_id, attempts, deferred_since in sorted(rows):
        reader = readers.get(subscriber_id)
        if reader is not None and reader.consent.state == LIVE:
            deliveries.append(Claimed(number, attempts, deferred_since, reader))
        else:
            _skip(connection, number, reader, now)
    return Batch(tuple(deliveries), len(rows) - len(deliveries))


def _skip(connection: Connection, delivery_id: int, reader: Subscriber | None, now: datetime) -> None:
    reason = "no such reader any more" if reader is None else f"consent is {reader.consent.state}"
    values = {**_free(now), "state": "skipped", "outcome": reason}
    connection.execute(update(_delivery).where(_delivery.c.id == delivery_id).values(values))


def dot(connection: Connection, delivery_id: int, claimant: str, now: datetime, lease: timedelta) -> bool:
    """Mark a delivery as about to be handed over. False: the claim or the reader's consent is gone; send nothing."""
    reader = _subscriber.c.id == _delivery.c.subscriber_id
    marked = connection.execute(
        update(_delivery)
        .where(_delivery.c.id == delivery_id, _delivery.c.state == "claimed", _delivery.c.claimed_by == claimant)
        .where(exists().where(reader, _subscriber.c.state == LIVE))
        .values(state="dot", claimed_until=now + lease, changed_at=now)
    )
    return marked.rowcount == 1


def record(connection: Connection, claimant: str, settled: Sequence[Settled], now: datetime) -> None:
    """Record what became of deliveries of this claimant.

    One that was given up as uncertain meanwhile is settled too: who sent it knows best.
    """
    if not settled:
        return
    statement = (
        update(_delivery)
        .where(_delivery.c.id == bindparam("delivery"), _delivery.c.claimed_by == claimant)
        .where(or_(*(_delivery.c.state == state for state in ("claimed", "dot", "uncertain"))))
        .values(
            state=bindparam("to_state"),
            outcome=bindparam("said"),
            deferred_since=bindparam("since"),
            next_attempt_at=bindparam("next_at"),
            attempts=_delivery.c.attempts + 1,
            claimed_until=None,
            changed_at=now,
        )
    )
    rows = [
        {
            "delivery": one.id,
            "to_state": one.state,
            "said": one.outcome,
            "since": one.deferred_since,
            "next_at": one.next_attempt_at,
        }
        for one in settled
    ]
    connection.execute(statement, rows)


def release(connection: Connection, claimant: str, now: datetime) -> None:
    """Give back what this claimant holds and did not hand over."""
    held = (_delivery.c.claimed_by == claimant, _delivery.c.state == "claimed")
    connection.execute(update(_delivery).where(*held).values(_free(now)))


def claimants(connection: Connection, mailing_id: int) -> set[str]:
    """Who holds deliveries of this mailing now."""
    held = _delivery.c.state.in_(["claimed", "dot"])
    return set(
        connection.scalars(select(_delivery.c.claimed_by).distinct().where(_delivery.c.mailing_id == mailing_id, held))
    )


def take_back(
    connection: Connection, mailing_id: int, dead: Collection[str], now: datetime, *, repeatable: bool
) -> int:
    """Free the deliveries of claimants known to be dead, and those whose lease has ended; how many there were.

    What was about to be handed over becomes uncertain, or is due again where a delivery is `repeatable`.
    """
    over = or_(_delivery.c.claimed_until <= now, _delivery.c.claimed_by.in_(dead))
    unsure = {
        "state": "uncertain",
        "outcome": "the sender ended while the relay was to answer",
        "claimed_until": None,
        "changed_at": now,
    }
    taken = 0
    for state, values in (("claimed", _free(now)), ("dot", _free(now) if repeatable else unsure)):
        left = select(_delivery.c.id).where(_delivery.c.mailing_id == mailing_id, _delivery.c.state == state, over)
        chosen = _delivery.c.id.in_(left.with_for_update(skip_locked=True))  # a locked one is being recorded
        taken += connection.execute(update(_delivery).where(chosen).values(values)).rowcount
    return taken


def _free(now: datetime) -> dict[str, Any]:
    return {"state": "pending", "claimed_by": None, "claimed_until": None, "changed_at": now}


def uncertain(connection: Connection, mailing_id: int) -> list[tuple[str, datetime]]:
    """The addresses of readers who may or may not have this mailing, and since when that is so."""
    found = (
        select(_subscriber.c.email, _delivery.c.changed_at)
        .join_from(_delivery, _subscriber, _subscriber.c.id == _delivery.c.subscriber_id)
        .where(_delivery.c.mailing_id == mailing_id, _delivery.c.state == "uncertain")
        .order_by(_delivery.c.id)
    )
    return [(email, since) for email, since in connection.execute(found)]


def tally(connection: Connection, mailing_id: int) -> dict[State, int]:
    """How many deliveries are in each state, every state named. They add up to the mailing's audience."""
    counted: dict[State, int] = dict.fromkeys(get_args(State), 0)
    states = (
        select(_delivery.c.state, func.count()).where(_delivery.c.mailing_id == mailing_id).group_by(_delivery.c.state)
    )
    counted.update(tuple(row) for row in connection.execute(states))
    return counted


def unfinished(connection: Connection) -> list[Mailing]:
    """Mailings with a delivery that is still to be made, the oldest first."""
    waiting = select(_delivery.c.mailing_id).where(_delivery.c.state.in_(("pending", "claimed", "dot", "deferred")))
    rows = connection.execute(select(_mailing).where(_mailing.c.id.in_(waiting)).order_by(_mailing.c.week))
    return [Mailing(**row) for row in rows.mappings()]


def audience(connection: Connection) -> int:
    """How many readers a mailing that was queued now would go to."""
    return connection.scalar(select(func.count()).select_from(_subscriber).where(_subscriber.c.state == LIVE)) or 0
