"""The weights of benchmarks in their categories, and of categories in the overall score: data, read once."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from digest.config.assets import asset
from digest.config.values import Strict
from digest.errors import ConfigError

Weight = Annotated[Decimal, Field(ge=0)]


class Category(Strict):
    """What a category counts in the overall score, and its benchmarks in it, by their published names. A benchmark of
    weight 0 is shown beside the others and counts for nothing."""

    weight: Weight
    benchmarks: Annotated[Mapping[str, Weight], Field(min_length=1)]


class Weights(Strict):
    """Categories by title, in the order in which they are shown. An aggregate wants `coverage` per cent of its weight
    measured; a row with less is not ranked."""

    coverage: Annotated[Decimal, Field(gt=0, le=100)]
    categories: Annotated[Mapping[str, Category], Field(min_length=1)]


def load_weights(path: Path) -> Weights:
    """Read weights in the form of `data/benchmarks.toml`. Raises ConfigError naming the file and what is wrong."""
    try:
        weights = Weights.model_validate(tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal))
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        said = f"{fault['msg'][0].lower()}{fault['msg'][1:]}"
        raise ConfigError(f"{path}: {where}: {said}; correct that entry.") from error
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}; restore it or correct it.") from error
    empty = [title for title, category in weights.categories.items() if not any(category.benchmarks.values())]
    if empty or not any(category.weight for category in weights.categories.values()):
        what = f'the category "{empty[0]}" has no benchmark' if empty else "no category has a weight"
        raise ConfigError(f"{path}: {what} that counts; give one a weight above 0.")
    return weights


@cache
def packaged_weights() -> Weights:
    """The weights that come with the program."""
    return load_weights(asset("data") / "benchmarks.toml")
