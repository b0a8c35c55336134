"""What readers need a model for: data, read once, and what a reader asks of it."""

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, PositiveInt, ValidationError

from digest.config.assets import asset
from digest.config.values import Line, Strict
from digest.edition.numbers import shown
from digest.errors import ConfigError, UsageError

Measure = Literal["benchmark", "speed", "price", "context", "open_weights"]
_MOST_WEIGHT = 1_000_000


class Need(Strict):
    """A need: `asks` says in words what it asks of a model, `benchmarks` which names measure it, the best one first.

    `measure` is what answers it where none of them is measured: a benchmark in seconds or tokens per second, a list's
    prices or context windows, or whether the weights are open.
    """

    title: Line
    asks: Line
    benchmarks: tuple[Line, ...] = ()
    measure: Measure = "benchmark"


class Blend(Strict):
    """How many input and output tokens make one price of two."""

    input: Annotated[Decimal, Field(ge=0)]
    output: Annotated[Decimal, Field(gt=0)]

    def price(self, asked: Decimal, answered: Decimal) -> Decimal:
        """USD per million tokens, for input and output tokens in this mixture."""
        return (self.input * asked + self.output * answered) / (self.input + self.output)


class Needs(Strict):
    """All needs by id, in the order in which they are told; data/needs.toml says what the other keys mean."""

    blend: Blend
    among: PositiveInt
    overall: tuple[Line, ...]
    needs: Annotated[Mapping[str, Need], Field(min_length=1)]


def load_needs(path: Path) -> Needs:
    """Read needs in the form of `data/needs.toml`. Raises ConfigError naming the file and what is wrong."""
    try:
        needs = Needs.model_validate(tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal))
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        said = f"{fault['msg'][0].lower()}{fault['msg'][1:]}"
        raise ConfigError(f"{path}: {where}: {said}; correct that entry.") from error
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}; restore it or correct it.") from error
    empty = [id_ for id_, need in needs.needs.items() if need.measure == "benchmark" and not need.benchmarks]
    if empty:
        raise ConfigError(f"{path}: needs.{empty[0]} names no benchmark and no other measure; give it one.")
    return needs


@cache
def packaged_needs() -> Needs:
    """The needs that come with the program."""
    return load_needs(asset("data") / "needs.toml")


class Limits(NamedTuple):
    """What a model must meet to be picked: `max_price` in USD per 1M tokens, blended; `min_context` in tokens."""

    max_price: Decimal | None = None
    open_weights: bool = False
    min_context: int | None = None


def weights_of(asked: Iterable[str], needs: Needs) -> dict[str, Decimal]:
    """`coding=2`, `Search and browsing` -> weights above zero by a need's id, in the order asked; without one it is 1.

    Raises UsageError for an unknown need, naming the nearest, and for weights that contradict each other.
    """
    weights: dict[str, Decimal] = {}
    for text in asked:
        name, equals, figure = text.partition("=")
        id_ = _need_named(name, needs)
        weight = _weight(id_, figure) if equals else Decimal(1)
        if id_ in weights and weights[id_] != weight:
            raise UsageError(f"--need {id_} is given two weights, {weights[id_]} and {weight}; give it one.")
        weights[id_] = weight
    told = {id_: weight for id_, weight in weights.items() if weight}
    if weights and not told:
        raise UsageError("every need has the weight 0, so nothing is asked for; give one a weight above 0.")
    return told


def _need_named(name: str, needs: Needs) -> str:
    by_name = {plain_name(spelling): id_ for id_, need in needs.needs.items() for spelling in (need.title, id_)}
    wanted = plain_name(name)
    if wanted in by_name:
        return by_name[wanted]
    near = difflib.get_close_matches(wanted[:60], by_name, n=1, cutoff=0.5)
    hint = f"did you mean {by_name[near[0]]}?" if near else f"there are {', '.join(needs.needs)}."
    raise UsageError(f'there is no need "{shown(name)}"; {hint}')


def _weight(need: str, figure: str) -> Decimal:
    try:
        weight = Decimal(figure.strip())
    except InvalidOperation:
        weight = Decimal("NaN")
    if not (weight.is_finite() and 0 <= weight <= _MOST_WEIGHT):
        raise UsageError(
            f"--need {need}={shown(figure)}: a weight is a number from 0 to {_MOST_WEIGHT:,}; leave out what does not "
            "matter."
        )
    return weight


def plain_name(name: str) -> str:
    """A name as it is compared: `category:Agentic Coding`, `agentic_coding` -> `agentic coding`."""
    bare = name.casefold().replace("_", " ").replace("-", " ").strip().removeprefix("category:")
    return " ".join(bare.split())
