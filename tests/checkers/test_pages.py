"""The W3C's checker (validator.nu) looks at every page in each of its states and languages: HTML, CSS and SVG."""

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from fastapi import Response
from tests.checkers.installed import from_npm, program
from tests.checkers.visits import HOSTILE_TEXTS, Page, every_page, visiting

from digest.config.assets import asset
from digest.language import LOCALES
from digest.web.pages import Site

pytestmark = pytest.mark.long

PLANTED = b'<!doctype html><html lang="en"><title>Planted</title><p id="a"><p id="a" style="colour: red">'


class Message(NamedTuple):
    """What the checker says of a page, `error`, `warning` or `info`, and where."""

    page: Page
    level: str
    words: str
    where: str


class Checked(NamedTuple):
    pages: list[Page]
    templates: set[str]
    messages: list[Message]


@pytest.fixture(scope="module")
def checked(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """All pages, fetched in each language from a real server, and looked at by one run of the checker."""
    command = [program("java"), "-jar", str(from_npm("vnu-jar/build/dist/vnu.jar"))]
    base, pages = tmp_path_factory.mktemp("checked"), [Page("planted", "en", PLANTED)]
    templates: set[str] = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Site, "page", _noting(templates, Site.page))
        for language in LOCALES:
            with visiting(sqlite_template, base / language, language) as visit:
                pages += every_page(visit)
    return Checked(pages, templates, list(_messages(command, base, pages)))


def _noting(templates: set[str], page: Callable[..., Response]) -> Callable[..., Response]:
    def noting(site: Site, template: str, *more: Any, **facts: Any) -> Response:
        templates.add(template)
        return page(site, template, *more, **facts)

    return noting


def _messages(command: Sequence[str], folder: Path, pages: Sequence[Page]) -> Iterator[Message]:
    files = [folder / f"{number}.html" for number in range(len(pages))]
    for file, page in zip(files, pages, strict=True):
        file.write_bytes(page.content)
    done = subprocess.run(
        [*command, "--format", "json", "--stdout", "--exit-zero-always", *map(str, files)],
        capture_output=True,
        text=True,
        check=True,
    )
    for found in json.loads(done.stdout)["messages"]:
        page = pages[files.index(Path(urlsplit(found["url"]).path))]
        where = f"{page.name} ({page.language}), line {found.get('lastLine')}: {found.get('extract', '')[:100]!r}"
        yield Message(page, found.get("subType", found["type"]), found["message"][:200], where)


def _said(checked: Checked, level: str) -> list[str]:
    """What was said of any page but the planted one: each thing once, with the number of places and the first."""
    places: dict[str, list[str]] = {}
    for message in checked.messages:
        if message.level == level and message.page.name != "planted" and not _is_a_guess(message):
            places.setdefault(message.words, []).append(message.where)
    return [f"{words} {len(found)} times, first on {found[0]}" for words, found in places.items()]


def _is_a_guess(message: Message) -> bool:
    """Whether it guesses at the language of a page that is full of hostile names."""
    hostile = message.page.name.rpartition(" ")[2] in HOSTILE_TEXTS
    return hostile and message.words.startswith("This document appears to be written in")


def test_no_page_has_an_error(checked: Checked) -> None:
    said = _said(checked, "error")
    assert not said, "\n".join(said)


def test_no_page_gets_a_warning(checked: Checked) -> None:
    said = _said(checked, "warning")
    assert not said, "\n".join(said)


def test_an_error_would_be_found_in_html_and_in_css(checked: Checked) -> None:
    found = [one.words for one in checked.messages if one.page.name == "planted" and one.level == "error"]
    assert any("Duplicate ID" in words for words in found)
    assert any("colour" in words for words in found)


def test_every_template_of_a_page_was_looked_at(checked: Checked) -> None:
    folder = asset("templates") / "web"
    pages = {file.name for file in folder.glob("*.html") if "{% extends" in file.read_text(encoding="utf-8")}
    assert pages <= checked.templates


@pytest.mark.parametrize("language", LOCALES)
def test_every_page_was_looked_at_in_the_language_that_it_says_it_is_in(checked: Checked, language: str) -> None:
    """But for the API's and the operator's, which are in English."""
    lang = f'<html lang="{language}"'.encode()
    other = {page.name for page in checked.pages if page.language == language and lang not in page.content}
    assert other <= {"the API", "the operator's page", "the operator's page of a new house"}
