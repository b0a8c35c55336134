"""Deliveries that were made, so that something can come back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Engine, update
from tests.outgoing import some_outgoing

from digest.database import metadata, reading, writing
from digest.delivery import outbox
from digest.delivery.outbox import Mailing
from digest.subscribers import store
from digest.subscribers.consent import Consent

_delivery = metadata.tables["delivery"]


def mailed(engine: Engine, week: str, at: datetime, state: str = "sent", **values: Any) -> Mailing:
    """An edition that was queued to everyone whose consent lives, each delivery in one state since a moment."""
    with writing(engine) as connection:
        mailing = outbox.queue(connection, some_outgoing(week), "hash", at)
        own = _delivery.c.mailing_id == mailing.id
        connection.execute(update(_delivery).where(own).values(state=state, changed_at=at, **values))
    return mailing


def settle(engine: Engine, mailing: Mailing, reader: int, **values: Any) -> None:
    own = (_delivery.c.mailing_id == mailing.id, _delivery.c.subscriber_id == reader)
    with writing(engine) as connection:
        connection.execute(update(_delivery).where(*own).values(**values))


def delivery(engine: Engine, mailing: Mailing, reader: int) -> dict[str, Any]:
    own = (_delivery.c.mailing_id == mailing.id, _delivery.c.subscriber_id == reader)
    with reading(engine) as connection:
        return dict(connection.execute(_delivery.select().where(*own)).mappings().one())


def consent(engine: Engine, reader: int) -> Consent:
    with reading(engine) as connection:
        found = store.one(connection, reader)
    assert found is not None
    return found.consent


def events(engine: Engine, reader: int) -> Sequence[tuple[str, str, str]]:
    """Kind, method and detail of a reader's consent events after the first."""
    with reading(engine) as connection:
        log = store.log(connection, reader)
    return [cast(tuple[str, str, str], (it.event.kind, it.event.method, it.event.detail)) for it in log[1:]]
