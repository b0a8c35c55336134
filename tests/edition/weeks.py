"""Editions composed of pairs of captures, each pair a source of its own."""

from datetime import date, timedelta
from typing import Any

from tests.snapshots import MONDAY

from digest.changes.week import State, compare_week
from digest.config.sections import Policy
from digest.config.settings import Settings
from digest.config.source import Source
from digest.edition.compose import compose
from digest.edition.content import Edition
from digest.scores.snapshot import Snapshot

BEFORE = MONDAY - timedelta(days=7)


def declared(kind: str, title: str) -> Source:
    facts: dict[str, Any] = {
        "title": title,
        "url": "https://sample.example/",
        "format": "json",
        "model": "id",
        "kind": kind,
    }
    more = {"columns": {"main": {}}, "lead": "main"} if kind == "scores" else {"prices": {"input": "i"}}
    return Source.model_validate({**facts, **more})


def composed(
    *weeks: tuple[Snapshot, Snapshot], changed_on: date = MONDAY, failure: str | None = None, doubt: str | None = None
) -> Edition:
    """The edition of pairs of captures, each a source of its own: Source A, Source B and so on."""
    names = [now.capture.source for _before, now in weeks]
    kinds = ["scores" if now.lead else "offers" for _before, now in weeks]
    sources = {name: declared(kind, f"Source {at}") for name, kind, at in zip(names, kinds, "ABCDEF", strict=False)}
    states = [State(now.capture.source, 45, before, now, changed_on, failure, doubt) for before, now in weeks]
    changes = compare_week(states, MONDAY, MONDAY + timedelta(days=6), (), Policy())
    return compose(
        changes, Settings(sources=sources), number=7, week="2026-W18", starts=MONDAY, previous_week="2026-W17"
    )
