"""What came back, taken in: returned mail and providers' events change deliveries and consents; a person may undo it.

mail -> read_returned -> whose it is -> consequences          each in one transaction, once
events -> whose they are -> consequences
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, Engine

from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery import store as deliveries
from digest.delivery.bounces.mailbox import waiting
from digest.delivery.bounces.returned import Returned, read_returned
from digest.delivery.consequences import News, take
from digest.delivery.message import message_number
from digest.delivery.providers.events import REMEMBERED, Event, Verified, new
from digest.delivery.reasons import Reason
from digest.delivery.store import Came
from digest.errors import DeliveryError, UsageError
from digest.membership.addresses import email_key
from digest.membership.listing import nobody
from digest.subscribers import store
from digest.subscribers.consent import LIVE, ConsentEvent, fold

MAIL = "returned mail"

_PERSON: tuple[Came, ...] = ("unproven", "unreadable")  # kept for a person to look at
_NO_BOUNCES: Mapping[Reason | None, Came] = {"unreadable": "unreadable", "temporary": "late"}
_TAKEN_BACK = "taken back by the operator"


def take_mail(engine: Engine, settings: Settings, now: datetime) -> dict[Came, int]:
    """Take in the mail that has come back; how many of each kind. A mail is marked as read once its effect is stored.

    Raises DeliveryError where the mailbox cannot be read, StorageError where the database cannot be written: what is
    left waits for the next time.
    """
    counted: Counter[Came] = Counter()
    with writing(engine) as connection:
        keys = store.link_keys(connection, settings.links, now)
        deliveries.forget_seen(connection, now)
    with closing(waiting(settings.bounces)) as mails:
        for mail in mails:
            returned = read_returned(mail.raw, keys, now)
            with writing(engine) as connection:
                came = _take_mail(connection, settings, mail.raw, returned, now)
            mail.settle(came in _PERSON)
            if came is not None:
                counted[came] += 1
    return dict(counted)


def take_mail_if_it_can(engine: Engine, settings: Settings, now: datetime, complain: Callable[[str], object]) -> None:
    """The same beside other work, which a mailbox that cannot be read does not hold up: `complain` is told why."""
    try:
        take_mail(engine, settings, now)
    except DeliveryError as error:
        complain(str(error))


def _take_mail(
    connection: Connection, settings: Settings, raw: bytes, returned: Returned, now: datetime
) -> Came | None:
    """Take in one mail; as what it counts, None for one that was taken in before."""
    if deliveries.seen(connection, f"mail:{sha256(raw).hexdigest()}", now + REMEMBERED):
        return None
    mailing_id, subscriber_id = returned.mailing_id, returned.subscriber_id
    if returned.message_id and mailing_id is None:
        mailing_id, subscriber_id = _by_message_id(
            connection, settings, returned.message_id, returned.addresses, subscriber_id
        )
    came = _came(returned, proven=subscriber_id is not None)
    if subscriber_id is not None and came in ("bounced", "complained", "delivered"):
        what = {"bounced": "failed", "complained": "complained", "delivered": "delivered"}[came]
        news = News(what, subscriber_id, mailing_id, MAIL, returned.reason, returned.said)  # type: ignore[arg-type]
        take(connection, news, now)
    deliveries.count(connection, now.date(), {came: 1})
    return came


def _came(returned: Returned, *, proven: bool) -> Came:
    match returned.kind:
        case "auto_reply":
            return "automatic"
        case "unknown":
            return "unreadable"
        case _ if not proven:
            return "unproven"
        case "complaint":
            return "complained"
        case "delivered":
            return "delivered"
        case "hard" | "soft":
            return (
                "unreadable"
                if returned.reason == "unreadable"
                else "late"
                if returned.reason == "temporary"
                else "bounced"
            )


def _by_message_id(
    connection: Connection,
    settings: Settings,
    message_id: str,
    addresses: Sequence[str],
    subscriber_id: int | None,
) -> tuple[int | None, int | None]:
    """The mailing and the reader of a Message-ID of ours, looked for among the readers who are named.

    It proves what it names: it is made from a reader's random number, which only who has the mail knows.
    """
    named = [subscriber_id] if subscriber_id is not None else _readers(connection, addresses)
    number = message_id.partition("@")[0]
    for reader in named:
        for one in deliveries.tried(connection, reader):
            if message_number(one.mailing, reader, settings) == number:
                return one.mailing.id, reader
    return None, subscriber_id


def _readers(connection: Connection, addresses: Sequence[str]) -> list[int]:
    found = []
    for address in addresses[:5]:
        try:
            known = store.find(connection, email_key(address))
        except UsageError:
            continue
        found += [known.id] if known else []
    return found


def take_events(connection: Connection, settings: Settings, told: Verified, how: str, now: datetime) -> int:
    """Take in a provider's events, each once; how many were new. `how` names the provider in the consent log.

    Its signature proves them, so the reader's address is enough to know whose one is.
    """
    deliveries.forget_seen(connection, now)
    fresh = new(told, now, lambda name, until: deliveries.seen(connection, name, until))
    ordered = sorted(fresh, key=lambda event: event.address)  # two requests at once lock readers in one order
    counted = Counter(_take_event(connection, settings, event, how, now) for event in ordered)
    deliveries.count(connection, now.date(), counted)
    return len(fresh)


def _take_event(connection: Connection, settings: Settings, event: Event, how: str, now: datetime) -> Came:
    """Take in one event that is new; as what it counts."""
    if event.kind == "deferred":
        return "late"
    if event.whose is not None:
        mailing_id, subscriber_id = event.whose
    else:
        known = next(iter(_readers(connection, [event.address] if event.address else [])), None)
        if known is None:
            return "unproven"
        mailing_id, subscriber_id = None, known
        if event.message_id:
            mailing_id, _ = _by_message_id(connection, settings, event.message_id, (), known)
    what = "failed" if event.kind == "bounced" else event.kind
    take(connection, News(what, subscriber_id, mailing_id, how, event.reason, event.said), now)
    return event.kind


def undo(engine: Engine, email: str, now: datetime) -> bool:
    """Take back that a reader's mail came back or was reported as spam, at the operator's word.

    False where nothing of the kind ended a consent that stood. Raises UsageError for who is nobody.
    """
    with writing(engine) as connection:
        known = store.find(connection, email_key(email), acting=True)
        if known is None:
            raise nobody()
        return _undo(connection, known.id, now, ("bounced", "complained"))


def undo_since(engine: Engine, since: datetime, now: datetime) -> int:
    """Take back every bounce since a moment, such as the hour in which a large provider refused all its addresses; how
    many readers are back. Complaints stay."""
    with reading(engine) as connection:
        ended = store.ended_since(connection, "bounced", since)
    back = 0
    for number in ended:
        with writing(engine) as connection:
            back += _undo(connection, number, now, ("bounced",))
    return back


def _undo(connection: Connection, number: int, now: datetime, kinds: Sequence[str]) -> bool:
    """Give the consent again that a bounce or a complaint ended, word for word; nothing else that ended it."""
    reader = store.lock(connection, number)
    if reader is None or reader.consent.state not in kinds:
        return False
    events = [link.event for link in store.log(connection, number)]
    while events and events[-1].kind in ("bounced", "complained"):
        events.pop()
    before = fold(events)
    if before.state != LIVE or not before.lives(now):
        return False
    agreed = next(event for event in reversed(events) if event.kind == "confirmed")
    back = ConsentEvent(
        kind="confirmed",
        at=now,
        method=f"{reader.consent.state}: {_TAKEN_BACK}",
        wording=agreed.wording,
        wording_hash=agreed.wording_hash,
        country=before.country,
        derived=before.derived,
        regime=before.regime,
        regime_version=agreed.regime_version,
        until=before.reconfirm_by,
    )
    store.append(connection, number, back)
    if before.paused_until is not None and before.paused_until > now:
        store.append(connection, number, ConsentEvent("paused", now, back.method, until=before.paused_until))
    return True


def facts(counted: Mapping[Came, int]) -> dict[str, int]:
    """Every kind with its count."""
    kinds: tuple[Came, ...] = ("bounced", "complained", "unsubscribed", "delivered", "late", "automatic", *_PERSON)
    return {kind: counted.get(kind, 0) for kind in kinds}
