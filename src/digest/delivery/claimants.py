"""Who holds a lease: a process on a machine, by a name that tells whether it still lives."""

import os
import secrets
import socket
from contextlib import suppress
from pathlib import Path


def name() -> str:
    """A new name for a holder in this process."""
    return f"{_place()}:{os.getpid()}:{secrets.token_hex(4)}"


def _place() -> str:
    """This machine, or this container on it: where a process id means one process.

    A clone has the name and the namespaces of what it was cloned from, but a machine-id(5) of its own.
    """
    place = socket.gethostname()
    with suppress(OSError):
        place += f"/{Path('/etc/machine-id').read_text(encoding='ascii', errors='replace').strip()}"
    with suppress(OSError):
        place += f"/{os.stat('/proc/self/ns/pid').st_ino}"
    return place


def is_dead(claimant: str) -> bool:
    """True only if the claimant's process ran here and is no more. Elsewhere its lease has to end."""
    place, pid, _ = claimant.rsplit(":", 2)
    if place != _place() or os.name != "posix":
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
