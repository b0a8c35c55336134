"""What nobody confirms or renews ends by itself, and is kept no longer than it is wanted."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.membership.conftest import Add, addresses, log_of

from digest.config.settings import Settings
from digest.database import reading, writing
from digest.membership import proving
from digest.membership.retention import LAPSED, UNCONFIRMED, Expired, expire
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent
from digest.subscribers.store import Newcomer

Rows = Callable[[str], list[dict[str, Any]]]
SECOND = timedelta(seconds=1)
NOTHING = Expired(0, 0, 0)


@pytest.fixture
def ask(engine: Engine, now: datetime) -> Callable[[], int]:
    """Somebody asks to sign up and does not confirm."""

    def ask() -> int:
        event = ConsentEvent("requested", now, "sign-up form")
        with writing(engine) as connection:
            return store.add(connection, [Newcomer("ann@example.org", "ann@example.org", event)], now)[0]

    return ask


def test_a_request_that_nobody_confirms_leaves_nothing_but_a_log_without_a_name(
    engine: Engine, settings: Settings, ask: Callable[[], int], now: datetime
) -> None:
    number = ask()
    assert expire(engine, settings, now + UNCONFIRMED) == NOTHING
    assert expire(engine, settings, now + UNCONFIRMED + SECOND) == Expired(1, 0, 0)
    assert addresses(engine) == {}
    assert [link.event.kind for link in log_of(engine, number)] == ["requested", "expired"]
    with reading(engine) as connection:
        assert store.refused(connection, ["ann@example.org"], [b"0123456789abcdef0123456789abcdef"]) == {}
    assert expire(engine, settings, now + UNCONFIRMED + SECOND) == NOTHING


def test_who_left_before_and_asked_again_in_vain_still_stays_away_from_imports(
    engine: Engine, settings: Settings, add: Add, now: datetime
) -> None:
    number = add("ann@example.org", "withdrawn", "requested")
    later = now + UNCONFIRMED + SECOND
    assert expire(engine, settings, later) == Expired(1, 0, 0)
    assert addresses(engine) == {"ann@example.org": "expired"}
    assert expire(engine, settings, later + LAPSED + SECOND) == Expired(0, 0, 1)
    assert addresses(engine) == {}
    with reading(engine) as connection:
        keys = store.link_keys(connection, settings.links, now)
        assert store.refused(connection, ["ann@example.org"], keys) == {"ann@example.org": number}


def test_who_refused_what_they_never_asked_for_is_erased_and_stays_away(
    engine: Engine, settings: Settings, now: datetime
) -> None:
    with writing(engine) as connection:
        asked = Newcomer("ann@example.org", "ann@example.org", ConsentEvent("requested", now, "form"))
        (number,) = store.add(connection, [asked], now)
        store.append(connection, number, ConsentEvent("withdrawn", now, "unsubscribe link"))
    assert expire(engine, settings, now + UNCONFIRMED) == NOTHING
    assert expire(engine, settings, now + UNCONFIRMED + SECOND) == Expired(1, 0, 0)
    with reading(engine) as connection:
        keys = store.link_keys(connection, settings.links, now)
        assert store.refused(connection, ["ann@example.org"], keys) == {"ann@example.org": number}
        assert store.find(connection, "ann@example.org") is None


def test_a_consent_that_is_not_renewed_lapses_and_its_address_goes_a_month_later(
    engine: Engine, settings: Settings, add: Add
) -> None:
    add(country="KR")
    lapses = datetime.fromisoformat("2028-01-02T03:04:05Z")
    assert expire(engine, settings, lapses - SECOND) == NOTHING
    assert expire(engine, settings, lapses) == Expired(0, 1, 0)
    assert addresses(engine) == {"ann@example.org": "expired"}
    assert expire(engine, settings, lapses + LAPSED) == NOTHING
    assert expire(engine, settings, lapses + LAPSED + SECOND) == Expired(0, 0, 1)
    assert addresses(engine) == {}
    assert proving.proof(engine, settings, "ann@example.org", lapses).faults == ()


def test_a_consent_that_is_renewed_by_the_link_stays(engine: Engine, settings: Settings, add: Add) -> None:
    number = add(country="KR")
    lapses = datetime.fromisoformat("2028-01-02T03:04:05Z")
    expire(engine, settings, lapses)
    with writing(engine) as connection:
        store.append(connection, number, ConsentEvent("confirmed", lapses + timedelta(days=20), "link to keep it"))
    assert expire(engine, settings, lapses + timedelta(days=60)) == NOTHING
    assert addresses(engine) == {"ann@example.org": "confirmed"}


def test_who_left_is_kept_so_that_they_stay_away(engine: Engine, settings: Settings, add: Add, now: datetime) -> None:
    add("ann@example.org", "withdrawn")
    add("ben@example.org", "complained")
    assert expire(engine, settings, now + timedelta(days=5000)) == NOTHING
    assert set(addresses(engine).values()) == {"withdrawn", "complained"}


def test_more_than_one_piece_expires(engine: Engine, settings: Settings, now: datetime) -> None:
    event = ConsentEvent("requested", now, "sign-up form")
    names = [f"r{number}@example.org" for number in range(450)]
    with writing(engine) as connection:
        store.add(connection, [Newcomer(name, name, event) for name in names], now)
    assert expire(engine, settings, now + timedelta(days=31)) == Expired(450, 0, 0)


def test_who_confirms_while_the_clearing_runs_stays(
    engine: Engine, settings: Settings, ask: Callable[[], int], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, lock = ask(), store.lock

    def confirm_first(connection: Any, subscriber_id: int) -> Any:
        store.append(connection, subscriber_id, ConsentEvent("confirmed", now, "confirmation link"))
        return lock(connection, subscriber_id)

    monkeypatch.setattr(store, "lock", confirm_first)
    assert expire(engine, settings, now + timedelta(days=31)) == NOTHING
    assert [link.event.kind for link in log_of(engine, number)] == ["requested", "confirmed"]
    assert addresses(engine) == {"ann@example.org": "confirmed"}
