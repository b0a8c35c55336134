"""Comparing two snapshots of 500,000 scores from their files, causes included, beside merely reading the two files.

Each contestant has a process of its own in each round, so that none finds the caches or the memory of another.
"""

import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import csv_diff

from digest.changes.compare import compare
from digest.config.source import Source
from digest.scores.catalog import packaged_catalog
from digest.scores.figures import read
from digest.scores.snapshot import Capture, Snapshot

MODELS, BENCHMARKS, CHANGED = 5_000, 100, 0.01
ROUNDS = 7
AT_MOST_OF_READING, AT_LEAST_OF_CSV_DIFF, AT_MOST_MEGABYTES = 5, 2, 400
HEADERS = {"": "model,benchmark,score", "-keyed": "key,model,benchmark,score", "-bare": "key,score"}
FIRST = date(2026, 4, 20)

SOURCE = Source.model_validate(
    {
        "title": "Board",
        "url": "https://board.example/scores.csv",
        "kind": "scores",
        "format": "csv",
        "model": "model",
        "lead": "benchmark-00",
        "margin": "1.0",
        "long": {"name": "benchmark", "value": "score"},
    }
)


def run() -> None:
    """Print the claims, each with its target: of the fastest of interleaved rounds, which other programs disturbed
    least, and of the highest peak of memory."""
    with tempfile.TemporaryDirectory() as folder:
        write_pair(Path(folder))
        rounds = [{name: in_a_process(name, folder) for name in CONTESTANTS} for _ in range(ROUNDS)]
    seconds = {name: min(one[name]["seconds"] for one in rounds) for name in CONTESTANTS}
    peak = max(one["digest"]["megabytes"] for one in rounds)
    of_reading = seconds["digest"] / seconds["reader"]
    of_csv_diff, of_bare_csv_diff = (seconds[name] / seconds["digest"] for name in ("csv-diff", "csv-diff, bare"))
    print(f"read and compare two snapshots of {MODELS * BENCHMARKS:,} scores, causes included:")
    print(
        f"  {of_reading:.1f} times a bare csv.reader loop over both files"
        f" (at most {AT_MOST_OF_READING}{'' if of_reading <= AT_MOST_OF_READING else '; FALLS SHORT'})"
    )
    print(
        f"  {of_csv_diff:.1f} times as fast as csv-diff over the same columns and the key that it needs"
        f" (at least {AT_LEAST_OF_CSV_DIFF}{'' if of_csv_diff >= AT_LEAST_OF_CSV_DIFF else '; FALLS SHORT'})"
    )
    print(f"  {of_bare_csv_diff:.1f} times as fast as csv-diff over nothing but that key and the score")
    print(
        f"  {peak:.0f} MB at the peak (below {AT_MOST_MEGABYTES}{'' if peak < AT_MOST_MEGABYTES else '; FALLS SHORT'})"
    )
    fastest = ", ".join(f"{name} {1000 * least:.0f} ms" for name, least in seconds.items())
    print(f"  (the fastest of {ROUNDS} rounds: {fastest})")


def write_pair(folder: Path) -> None:
    """Two weeks in long form; the same after a key made of two columns, since csv-diff takes one; and only the key."""
    scores = random.Random(1)
    changes = random.Random(2)
    with ExitStack() as stack:
        weeks = [[stack.enter_context((folder / f"{week}{of}.csv").open("w")) for of in HEADERS] for week in range(2)]
        for files in weeks:
            for file, header in zip(files, HEADERS.values(), strict=True):
                file.write(f"{header}\n")
        for model, benchmark in cells():
            old = new = scores.randrange(10_001)
            if changes.random() < CHANGED:
                new = (old + changes.randrange(1, 10_001)) % 10_001
            key = f"{model}:{benchmark}"
            for score, files in zip((old, new), weeks, strict=True):
                row = f"{model},{benchmark},{score / 100:.2f}\n"
                for file, line in zip(files, (row, f"{key},{row}", f"{key},{score / 100:.2f}\n"), strict=True):
                    file.write(line)


def cells() -> Iterator[tuple[str, str]]:
    for model in range(MODELS):
        for benchmark in range(BENCHMARKS):
            yield f"vendor-{model % 40}/model-{model:04}", f"benchmark-{benchmark:02}"


def in_a_process(name: str, folder: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-m", __name__, name, folder], capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def read_only(folder: Path) -> None:
    for name in ("0.csv", "1.csv"):
        with (folder / name).open(newline="") as file:
            for _row in csv.reader(file):
                pass


def read_and_compare(folder: Path) -> None:
    before, after = (snapshot(folder, week) for week in range(2))
    assert sum(change.benchmark is not None for change in compare(before, after).changes) > MODELS


def snapshot(folder: Path, week: int) -> Snapshot:
    data = (folder / f"{week}.csv").read_bytes()
    on = FIRST + timedelta(days=7 * week)
    at = datetime(on.year, on.month, on.day, tzinfo=UTC)
    return read(data, Capture("board", on, at, "0" * 64, len(data)), SOURCE)


def read_and_csv_diff(folder: Path, of: str) -> None:
    with (folder / f"0{of}.csv").open(newline="") as before, (folder / f"1{of}.csv").open(newline="") as after:
        found = csv_diff.compare(csv_diff.load_csv(before, "key"), csv_diff.load_csv(after, "key"))
    assert found["changed"]


CONTESTANTS: dict[str, Callable[[Path], None]] = {
    "reader": read_only,
    "digest": read_and_compare,
    "csv-diff": partial(read_and_csv_diff, of="-keyed"),
    "csv-diff, bare": partial(read_and_csv_diff, of="-bare"),
}


def measure(name: str, folder: str) -> None:
    """Print, as JSON, the processor's time for one contestant once libraries and our table of names are loaded, and the
    peak of this process with them."""
    packaged_catalog()
    start = time.process_time()
    CONTESTANTS[name](Path(folder))
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"seconds": seconds, "megabytes": peak / 1e6}))


if __name__ == "__main__":
    measure(*sys.argv[1:])
