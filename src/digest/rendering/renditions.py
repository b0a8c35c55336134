"""The mail of one group of readers, put together from the one approved edition: sections left out, lines added. Pure.

Strings are cut and joined, nothing is rendered, so that a caller may keep the mail of each rendition.
"""

from collections.abc import Callable, Collection
from html import escape
from typing import NamedTuple

from digest.edition.rendered import Extra, Rendered
from digest.edition.renditions import TOPICS, Rendition
from digest.language import ENGLISH, _, speaking
from digest.rendering.fragments import NOTHING, Part, place
from digest.rendering.templates import CHOSEN_SLOT, EVERYTHING, EXTRA_SLOT, REST_SLOT, SECTION_BEGINS, SECTION_ENDS
from digest.rendering.text import put, wrap

NOWHERE = "ZZ"
"""The code of the regime for readers of whom no region is known."""


class Mail(NamedTuple):
    """A mail for many readers, with slots for what is one reader's own. `html` is None where it is plain text alone.

    `keep` is what a reader whose consent lapses soon finds in it; it stands in no mail before it is asked for.
    """

    subject: str
    html: str | None
    text: str
    keep: Part = NOTHING


def assemble(rendered: Rendered, rendition: Rendition) -> Mail:
    """The mail of a rendition: only the chosen sections, and what the rules of its region add, nothing else.

    It is in the rendition's language, and in English where the edition was not rendered in that one. A regime that the
    edition was not rendered for is treated as ZZ, which stands for readers of unknown region.
    """
    with speaking(rendition.locale if rendition.locale in rendered.translations else ENGLISH):
        return _assembled(rendered.in_language(rendition.locale), rendition)


def _assembled(rendered: Rendered, rendition: Rendition) -> Mail:
    chosen: Collection[str] = () if rendition.format == "short" else rendition.topics or tuple(TOPICS)
    left_out = any(SECTION_BEGINS[topic] in rendered.text for topic in TOPICS if topic not in chosen)
    rest = _rest(rendered, rendition) if left_out else NOTHING
    kept = chosen if left_out else (*chosen, EVERYTHING)
    extra = rendered.regimes.get(rendition.regime) or rendered.regimes.get(NOWHERE) or Extra()
    html = None
    if rendition.format != "text":
        html = _only(rendered.html, kept, place)
        html = html.replace(place(REST_SLOT), rest.html).replace(place(EXTRA_SLOT), extra.html)
    text = put(put(_only(rendered.text, kept, "{}\n".format), REST_SLOT, rest.text), EXTRA_SLOT, extra.text)
    keep = Part(rendered.keep.html, rendered.keep.text)
    return Mail(f"{extra.label} {rendered.subject}".strip(), html, text, keep)


def _only(part: str, kept: Collection[str], mark: Callable[[str], str]) -> str:
    """A part with the sections that are kept and without the others, and without a trace of the marks around them."""
    for name in SECTION_BEGINS:
        begin, end = mark(SECTION_BEGINS[name]), mark(SECTION_ENDS[name])
        if name not in kept:
            before, _, rest = part.partition(begin)
            part = before + rest.partition(end)[2]
        part = part.replace(begin, "").replace(end, "")
    return part


def _rest(rendered: Rendered, rendition: Rendition) -> Part:
    """The line that says what was left out, and where it is."""
    said = _choice(rendition)
    return Part(
        rendered.rest.html.replace(CHOSEN_SLOT, escape(said)), rendered.rest.text.replace(CHOSEN_SLOT, wrap(said))
    )


def _choice(rendition: Rendition) -> str:
    if rendition.format == "short":
        return _("You chose the short edition; all of this week is on the web.")
    titles = "; ".join(_(title) for topic, title in TOPICS.items() if topic in rendition.topics)
    return _("Your topics: %(topics)s. The rest of this week is on the web.", topics=titles)
