"""The note's file, edited in the page: read with a mark of what it said, written whole or not at all."""

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from digest.edition.numbers import monday
from digest.errors import StorageError, UsageError

MOST_BYTES = 64_000


class NoteFile(NamedTuple):
    """The note as it stands on the disk. `mark` is the sha256 of its bytes, empty where there is no file yet."""

    path: Path
    text: str
    mark: str


def read_note(folder: Path, week: str) -> NoteFile:
    """The note's file, or the beginnings of one. Bytes that are no UTF-8 are shown as signs for that.

    Raises StorageError where it cannot be read.
    """
    path = folder / f"{week}.md"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return NoteFile(path, _beginning(week), "")
    except (OSError, ValueError) as error:  # ValueError: no file can be called so
        why = error.strerror if isinstance(error, OSError) else error
        raise StorageError(f"{str(path)!r} cannot be read: {why}; make it a file that can be.") from error
    return NoteFile(path, data.decode("utf-8", "replace"), hashlib.sha256(data).hexdigest())


def _beginning(week: str) -> str:
    return f"---\ntitle: \ndate: {monday(week)}\ndraft: true\n---\n\n"


def save_note(folder: Path, week: str, text: str, mark: str) -> None:
    """Write the note in place of the one whose mark this is; lines end as they do on this system's editors, with LF.

    Raises UsageError where another program changed the file since, StorageError where it cannot be written.
    """
    data = text.replace("\r\n", "\n").replace("\r", "\n").encode()
    path = folder / f"{week}.md"
    if len(data) > MOST_BYTES:
        raise UsageError(f"the note is larger than {MOST_BYTES // 1000} kB; make it shorter.")
    if read_note(folder, week).mark != mark:
        raise UsageError(f"{path} was changed by another program meanwhile; copy your text and load it anew.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(path, data)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}; make its folder writable.") from error


def _replace(path: Path, data: bytes) -> None:
    """Put the bytes in the file's place at once: who reads it meanwhile sees the old ones or the new ones."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        os.replace(name, path)
    except OSError:
        with suppress(OSError):
            os.unlink(name)
        raise
