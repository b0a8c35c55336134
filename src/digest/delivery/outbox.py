"""The outbox: who is to get which mailing, and how far each delivery has come.

    held -> pending -> claimed -> dot -> sent | deferred | failed | uncertain        skipped, with the reason

An edition's audience is frozen when it is queued: who gets it later is held, who does not is skipped, and both are
counted. Letters to one reader (a confirmation, a link) go the same way, a mailing a day for each kind, so that nobody
gets two of a kind in a day. `claimed` is a lease. `dot` is committed just before the message's final dot: a row that
died before it was certainly not sent and goes again; one that died in it is uncertain and is held, unless repeating the
delivery does no harm. Every change of a claimed row is guarded by the claim, so a sender that lost its lease changes
nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, Literal, cast

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningUpdate

from digest.config.sections import Delivery
from digest.database import UtcDateTime, metadata
from digest.delivery import pacing, throttles
from digest.delivery.audience import GONE, audience, have_newer, newer_mailings
from digest.delivery.due import ON_HOLD, due
from digest.delivery.pacing import RELAY, Throttle
from digest.delivery.throttles import Paces
from digest.edition.renditions import Rendition
from digest.errors import DeliveryError
from digest.subscribers import store
from digest.subscribers.consent import LIVE
from digest.subscribers.consent import State as ConsentState
from digest.subscribers.links import LIFETIMES
from digest.subscribers.routing import Deliver, Hold, Outgoing, Reason, Route, Skip, route
from digest.subscribers.store import Subscriber

State = Literal["held", "pending", "claimed", "dot", "sent", "deferred", "failed", "skipped", "uncertain"]

Control = Literal["going", "paused", "aborted"]

Letter = Literal["confirmation", "preferences"]

LETTERS: Mapping[Letter, tuple[ConsentState, ...]] = {
    "confirmation": ("requested",),
    "preferences": ("confirmed", "expired", "withdrawn"),
}
"""Mail to one reader who asked for it, and the states of consent in which it may go out."""

PERHAPS_SENT = "it may have been sent after the backup"
"""The content of a mailing that stands for one of which nobody knows whether there was one."""

TOO_LATE = "too late"
"""The outcome of a delivery that nobody tried to make before the edition's time was over."""

WAITING: tuple[State, ...] = ("held", "pending", "claimed", "dot", "deferred")

_mailing = metadata.tables["mailing"]
_delivery = metadata.tables["delivery"]
_subscriber = metadata.tables["subscriber"]

# Statements that every batch runs are made once, for making one takes longer than running it.
_NOW, _UNTIL = (bindparam(name, type_=UtcDateTime()) for name in ("now", "until"))
_CLAIMANT: BindParameter[str] = bindparam("claimant")
_IDS: BindParameter[int] = bindparam("ids", expanding=True)


@dataclass(frozen=True, slots=True)
class Mailing:
    """A queued mailing: `week` as 2026-W18, or of letters their day as 2026-05-04; `content_hash` of what was approved;
    `audience` readers in all, those held or skipped among them; `control` what a person said last."""

    id: int
    kind: str
    week: str
    content_hash: str
    queued_at: datetime
    audience: int
    control: Control = "going"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this sender may make until its lease ends. `last_week` is that of the last edition that was sent
    to the reader before this one, if any."""

    id: int
    attempts: int
    deferred_since: datetime | None
    subscriber: Subscriber
    rendition: Rendition
    last_week: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What one claim took: deliveries to make, and how many were put off or skipped by what holds of the reader now.

    `again_at` is set where nothing was taken only because all is sent as fast as it may be: then there is room again.
    `throttles` is how providers stand after the claim.
    """

    deliveries: tuple[Claimed, ...]
    dropped: int
    again_at: datetime | None = None
    throttles: Mapping[str, Throttle] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settled:
    """What a delivery has come to; `next_attempt_at` and `deferred_since` only when it is deferred."""

    id: int
    state: Literal["sent", "deferred", "failed", "uncertain"]
    outcome: str
    deferred_since: datetime | None = None
    next_attempt_at: datetime | None = None


def queue(connection: Connection, edition: Outgoing, content_hash: str, now: datetime) -> Mailing:
    """Queue an edition to everyone whose consent is live now. Again, it gives back the mailing as it is.

    Raises DeliveryError if the week was queued with another content, or in a restored copy that nobody accepted yet.
    """
    if find(connection, edition.week) is None:
        heed_hold(connection)
        with suppress(IntegrityError), connection.begin_nested():  # another process queued it at the same moment
            _queue(connection, edition, content_hash, now)
    mailing = find(connection, edition.week)
    if mailing is not None and mailing.content_hash == PERHAPS_SENT:
        raise DeliveryError(
            f"the edition of {edition.week} may have been sent before this database was restored from a backup, "
            "so it is not sent; tell the news in next week's edition."
        )
    if mailing is None or mailing.content_hash != content_hash:
        raise DeliveryError(
            f"the edition of {edition.week} was queued with another content than is approved now; "
            "readers already have that one, so tell the difference in next week's edition."
        )
    return mailing


def _queue(connection: Connection, edition: Outgoing, content_hash: str, now: datetime) -> None:
    number = _add_mailing(connection, "edition", edition.week, content_hash, now)
    who = audience(connection, edition, now).subquery()
    frozen = select(literal(number), *who.c, literal(0), literal(now, UtcDateTime))
    columns = ["mailing_id", "subscriber_id", "state", "next_attempt_at", "outcome", "provider", "attempts"]
    columns += ["changed_at"]
    connection.execute(insert(_delivery).from_select(columns, frozen))
    count = select(func.count()).where(_delivery.c.mailing_id == number).scalar_subquery()
    connection.execute(update(_mailing).where(_mailing.c.id == number).values(audience=count))


def queue_letter(connection: Connection, kind: Letter, subscriber_id: int, now: datetime) -> None:
    """Queue a letter to one reader. A second one of a kind in a day (UTC) is not queued."""
    day = now.astimezone(UTC).date().isoformat()
    wanted = select(_mailing.c.id).where(_mailing.c.kind == kind, _mailing.c.week == day)
    number = connection.scalar(wanted)
    if number is None:
        with suppress(IntegrityError), connection.begin_nested():
            _add_mailing(connection, kind, day, "", now)
        number = connection.scalar(wanted)
    row = {"mailing_id": number, "subscriber_id": subscriber_id, "state": "pending", "attempts": 0, "outcome": ""}
    address = select(_subscriber.c.email_key).where(_subscriber.c.id == subscriber_id)
    provider = pacing.provider_of((connection.scalar(address) or "").rpartition("@")[2])
    row["provider"] = provider if provider in pacing.providers() else ""
    with suppress(IntegrityError), connection.begin_nested():
        connection.execute(insert(_delivery), {**row, "changed_at": now})
        more = {"audience": _mailing.c.audience + 1}
        connection.execute(update(_mailing).where(_mailing.c.id == number).values(more))


def _add_mailing(connection: Connection, kind: str, week: str, content_hash: str, now: datetime) -> int:
    row = {
        "kind": kind,
        "week": week,
        "content_hash": content_hash,
        "queued_at": now,
        "audience": 0,
        "control": "going",
    }
    return int(connection.execute(insert(_mailing).values(row).returning(_mailing.c.id)).scalar_one())


def heed_hold(connection: Connection) -> None:
    """Raise DeliveryError in a restored copy that waits for a person."""
    if connection.scalar(select(ON_HOLD)):
        raise DeliveryError(
            "this database was restored from a backup and sends nothing until a person accepts it: "
            "digest accept-restore"
        )


def letters_to(connection: Connection, kind: Letter, subscriber_id: int, since: datetime) -> int:
    """How many letters of a kind were queued to one reader since a moment."""
    own = and_(_delivery.c.subscriber_id == subscriber_id, _mailing.c.kind == kind, _mailing.c.queued_at >= since)
    joined = select(func.count()).select_from(_delivery.join(_mailing, _mailing.c.id == _delivery.c.mailing_id))
    return connection.scalar(joined.where(own)) or 0


def find(connection: Connection, week: str) -> Mailing | None:
    """The mailing of a week's edition, if it was queued."""
    row = connection.execute(select(_mailing).where(_mailing.c.kind == "edition", _mailing.c.week == week)).first()
    return None if row is None else Mailing(**row._mapping)


def claim(
    connection: Connection,
    mailing: Mailing,
    claimant: str,
    now: datetime,
    lease: timedelta,
    limit: int,
    edition: Outgoing | None = None,
    standing: Mapping[str, Throttle] | None = None,
    budget: Delivery | None = None,
) -> Batch:
    """Take up to `limit` deliveries that are due, oldest first, and route each by what holds of its reader now.

    `edition` says what is sent; without it the mailing is one of letters. `standing` is how providers stand, as
    `throttles.hold` gave it, and `budget` what bounds all senders together.
    """
    if edition is not None and now >= edition.closes_at and not connection.scalar(select(ON_HOLD)):
        _close(connection, mailing.id, now)
    pace = Paces(dict(standing or {}), now, lease, budget.per_second if budget else None)
    room = min(limit, pace.room(RELAY, limit))
    if edition is not None and budget is not None and budget.warm_up:
        relay = pace.standing.get(RELAY) or Throttle(RELAY, now)
        left = throttles.left_of_plan(connection, mailing.id, relay, budget, now)
        room = room if left is None else min(room, left)
    rows = _take(connection, mailing.id, claimant, now, lease, room, pace.rooms(limit)) if room else []
    deliveries, dropped = _routed(connection, mailing, rows, edition, pace, now)
    again_at = None if rows else pace.again_at(connection, mailing.id)
    return Batch(tuple(deliveries), dropped, again_at, pace.standing)


def _close(connection: Connection, mailing_id: int, now: datetime) -> None:
    """What has not gone out when an edition's time is over is news no more; what was tried has failed."""
    mine = _delivery.c.mailing_id == mailing_id
    tried = and_(_delivery.c.state == "deferred", _delivery.c.attempts > 0)
    over = {"next_attempt_at": None, "changed_at": now}
    connection.execute(update(_delivery).where(mine, tried).values(state="failed", **over))
    held = and_(mine, _delivery.c.state == "held")
    connection.execute(update(_delivery).where(held).values(state="skipped", **over))
    rest = and_(mine, _delivery.c.state.in_(("pending", "deferred")))
    connection.execute(update(_delivery).where(rest).values(state="skipped", outcome=TOO_LATE, **over))


def _take(
    connection: Connection,
    mailing_id: int,
    claimant: str,
    now: datetime,
    lease: timedelta,
    limit: int,
    rooms: Mapping[str, int],
) -> Sequence[Row[Any]]:
    facts = {"mailing": mailing_id, "claimant": claimant, "now": now, "until": now + lease, "limit": limit}
    return connection.execute(_claiming(tuple(sorted(rooms.items()))), facts).all()


@lru_cache(maxsize=16)  # nearly always there are no rooms
def _claiming(rooms: tuple[tuple[str, int], ...]) -> ReturningUpdate[Any]:
    chosen = due(bindparam("mailing"), _NOW, bindparam("limit"), dict(rooms))
    return (
        update(_delivery)
        .where(_delivery.c.id.in_(chosen))
        .values(state="claimed", claimed_by=_CLAIMANT, claimed_until=_UNTIL, next_attempt_at=None, changed_at=_NOW)
        .returning(_delivery.c.id, _delivery.c.subscriber_id, _delivery.c.attempts, _delivery.c.deferred_since)
    )


def _routed(
    connection: Connection,
    mailing: Mailing,
    rows: Sequence[Row[Any]],
    edition: Outgoing | None,
    pace: Paces,
    now: datetime,
) -> tuple[list[Claimed], int]:
    """Those of the rows taken that are to be delivered; the others are put off or skipped, and counted."""
    ids = [row.subscriber_id for row in rows]
    readers = store.get(connection, ids)
    newer = have_newer(connection, newer_mailings(connection, mailing.week, mailing.kind), ids)
    earlier = _last_weeks(connection, mailing.week, ids) if edition else {}
    deliveries: list[Claimed] = []
    waiting: list[tuple[str, int]] = []
    for row in sorted(rows, key=attrgetter("id")):
        reader = readers.get(row.subscriber_id)
        if reader is None:
            _drop(connection, row.id, Skip("erased"), now)
            continue
        newer_sent = row.subscriber_id in newer
        if edition:
            where = route(reader, edition, now, newer_sent=newer_sent)
        else:
            where = Skip("newer_sent") if newer_sent else _route_letter(reader, mailing.kind, now)
        if not isinstance(where, Deliver):
            _drop(connection, row.id, where, now)
            continue
        provider = pacing.provider_of(reader.email_key.rpartition("@")[2])
        if provider in pace.standing and not pace.takes(connection, provider):
            waiting.append((provider, row.id))
        else:
            last = earlier.get(row.subscriber_id)
            deliveries.append(Claimed(row.id, row.attempts, row.deferred_since, reader, where.rendition, last))
    for provider, number in waiting:
        _put_off(connection, number, pace.next_room(provider, number), now)
    pace.spend(RELAY, len(deliveries))
    return deliveries, len(rows) - len(deliveries)


def _put_off(connection: Connection, delivery_id: int, until: datetime, now: datetime) -> None:
    """A delivery that waits for its provider was not tried: it is no failure of the reader's."""
    values = {**_free(now), "state": "deferred", "outcome": "waits for its provider", "next_attempt_at": until}
    connection.execute(update(_delivery).where(_delivery.c.id == delivery_id).values(values))


def _route_letter(reader: Subscriber, kind: str, now: datetime) -> Route:
    """A letter has no topics, no quiet hours and no label: it is what the reader asked for a moment ago."""
    asked = reader.consent.requested_at
    if kind == "confirmation" and asked is not None and asked + LIFETIMES["confirm"] <= now:
        return Skip("expired")
    if kind in LETTERS and reader.consent.state in LETTERS[cast(Letter, kind)]:
        return Deliver(Rendition(reader.locale, (), "full", reader.consent.regime), ())
    return Skip(cast(Reason, reader.consent.state))


def _drop(connection: Connection, delivery_id: int, where: Hold | Skip, now: datetime) -> None:
    held = isinstance(where, Hold)
    values = {
        **_free(now),
        "state": "held" if held else "skipped",
        "outcome": where.reason,
        "next_attempt_at": where.until if isinstance(where, Hold) else None,
    }
    connection.execute(update(_delivery).where(_delivery.c.id == delivery_id).values(values))


def _last_weeks(connection: Connection, week: str, ids: Collection[int]) -> dict[int, str]:
    """The week of the last edition before this one that was sent to each of these readers."""
    return {row[0]: row[1] for row in connection.execute(_EARLIER, {"week": week, "ids": ids})}


_EARLIER = (
    select(_delivery.c.subscriber_id, func.max(_mailing.c.week))
    .join_from(_mailing, _delivery, _delivery.c.mailing_id == _mailing.c.id)
    .where(_mailing.c.kind == "edition", _mailing.c.week < bindparam("week"))
    # Named once more, or SQLite scans all deliveries rather than seek each reader's in each mailing.
    .where(_delivery.c.mailing_id.in_(select(_mailing.c.id).where(_mailing.c.kind == "edition")))
    .where(_delivery.c.state == "sent", _delivery.c.subscriber_id.in_(_IDS))
    .group_by(_delivery.c.subscriber_id)
)


def dot(
    connection: Connection,
    ids: Sequence[int],
    claimant: str,
    now: datetime,
    lease: timedelta,
    kind: str = "edition",
) -> frozenset[int]:
    """Mark deliveries as about to be handed over; those that may be. Of the others nothing is sent, for the claim or
    the reader's consent is gone, another sender has a later mailing of the kind on its way to them, or the mailing was
    paused or aborted, or this is a restored copy."""
    if not ids:
        return frozenset()
    facts = {"ids": ids, "claimant": claimant, "now": now, "until": now + lease}
    return frozenset(connection.scalars(_marking(kind), facts))


@cache
def _marking(kind: str) -> ReturningUpdate[Any]:
    reader = _subscriber.c.id == _delivery.c.subscriber_id
    if kind == "edition":
        lives = and_(
            _subscriber.c.state == LIVE,
            or_(_subscriber.c.paused_until.is_(None), _subscriber.c.paused_until <= _NOW),
            or_(_subscriber.c.reconfirm_by.is_(None), _subscriber.c.reconfirm_by > _NOW),
        )
    else:
        lives = _subscriber.c.state.in_(LETTERS[cast(Letter, kind)])
    return (
        update(_delivery)
        .where(_delivery.c.id.in_(_IDS), _delivery.c.state == "claimed", _delivery.c.claimed_by == _CLAIMANT)
        .where(exists().where(reader, lives), ~_overtaken())
        .where(exists().where(_mailing.c.id == _delivery.c.mailing_id, _mailing.c.control == "going"), ~ON_HOLD)
        .values(state="dot", claimed_until=_UNTIL, changed_at=_NOW)
        .returning(_delivery.c.id)
    )


def _overtaken() -> ColumnElement[bool]:
    """Whether a later mailing of the same kind went, or is going, to the reader of a delivery."""
    this, later, other = _mailing.alias(), _mailing.alias(), _delivery.alias()
    return exists().where(
        this.c.id == _delivery.c.mailing_id,
        and_(later.c.kind == this.c.kind, later.c.week > this.c.week),
        and_(other.c.mailing_id == later.c.id, other.c.subscriber_id == _delivery.c.subscriber_id),
        other.c.state.in_(GONE),
    )


def record(connection: Connection, claimant: str, settled: Sequence[Settled], now: datetime) -> None:
    """Record what became of deliveries of this claimant.

    One that was given up as uncertain meanwhile is settled too: who sent it knows best.
    """
    if not settled:
        return
    rows = [
        {
            "claimant": claimant,
            "now": now,
            "delivery": one.id,
            "to_state": one.state,
            "said": one.outcome,
            "since": one.deferred_since,
            "next_at": one.next_attempt_at,
        }
        for one in settled
    ]
    connection.execute(_RECORDING, rows)


_RECORDING = (
    update(_delivery)
    .where(_delivery.c.id == bindparam("delivery"), _delivery.c.claimed_by == _CLAIMANT)
    .where(or_(*(_delivery.c.state == state for state in ("claimed", "dot", "uncertain"))))
    .values(
        state=bindparam("to_state"),
        outcome=bindparam("said"),
        deferred_since=bindparam("since"),
        next_attempt_at=bindparam("next_at"),
        attempts=_delivery.c.attempts + 1,
        claimed_until=None,
        changed_at=_NOW,
    )
)


def give_back(connection: Connection, claimant: str, ids: Sequence[int], now: datetime) -> None:
    """Give back deliveries that this claimant holds, and knows that it did not hand over; they are looked at anew."""
    if ids:
        held = (_delivery.c.id.in_(ids), _delivery.c.claimed_by == claimant, _delivery.c.state.in_(["claimed", "dot"]))
        connection.execute(update(_delivery).where(*held).values(_free(now)))


def release(connection: Connection, claimant: str, now: datetime) -> None:
    """Give back all that this claimant holds and did not hand over."""
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


def unfinished(connection: Connection) -> list[Mailing]:
    """Mailings with a delivery that is still to be made, letters first, then the oldest."""
    waiting = select(_delivery.c.mailing_id).where(_delivery.c.state.in_(WAITING))
    letters_first = case((_mailing.c.kind == "edition", 1), else_=0)
    rows = connection.execute(
        select(_mailing).where(_mailing.c.id.in_(waiting)).order_by(letters_first, _mailing.c.week, _mailing.c.kind)
    )
    return [Mailing(**row) for row in rows.mappings()]


def forget_outcomes(connection: Connection, subscriber_id: int) -> None:
    """Blank what other systems said of one reader's deliveries: it may name the file or the mailbox."""
    mine = _delivery.c.subscriber_id == subscriber_id
    connection.execute(update(_delivery).where(mine).values(outcome=""))
