"""Countries by code, for those who say where they are, by the names that the CLDR has for them."""

import functools
import tomllib
import unicodedata
from collections.abc import Mapping

from babel import Locale

from digest.config.assets import asset
from digest.language import spoken


def countries() -> Mapping[str, str]:
    """Names by ISO 3166-1 alpha-2 code, in the language that is spoken and in the order of its alphabet."""
    return _countries(spoken())


def country_name(code: str | None) -> str:
    """The name of a country; an unknown code is its own name, and no code has none."""
    return countries().get(code, code) if code else ""


@functools.cache
def _countries(language: str) -> Mapping[str, str]:
    codes = tomllib.loads((asset("data") / "countries.toml").read_text(encoding="utf-8"))["codes"]
    names = Locale.parse(language, sep="-").territories
    return dict(sorted(((code, names[code]) for code in codes), key=lambda country: _letters(country[1])))


def _letters(name: str) -> str:
    """What a name is sorted by: Ä as A, as English and German dictionaries do (DIN 5007-1)."""
    bare = (letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    return "".join(bare).casefold()
