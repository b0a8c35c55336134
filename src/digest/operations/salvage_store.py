"""Reading a database that may be damaged: table by table, page by page, past what cannot be read.

SQLite keeps a table in the order of its row ids. Where a row cannot be read, the next readable one is looked for in
steps that double, and what lies before it is read backwards: what is lost is what is damaged, and hardly more.
"""

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, Select, create_engine, event, inspect, literal_column, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

import digest.delivery.tables
import digest.subscribers.tables  # noqa: F401 (the imports register the tables)
from digest.database import metadata, open_as_it_is
from digest.errors import StorageError

_PAGE = 2000  # rows read at once
_LOWEST, _HIGHEST = 1, 2**63 - 1  # of row ids
_UNREADABLE = (SQLAlchemyError, sqlite3.Error, ValueError, TypeError, OverflowError)
"""What damaged bytes come to: an error of the database, or a value that is no moment and no number."""


class Gap(NamedTuple):
    """Row ids, both included, among which are some of which nothing can be read."""

    low: int
    high: int


@contextmanager
def opened(place: str, workshop: Path) -> Iterator[Engine]:
    """A database to be read, by the path of a SQLite file or the URL of a PostgreSQL. A file is copied into `workshop`
    first, with its write-ahead log: the original may be all that is left. Raises StorageError, ConfigError."""
    if "://" in place and not place.startswith("sqlite:"):
        engine = open_as_it_is(place)
        try:
            yield engine
        finally:
            engine.dispose()
        return
    file = Path(place.removeprefix("sqlite:///"))
    with TemporaryDirectory(prefix=".digest-replay-", dir=workshop) as folder:
        try:
            for suffix in ("", "-wal"):
                if not suffix or Path(f"{file}{suffix}").exists():
                    shutil.copyfile(f"{file}{suffix}", Path(folder) / f"old.db{suffix}")
        except OSError as error:
            raise StorageError(f"{file} cannot be read: {error.strerror}.") from error
        engine = create_engine(f"sqlite:///{folder}/old.db", poolclass=NullPool, hide_parameters=True)
        event.listen(engine, "connect", _prepare)
        try:
            yield engine
        finally:
            engine.dispose()


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # Otherwise SQLite reads nothing at all of a file that is shorter than its header says.
    connection.execute("PRAGMA writable_schema = ON")


def version(old: Connection) -> str | None:
    """Its newest migration; None where it has none of Digest's tables. Raises StorageError where none can be read."""
    try:
        if not inspect(old).has_table("consent_event"):
            return None
        found = old.scalar(select(literal_column("version_num")).select_from(_named("alembic_version")))
        return None if found is None else str(found)
    except DBAPIError as error:
        raise StorageError(
            "nothing can be read of the database to replay from, it is none or too damaged; restore without it."
        ) from error


def _named(table: str) -> Any:
    from sqlalchemy import table as lightweight

    return lightweight(table)


def pages(old: Connection, table: str, names: Sequence[str], gaps: list[Gap]) -> Iterator[list[Row[Any]]]:
    """Those columns of all rows that can be read, in order of the row ids but for those beside a gap.

    What cannot be read is added to `gaps`. A column that an older version does not have is NULL.
    """
    known = metadata.tables[table]
    try:
        there = {column["name"] for column in inspect(old).get_columns(table)}
    except _UNREADABLE:
        there = set()
    if not there:
        gaps.append(Gap(_LOWEST, _HIGHEST))
        return
    columns = [known.c[name] if name in there else literal_column("NULL").label(name) for name in names]
    is_sqlite = old.dialect.name == "sqlite"
    key: Any = literal_column("rowid") if is_sqlite else next(iter(known.primary_key))
    solid = tuple(name for name in names if name in there and not known.c[name].nullable)
    table_of = _Table(old, select(key.label("row_key"), *columns).select_from(known), key, solid)
    yield from _sqlite_pages(table_of, gaps) if is_sqlite else _other_pages(table_of, gaps)


class _Table(NamedTuple):
    """What is read of a table, by its key; `solid` are the columns that are never NULL."""

    old: Connection
    wanted: Select[Any]
    key: Any
    solid: tuple[str, ...]


def _other_pages(table: _Table, gaps: list[Gap]) -> Iterator[list[Row[Any]]]:
    last: Any = None
    while True:
        page = table.wanted if last is None else table.wanted.where(table.key > last)
        try:
            rows = list(table.old.execute(page.order_by(table.key).limit(_PAGE)))
        except _UNREADABLE:
            table.old.rollback()
            gaps.append(Gap(last + 1 if isinstance(last, int) else _LOWEST, _HIGHEST))
            return
        if not rows:
            return
        yield rows
        last = rows[-1].row_key


def _sqlite_pages(table: _Table, gaps: list[Gap]) -> Iterator[list[Row[Any]]]:
    low = _LOWEST
    while low <= _HIGHEST:
        rows = _rows(table, low, _HIGHEST, _PAGE)
        if rows is None:
            rows, gap, following = _around(table, low)
            gaps.append(gap)
        elif rows:
            following = rows[-1].row_key + 1
        else:
            return
        yield rows
        low = following


def _around(table: _Table, low: int) -> tuple[list[Row[Any]], Gap, int]:
    """Row by row what can be read of a page that cannot be read at once; the gap in it; from where to go on.

    It begins at the first row of the page, for SQLite passes over zeros in silence.
    """
    found, at = list[Row[Any]](), low
    while len(found) < _PAGE and (one := _rows(table, at, _HIGHEST, 1)) != []:
        if one is None:
            start = _readable_after(table, at)
            behind = _backwards(table, at, start - 1)
            return [*found, *behind], Gap(low, (behind[0].row_key if behind else start) - 1), start
        found += one
        at = one[0].row_key + 1
    return found, Gap(low, at - 1), at


def _readable_after(table: _Table, low: int) -> int:
    step = 1
    while low + step <= _HIGHEST:
        if _rows(table, low + step, _HIGHEST, 1) is not None:
            return low + step
        step *= 2
    return _HIGHEST + 1


def _backwards(table: _Table, low: int, high: int) -> list[Row[Any]]:
    """The readable rows at the end of a range, in order."""
    found: list[Row[Any]] = []
    while low <= high and (rows := _rows(table, low, high, 1, backwards=True)):
        found += rows
        high = rows[0].row_key - 1
    return found[::-1]


def _rows(table: _Table, low: int, high: int, size: int, *, backwards: bool = False) -> list[Row[Any]] | None:
    """The first or last rows of a range; None where one of them cannot be read.

    Bytes that are cut off or overwritten with zeros are rows to SQLite, but with keys and NULLs that no row has.
    """
    order = table.key.desc() if backwards else table.key
    try:
        rows = list(table.old.execute(table.wanted.where(table.key.between(low, high)).order_by(order).limit(size)))
    except _UNREADABLE:
        return None
    keys = [row.row_key for row in rows]
    in_order = all(low <= key <= high for key in keys) and keys == sorted(set(keys), reverse=backwards)
    whole = all(row._mapping[name] is not None for row in rows for name in table.solid)
    return rows if in_order and whole else None
