"""What follows for a reader and a delivery from what came back: one function, whatever brought the news.

    reply at RCPT | returned mail | provider's event | relay's log  ->  delivery  ->  consent event, or none

That a mailbox is no more, and a complaint, are events of the consent log like a withdrawal: there is no second list of
addresses. A failure that may pass ends a consent only after `IN_A_ROW` editions; one that is not the reader's, never.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from digest.delivery import store as deliveries
from digest.delivery.reasons import CONSEQUENCES, Reason
from digest.subscribers import store
from digest.subscribers.consent import LIVE, Consent, ConsentEvent

IN_A_ROW = 3
"""Editions that have to fail one after another before a failure that may pass ends a consent."""

_TELLS_NOTHING: tuple[Reason, ...] = ("temporary", "unreadable")  # it is under way, or it may be


class News(NamedTuple):
    """What became of a message to a reader after it was handed over.

    `how` is what told us, as the consent log is to name it; `said` is a line without any address. Without a
    `mailing_id` it is not known which message it is about.
    """

    what: Literal["delivered", "failed", "complained", "unsubscribed"]
    subscriber_id: int
    mailing_id: int | None
    how: str
    reason: Reason | None = None
    said: str = ""


def take(connection: Connection, news: News, now: datetime) -> bool:
    """Record news on its delivery and, if that follows, end the reader's consent; whether it did. Told twice, it
    changes nothing. Delivery first, then reader: every writer locks them in this order."""
    if news.what == "failed":
        return _fails(connection, news, _came_back(connection, news, now), now)
    if news.mailing_id is not None:
        where = (news.mailing_id, news.subscriber_id)
        deliveries.arrived(connection, *where, f"{news.how}: {news.what}", now)
    return news.what != "delivered" and _ends(connection, news, now)


def of_replies(connection: Connection, mailing_id: int, reasons: Mapping[int, Reason], now: datetime) -> None:
    """The same for what the relay itself said no to, by reader; those of deliveries that have not failed are left out.

    To be called after the deliveries are recorded, in the same transaction.
    """
    if reasons:
        for subscriber_id in sorted(deliveries.refused(connection, mailing_id, reasons)):
            news = News("failed", subscriber_id, mailing_id, "refused by the relay", reasons[subscriber_id])
            _fails(connection, news, None, now)


def _came_back(connection: Connection, news: News, now: datetime) -> datetime | None:
    """Record that a message came back, if it did; since when its delivery was as it was, if it is known."""
    if news.mailing_id is None or news.reason is None or news.reason in _TELLS_NOTHING:
        return None
    tried = deliveries.tried(connection, news.subscriber_id)
    where, said = (news.mailing_id, news.subscriber_id), f"{news.how}: {news.said or news.reason}"
    deliveries.came_back(connection, *where, news.reason, said, now)
    return next((one.changed_at for one in tried if one.mailing.id == news.mailing_id), None)


def _fails(connection: Connection, news: News, handed_over: datetime | None, now: datetime) -> bool:
    suppress = CONSEQUENCES[news.reason].suppress if news.reason else "never"
    if suppress == "never":
        return False
    reader = store.lock(connection, news.subscriber_id)
    if reader is None or reader.consent.state not in (LIVE, "requested"):
        return False
    since = _last_act(reader.consent)
    if handed_over is not None and since is not None and handed_over < since:
        return False  # the reader has come back since: this is about an earlier mail
    if suppress == "in_a_row" and not _in_a_row(connection, news.subscriber_id, since):
        return False
    store.append(connection, reader.id, ConsentEvent("bounced", now, news.how, detail=news.reason or ""))
    return True


def _last_act(consent: Consent) -> datetime | None:
    acts = [at for at in (consent.requested_at, consent.confirmed_at) if at is not None]
    return max(acts, default=None)


def _in_a_row(connection: Connection, subscriber_id: int, since: datetime | None) -> bool:
    """Whether the last editions to a reader all failed, for reasons that are the reader's, since they last acted."""
    editions = [one for one in deliveries.tried(connection, subscriber_id) if one.mailing.kind == "edition"]
    if since is not None:
        editions = [one for one in editions if one.mailing.queued_at >= since]
    last = editions[:IN_A_ROW]
    failed = (one.state == "failed" and one.reason and CONSEQUENCES[one.reason].suppress != "never" for one in last)
    return len(last) == IN_A_ROW and all(failed)


def _ends(connection: Connection, news: News, now: datetime) -> bool:
    reader = store.lock(connection, news.subscriber_id)
    if reader is None:
        return False
    state = reader.consent.state
    if news.what == "complained" and state not in ("complained", "erased"):
        store.append(connection, reader.id, ConsentEvent("complained", now, news.how))
        return True
    if news.what == "unsubscribed" and state in (LIVE, "requested"):
        store.append(connection, reader.id, ConsentEvent("withdrawn", now, news.how))
        return True
    return False
