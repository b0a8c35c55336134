"""Frozen values of what a source says in a week: Score, Offer, Snapshot; and how a snapshot is put together."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple


class Score(NamedTuple):
    """One figure of one row on one benchmark, with what the source says of its uncertainty.

    `low` and `high` bound the published 95 % interval, `stderr` is a standard error in the benchmark's own unit, `n`
    the number of cases a share was counted over.
    """

    value: Decimal
    low: Decimal | None = None
    high: Decimal | None = None
    stderr: Decimal | None = None
    n: int | None = None


class Offer(NamedTuple):
    """What a host asks for a model: USD per million tokens, and sizes in tokens. None means that it is not said.

    `details` are further prices by name, in the order of their names: of tiers, of conditions, of a cache.
    """

    host: str | None = None
    input: Decimal | None = None
    output: Decimal | None = None
    context: int | None = None
    max_output: int | None = None
    details: tuple[tuple[str, Decimal], ...] = ()


class Row(NamedTuple):
    """A publisher's row: its own key, and the publisher's own name of the model, untouched."""

    key: str
    raw: str


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What one column of a source measures. `inputs` names the benchmarks an aggregate is the mean of; `shared` says
    that the name is the published benchmark's own, so that two sources which report it tell the same fact."""

    name: str
    title: str = ""
    unit: str = "%"
    higher_is_better: bool = True
    margin: Decimal | None = None
    relative: bool = False
    zero_is_missing: bool = False
    shared: bool = False
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Capture:
    """The bytes of a source at one moment. `on` is the day in the series' calendar, `at` the moment, `sha256` of the
    bytes before any compression of ours."""

    source: str
    on: date
    at: datetime
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that one capture says. `scores` goes benchmark -> row key -> Score, `offers` row key -> Offer."""

    capture: Capture
    rows: Mapping[str, Row]
    benchmarks: Mapping[str, Benchmark] = field(default_factory=dict)
    scores: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    offers: Mapping[str, Offer] = field(default_factory=dict)
    lead: str | None = None

    def says_the_same_as(self, other: "Snapshot") -> bool:
        """Whether two captures hold the same rows with the same figures."""
        return (self.rows, self.scores, self.offers) == (other.rows, other.scores, other.offers)

    @property
    def content(self) -> str:
        """sha256 over what was read, whatever the order of the rows: two captures that say the same have the same."""
        return hashlib.sha256(json.dumps(self._said(), sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def _said(self) -> dict[str, Any]:
        return {
            "rows": sorted(self.rows.values()),
            "scores": {
                name: {key: [_text(part) for part in score] for key, score in column.items()}
                for name, column in self.scores.items()
            },
            "offers": {
                key: [*(_text(part) for part in offer[:-1]), [(name, _text(price)) for name, price in offer.details]]
                for key, offer in self.offers.items()
            },
        }


def _text(part: object) -> str | None:
    return str(part.normalize()) if isinstance(part, Decimal) else None if part is None else str(part)


def with_aggregates(
    scores: Mapping[str, Mapping[str, Score]], categories: Mapping[str, Iterable[str]], overall: str
) -> tuple[dict[str, dict[str, Score]], dict[str, tuple[str, ...]]]:
    """Add `category:<name>` means and their mean `overall` -> (all scores, inputs of each aggregate).

    A row has an aggregate only where it has every input: a missing score is neither zero nor left out of a mean.
    """
    every = {name: dict(column) for name, column in scores.items()}
    inputs = {f"category:{name}": tuple(members) for name, members in categories.items() if members}
    if inputs:
        inputs[overall] = tuple(inputs)
    for aggregate, members in inputs.items():
        columns = [every[member] for member in members]
        complete = set(columns[0]).intersection(*columns[1:])
        every[aggregate] = {
            key: Score(sum((column[key].value for column in columns), Decimal(0)) / len(columns))
            for key in columns[0]
            if key in complete
        }
    return every, inputs
