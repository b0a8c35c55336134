"""What an edition says: frozen facts, serialisable and hashed. Sentences are made at rendering, in wording.py."""

import hashlib
from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

Leader = Literal["new_leader", "new_but_tied", "unchanged", "not_comparable", "first_capture"]
"""What became of a board's first place. Not comparable: the benchmark itself is made up otherwise than before."""


class Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Name(Fact):
    """A model as it is shown: title and variant; `model` is the canonical id, `raw` the publisher's own name."""

    model: str
    title: str
    raw: str
    effort: str | None = None
    thinking: str | None = None
    date: str | None = None
    host: str | None = None


class Figure(Fact):
    """A value with its rank and interval where it has them."""

    value: Decimal | None = None
    rank: int | None = None
    low: Decimal | None = None
    high: Decimal | None = None


class Proof(Fact):
    """Where a source's figures come from: the capture's day and the sha256 of its bytes."""

    on: date
    sha256: str


class Health(Fact):
    """How a source fared. `age_days` counts from its last change to the end of the week; `detail` says what failed."""

    source: str
    title: str
    status: Literal["fresh", "unchanged", "stale", "failed", "quarantined", "new"]
    home: str
    licence: str
    counted: int
    counted_as: Literal["models", "ids"]
    current: Proof | None
    previous: Proof | None
    changed_on: date | None = None
    age_days: int | None
    detail: str = ""


class Place(Fact):
    """One row of a board. `band` is the best rank it could hold within uncertainty; `tied` says that a neighbour in the
    ranking, above or below, is not told apart from it."""

    name: Name
    rank: int
    band: int
    tied: bool
    score: Figure
    previous: Figure | None
    movement: Literal["new", "same", "up", "down"] | None


class Board(Fact):
    """The top of one source's own ranking. `leader` says what became of the first place since the week before.
    `benchmark` is the benchmark as it is shown.

    `movement` is None on every row when there is nothing to compare with, or the benchmark is another than before.
    """

    source: str
    title: str
    benchmark: str
    unit: str
    higher_is_better: bool
    uncertainty: Literal["interval", "stderr", "margin", "none"]
    margin: Decimal | None
    leader: Leader
    previous_leader: Name | None
    change: str | None
    places: tuple[Place, ...]
    ranked: int
    unranked: int
    current: Proof
    previous: Proof | None


class Variant(Fact):
    """Another variant of an arrived model."""

    name: Name
    rank: int | None
    value: Decimal | None


class Arrival(Fact):
    """A model that is new on a board, by its best variant. `measured` of `benchmarks` were scored; without a rank it
    is not ranked, because its scores are incomplete."""

    change: str
    name: Name
    rank: int | None
    band: int | None = None
    tied: bool
    value: Decimal | None
    measured: int
    benchmarks: int
    also: tuple[Variant, ...]


class Arrivals(Fact):
    """The new rows of one source: `rows` of them, for `len(models)` models and `folded` more that are not listed.

    `counted_as` says what an arrival's coverage counts: the tasks of a mean, or a table's columns.
    """

    source: str
    title: str
    unit: str
    counted_as: Literal["tasks", "columns"] = "tasks"
    rows: int
    models: tuple[Arrival, ...]
    folded: int


class Mover(Fact):
    """A score that changed beyond its uncertainty on a board's lead benchmark."""

    change: str
    reason: str
    name: Name
    before: Figure
    after: Figure


class Movers(Fact):
    """What moved on one source's lead benchmark; `elsewhere` counts the news on its other benchmarks."""

    source: str
    title: str
    benchmark: str
    unit: str
    higher_is_better: bool
    movers: tuple[Mover, ...]
    folded: int
    within_noise: int
    elsewhere: int = 0
    current: Proof
    previous: Proof | None


class Money(Fact):
    """A price in USD before and after, for `per` what. None on a side means that nothing was said there."""

    measure: Literal["input", "output", "run_cost", "context"]
    before: Decimal | None
    after: Decimal | None


class Priced(Fact):
    """One price story: a new offer, a changed or a withdrawn price. `ids` counts the rows that say the same."""

    change: str
    what: Literal["new", "changed", "withdrawn", "filled_in"]
    name: Name
    figures: tuple[Money, ...]
    ids: int


class PriceList(Fact):
    """The price stories of one source; `elsewhere` counts the news on tier and cache prices and answer sizes."""

    source: str
    title: str
    priced: tuple[Priced, ...]
    folded: int
    elsewhere: int = 0
    current: Proof
    previous: Proof | None

    @property
    def on(self) -> date:
        """The day of the list."""
        return self.current.on


class Gone(Fact):
    """Rows that left a source."""

    source: str
    title: str
    names: tuple[Name, ...]
    folded: int


class Said(Fact):
    source: str
    title: str
    value: Decimal
    on: date


class Disagreement(Fact):
    """One fact that two sources tell differently, beyond both uncertainties. Told once."""

    change: str
    fact: str
    name: Name
    measure: str
    unit: str
    said: tuple[Said, Said]


class MethodNote(Fact):
    """A benchmark that was added to or removed from a source, that is another than before, or whose scale moved.

    `rows` have or had it; of a revised one they are the figures that moved, of a scale the benchmarks that moved,
    by `shift`. `models_moved` counts the score changes of that source which are a model's own.
    """

    change: str
    source: str
    title: str
    kind: Literal["benchmark_added", "benchmark_removed", "benchmark_revised", "scale_shifted"]
    benchmark: str
    unit: str = "%"
    rows: int
    shift: Decimal | None = None
    models_moved: int = 0


class Renamed(Fact):
    """A row that goes by another name, or `rows` whose prefix changed; it is no news, and no launch."""

    change: str
    source: str
    title: str
    before: Name
    after: Name
    rows: int


class Edition(Fact):
    """One week's edition. `week` and `previous_week` are ISO weeks such as 2026-W18; `starts` is the week's Monday."""

    schema_version: Literal[1] = 1
    series: str
    tagline: str
    number: int
    week: str
    starts: date
    previous_week: str
    boards: tuple[Board, ...]
    arrivals: tuple[Arrivals, ...]
    movers: tuple[Movers, ...]
    prices: tuple[PriceList, ...]
    gone: tuple[Gone, ...]
    disagreements: tuple[Disagreement, ...]
    disagreements_folded: int = 0
    method: tuple[MethodNote, ...]
    renamed: tuple[Renamed, ...] = ()
    renamed_folded: int = 0
    health: tuple[Health, ...]

    def document(self) -> str:
        """The edition as JSON, the same text for the same facts."""
        return self.model_dump_json()


class Rendered(Fact):
    """An edition as mail: whole parts with slots for what differs by reader (`rendering/email.py` names them)."""

    subject: str
    preheader: str
    html: str
    text: str


def content_hash(edition: Edition, rendered: Rendered) -> str:
    """sha256 over the facts and every rendered byte: what an editor approves."""
    digest = hashlib.sha256()
    for part in (edition.document(), rendered.model_dump_json()):
        digest.update(hashlib.sha256(part.encode()).digest())
    return digest.hexdigest()
