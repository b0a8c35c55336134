"""Uncertain deliveries, settled: by a relay's log, a provider's events in a file, or a person's word.

A delivery is uncertain when the sender ended, or the connection broke, between the message's final dot and the relay's
answer. It is found again by its Message-ID, which is made from the mailing and the reader. What is nowhere told stays
uncertain, and is never sent again by itself.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Engine

from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery import store as deliveries
from digest.delivery.bounces import verp
from digest.delivery.consequences import News, take
from digest.delivery.message import message_number, sender_of
from digest.delivery.providers import mailgun, postmark, sendgrid, ses
from digest.delivery.providers.events import Event, PayloadError
from digest.delivery.reasons import Reason
from digest.delivery.reasons.codes import classify
from digest.delivery.redaction import redacted
from digest.subscribers import store

LOG = "relay's log"


class Uncertain(NamedTuple):
    """A delivery in doubt: which, to whom (by number), under which Message-ID, and since when."""

    id: int
    kind: str
    week: str
    mailing_id: int
    subscriber_id: int
    message_id: str
    since: datetime


class Told(NamedTuple):
    """What a log says became of one message."""

    what: Literal["delivered", "failed"]
    reason: Reason | None = None
    said: str = ""


def uncertain(engine: Engine, settings: Settings, week: str | None = None) -> list[Uncertain]:
    """Deliveries in doubt, of one week or (None) of all; the oldest first."""
    with reading(engine) as connection:
        found = deliveries.uncertain(connection, week)
    return [
        Uncertain(
            id=one.id,
            kind=one.mailing.kind,
            week=one.mailing.week,
            mailing_id=one.mailing.id,
            subscriber_id=one.subscriber_id,
            message_id=(
                f"{message_number(one.mailing, one.subscriber_id, settings)}"
                f"@{sender_of(one.mailing, settings).rpartition('@')[2]}"
            ),
            since=one.since,
        )
        for one in found
    ]


def addresses(engine: Engine, found: Collection[Uncertain]) -> dict[int, str]:
    """The readers' addresses by their numbers, without those who were erased."""
    with reading(engine) as connection:
        return {number: one.email for number, one in store.get(connection, {it.subscriber_id for it in found}).items()}


def by_log(engine: Engine, settings: Settings, lines: Iterable[str], found: Sequence[Uncertain], now: datetime) -> int:
    """Settle what a log tells of: Postfix's mail.log, or a provider's events as JSON, one a line; how many were.

    A message that Postfix took, also one that it still tries, is sent: what becomes of it later comes back as mail.
    """
    with writing(engine) as connection:
        keys = store.link_keys(connection, settings.links, now)
    told = read_log(lines, found, keys)
    settled = 0
    for one in found:
        if one.id in told:
            what, reason, said = told[one.id]
            with writing(engine) as connection:
                take(connection, News(what, one.subscriber_id, one.mailing_id, LOG, reason, said), now)
            settled += 1
    return settled


def by_word(engine: Engine, found: Sequence[Uncertain], word: Literal["sent", "not sent"], now: datetime) -> int:
    """Settle deliveries as a person says; how many were. One that is not sent is due again, with its Message-ID."""
    with writing(engine) as connection:
        if word == "not sent":
            return deliveries.again(connection, [one.id for one in found], now)
        where = ((one.mailing_id, one.subscriber_id) for one in found)
        return sum(deliveries.arrived(connection, *one, "sent, as a person says", now) for one in where)


# A relay's log

# Postfix names a message by its queue's id: 6 to 15 digits, or 52 letters and digits with `enable_long_queue_ids`.
_POSTFIX = re.compile(r"\bpostfix\S*/(\w+)\[\d+\]: ([0-9A-Za-z]{6,20}): (.*)", re.ASCII)
_MESSAGE_ID = re.compile(r"\bmessage-id=<([0-9a-f]{32})@", re.IGNORECASE)
_STATUS = re.compile(r"\bstatus=(\w+)")
_DSN = re.compile(r"\bdsn=([245]\.\d{1,3}\.\d{1,3})")
_MOST_READ = 64 * 1024  # characters of a line


def read_log(lines: Iterable[str], found: Sequence[Uncertain], keys: Sequence[bytes]) -> dict[int, Told]:
    """What the lines of a log say of these deliveries, by their ids. What it cannot read it passes over; pure."""
    numbers = {one.message_id.partition("@")[0]: one.id for one in found}
    tokens = {verp.Whose(one.mailing_id, one.subscriber_id): one.id for one in found}
    queued: dict[str, int] = {}
    told: dict[int, Told] = {}
    for line in lines:
        line = line[:_MOST_READ]
        if line.lstrip().startswith(("{", "[")):
            news = [(_whose(event, numbers, tokens), _of_event(event)) for event in _events(line, keys)]
        else:
            news = [_of_postfix(line, numbers, queued)]
        for id_, said in news:
            # Behind a filter a message passes the queue twice: a failure is what it came to in the end.
            if id_ is not None and said is not None and (id_ not in told or said.what == "failed"):
                told[id_] = said
    return told


def _of_postfix(line: str, numbers: Mapping[str, int], queued: dict[str, int]) -> tuple[int | None, Told | None]:
    """What a line says of a message that is looked for; keeps in `queued` which message is under which id."""
    found = _POSTFIX.search(line)
    if found is None:
        return None, None
    program, queue_id, rest = found.groups()
    if named := _MESSAGE_ID.search(rest):
        queued.pop(queue_id, None)  # ids are used again
        if (id_ := numbers.get(named[1].lower())) is not None:
            queued[queue_id] = id_
        return None, None
    if "message-id=" in rest:
        queued.pop(queue_id, None)
    id_ = queued.get(queue_id)
    status = _STATUS.search(rest)
    if id_ is None or (status is None and not (program == "qmgr" and "queue active" in rest)):
        return None, None  # cleanup names a message before it is whole: that alone says nothing
    if status is None or status[1] in ("sent", "deferred", "delivered", "relayed", "expanded"):
        return id_, Told("delivered")
    if status[1] not in ("bounced", "expired", "undeliverable"):
        return None, None
    words = rest[status.end() :].strip(" ,()")
    dsn = _DSN.search(rest)
    reason: Reason = "unreachable" if status[1] == "expired" else classify(dsn[1] if dsn else "", 0, words)
    recipient = re.search(r"\bto=<([^>]*)>", rest)
    return id_, Told("failed", reason, redacted(words, [recipient[1]] if recipient else []))


def _events(line: str, keys: Sequence[bytes]) -> tuple[Event, ...]:
    """The events of a line of JSON, as one of the providers writes them to its webhooks or its log."""
    try:
        record: Any = json.loads(line)
        records = record if isinstance(record, list) else [record]
        return tuple(event for one in records if isinstance(one, dict) for event in _events_of(one, keys))
    except (PayloadError, ValueError, RecursionError):
        return ()


def _events_of(record: dict[str, Any], keys: Sequence[bytes]) -> tuple[Event, ...]:
    if "RecordType" in record:
        return postmark.read(record, keys)
    if "sg_event_id" in record:
        return sendgrid.read([record], keys)
    if isinstance(message := record.get("Message"), str):
        return ses.read(message, keys)
    if "notificationType" in record or "eventType" in record:
        return ses.read(record, keys)
    data = record.get("event-data", record)
    return mailgun.read(data, keys) if isinstance(data, dict) else ()


def _whose(event: Event, numbers: Mapping[str, int], tokens: Mapping[verp.Whose, int]) -> int | None:
    if event.whose is not None:
        return tokens.get(event.whose)
    return numbers.get(event.message_id.partition("@")[0].lower())


def _of_event(event: Event) -> Told | None:
    match event.kind:
        case "bounced":
            return Told("failed", event.reason, event.said)
        case _:  # who complains or leaves has it, and what is put off the provider has
            return Told("delivered")
