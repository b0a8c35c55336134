"""An edition as plain text: the same facts in the same order as the HTML part, 72 columns wide."""

import re
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Mapping

from digest.config.settings import Settings
from digest.edition.content import Edition, Paragraph
from digest.language import _
from digest.rendering.templates import (
    CHOSEN_SLOT,
    UNSUBSCRIBE_SLOT,
    WATCH_SLOT,
    contact_of,
    fill,
    page_of,
    preferences_of,
    web_address,
)

WIDTH = 72
_MOST_CELLS = WIDTH * 2 // 3  # of a row's columns
_FILLER = "\0"
_NEXT_CELL = "\x1f"  # between the cells of a row until its table is laid out; no text that is printed holds it


def render_text(edition: Edition, settings: Settings) -> str:
    """The text part, with slots for what differs by reader. Raises DigestError for a fault in a template."""
    facts = {
        "edition": edition,
        "series": settings.series,
        "unsubscribe": UNSUBSCRIBE_SLOT,
        **LAYOUT,
        "rule": "-" * WIDTH,
        "page": page_of(edition, settings),
        "contact": contact_of(settings),
        "preferences": preferences_of(settings),
        "watch_list": WATCH_SLOT,
    }
    return tidy(fill("text/edition.txt", facts))


def put(text: str, slot: str, piece: str) -> str:
    """A text with a piece in the place of its slot. A piece brings its line ends along, so that none leaves no gap."""
    return re.sub(rf"{slot}\n*", lambda _slot: piece, text)


def rest_text(edition: Edition, settings: Settings) -> str:
    """What is said where sections were left out, with CHOSEN_SLOT for what the readers chose."""
    whole, preferences = _("The whole edition"), _("Preferences")
    addresses = f"[1] {page_of(edition, settings)}\n[2] {preferences_of(settings)}"
    return f"{CHOSEN_SLOT}\n{whole} [1] · {preferences} [2]\n\n{addresses}\n\n"


def keep_text(edition: Edition, settings: Settings) -> str:
    """What is said to a reader whose consent lapses soon."""
    facts = {"edition": edition, "series": settings.series, "unsubscribe": UNSUBSCRIBE_SLOT, **LAYOUT}
    return tidy(fill("text/keep.txt", facts)) + "\n"


def tidy(text: str) -> str:
    """A filled template without blanks at the ends of lines and without gaps of more than one line."""
    return "\n".join(_without_double_gaps([line.rstrip() for line in text.splitlines()])).strip("\n") + "\n"


def wrap(text: str, indent: int = 0, hang: int = 0) -> str:
    """Fold at 72 columns, never at a hyphen: a model's name does not break there."""
    first, rest = " " * indent, " " * (indent + hang)
    # textwrap counts characters, not columns: beside a wide one stands a filler, which is taken out again.
    padded = text if text.isascii() else "".join(char + _FILLER * (_columns(char) - 1) for char in text)
    folded = textwrap.fill(padded, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    return folded.replace(_FILLER, "")


def folded(paragraph: Paragraph) -> str:
    """A paragraph with its mark; in a quotation the mark stands before every line."""
    lead = paragraph.lead[: WIDTH // 2]
    rest = lead if lead.strip() == ">" else " " * len(lead)
    return textwrap.fill(paragraph.text, WIDTH, initial_indent=lead, subsequent_indent=rest, break_on_hyphens=False)


def underlined(heading: str) -> str:
    folded = wrap(heading)
    return folded + "\n" + "-" * max(map(_columns, folded.splitlines()))


def footnotes(addresses: Iterable[str]) -> Mapping[str, str]:
    """The mark of each address of the web, such as `[1]`, in the order in which they come; others have none."""
    known = dict.fromkeys(address for address in addresses if web_address(address))
    return {address: f"[{number}]" for number, address in enumerate(known, 1)}


def row(left: str, *right: str, indent: int = 0) -> str:
    """A row of a table, not yet laid out."""
    return _NEXT_CELL.join((" " * indent + left, *right))


def table(*least: int, caller: Callable[[], str]) -> str:
    """What a template's {% call %} block holds, its rows laid out in columns of at least these widths.

    A column grows with its widest cell, for the same words are longer in one language than in another, unless too
    little room were left for what stands before the cells.
    """
    lines = [line.split(_NEXT_CELL) for line in caller().split("\n")]
    cells = zip(*(cells for _left, *cells in lines if cells), strict=True)
    fitted = [max(width, 2 + max(map(_columns, column))) for width, column in zip(least, cells, strict=False)]
    widths = tuple(fitted) if sum(fitted) <= _MOST_CELLS else least
    return "\n".join(_laid_out(*line, widths=widths) for line in lines)


def _laid_out(left: str, *cells: str, widths: tuple[int, ...]) -> str:
    label = left.lstrip(" ")
    return spread(label, *cells, widths=widths, indent=len(left) - len(label)) if cells else left


def spread(left: str, *right: str, widths: tuple[int, ...] = (8, 12), indent: int = 0) -> str:
    """One table row: `left`, then right-aligned cells; they go to a line of their own when they do not all fit."""
    cells = "".join(_pad(cell, width) for cell, width in zip(right, widths, strict=True))
    room = WIDTH - _columns(cells) - indent
    if _columns(left) <= room - 1:
        return " " * indent + left + " " * (room - _columns(left)) + cells
    return wrap(left, indent) + "\n" + " " * max(WIDTH - _columns(cells), 0) + cells


def _pad(cell: str, width: int) -> str:
    return " " * max(width - _columns(cell), 1) + cell


def _columns(text: str) -> int:
    """Columns on a terminal: two for a wide character (Unicode Standard Annex 11), none for a combining mark."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _without_double_gaps(lines: list[str]) -> list[str]:
    """Sections that are left out leave no hole behind."""
    return [line for line, above in zip(lines, ["", *lines[:-1]], strict=True) if line or above]


LAYOUT: Mapping[str, Callable[..., object]] = {
    "wrap": wrap,
    "folded": folded,
    "underlined": underlined,
    "footnotes": footnotes,
    "table": table,
    "row": row,
    "spread": spread,
}
"""What lays text out in the templates of templates/text/."""
