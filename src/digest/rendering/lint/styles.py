"""Style sheets of a mail, and what they and the style attributes come to for an element (CSS Cascading Level 4)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Literal, NamedTuple

import tinycss2
from cssselect import HTMLTranslator, SelectorError
from cssselect import parse as parse_selectors
from lxml import etree, html
from tinycss2.ast import Declaration, Node

from digest.rendering.lint.page import Page

Scheme = Literal["light", "dark"]

_AT_RULES_OF_RULES = ("media", "supports")


class Style(NamedTuple):
    """One declaration: the property in small letters, its value as tokens and as it is written."""

    name: str
    value: tuple[Node, ...]
    text: str
    important: bool


class Rule(NamedTuple):
    """Styles for what a selector matches. `media` holds the conditions that it stands under, outermost first."""

    selector: str
    prelude: tuple[Node, ...]
    media: tuple[str, ...]
    styles: tuple[Style, ...]


class AtRule(NamedTuple):
    """An at-rule by its name, such as `media`, and what stands between the name and its block."""

    name: str
    prelude: str


@cache
def parse_styles(text: str) -> tuple[Style, ...]:
    """The declarations of a style attribute; what is no declaration is left out, as clients do."""
    return _styles(tinycss2.parse_blocks_contents(text, skip_comments=True, skip_whitespace=True))


def _styles(nodes: list[Node]) -> tuple[Style, ...]:
    declared = (node for node in nodes if isinstance(node, Declaration))
    return tuple(
        Style(node.lower_name, tuple(node.value), tinycss2.serialize(node.value).strip(), node.important)
        for node in declared
    )


def sheets(page: Page) -> Iterator[Rule | AtRule]:
    """The rules of every style sheet in the page, in order; those that only Outlook reads are not among them."""
    for element in page.root.iter("style"):
        media = (element.get("media") or "").lower()
        yield from _rules(element.text or "", (media,) if media else ())


@cache
def _rules(text: str, media: tuple[str, ...]) -> tuple[Rule | AtRule, ...]:
    return tuple(_parsed(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True), media))


def _parsed(nodes: list[Node], media: tuple[str, ...]) -> Iterator[Rule | AtRule]:
    for node in nodes:
        if node.type == "at-rule":
            condition = tinycss2.serialize(node.prelude).strip().lower()
            yield AtRule(node.lower_at_keyword, condition)
            if node.content is not None and node.lower_at_keyword in _AT_RULES_OF_RULES:
                inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
                yield from _parsed(inner, (*media, condition))
        elif node.type == "qualified-rule":
            styles = _styles(
                tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True),
            )
            selector = tinycss2.serialize(node.prelude).strip()
            yield Rule(selector, tuple(node.prelude), media, styles)


def applies(media: tuple[str, ...], scheme: Scheme) -> bool:
    """Whether conditions hold on a wide screen in this colour scheme."""
    other = "dark" if scheme == "light" else "light"
    conditions = [condition.replace(" ", "") for condition in media]
    return not any(
        f"prefers-color-scheme:{other}" in condition or "max-width" in condition or condition.startswith("print")
        for condition in conditions
    )


Winner = tuple[tuple[bool, bool, tuple[int, int, int], int], Style]


def cascaded(page: Page, scheme: Scheme, wanted: frozenset[str]) -> Mapping[html.HtmlElement, Mapping[str, Style]]:
    """For each element the declarations that win among those whose property is wanted. Nothing is inherited here.

    An important one wins over one that is not, a style attribute over a style sheet, then the more specific selector,
    then the later one. The shorthand `background` stands for its colour.
    """
    found: dict[html.HtmlElement, dict[str, Winner]] = defaultdict(dict)

    def put(element: html.HtmlElement, style: Style, inline: bool, weight: tuple[int, int, int], at: int) -> None:
        name = "background-color" if style.name == "background" else style.name
        if name in wanted:
            rank = (style.important, inline, weight, at)
            known = found[element].get(name)
            if known is None or known[0] <= rank:
                found[element][name] = rank, style

    for at, rule in enumerate(one for one in sheets(page) if isinstance(one, Rule) and applies(one.media, scheme)):
        for path, weight in _matchers(rule.selector):
            for element in path(page.root):
                for style in rule.styles:
                    put(element, style, False, weight, at)
    for element in page.sections:
        for at, style in enumerate(parse_styles(element.get("style") or "")):
            put(element, style, True, (0, 0, 0), at)
    return {element: {name: style for name, (_rank, style) in won.items()} for element, won in found.items()}


@cache
def _matchers(selector: str) -> tuple[tuple[etree.XPath, tuple[int, int, int]], ...]:
    """What finds the elements of each selector in a list, and its specificity; none for one that cannot be read."""
    try:
        parsed = parse_selectors(selector)
        paths = [HTMLTranslator().selector_to_xpath(one, prefix="descendant-or-self::") for one in parsed]
    except SelectorError:
        return ()
    return tuple((etree.XPath(path), one.specificity()) for path, one in zip(paths, parsed, strict=True))
