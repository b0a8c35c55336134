"""The languages: that nothing is left untranslated, that figures and days are written as the language writes them."""

import ast
import threading
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

from digest.config.assets import asset
from digest.edition.numbers import calendar_day, day, gap, listed, money, ordinal, plain, tokens
from digest.language import ENGLISH, LOCALES, _, counted, ngettext, speaking, spoken
from digest.web.languages import preferred

ROOT = asset("data").parent
TRANSLATED = [locale for locale in LOCALES if locale != ENGLISH]

Key = tuple[str | None, str]


def written() -> dict[Key, object]:
    """Every message that the code, the templates and our own data hold."""
    mappings = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    methods = [(it["pattern"], it["method"]) for it in mappings]
    options = {
        it["pattern"]: {key: str(value) for key, value in it.items() if key not in ("pattern", "method")}
        for it in mappings
    }
    keywords = {**DEFAULT_KEYWORDS, "N_": None}
    found: dict[Key, object] = {}
    for _file, _line, message, _comments, context in extract_from_dir(ROOT, methods, options, keywords):
        found[context, message if isinstance(message, str) else message[0]] = message
    return found


def catalogue(locale: str) -> Catalog:
    with (ROOT / "data" / "locales" / f"{locale}.po").open("rb") as file:
        return read_po(file, locale=locale, abort_invalid=True)


def keys(messages: Catalog) -> Iterator[Key]:
    for message in messages:
        if message.id:
            yield message.context, message.id if isinstance(message.id, str) else message.id[0]


@pytest.mark.parametrize("locale", TRANSLATED)
def test_every_message_has_a_translation_and_none_is_left_over(locale: str) -> None:
    messages = catalogue(locale)
    known = set(keys(messages))
    assert not set(written()) - known, "run `make catalogues` and translate what is new"
    assert not known - set(written()), "run `make catalogues`: these are said no more"
    for message in messages:
        said = message.string if isinstance(message.string, tuple) else (message.string,)
        assert not message.id or all(said), message.id
        assert not message.id or not message.fuzzy, message.id


@pytest.mark.parametrize("locale", TRANSLATED)
def test_every_translation_fills_the_same_fields(locale: str) -> None:
    faults = [(message.id, list(map(str, errors))) for message, errors in catalogue(locale).check()]
    assert faults == []


def test_no_message_stands_inside_an_f_string_where_it_is_not_found() -> None:
    hidden = [
        f"{path.name} line {call.lineno}"
        for path in (ROOT / "src").rglob("*.py")
        for string in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(string, ast.JoinedStr)
        for call in ast.walk(string)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        if call.func.id in ("_", "ngettext", "pgettext") and isinstance(call.args[0], ast.Constant)
    ]
    assert hidden == []


def test_figures_and_days_are_written_as_the_language_writes_them() -> None:
    with speaking("de"):
        assert plain(Decimal("-1234.56")) == "−1234,6"
        assert (counted(1234567), money(Decimal("1234.5"))) == ("1.234.567", "1.234,50\u00a0$")
        assert (tokens(Decimal(262144)), tokens(Decimal(1048576))) == ("262\u00a0Tsd.", "1,05\u00a0Mio.")
        assert day(date(2026, 4, 27)) == "Mo., 27. April"
        assert calendar_day(date(2026, 4, 27)) == "27. April 2026"
        assert gap(Decimal("2.14"), "%") == "2,1 Punkte"
        assert (ordinal(1), ordinal(22)) == ("1.", "22.")
        assert listed(["a", "b"], 3) == "a, b und 3 weitere"


def test_english_is_spoken_where_nothing_was_said_and_again_afterwards() -> None:
    assert spoken() == ENGLISH
    with suppress(ZeroDivisionError), speaking("de"):
        assert spoken() == "de"
        print(1 / 0)
    assert spoken() == ENGLISH


def test_a_language_that_is_not_there_is_english() -> None:
    with speaking("tlh"):
        assert (spoken(), counted(1000)) == (ENGLISH, "1,000")


def test_two_threads_speak_each_their_own() -> None:
    heard = {}

    def listen() -> None:
        heard["other"] = spoken()

    with speaking("de"):
        other = threading.Thread(target=listen)
        other.start()
        other.join()
        assert (spoken(), heard["other"]) == ("de", ENGLISH)


def test_a_field_that_looks_like_a_field_stays_what_it_is() -> None:
    assert _("%(all_but_last)s and %(last)s", all_but_last="%(last)s", last="{x} 100%") == "%(last)s and {x} 100%"
    assert ngettext("%(count)s more", "%(count)s more", 1200) == "1,200 more"


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("fr, de;q=0.3", "de"),
        ("en;q=0.2, de;q=0.7", "de"),
        ("de;q=0", "en"),
        ("fr;q=1, *;q=0.5", "en"),
        ("de;q=many, ,;;=,", "en"),
        ("DE", "de"),
    ],
)
def test_a_visitor_gets_the_language_that_the_browser_likes_best(asked: str, answered: str) -> None:
    assert preferred(asked) == answered
