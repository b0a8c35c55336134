"""Senders killed at any moment, again and again, leave nobody out and give nobody two mails.

The suite kills a few times. `DIGEST_TEST_KILLS=200 pytest tests/delivery/test_killed_sender.py` is the full run.
"""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.delivery.sink import Sink, sink

from digest.config import Settings
from digest.database import reading, writing
from digest.delivery import jobs, outbox
from digest.delivery.outbox import Mailing, State

KILLS = int(os.environ.get("DIGEST_TEST_KILLS", "15"))
READERS = 50 * KILLS
WORKERS = 4
SESSIONS = 4
SENDERS = Path(__file__).with_name("send_until_killed.py")


class Senders:
    """Numbered processes that send."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def say(self, command: str) -> int:
        """A command; how many senders are at work after it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def senders(database_url: str, port: int, **delivery: Any) -> Iterator[Senders]:
    settings = Settings.model_validate(
        {
            "database": {"url": database_url},
            "delivery": {"transport": "smtp", "lease_seconds": 5, **delivery},
            "smtp": {"host": "127.0.0.1", "port": port, "tls": "none", "sessions": SESSIONS},
        }
    )
    command = [sys.executable, str(SENDERS), settings.model_dump_json(include={"database", "delivery", "smtp"})]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Senders(process)
        process.stdin and process.stdin.close()  # it kills what still runs


@pytest.fixture
def mailing(
    engine: Engine,
    add_readers: Callable[[int], list[int]],
    queue: Callable[[], Mailing],
    monkeypatch: pytest.MonkeyPatch,
) -> Mailing:
    """A queued mailing to many, with tickets enough for all kills where there are workers."""
    monkeypatch.setattr(jobs, "_TICKET", 20)
    monkeypatch.setattr(jobs, "_MOST_TICKETS", READERS)
    add_readers(READERS)
    made = queue()
    if engine.dialect.name == "postgresql":
        with writing(engine) as connection:
            jobs.hand_out(connection, made)
    return made


def tally(engine: Engine, mailing: Mailing) -> Mapping[State, int]:
    with reading(engine) as connection:
        return outbox.tally(connection, mailing.id)


def finish(engine: Engine, mailing: Mailing, timeout: float = 90) -> Counter[str]:
    """Wait until nothing is to be done any more; the states that occur."""
    patience = time.monotonic() + timeout
    while any((found := tally(engine, mailing))[state] for state in outbox.WAITING):
        assert time.monotonic() < patience, found
        time.sleep(0.2)
    return +Counter(dict(found))


def settled_as_received(rows: Callable[[str], list[dict[str, Any]]], relay: Sink) -> None:
    """Nobody got two; whose delivery is recorded as sent got one; of whom we are uncertain got one or none."""
    addresses = {row["id"]: row["email"] for row in rows("subscriber")}
    for row in rows("delivery"):
        got = relay.got[addresses[row["subscriber_id"]]]
        assert got == 1 if row["state"] == "sent" else got <= 1, (row["state"], got)


@pytest.mark.long
def test_senders_killed_at_random_moments_lose_nobody_and_mail_nobody_twice(
    engine: Engine, database_url: str, mailing: Mailing, rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    chance = random.Random(20260504)
    interrupted = 0
    with sink(slow=(0.0, 0.2)) as relay, senders(database_url, relay.port) as running:
        for name in range(WORKERS):
            running.say(f"start {name}")
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.1, 0.5))
            name = chance.randrange(WORKERS)
            interrupted += sum(relay.got.values()) < READERS
            running.say(f"kill {name}")
            running.say(f"start {name}")
        found = finish(engine, mailing)
    print(f"{engine.dialect.name}: {KILLS} kills, {interrupted} while sending, {dict(found)}", file=sys.stderr)
    assert set(found) <= {"sent", "uncertain"}
    assert found["uncertain"] > 0 or KILLS < 50  # some were killed in the dot
    assert found.total() == mailing.audience == READERS
    assert found["uncertain"] <= SESSIONS * KILLS
    settled_as_received(rows, relay)
    assert interrupted >= KILLS * 0.8  # else they were killed too late to prove anything
