"""Readers, their log and the link key, on both databases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from digest.config.sections import Links
from digest.database import reading, writing
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent, fold
from digest.subscribers.store import Newcomer

Rows = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def reader(now: datetime) -> Newcomer:
    event = ConsentEvent("confirmed", now, "form", "One email a week", country="DE")
    return Newcomer("Ann@Bücher.example", "ann@xn--bcher-kva.example", event, "de", ("prices", "comparisons"))


def test_a_reader_is_kept_as_typed_and_found_as_compared(engine: Engine, reader: Newcomer, now: datetime) -> None:
    with writing(engine) as connection:
        store.add(connection, [reader], now)
    with reading(engine) as connection:
        found = store.find(connection, reader.email_key)
    assert found is not None
    assert (found.email, found.locale, found.topics) == ("Ann@Bücher.example", "de", ("prices", "comparisons"))
    assert found.consent == fold([reader.event])


def test_the_wire_gets_the_local_part_as_typed_at_the_domain_in_ascii(engine: Engine, reader: Newcomer) -> None:
    with writing(engine) as connection:
        store.add(connection, [reader], reader.event.at)
        found = store.find(connection, reader.email_key)
    assert found is not None
    assert found.mailbox == "Ann@xn--bcher-kva.example"


def test_numbers_of_readers_are_random_and_fit_63_bits(engine: Engine, reader: Newcomer, now: datetime) -> None:
    with writing(engine) as connection:
        store.add(connection, [replace(reader, email_key=f"r{n}@example.org") for n in range(50)], now)
        numbers = [one.id for one in store.everyone(connection)]
    assert len(set(numbers)) == 50
    assert all(0 <= number < 2**63 for number in numbers)
    assert max(numbers) > 2**50


def test_an_event_changes_the_columns_and_adds_to_the_log(engine: Engine, reader: Newcomer, now: datetime) -> None:
    withdrawn = ConsentEvent("withdrawn", now + timedelta(days=3), "unsubscribe link")
    with writing(engine) as connection:
        store.add(connection, [reader], now)
        (number,) = [one.id for one in store.everyone(connection)]
        store.append(connection, number, withdrawn)
        assert [link.event for link in store.log(connection, number)] == [reader.event, withdrawn]
        assert store.get(connection, [number])[number].consent == fold([reader.event, withdrawn])
        assert list(store.everyone(connection, "confirmed")) == []


def test_events_that_are_stored_stay_as_they_are(engine: Engine, reader: Newcomer, now: datetime, rows: Rows) -> None:
    with writing(engine) as connection:
        store.add(connection, [reader], now)
    before = rows("consent_event")
    with writing(engine) as connection:
        number = before[0]["subscriber_id"]
        for day in range(3):
            store.append(connection, number, ConsentEvent("withdrawn", now + timedelta(days=day), "link"))
    assert rows("consent_event")[:1] == before
    assert len(rows("consent_event")) == 4


def test_the_state_of_many_addresses_is_found_at_once(engine: Engine, reader: Newcomer, now: datetime) -> None:
    keys = [f"r{n}@example.org" for n in range(1200)]
    with writing(engine) as connection:
        store.add(connection, [replace(reader, email_key=key) for key in keys[:1100]], now)
        assert store.states(connection, keys) == dict.fromkeys(keys[:1100], "confirmed")


def test_a_link_key_is_made_once_and_kept(engine: Engine, now: datetime, rows: Rows) -> None:
    with writing(engine) as connection:
        first = store.link_keys(connection, Links(), now)
    with writing(engine) as connection:
        assert store.link_keys(connection, Links(), now + timedelta(days=1)) == first
    assert len(first) == len(rows("link_key")) == 1
    assert len(first[0]) == 64


def test_senders_that_start_together_agree_on_one_link_key(engine: Engine, now: datetime) -> None:
    def keys(_: int) -> tuple[bytes, ...]:
        with writing(engine) as connection:
            return store.link_keys(connection, Links(), now)

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(keys, range(8)))) == 1


def test_configured_keys_sign_and_a_key_kept_earlier_still_verifies(engine: Engine, now: datetime) -> None:
    configured = Links(keys=[SecretStr("k" * 32)])
    with writing(engine) as connection:
        assert store.link_keys(connection, configured, now) == (b"k" * 32,)
        (kept,) = store.link_keys(connection, Links(), now)
        assert store.link_keys(connection, configured, now) == (b"k" * 32, kept)
