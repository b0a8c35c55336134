"""A sender killed at any moment, again and again, leaves each reader with exactly one mail."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.database import reading
from digest.delivery import outbox
from digest.delivery.outbox import Mailing

READERS = 1500
KILLS = 15
SENDER = Path(__file__).with_name("send_until_killed.py")


def start(database_url: str, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(SENDER), database_url, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.long
def test_a_sender_killed_at_random_moments_mails_each_reader_once(
    engine: Engine,
    database_url: str,
    add_readers: Callable[[int], list[int]],
    queue: Callable[[], Mailing],
    tmp_path: Path,
) -> None:
    add_readers(READERS)
    mailing = queue()
    chance = random.Random(20260504)
    interrupted = 0
    for _ in range(KILLS):
        with start(database_url, tmp_path / "outbox") as process:
            time.sleep(chance.uniform(0, 0.2))
            process.kill()
        with reading(engine) as connection:
            interrupted += 0 < outbox.tally(connection, mailing.id)["sent"] < READERS
    with start(database_url, tmp_path / "outbox") as process:
        assert process.wait(60) == 0
    mails = [message_from_bytes(path.read_bytes()) for path in (tmp_path / "outbox" / "new").iterdir()]
    assert Counter(mail["To"] for mail in mails) == {f"r{number}@example.org": 1 for number in range(READERS)}
    with reading(engine) as connection:
        assert outbox.tally(connection, mailing.id)["sent"] == READERS
    assert interrupted >= 3  # else the kills came too late or too early to prove anything
