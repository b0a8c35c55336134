"""A month that nobody looks after, with a fault each week: every reader has each week's edition once, and the operator
was told of each fault once, and of nothing else."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, event, text

from digest import scheduler
from digest.config.settings import Settings
from digest.database import open_database, reading, writing
from digest.errors import DigestError
from digest.operations.announcing import announce
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent
from digest.subscribers.store import Newcomer
from digest.weekly.calendar import Week
from tests.delivery.relay import free_port
from tests.delivery.sink import Sink, sink
from tests.postgres import kill

BEGINS = datetime(2026, 5, 4, tzinfo=UTC)
WEEKS, READERS = 4, 5
HOUR = timedelta(hours=1)
STEPS = (HOUR, HOUR, *[4 * HOUR] * 5)  # between two looks, by the weekday
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
        "hooks": {"alerts": f"{here}/hook", "editions": f"{here}/hook", "secret": secret},
        "series": {**settings.series.model_dump(), "postal_address": "1 Example Street, 10115 Berlin, Germany"},
        "links": settings.links,
    }
    return Settings.model_validate({**settings.model_dump(), **changed})


class House(NamedTuple):
    """A database; as long as `fault` lasts it grows no more, or does not answer, which is `told` in these words, and
    `restart` ends all that it holds between two looks."""

    engine: Engine
    fault: Callable[[], AbstractContextManager[None]]
    told: str
    restart: Callable[[], None]


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    if request.param == "sqlite":
        engine = open_database(f"sqlite:///{tmp_path / 'digest.db'}")
        yield House(engine, lambda: full_disk(engine), "is full; free some space", engine.dispose)
    else:
        server = request.getfixturevalue("own_server")
        engine = open_database(server.get_uri())

        def restart() -> None:
            with killed(server):
                pass

        yield House(engine, lambda: killed(server), "the database postgresql", restart)
    engine.dispose()


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


@contextmanager
def killed(server: Any) -> Iterator[None]:
    """The database's server ends without a word, and is started again."""
    kill(server)
    try:
        yield
    finally:
        server.ensure_postgres_running()


def test_every_reader_has_each_week_once_and_the_operator_knows_of_each_fault_once(
    house: House, unattended: Settings, web: Web, relay: Sink
) -> None:
    engine, people = house.engine, [f"r{number}@example.org" for number in range(READERS)]
    with writing(engine) as connection:
        agreed = ConsentEvent("confirmed", BEGINS, "form")
        store.add(connection, [Newcomer(one, one, agreed) for one in people], BEGINS)
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
            looks += [partial(announce, engine, current, now), tellers[id(current)]]
            for look in looks:
                with suppress(DigestError):  # the scheduler logs it, and looks again
                    look()
            now += STEPS[now.weekday()]

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
    with house.fault():
        live(monday[2] + timedelta(hours=20))
    live(monday[3] + timedelta(days=1, hours=10))
    house.restart()
    live(monday[3] + timedelta(weeks=1))

    weeks = [str(Week.now(one, ZoneInfo("UTC"))) for one in monday]
    with reading(engine) as connection:
        sent = connection.execute(
            text(
                "SELECT week, count(*) FROM delivery JOIN mailing ON mailing.id = mailing_id "
                "WHERE delivery.state = 'sent' AND kind = 'edition' GROUP BY week ORDER BY week"
            )
        ).all()
    assert [tuple(row) for row in sent] == [(week, READERS) for week in weeks]
    assert relay.got == dict.fromkeys(people, WEEKS)
    assert [one["data"]["week"] for one in web.told if one["type"] == "edition.published"] == weeks
    told = [need["said"] for one in web.told if one["type"] == "operator.alert" for need in one["data"]["needs"]]
    faults = [f"{READERS} deliveries of {weeks[0]} are still to be made", "source b failed", house.told]
    assert [next((fault for fault in faults if fault in said), said) for said in told] == faults
