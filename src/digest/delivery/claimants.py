"""Who holds a lease: a process on a machine, by a name that tells whether it still lives."""

import os
import secrets
import socket


def name() -> str:
    """A new name for a holder in this process."""
    return f"{_place()}:{os.getpid()}:{secrets.token_hex(4)}"


def _place() -> str:
    """This machine, or this container on it: where a process id means one process."""
    try:
        return f"{socket.gethostname()}/{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return socket.gethostname()


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
