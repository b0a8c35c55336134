"""A person's word on a mailing: pause, resume, abort. Every sender heeds it at its next batch."""

from datetime import datetime

from sqlalchemy import Connection, and_, select, update

import digest.delivery.tables  # noqa: F401 (the import registers the tables)
from digest.database import metadata
from digest.delivery.outbox import Control, Mailing
from digest.errors import DeliveryError

_mailing = metadata.tables["mailing"]
_delivery = metadata.tables["delivery"]


def pause(connection: Connection, mailing: Mailing) -> None:
    """Hand nothing over any more until it is resumed. Raises DeliveryError where it was aborted."""
    _set(connection, mailing, "paused")


def resume(connection: Connection, mailing: Mailing) -> None:
    """Let a paused mailing go on. Raises DeliveryError where it was aborted: who was skipped stays skipped."""
    _set(connection, mailing, "going")


def abort(connection: Connection, mailing: Mailing, now: datetime) -> None:
    """End a mailing for good: whatever is not handed over yet is skipped as aborted."""
    connection.execute(update(_mailing).where(_mailing.c.id == mailing.id).values(control="aborted"))
    sweep(connection, mailing.id, now)


def sweep(connection: Connection, mailing_id: int, now: datetime) -> int:
    """Skip what waits of an aborted mailing, what a sender has claimed included: it will not get past the dot. How many
    there were; none of a mailing that was not aborted."""
    aborted = select(_mailing.c.id).where(_mailing.c.id == mailing_id, _mailing.c.control == "aborted").exists()
    waits = and_(
        _delivery.c.mailing_id == mailing_id, _delivery.c.state.in_(("held", "pending", "deferred", "claimed"))
    )
    values = {"state": "skipped", "outcome": "aborted", "next_attempt_at": None, "claimed_until": None}
    return connection.execute(update(_delivery).where(aborted, waits).values({**values, "changed_at": now})).rowcount


def _set(connection: Connection, mailing: Mailing, control: Control) -> None:
    mine = and_(_mailing.c.id == mailing.id, _mailing.c.control != "aborted")
    if not connection.execute(update(_mailing).where(mine).values(control=control)).rowcount:
        raise DeliveryError(f"the mailing of {mailing.week} was aborted; that cannot be undone.")
