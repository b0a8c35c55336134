"""The recorded captures beside the checkout: raw counts equal those of an independent count, pair by pair."""

import gzip
import json
import os
from datetime import UTC, date, datetime
from functools import cache
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from digest.changes.compare import compare
from digest.changes.kinds import Change, Kind, Reason
from digest.changes.offers import OFFER_UNITS
from digest.changes.ranking import leaderboard
from digest.cli import printing
from digest.config.assets import asset
from digest.config.loading import load_settings
from digest.config.settings import Settings
from digest.database import open_database, reading
from digest.edition.content import Edition
from digest.edition.store import load_edition
from digest.membership import importing
from digest.scores import store
from digest.scores.figures import read
from digest.scores.recorded import find_recorded
from digest.scores.snapshot import Capture, Snapshot
from digest.weekly import composing, stages
from digest.weekly.calendar import parse_week
from digest.weekly.collecting import backfill
from digest.weekly.running import run_due

GOLDEN = Path(__file__).parent / "golden"
RECORDED = Path(__file__).parents[2] / "shared" / "data" / "real"
SOURCES = ("aider", "livebench", "lmarena_text", "vectara", "litellm", "genai_prices")
NOW = datetime(2026, 4, 28, 9, 0, tzinfo=UTC)

pytestmark = [
    pytest.mark.recorded,
    pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded captures are not beside the checkout"),
]


@cache
def packaged() -> Settings:
    return load_settings(asset("config.toml"))


@cache
def snapshot(source: str, week: str) -> Snapshot:
    path = next((RECORDED / source).glob(f"{week}.*"))
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    on = date.fromisoformat(week)
    at = datetime(on.year, on.month, on.day, tzinfo=UTC)
    return read(data, Capture(source, on, at, sha256(data).hexdigest(), len(data)), packaged().sources[source])


def pairs(*names: str) -> list[Any]:
    """(source, pair) for every consecutive pair of captures in the independent counts of that name."""
    found = []
    for name in names:
        path = RECORDED / "truth" / f"shared_{name}.json"
        for pair in json.loads(path.read_text())["pairs"] if path.exists() else ():
            source = name.removesuffix("_by_run")
            found.append(pytest.param(source, pair, id=f"{name}-{pair['before']}-{pair['after']}"))
    return found


def changes(source: str, pair: Any) -> tuple[Change, ...]:
    return compare(snapshot(source, pair["before"]), snapshot(source, pair["after"])).changes


def is_counted(change: Change) -> bool:
    """The independent count looks at the main fields of an offer, not at tiers, conditions and the cache."""
    return change.source not in ("litellm", "genai_prices") or change.benchmark in OFFER_UNITS


def said_zero(change: Change) -> bool:
    """The source wrote a zero where it means "not known": a changed cell to a count that knows no causes."""
    return change.after is not None and change.after.value == 0


def cells(found: tuple[Change, ...], *, money: bool) -> list[Change]:
    """Changed cells as the independent count has them: a figure in both weeks that differs, whatever the cause."""
    kinds = (
        (Kind.PRICE_CHANGED, Kind.CONTEXT_CHANGED, Kind.PRICE_WITHDRAWN, Kind.PRICE_FILLED_IN)
        if money
        else (Kind.SCORE_CHANGED,)
    )
    renamed = {change.key for change in found if change.kind is Kind.MODEL_RENAMED}  # two rows to a count by name
    return [
        change
        for change in found
        if change.kind in kinds
        and change.key not in renamed
        and is_counted(change)
        and change.before is not None
        and change.after is not None
        and change.before.value is not None
        and change.after.value is not None
    ]


@pytest.mark.parametrize(("source", "pair"), pairs(*SOURCES))
def test_added_removed_and_changed_cells_equal_the_independent_count(source: str, pair: Any) -> None:
    found = changes(source, pair)
    renamed = sum(change.kind is Kind.MODEL_RENAMED for change in found)
    assert sum(change.kind is Kind.MODEL_ADDED for change in found) + renamed == pair["n_added"]
    assert sum(change.kind is Kind.MODEL_REMOVED for change in found) + renamed == pair["n_removed"]
    assert len(cells(found, money=False)) == pair.get("n_score_changes", 0)
    assert len(cells(found, money=True)) == pair.get("n_price_or_context_changes", 0)


@pytest.mark.parametrize(("source", "pair"), pairs(*SOURCES))
def test_lost_and_gained_cells_of_kept_models_equal_the_independent_count(source: str, pair: Any) -> None:
    found = changes(source, pair)
    renamed = {change.key for change in found if change.kind is Kind.MODEL_RENAMED}
    found = tuple(change for change in found if change.key not in renamed)
    gained = [change for change in found if change.reason is Reason.FILLED_IN and is_counted(change)]
    new_columns = sum(change.rows for change in found if change.kind is Kind.BENCHMARK_ADDED)
    lost = [change for change in found if change.reason is Reason.VALUE_WITHDRAWN and is_counted(change)]
    lost = [change for change in lost if not said_zero(change)]
    assert len(lost) == pair.get("score_cells_lost_on_kept_models", 0) + pair.get("n_price_fields_lost", 0)
    assert len(gained) + new_columns == (
        pair.get("score_cells_gained_on_kept_models", 0) + pair.get("n_price_fields_gained", 0)
    )


@pytest.mark.parametrize(("source", "pair"), pairs("aider_by_run"))
def test_rows_are_keyed_by_run(source: str, pair: Any) -> None:
    before, after = snapshot(source, pair["before"]), snapshot(source, pair["after"])
    assert (len(before.rows), len(after.rows)) == (pair["models_before"], pair["models_after"])
    old, new = set(before.rows.values()), set(after.rows.values())
    assert (len(new - old), len(old - new)) == (pair["n_added"], pair["n_removed"])


@pytest.mark.parametrize("source", SOURCES)
def test_every_capture_has_the_models_and_cells_of_the_independent_count(source: str) -> None:
    for week in json.loads((RECORDED / "truth" / f"shared_{source}.json").read_text())["snapshots"]:
        found = snapshot(source, week["week"])
        names = {row.raw for row in found.rows.values()} if source == "aider" else found.rows
        doubled = week["n_duplicates"] * 4 if source == "aider" else 0
        scores = sum(len(column) for name, column in found.scores.items() if found.benchmarks[name].unit != "USD")
        offers = sum(part is not None for offer in found.offers.values() for part in offer[1:5])
        assert len(names) == week["models"]
        assert scores - doubled == week["score_cells"]
        if found.offers:
            assert offers == week["price_cells"]


@pytest.mark.parametrize("source", ["aider", "livebench", "lmarena_text", "vectara"])
def test_the_leader_is_that_of_the_independent_count(source: str) -> None:
    for week in json.loads((RECORDED / "truth" / f"shared_{source}.json").read_text())["snapshots"]:
        found = snapshot(source, week["week"])
        best = [standing for standing in leaderboard(found, found.lead or "") if standing.rank == 1]
        assert {found.rows[standing.key].raw for standing in best} == set(week["leader"]["models"])
        assert float(best[0].score.value) == pytest.approx(week["leader"]["score"], abs=1e-9)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """All recorded captures in a database of their own, and three readers."""
    home = tmp_path_factory.mktemp("recorded")
    settings = packaged().model_copy(
        update={
            "database": packaged().database.model_copy(update={"url": f"sqlite:///{home / 'digest.db'}"}),
            "delivery": packaged().delivery.model_copy(update={"maildir": home / "outbox"}),
        }
    )
    engine = open_database(settings.database.url)
    captures, _skipped = find_recorded(RECORDED, settings.sources)
    assert [result.outcome for result in backfill(engine, settings, captures)] == ["stored"] * 62
    for name in ("ada", "grace", "minji"):
        fields = {"email": f"{name}@example.org", "consented_at": "2026-03-01", "method": "form", "wording": "v1"}
        importing.add(engine, settings, importing.newcomer(fields, settings, NOW), NOW)
    engine.dispose()
    return settings


def test_a_second_import_stores_nothing_and_what_is_no_capture_is_listed(imported: Settings) -> None:
    engine = open_database(imported.database.url)
    captures, skipped = find_recorded(RECORDED, imported.sources)
    assert {result.outcome for result in backfill(engine, imported, captures)} == {"known"}
    assert {path.name for path, _why in skipped} == {
        "README.md",
        "categories.json",
        "categories_until_2026-01-19.json",
        "truth",
    }


def test_a_stored_snapshot_is_the_one_that_was_read(imported: Settings) -> None:
    engine = open_database(imported.database.url)
    with reading(engine) as connection:
        for source, week in (("lmarena_text", "2025-04-28"), ("litellm", "2026-05-25"), ("livebench", "2026-05-25")):
            capture = store.newest_capture(connection, source, date.fromisoformat(week))
            assert capture is not None
            stored = store.load_snapshot(connection, capture)
            assert stored.content == snapshot(source, week).content
            assert stored.benchmarks == snapshot(source, week).benchmarks


def edition_of(settings: Settings, week: str) -> tuple[Edition, str, str]:
    engine = open_database(settings.database.url)
    stages.draft(engine, settings, parse_week(week), NOW)
    with reading(engine) as connection:
        stored = load_edition(connection, week)
    assert stored is not None
    return stored.edition, stored.rendered.html, stored.rendered.text


def test_week_18_has_gpt_5_5_on_top_eight_new_rows_and_the_week_of_the_price_source(imported: Settings) -> None:
    edition, html, text = edition_of(imported, "2026-W18")
    board = next(board for board in edition.boards if board.source == "livebench")
    shown = [(place.name.title, place.name.effort, f"{place.score.value:.2f}") for place in board.places[:2]]
    assert shown == [("gpt-5.5", "xhigh", "80.71"), ("gpt-5.4", "xhigh", "80.28")]
    assert board.leader == "new_but_tied"
    assert next(arrivals for arrivals in edition.arrivals if arrivals.source == "livebench").rows == 8
    assert {prices.source: prices.on for prices in edition.prices}["litellm"] == date(2026, 4, 27)
    for part in (html, text):
        assert "80.71" in part
        assert "80.28" in part
        assert "xhigh" in part
        assert "eight new rows" in part.lower()
        assert "27 Apr" in part


def test_week_18_says_which_sources_are_stale_and_since_when(imported: Settings) -> None:
    edition, html, text = edition_of(imported, "2026-W18")
    stale = {health.source: health.age_days for health in edition.health if health.status == "stale"}
    assert stale == {"aider": 301, "lmarena_text": 364, "vectara": 77}
    assert not {board.source for board in edition.boards} & stale.keys()
    assert "77 days" in html
    assert "77 days" in text


def test_a_tie_at_the_top_is_never_told_as_a_lead(imported: Settings) -> None:
    edition, html, text = edition_of(imported, "2026-W18")
    assert edition.boards[0].places[0].tied
    for part in (html, text):
        assert "takes #1" not in part


def test_drafting_again_gives_the_same_bytes(imported: Settings) -> None:
    assert edition_of(imported, "2026-W17") == edition_of(imported, "2026-W17")


def test_the_week_run_twice_sends_each_reader_one_mail(imported: Settings) -> None:
    engine, week = open_database(imported.database.url), parse_week("2026-W22")
    list(run_due(engine, imported, lambda: NOW, asked=week))
    assert not stages.is_queued(engine, week)
    stages.approve(engine, week, NOW)
    for _time in range(2):
        list(run_due(engine, imported, lambda: NOW, asked=week))
        sent = stages.send(engine, imported, week, lambda: NOW)
        assert sent.tally["sent"] == sent.mailing.audience == 3
    assert len(list((imported.delivery.maildir / "new").iterdir())) == 3


@pytest.mark.parametrize(
    ("source", "before", "after", "reason", "news"),
    [
        ("livebench", "2026-04-20", "2026-04-27", Reason.TIED, False),
        ("lmarena_text", "2025-03-24", "2025-04-07", Reason.BEYOND_UNCERTAINTY, True),
        ("vectara", "2025-12-08", "2025-12-15", Reason.BEYOND_THRESHOLD, True),
        ("livebench", "2026-02-23", "2026-03-02", Reason.BEYOND_THRESHOLD, True),
    ],
)
def test_a_leader_is_news_only_beyond_uncertainty(
    source: str, before: str, after: str, reason: Reason, news: bool
) -> None:
    found = compare(snapshot(source, before), snapshot(source, after)).changes
    leader = next(change for change in found if change.kind is Kind.LEADER_CHANGED)
    assert (leader.reason, leader.news) == (reason, news)


def test_a_new_column_moves_no_model() -> None:
    found = compare(snapshot("livebench", "2026-01-19"), snapshot("livebench", "2026-01-26")).changes
    assert [change.benchmark for change in found if change.news] == ["consecutive_events"]
    assert {change.reason for change in found} == {Reason.BENCHMARK_CHANGE}


def test_four_thousand_rating_changes_within_their_intervals_are_no_news() -> None:
    found = compare(snapshot("lmarena_text", "2025-03-10"), snapshot("lmarena_text", "2025-03-17")).changes
    assert [(change.kind, change.name.raw) for change in found if change.news] == [(Kind.MODEL_ADDED, "gemma-3-27b-it")]


def test_a_run_cost_that_goes_to_zero_is_withdrawn_and_not_free() -> None:
    found = compare(snapshot("aider", "2025-04-28"), snapshot("aider", "2025-05-12")).changes
    cost = next(change for change in found if change.benchmark == "total_cost")
    assert (cost.kind, cost.reason, cost.news) == (Kind.PRICE_WITHDRAWN, Reason.VALUE_WITHDRAWN, False)


@pytest.mark.parametrize("week", ["2026-W18", "2026-W16", "2026-W05", "2025-W16"])
def test_the_plain_output_of_a_week_is_what_it_was(
    imported: Settings, week: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy week, one with figures that came back, one with a new column, one with a rename at the top."""
    page = StringIO()
    monkeypatch.setattr(printing, "out", Console(file=page, width=100, highlight=False))
    at = parse_week(week)
    with reading(open_database(imported.database.url)) as connection:
        found = composing.compare_weeks(connection, imported, at.previous, at)
    printing.changes(found, str(at.previous), week, everything=False)
    printed = "".join(f"{line.rstrip()}\n" for line in page.getvalue().splitlines())
    golden = GOLDEN / f"changes-{week}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(printed)
    assert printed == golden.read_text(), f"look at it, then UPDATE_GOLDEN=1 rewrites {golden.name}"
