"""Schedulers in processes of their own, for a test to kill: `schedule_until_killed.py SETTINGS CLOCK` reads commands on
stdin. CLOCK is a file that holds the time (ISO 8601), which the test sets.

`start N` forks scheduler N; `kill N` ends it as `kill -9` does. Each command is answered by how many are at work.
"""

import gc
import os
import signal
import sys
import tempfile
import time
import warnings
from datetime import datetime
from pathlib import Path

warnings.simplefilter("ignore")

from digest.config.settings import Settings  # noqa: E402
from digest.database import open_database  # noqa: E402
from digest.delivery import claimants  # noqa: E402
from digest.operations import logs  # noqa: E402
from digest.operations.approving import at_deadline  # noqa: E402
from digest.scheduler import scheduled  # noqa: E402
from digest.weekly import running  # noqa: E402
from digest.weekly.calendar import Week  # noqa: E402
from digest.weekly.due import STAGES  # noqa: E402

EVERY = 0.25  # seconds


def be_scheduler(settings: Settings, moment: Path, name: str) -> None:
    """One of three knows nobody for dead: it takes over when a lease ends, as on another machine."""
    if name == "0":
        claimants.is_dead = lambda claimant: False
    engine = open_database(settings.database.url)
    with scheduled(engine, settings, lambda: datetime.fromisoformat(moment.read_text()), EVERY):
        while True:
            time.sleep(60)


def practise(settings: Settings, now: datetime) -> None:
    """Live a week in a database of its own: templates, catalogues and rules are read before the fork. A process that
    reads them anew after each kill takes longer to compose than its lease lasts, at the pace of the test's clock."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{folder}/practice.db")
        week = Week.now(now, settings.series.zone)
        done = list(running.run_due(engine, settings, lambda: now, asked=week, at_deadline=at_deadline))
        assert [ran.error for ran in done] == [None] * len(STAGES)
        engine.dispose()
    gc.freeze()  # the children copy no page of what they only read


def main() -> None:
    settings, moment = Settings.model_validate_json(sys.argv[1]), Path(sys.argv[2])
    practise(settings, datetime.fromisoformat(moment.read_text()))
    logs.configure()
    children: dict[str, int] = {}
    print("ready", flush=True)
    for line in sys.stdin:
        command, _, name = line.strip().partition(" ")
        if command == "start":
            children[name] = os.fork()
            if not children[name]:
                try:
                    sys.stdin.close()
                    be_scheduler(settings, moment, name)
                finally:
                    os._exit(1)
        elif command == "kill":
            os.kill(children[name], signal.SIGKILL)
            os.waitpid(children.pop(name), 0)
        look = os.WEXITED | os.WNOHANG | os.WNOWAIT
        print(sum(os.waitid(os.P_PID, pid, look) is None for pid in children.values()), flush=True)
    for pid in children.values():
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
