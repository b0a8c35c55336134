"""How long a subject, a preheader and a mail may be."""

import re
from collections.abc import Iterator

from digest.rendering.lint.page import FOOTER, HEAD, MASTHEAD, OPENING, WHOLE, Finding, Level, Page, Specimen, title_of

SUBJECT, SUBJECT_MOST, PREHEADER = 50, 100, 85  # characters
STYLES = 16_384  # characters of style sheets; beyond that Gmail drops them
CLIPPED, NEAR = 102_000, 85_000  # bytes of HTML; Gmail clips a longer message, and with it the way out
_SHOWN = 3


def check_subject(specimen: Specimen) -> Iterator[Finding]:
    """There is one, and a telephone shows all of it."""
    length = len(specimen.subject)
    if not specimen.subject.strip():
        yield Finding("error", "subject", "Subject", "The mail has no subject.", "Draft it again.")
    elif length > SUBJECT:
        what = f"The subject has {length} characters; a telephone shows about {SUBJECT}."
        level: Level = "error" if length > SUBJECT_MOST else "warning"
        yield Finding(level, "subject", "Subject", what, "Say it in fewer words: the end is cut off.")


def check_preheader(page: Page) -> Iterator[Finding]:
    """What stands beside the subject in a list of mails is there and not cut off."""
    hidden = page.root.xpath("//body/*[contains(translate(@style, ' ', ''), 'display:none')]")
    preheader = " ".join(hidden[0].text_content().split()) if hidden else ""
    if not preheader:
        what = "There is no preheader: clients show the first words of the mail instead."
        yield Finding("warning", "preheader", "Preheader", what, "Say a second fact there.")
    elif len(preheader) > PREHEADER:
        what = f"The preheader has {len(preheader)} characters; clients show about {PREHEADER}."
        yield Finding("warning", "preheader", "Preheader", what, "Say it in fewer words: the end is cut off.")


def check_size(page: Page) -> Iterator[Finding]:
    """The HTML part is not clipped, nor its style sheets dropped. Says which sections take most of it."""
    styles = sum(len(sheet.text or "") for sheet in page.root.iter("style"))
    if styles > STYLES:
        what = f"The style sheets have {styles:,} characters; Gmail drops them beyond {STYLES:,}."
        yield Finding("warning", "size", HEAD, what, "Take rules out of templates/email/head.css.")
    total = len(page.source.encode())
    if total < NEAR:
        return
    by_size = sorted(section_sizes(page).items(), key=lambda one: one[1], reverse=True)
    largest = "; ".join(f"{title} {size:,}" for title, size in by_size[:_SHOWN])
    what = f"{total:,} bytes of HTML, the most in {largest}. Gmail clips what is beyond {CLIPPED:,}."
    do = "Show fewer rows of the largest sections; the rest is on the web."
    yield Finding("error" if total > CLIPPED else "warning", "size", WHOLE, what, do)


_BEGINNING = re.compile(r"<(body)\b|<h([12])\b[^>]*>(.*?)</h\2>|class=\"(foot)[\" ]", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


def section_sizes(page: Page) -> dict[str, int]:
    """Bytes of HTML by section, in their order. One begins at the card that its heading stands in."""
    sizes: dict[str, int] = {}
    title, start = HEAD, 0
    for found in _BEGINNING.finditer(page.source):
        at = found.start()
        if found[2]:
            card = page.source.rfind('<div class="card', start + 1, at)
            at = card if card > 0 else at
        sizes[title] = sizes.get(title, 0) + len(page.source[start:at].encode())
        start = at
        title = MASTHEAD if found[1] else FOOTER if found[4] else OPENING
        if found[2] == "2":
            title = title_of(_TAG.sub("", found[3])) or OPENING
    sizes[title] = sizes.get(title, 0) + len(page.source[start:].encode())
    return sizes
