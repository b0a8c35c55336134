"""Readers over time, by regime: what the log's turns add up to is what the readers' rows say."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from digest.database import reading, writing
from digest.subscribers import growth, store
from digest.subscribers.consent import KINDS, LIVE, ConsentEvent, Kind
from digest.subscribers.store import Newcomer

JANUARY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
Told = tuple[Kind, str, int]
"""An event: its kind, the regime it names, and how many days after the first."""


def add(engine: Engine, name: str, *told: Told) -> None:
    events = [ConsentEvent(kind, JANUARY + timedelta(days=day), "test", regime=regime) for kind, regime, day in told]
    with writing(engine) as connection:
        store.add(connection, [Newcomer(name, name, events[0])], events[0].at)
        found = store.find(connection, name)
        assert found is not None
        for event in events[1:]:
            store.append(connection, found.id, event)


def turns(engine: Engine) -> list[tuple[str, str, int]]:
    with reading(engine) as connection:
        return list(growth.comings_and_goings(connection))


@pytest.mark.parametrize("kind", ["confirmed", "changed", "requested"])
def test_who_moves_to_another_regime_is_counted_in_that_from_then_on(engine: Engine, kind: Kind) -> None:
    add(engine, "ann@example.org", ("confirmed", "DE", 0), (kind, "US-CA", 40), ("withdrawn", "", 70))
    coming = [("2026-01", "DE", 1)]
    assert turns(engine) == [*coming, ("2026-02", "DE", -1), ("2026-02", "US-CA", 1), ("2026-03", "US-CA", -1)]


def test_what_a_reader_chooses_before_or_after_a_consent_counts_nobody(engine: Engine) -> None:
    add(engine, "ann@example.org", ("requested", "DE", 0), ("changed", "KR", 1))
    add(engine, "ben@example.org", ("confirmed", "DE", 0), ("withdrawn", "KR", 2), ("changed", "DE", 40))
    assert turns(engine) == []


def test_whatever_happens_the_turns_add_up_to_the_readers_there_are(engine: Engine) -> None:
    chance = random.Random(18)
    for number in range(60):
        kinds = [chance.choice(("requested", "confirmed")), *chance.choices(KINDS[:-1], k=chance.randrange(9))]
        told = [(kind, chance.choice(("", "DE", "KR")), 9 * place) for place, kind in enumerate(kinds)]
        add(engine, f"r{number}@example.org", *told)
    live = Counter[str]()
    for _month, regime, by in turns(engine):
        live[regime or "ZZ"] += by
    with reading(engine) as connection:
        there = Counter(one.consent.regime for one in store.everyone(connection) if one.consent.state == LIVE)
    assert +live == there
    assert min(live.values()) >= 0
    assert len(there) == 3
