"""How far mailings have come, counted, and how far one would: nothing here changes a delivery."""

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from sqlalchemy import Connection, case, func, select

import digest.delivery.tables  # noqa: F401 (the import registers the tables)
from digest.database import metadata
from digest.delivery.audience import audience
from digest.delivery.outbox import TOO_LATE, State, find
from digest.subscribers.consent import LIVE
from digest.subscribers.routing import Outgoing

_mailing = metadata.tables["mailing"]
_delivery = metadata.tables["delivery"]
_subscriber = metadata.tables["subscriber"]


def tally(connection: Connection, mailing_id: int) -> dict[State, int]:
    """How many deliveries are in each state, every state named. They add up to the mailing's audience."""
    counted: dict[State, int] = dict.fromkeys(get_args(State), 0)
    states = (
        select(_delivery.c.state, func.count()).where(_delivery.c.mailing_id == mailing_id).group_by(_delivery.c.state)
    )
    counted.update(tuple(row) for row in connection.execute(states))
    return counted


def count_too_late(connection: Connection, since: datetime) -> dict[str, int]:
    """Of the editions queued since a moment, how many deliveries nobody tried to make in time: by week, the oldest
    first."""
    late = (_delivery.c.state == "skipped", _delivery.c.outcome == TOO_LATE)
    queued = (_mailing.c.kind == "edition", _mailing.c.queued_at >= since)
    joined = select(_mailing.c.week, func.count()).join_from(
        _mailing, _delivery, _delivery.c.mailing_id == _mailing.c.id
    )
    found = joined.where(*queued, *late).group_by(_mailing.c.week).order_by(_mailing.c.week)
    return {row[0]: row[1] for row in connection.execute(found)}


def count_sent(connection: Connection, since: datetime) -> int:
    """How many deliveries of the mailings queued since a moment were made."""
    queued = select(_mailing.c.id).where(_mailing.c.queued_at >= since)
    made = (_delivery.c.mailing_id.in_(queued), _delivery.c.state == "sent")
    return connection.scalar(select(func.count()).select_from(_delivery).where(*made)) or 0


def changed_at(connection: Connection, mailing_id: int) -> datetime | None:
    """When anything last became of a delivery that is over."""
    over = (_delivery.c.mailing_id == mailing_id, _delivery.c.state.in_(("sent", "failed", "uncertain", "deferred")))
    last = connection.scalar(select(func.max(_delivery.c.changed_at)).where(*over))
    return last or connection.scalar(select(_mailing.c.queued_at).where(_mailing.c.id == mailing_id))


def forecast(connection: Connection, edition: Outgoing, now: datetime) -> dict[tuple[State, str], int]:
    """How many readers an edition would go to if it was queued now, be held for, or skip: by state and reason."""
    who = audience(connection, edition, now).subquery()
    counted = select(who.c.state, who.c.outcome, func.count()).group_by(who.c.state, who.c.outcome)
    return {(row[0], row[1]): row[2] for row in connection.execute(counted.order_by(who.c.state, who.c.outcome))}


def forecast_by_region(connection: Connection, edition: Outgoing, now: datetime) -> dict[tuple[str, State, str], int]:
    """The same by the regime whose rules apply to the readers: by regime, state and reason. Of an edition that was
    queued it is how its deliveries stand; readers who were erased since stand under no regime."""
    mailing = find(connection, edition.week)
    if mailing is None:
        who = audience(connection, edition, now, _subscriber.c.regime).subquery()
    else:
        said = case((_delivery.c.state.in_(("held", "skipped")), _delivery.c.outcome), else_="")
        regime = func.coalesce(_subscriber.c.regime, "")
        columns = (regime.label("regime"), _delivery.c.state, said.label("outcome"))
        readers = _delivery.outerjoin(_subscriber, _subscriber.c.id == _delivery.c.subscriber_id)
        who = select(*columns).select_from(readers).where(_delivery.c.mailing_id == mailing.id).subquery()
    groups = (who.c.regime, who.c.state, who.c.outcome)
    found = connection.execute(select(*groups, func.count()).group_by(*groups).order_by(*groups))
    return {(row[0], row[1], row[2]): row[3] for row in found}


def count_audience(connection: Connection) -> int:
    """How many readers a mailing that was queued now would be queued for, those held or skipped among them."""
    return connection.scalar(select(func.count()).select_from(_subscriber).where(_subscriber.c.state == LIVE)) or 0


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of one mailing for one reader."""

    kind: str
    week: str
    state: State
    outcome: str
    next_attempt_at: datetime | None
    changed_at: datetime


def deliveries_to(connection: Connection, subscriber_id: int) -> list[Delivered]:
    """All mailings that were queued for one reader, the oldest first."""
    columns = (_mailing.c.kind, _mailing.c.week, _delivery.c.state, _delivery.c.outcome)
    moments = (_delivery.c.next_attempt_at, _delivery.c.changed_at)
    found = (
        select(*columns, *moments)
        .join_from(_delivery, _mailing, _mailing.c.id == _delivery.c.mailing_id)
        .where(_delivery.c.subscriber_id == subscriber_id)
        .order_by(_mailing.c.queued_at, _delivery.c.id)
    )
    return [Delivered(*row) for row in connection.execute(found)]
