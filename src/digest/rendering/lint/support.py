"""Which mail clients understand what a mail is made of. The facts are in data/client_support.toml."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Self

from lxml import html
from pydantic import Field, ValidationError, model_validator
from tinycss2.ast import Node

from digest.config.assets import asset
from digest.config.values import Strict
from digest.edition.numbers import shown
from digest.errors import ConfigError
from digest.rendering.lint.page import HEAD, Finding, Page
from digest.rendering.lint.styles import AtRule, Rule, Style, parse_styles, sheets

_ONE_ENGINE = re.compile(r"-?(?:ms|mso|moz|webkit)-")
_CONDITION = re.compile(r"\(\s*([a-z-]+)")


class Feature(Strict):
    """What looks for it, and the clients that do not know it or know it in part."""

    finds: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    partly: tuple[str, ...] = ()


class Harmless(Strict):
    """Features that may be missing from some clients, and why that does no harm to our mail."""

    features: tuple[str, ...]
    clients: tuple[str, ...]
    because: Annotated[str, Field(min_length=1)]


class _File(Strict):
    everywhere: tuple[str, ...]
    clients: Mapping[str, str]
    harmless: tuple[Harmless, ...]
    feature: Mapping[str, Feature]

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        named = {client for one in self.feature.values() for client in (*one.no, *one.partly)}
        unknown = named - set(self.clients)
        for one in self.harmless:
            for name in one.features:
                feature = self.feature.get(name, Feature())
                if not set(one.clients) & {*feature.no, *feature.partly}:
                    unknown.add(name)
        if unknown:
            raise ValueError(f"names what is not there, or is no longer lacking: {', '.join(sorted(unknown))}")
        return self


@dataclass(frozen=True)
class Support:
    """Facts by what the checks find in a mail, such as `property border-radius`; `*` at the end stands for the rest.

    `by_find` has the feature's name in caniemail too; `clients` are their names in full; `excused` holds the features,
    each with a client, whose lack does no harm.
    """

    by_find: Mapping[str, tuple[str, Feature]]
    everywhere: frozenset[str]
    clients: Mapping[str, str]
    excused: frozenset[tuple[str, str]]

    def of(self, find: str) -> tuple[str, Feature] | None:
        """The feature's name in caniemail and what is known of it; None where nothing is known."""
        if find in self.everywhere:
            return "", Feature()
        if find in self.by_find:
            return self.by_find[find]
        while "-" in find:
            find = find.rpartition("-")[0]
            if f"{find}-*" in self.by_find:
                return self.by_find[f"{find}-*"]
        return None


@cache
def load_support(path: Path | None = None) -> Support:
    """The packaged facts, or those of `path`. Raises ConfigError naming what is wrong in the file."""
    path = path or asset("data") / "client_support.toml"
    try:
        file = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigError(f"{path}: cannot be read as facts about mail clients: {error}") from error
    return Support(
        by_find={find: (name, feature) for name, feature in file.feature.items() for find in feature.finds},
        everywhere=frozenset(file.everywhere),
        clients=file.clients,
        excused=frozenset((name, client) for one in file.harmless for name in one.features for client in one.clients),
    )


def check_support(page: Page, support: Support) -> Iterator[Finding]:
    """Each feature once, in the section where it is first used, if a client that matters lacks it or part of it."""
    first: dict[str, str] = {}
    for section, find in _used(page):
        first.setdefault(find, section)
    told = set()
    for find, section in first.items():
        known = support.of(find)
        if known is None:
            if not find.startswith("attribute "):
                yield _unknown(find, section)
            continue
        name, feature = known
        if name not in told:
            told.add(name)
            yield from _lacking(find, section, name, feature, support)


def _unknown(find: str, section: str) -> Finding:
    what = f"Whether clients know {shown(find, 60)} is not known."
    return Finding("warning", "clients", section, what, "Add it to data/client_support.toml, or do without.")


def _lacking(find: str, section: str, name: str, feature: Feature, support: Support) -> Iterator[Finding]:
    page = f"https://www.caniemail.com/features/{name}"

    def harmed(clients: tuple[str, ...]) -> str:
        return ", ".join(support.clients[client] for client in clients if (name, client) not in support.excused)

    if harmed(feature.no):
        what = f"{find} is not known to {harmed(feature.no)}."
        do = f"Do without, or say in data/client_support.toml why it does no harm; see {page}"
        yield Finding("warning", "clients", section, what, do)
    if harmed(feature.partly):
        what = f"{find} is known only in part to {harmed(feature.partly)}."
        yield Finding("note", "clients", section, what, f"See in which part: {page}")


def _used(page: Page) -> Iterator[tuple[str, str]]:
    """Everything the page is made of, as (section, find)."""
    for element, section in page.sections.items():
        for find in _of_element(element):
            yield section, find
    for rule in sheets(page):
        finds = _of_at_rule(rule) if isinstance(rule, AtRule) else _of_rule(rule)
        for find in finds:
            yield HEAD, find


def _of_element(element: html.HtmlElement) -> Iterator[str]:
    if ":" not in element.tag:  # Outlook's own
        yield f"element {element.tag}"
    for name, value in element.attrib.items():
        yield f"attribute {name}"
        if name == "href" and value.startswith(("#", "mailto:")):
            yield f"link {'#' if value[0] == '#' else 'mailto:'}"
        if name == "src" and value.startswith("data:"):
            yield "image data:"
    if element.tag == "meta" and element.get("name") == "color-scheme":
        yield "meta color-scheme"
    yield from _of_attribute(element.get("style") or "")


def _of_at_rule(rule: AtRule) -> Iterator[str]:
    yield f"at-rule @{rule.name}"
    if rule.name == "media":
        for condition in _CONDITION.findall(rule.prelude):
            if condition not in ("max-width", "min-width"):  # what every client that knows @media knows of it
                yield f"at-rule @media {condition}"


def _of_rule(rule: Rule) -> Iterator[str]:
    yield from (f"selector {part}" for part in selector_parts(rule.prelude))
    for style in rule.styles:
        yield from _of_style(style)


@cache
def _of_attribute(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(find for style in parse_styles(text) for find in _of_style(style)))


def _of_style(style: Style) -> Iterator[str]:
    if _ONE_ENGINE.match(style.name):  # read by the one client that it is meant for
        return
    yield "function var()" if style.name.startswith("--") else f"property {style.name}"
    if style.important:
        yield "keyword !important"
    for token in _tokens(style.value):
        if token.type == "dimension":
            yield f"unit {token.lower_unit}"
        elif token.type == "percentage":
            yield "unit %"
        elif token.type == "function":
            yield f"function {token.lower_name}()"
        elif token.type == "ident" and style.name == "display" and token.lower_value in _LAYOUTS:
            yield f"value display: {token.lower_value}"
        elif token.type == "ident" and token.lower_value in _KEYWORDS:
            yield f"keyword {token.lower_value}"


_LAYOUTS = {"none", "flex", "inline-flex", "grid", "inline-grid"}
_KEYWORDS = {"initial", "system-ui", "ui-serif", "ui-sans-serif", "ui-rounded", "ui-monospace"}
_KEYWORDS |= {"fit-content", "min-content", "max-content"}


def _tokens(value: tuple[Node, ...]) -> Iterator[Node]:
    for token in value:
        yield token
        if token.type == "function":
            yield from _tokens(tuple(token.arguments))


_COMBINATORS = {">": "child", "+": "adjacent sibling", "~": "general sibling", ",": "group", "*": "universal"}


def selector_parts(prelude: tuple[Node, ...]) -> Iterator[str]:
    """What a selector is made of: `class`, `child`, `:hover` and so on, by the names that the facts have for them."""
    before: str | None = None  # the simple selector or combinator that stands just before
    for at, token in enumerate(prelude):
        value = getattr(token, "value", None)
        if token.type == "whitespace":
            around = [getattr(one, "value", None) for one in (*prelude[at - 1 : at], *prelude[at + 1 : at + 2])]
            if len(around) == 2 and not set(map(str, around)) & set(">+~,"):
                yield "descendant"
                before = None
        elif token.type == "[] block":
            yield "attribute"
        elif token.type == "hash":
            yield "id"
        elif token.type == "literal" and value in _COMBINATORS:
            yield _COMBINATORS[value]
            before = None
        elif token.type == "literal" and value == ".":
            if before == "class":
                yield "chained"
            yield (before := "class")
        elif token.type in ("ident", "function") and before in (":", "::"):
            yield f"{before}{token.lower_value if token.type == 'ident' else token.lower_name}"
            before = None
        elif token.type == "literal" and value == ":":
            before = "::" if before == ":" else ":"
        elif token.type == "ident" and (at == 0 or prelude[at - 1] != "."):
            yield "type"
