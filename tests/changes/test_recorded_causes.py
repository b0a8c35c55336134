"""What changed between every two recorded captures, and why, equals a table that was worked out by reading them."""

import tomllib
from collections import defaultdict
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.test_recorded_weeks import RECORDED, SOURCES, packaged, snapshot

from digest.changes.compare import compare
from digest.changes.kinds import Change, Memory
from digest.changes.offers import OFFER_UNITS

CAUSES: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("recorded_causes.toml").read_text("utf-8"))
PAIRS = [
    pytest.param(source, *pair.split(" to "), told, id=f"{source}-{pair.replace(' to ', '-')}")
    for source, pairs in CAUSES.items()
    for pair, told in pairs.items()
]

pytestmark = [
    pytest.mark.recorded,
    pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded captures are not beside the checkout"),
]


def weeks(source: str) -> list[str]:
    return sorted(path.name[:10] for path in (RECORDED / source).glob("2???-??-??.*"))


def memory(source: str, previous: str) -> Memory:
    """The figures of the last few captures before the previous one."""
    recent: dict[tuple[str, str], set[Decimal]] = defaultdict(set)
    earlier = [week for week in weeks(source) if week < previous]
    for week in earlier[-packaged().policy.flip_flop_weeks :]:
        then = snapshot(source, week)
        for benchmark, scores in then.scores.items():
            for key, score in scores.items():
                recent[key, benchmark].add(score.value)
        for key, offer in then.offers.items():
            sizes = {name: getattr(offer, name) for name in OFFER_UNITS}
            for name, value in (sizes | dict(offer.details)).items():
                if value is not None:
                    recent[key, name].add(Decimal(value))
    return Memory(recent=recent)


@cache
def compared(source: str, before: str, after: str) -> tuple[Change, ...]:
    return compare(snapshot(source, before), snapshot(source, after), memory(source, before)).changes


def subject(change: Change) -> str:
    """The row's own name, the benchmark for a benchmark's change, or both for a figure of a row."""
    of = change.kind.partition("_")[0]
    if of in ("benchmark", "scale"):
        return change.benchmark or ""
    return f"{change.name.raw} {change.benchmark}" if of in ("score", "price", "context") else change.name.raw


def found(source: str, before: str, after: str, told: dict[str, Any], *, news: bool) -> dict[str, list[str]]:
    """The subjects of the changes that are news, or of those that are not, by kind and reason."""
    by_cause: dict[str, list[str]] = defaultdict(list)
    for change in compared(source, before, after):
        if change.news is news and change.name.raw not in told.get("doubtful", ()):
            by_cause[f"{change.kind} {change.reason}"].append(subject(change))
    return {cause: sorted(subjects) for cause, subjects in by_cause.items()}


def test_every_two_captures_stand_in_the_table() -> None:
    for source in SOURCES:
        captured = weeks(source)
        assert [f"{a} to {b}" for a, b in pairwise(captured)] == list(CAUSES[source])


@pytest.mark.parametrize(("source", "before", "after", "told"), PAIRS)
def test_the_news_is_all_that_the_captures_hold_and_no_more(
    source: str, before: str, after: str, told: dict[str, Any]
) -> None:
    expected = {cause: sorted(subjects) for cause, subjects in told.get("news", {}).items()}
    assert found(source, before, after, told, news=True) == expected


@pytest.mark.parametrize(("source", "before", "after", "told"), PAIRS)
def test_what_is_no_news_is_told_apart_by_its_cause(source: str, before: str, after: str, told: dict[str, Any]) -> None:
    expected = told.get("apart", {})
    counted = {
        cause: len(subjects) if isinstance(expected.get(cause), int) else subjects
        for cause, subjects in found(source, before, after, told, news=False).items()
    }
    listed = {cause: rows if isinstance(rows, int) else sorted(rows) for cause, rows in expected.items()}
    assert counted == listed
