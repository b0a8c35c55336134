"""A backup, put in place of the database: migrated, told what happened since, and on hold until a person accepts it.

    backup -> draft beside the database -> migrate -> check the consent log -> replay -> put in place -> accept

Nothing of the database that was there is changed before the draft is ready; then it is kept under another name.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import URL, Engine

from digest import audit
from digest.config.settings import Settings
from digest.database import SCHEMA_VERSION, open_as_it_is, open_database, reading, writing
from digest.delivery.outbox import Mailing
from digest.errors import StorageError, UsageError
from digest.operations import doctor, replaying, restoring_store, salvage_store
from digest.operations.backup import is_database, put_in_place, run_postgresql
from digest.operations.findings import Finding
from digest.weekly.calendar import Week

_SQLITE, _POSTGRESQL = b"SQLite format 3\0", b"PGDMP"  # how files of a backup begin
_SQLITE_LOCKS = (510, 0x40000002)  # bytes that a connection holds in part: "Database File Format" section 1.9, SHARED
_MOST_WEEKS = 60
_ANY = 2**63 - 1  # no delivery has a higher id


class Restored(NamedTuple):
    """Of which moment the copy is, where the database is that was there, what the doctor says of the consent log, and
    what was taken over from a newer database, if one was named."""

    backed_up_at: datetime
    kept: Path | None
    consent_log: tuple[Finding, ...]
    replayed: replaying.Replayed | None


def restore(settings: Settings, file: Path, replay_from: str | None, now: datetime) -> Restored:
    """Put a backup in place of the configured database, on hold.

    Raises UsageError where the file fits the database not, StorageError where one of them cannot be read or written,
    is of a newer version, or where another program has the database open or (on PostgreSQL) it is not empty.
    """
    url = open_as_it_is(settings.database.url).url
    begin = _beginning(file)
    if url.get_backend_name() == "sqlite":
        if begin != _SQLITE:
            raise UsageError(f"{file} is no backup of a SQLite database, and [database] url names one.")
        if is_database(url, file):
            raise UsageError(f"{file} is the database itself; name a copy of it.")
        return _restore_sqlite(settings, _path_of(url), file, replay_from, now)
    if not begin.startswith(_POSTGRESQL):
        raise UsageError(f"{file} is no backup of a PostgreSQL database, and [database] url names one.")
    return _restore_postgresql(settings, url, file, replay_from, now)


def _beginning(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(len(_SQLITE))
    except OSError as error:
        raise StorageError(f"the backup {file} cannot be read: {error.strerror}.") from error


def _path_of(url: URL) -> Path:
    if not url.database or url.database.startswith(("file:", ":memory:")):
        raise UsageError("restoring wants [database] url to be a path, as in sqlite:///digest.db.")
    return Path(url.database)


def _restore_sqlite(settings: Settings, target: Path, file: Path, replay_from: str | None, now: datetime) -> Restored:
    _demand_alone(target)
    try:
        with TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as folder:
            draft = Path(folder) / target.name
            _draft(file, draft, now)
            with _opened(f"sqlite:///{draft}") as engine:
                done = _made_ready(engine, settings, replay_from, target.parent, now)
            _demand_alone(target)
            _give_to_owner(draft, target)
            kept = _keep(target, now)
            put_in_place(draft, target)
    except OSError as error:
        raise StorageError(f"nothing can be written beside {target}: {error.strerror}; nothing was changed.") from error
    return done._replace(kept=kept)


@contextmanager
def _opened(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    try:
        yield engine
    finally:
        engine.dispose()


def _draft(file: Path, draft: Path, now: datetime) -> None:
    """A copy of a backup, mode 0600, on hold; the backup stays as it is. Raises StorageError for one that is none."""
    for suffix in ("", "-wal"):
        if Path(f"{file}{suffix}").exists():  # a file that was merely copied may have a write-ahead log
            shutil.copyfile(f"{file}{suffix}", f"{draft}{suffix}")
            os.chmod(f"{draft}{suffix}", 0o600)
    bare = open_as_it_is(f"sqlite:///{draft}")
    try:
        with reading(bare) as connection:
            version = salvage_store.version(connection) if restoring_store.is_whole(connection) else None
    except StorageError:
        version = None
    finally:
        bare.dispose()
    if version is None:
        raise StorageError(f"{file} is no database of Digest, or is damaged; take another backup.")
    if version > SCHEMA_VERSION:
        raise StorageError(f"{file} is of a newer version ({version}) than this program; upgrade the program.")
    with _opened(f"sqlite:///{draft}") as engine:
        _hold(engine, now)


def _made_ready(engine: Engine, settings: Settings, replay_from: str | None, workshop: Path, now: datetime) -> Restored:
    with reading(engine) as connection:
        waits = restoring_store.held(connection)
    assert waits is not None
    found = tuple(doctor.consent_log(engine, now))
    replayed = None
    if replay_from is not None:
        weeks = _weeks(waits.backed_up_at, now, settings.series.zone)
        with salvage_store.opened(replay_from, workshop) as old:
            with reading(old) as source:
                version = salvage_store.version(source)
            if version is None:
                raise StorageError(f"the database to replay from holds no readers of Digest; is it {replay_from}?")
            if version > SCHEMA_VERSION:
                raise StorageError(
                    f"the database to replay from is of a newer version ({version}) than this program; upgrade it."
                )
            replayed = replaying.replay(old, engine, settings, weeks, now)
    return Restored(waits.backed_up_at, None, found, replayed)


def _weeks(since: datetime, now: datetime, zone: ZoneInfo) -> list[str]:
    """Weeks whose edition may have been sent between two moments; of a long time the newest, as others are over."""
    week, weeks = Week.now(now, zone), list[str]()
    while week >= Week.now(since, zone) and len(weeks) < _MOST_WEEKS:
        weeks.append(str(week))
        week = week.previous
    return weeks[::-1]


def _demand_alone(target: Path) -> None:
    """Raise StorageError where another connection to a SQLite database is open: it would go on sending from it."""
    if not target.exists():
        return
    taken = StorageError(
        f"another program has {target} open; stop `digest serve` and whatever else uses it, then again."
    )
    try:
        with closing(sqlite3.connect(f"{target.absolute().as_uri()}?mode=rw", uri=True, timeout=0)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")  # which only a connection that is alone can do
            return
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise taken from error
    except sqlite3.DatabaseError:
        pass
    if os.name != "posix":
        return
    import fcntl

    with target.open("rb+") as file:  # it is damaged, so SQLite itself does not say
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, *_SQLITE_LOCKS)
        except OSError as error:
            raise taken from error


def _give_to_owner(draft: Path, target: Path) -> None:
    """Who could use the database that was there can use the copy, also where root restores it."""
    if target.exists():
        shutil.copymode(target, draft)
        if os.name == "posix" and os.geteuid() == 0:
            os.chown(draft, target.stat().st_uid, target.stat().st_gid)


def _keep(target: Path, now: datetime) -> Path | None:
    """Give the database that is there, and its log, a name that says what it was."""
    if not target.exists():
        return None
    name = f"{target.name}.before-restore-{now:%Y%m%dT%H%M%SZ}"
    number = 0
    while (kept := target.with_name(f"{name}-{number}" if number else name)).exists():
        number += 1
    for suffix in ("-wal", ""):
        if Path(f"{target}{suffix}").exists():
            os.replace(f"{target}{suffix}", f"{kept}{suffix}")
    Path(f"{target}-shm").unlink(missing_ok=True)
    return kept


def _restore_postgresql(settings: Settings, url: URL, file: Path, replay_from: str | None, now: datetime) -> Restored:
    """Into an empty database; the mark that it is on hold is there before the first row is."""
    bare = open_as_it_is(settings.database.url)
    try:
        with reading(bare) as connection:
            if not restoring_store.is_empty(connection):
                raise StorageError(
                    f'the database "{url.database}" is not empty; make a new one (createdb), name it in [database] url '
                    "and keep the other until you have accepted the copy."
                )
        for section in ("pre-data", "data", "post-data"):
            words = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", f"--section={section}")
            run_postgresql("pg_restore", url, *words, str(file))
            if section != "post-data":
                _hold(bare, now)
    finally:
        bare.dispose()
    with _opened(settings.database.url) as engine:
        _hold(engine, now)
        return _made_ready(engine, settings, replay_from, Path.cwd(), now)


def _hold(engine: Engine, now: datetime) -> None:
    """Of which moment the copy is, its mark says, or the newest trace in it. A mark of now, as is set before the first
    row of a dump is there, says nothing."""
    with writing(engine) as connection:
        if restoring_store.can_hold(connection):  # a copy of an old version has no such table before it is migrated
            known = restoring_store.held(connection)
            is_told = known is not None and known.backed_up_at < now
            trace = None if is_told else restoring_store.newest_trace(connection, now)
            restoring_store.hold(connection, trace or now)


class Foreseen(NamedTuple):
    """What accepting a restored copy comes to: how many deliveries of which mailings would go out, how many become
    uncertain, and the weeks whose edition is held for sent."""

    backed_up_at: datetime
    going: tuple[tuple[Mailing, int], ...]
    doubted: tuple[tuple[Mailing, int], ...]
    closed: tuple[str, ...]


def foresee(engine: Engine, settings: Settings, now: datetime, *, nothing_was_sent: bool = False) -> Foreseen:
    """What `accept` would do. Raises UsageError where the database waits for nobody."""
    with reading(engine) as connection:
        waits = restoring_store.held(connection)
        if waits is None:
            raise UsageError("this database is no restored copy that waits: there is nothing to accept.")
        if waits.replayed or nothing_was_sent:
            going = restoring_store.count_waiting(connection, 0, _ANY)
            return Foreseen(waits.backed_up_at, tuple(going), (), ())
        doubted = restoring_store.count_waiting(connection, 0, waits.newest_delivery)
        going = restoring_store.count_waiting(connection, waits.newest_delivery + 1, _ANY)
        weeks = _weeks(waits.backed_up_at, now, settings.series.zone)
        closed = restoring_store.unqueued(connection, weeks)
    return Foreseen(waits.backed_up_at, tuple(going), tuple(doubted), tuple(closed))


def accept(engine: Engine, settings: Settings, who: str, now: datetime, *, nothing_was_sent: bool = False) -> Foreseen:
    """Let a restored copy send again. What may have been sent since the backup becomes uncertain, and weeks that may
    have had an edition have none, unless the copy was told or a person says that nothing was sent."""
    foreseen = foresee(engine, settings, now, nothing_was_sent=nothing_was_sent)
    with writing(engine) as connection:
        waits = restoring_store.held(connection)
        if waits is not None and not (waits.replayed or nothing_was_sent):
            restoring_store.doubt(connection, waits.newest_delivery, now)
            restoring_store.close_weeks(connection, foreseen.closed, now)
        restoring_store.lift(connection)
        audit.write(
            connection,
            "restored",
            "",
            who,
            now,
            copy=foreseen.backed_up_at.isoformat(),
            closed=list(foreseen.closed),
            doubted=sum(count for _mailing, count in foreseen.doubted),
            word="nothing was sent" if nothing_was_sent else "",
        )
    return foreseen
