"""Countries by code, for those who say where they are."""

import functools
import tomllib
from collections.abc import Mapping

from digest.config import asset


@functools.cache
def countries() -> Mapping[str, str]:
    """English names by ISO 3166-1 alpha-2 code, in the order of data/countries.toml."""
    return tomllib.loads((asset("data") / "countries.toml").read_text(encoding="utf-8"))


def country_name(code: str | None) -> str:
    """The name of a country; an unknown code is its own name, and no code has none."""
    return countries().get(code, code) if code else ""
