"""A month that nobody looks after, with a fault each week: every reader has each week's edition once, and the operator
was told of each fault once."""

import base64
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, event, text

from digest import scheduler
from digest.config import Settings
from digest.database import reading
from digest.errors import DigestError
from digest.weekly.calendar import Week
from tests.delivery.relay import free_port
from tests.delivery.sink import Sink, sink

BEGINS = datetime(2026, 5, 4, tzinfo=UTC)
WEEKS, STEP = 4, timedelta(hours=1)
READERS = 5
JOBS = (scheduler.do_days, scheduler.do_weeks, scheduler.go_on)

pytestmark = pytest.mark.long


class Web(ThreadingHTTPServer):
    """Two boards that change every week, of which one may be away, and the operator's hook."""

    now = BEGINS
    board_is_away = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told: list[dict[str, Any]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        away = self.server.board_is_away and "b.csv" in self.path
        week = Week.now(self.server.now, ZoneInfo("UTC")).starts.toordinal() // 7
        rows = [f"model-{number},{10 + number + (week % 5 if number % 50 == 0 else 0)}" for number in range(400)]
        self._answer(500 if away else 200, "\n".join(["model,score", *rows]).encode())

    def do_POST(self) -> None:
        self.server.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer(204, b"")

    def _answer(self, status: int, said: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def relay() -> Iterator[Sink]:
    with sink() as made:
        yield made


@pytest.fixture
def unattended(settings: Settings, web: Web, relay: Sink) -> Settings:
    here = f"http://127.0.0.1:{web.server_address[1]}"
    board = {"kind": "scores", "format": "csv", "model": "model", "lead": "score", "columns": {"score": {}}}
    secret = f"whsec_{base64.b64encode(bytes(32)).decode()}"
    changed = {
        "sources": {name: {**board, "title": f"Board {name}", "url": f"{here}/{name}.csv"} for name in ("a", "b")},
        "approval": {"required": False},
        "fetch": {"allow_http": True, "allow_private_addresses": True, "retries": 0},
        "delivery": {**settings.delivery.model_dump(), "transport": "smtp"},
        "smtp": {"host": "127.0.0.1", "port": relay.port, "tls": "none"},
        "hooks": {"alerts": f"{here}/hook", "secret": secret},
        "links": settings.links,
    }
    return Settings.model_validate({**settings.model_dump(), **changed})


@contextmanager
def full_disk(engine: Engine) -> Iterator[None]:
    """The database's file cannot grow."""

    def limited(connection: Any, _record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(engine, "connect", limited)
    engine.dispose()
    try:
        yield
    finally:
        event.remove(engine, "connect", limited)
        engine.dispose()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_reader_has_each_week_once_and_the_operator_knows_of_each_fault_once(
    engine: Engine,
    unattended: Settings,
    web: Web,
    relay: Sink,
    add_readers: Callable[[int], list[int]],
) -> None:
    add_readers(READERS)
    without_relay = unattended.model_copy(
        update={"smtp": unattended.smtp.model_copy(update={"port": free_port(), "timeout_seconds": 1})}
    )
    now = BEGINS
    current = unattended

    def time() -> datetime:
        return now

    tellers = {id(one): scheduler.teller(engine, one, time) for one in (unattended, without_relay)}

    def live(until: datetime) -> None:
        nonlocal now
        while now < until:
            web.now = now
            looks: list[Callable[[], object]] = [partial(job, engine, current, time) for job in JOBS]
            for look in [*looks, tellers[id(current)]]:
                with suppress(DigestError):  # the scheduler logs it, and looks again
                    look()
            now += STEP

    monday = [BEGINS + timedelta(weeks=number) for number in range(WEEKS)]
    live(monday[0] + timedelta(days=1, hours=10))
    current = without_relay
    live(monday[0] + timedelta(days=1, hours=16))
    current = unattended
    live(monday[1])
    web.board_is_away = True
    live(monday[1] + timedelta(days=1))
    web.board_is_away = False
    live(monday[2])
    with full_disk(engine):
        live(monday[2] + timedelta(hours=20))
    live(monday[3] + timedelta(weeks=1))

    with reading(engine) as connection:
        sent = connection.execute(
            text(
                "SELECT week, count(*) FROM delivery JOIN mailing ON mailing.id = mailing_id "
                "WHERE delivery.state = 'sent' AND kind = 'edition' GROUP BY week ORDER BY week"
            )
        ).all()
    assert [tuple(row) for row in sent] == [(str(Week.now(one, ZoneInfo("UTC"))), READERS) for one in monday]
    assert relay.got == {f"r{number}@example.org": WEEKS for number in range(READERS)}
    told = Counter(need["about"] for message in web.told for need in message["data"]["needs"])
    assert {about: told[about] for about in ("mailing edition 2026-W19", "source b failed")} == {
        "mailing edition 2026-W19": 1,
        "source b failed": 1,
    }
    said = [need["said"] for message in web.told for need in message["data"]["needs"]]
    assert sum("is full; free some space" in one for one in said) == 1
