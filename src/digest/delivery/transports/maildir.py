"""Mail into a Maildir (https://cr.yp.to/proto/maildir.html): a folder that mail programs and a person can read.

A message's file name follows from its Message-ID. Delivering it again finds the file and does nothing, so a delivery
that died half-way is simply repeated.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from digest.delivery.outcomes import Outcome
from digest.delivery.transports import Envelope
from digest.errors import DeliveryError


class Maildir:
    repeatable = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cur_names: frozenset[str] = frozenset()
        self._cur_changed = -1

    def __enter__(self) -> Self:
        try:
            for part in ("tmp", "new", "cur"):
                (self._folder / part).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def deliver(self, envelope: Envelope, before_dot: Callable[[], bool]) -> Outcome:
        name = envelope.message_id.partition("@")[0]
        try:
            written = None if self._has(name) else self._write(name, envelope.content)
            try:
                if not before_dot():
                    return Outcome("withheld")
                if written is not None:
                    written.rename(self._folder / "new" / name)
                    _sync(self._folder / "new")
            finally:
                if written is not None:
                    written.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error
        return Outcome("sent", f"new/{name}")

    def _has(self, name: str) -> bool:
        # `new` before `cur`: a mail program moves files that way, so one on its way is not missed.
        return (self._folder / "new" / name).exists() or name in self._in_cur()

    def _in_cur(self) -> frozenset[str]:
        changed = (self._folder / "cur").stat().st_mtime_ns
        if changed != self._cur_changed:
            # Names there carry flags after a colon, which the mail program adds.
            self._cur_names = frozenset(name.partition(":")[0] for name in os.listdir(self._folder / "cur"))
            self._cur_changed = changed
        return self._cur_names

    def _write(self, name: str, content: bytes) -> Path:
        path = self._folder / "tmp" / f"{name}.{os.getpid()}.{secrets.token_hex(4)}"
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return path

    def _unwritable(self, error: OSError) -> DeliveryError:
        return DeliveryError(
            f"the Maildir {self._folder} cannot be written: {error.strerror}; "
            "make it writable or name another in [delivery] maildir, then send again."
        )


def _sync(folder: Path) -> None:
    """Make a rename in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
