"""A backup of a database at work, put back: it is consistent, sends nothing unasked, and nothing twice after that."""

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, insert, make_url, text, update
from tests.conftest import NOW, WEEK, _administer
from tests.outgoing import some_contents, some_outgoing

from digest.config.settings import Settings
from digest.database import metadata, open_database, reading, writing
from digest.delivery import counting, outbox, sending
from digest.delivery.due import any_due
from digest.delivery.outbox import Mailing, Settled
from digest.edition.rendered import Rendered
from digest.edition.store import EditionTable
from digest.errors import DeliveryError, StorageError, UsageError
from digest.membership import leaving
from digest.operations import doctor, restoring_store, salvage_store
from digest.operations.backup import back_up, run_postgresql
from digest.operations.restoring import accept, foresee, restore
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent, Kind
from digest.weekly import store as weeks
from digest.weekly.calendar import parse_week

LATER = NOW + timedelta(days=1)
KEYS = (b"0123456789abcdef0123456789abcdef",)
deliveries = metadata.tables["delivery"]
pytestmark = pytest.mark.usefixtures("postgresql_programs")
AddReaders = Callable[..., list[int]]
Queue = Callable[[], Mailing]


@pytest.fixture
def lost(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a new database to restore into: on SQLite a path where there is nothing yet."""
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'restored.db'}"
        return
    server: URL = request.getfixturevalue("postgresql")
    name = f"{make_url(database_url).database}_restored"
    _administer(server, f"CREATE DATABASE {name}")
    yield server.set(database=name).render_as_string(hide_password=False)
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def into(lost: str, settings: Settings) -> Settings:
    return settings.model_copy(update={"database": settings.database.model_copy(update={"url": lost})})


@pytest.fixture
def send(settings: Settings, rendered: Rendered) -> Callable[[Engine], dict[str, int]]:
    """Sends the week's edition from a database; answers with the states that occur."""

    def send(engine: Engine) -> dict[str, int]:
        with reading(engine) as connection:
            mailing = outbox.find(connection, WEEK)
        assert mailing is not None
        contents = some_contents(rendered, settings)
        told = sending.drain(engine, settings, mailing, contents, sending.transport_of(settings), lambda: NOW)
        return {state: count for state, count in told.items() if count}

    return send


def recipients(settings: Settings) -> list[str]:
    """Who got a mail, as often as they did."""
    mails = (settings.delivery.maildir / "new").glob("*")
    return sorted(line[4:] for mail in mails for line in mail.read_text().splitlines() if line.startswith("To: "))


def reopened(settings: Settings) -> Engine:
    return open_database(settings.database.url)


def say(engine: Engine, number: int, kind: Kind, until: datetime | None = None) -> None:
    event = ConsentEvent(kind, LATER, "test", until=until)
    with writing(engine) as connection:
        leaving.erase(connection, number, event, KEYS) if kind == "erased" else store.append(connection, number, event)


def tally(engine: Engine) -> dict[str, int]:
    with reading(engine) as connection:
        mailing = outbox.find(connection, WEEK)
        assert mailing is not None
        counted = counting.tally(connection, mailing.id)
    assert sum(counted.values()) == mailing.audience
    return {state: count for state, count in counted.items() if count}


def test_a_restored_copy_sends_nothing_until_a_person_accepts(
    engine: Engine, into: Settings, tmp_path: Path, add_readers: AddReaders, queue: Queue, send: Callable[..., object]
) -> None:
    add_readers(3)
    queue()
    back_up(engine, tmp_path / "copy", LATER)
    assert restore(into, tmp_path / "copy", None, LATER).replayed is None
    copy = reopened(into)
    with writing(copy) as connection:
        mailing = outbox.find(connection, WEEK)
        assert mailing is not None
        lease, too_late = timedelta(minutes=1), NOW + timedelta(days=4)
        assert outbox.claim(connection, mailing, "me", NOW, lease, 9, some_outgoing()).deliveries == ()
        assert outbox.claim(connection, mailing, "me", too_late, lease, 9, some_outgoing()).deliveries == ()
        assert not any_due(connection, mailing.id, NOW)
    assert tally(copy) == {"pending": 3}
    with pytest.raises(DeliveryError, match="accept-restore"):
        send(copy)
    with writing(copy) as connection, pytest.raises(DeliveryError, match="accept-restore"):
        outbox.queue(connection, some_outgoing("2026-W19"), "another", NOW)
    accept(copy, into, "ada", LATER, nothing_was_sent=True)
    assert send(copy) == {"sent": 3}
    copy.dispose()


def test_a_sender_that_had_claimed_hands_nothing_over_once_the_copy_is_on_hold(
    engine: Engine, add_readers: AddReaders, queue: Queue
) -> None:
    add_readers(1)
    mailing = queue()
    lease = timedelta(minutes=1)
    with writing(engine) as connection:
        (one,) = outbox.claim(connection, mailing, "me", NOW, lease, 9, some_outgoing()).deliveries
        restoring_store.hold(connection, NOW)
        assert outbox.dot(connection, [one.id], "me", NOW, lease) == frozenset()
        restoring_store.lift(connection)
        assert outbox.dot(connection, [one.id], "me", NOW, lease) == {one.id}


def test_a_letter_that_a_reader_asked_for_while_the_copy_waited_goes_out_with_its_acceptance(
    engine: Engine, into: Settings, tmp_path: Path, add_readers: AddReaders
) -> None:
    ann, ben = add_readers(2)
    with writing(engine) as connection:
        outbox.queue_letter(connection, "preferences", ann, NOW)
    back_up(engine, tmp_path / "copy", NOW)
    restore(into, tmp_path / "copy", None, LATER)
    copy = reopened(into)
    with writing(copy) as connection:
        outbox.queue_letter(connection, "preferences", ben, LATER)
    with pytest.raises(DeliveryError, match="accept-restore"):
        sending.send_letters(copy, into, lambda: LATER)
    foreseen = accept(copy, into, "ada", LATER)
    assert [(mailing.week, count) for mailing, count in foreseen.doubted] == [("2026-05-04", 1)]
    assert [(mailing.week, count) for mailing, count in foreseen.going] == [("2026-05-05", 1)]
    assert sending.send_letters(copy, into, lambda: LATER) == 1
    assert recipients(into) == ["r1@example.org"]
    copy.dispose()


def test_what_waited_in_the_backup_is_never_resent_blindly(
    engine: Engine, into: Settings, tmp_path: Path, add_readers: AddReaders, queue: Queue, send: Callable[..., object]
) -> None:
    add_readers(3)
    queue()
    back_up(engine, tmp_path / "copy", LATER)
    assert send(engine) == {"sent": 3}
    restore(into, tmp_path / "copy", None, LATER)
    copy, after_a_week = reopened(into), NOW + timedelta(days=7)
    assert accept(copy, into, "ada", after_a_week).closed == ("2026-W19", "2026-W20")
    assert send(copy) == {"uncertain": 3}
    assert len(recipients(into)) == 3
    with writing(copy) as connection, pytest.raises(DeliveryError, match="may have been sent before"):
        outbox.queue(connection, some_outgoing("2026-W20"), "drafted anew", after_a_week)
    copy.dispose()


def test_restored_a_week_later_no_week_since_the_backup_goes_out_again(
    engine: Engine, into: Settings, tmp_path: Path, add_readers: AddReaders, queue: Queue, send: Callable[..., object]
) -> None:
    add_readers(3)
    queue()
    send(engine)
    with writing(engine) as connection:  # a clock that ran ahead
        asked = ConsentEvent("requested", NOW + timedelta(days=4000), "form")
        store.add(connection, [store.Newcomer("x@example.org", "x@example.org", asked)], NOW)
    back_up(engine, tmp_path / "copy", NOW + timedelta(hours=1))
    after_a_week = NOW + timedelta(days=7)
    done = restore(into, tmp_path / "copy", None, after_a_week)
    assert NOW <= done.backed_up_at <= NOW + timedelta(hours=1)
    copy = reopened(into)
    assert accept(copy, into, "ada", after_a_week).closed == ("2026-W19", "2026-W20")
    with writing(copy) as connection, pytest.raises(DeliveryError, match="may have been sent before"):
        outbox.queue(connection, some_outgoing("2026-W19"), "drafted anew", after_a_week)
    copy.dispose()


def test_a_copy_of_a_copy_that_waits_is_of_the_earlier_moment(
    engine: Engine, into: Settings, tmp_path: Path, add_readers: AddReaders
) -> None:
    with writing(engine) as connection:
        restoring_store.hold(connection, NOW - timedelta(days=30))
    add_readers(1)
    back_up(engine, tmp_path / "copy", NOW)
    assert restore(into, tmp_path / "copy", None, LATER).backed_up_at == NOW - timedelta(days=30)
    copy = reopened(into)
    with reading(copy) as connection:
        assert connection.scalar(text("SELECT count(*) FROM restored")) == 1
    copy.dispose()


def test_a_restored_copy_learns_who_left_and_what_was_sent(
    engine: Engine, into: Settings, tmp_path: Path, add_readers: AddReaders, queue: Queue, send: Callable[..., object]
) -> None:
    stays, leaves, complains, pauses, forgotten, returns = add_readers(6)
    back_up(engine, tmp_path / "copy", NOW)
    mailing = queue()
    assert send(engine) == {"sent": 6}
    for number, kind in ((leaves, "withdrawn"), (complains, "complained"), (forgotten, "erased")):
        say(engine, number, kind)  # type: ignore[arg-type]
    say(engine, pauses, "paused", NOW + timedelta(days=30))
    say(engine, returns, "withdrawn")
    say(engine, returns, "confirmed")
    newer = add_readers(0, "new@example.org")
    told = restore(into, tmp_path / "copy", place_of(engine), LATER).replayed
    assert told is not None
    assert told[:9] == (3, 1, 1, 1, 6, 0, 0, 0, 0)
    assert told.unread == ()
    copy = reopened(into)
    with reading(copy) as connection:
        found = store.get(connection, [stays, leaves, complains, pauses, forgotten, returns, *newer])
        states = {number: one.consent.state for number, one in found.items()}
        assert store.refused(connection, ["r4@example.org"], KEYS) == {"r4@example.org": forgotten}
        assert outbox.find(connection, WEEK) == mailing
    assert states == {
        stays: "confirmed",
        leaves: "withdrawn",
        complains: "complained",
        pauses: "confirmed",
        returns: "withdrawn",
    }
    assert [it.level for it in doctor.consent_log(copy, LATER)] == ["ok"]
    accept(copy, into, "ada", LATER)
    assert send(copy) == {"sent": 6}
    with writing(copy) as connection:
        following = outbox.queue(connection, some_outgoing("2026-W19"), "the next", NOW + timedelta(days=7))
        counted = counting.tally(connection, following.id)
    assert (counted["pending"], counted["skipped"] + counted["held"]) == (1, 1)
    assert len(recipients(into)) == 6
    copy.dispose()


def place_of(engine: Engine) -> str:
    if engine.dialect.name == "sqlite":
        return str(engine.url.database)
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def break_off(engine: Engine, readers: list[int]) -> None:
    """Let the machine die half-way through a mailing: one has it, one perhaps, the others do not."""
    states = ("sent", "dot", "claimed", "deferred", "pending")
    with writing(engine) as connection:
        for number, state in zip(readers, states, strict=True):
            values = {"state": state, "next_attempt_at": NOW if state == "deferred" else None}
            mine = deliveries.c.subscriber_id == number
            connection.execute(update(deliveries).where(mine).values(**values))


@pytest.mark.parametrize("is_approved", [True, False])
def test_the_rest_of_a_mailing_that_broke_off_goes_out_where_the_copy_has_its_edition_and_is_told_of_elsewhere(
    engine: Engine,
    into: Settings,
    tmp_path: Path,
    add_readers: AddReaders,
    queue: Queue,
    send: Callable[..., object],
    is_approved: bool,
) -> None:
    readers = add_readers(5)
    content = "hash of what was approved"
    stored = {"content": "{}", "rendered": "{}", "envelope": "{}", "content_hash": content, "drafted_at": NOW}
    approved = {"approved_hash": content, "approved_at": NOW} if is_approved else {}
    with writing(engine) as connection:
        connection.execute(insert(EditionTable).values(week=WEEK, number=1, **stored, **approved))
    back_up(engine, tmp_path / "copy", NOW)
    add_readers(0, "new@example.org")
    queue()
    break_off(engine, readers)
    with writing(engine) as connection:
        outbox.queue_letter(connection, "preferences", readers[0], NOW)
    told = restore(into, tmp_path / "copy", place_of(engine), LATER).replayed
    assert told is not None
    assert (told.deliveries, told.waiting, told.missed) == ((2, 4, 0) if is_approved else (2, 1, 3))
    copy = reopened(into)
    going = accept(copy, into, "ada", LATER).going
    assert [(mailing.kind, count) for mailing, count in going] == [("preferences", 1), ("edition", 3)][
        : 1 + is_approved
    ]
    sent = {"sent": 4, "uncertain": 1} if is_approved else {"sent": 1, "uncertain": 1, "skipped": 3}
    assert send(copy) == sent
    assert recipients(into) == [f"r{number}@example.org" for number in (2, 3, 4) if is_approved]
    assert sending.send_letters(copy, into, lambda: LATER) == 1
    copy.dispose()


def test_a_week_that_a_person_skipped_since_the_backup_is_skipped_in_the_copy(
    engine: Engine, into: Settings, tmp_path: Path, add_readers: AddReaders
) -> None:
    add_readers(1)
    skipped, taken_up = parse_week("2026-W19"), parse_week("2026-W20")
    back_up(engine, tmp_path / "copy", NOW)
    with writing(engine) as connection:
        for week in (skipped, taken_up):
            weeks.skip(connection, week, NOW)
        weeks.reopen(connection, taken_up, NOW)
    told = restore(into, tmp_path / "copy", place_of(engine), LATER).replayed
    assert told is not None
    assert (told.skipped, told.unread) == (1, ())
    copy = reopened(into)
    with reading(copy) as connection:
        done = weeks.read_done(connection, taken_up).weeks
    assert {week for week, one in done.items() if one.skipped} == {skipped}
    copy.dispose()


def test_a_database_of_other_readers_is_not_replayed(
    engine: Engine, into: Settings, tmp_path: Path, add_readers: AddReaders
) -> None:
    add_readers(2)
    back_up(engine, tmp_path / "copy", NOW)
    other = f"sqlite:///{tmp_path / 'other.db'}"
    stranger = open_database(other)
    with writing(stranger) as connection:
        store.add(connection, [store.Newcomer("x@y.org", "x@y.org", ConsentEvent("confirmed", NOW, "form"))], NOW)
    stranger.dispose()
    with pytest.raises(StorageError, match="no later state of this backup"):
        restore(into, tmp_path / "copy", other, LATER)


# While a sender writes


def test_a_backup_made_while_a_sender_writes_adds_up(
    engine: Engine, into: Settings, tmp_path: Path, add_readers: AddReaders, queue: Queue
) -> None:
    add_readers(300)
    mailing, over = queue(), threading.Event()

    def write() -> None:
        while not over.is_set():
            with writing(engine) as connection:
                taken = outbox.claim(connection, mailing, "me", NOW, timedelta(minutes=1), 10, some_outgoing())
                ids = [one.id for one in taken.deliveries]
                outbox.dot(connection, ids, "me", NOW, timedelta(minutes=1))
                outbox.record(connection, "me", [Settled(number, "sent", "ok") for number in ids], NOW)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        back_up(engine, tmp_path / "copy", NOW)
    finally:
        over.set()
        writer.join()
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600
    restore(into, tmp_path / "copy", None, LATER)
    copy = reopened(into)
    assert tally(copy).get("sent", 0) % 10 == 0
    assert [it.level for it in doctor.consent_log(copy, LATER)] == ["ok"]
    copy.dispose()


# Damage, on SQLite


@pytest.fixture
def broken(tmp_path: Path, sqlite_template: Path) -> Iterator[Engine]:
    """A SQLite database of some hundred pages, of which a backup is `copy`."""
    shutil.copy(sqlite_template, tmp_path / "digest.db")
    engine = open_database(f"sqlite:///{tmp_path / 'digest.db'}")
    agreed = ConsentEvent("confirmed", NOW, "form")
    with writing(engine) as connection:
        names = [f"r{number}@example.org" for number in range(600)]
        store.add(connection, [store.Newcomer(name, name, agreed) for name in names], NOW)
        outbox.queue(connection, some_outgoing(WEEK), "hash of what was approved", NOW)
    back_up(engine, tmp_path / "copy", NOW)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_settings(settings: Settings, tmp_path: Path) -> Settings:
    url = f"sqlite:///{tmp_path / 'digest.db'}"
    return settings.model_copy(update={"database": settings.database.model_copy(update={"url": url})})


@pytest.mark.parametrize(
    ("damage", "states"),
    [
        ("cut before the deliveries", {"uncertain"}),
        ("cut among the deliveries", {"sent", "uncertain"}),
        ("holes", {"sent", "uncertain"}),
    ],
)
def test_of_a_damaged_database_what_can_be_read_is_taken_over_and_nobody_gets_two(
    broken: Engine,
    sqlite_settings: Settings,
    tmp_path: Path,
    send: Callable[..., object],
    damage: str,
    states: set[str],
) -> None:
    with writing(broken) as connection:
        connection.execute(text("UPDATE delivery SET state = 'sent'"))
        for number in sorted(one.id for one in store.everyone(connection))[::3]:
            store.append(connection, number, ConsentEvent("withdrawn", LATER, "test"))
    broken.dispose()
    file = tmp_path / "digest.db"
    pages = pages_of(file, "delivery")
    middle = pages[len(pages) // 2]
    with file.open("rb+") as opened:
        if damage == "holes":
            for page in (middle, *range(11, file.stat().st_size // 4096, 7)):
                opened.seek((page - 1) * 4096)
                opened.write(b"\xff" * 4096)
        else:
            opened.truncate(((pages[0] if "before" in damage else middle) - 1) * 4096)
    told = restore(sqlite_settings, tmp_path / "copy", str(file), LATER).replayed
    assert told is not None
    assert any(sentence.startswith("delivery: ") for sentence in told.unread)
    assert 20 < told.ended <= 200
    assert told.deliveries + told.doubted == 600
    copy = reopened(sqlite_settings)
    accept(copy, sqlite_settings, "ada", LATER)
    send(copy)
    assert set(tally(copy)) == states
    assert recipients(sqlite_settings) == []
    copy.dispose()


def pages_of(file: Path, table: str) -> list[int]:
    """The numbers, from 1, of the pages that hold a table's rows."""
    with closing(sqlite3.connect(file)) as raw:
        asked = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY pageno"
        return [row[0] for row in raw.execute(asked, (table,))]


@pytest.mark.parametrize("damage", ["other bytes", "zeros", "cut"])
def test_of_a_damaged_table_only_what_is_damaged_is_lost(tmp_path: Path, broken: Engine, damage: str) -> None:
    broken.dispose()
    pages = pages_of(tmp_path / "digest.db", "delivery")
    offset = (pages[len(pages) // 2] - 1) * 4096
    with (tmp_path / "digest.db").open("rb+") as opened:
        opened.seek(offset + (0 if damage == "other bytes" else 3072))  # rows are at the end of a page
        opened.write(b"\xff" * 4096 if damage == "other bytes" else b"\0" * 512)
        if damage == "cut":
            opened.truncate(offset + 3072)
    gaps: list[salvage_store.Gap] = []
    with salvage_store.opened(str(tmp_path / "digest.db"), tmp_path) as engine, reading(engine) as connection:
        read = [row.id for page in salvage_store.pages(connection, "delivery", ["id"], gaps) for row in page]
    assert gaps
    assert read == sorted(set(read))
    assert {number for gap in gaps for number in range(gap.low, min(gap.high, 600) + 1)} >= {*range(1, 601)} - {*read}
    assert len(read) > (200 if damage == "cut" else 500)


# What a user can do wrong


def test_the_database_that_was_there_is_kept_with_what_it_held(
    broken: Engine, sqlite_settings: Settings, tmp_path: Path
) -> None:
    say(broken, 1, "withdrawn")
    broken.dispose()
    done = restore(sqlite_settings, tmp_path / "copy", None, NOW)
    assert done.kept == tmp_path / "digest.db.before-restore-20260504T090000Z"
    with sqlite3.connect(done.kept) as kept:
        assert kept.execute("SELECT count(*) FROM consent_event").fetchone() == (601,)
    kept.close()
    again = restore(sqlite_settings, tmp_path / "copy", None, NOW)
    assert again.kept == tmp_path / "digest.db.before-restore-20260504T090000Z-1"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("damaged", [False, True])
def test_a_database_that_another_program_has_open_is_left_alone(
    broken: Engine, sqlite_settings: Settings, tmp_path: Path, damaged: bool
) -> None:
    broken.dispose()
    there, done = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        held = sqlite3.connect(tmp_path / "digest.db")
        held.execute("PRAGMA journal_mode = WAL")
        held.execute("SELECT count(*) FROM subscriber").fetchone()
        os.write(there[1], b"x")
        os.read(done[0], 1)
        os._exit(0)
    os.read(there[0], 1)
    if damaged:
        with (tmp_path / "digest.db").open("rb+") as opened:
            opened.write(b"x" * 100)
    before = (tmp_path / "digest.db").read_bytes()
    try:
        with pytest.raises(StorageError, match="another program has"):
            restore(sqlite_settings, tmp_path / "copy", None, LATER)
        assert (tmp_path / "digest.db").read_bytes() == before
    finally:
        os.write(done[1], b"x")
        os.waitpid(child, 0)


def test_a_backup_replaces_no_file_unasked_and_never_the_database(broken: Engine, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there already"):
        back_up(broken, tmp_path / "copy", NOW)
    back_up(broken, tmp_path / "copy", NOW, force=True)
    with pytest.raises(UsageError, match="the database itself"):
        back_up(broken, tmp_path / "digest.db", NOW, force=True)
    with pytest.raises(StorageError, match="cannot be written: No such file or directory"):
        back_up(broken, tmp_path / "nowhere" / "copy", NOW)


def test_a_backup_holds_nothing_of_whom_was_erased(broken: Engine, tmp_path: Path) -> None:
    with reading(broken) as connection:
        one = store.find(connection, "r77@example.org")
    assert one is not None
    say(broken, one.id, "erased")
    back_up(broken, tmp_path / "after", NOW)
    assert b"r77@example.org" in (tmp_path / "copy").read_bytes()
    assert b"r77@example.org" not in (tmp_path / "after").read_bytes()


def test_what_is_no_backup_of_this_database_is_refused_and_changes_nothing(
    broken: Engine, sqlite_settings: Settings, tmp_path: Path
) -> None:
    broken.dispose()
    copy = (tmp_path / "copy").read_bytes()
    newer = sqlite3.connect(tmp_path / "copy")
    newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.commit()
    newer.close()
    (tmp_path / "text").write_text("Dear diary,")
    (tmp_path / "cut").write_bytes(copy[: len(copy) // 2])
    (tmp_path / "empty").write_bytes(b"")
    sqlite3.connect(tmp_path / "other").execute("CREATE TABLE t (x)").connection.close()
    for name, said in (
        ("nothing", "cannot be read: No such file"),
        ("text", "is no backup of a SQLite database"),
        ("empty", "is no backup of a SQLite database"),
        ("cut", "is damaged"),
        ("other", "is no database of Digest"),
        ("copy", r"newer version \(9999\)"),
        ("digest.db", "the database itself"),
    ):
        with pytest.raises((StorageError, UsageError), match=said):
            restore(sqlite_settings, tmp_path / name, None, LATER)
    (tmp_path / "good").write_bytes(copy)
    for name, said in (("text", "nothing can be read"), ("nothing", "No such file"), ("other", "no readers of Digest")):
        with pytest.raises(StorageError, match=said):
            restore(sqlite_settings, tmp_path / "good", str(tmp_path / name), LATER)
    assert not list(tmp_path.glob("*.before-restore-*"))


def test_what_is_no_restored_copy_has_nothing_to_accept(engine: Engine, settings: Settings) -> None:
    with pytest.raises(UsageError, match="nothing to accept"):
        foresee(engine, settings, NOW)


def test_a_postgresql_is_restored_only_into_an_empty_database(
    postgresql: URL, settings: Settings, tmp_path: Path
) -> None:
    url = postgresql.set(database="template").render_as_string(hide_password=False)
    engine = open_database(url)
    back_up(engine, tmp_path / "copy", NOW)
    engine.dispose()
    chosen = settings.model_copy(update={"database": settings.database.model_copy(update={"url": url})})
    with pytest.raises(StorageError, match='"template" is not empty'):
        restore(chosen, tmp_path / "copy", None, NOW)


def test_where_pg_dump_is_missing_one_sentence_says_so(
    postgresql: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_database(postgresql.set(database="template").render_as_string(hide_password=False))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StorageError, match="pg_dump is not installed"):
        back_up(engine, tmp_path / "copy", NOW)
    engine.dispose()
    assert not list(tmp_path.glob("*copy*"))


def test_a_copy_that_somebody_puts_in_place_by_hand_waits_as_well(broken: Engine, tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'copy'}")
    with writing(engine) as connection, pytest.raises(DeliveryError, match="accept-restore"):
        outbox.queue(connection, some_outgoing("2026-W19"), "x", NOW)
    engine.dispose()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_dump_that_pg_restore_alone_brought_back_waits_once_the_guides_statement_was_run(
    engine: Engine, into: Settings, tmp_path: Path, add_readers: AddReaders, queue: Queue, send: Callable[..., object]
) -> None:
    add_readers(3)
    queue()
    back_up(engine, tmp_path / "copy", NOW)
    run_postgresql("pg_restore", make_url(into.database.url), "--no-owner", str(tmp_path / "copy"))
    guide = (Path(__file__).parents[2] / "docs" / "backup.md").read_text()
    copy = reopened(into)
    with writing(copy) as connection:
        connection.execute(text(guide.partition("```sql\n")[2].partition("```")[0]))
    with pytest.raises(DeliveryError, match="accept-restore"):
        send(copy)
    assert accept(copy, into, "ada", LATER).backed_up_at == NOW
    assert send(copy) == {"uncertain": 3}
    copy.dispose()
