"""Recorded captures of a source: a folder of files named by date, or the history of a file in a local git clone."""

import re
import subprocess
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from digest.errors import CaptureError, UsageError
from digest.scores.sources import gunzip

_NAMED_BY_DATE = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2})\.[A-Za-z0-9]+(?P<packed>\.gz)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A capture on disk: whose it is, the day it stands for, and where its bytes are."""

    source: str
    on: date
    path: Path

    def read(self, most: int) -> bytes:
        """The bytes, decompressed, `most` at the most. Raises CaptureError."""
        try:
            if self.path.stat().st_size > most:
                raise CaptureError(f"the file has more than {most // 1_000_000} MB ([fetch] max_megabytes)")
            data = self.path.read_bytes()
            return gunzip(data, most) if self.path.suffix == ".gz" else data
        except OSError as error:
            raise CaptureError(f"{self.path} cannot be read: {error.strerror}.") from error
        except CaptureError as error:
            raise CaptureError(f"{self.path}: {error}; it was left out.") from error


def find_recorded(folder: Path, sources: Collection[str]) -> tuple[list[Recorded], list[tuple[Path, str]]]:
    """`folder/<source id>/<YYYY-MM-DD>.<ext>[.gz]` -> (captures, oldest first; what was skipped, with the reason)."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; name one that holds <source id>/<YYYY-MM-DD>.<ext> files.")
    captures: dict[tuple[str, date], Recorded] = {}
    skipped: list[tuple[Path, str]] = []
    for place in sorted(folder.iterdir()):
        if not place.is_dir():
            skipped.append((place, "no folder of a source"))
            continue
        if place.name not in sources:
            skipped.append((place, f'config.toml declares no source "{place.name}"'))
            continue
        for path in sorted(place.iterdir()):
            named = _NAMED_BY_DATE.fullmatch(path.name)
            day = _day(named["day"]) if named and path.is_file() else None
            if day is None:
                skipped.append((path, "not named by a date, such as 2026-04-27.csv"))
            elif (place.name, day) in captures:
                skipped.append((path, "a second file for that date"))
            else:
                captures[place.name, day] = Recorded(place.name, day, path)
    return sorted(captures.values(), key=lambda capture: (capture.on, capture.source)), skipped


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def read_history(repository: Path, path: str, zone: ZoneInfo, most: int) -> Iterator[tuple[date, bytes]]:
    """The file's state at the start of each week, from its first commit to the week after its last: (Monday, bytes).

    The state is the content at the newest first-parent commit before Monday 00:00 in the zone. Raises CaptureError
    where git cannot tell; a week in which the file was deleted is left out.
    """
    commits = _commits(repository, path)
    monday = commits[-1][0].astimezone(zone).date()
    monday -= timedelta(days=monday.weekday())
    last = commits[0][0].astimezone(zone).date() + timedelta(days=7)
    while (monday := monday + timedelta(days=7)) <= last:
        start = datetime(monday.year, monday.month, monday.day, tzinfo=zone)
        commit = next((sha for moment, sha in commits if moment < start), None)
        if commit is None:
            continue
        data = _git(repository, "cat-file", "blob", f"{commit}:{path}", missing_is_none=True)
        if data is None:
            continue
        if len(data) > most:
            raise CaptureError(f"{path} of {monday} has more than {most // 1_000_000} MB ([fetch] max_megabytes).")
        yield monday, gunzip(data, most) if path.endswith(".gz") else data


def _commits(repository: Path, path: str) -> list[tuple[datetime, str]]:
    """The commits of the first-parent line that touched the file, newest first."""
    lines = (_git(repository, "log", "--first-parent", "--format=%ct %H", "--", path) or b"").decode().split("\n")
    commits = [(datetime.fromtimestamp(int(line.split()[0]), UTC), line.split()[1]) for line in lines if line]
    if not commits:
        raise CaptureError(f'{repository} has no commit that touches "{path}"; give its path inside the repository.')
    return commits


def _git(repository: Path, *words: str, missing_is_none: bool = False) -> bytes | None:
    try:
        done = subprocess.run(["git", "-C", str(repository), *words], capture_output=True, check=False)
    except FileNotFoundError as error:
        raise CaptureError("git is not installed; install it, or import files with `digest backfill DIR`.") from error
    if done.returncode:
        if missing_is_none:
            return None
        said = (done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"])[-1]
        raise CaptureError(f"git cannot read {repository}: {said}.")
    return done.stdout
