"""The text part: as wide as a terminal, and the same facts as the HTML part."""

import re
from collections.abc import Iterator

from digest.edition.numbers import shown
from digest.rendering.lint.page import TEXT_PART, WHOLE, Finding, Page, Specimen, in_short
from digest.rendering.text import WIDTH, wrap

_ADDRESS = re.compile(r"\S*://\S+")
_FOOTNOTE = re.compile(r"(?m)\[\d+\]|^\d+\. ")
_EDGES = "“”‘’\"'()[]{},.;:!?…·|"
_SHOWN = 5


def check_text(specimen: Specimen) -> Iterator[Finding]:
    """No line of the text part is folded by a window of 72 columns; an address stands on a line of its own."""
    if not specimen.text.strip():
        yield Finding("error", "text part", TEXT_PART, "The mail has no text part.", "Draft it again.")
    for line in specimen.text.splitlines():
        if not _ADDRESS.search(line) and "\n" in wrap(line):
            what = f"A line is wider than {WIDTH} columns: {in_short(line)}."
            yield Finding("warning", "text part", TEXT_PART, what, "Fold it with `wrap` in templates/text/.")


def check_facts(specimen: Specimen, page: Page) -> Iterator[Finding]:
    """Every figure and every model's name of one part is in the other."""
    seen = "\n".join(text for _section, text in page.lines)
    text = _FOOTNOTE.sub(" ", _ADDRESS.sub(" ", specimen.text))
    in_page, in_text = _facts(seen, specimen.names), _facts(text, specimen.names)
    for one, other, section, there, do in (
        (in_page - in_text, text, TEXT_PART, "in the HTML part alone", "Say it in templates/text/ too, or in neither."),
        (in_text - in_page, seen, WHOLE, "in the text part alone", "Say it in templates/email/ too, or in neither."),
    ):
        folded = "".join(other.split())  # a word longer than a line is broken in the text part
        missing = sorted(fact for fact in one if "".join(fact.split()) not in folded)
        if missing:
            more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
            what = f"{', '.join(shown(fact, 40) for fact in missing[:_SHOWN])}{more}: {there}."
            yield Finding("error", "facts", section, what, do)


def _facts(text: str, names: frozenset[str]) -> set[str]:
    """The words with a digit in them, and the names, that stand in a text."""
    line = " ".join(text.split())
    words = {word.strip(_EDGES) for word in line.split(" ") if re.search(r"\d", word)}
    return words | {name for name in names if name in line and _stands_in(name, line)}


def _stands_in(name: str, line: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", line) is not None
