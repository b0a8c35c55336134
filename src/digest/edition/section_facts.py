"""The facts of an edition's sections: boards, arrivals, movers, prices, corrections; and how each source fared."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from digest.edition.facts import Fact, Figure, Name, Proof, Variant

Leader = Literal[
    "new_leader", "new_but_tied", "new_within_noise", "unchanged", "not_comparable", "first_capture", "not_read"
]
"""What became of a board's first place. New within noise: ahead, but by moves of which none is told apart from noise.
Not comparable: the benchmark itself is made up otherwise than before. Not read: the week brought no capture."""


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

    @property
    def was_read(self) -> bool:
        """Whether the week brought a capture of its own that an edition tells from."""
        brought = self.current is not None and self.current != self.previous
        return brought and self.status in ("fresh", "unchanged", "new")


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
    `steady` counts the rows from the top that stand where they stood, None where places cannot be compared.
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
    steady: int | None = None
    current: Proof
    previous: Proof | None


class Arrival(Fact):
    """A model that is new on a board, by its best variant. `measured` of `benchmarks` were scored; without a rank it
    is not ranked, because its scores are incomplete. `also` are its other variants, and `more` counts the rest."""

    change: str
    name: Name
    rank: int | None
    band: int | None = None
    tied: bool
    value: Decimal | None
    measured: int
    benchmarks: int
    also: tuple[Variant, ...]
    more: int = 0


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
    """One price story: a new offer, a changed or a withdrawn price. `ids` counts the rows that say the same, `also_in`
    names the other lists that do."""

    change: str
    what: Literal["new", "changed", "withdrawn", "filled_in"]
    name: Name
    figures: tuple[Money, ...]
    ids: int
    also_in: tuple[str, ...] = ()


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
    reused: bool = False


class Correction(Fact):
    """A figure that a source put right, or took back: `printed` is what it said on the day of `previous`, `true` what
    it says on the day of `current`, None where it now says nothing."""

    change: str
    source: str
    title: str
    name: Name
    benchmark: str
    unit: str
    printed: Decimal
    true: Decimal | None
    current: Proof
    previous: Proof


class HeldBack(Fact):
    """A capture that a person has to look at before an edition may tell from it."""

    kind: Literal["held_back"] = "held_back"
    title: str


class GoesStale(Fact):
    """A source that will be stale from the day `on`, unless it changes before."""

    kind: Literal["goes_stale"] = "goes_stale"
    title: str
    changed_on: date
    on: date


class TopTie(Fact):
    """The first two rows of a board that are not told apart, `gap` from one another."""

    kind: Literal["top_tie"] = "top_tie"
    title: str
    first: Name
    second: Name
    gap: Decimal
    unit: str


class NextEdition(Fact):
    """The week of the next edition, by its Monday."""

    kind: Literal["next_edition"] = "next_edition"
    starts: date


Ahead = Annotated[HeldBack | GoesStale | TopTie | NextEdition, Field(discriminator="kind")]
"""One thing to watch, read off the data."""
