"""What picks are tested with: a few declared sources, boards and price lists of plain names."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from digest.config.settings import Settings
from digest.edition.needs import Limits, Needs, packaged_needs
from digest.edition.pick_facts import Pick
from digest.edition.picks import pick
from digest.edition.yardsticks import Evidence, evidence
from digest.scores.snapshot import Snapshot

SCORES = {"kind": "scores", "lead": "overall", "columns": {"*": {}}}
OFFERS = {"kind": "offers", "prices": {"input": "in"}}


def some_settings(**titles: str) -> Settings:
    """Settings that declare sources with these titles: `board` and `other` rank models, `prices` and `list` ask."""
    named = {"board": "Board", "other": "Other board", "prices": "Prices", "list": "List", **titles}
    kinds = {"prices": OFFERS, "list": OFFERS}
    declared = {
        name: {"title": title, "url": "x", "format": "json", "model": "m", **kinds.get(name, SCORES)}
        for name, title in named.items()
    }
    return Settings.model_validate({"sources": declared})


def week(*snapshots: Snapshot, stale: tuple[str, ...] = (), needs: Needs | None = None, **titles: str) -> Evidence:
    found = {snapshot.capture.source: snapshot for snapshot in snapshots}
    return evidence(found, some_settings(**titles), needs or packaged_needs(), stale)


def ask(found: Evidence, limits: Limits | None = None, most: int = 9, **weights: Any) -> Pick:
    """The pick for needs by weight: `ask(week, coding=2, cost=1)`."""
    by_need: Mapping[str, Decimal] = {need: Decimal(str(weight)) for need, weight in weights.items()}
    return pick(by_need, found, limits or Limits(), most=most)


def raws(choices: Any) -> list[str]:
    return [choice.name.raw for choice in choices]
