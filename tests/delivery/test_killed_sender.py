"""Senders killed at any moment, again and again, leave nobody out and give nobody two mails.

The suite kills a few times. `DIGEST_TEST_KILLS=200 pytest tests/delivery/test_killed_sender.py` is the full run.
"""

import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.delivery.senders import IN_DOUBT, finish, senders, settled_as_received
from tests.delivery.sink import sink

from digest.database import writing
from digest.delivery import jobs
from digest.delivery.outbox import Mailing

KILLS = int(os.environ.get("DIGEST_TEST_KILLS", "15"))
READERS = 50 * KILLS
WORKERS = 4


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
        found = finish(engine, mailing, 60 + READERS / 20)
    print(f"{engine.dialect.name}: {KILLS} kills, {interrupted} while sending, {dict(found)}", file=sys.stderr)
    assert set(found) <= {"sent", "uncertain"}
    assert found["uncertain"] > 0 or KILLS < 50  # some were killed in the dot
    assert found.total() == mailing.audience == READERS
    at_once = 2 if engine.dialect.name == "postgresql" else 1  # a worker has a thread more than it is asked for
    assert found["uncertain"] <= IN_DOUBT * at_once * KILLS
    settled_as_received(rows, relay)
    assert interrupted >= KILLS * 0.8  # else they were killed too late to prove anything
