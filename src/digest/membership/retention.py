"""What is kept no longer than it is wanted: requests that nobody confirmed, consents that lapsed."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal, NamedTuple

from sqlalchemy import Connection, Engine

from digest.config.settings import Settings
from digest.database import reading, writing
from digest.membership import leaving
from digest.membership.signing_up import A_WHILE
from digest.subscribers import store
from digest.subscribers.consent import LIVE, ConsentEvent

UNCONFIRMED = A_WHILE
"""So long a request is kept that nobody confirms: who forgot it sooner could not tell that an address was asked often
enough, and a stranger who never confirms would be written to again and again."""

LAPSED = timedelta(days=30)
"""So long the address of a lapsed consent is kept: the link that renews it still works."""

_METHOD = "nightly clearing"
_AT_ONCE = 200  # readers in one transaction


class Expired(NamedTuple):
    """What an expiry did: requests forgotten, consents that lapsed, addresses erased after that."""

    requests: int
    lapsed: int
    erased: int


def expire(engine: Engine, settings: Settings, now: datetime) -> Expired:
    """End what nobody confirmed or renewed in time, and erase the addresses that nobody will need.

    Someone who never agreed to anything leaves a log without a name; of others a keyed hash stays, so that no import
    brings them back and their proof is found. Run again, it finds nothing.
    """
    with writing(engine) as connection:
        keys = store.link_keys(connection, settings.links, now)
    with reading(engine) as connection:
        ended = store.overdue(connection, now, now - UNCONFIRMED)
        due = iter([*ended, *store.expired_before(connection, now - LAPSED)])
    counted: Counter[str | None] = Counter()
    while chunk := list(islice(due, _AT_ONCE)):
        with writing(engine) as connection:
            counted.update(_expire(connection, number, keys, now) for number in chunk)
    return Expired(counted["request"], counted["lapsed"], counted["erased"])


def _expire(
    connection: Connection, number: int, keys: Sequence[bytes], now: datetime
) -> Literal["request", "lapsed", "erased"] | None:
    """End one reader's request or consent, or erase them; None where they have come back meanwhile."""
    reader = store.lock(connection, number)
    if reader is None:
        return None
    consent = reader.consent
    if consent.state == "requested" and consent.requested_at and consent.requested_at < now - UNCONFIRMED:
        store.append(connection, number, ConsentEvent("expired", now, _METHOD))
        if consent.confirmed_at is None and consent.withdrawn_at is None:
            store.discard(connection, number)
        return "request"
    if consent.state == "withdrawn" and consent.confirmed_at is None:
        leaving.erase(connection, number, ConsentEvent("erased", now, _METHOD), keys)
        return "request"
    if consent.state == LIVE and consent.reconfirm_by and consent.reconfirm_by <= now:
        store.append(connection, number, ConsentEvent("expired", now, _METHOD))
        return "lapsed"
    if consent.state == "expired":
        leaving.erase(connection, number, ConsentEvent("erased", now, _METHOD), keys)
        return "erased"
    return None
