"""Leaving: unsubscribing and its undo, being forgotten, and what is held about a reader."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from digest.database import reading, writing
from digest.delivery import counting, outbox
from digest.edition.renditions import TOPICS
from digest.language import N_
from digest.membership.choices import choices_of, whose
from digest.membership.signing_up import Result
from digest.subscribers import links, store
from digest.subscribers.consent import LIVE, WORDINGS, ConsentEvent, fold
from digest.subscribers.store import Subscriber

REASONS: Mapping[str, str] = {
    "often": N_("It comes too often"),
    "long": N_("It is too long"),
    "interest": N_("It is not about what I need"),
    "elsewhere": N_("I read it elsewhere"),
    "asked": N_("I did not ask for it"),
}
"""Why a reader leaves, in words of ours: a free text could hold anything."""

UNDO_DAYS = 30

LINK = "unsubscribe link"
ONE_CLICK = "one-click unsubscribe"


def unsubscribe(
    engine: Engine, token: str, keys: Sequence[bytes], now: datetime, reason: str = "", *, one_click: bool = False
) -> Result:
    """Withdraw by a mail's link, at once: "done", "already" or "unknown". A reason that is none of ours is dropped."""
    read = links.read(token, links.UNSUBSCRIBE, keys, now)
    if read is None:
        return "unknown"
    with writing(engine) as connection:
        reader = store.lock(connection, read.subscriber_id)
        if reader is None or reader.consent.state in ("withdrawn", "complained"):
            return "already"  # an erased reader has nothing to withdraw
        detail = reason if reason in REASONS else ""
        event = ConsentEvent("withdrawn", now, ONE_CLICK if one_click else LINK, detail=detail)
        store.append(connection, reader.id, event)
    return "done"


def undo(engine: Engine, token: str, keys: Sequence[bytes], now: datetime) -> Result:
    """Take back a withdrawal that the same link made in the last 30 days."""
    read = links.read(token, links.UNSUBSCRIBE, keys, now)
    if read is None:
        return "unknown"
    with writing(engine) as connection:
        reader = store.lock(connection, read.subscriber_id)
        if reader is None:
            return "expired"
        if reader.consent.state == LIVE:
            return "already"
        consent = _before_leaving(connection, reader, now)
        if consent is None:
            return "expired"
        store.append(connection, reader.id, consent)
        paused = _pause_before_leaving(connection, reader.id, now)
        if paused is not None:
            store.append(connection, reader.id, ConsentEvent("paused", now, consent.method, until=paused))
    return "done"


def _pause_before_leaving(connection: Connection, subscriber_id: int, now: datetime) -> datetime | None:
    """The end of the pause that stood before the reader left, if it is still to come."""
    events = [link.event for link in store.log(connection, subscriber_id)]
    left = max(place for place, event in enumerate(events) if event.kind == "withdrawn")
    until = fold(events[:left]).paused_until
    return until if until is not None and until > now else None


def _before_leaving(connection: Connection, reader: Subscriber, now: datetime) -> ConsentEvent | None:
    """The consent that a withdrawal ended, as it is given again; None where it cannot be taken back.

    What was never confirmed cannot be, nor what somebody else ended, nor what lapsed meanwhile.
    """
    events = [link.event for link in store.log(connection, reader.id)]
    while len(events) > 1 and events[-1].kind == "requested":  # what a stranger typed since takes nothing away
        events.pop()
    left, before = events[-1], fold(events[:-1])
    own = left.kind == "withdrawn" and left.method in (LINK, ONE_CLICK)
    lapsed = before.reconfirm_by is not None and before.reconfirm_by <= now
    if not own or before.state != LIVE or lapsed or now - left.at > timedelta(days=UNDO_DAYS):
        return None
    agreed = next(event for event in reversed(events) if event.kind == "confirmed")
    return ConsentEvent(
        kind="confirmed",
        at=now,
        method="undo of unsubscribing",
        wording=agreed.wording,
        wording_hash=agreed.wording_hash,
        country=before.country,
        derived=before.derived,
        regime=before.regime,
        regime_version=agreed.regime_version,
        until=before.reconfirm_by,
    )


def my_data(engine: Engine, token: str, keys: Sequence[bytes], now: datetime) -> dict[str, Any] | Result:
    """All that is held about the reader whom a my-data token names, fit for JSON."""
    with reading(engine) as connection:
        reader = whose(connection, token, "my-data", keys, now)
        return data_of(connection, reader) if isinstance(reader, Subscriber) else reader


def data_of(connection: Connection, reader: Subscriber) -> dict[str, Any]:
    """All that is held about a reader, the consent log as the proof of consent in it, fit for JSON."""
    choices = choices_of(reader)
    return {
        "email": reader.email,
        "consent": _plain(asdict(reader.consent)),
        "choices": {
            "topics": [TOPICS[topic] for topic in choices.topics or TOPICS],
            "watch_list": reader.watch.model_dump(mode="json", exclude_defaults=True),
            "locale": choices.locale,
            "format": choices.format,
            "quiet_weeks": choices.quiet_weeks,
        },
        "proof": proof_of(connection, reader.id),
        "deliveries": [_plain(asdict(one)) for one in counting.deliveries_to(connection, reader.id)],
    }


def proof_of(connection: Connection, subscriber_id: int) -> list[dict[str, Any]]:
    """A consent log for a reader or a regulator: each event with the words that were agreed to, and its hash."""
    return [
        {
            "number": link.number,
            **_plain({name: value for name, value in asdict(link.event).items() if value not in (None, "")}),
            **({"wording_text": WORDINGS[link.event.wording]} if link.event.wording in WORDINGS else {}),
            "hash": link.hash,
        }
        for link in store.log(connection, subscriber_id)
    ]


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in facts.items()}


def erase(connection: Connection, subscriber_id: int, event: ConsentEvent, keys: Sequence[bytes]) -> None:
    """Forget a reader: the address and choices go, and what other systems said of their deliveries; the log of a
    number, a keyed hash of the address, and that so many mails went to that number stay."""
    store.erase(connection, subscriber_id, event, keys)
    outbox.forget_outcomes(connection, subscriber_id)


def knows_forget(engine: Engine, token: str, keys: Sequence[bytes], now: datetime) -> Result:
    """What forgetting by this token would come to now; changes nothing."""
    with reading(engine) as connection:
        reader = whose(connection, token, "forget", keys, now)
    return "done" if isinstance(reader, Subscriber) else _gone(token, keys, now, reader)


def _gone(token: str, keys: Sequence[bytes], now: datetime, result: Result) -> Result:
    """A link whose time is not over and whose reader is not there any more has done its work."""
    read = links.read(token, "forget", keys, now)
    return "already" if read is not None and not read.expired else result


def forget(engine: Engine, token: str, keys: Sequence[bytes], now: datetime) -> Result:
    """Erase the reader whom a forget token names: the address goes, a keyed hash and the consent log stay."""
    with writing(engine) as connection:
        reader = whose(connection, token, "forget", keys, now, acting=True)
        if not isinstance(reader, Subscriber):
            return _gone(token, keys, now, reader)
        erase(connection, reader.id, ConsentEvent("erased", now, "the reader's own wish"), keys)
    return "done"
