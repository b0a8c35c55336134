"""Mail into a Maildir (https://cr.yp.to/proto/maildir.html): a folder that mail programs and a person can read.

A message's file name follows from its Message-ID. Delivering it again finds the file and does nothing, so a delivery
that died half-way is simply repeated.
"""

import os
import secrets
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from digest.delivery.outcomes import Outcome
from digest.delivery.transports import Advance, Envelope
from digest.errors import DeliveryError


class Maildir:
    repeatable = True
    width = 16

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

    def carry(self, batch: Sequence[Envelope], advance: Advance, done: list[tuple[int, Outcome]]) -> None:
        while batch:
            written: dict[int, Path | None] = {}
            try:
                for envelope in batch:
                    name = _name(envelope)
                    written[envelope.delivery_id] = None if self._has(name) else self._write(name, envelope.content)
                turn = advance(list(written))
                self._move(batch, written, turn.allowed)
            except OSError as error:
                raise self._unwritable(error) from error
            finally:
                for path in written.values():
                    if path is not None:
                        path.unlink(missing_ok=True)
            for envelope in batch:
                handed = envelope.delivery_id in turn.allowed
                outcome = Outcome("sent", f"new/{_name(envelope)}") if handed else Outcome("withheld")
                done.append((envelope.delivery_id, outcome))
            batch = list(turn.following)

    def _move(self, batch: Sequence[Envelope], written: Mapping[int, Path | None], allowed: Collection[int]) -> None:
        """What may be delivered appears in `new`, all of it before the folder is flushed once."""
        for envelope in batch:
            path = written[envelope.delivery_id]
            if path is not None and envelope.delivery_id in allowed:
                path.rename(self._folder / "new" / _name(envelope))
        _sync(self._folder / "new")

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


def _name(envelope: Envelope) -> str:
    return envelope.message_id.partition("@")[0]


def _sync(folder: Path) -> None:
    """Make a rename in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
