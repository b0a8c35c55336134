"""What the edition is made of, watched: folders by the system's notice, single files and the database by looking.

An editor's program may save a file by putting another in its place, which a watch on the file itself does not follow;
and a database says nothing by itself. Both are looked at a few times a second.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event

from watchfiles import watch

LOOK_EVERY = 0.25
"""Seconds."""

Stamp = tuple[object, ...]
Stamps = Mapping[Path, Stamp | None]


def changes(folders: Sequence[Path], look: Callable[[], Iterable[str]], stop: Event) -> Iterator[tuple[str, ...]]:
    """Until `stop` is set, the names of what changed, each time that something did; several saves at once are one.

    At first it names nothing, so that one can read all of it: what is saved while that is done is named afterwards.
    `look` names what else is another since it was last read. Raises OSError where a folder cannot be watched.
    """
    before: Stamps | None = stamps(_files_in(folders))
    yield ()
    for batch in watch(
        *folders,
        stop_event=stop,
        rust_timeout=int(LOOK_EVERY * 1000),
        yield_on_timeout=True,
        step=20,
        debounce=200,
        raise_interrupt=False,
    ):
        names = {Path(name).name for _kind, name in batch}
        names.update(look())
        if before is not None:  # the watch has only just begun
            names.update(changed(before, stamps(_files_in(folders))))
            before = None
        if names:
            yield tuple(sorted(names))


def changed(before: Stamps, now: Stamps) -> list[str]:
    """The names of the files that are another, there or gone since."""
    return [path.name for path in {**before, **now} if before.get(path) != now.get(path) or path not in now]


def stamps(files: Iterable[Path]) -> Stamps:
    """What tells each file from itself when it was saved again; None for one that cannot be read."""
    return {path: _stamp(path) for path in files}


def _files_in(folders: Sequence[Path]) -> Iterator[Path]:
    return (path for folder in folders for path in folder.rglob("*") if path.is_file())


def _stamp(path: Path) -> Stamp | None:
    try:
        held = path.stat()
    except (OSError, ValueError):  # ValueError: a setting names what no file can be called, as with NUL
        return None
    return held.st_mtime_ns, held.st_size, held.st_ino
