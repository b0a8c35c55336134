"""Importing and comparing the largest pair of captures, beside merely parsing the two files.

The pair is the largest of the recorded captures beside the checkout, or one of the same shape made here.
"""

import gzip
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import yaml

from digest.changes.compare import compare
from digest.config.assets import asset
from digest.config.loading import load_settings
from digest.config.settings import Settings
from digest.database import open_database, reading
from digest.scores import store
from digest.scores.recorded import Recorded, find_recorded
from digest.weekly.collecting import backfill

RECORDED = Path(__file__).parents[2] / "shared" / "data" / "real"
ROUNDS = 5


def run() -> None:
    """Print the ratio: import, store, load and compare over a bare parse, the median of interleaved rounds."""
    settings = load_settings(asset("config.toml"))
    with tempfile.TemporaryDirectory() as folder:
        pair = largest_pair(settings) if RECORDED.is_dir() else made_pair(Path(folder))
        most = settings.fetch.max_megabytes * 1_000_000
        size = sum(len(recorded.read(most)) for recorded in pair) / 1e6
        ours, parsing = [], []
        for number in range(ROUNDS):
            parsing.append(seconds(lambda: [parse(recorded) for recorded in pair]))
            database = Path(folder) / f"{number}.db"
            open_database(f"sqlite:///{database}").dispose()  # the tables are there before the clock starts
            ours.append(seconds(lambda url=f"sqlite:///{database}": import_and_compare(settings, url, pair)))  # type: ignore[misc]
    ratio = statistics.median(ours) / statistics.median(parsing)
    names = f"{pair[0].source} {pair[0].on} and {pair[1].on}, {size:.1f} MB"
    print(f"import, store, load and compare {names}: {ratio:.1f} times merely parsing the two files")
    medians = [1000 * statistics.median(times) for times in (ours, parsing)]
    print(f"  ({medians[0]:.0f} ms beside {medians[1]:.0f} ms, {ROUNDS} rounds)")


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def largest_pair(settings: Settings) -> list[Recorded]:
    """The two newest captures of the source whose newest capture is the largest once it is unpacked."""
    captures, _skipped = find_recorded(RECORDED, settings.sources)
    most = settings.fetch.max_megabytes * 1_000_000
    by_source: dict[str, list[Recorded]] = {}
    for recorded in captures:
        by_source.setdefault(recorded.source, []).append(recorded)
    return max(by_source.values(), key=lambda found: len(found[-1].read(most)))[-2:]


def made_pair(folder: Path) -> list[Recorded]:
    """Two price lists of 2,700 ids, one price in a hundred changed."""
    pair = []
    for week in range(2):
        offers = {
            f"vendor/model-{number}": {
                "input_cost_per_token": (number + 1) * (1.1e-08 if week and not number % 100 else 1e-08),
                "output_cost_per_token": (number + 1) * 4e-08,
                "max_input_tokens": 128_000,
                "max_output_tokens": 8_192,
                "litellm_provider": "vendor",
                "mode": "chat",
                "supported_modalities": ["text", "image"],
                "supports_function_calling": True,
            }
            for number in range(2700)
        }
        on = date(2026, 4, 20) + timedelta(days=7 * week)
        path = folder / f"{on}.json"
        path.write_text(json.dumps(offers, indent=2))
        pair.append(Recorded("litellm", on, path))
    return pair


def parse(recorded: Recorded) -> object:
    data = gzip.decompress(recorded.path.read_bytes()) if recorded.path.suffix == ".gz" else recorded.path.read_bytes()
    return yaml.load(data, yaml.CSafeLoader) if ".yml" in recorded.path.name else json.loads(data)


def import_and_compare(settings: Settings, url: str, pair: list[Recorded]) -> None:
    engine = open_database(url)
    assert [result.outcome for result in backfill(engine, settings, pair)] == ["stored", "stored"]
    with reading(engine) as connection:
        captures = [store.newest_capture(connection, recorded.source, recorded.on) for recorded in pair]
        before, after = (store.load_snapshot(connection, capture) for capture in captures if capture)
    assert compare(before, after).changes
    engine.dispose()
