"""A mail as the checks see it: what is sent, its HTML part parsed once, and which section each element stands in."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Literal, NamedTuple

from lxml import etree, html

from digest.edition.numbers import shown

Level = Literal["error", "warning", "note"]
"""error: must not go out.   warning: somebody should decide.   note: worth knowing, nothing to do."""

HEAD, MASTHEAD, OPENING, FOOTER = "Head", "Masthead", "Opening", "Footer"
TEXT_PART, WHOLE = "Text part", "Whole mail"
_TITLE_ROOM = 50


class Finding(NamedTuple):
    """One thing that a check found: in which section of the mail, or file and line; `what` it is, and what to `do`.

    `rendition` names the mails that it is in.
    """

    level: Level
    check: str
    section: str
    what: str
    do: str
    rendition: str = ""


@dataclass(frozen=True)
class Specimen:
    """A mail as one reader gets it, with nothing left to fill in. `html` is None where it is plain text alone.

    `unsubscribe` is the address of the way out, `sender` the line that says who writes and from where, `names` are the
    models' names as they are shown; `base_url` is where the series' own links begin.
    """

    rendition: str
    subject: str
    html: str | None
    text: str
    unsubscribe: str
    sender: str
    base_url: str
    names: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Page:
    """An HTML part. `sections` holds every element in the document's order, with the title of its section."""

    source: str
    root: html.HtmlElement
    sections: Mapping[html.HtmlElement, str]

    @cached_property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """What is seen of the page, in its order, as (section, text); each cell, paragraph and line is one text."""
        return tuple(_lines(self))


def parse(source: str) -> Page | None:
    """The page of an HTML part; None for one that holds nothing."""
    if not source.strip():
        return None
    source = source.encode("utf-8", "replace").decode()  # without half a surrogate pair
    parser = html.HTMLParser(encoding="utf-8", huge_tree=True)
    try:
        root = html.document_fromstring(source.encode(), parser=parser)
    except etree.ParserError:
        return None
    return Page(source, root, dict(_placed(root)))


def _placed(root: html.HtmlElement) -> Iterator[tuple[html.HtmlElement, str]]:
    """Sections begin at headings; the foot has none and is known by its class."""
    section = HEAD
    for element in root.iter(etree.Element):
        if element.tag == "body":
            section = MASTHEAD
        elif element.tag == "h1":
            section = OPENING
        elif element.tag == "h2":
            section = title_of(element.text_content()) or section
        elif "foot" in classes(element):
            section = FOOTER
        yield element, section


def title_of(heading: str) -> str:
    """A heading as a section is called by it: one line, not too long."""
    return shown(heading, _TITLE_ROOM) if heading.strip() else ""


_UNSEEN = {"head", "style", "script", "title", "template", "noscript"}
_INLINE = {"a", "b", "i", "em", "strong", "span", "small", "code", "sub", "sup", "u", "s", "font", "abbr"}
_HIDDEN = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_TICK = "tick"  # the class of the figures below a bar's axis, which are no facts of the week
_EDGE = "\n"


def is_hidden(element: html.HtmlElement) -> bool:
    """Whether the element itself says that nothing of it is shown."""
    return element.tag in _UNSEEN or bool(_HIDDEN.search(element.get("style") or ""))


def _lines(page: Page) -> Iterator[tuple[str, str]]:
    """The text between two edges of blocks is one line."""
    runs: list[tuple[str, str]] = []
    _collect(page.root, page.sections, runs)
    for is_edge, between in groupby(runs, key=lambda run: run[1] == _EDGE):
        found = [] if is_edge else list(between)
        text = " ".join("".join(text for _section, text in found).split())
        if text:
            yield found[0][0], text


def _collect(element: html.HtmlElement, sections: Mapping[html.HtmlElement, str], runs: list[tuple[str, str]]) -> None:
    if is_hidden(element) or _TICK in classes(element):
        return
    section, is_block = sections[element], element.tag not in _INLINE
    if is_block:
        runs.append((section, _EDGE))
    if element.text:
        runs.append((section, element.text.replace(_EDGE, " ")))
    for child in element:
        if isinstance(child.tag, str):
            _collect(child, sections, runs)
        if child.tail:
            runs.append((section, child.tail.replace(_EDGE, " ")))
    if is_block:
        runs.append((section, _EDGE))


def classes(element: html.HtmlElement) -> list[str]:
    """The names in the element's class attribute."""
    return (element.get("class") or "").split()


def in_short(text: str, room: int = 40) -> str:
    """A quoted piece of what was found, harmless on a terminal."""
    return f"“{shown(text, room) if text.strip() else ''}”"
