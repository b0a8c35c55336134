"""A PostgreSQL that comes to harm."""

from typing import Any

import psutil


def kill(server: Any) -> None:
    """End a PostgreSQL without a word; it can be started again once none of its processes holds its memory."""
    process = psutil.Process(server.get_pid())
    process.suspend()  # it has no more children from here on
    family = [process, *process.children()]
    process.kill()
    _gone, left = psutil.wait_procs(family, timeout=60)
    assert left == []
