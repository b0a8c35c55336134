"""One database, SQLite or PostgreSQL: connections, transactions, migrations and the column types both agree on."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Engine, MetaData, Numeric, String, create_engine, event, inspect, text
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.engine.url import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel

from digest.errors import ConfigError, StorageError

SCHEMA_VERSION = "0009"
"""The newest migration. A test holds it against the folder; a database that has it is opened without Alembic."""

_MIGRATION_LOCK = 0x4D494752  # an advisory lock of PostgreSQL, ours by this number

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata: MetaData = SQLModel.metadata


class ExactDecimal(TypeDecorator[Decimal]):
    """A Decimal to its last digit: NUMERIC on PostgreSQL, text on SQLite (whose NUMERIC is a binary float)."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(String() if dialect.name == "sqlite" else Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        return str(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return None if value is None else Decimal(value)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ARG002
        if value is not None and value.tzinfo is None:
            raise ValueError("naive datetime: every moment has a zone here")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is not None and value.tzinfo is None:
            value = value.replace(tzinfo=UTC)
        return value and value.astimezone(UTC)


def open_database(url: str) -> Engine:
    """Connect, and bring the tables up to date. Raises ConfigError for a URL, StorageError for what is behind it."""
    engine = _engine(url)
    try:
        with storage_errors(engine):
            _migrate(engine)
    except StorageError:
        engine.dispose()
        raise
    return engine


def open_as_it_is(url: str) -> Engine:
    """Connect to tables of whatever version, and leave them so. Raises ConfigError for a URL."""
    return _engine(url)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads: it sees one state throughout and waits for no writer."""
    with storage_errors(engine), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes; commits at the end, rolls back on an exception.

    On SQLite it takes the write lock at once: a reader that turned writer could not wait for another writer.
    """
    with storage_errors(engine), engine.execution_options(digest_writes=True).begin() as connection:
        yield connection
        erases = connection.info.pop("digest_erases", False)
    if erases:
        _empty_wal(engine)


def leave_no_trace(connection: Connection) -> None:
    """Once this transaction is over, take what it deleted out of SQLite's write-ahead log, too.

    `secure_delete` overwrites it in the file alone. Where somebody reads the log at that moment, it is emptied after
    the next erasure, or when the last process closes the database.
    """
    connection.info["digest_erases"] = True


@contextmanager
def storage_errors(engine: Engine) -> Iterator[None]:
    """Turn what the database says of its own state into one sentence; everything else passes unchanged."""
    try:
        yield
    except DBAPIError as error:
        where = engine.url.set(query={}).render_as_string(hide_password=True)  # a query may hold a password, too
        raise StorageError(_sentence(str(error.orig), where)) from error
    except NoConnectionLeft as error:
        raise StorageError("the database has no connection left for this process; try again in a moment.") from error


def _sentence(said: str, where: str) -> str:
    first = said.strip().splitlines()[0] if said.strip() else "no reason given"
    if "readonly" in said or "read-only" in said:
        return f"the database {where} is read-only; make it and its folder writable. Nothing was changed."
    if "disk is full" in said or "No space left" in said:
        return f"the disk of the database {where} is full; free some space and run the command again."
    if "locked" in said:
        return f"the database {where} is locked by another process; try again when that has ended."
    if "not a database" in said or "malformed" in said:
        return f"{where} is not a database of Digest or is damaged; restore a backup or name another in [database] url."
    if "unable to open" in said:
        return f"the database {where} cannot be opened; does its folder exist and may you write there?"
    return f"the database {where} could not do it: {first}."


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql":
            server = parsed.set(drivername="postgresql+psycopg")
            engine = create_engine(server, pool_pre_ping=True, hide_parameters=True)
        elif parsed.get_backend_name() == "sqlite":
            engine = create_engine(parsed, connect_args={"timeout": 30}, hide_parameters=True)
        else:
            raise ConfigError(f'[database] url has "{parsed.get_backend_name()}"; use sqlite:// or postgresql://.')
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise ConfigError("[database] url cannot be read; write sqlite:///digest.db or postgresql://….") from error
    except ModuleNotFoundError as error:
        raise ConfigError(
            "PostgreSQL wants its driver: pip install 'digest-newsletter[postgresql]' and run the command again."
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    connection.execute("PRAGMA busy_timeout = 30000")
    connection.execute("PRAGMA foreign_keys = ON")
    # FULL: a commit that was answered survives a power cut; a mail's record must outlive the mail.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")  # who was erased is gone from the file, too
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if "readonly" not in str(error):  # a read-only file can still be read
            raise


def _empty_wal(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        return
    with closing(engine.raw_connection()) as connection, suppress(sqlite3.OperationalError):
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 1000")  # what was asked for is done; nobody waits for a long reader
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("PRAGMA busy_timeout = 30000")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("digest_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def schema_version(engine: Engine) -> str | None:
    """The newest migration that a database has; None of an empty one. Raises StorageError if it does not answer."""
    with reading(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found


def _migrate(engine: Engine) -> None:
    if schema_version(engine) == SCHEMA_VERSION:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    try:
        with writing(engine) as connection:
            if engine.dialect.name == "postgresql":  # Alembic looks at the version again, once it is our turn
                connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATION_LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise StorageError(
            f"the database is of a newer version than this program ({error}); upgrade the program."
        ) from error
    except SQLAlchemyError as error:
        if isinstance(error, DBAPIError):
            raise
        raise StorageError(f"the database could not be brought up to date: {error}.") from error
