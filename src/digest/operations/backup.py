"""A copy of the database while the program runs: one file, whole or not there at all, that only its owner may read.

The copy is of one moment. It holds readers' addresses, and of what was deleted nothing.
"""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.pool import NullPool

from digest.config.settings import Settings
from digest.database import storage_errors
from digest.errors import StorageError, UsageError
from digest.operations import restoring_store


def back_up(engine: Engine, file: Path, now: datetime, *, force: bool = False) -> int:
    """Write a copy of the database to a file; its size in bytes. Raises UsageError where the file is there and `force`
    is not meant, StorageError where it cannot be written."""
    if is_database(engine.url, file):
        raise UsageError(f"{file} is the database itself; name another file for its copy.")
    if file.exists() and not force:
        raise UsageError(f"{file} is there already; name another file, or say --force to replace it.")
    with _written_whole(file) as draft:
        if engine.dialect.name == "sqlite":
            _copy_sqlite(engine, draft, now)
        else:
            words = ("--format=custom", "--no-owner", "--no-privileges", *_LEFT_OUT)
            run_postgresql("pg_dump", engine.url, *words, f"--file={draft}")
    return file.stat().st_size


_OF_A_DAY = "digest-%Y-%m-%dT%H%MZ.backup"


def back_up_day(engine: Engine, settings: Settings, now: datetime) -> None:
    """Write the copy of a day into the folder of [backups], by its time in UTC, and delete those that are too old.
    Raises StorageError where it cannot be written; then none is deleted."""
    folder = settings.backups.folder
    if folder is None:
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"[backups] folder {folder} cannot be made: {error.strerror}; name another.") from error
    back_up(engine, folder / f"{now.astimezone(UTC):{_OF_A_DAY}}", now, force=True)
    for file in folder.iterdir():
        made = _made_at(file.name)
        if made is not None and now - made > timedelta(days=settings.backups.keep_days):
            file.unlink(missing_ok=True)


def _made_at(name: str) -> datetime | None:
    """The moment in the name of a day's copy; None for any other file."""
    try:
        return datetime.strptime(name, _OF_A_DAY).replace(tzinfo=UTC)
    except ValueError:
        return None


_LEFT_OUT = ("--exclude-table-data=procrastinate_*",)  # tickets of work, which workers write anew


def is_database(url: URL, file: Path) -> bool:
    """Whether a file is the SQLite database of a URL."""
    if url.get_backend_name() != "sqlite" or not url.database or not file.exists():
        return False
    return Path(url.database).exists() and file.samefile(url.database)


@contextmanager
def _written_whole(file: Path) -> Iterator[Path]:
    """A file beside `file`, of mode 0600, that takes its place on the disk once it is whole. Raises StorageError."""
    try:
        number, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
        os.close(number)
        try:
            yield Path(name)
            put_in_place(Path(name), file)
        finally:
            for suffix in ("", "-journal"):
                Path(f"{name}{suffix}").unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{file} cannot be written: {error.strerror}; nothing was changed.") from error


def put_in_place(draft: Path, file: Path) -> None:
    """Give a file its name such that a power cut leaves it whole or not there: its bytes first, then the name."""
    _sync(draft)
    os.replace(draft, file)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        _sync(file.parent)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _copy_sqlite(engine: Engine, draft: Path, now: datetime) -> None:
    """VACUUM INTO reads one moment and holds up no writer. What it writes is marked as a copy that waits for a person,
    so that also one that somebody puts in place by hand sends nothing."""
    with storage_errors(engine), closing(engine.raw_connection()) as connection:
        try:
            connection.cursor().execute("VACUUM INTO ?", (str(draft),))
        except sqlite3.Error as error:
            raise StorageError(f"no copy of the database could be written to {draft.parent}: {error}.") from error
    made = create_engine(f"sqlite:///{draft}", poolclass=NullPool, hide_parameters=True)
    with storage_errors(made), made.begin() as copied:
        if not restoring_store.is_whole(copied):
            raise StorageError("the copy is damaged, so the database or the disk is: run `digest doctor`.")
        restoring_store.hold(copied, now)


def run_postgresql(program: str, url: URL, *words: str) -> None:
    """Run a program of PostgreSQL on a database. Raises StorageError; the password is in no list of processes."""
    found = shutil.which(program)
    if found is None:
        raise StorageError(
            f"{program} is not installed here; install PostgreSQL's client programs (postgresql-client), "
            f"or run {program} where the server is."
        )
    query = {name: value for name, value in url.query.items() if name != "password"}
    password = url.password or url.query.get("password")
    place = url.set(drivername="postgresql", password=None, query=query).render_as_string(hide_password=False)
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    command = [found, f"--dbname={place}", "--no-password", *words]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        said = next((line for line in ended.stderr.splitlines() if "error:" in line), "it does not say why")
        raise StorageError(f"{program} could not do it: {said.partition('error:')[2].strip() or said}.")
