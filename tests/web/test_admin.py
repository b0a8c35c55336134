"""The operator's page opens to a key that reads, and to nobody else; what it shows is counted from the database."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine
from tests.web.visitors import Client, Site, with_key

from digest import audit
from digest.database import reading, writing
from digest.delivery import throttles
from digest.delivery.pacing import Throttle
from digest.subscribers import growth, store
from digest.subscribers.consent import ConsentEvent, Kind
from digest.subscribers.store import Newcomer

AT = datetime.fromisoformat("2026-01-10T12:00:00Z")


def reader(engine: Engine, name: str, regime: str, *turns: tuple[Kind, int]) -> None:
    """A reader who agreed on AT, and what came so many days after."""
    agreed = ConsentEvent("confirmed", AT, "form", regime=regime)
    with writing(engine) as connection:
        (number,) = store.add(connection, [Newcomer(f"{name}@example.org", f"{name}@example.org", agreed)], AT)
        for kind, days in turns:
            detail = "often" if kind == "withdrawn" else ""
            event = ConsentEvent(kind, AT + timedelta(days=days), "link", regime=regime, detail=detail)
            store.append(connection, number, event)


@pytest.mark.parametrize("headers", [{}, with_key("dk_wrong"), with_key(""), {"Authorization": "Basic nonsense"}])
def test_without_a_key_there_is_nothing_to_see(visitor: Client, headers: dict[str, str]) -> None:
    answer = visitor.get("/admin", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="operators", charset="UTF-8"'
    assert "Sources" not in answer.text
    assert "type a key as the password" in answer.text


def test_a_key_that_may_not_read_is_refused(site: Site, visitor: Client) -> None:
    assert visitor.get("/admin", headers=site.key_header("subscribe")).status_code == 403


def test_an_operator_sees_readers_and_acts_and_no_address(site: Site, engine: Engine, visitor: Client) -> None:
    reader(engine, "ann", "DE")
    reader(engine, "ben", "KR", ("withdrawn", 100))
    with writing(engine) as connection:
        audit.write(connection, "approved", "2026-W18", "<b>editor</b>", site.now)
    answer = visitor.get("/admin", headers=site.key_header("read"))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "2026-04: 1 in DE" in answer.text
    assert "1: It comes too often" in answer.text
    assert "&lt;b&gt;editor&lt;/b&gt;" in answer.text
    assert "example.org" not in answer.text


def test_a_domain_that_may_be_one_readers_own_is_not_named(site: Site, engine: Engine, visitor: Client) -> None:
    name = "ann-lovelace.example"
    closed = {name: Throttle(name, site.now, closed_until=site.now + timedelta(minutes=5), said=f"421 {name} is busy")}
    with writing(engine) as connection:
        throttles.save(connection, {}, closed, site.now)
    answer = visitor.get("/admin", headers=site.key_header("read"))
    assert "a domain: closed until" in answer.text
    assert name not in answer.text


def test_who_leaves_and_comes_back_is_counted_once_each_time(engine: Engine) -> None:
    reader(engine, "ann", "DE", ("confirmed", 3), ("withdrawn", 40), ("confirmed", 70), ("bounced", 100))
    reader(engine, "ben", "DE", ("paused", 5))
    with reading(engine) as connection:
        found = list(growth.comings_and_goings(connection))
    assert found == [("2026-01", "DE", 2), ("2026-02", "DE", -1), ("2026-03", "DE", 1), ("2026-04", "DE", -1)]
