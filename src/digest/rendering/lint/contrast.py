"""Contrast of every text with its ground, light and dark, worked out from the styles alone (WCAG 2.2, 1.4.3)."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from lxml import html
from tinycss2.color4 import parse_color

from digest.rendering.lint.page import Finding, Page, in_short, is_hidden
from digest.rendering.lint.styles import Scheme, Style, cascaded

Colour = tuple[float, float, float]
"""Red, green and blue, each from 0 to 1."""

LEAST, LEAST_LARGE = 4.5, 3.0
_LARGE, _LARGE_BOLD = 24.0, 18.66  # px, which are 18 and 14 points
_WANTED = frozenset({"color", "background-color", "font-size", "font-weight"})
_BOLD = {"b", "strong", "th", "h1", "h2", "h3", "h4", "h5", "h6"}
_SIZES = {"h1": 32.0, "h2": 24.0, "h3": 18.72}
_WHITE, _BLACK, _LINK = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0.0, 0.0, 238 / 255)
_DARK_CANVAS = (18 / 255, 18 / 255, 18 / 255)


class Look(NamedTuple):
    """How a text looks: its colour, the ground behind it, its size in px, and whether it is bold."""

    ink: Colour
    ground: Colour
    size: float
    bold: bool


def check_contrast(page: Page) -> Iterator[Finding]:
    """Text that is too faint, once for each section and pair of colours. An error: some readers cannot read it."""
    for scheme in ("light", "dark"):
        seen: dict[tuple[str, Colour, Colour], str] = {}
        texts: list[tuple[html.HtmlElement, str, Look]] = []
        _collect(page.root, _before(page, scheme), cascaded(page, scheme, _WANTED), texts)
        for element, text, look in texts:
            large = look.size >= _LARGE or (look.bold and look.size >= _LARGE_BOLD)
            if ratio(look.ink, look.ground) < (LEAST_LARGE if large else LEAST):
                seen.setdefault((page.sections[element], look.ink, look.ground), text)
        for (section, ink, ground), text in seen.items():
            yield Finding(
                "error",
                "contrast",
                section,
                f"{in_short(text)} is {_hex(ink)} on {_hex(ground)} in the {scheme}, "
                f"{ratio(ink, ground):.2f} to 1; it wants {LEAST} to 1, large text {LEAST_LARGE:.0f} to 1.",
                "Give it a colour of the palette that reaches it, in templates/email/inline.css or head.css.",
            )


def _before(page: Page, scheme: Scheme) -> Look:
    """What a client starts from: black on white, or the other way round for a mail that says it knows the dark."""
    known = page.root.xpath("//meta[@name='color-scheme'][contains(@content, 'dark')]")
    if scheme == "dark" and known:
        return Look(_WHITE, _DARK_CANVAS, 16.0, False)
    return Look(_BLACK, _WHITE, 16.0, False)


def _collect(
    element: html.HtmlElement,
    around: Look,
    styles: Mapping[html.HtmlElement, Mapping[str, Style]],
    found: list[tuple[html.HtmlElement, str, Look]],
) -> None:
    """Every text that is seen, with the element it stands in and how it looks there."""
    if is_hidden(element):
        return
    look = _look(element, around, styles.get(element, {}))
    if element.text and element.text.strip():
        found.append((element, element.text, look))
    for child in element:
        if isinstance(child.tag, str):
            _collect(child, look, styles, found)
        if child.tail and child.tail.strip():
            found.append((element, child.tail, look))


def _look(element: html.HtmlElement, around: Look, styles: Mapping[str, Style]) -> Look:
    is_link = element.tag == "a" and element.get("href") is not None
    if not (styles or is_link or element.get("bgcolor") or element.tag in _BOLD):
        return around
    said = {name: style.text for name, style in styles.items()}
    ground = _over(said.get("background-color") or element.get("bgcolor") or "", around.ground, around.ground)
    ink = _over(said.get("color", ""), ground, _LINK if is_link else around.ink)
    weight = said.get("font-weight", "")
    bold = element.tag in _BOLD or around.bold
    if weight:
        bold = weight in ("bold", "bolder") or (weight.isdecimal() and int(weight) >= 700)
    return Look(ink, ground, _pixels(said.get("font-size", ""), element, around.size), bold)


def _pixels(size: str, element: html.HtmlElement, around: float) -> float:
    number = re.fullmatch(r"([\d.]+)(px|pt|em|%)?", size)
    if number is None:
        return _SIZES.get(element.tag, around)
    return float(number[1]) * {"pt": 4 / 3, "em": around, "%": around / 100}.get(number[2], 1.0)


def _over(colour: str, ground: Colour, otherwise: Colour) -> Colour:
    """A colour as it is seen over a ground; `otherwise` where none is said."""
    for word in (colour, *colour.split()):  # a `background` may say more than its colour
        found = _parsed(word)
        if found is not None:
            *rgb, alpha = found
            red, green, blue = (part * alpha + under * (1 - alpha) for part, under in zip(rgb, ground, strict=True))
            return red, green, blue
    return otherwise


@cache
def _parsed(colour: str) -> tuple[float, float, float, float] | None:
    try:
        found = parse_color(colour)
        red, green, blue = found.to("srgb").coordinates
    except (AttributeError, NotImplementedError):  # a keyword such as currentcolor, or no colour
        return None
    return red, green, blue, found.alpha


def ratio(one: Colour, other: Colour) -> float:
    """The contrast ratio of two colours, from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _hex(colour: Colour) -> str:
    return "#{:02X}{:02X}{:02X}".format(*(round(part * 255) for part in colour))
