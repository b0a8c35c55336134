"""The weekly path in processes that die at a commit, for a test: reads runs as JSON on stdin, one a line.

A run names its settings, the moment, and `die`: nothing, or ["before", 5] or ["after", 5], the fifth commit. It is
answered by [exit status, commits]; 9 is the status of one that died.
"""

import json
import os
import sys
import warnings
from datetime import datetime
from typing import Any

warnings.simplefilter("ignore")

import digest.rendering.email  # noqa: E402, F401 (before the fork)
from digest.config.settings import Settings  # noqa: E402
from digest.database import open_database  # noqa: E402
from digest.operations import logs  # noqa: E402
from digest.scheduler import do_days, do_weeks  # noqa: E402
from digest.weekly import stages  # noqa: E402

DIED = 9


def live(settings: Settings, now: datetime, die: tuple[str, int] | None) -> int:
    """One look of a scheduler at all that is due; how many commits it took."""
    engine = open_database(settings.database.url)
    commit, count = engine.dialect.do_commit, 0

    def counted(connection: Any) -> None:
        nonlocal count
        count += 1
        if die == ("before", count):
            os._exit(DIED)
        commit(connection)
        if die == ("after", count):
            os._exit(DIED)

    engine.dialect.do_commit = counted  # type: ignore[method-assign, assignment]
    do_days(engine, settings, lambda: now)
    do_weeks(engine, settings, lambda: now)
    complaints: list[str] = []
    stages.send_unfinished(engine, settings, None, lambda: now, complaints.append)
    assert not complaints
    return count


def main() -> None:
    logs.configure()
    print("ready", flush=True)
    for line in sys.stdin:
        run = json.loads(line)
        hears, tells = os.pipe()
        if not (child := os.fork()):
            status = 1
            try:
                settings, now = Settings.model_validate(run["settings"]), datetime.fromisoformat(run["now"])
                count = live(settings, now, tuple(run["die"]) if run["die"] else None)
                os.write(tells, str(count).encode())
                status = 0
            finally:
                os._exit(status)
        _pid, status = os.waitpid(child, 0)
        os.close(tells)
        with os.fdopen(hears) as told:
            print(json.dumps([os.waitstatus_to_exitcode(status), int(told.read() or 0)]), flush=True)


if __name__ == "__main__":
    main()
