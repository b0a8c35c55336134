"""Sending an edition with all that a real one does, beside what only pushes bytes and beside other newsletter senders.

Ours reads consent anew, signs two links a message, names the delivery in the envelope sender, joins a watch list for
every second reader and keeps the outbox in an SQLite file that is synced at each commit. It runs in a process of its
own, as the others do; making the readers is not timed.
"""

import json
import random
import resource
import shutil
import smtplib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, delete, insert, select, text
from sqlmodel import Session
from tests.outgoing import some_outgoing

from benchmarks import peers, relays
from digest.config.settings import Settings
from digest.database import metadata, open_database, reading, writing
from digest.delivery import message, outbox
from digest.delivery.contents import Contents, of_edition
from digest.delivery.tables import DeliveryRow
from digest.delivery.workers import drain_with_pool
from digest.edition.content import Edition
from digest.edition.rendered import Rendered
from digest.edition.renditions import Rendition
from digest.edition.store import load_edition, newest_edition
from digest.edition.watch_facts import WatchList
from digest.edition.watching import known_names
from digest.operations.demo import run_demo
from digest.rendering import templates
from digest.rendering.renditions import assemble
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent
from digest.subscribers.routing import Outgoing
from digest.subscribers.store import Newcomer

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
ROUNDS = 3
FEW, MANY = 10_000, 200_000  # readers
LISTS = 2_000  # different watch lists
ROUND_TRIP = 0.020  # seconds
KEYS = [b"0123456789abcdef0123456789abcdef"]


def run() -> None:
    """Print each figure as a ratio beside its goal, `falls short` where it does."""
    print(f"send an edition to {FEW:,} readers:")
    if name := relays.missing():
        print(f"  {name} is not there to be compared with: it comes with Postfix")
        return
    with tempfile.TemporaryDirectory() as folder, relays.sink() as port:
        made = run_demo(Path(folder) / "demo").drafted
        bench = Bench(Path(folder), made.edition, made.rendered, port)
        of_source(bench)
        over_a_slow_link(bench)
        of_others(bench)
        of_building(bench)
        of_queueing(bench)
        of_memory(bench)


def said(ratio: float, goal: float, what: str, *, at_most: bool = False) -> None:
    short = ratio > goal if at_most else ratio < goal
    bound = "at most" if at_most else "at least"
    print(f"  {ratio:.2f} {what} ({bound} {goal:g}{'; falls short' if short else ''})")


class Bench(NamedTuple):
    """What all figures share: a folder, the edition, and the port of a sink."""

    folder: Path
    edition: Edition
    rendered: Rendered
    port: int

    def ours(self, readers: Path, sessions: int, port: int | None = None) -> "Sent":
        """One sending in a process of its own, on a copy of a database of readers to whom the edition is queued."""
        copy = self.folder / "sending.db"
        shutil.copyfile(readers, copy)
        words = [str(self.folder / "demo"), str(copy), str(port or self.port), str(sessions)]
        ran = subprocess.run([sys.executable, "-m", __name__, *words], check=True, stdout=subprocess.PIPE, text=True)
        for left in self.folder.glob("sending.db*"):
            left.unlink()
        return Sent(*json.loads(ran.stdout))


class Sent(NamedTuple):
    """Messages a second, the size of one, and the process's peak memory in kB."""

    rate: float
    size: int
    peak: int


def of_source(bench: Bench) -> None:
    readers = queued(bench, FEW)
    for sessions, goal in ((16, 1.0), (1, 1.5)):
        rounds = []
        for _ in range(ROUNDS):
            ours = bench.ours(readers, sessions)
            theirs = relays.rate_of_source(bench.port, sessions, FEW, ours.size)
            rounds.append((ours.rate, theirs))
        one, other = (statistics.median(column) for column in zip(*rounds, strict=True))
        rates = f"{one:,.0f} to {other:,.0f} a second, {ours.size / 1000:.0f} kB each"
        said(one / other, goal, f"of smtp-source with {sessions} sessions: {rates}")


def over_a_slow_link(bench: Bench) -> None:
    """Beside smtplib with as many connections, whose messages were built before."""
    sessions, count = 16, 2_000
    readers = queued(bench, count)
    with relays.slow_link(bench.port, ROUND_TRIP) as port:
        ours = bench.ours(readers, sessions, port)
        theirs = by_smtplib(port, sessions, count // 4, ours.size)
    said(ours.rate / theirs, 3.5, f"times smtplib over a round trip of {1000 * ROUND_TRIP:.0f} ms, {sessions} sessions")


def by_smtplib(port: int, sessions: int, count: int, size: int) -> float:
    content = "Subject: x\r\n\r\n" + "x" * 70 + "\r\n"
    content += ("x" * 70 + "\r\n") * (size // 72)

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", port) as relay:
            for _ in range(count // sessions):
                relay.sendmail("a@example.org", ["b@example.org"], content)

    threads = [threading.Thread(target=send) for _ in range(sessions)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return count // sessions * sessions / (time.perf_counter() - start)


def of_others(bench: Bench) -> None:
    """Beside programs that send newsletters, each in the way that its own manual has it."""
    rate = bench.ours(queued(bench, FEW), 16).rate
    page = assemble(bench.rendered, RENDITION).html or ""
    for peer in peers.ALL:
        theirs = peers.rate(peer, bench.port, page.replace(templates.UNSUBSCRIBE_SLOT, "@@LINK@@"))
        if theirs is None:
            print(f"  {peer.name} is not there to be compared with: {peer.how}")
        else:
            said(rate / theirs, peer.goal, f"times {peer.name}: {rate:,.0f} to {theirs:,.0f} a second")


def of_building(bench: Bench) -> None:
    """One reader's bytes, beside the standard library's EmailMessage with the same parts."""
    settings, contents = settings_of(bench.port, 1), contents_of(bench.edition, bench.rendered)
    mail = contents.mail(RENDITION)
    mailing = outbox.Mailing(1, "edition", bench.edition.week, "", NOW, 1)
    compiled = message.compile_mail(mail, mailing, settings)
    with reading(open_database(f"sqlite:///{queued(bench, 100)}")) as connection:
        reader = store.get(connection, [1])[1]

    def naive() -> bytes:
        made = EmailMessage(SMTP)
        made["From"], made["To"], made["Subject"] = "a@example.org", reader.mailbox, mail.subject
        made.set_content(mail.text)
        made.add_alternative(mail.html or "", subtype="html")
        return made.as_bytes()

    own = message.Own(consented_on=NOW.date(), consent_method="form")
    fast = seconds(lambda: message.build(compiled, reader, KEYS, own), 2_000)
    slow = seconds(naive, 20)
    said(slow / fast, 200, f"times as fast as EmailMessage: {1e6 * fast:.0f} µs and {1e6 * slow:,.0f} µs a message")


def seconds(work: Callable[[], object], times: int) -> float:
    took = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(times):
            work()
        took.append((time.perf_counter() - start) / times)
    return statistics.median(took)


def of_queueing(bench: Bench) -> None:
    """The audience frozen by one statement, beside a row object for each reader."""
    path = readers_of(bench.folder / "queueing.db", FEW, bench.edition)
    engine = open_database(f"sqlite:///{path}")
    with writing(engine) as connection:
        start = time.perf_counter()
        mailing = outbox.queue(connection, outgoing(bench.edition), "hash", NOW)
    fast = time.perf_counter() - start
    with writing(engine) as connection:
        connection.execute(delete(metadata.tables["delivery"]))
    with Session(engine) as session:
        start = time.perf_counter()
        rows = (row(mailing.id, number) for number in range(1, FEW + 1))
        session.add_all(rows)
        session.commit()
    slow = time.perf_counter() - start
    said(slow / fast, 50, f"times as fast as add_all: {FEW / fast:,.0f} and {FEW / slow:,.0f} readers queued a second")


def row(mailing_id: int, subscriber_id: int) -> DeliveryRow:
    return DeliveryRow(mailing_id=mailing_id, subscriber_id=subscriber_id, state="pending", outcome="", changed_at=NOW)


def of_memory(bench: Bench) -> None:
    few, many = (bench.ours(queued(bench, count), 16).peak for count in (FEW, MANY))
    what = f"of the peak memory of {FEW:,} readers for {MANY:,}: {many / 1024:.0f} and {few / 1024:.0f} MB"
    said(many / few, 1.1, what, at_most=True)


# What is sent, and to whom

RENDITION = Rendition("en", (), "short", "ZZ")


def settings_of(port: int, sessions: int) -> Settings:
    relay = {"host": "127.0.0.1", "port": port, "tls": "none", "messages_per_connection": 10**9}
    return Settings.model_validate(
        {
            "delivery": {"transport": "smtp"},
            "smtp": {**relay, "sessions": sessions},
            "series": {"title": "Bench", "base_url": "https://digest.example", "postal_address": "1 Street, Town"},
            "mail": {"from_address": "news@digest.example", "bounce_address": "bounce@digest.example"},
            "links": {"keys": [KEYS[0].decode()]},
        }
    )


def outgoing(edition: Edition) -> Outgoing:
    return some_outgoing(edition.week, closes_at=NOW + timedelta(days=7))


def contents_of(edition: Edition, rendered: Rendered) -> Contents:
    return of_edition(rendered, [edition], outgoing(edition), settings_of(25, 1))


def queued(bench: Bench, count: int) -> Path:
    """A database with so many readers, to all of whom the edition is queued; made once."""
    path = bench.folder / f"{count}.db"
    if path.exists():
        return path
    readers_of(path, count, bench.edition)
    engine = open_database(f"sqlite:///{path}")
    with writing(engine) as connection:
        outbox.queue(connection, outgoing(bench.edition), "hash", NOW)
    close(engine)
    return path


def readers_of(path: Path, count: int, edition: Edition) -> Path:
    """A new database with so many readers of the short edition; every second one follows something."""
    engine, chance = open_database(f"sqlite:///{path}"), random.Random(20260504)
    lists = watch_lists(edition, chance)
    with writing(engine) as connection:
        store.add(
            connection, [Newcomer("r1@example.org", "r1@example.org", ConsentEvent("confirmed", NOW, "form"))], NOW
        )
        table = metadata.tables["subscriber"]
        first = dict(connection.execute(select(table)).one()._mapping)
        connection.execute(delete(table))
        for start in range(1, count + 1, 10_000):
            rows = [
                {**first, "id": number, "email": f"r{number}@example.org", "email_key": f"r{number}@example.org"}
                | {"format": "short", "watch_list": chance.choice(lists) if number % 2 else ""}
                for number in range(start, min(start + 10_000, count + 1))
            ]
            connection.execute(insert(table), rows)
    close(engine)
    return path


def watch_lists(edition: Edition, chance: random.Random) -> Sequence[str]:
    """Lists of one to four things out of all that can be followed, as they are stored."""
    known = known_names(edition, ())
    models, makers, categories = (
        sorted(set(one.values())) for one in (known.models, known.providers, known.categories)
    )
    told = [held.model for held in edition.standings.models] if edition.standings else []

    def some(names: Sequence[str], most: int) -> tuple[str, ...]:
        return tuple(chance.sample(names, min(chance.randint(0, most), len(names))))

    made = (
        WatchList(
            models=(chance.choice(told), *some(models, 3)), providers=some(makers, 1), categories=some(categories, 1)
        )
        for _ in range(LISTS)
    )
    return [one.model_dump_json(exclude_defaults=True) for one in made]


def close(engine: Engine) -> None:
    """With all that was written in the one file that is copied."""
    with writing(engine) as connection:
        connection.execute(text("SELECT 1"))
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()


def send(demo: Path, database: Path, port: int, sessions: int) -> Sent:
    """Send what is queued, in this process."""
    with reading(open_database(f"sqlite:///{demo / 'digest.db'}")) as connection:
        week = newest_edition(connection)
        assert week is not None
        drafted = load_edition(connection, week)
    assert drafted is not None
    settings, engine = settings_of(port, sessions), open_database(f"sqlite:///{database}")
    contents = contents_of(drafted.edition, drafted.rendered)
    with reading(engine) as connection:
        mailing = outbox.find(connection, week)
    assert mailing is not None
    start = time.perf_counter()
    tally = drain_with_pool(engine, settings, mailing, contents, lambda: NOW)
    rate = tally["sent"] / (time.perf_counter() - start)
    assert tally["sent"] == mailing.audience
    compiled = message.compile_mail(contents.mail(RENDITION), mailing, settings)
    size = sum(map(len, compiled.literals))
    return Sent(rate, size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    print(json.dumps(send(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
