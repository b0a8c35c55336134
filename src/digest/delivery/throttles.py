"""How providers stand, in the database, where all senders see it. The rules are those of `pacing`."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

import digest.delivery.tables  # noqa: F401 (the import registers the tables)
from digest.config.sections import Delivery
from digest.database import metadata
from digest.delivery import pacing
from digest.delivery.due import waiting
from digest.delivery.pacing import RELAY, Throttle

_throttle = metadata.tables["throttle"]
_delivery = metadata.tables["delivery"]

_NAMES = tuple(one.name for one in fields(Throttle))

Throttles = Mapping[str, Throttle]
"""What limits whom, by provider; who is not in it is sent to at any speed."""


def read(connection: Connection) -> dict[str, Throttle]:
    """How everybody stands who was ever limited and is not forgotten yet."""
    return {row.provider: Throttle(**row._mapping) for row in connection.execute(_columns())}


def hold(connection: Connection, budget: Delivery, now: datetime, answered: Collection[str]) -> dict[str, Throttle]:
    """The same, to be changed in this transaction: what it may change is locked until it ends, in one order for all.

    Those are the relay, where a rate or a plan bounds all senders together; the providers that the claim looks up by
    name; and those that have just `answered`. Of other domains see `lock_some`.
    """
    known = read(connection)
    if budget.per_second is not None or budget.warm_up:
        known.setdefault(RELAY, Throttle(RELAY, now))
    shared = {name for name in known if name == RELAY or name in pacing.providers()} | set(answered) & known.keys()
    if shared and connection.dialect.name == "postgresql":
        locked = connection.execute(
            _columns().where(_throttle.c.provider.in_(shared)).order_by(_throttle.c.provider).with_for_update()
        )
        known |= {row.provider: Throttle(**row._mapping) for row in locked}
    return known


def lock_some(connection: Connection, names: Collection[str]) -> set[str]:
    """Those of the domains that no other sender is changing at this moment; they are locked until this one is done."""
    if connection.dialect.name != "postgresql":
        return set(names)
    free = select(_throttle.c.provider).where(_throttle.c.provider.in_(names)).with_for_update(skip_locked=True)
    return set(connection.scalars(free))


def save(connection: Connection, before: Throttles, after: Throttles, now: datetime) -> None:
    """Store what changed, and forget who recovered."""
    kept = {name: one for name, one in after.items() if pacing.is_limited(one, now) or name == RELAY}
    gone = [name for name in before if name not in kept]
    if gone:
        connection.execute(delete(_throttle).where(_throttle.c.provider.in_(gone)))
    changed = sorted((name for name, one in kept.items() if before.get(name) != one))
    if changed:
        insert = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(_throttle)
        news = {name: insert.excluded[name] for name in _NAMES if name != "provider"}
        upsert = insert.on_conflict_do_update(index_elements=["provider"], set_=news)
        connection.execute(upsert, [asdict(kept[name]) for name in changed])


def left_of_plan(
    connection: Connection, mailing_id: int, relay: Throttle, budget: Delivery, now: datetime
) -> int | None:
    """How many more messages the warm-up plan allows today; None where no plan bounds us (any more)."""
    allowed = pacing.allowed_today(budget.warm_up, relay.plan_since or now.date(), now)
    if allowed is None:
        return None
    claimed = select(func.count()).where(_delivery.c.mailing_id == mailing_id, _delivery.c.state == "claimed")
    handed = relay.handed if relay.handed_on == now.date() else 0
    return max(0, allowed - handed - (connection.scalar(claimed) or 0))


def count_handed(throttles: dict[str, Throttle], budget: Delivery, count: int, now: datetime) -> None:
    """Count messages that are about to be handed over against the warm-up plan's day."""
    relay = throttles.get(RELAY)
    if relay is None or not budget.warm_up or not count:
        return
    before = relay.handed if relay.handed_on == now.date() else 0
    throttles[RELAY] = replace(
        relay, plan_since=relay.plan_since or now.date(), handed_on=now.date(), handed=before + count
    )


class Paces:
    """How many messages each provider may get in one claim, counted down while its rows are routed."""

    def __init__(
        self, standing: dict[str, Throttle], now: datetime, probe: timedelta, per_second: float | None
    ) -> None:
        self.standing = standing
        self._now, self._probe, self._per_second = now, probe, per_second
        self._free: set[str] | None = None

    def _ceiling(self, provider: str) -> float | None:
        return self._per_second if provider == RELAY else None

    def room(self, provider: str, most: int) -> int:
        known = self.standing.get(provider)
        return most if known is None else pacing.room(known, self._now, most, self._ceiling(provider))

    def rooms(self, most: int) -> dict[str, int]:
        """The rooms of those that the outbox knows by name and that are limited."""
        named = [name for name in self.standing if name in pacing.providers()]
        return {name: self.room(name, most) for name in named if pacing.is_limited(self.standing[name], self._now)}

    def spend(self, provider: str, count: int) -> None:
        known = self.standing.get(provider)
        if known is not None:
            self.standing[provider] = pacing.spend(known, self._now, count, self._probe, self._ceiling(provider))

    def takes(self, connection: Connection, provider: str) -> bool:
        """Whether one more may go to a provider; then it is counted."""
        if provider not in pacing.providers():
            if self._free is None:
                self._free = lock_some(connection, [name for name in self.standing if name != RELAY])
            if provider not in self._free:
                return False
        if not self.room(provider, 1):
            return False
        self.spend(provider, 1)
        return True

    def next_room(self, provider: str, number: int) -> datetime:
        """When to look again at a delivery that had to wait, spread over a minute."""
        return pacing.opens_at(self.standing[provider], self._now) + timedelta(seconds=1 + number % 60)

    def again_at(self, connection: Connection, mailing_id: int) -> datetime | None:
        """When there is room again for what waits only for the rate at which it is sent."""
        full = [
            name
            for name, one in self.standing.items()
            if (name == RELAY or name in pacing.providers()) and not pacing.is_closed(one, self._now)
        ]
        full = [name for name in full if not self.room(name, 1)]
        if not full or not waiting(connection, mailing_id, full):
            return None
        return min(pacing.opens_at(self.standing[name], self._now) for name in full)


@cache
def _columns() -> Select[tuple[Any, ...]]:
    return select(*(_throttle.c[name] for name in _NAMES))
