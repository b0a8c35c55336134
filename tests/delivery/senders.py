"""What the tests of senders in processes of their own share; `send_until_killed.py` is what runs in them."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from tests.delivery.sink import Sink

from digest.config.settings import Settings
from digest.database import reading
from digest.delivery import counting, outbox
from digest.delivery.outbox import Mailing, State

SESSIONS = 4
IN_DOUBT = 3 * SESSIONS  # at most, of one sender that is killed
_SENDERS = Path(__file__).with_name("send_until_killed.py")


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
    command = [sys.executable, str(_SENDERS), settings.model_dump_json(include={"database", "delivery", "smtp"})]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Senders(process)
        process.stdin and process.stdin.close()  # it kills what still runs


def tally(engine: Engine, mailing: Mailing) -> Mapping[State, int]:
    with reading(engine) as connection:
        return counting.tally(connection, mailing.id)


def finish(engine: Engine, mailing: Mailing, timeout: float = 150) -> Counter[State]:
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
