"""The language that is spoken: words from gettext catalogues, figures and days as the CLDR writes them (Babel).

English stands in the code and in the templates, and is the message's own name in every catalogue. Whoever writes for
a reader says in which language (`with speaking("de")`); all words below it ask here, so that no function between has
to hand it on. Fields in a message are named, `%(name)s`, and a percent sign is written twice.
"""

import gettext
import hashlib
import io
import tomllib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import cache
from typing import BinaryIO

from babel import Locale
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from babel.numbers import get_decimal_symbol, get_group_symbol

from digest.config.assets import asset
from digest.errors import DigestError

ENGLISH = "en"
LOCALES: Mapping[str, str] = {ENGLISH: "English", "de": "Deutsch"}
"""The languages that mail and pages are written in, by language tag (BCP 47), each by its own name."""

_SPOKEN: ContextVar[str] = ContextVar("spoken", default=ENGLISH)


@contextmanager
def speaking(locale: str) -> Iterator[None]:
    """Within it every word is of this language; English where it is none of LOCALES."""
    token = _SPOKEN.set(locale if locale in LOCALES else ENGLISH)
    try:
        yield
    finally:
        _SPOKEN.reset(token)


def spoken() -> str:
    """The language tag of what is written now."""
    return _SPOKEN.get()


def _(message: str, /, **fields: object) -> str:
    """The message in the language that is spoken, with its fields filled."""
    return _catalogue(spoken()).gettext(message) % fields


def ngettext(one: str, many: str, number: int, /, **fields: object) -> str:
    """The form that the language wants for the number, which `%(count)s` stands for unless a field says otherwise."""
    return _catalogue(spoken()).ngettext(one, many, number) % {"count": counted(number), **fields}


def pgettext(context: str, message: str, /, **fields: object) -> str:
    """The message as it is meant in this context, where one English word is several elsewhere."""
    return _catalogue(spoken()).pgettext(context, message) % fields


def N_(message: str) -> str:  # noqa: N802 (the name by which gettext's tools know it)
    """Mark a message in a table, which is translated where it is used."""
    return message


def counted(number: int) -> str:
    """A whole number with the language's mark between thousands."""
    return f"{number:,}".replace(",", group_symbol())


def decimal_symbol() -> str:
    return _symbols(spoken())[0]


def group_symbol() -> str:
    return _symbols(spoken())[1]


def written_day(on: date, pattern: str) -> str:
    """A day by a CLDR pattern (Unicode Technical Standard 35, part 4, section 8), such as `EEE d MMM`."""
    return format_date(on, pattern, locale=_locale(spoken()))


def message_of(message: str) -> str:
    """The bare message with its fields still open, as Jinja2's {% trans %} asks for it; a title from data has none."""
    return _catalogue(spoken()).gettext(message)


def plural_message_of(one: str, many: str, number: int) -> str:
    return _catalogue(spoken()).ngettext(one, many, number)


def message_in(context: str, message: str) -> str:
    return _catalogue(spoken()).pgettext(context, message)


def catalogues() -> str:
    """sha256 of the catalogues as they are now: what words would be said with."""
    digest = hashlib.sha256()
    for locale in LOCALES:
        if locale != ENGLISH:
            digest.update((asset("data") / "locales" / f"{locale}.po").read_bytes())
    return digest.hexdigest()


@cache
def _symbols(locale: str) -> tuple[str, str]:
    return get_decimal_symbol(_locale(locale)), get_group_symbol(_locale(locale))


@cache
def _locale(locale: str) -> Locale:
    return Locale.parse(locale, sep="-")


@cache
def _catalogue(locale: str) -> gettext.NullTranslations:
    """The catalogue data/locales/<tag>.po; English needs none. Raises DigestError for one that cannot be read."""
    if locale == ENGLISH:
        return gettext.NullTranslations()
    name = f"data/locales/{locale}.po"
    with (asset("data") / "locales" / f"{locale}.po").open("rb") as file:
        try:
            messages = read_po(file, locale=_locale(locale), abort_invalid=True)
        except PoFileError as error:
            what = str(error).removesuffix(f" on {error.lineno}")
            raise DigestError(f"{name} line {error.lineno + 1} is no valid catalogue: {what}; correct it.") from error
        except (ValueError, LookupError, IndexError) as error:
            raise DigestError(f"{name} is no valid catalogue: {error}; correct it.") from error
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def forget_catalogues() -> None:
    """Read the catalogues anew when words are next asked for."""
    _catalogue.cache_clear()


def extract_titles(
    file: BinaryIO,
    _keywords: Collection[str],
    _comment_tags: Collection[str],
    options: Mapping[str, str],  # noqa: ARG001 (by this name it is handed over)
) -> Iterator[tuple[int, None, str, list[str]]]:
    """Every `title` in our own data (TOML) as a message with its line, for Babel, which pyproject.toml sends here."""
    text = file.read().decode()
    for title in _titles(tomllib.loads(text)):
        line = next((number for number, line in enumerate(text.splitlines(), 1) if title in line), 1)
        yield line, None, title, []


def _titles(node: object) -> Iterator[str]:
    for key, value in node.items() if isinstance(node, dict) else ():
        if key == "title" and isinstance(value, str):
            yield value
        yield from _titles(value)
