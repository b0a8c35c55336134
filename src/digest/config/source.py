"""How a source is declared: where it is, how its rows are read, and what its columns measure."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from digest.config.values import Line, Strict


class Level(Strict):
    """One step down to the rows: every element of `each` is visited."""

    each: str = "@"
    as_: str | None = Field(None, alias="as")
    key_as: str | None = None


class Column(Strict):
    """What one column measures. `low`, `high`, `stderr` and `n` name the columns that hold its uncertainty."""

    benchmark: str | None = None
    title: Line = ""
    unit: str = "%"
    higher_is_better: bool = True
    scale: Decimal = Field(Decimal(1), gt=0)
    strip: str = ""
    low: str | None = None
    high: str | None = None
    stderr: str | None = None
    n: str | None = None
    margin: Decimal | None = Field(None, ge=0)
    zero_is_missing: bool = False
    self_reported: bool | None = None


class LongForm(Column):
    """One score a row: `name` is the field with the benchmark's name, `value` the field with its figure."""

    name: str
    value: str


class Prices(Strict):
    """Fields of an offer. `scale` turns the source's money into USD per million tokens.

    `details` is an expression for further prices: every number inside it is one, named by the way to it. An object of
    `above` and `price` is the price of a tier, named by its threshold; an object with a `when` is named by that.
    `zero_is_missing` says that the source writes 0 for what it does not know; elsewhere a price of 0 is free.
    """

    input: str | None = None
    output: str | None = None
    context: str | None = None
    max_output: str | None = None
    host: str | None = None
    details: str | None = None
    zero_is_missing: bool = False
    scale: Decimal = Field(Decimal(1), gt=0)


class CategoryMap(Strict):
    """Which benchmarks make up which category, in force from `from` until `until`, both included."""

    from_: date | None = Field(None, alias="from")
    until: date | None = None
    categories: dict[str, Annotated[list[str], Field(min_length=1)]]

    def in_force(self, on: date) -> bool:
        return (self.from_ is None or self.from_ <= on) and (self.until is None or on <= self.until)


class Aggregates(Strict):
    """Category means as `category:<name>` and their mean as `overall`: the publisher's by `maps`, each only where it is
    complete, or ours by the weights of `data/benchmarks.toml`."""

    overall: str = "overall"
    weighted: bool = False
    maps: list[CategoryMap] = []

    @model_validator(mode="after")
    def _made_one_way(self) -> Self:
        if self.weighted is bool(self.maps):
            raise ValueError("wants either maps or weighted = true: say how the aggregates are made")
        return self

    def in_force(self, on: date) -> Mapping[str, list[str]]:
        """The categories in force on a day; none when no map covers it."""
        return next((known.categories for known in self.maps if known.in_force(on)), {})


class Source(Strict):
    """A declared source. `docs/adding-a-source.md` explains every key with an example."""

    title: Line
    url: Line
    home: Line = ""
    licence: Line = "none stated"
    enabled: bool = True
    kind: Literal["scores", "offers"]
    format: Literal["json", "yaml", "csv", "markdown"]
    rows: Annotated[list[Level], Field(min_length=1)] = [Level()]
    model: str
    key: str | None = None
    skip: list[str] = []
    columns: dict[str, Column] = {}
    ignore: list[str] = []
    missing: list[str] = []
    long: LongForm | None = None
    prices: Prices | None = None
    aggregates: Aggregates | None = None
    lead: str | None = None
    margin: Decimal | None = Field(None, ge=0)
    relative: bool = False
    self_reported: bool = False
    stale_after_days: PositiveInt = 45

    @model_validator(mode="after")
    def _measures_something(self) -> Self:
        if not (self.columns or self.long or self.prices):
            raise ValueError("declares neither columns, long nor prices: say what is to be read")
        if self.kind == "scores" and self.lead is None:
            raise ValueError("has kind scores but no lead: name the benchmark that ranks it")
        if self.kind == "offers" and self.prices is None:
            raise ValueError("has kind offers but no [prices]: say where the prices are")
        return self
