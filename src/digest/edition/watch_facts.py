"""The facts that readers' watch lists are answered from, and the answers."""

from decimal import Decimal
from typing import NamedTuple

from digest.edition.facts import Fact, Name


class Level(NamedTuple):
    """A model's figure on the measure at place `measure` of the table, by its best row or offer, now and in the week
    before; `raw` is the publisher's name of that row."""

    measure: int
    now: Decimal | None
    before: Decimal | None
    raw: str


class Measure(Fact):
    """What a column of the table of standings holds: a board's lead, one of its aggregates, or a lowest price.

    `first` are the rows that could be first within uncertainty, the best first, and `entered` those of them that had no
    figure before. `comparable` says whether what was before may be held against what is now.
    """

    source: str
    title: str
    benchmark: str
    unit: str
    higher_is_better: bool
    comparable: bool
    first: tuple[Name, ...] = ()
    first_before: tuple[Name, ...] = ()
    entered: tuple[Name, ...] = ()


class Held(Fact):
    """What one model holds: a level for each measure that has or had one for it."""

    model: str
    title: str
    organisation: str | None
    levels: tuple[Level, ...]


class Standings(Fact):
    """Every model's figures, for readers who follow models, makers, categories and prices. No news by itself."""

    measures: tuple[Measure, ...]
    models: tuple[Held, ...]


class Threshold(Fact):
    """`at_least` per cent in `category`, for `under` USD per 1M tokens (watching.py says of which tokens)."""

    category: str
    at_least: Decimal
    under: Decimal


class WatchList(Fact):
    """What a reader follows: ids of models, makers, benchmarks or sources, categories, needs, and thresholds."""

    models: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    benchmarks: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    thresholds: tuple[Threshold, ...] = ()


class Crossing(Fact):
    """A model that a threshold lets through, and did not let through before. Prices are in `unit`."""

    threshold: Threshold
    name: str
    source: str
    score: Decimal
    price_source: str
    unit: str
    price: Decimal
    price_before: Decimal | None


class Watched(Fact):
    """What became of a watch list since the edition before `since`, which is the first that the reader did not get.

    `stories` are ids of fragments, what matters most first. `unchanged`, `moved` (other figures, but no story) and
    `withdrawn` are titles of followed models. `missed` counts the editions before this week's.
    """

    since: str
    missed: int
    crossings: tuple[Crossing, ...] = ()
    stories: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
