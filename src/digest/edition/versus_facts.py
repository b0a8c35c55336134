"""The facts of models side by side."""

from decimal import Decimal
from typing import Literal

from digest.edition.facts import Disagreement, Fact, Name, Proof, Variant


class Contender(Fact):
    """A model that was asked for. What is said of the model itself comes from the catalogue; None where it does not
    say. `context` is in tokens."""

    asked: str
    name: Name
    open_weights: bool | None
    reasoning: Literal["yes", "no", "hybrid"] | None
    context: int | None


class Entrant(Fact):
    """The row of a source that stands for a contender, and the model's other variants there, the best first."""

    name: Name
    key: str
    rank: int | None
    also: tuple[Variant, ...]


class Result(Fact):
    """A contender's figure beside the best. `gap` is the figure less the best one, in the benchmark's unit; `percent`
    says by how much of this figure the best one is ahead, None for a rating and where there is no share.

    A win is ahead of every other beyond uncertainty; a tie is not told apart from the best, though perhaps the best.
    """

    value: Decimal
    low: Decimal | None
    high: Decimal | None
    gap: Decimal
    percent: Decimal | None
    outcome: Literal["win", "tie", "loss"]
    receipt: str = ""


class Compared(Fact):
    """One benchmark for all contenders, in their order; None where one was not measured.

    `order` holds the measured ones, the best first. `uncertainty` is what the judgement of the first two rests on,
    `needed` the difference beyond which they are told apart. `spread` lies between the best and the last, and
    `separates` says that it is beyond uncertainty. `scored` is False for a quantity such as seconds, words or money;
    `self_reported` says that the models' makers report the figures.
    """

    benchmark: str
    title: str
    unit: str
    higher_is_better: bool
    scored: bool
    self_reported: bool
    uncertainty: Literal["interval", "stderr", "margin", "none"]
    needed: Decimal
    results: tuple[Result | None, ...]
    order: tuple[int, ...]
    spread: Decimal
    separates: bool

    @property
    def winner(self) -> int | None:
        """The contender that is ahead of every other beyond uncertainty."""
        first = self.results[self.order[0]]
        return self.order[0] if first is not None and first.outcome == "win" else None


class Grouped(Fact):
    """A category: its own figure, where two contenders have one, its benchmarks, and which separates them most."""

    title: str
    whole: Compared | None
    benchmarks: tuple[Compared, ...]
    separator: str | None


class Tally(Fact):
    """On how many benchmarks of a source, or in how many of its categories, a contender wins, ties and loses."""

    wins: int
    ties: int
    losses: int


class Matchup(Fact):
    """The contenders on one source. `lead` is the benchmark that ranks it; `overall` says that it sums up the others.

    `other` are benchmarks of no category, the lead among them where it is a benchmark of its own.
    """

    source: str
    title: str
    current: Proof
    entrants: tuple[Entrant | None, ...]
    lead: Compared | None
    overall: bool
    categories: tuple[Grouped, ...]
    other: tuple[Compared, ...]
    separator: Compared | None
    benchmarks: tuple[Tally, ...]
    groups: tuple[Tally, ...]


class Offered(Fact):
    """What one source says of a contender's price, in USD per 1M tokens, and sizes, in tokens. A price of 0 is free.

    `input_ratio` and `output_ratio` are multiples of the lowest price; None where one of them is free or not known.
    """

    name: Name
    key: str
    input: Decimal | None
    output: Decimal | None
    context: Decimal | None
    max_output: Decimal | None
    input_ratio: Decimal | None = None
    output_ratio: Decimal | None = None
    receipts: tuple[str, ...] = ()


class Offers(Fact):
    """The contenders in one price list, or in the columns of a board that tells prices; None where one is missing."""

    source: str
    title: str
    current: Proof
    offered: tuple[Offered | None, ...]


class Versus(Fact):
    """Two or more models side by side. No figure of one source is held against a figure of another, but where
    `disagreements` tells one fact of two sources. The first matchup is the one that a verdict rests on.

    A lead of `clear_lead` times what it takes to be one is a clear one; prices and context windows that differ by
    `price_ratio` and `context_ratio` are a reason to pick.
    """

    contenders: tuple[Contender, ...]
    matchups: tuple[Matchup, ...]
    offers: tuple[Offers, ...]
    disagreements: tuple[Disagreement, ...]
    clear_lead: Decimal
    price_ratio: Decimal
    context_ratio: Decimal
