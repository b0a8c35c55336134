"""An edition as plain text: the same facts in the same order as the HTML part, 72 columns wide."""

import textwrap
import unicodedata

from digest.config import Settings
from digest.edition.content import Edition, Paragraph
from digest.rendering.templates import UNSUBSCRIBE_SLOT, WATCH_SLOT, fill, page_of

WIDTH = 72


def render_text(edition: Edition, settings: Settings) -> str:
    """The text part, with slots for what differs by reader. Raises DigestError for a fault in a template."""
    facts = {
        "edition": edition,
        "series": settings.series,
        "unsubscribe": UNSUBSCRIBE_SLOT,
        "wrap": wrap,
        "spread": spread,
        "underlined": underlined,
        "folded": folded,
        "rule": "-" * WIDTH,
        "page": page_of(edition, settings),
        "watch_list": WATCH_SLOT,
    }
    lines = [line.rstrip() for line in fill("text/edition.txt", facts).splitlines()]
    text = "\n".join(_without_double_gaps(lines)).strip("\n") + "\n"
    return text.replace(f"{WATCH_SLOT}\n\n", WATCH_SLOT)  # a list brings the empty line below it along


def wrap(text: str, indent: int = 0, hang: int = 0) -> str:
    """Fold at 72 columns, never at a hyphen: a model's name does not break there."""
    first, rest = " " * indent, " " * (indent + hang)
    return textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def folded(paragraph: Paragraph) -> str:
    """A paragraph with its mark; in a quotation the mark stands before every line."""
    lead = paragraph.lead[: WIDTH // 2]
    rest = lead if lead.strip() == ">" else " " * len(lead)
    return textwrap.fill(paragraph.text, WIDTH, initial_indent=lead, subsequent_indent=rest, break_on_hyphens=False)


def underlined(heading: str) -> str:
    folded = wrap(heading)
    return folded + "\n" + "-" * max(map(len, folded.splitlines()))


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
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _without_double_gaps(lines: list[str]) -> list[str]:
    """Sections that are left out leave no hole behind."""
    return [line for line, above in zip(lines, ["", *lines[:-1]], strict=True) if line or above]
