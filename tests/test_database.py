"""Both databases: what open_database makes, what the column types keep, and one sentence for each trouble."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Engine, Integer, MetaData, Table, event, insert, inspect, select, text

import digest.audit
import digest.delivery.outbox
import digest.edition.override_store
import digest.edition.store
import digest.operations.store
import digest.scores.store
import digest.subscribers.store  # noqa: F401 (the import registers the tables)
from digest import database
from digest.database import SCHEMA_VERSION, ExactDecimal, UtcDateTime, metadata, open_database, reading, writing
from digest.errors import ConfigError, DigestError, StorageError

VERSIONS = Path(database.__file__).parent / "migrations" / "versions"
FAILURE = "INSERT INTO failure (source, \"on\", at, detail) VALUES ('s', '2026-03-02', '2026-03-02 09:00:00', '{}')"


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    try:
        yield engine
    finally:
        engine.dispose()


def refused(url: str) -> str:
    """The sentence with which a database is refused; it holds no password."""
    with pytest.raises(DigestError) as caught, opened(url):
        pass
    assert "hunter2" not in f"{caught.value!r} {caught.value}"
    return str(caught.value)


def file_url(path: Path, mode: str = "rw") -> str:
    return f"sqlite:///file:{path}?mode={mode}&uri=true"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of a database file that has all tables."""
    path = tmp_path / "digest.db"
    with opened(f"sqlite:///{path}"):
        pass
    return path


# The schema


def test_an_empty_database_gets_all_tables(database_url: str) -> None:
    with opened(database_url) as engine:
        assert set(inspect(engine).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_the_migrations_make_just_what_the_tables_declare(database_url: str) -> None:
    with opened(database_url) as engine, engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        assert compare_metadata(context, metadata) == []


def test_an_open_database_can_be_opened_again(database_url: str) -> None:
    with opened(database_url) as engine, writing(engine) as connection:
        connection.execute(text(FAILURE.format("kept")))
    with opened(database_url) as engine, reading(engine) as connection:
        assert connection.execute(text("SELECT detail FROM failure")).scalars().all() == ["kept"]


def test_the_schema_version_is_the_newest_migration() -> None:
    assert max(path.stem for path in VERSIONS.glob("*.py")) == SCHEMA_VERSION


def test_a_database_of_a_newer_program_is_left_alone(database_url: str) -> None:
    with opened(database_url) as engine, writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    sentence = refused(database_url)
    assert sentence.startswith("the database is of a newer version than this program")
    assert sentence.endswith("upgrade the program.")


# Transactions


def test_what_is_written_stands_at_the_end_or_not_at_all(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text(FAILURE.format("kept")))
    with pytest.raises(StorageError):
        write_and_fail(engine)
    with reading(engine) as connection:
        assert connection.execute(text("SELECT detail FROM failure")).scalars().all() == ["kept"]


def write_and_fail(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text(FAILURE.format("gone")))
        connection.execute(text("INSERT INTO nothing VALUES (1)"))


def test_a_reference_to_nothing_is_refused_on_both(engine: Engine) -> None:
    with pytest.raises(StorageError, match="could not do it"), writing(engine) as connection:
        connection.execute(text("INSERT INTO \"row\" (capture_id, key, raw) VALUES (99, 'k', 'r')"))


def test_a_reader_sees_one_state_and_waits_for_no_writer(path: Path) -> None:
    with opened(f"sqlite:///{path}") as engine, reading(engine) as reader:
        count = text("SELECT count(*) FROM failure")
        assert reader.execute(count).scalar() == 0
        with writing(engine) as writer:
            writer.execute(text(FAILURE.format("later")))
        assert reader.execute(count).scalar() == 0


# Column types


@pytest.fixture
def table(engine: Engine) -> Iterator[Table]:
    table = Table(
        "sample",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("figure", ExactDecimal),
        Column("at", UtcDateTime),
    )
    table.create(engine)
    yield table
    table.drop(engine)


@pytest.mark.parametrize("figure", ["0.1", "81.30", "-0.000000000000000000019", "123456789012345678901234.5", "0"])
def test_a_decimal_keeps_every_digit(engine: Engine, table: Table, figure: str) -> None:
    with writing(engine) as connection:
        connection.execute(insert(table).values(figure=Decimal(figure)))
        found = connection.execute(select(table.c.figure)).scalar()
    assert isinstance(found, Decimal)
    assert str(found) == str(Decimal(figure))


def test_a_moment_comes_back_in_utc(engine: Engine, table: Table) -> None:
    seoul = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=timezone(timedelta(hours=9)))
    with writing(engine) as connection:
        connection.execute(insert(table).values(at=seoul))
        found = connection.execute(select(table.c.at)).scalar()
    assert found == seoul
    assert found.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused(engine: Engine, table: Table) -> None:
    with pytest.raises(Exception, match="naive datetime"), writing(engine) as connection:
        connection.execute(insert(table).values(at=datetime(2026, 3, 2)))  # noqa: DTZ001 (what is to be refused)


# Troubles


IMPOSSIBLE = [
    *("digest.db", "", "mysql://ada:hunter2@db.example/digest", "nosuchthing://ada:hunter2@db.example"),
    *("postgresql://ada:hunter2@db.example:port/digest", "postgresql://ada:hunter2@[::1"),
]


@pytest.mark.parametrize("url", IMPOSSIBLE)
def test_a_url_that_cannot_be_meant_is_a_fault_of_the_settings(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_database(url)
    assert str(caught.value).startswith("[database] url ")
    assert "hunter2" not in str(caught.value)


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    sentence = refused(f"sqlite:///{tmp_path}/nowhere/digest.db")
    assert sentence.endswith("nowhere/digest.db cannot be opened; does its folder exist and may you write there?")


@pytest.mark.parametrize("content", [b"this is a letter, not a database\n" * 99, b"PK\x03\x04" + b"\0" * 9_999])
def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "letter.txt"
    path.write_bytes(content)
    assert "letter.txt is not a database of Digest or is damaged" in refused(f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_a_damaged_database_is_told(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100:20_000] = b"\xff" * 19_900
    path.write_bytes(data)
    assert "is not a database of Digest or is damaged; restore a backup" in refused(f"sqlite:///{path}")


def test_a_read_only_database_can_be_read_and_tells_who_writes(path: Path) -> None:
    with opened(file_url(path, "ro")) as engine:
        with reading(engine) as connection:
            assert connection.execute(text("SELECT count(*) FROM failure")).scalar() == 0
        with pytest.raises(StorageError, match=r"is read-only; make it and its folder writable\."):
            write_much(engine)


def test_a_read_only_database_without_tables_is_told(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "empty.db")) as connection:
        connection.execute("VACUUM")
    assert "is read-only" in refused(file_url(tmp_path / "empty.db", "ro"))


def fill_the_disk(engine: Engine, pages: int) -> None:
    """Let SQLite say what it says on a full disk, once the file has so many pages."""

    @event.listens_for(engine, "connect")
    def _limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_is_told_and_what_stood_stands(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    with opened(f"sqlite:///{path}") as engine:
        engine.dispose()
        fill_the_disk(engine, pages + 2)
        with writing(engine) as connection:
            connection.execute(text(FAILURE.format("kept")))
        with pytest.raises(StorageError, match="is full; free some space and run the command again"):
            write_much(engine)
        with reading(engine) as connection:
            assert connection.execute(text("SELECT detail FROM failure")).scalars().all() == ["kept"]


def write_much(engine: Engine) -> None:
    with writing(engine) as connection:
        for _ in range(100):
            connection.execute(text(FAILURE.format("x" * 4_000)))


def test_a_database_that_another_process_holds_is_told(path: Path) -> None:
    with opened(f"sqlite:///{path}") as engine, closing(sqlite3.connect(path, isolation_level=None)) as other:
        event.listen(engine, "checkout", lambda raw, *_: raw.execute("PRAGMA busy_timeout = 10"))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="is locked by another process; try again when that has ended"):
            write_much(engine)


def test_a_server_that_is_not_there_is_told_without_its_password() -> None:
    for url in ("postgresql://ada:hunter2@127.0.0.1:1/digest", "postgresql://127.0.0.1:1/digest?password=hunter2"):
        assert "127.0.0.1:1/digest could not do it: connection failed" in refused(url)


def test_a_fault_of_the_program_is_not_taken_for_one_of_the_database(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), reading(engine):
        raise ZeroDivisionError
