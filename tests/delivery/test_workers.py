"""Workers share the sending, survive each other and the database, and heed whoever leaves meanwhile."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from tests.delivery.senders import IN_DOUBT, finish, senders, settled_as_received
from tests.delivery.sink import sink
from tests.outgoing import some_contents, some_outgoing
from tests.postgres import kill

from digest.config.settings import Settings
from digest.database import metadata, open_database, reading, writing
from digest.delivery import jobs, outbox, sending, workers
from digest.delivery.outbox import Mailing
from digest.delivery.outcomes import Outcome
from digest.delivery.transports import Advance, Envelope
from digest.delivery.transports.maildir import Maildir
from digest.delivery.workers import drain_with_pool
from digest.edition.rendered import Rendered
from digest.errors import DeliveryError, UsageError
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent
from digest.subscribers.store import Newcomer

Rows = Callable[[str], list[dict[str, Any]]]
only_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def small_tickets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_TICKET", 20)


@only_postgresql
def test_tickets_come_and_go_with_the_transaction_that_queues(
    engine: Engine, add_readers: Callable[[int], list[int]], now: datetime, small_tickets: None
) -> None:
    add_readers(70)
    with engine.connect() as connection:
        jobs.hand_out(connection, outbox.queue(connection, some_outgoing(), "hash", now))
        connection.rollback()
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT to_regclass('procrastinate_jobs')")) is None
    with writing(engine) as connection:
        assert jobs.hand_out(connection, outbox.queue(connection, some_outgoing(), "hash", now)) == 4
    with reading(engine) as connection:
        tickets = connection.scalars(text("SELECT args FROM procrastinate_jobs")).all()
    assert tickets == [{"week": "2026-W18", "count": 18}] * 4


@only_sqlite
def test_workers_on_sqlite_are_told_what_sends_there(engine: Engine) -> None:
    with pytest.raises(UsageError, match="`digest send` and `digest serve` send"):
        jobs.demand(engine)


@only_postgresql
def test_workers_without_procrastinate_are_told_how_to_get_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(DeliveryError, match=r"pip install 'digest-newsletter\[postgresql\]'"):
        jobs.demand(engine)


def test_a_pool_of_senders_shares_a_mailing(
    engine: Engine,
    settings: Settings,
    rendered: Rendered,
    add_readers: Callable[[int], list[int]],
    queue: Callable[[], Mailing],
    clock: Callable[[], datetime],
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    all_here = threading.Barrier(3, timeout=30)

    class Meeting(Maildir):
        """Begins when each of the senders has claimed something."""

        def carry(self, batch: Sequence[Envelope], advance: Advance, done: list[tuple[int, Outcome]]) -> None:
            all_here.wait()
            super().carry(batch, advance, done)

    monkeypatch.setattr(workers, "transport_of", lambda settings: Meeting(settings.delivery.maildir))
    add_readers(200)
    mailing = queue()
    three = settings.model_copy(update={"delivery": settings.delivery.model_copy(update={"senders": 3})})
    told: list[int] = []
    found = drain_with_pool(engine, three, mailing, some_contents(rendered, three), clock, told.append)
    assert found["sent"] == sum(told) == 200
    assert len(list((settings.delivery.maildir / "new").iterdir())) == 200
    assert len({row["claimed_by"] for row in rows("delivery")}) == 3


@pytest.mark.long
@only_postgresql
def test_two_workers_share_the_load_and_one_that_is_killed_is_made_up_for(
    engine: Engine,
    database_url: str,
    add_readers: Callable[[int], list[int]],
    queue: Callable[[], Mailing],
    rows: Rows,
    small_tickets: None,
) -> None:
    add_readers(1200)
    mailing = queue()
    with writing(engine) as connection:
        jobs.hand_out(connection, mailing)
    with sink(slow=(0.0, 0.05)) as relay, senders(database_url, relay.port) as running:
        running.say("start a")
        running.say("start b")
        wait_until(lambda: len(processes := handed_by(rows)) == 2 and min(processes.values()) >= 40)
        running.say("kill a")
        found = finish(engine, mailing)
    assert found.total() == 1200
    assert found["uncertain"] <= 2 * IN_DOUBT  # a worker has a thread more, for its periodic job or another ticket
    settled_as_received(rows, relay)


def wait_until(is_so: Callable[[], bool]) -> None:
    patience = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < patience
        time.sleep(0.05)


def handed_by(rows: Rows) -> Counter[str]:
    """How many deliveries each process has made."""
    return Counter(row["claimed_by"].split(":")[1] for row in rows("delivery") if row["state"] == "sent")


@pytest.mark.long
def test_a_database_server_that_is_killed_while_sending_loses_and_doubles_nothing(
    own_server: Any, now: datetime, small_tickets: None
) -> None:
    url = own_server.get_uri()
    engine = open_database(url)
    people = [f"r{number}@example.org" for number in range(1000)]

    def rows(table: str) -> list[dict[str, Any]]:
        with reading(engine) as connection:
            return [dict(row) for row in connection.execute(metadata.tables[table].select()).mappings()]

    with writing(engine) as connection:
        store.add(connection, [Newcomer(one, one, ConsentEvent("confirmed", now, "form")) for one in people], now)
        mailing = outbox.queue(connection, some_outgoing(), "hash", now)
        jobs.hand_out(connection, mailing)
    with sink(slow=(0.0, 0.05)) as relay, senders(url, relay.port) as running:
        running.say("start a")
        running.say("start b")
        for _ in range(2):
            wanted = relay.got.total() + 100
            wait_until(lambda wanted=wanted: len(handed_by(rows)) == 2 and relay.got.total() >= wanted)  # type: ignore[misc]
            kill(own_server)
            engine.dispose()
            own_server.ensure_postgres_running()
        assert running.say("look") == 2  # they outlive it
        found = finish(engine, mailing)
    assert found.total() == 1000
    assert set(found) <= {"sent", "uncertain"}
    assert found["uncertain"] <= 2 * 3 * IN_DOUBT * 2
    settled_as_received(rows, relay)
    engine.dispose()


@pytest.mark.long
def test_nobody_who_left_before_the_claim_is_mailed_while_others_leave(
    engine: Engine,
    settings: Settings,
    rendered: Rendered,
    add_readers: Callable[[int], list[int]],
    queue: Callable[[], Mailing],
    rows: Rows,
    now: datetime,
) -> None:
    """Half of the readers leave while three senders send. Who is not even claimed once the leaving is committed gets
    nothing: the dot, which reads the consent once more, is a later transaction than the claim."""
    readers = add_readers(100)
    mailing = queue()
    in_time: set[int] = set()
    state = text("SELECT state FROM delivery WHERE subscriber_id = :reader")

    def leave() -> None:
        for reader in reversed(readers[::2]):  # towards the senders, who begin with the first
            with writing(engine) as connection:
                store.append(connection, reader, ConsentEvent("withdrawn", now, "link"))
            with reading(engine) as connection:
                if connection.scalar(state, {"reader": reader}) in ("pending", "skipped"):
                    in_time.add(reader)

    slow = settings.model_copy(update={"delivery": settings.delivery.model_copy(update={"per_second": 15.0})})
    contents, began = some_contents(rendered, slow), time.monotonic()

    def clock() -> datetime:
        return now + timedelta(seconds=time.monotonic() - began)

    def send() -> None:
        sending.drain(engine, slow, mailing, contents, sending.transport_of(slow), clock)

    threads = [threading.Thread(target=work) for work in (send, send, send, leave)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    states = {row["subscriber_id"]: row["state"] for row in rows("delivery")}
    assert {states[reader] for reader in in_time} == {"skipped"}
    assert {states[reader] for reader in readers[1::2]} == {"sent"}
    assert len(list((settings.delivery.maildir / "new").iterdir())) == Counter(states.values())["sent"]
    assert len(in_time) > 10  # else they all left too late to prove anything
