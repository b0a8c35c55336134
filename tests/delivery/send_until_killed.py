"""Senders in processes of their own, for a test to kill: `send_until_killed.py SETTINGS` reads commands on stdin.

`start N` forks sender N, which drains the mailing or, on PostgreSQL, works off tickets until it is killed; `kill N`
ends it as `kill -9` does. Each command is answered by how many are at work.
"""

import os
import signal
import sys
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

warnings.simplefilter("ignore")
sys.path.insert(0, str(Path(__file__).parents[2]))

from sqlalchemy import Engine  # noqa: E402
from tests.outgoing import some_contents  # noqa: E402

from digest.config.settings import Settings  # noqa: E402
from digest.database import open_database, reading  # noqa: E402
from digest.delivery import jobs, outbox, sending  # noqa: E402
from digest.edition.rendered import Rendered  # noqa: E402
from digest.rendering.templates import UNSUBSCRIBE_SLOT  # noqa: E402

BEGAN = time.monotonic()  # one clock for all senders: on Linux it is the same in every process


def clock() -> datetime:
    return datetime(2026, 5, 4, 9, 0, tzinfo=UTC) + timedelta(seconds=time.monotonic() - BEGAN)


def send(engine: Engine, settings: Settings, is_enough: Callable[[int], bool] | None = None) -> None:
    with reading(engine) as connection:
        mailing = outbox.find(connection, "2026-W18")
    assert mailing is not None
    body = f"leave: {UNSUBSCRIBE_SLOT}\n" * 200
    contents = some_contents(Rendered(subject="one", preheader="two", html=body, text=body), settings)
    sending.drain(engine, settings, mailing, contents, sending.transport_of(settings), clock, is_enough=is_enough)


def be_sender(settings: Settings) -> None:
    engine = open_database(settings.database.url)
    if engine.dialect.name == "sqlite":
        send(engine, settings)
        return
    complain = lambda said: print(said, file=sys.stderr, flush=True)  # noqa: E731
    jobs.work(engine, lambda _week, is_enough: send(engine, settings, is_enough), clock, 1, complain)


def main() -> None:
    settings = Settings.model_validate_json(sys.argv[1])
    children: dict[str, int] = {}
    print("ready", flush=True)
    for line in sys.stdin:
        command, _, name = line.strip().partition(" ")
        if command == "start":
            children[name] = os.fork()
            if not children[name]:
                status = 1
                try:
                    sys.stdin.close()
                    be_sender(settings)
                    status = 0
                finally:
                    os._exit(status)
        elif command == "kill":
            os.kill(children[name], signal.SIGKILL)
            os.waitpid(children.pop(name), 0)
        look = os.WEXITED | os.WNOHANG | os.WNOWAIT
        print(sum(os.waitid(os.P_PID, pid, look) is None for pid in children.values()), flush=True)
    for pid in children.values():
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
