"""What the edition is made of, watched: folders by the system's notice, single files and the database by looking.

An editor's program may save a file by putting another in its place, which a watch on the file itself does not follow;
and a database says nothing by itself. Both are looked at a few times a second.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event

from watchfiles import watch

LOOK_EVERY = 0.25
"""Seconds."""

Stamp = tuple[object, ...]


def changes(
    folders: Sequence[Path], files: Callable[[], Sequence[Path]], stamp: Callable[[], Stamp], stop: Event
) -> Iterator[tuple[str, ...]]:
    """Until `stop` is set, the names of what changed, each time that something did; several saves at once are one.

    `files` are single files, which need not exist, `stamp` is anything else that is another value after a change.
    """
    known, seen = _stamps(files()), stamp()
    look = int(LOOK_EVERY * 1000)
    for batch in watch(
        *folders,
        stop_event=stop,
        rust_timeout=look,
        yield_on_timeout=True,
        step=20,
        debounce=200,
        raise_interrupt=False,
    ):
        now, data = _stamps(files()), stamp()
        names = [Path(name).name for _kind, name in batch]
        names += [path.name for path in now if now[path] != known.get(path)]
        names += [path.name for path in known if path not in now]
        names += ["the data"] if data != seen else []
        known, seen = now, data
        if names:
            yield tuple(sorted(set(names)))


def _stamps(files: Sequence[Path]) -> dict[Path, Stamp | None]:
    return {path: _stamp(path) for path in files}


def _stamp(path: Path) -> Stamp | None:
    try:
        held = path.stat()
    except OSError:
        return None
    return held.st_mtime_ns, held.st_size, held.st_ino
