"""What SQL selects for all readers at once is what routing says of each."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert
from tests.outgoing import some_outgoing

from digest.database import metadata, writing
from digest.delivery import outbox
from digest.delivery.audience import audience
from digest.edition.renditions import TOPICS
from digest.edition.watch_facts import WatchList
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent, Kind
from digest.subscribers.regimes import packaged_regimes
from digest.subscribers.routing import Deliver, Hold, Outgoing, Route, route
from digest.subscribers.store import Newcomer

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
READERS = 10_000
MODELS = [f"model-{number}" for number in range(12)]
ENDINGS: tuple[Kind, ...] = ("withdrawn", "complained", "bounced", "expired")
DAY = timedelta(days=1)

EDITIONS = {
    "news": some_outgoing(),
    "quiet": some_outgoing(quiet=True, stirred=frozenset({"model model-3", "model model-7", "need coding"})),
    "nothing at all": some_outgoing(quiet=True),
    "by day only": some_outgoing(from_hour=8, until_hour=18, quiet=True, stirred=frozenset({"model model-1"})),
    "nearly over": some_outgoing(from_hour=9, until_hour=10, closes_at=NOW + timedelta(hours=8)),
    "over": some_outgoing(from_hour=10, closes_at=NOW - DAY),
}


@pytest.fixture
def readers(engine: Engine) -> None:
    """Ten thousand readers of whom anything may be true."""
    chance = random.Random(20260504)
    with writing(engine) as connection:
        for start in range(0, READERS, 1000):
            newcomers = [_newcomer(number, chance) for number in range(start, start + 1000)]
            numbers = store.add(connection, newcomers, NOW)
            for number in numbers:
                _live_a_life(connection, number, chance)
        _send_later_editions(connection, chance)


def _newcomer(number: int, chance: random.Random) -> Newcomer:
    code = chance.choice([*packaged_regimes().by_code, "ZZ", "QQ"])
    kind: Kind = "confirmed" if chance.random() < 0.9 else "requested"
    lapses = chance.choice([None, None, NOW - DAY, NOW, NOW + DAY, NOW + 400 * DAY])
    event = ConsentEvent(kind, NOW - 30 * DAY, "form", country=code, regime=code, until=lapses)
    return Newcomer(f"r{number}@example.org", f"r{number}@example.org", event)


def _live_a_life(connection: Connection, number: int, chance: random.Random) -> None:
    if chance.random() < 0.1:
        store.append(connection, number, ConsentEvent(chance.choice(ENDINGS), NOW, "link"))
    if chance.random() < 0.2:
        until = chance.choice([None, NOW - DAY, NOW, NOW + timedelta(hours=2), NOW + DAY, NOW + 28 * DAY])
        store.append(connection, number, ConsentEvent("paused", NOW, "button", until=until))
    if chance.random() < 0.4:
        watch = WatchList(models=tuple(chance.sample(MODELS, 2)), needs=tuple(chance.sample(["coding", "maths"], 1)))
        store.save_choices(
            connection,
            number,
            locale="en",
            topics=tuple(topic for topic in TOPICS if chance.random() < 0.5),
            format=chance.choice(["full", "short", "text"]),
            quiet_weeks=chance.choice(["note", "skip"]),
            watch=chance.choice([WatchList(), watch]),
        )


def _send_later_editions(connection: Connection, chance: random.Random) -> None:
    """Every tenth reader has something of a later week, or was to have it."""
    later = outbox.queue(connection, some_outgoing("2026-W30"), "later", NOW - 40 * DAY)
    delivery = metadata.tables["delivery"]
    connection.execute(delivery.delete().where(delivery.c.mailing_id == later.id))
    states = ["pending", "claimed", "dot", "sent", "deferred", "uncertain", "failed", "skipped", "held"]
    rows = [
        {"mailing_id": later.id, "subscriber_id": one.id, "state": chance.choice(states), "outcome": ""}
        for one in store.everyone(connection)
        if chance.random() < 0.1
    ]
    connection.execute(insert(delivery), [{**row, "attempts": 0, "changed_at": NOW} for row in rows])


def _as_row(there: Route) -> tuple[str, datetime | None, str]:
    if isinstance(there, Deliver):
        return "pending", None, ""
    if isinstance(there, Hold):
        return "held", there.until, there.reason
    return "skipped", None, there.reason


def _by_routing(connection: Connection, edition: Outgoing, went: set[int]) -> dict[int, tuple[Any, ...]]:
    found = {}
    for reader in store.everyone(connection):
        if reader.consent.state == "confirmed":
            found[reader.id] = _as_row(route(reader, edition, NOW, newer_sent=reader.id in went))
    return found


@pytest.mark.long
def test_sql_and_routing_agree_on_ten_thousand_readers(engine: Engine, readers: None) -> None:
    delivery = metadata.tables["delivery"]
    gone = ("pending", "claimed", "dot", "sent", "deferred", "uncertain")
    with writing(engine) as connection:
        wanted = delivery.select().where(delivery.c.state.in_(gone))
        went = {row["subscriber_id"] for row in connection.execute(wanted).mappings()}
        seen: set[tuple[str, str]] = set()
        for name, edition in EDITIONS.items():
            selected = connection.execute(audience(connection, edition, NOW)).mappings()
            by_sql = {row["subscriber_id"]: (row["state"], row["next_attempt_at"], row["outcome"]) for row in selected}
            assert by_sql == _by_routing(connection, edition, went), name
            seen |= {(state, reason) for state, _until, reason in by_sql.values()}
    reasons = {"reconfirmation_due", "newer_sent", "paused", "quiet_week", "night"}
    assert {reason for _state, reason in seen} == {"", *reasons}
    assert ("held", "paused") in seen
    assert ("held", "night") in seen
