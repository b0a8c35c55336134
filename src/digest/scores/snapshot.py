"""Frozen values of what a source says in a week: Score, Offer, Snapshot."""

import hashlib
import json
from collections.abc import Mapping
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

    `details` are further prices by name, in the order of their names: of tiers (`input above 200K`: for a prompt of
    more tokens than that), of conditions, of a cache. What a zero means its Snapshot says.
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
    """What one column of a source measures. `shared` says that the name is the published benchmark's own, so that two
    sources which report it tell the same fact; `self_reported` that the models' makers report the figures.

    An aggregate is the mean of its `inputs` by their `weights`, for rows whose measured inputs weigh at least `least`;
    `also` are benchmarks that are shown with it and count for nothing.
    """

    name: str
    title: str = ""
    unit: str = "%"
    higher_is_better: bool = True
    margin: Decimal | None = None
    relative: bool = False
    zero_is_missing: bool = False
    shared: bool = False
    self_reported: bool = False
    inputs: tuple[str, ...] = ()
    weights: tuple[Decimal, ...] = ()
    least: Decimal | None = None
    also: tuple[str, ...] = ()


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
    """All that one capture says. `scores` goes benchmark -> row key -> Score, `offers` row key -> Offer.

    `zero_is_missing` is what the source declares of its offers: a zero there means that the figure is not known.
    """

    capture: Capture
    rows: Mapping[str, Row]
    benchmarks: Mapping[str, Benchmark] = field(default_factory=dict)
    scores: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    offers: Mapping[str, Offer] = field(default_factory=dict)
    lead: str | None = None
    zero_is_missing: bool = False

    def known(self, figure: Decimal | int | None) -> Decimal | None:
        """A price or size of one of its offers; None where it is not said, or said as a zero that means the same."""
        return None if figure is None or (self.zero_is_missing and not figure) else Decimal(figure)

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
