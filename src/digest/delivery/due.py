"""Which deliveries a claim takes: those that are due, past the readers of providers that have no room now."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    String,
    and_,
    column,
    exists,
    func,
    literal,
    select,
    union_all,
    values,
)
from sqlalchemy.sql import literal_column

import digest.delivery.tables  # noqa: F401 (the import registers the tables)
from digest.database import metadata
from digest.delivery import pacing

_delivery = metadata.tables["delivery"]
_mailing = metadata.tables["mailing"]
_restored = metadata.tables["restored"]

ON_HOLD = exists(select(_restored.c.id).correlate(None))
"""Whether this database is a restored copy that no person has accepted yet."""

# Spelt out, for SQLite takes a partial index only where it reads its condition.
_PENDING = _delivery.c.state == literal_column("'pending'")


def provider_column(email_key: ColumnElement[str], dialect: str) -> ColumnElement[str]:
    """The provider of an address for the delivery's column: its name where it has several domains, else nothing.

    Looked up rather than compared with each: for SQLite that is six times as fast.
    """
    if dialect == "postgresql":
        domain: ColumnElement[str] = func.split_part(email_key, "@", 2)
    else:
        domain = func.substr(email_key, func.instr(email_key, "@") + 1)
    pairs = [(domain, name) for name, domains in pacing.providers().items() for domain in domains]
    known = values(column("domain", String), column("provider", String)).data(pairs).cte("known_domain")
    return func.coalesce(select(known.c.provider).where(known.c.domain == domain).scalar_subquery(), "")


def due(
    mailing_id: BindParameter[int], now: BindParameter[datetime], limit: BindParameter[int], rooms: Mapping[str, int]
) -> Select[tuple[int]]:
    """The ids of up to `limit` deliveries: first those whose time has come, then new ones, the oldest first.

    `rooms` says how many of each limited provider's new ones may be among them. Their readers are passed over by an
    index seek for each provider, so a provider that is closed for hours costs nothing. Nothing is due of a mailing that
    is paused or aborted, or in a restored copy that waits for a person. Rows that another transaction has locked are
    passed over.
    """
    going = select(_mailing.c.id).where(_mailing.c.id == mailing_id, _mailing.c.control == "going").exists()
    mine = and_(_delivery.c.mailing_id == mailing_id, going, ~ON_HOLD)
    come = and_(_delivery.c.next_attempt_at <= now, _delivery.c.state.in_(("deferred", "held")))
    again = _locked(select(_delivery.c.id).where(mine, come).order_by(_delivery.c.next_attempt_at), limit)
    new = select(_delivery.c.id).where(mine, _PENDING).order_by(_delivery.c.id)
    if not rooms:
        parts = [again, _locked(new, limit)]
    else:
        lanes: dict[str, int | BindParameter[int]] = dict.fromkeys(("", *pacing.providers()), limit) | dict(rooms)
        seeks = [_locked(new.where(_delivery.c.provider == name), room) for name, room in lanes.items() if room != 0]
        mixed = union_all(*seeks).subquery()
        parts = [again, select(mixed.c.id).order_by(mixed.c.id).limit(limit)]
    found = union_all(*(select(part.subquery().c.id) for part in parts)).subquery()
    return select(found.c.id).limit(limit)


def _locked(chosen: Select[Any], limit: int | BindParameter[int]) -> Select[Any]:
    inner = chosen.limit(limit).with_for_update(skip_locked=True, of=_delivery).subquery()
    return select(inner.c.id)


def waiting(connection: Connection, mailing_id: int, providers: Collection[str]) -> bool:
    """Whether a new delivery to one of these providers waits; to anybody, if the relay is among them."""
    mine = and_(_delivery.c.mailing_id == mailing_id, _PENDING)
    if pacing.RELAY not in providers:
        mine = and_(mine, _delivery.c.provider.in_(providers))
    return connection.execute(select(literal(1)).where(mine).limit(1)).first() is not None


def any_due(connection: Connection, mailing_id: int, now: datetime) -> bool:
    """Whether a sender would find anything to do: new, come to its time, or with a lease that has ended."""
    come = and_(_delivery.c.next_attempt_at <= now, _delivery.c.state.in_(("deferred", "held")))
    left = and_(_delivery.c.claimed_until <= now, _delivery.c.state.in_(("claimed", "dot")))
    mine = select(literal(1)).where(_delivery.c.mailing_id == mailing_id, ~ON_HOLD).limit(1)
    return any(connection.execute(mine.where(which)).first() is not None for which in (_PENDING, come, left))
