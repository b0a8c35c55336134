"""An edition as a mail: Jinja2, then MJML, then premailer, once per edition; readers' mails are only filled in slots.

Nothing here touches the network or the clock, and the same edition gives the same bytes.
"""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from markupsafe import Markup, escape

from digest.config.settings import Settings
from digest.edition.content import Edition
from digest.edition.folding import rows_of, shorter
from digest.edition.numbers import exact, plain
from digest.edition.opening import preheader, subject
from digest.edition.rendered import Fragment, Rendered
from digest.edition.renditions import Duty
from digest.edition.retelling import tellable
from digest.edition.section_facts import Board, Place
from digest.edition.watch_words import row_of
from digest.edition.wording import document_title
from digest.language import ENGLISH, LOCALES, speaking
from digest.rendering import footer, fragments, templates
from digest.rendering.markup import mail_html
from digest.rendering.templates import UNSUBSCRIBE_SLOT as UNSUBSCRIBE_SLOT
from digest.rendering.templates import fill, without_slots
from digest.rendering.text import keep_text, render_text, rest_text

_READERS_LINKS = 3  # the way out, there and where a consent is kept, and what keeps it


def render(
    edition: Edition,
    settings: Settings,
    earlier: Sequence[Edition] = (),
    duties: Mapping[str, Sequence[Duty]] = MappingProxyType({}),
) -> Rendered:
    """Subject, preheader and both parts of the mail, in each language once; `renditions.assemble` makes a group's.

    `earlier` are the editions before this one, in the order of their weeks, that a reader may have missed: what they
    and this one tell together is among the fragments. `duties` holds what each regime asks of an edition, by its code.
    Where the mail with the largest watch list would be clipped, rows fold away in the order of edition/folding.py, the
    same ones in each language and in both parts, until it fits in each.
    Raises DigestError naming file and line for a template's fault.
    """
    lengths = [edition, *shorter(edition)]

    @cache
    def mail(at: int, locale: str) -> Rendered:
        with speaking(locale):
            return _render(edition, lengths[at], settings, earlier, duties)

    def fits(at: int) -> bool:
        return all(_has_room(mail(at, locale)) for locale in LOCALES)

    at = 0 if fits(0) else bisect_left(range(len(lengths) - 1), True, key=fits)
    spoken = {locale: mail(at, locale) for locale in LOCALES}
    english = spoken.pop(ENGLISH)
    return english.model_copy(update={"translations": spoken})


def _has_room(rendered: Rendered) -> bool:
    """Whether the longest stories that a reader may follow find their room, as many as a watch list has."""
    return rendered.frame is None or _longest_list(rendered) <= rendered.frame.room


def _longest_list(rendered: Rendered) -> int:
    """Bytes of HTML."""
    frame, rows = rendered.frame, (len(fragment.html.encode()) + 1 for fragment in rendered.fragments.values())
    box = [len(part.encode()) for part in (frame.html, frame.note, frame.more)] if frame else []
    return sum(box) + sum(sorted(rows, reverse=True)[: fragments.MOST_STORIES])


def _render(
    edition: Edition,
    listed: Edition,
    settings: Settings,
    earlier: Sequence[Edition],
    duties: Mapping[str, Sequence[Duty]],
) -> Rendered:
    """The mail of an edition in the language that is spoken, with the rows that `listed` has of it."""
    preview = str(without_slots(preheader(edition)))
    rows = {id_: row_of(thread) for id_, thread in tellable([*earlier, edition]).items()}
    page = templates.page_of(edition, settings)
    contact = templates.contact_of(settings)
    lines = footer.lines(duties, contact)
    facts = {
        "edition": listed,
        "whole_edition": edition,
        "on_the_web": rows_of(edition) - rows_of(listed),
        "series": settings.series,
        "title": document_title(edition),
        "preheader": preview,
        "contact": contact,
        "unsubscribe": UNSUBSCRIBE_SLOT,
        "preferences": templates.preferences_of(settings),
        "duty_lines": lines,
        "axis_of": axis_of,
        "bar_of": bar_of,
        "whole": whole,
        "dressed": dressed,
        "page": page,
        "watch_list": {"rows": list(rows.values()), "slots": fragments.SLOTS},
    }
    html, pieces = _lifted(mail_html(fill("email/edition.mjml", facts)))
    _, said = fragments.marked(pieces["extra"])
    regimes = footer.extras(duties, contact, dict(zip(lines, said.values(), strict=True)))
    added = [len(extra.html.encode()) for extra in regimes.values()]
    own = len(pieces["keep"].encode()) + _READERS_LINKS * len(settings.series.base_url)
    reserved = own + len(pieces["rest"].encode()) + max(added, default=0)
    html, frame, stories = fragments.cut(html, list(rows), page, reserved)
    return Rendered(
        subject=str(without_slots(subject(edition))),
        preheader=preview,
        html=html,
        text=render_text(listed, settings),
        frame=frame,
        fragments={id_: Fragment(html=stories[id_], text=fragments.text_row(row)) for id_, row in rows.items()},
        rest=Fragment(html=pieces["rest"], text=rest_text(edition, settings)),
        keep=Fragment(html=pieces["keep"], text=keep_text(edition, settings)),
        regimes=regimes,
    )


def _lifted(html: str) -> tuple[str, Mapping[str, str]]:
    """The mail without what only some renditions or readers get, each of which leaves its place behind."""
    pieces = {}
    for name, (begin, end) in templates.LIFTED.items():
        html, pieces[name] = fragments.lift(html, begin, end)
    for mark in (*templates.SECTION_BEGINS.values(), *templates.SECTION_ENDS.values()):
        html = html.replace(mark, fragments.place(mark))  # MJML drops a comment, so a bare word has come so far
    return html, pieces


_DRESS = {
    "<p>": '<p class="text ink2">',
    "<h3>": '<h3 class="h3 ink">',
    "<ul>": '<ul class="list ink2">',
    "<ol>": '<ol class="list ink2">',
    "<ol ": '<ol class="list ink2" ',
    "<blockquote>": '<blockquote class="quote ink2">',
    "<pre>": '<pre class="code ink2">',
    "<a ": '<a class="accent" ',
}


def dressed(note: str) -> Markup:
    """A note's sanitised HTML with the mail's classes; its words hold no `<` that is not escaped."""
    return Markup(re.sub("|".join(_DRESS), lambda tag: _DRESS[tag[0]], note))  # noqa: S704 (sanitised in notes.py)


def whole(sentence: str) -> Markup:
    """A sentence in which no short word breaks at its hyphen, for model names end in the middle of a line."""
    keep = Markup('<span class="keep">{}</span>')
    words = (keep.format(word) if "-" in word and len(word) < 30 else escape(word) for word in sentence.split(" "))
    return Markup(" ").join(words)


class Axis(NamedTuple):
    """The scale below a board's bars, in the board's unit. It need not start at zero: a position is read, no length."""

    start: Decimal
    end: Decimal
    labels: tuple[str, ...]


def axis_of(board: Board) -> Axis | None:
    """A scale that holds every shown interval, in round steps; None when there is nothing to draw."""
    ends = [end for place in board.places for end in _interval(place, board)]
    if len(ends) < 4 or min(ends) == max(ends):
        return None
    for power in range(-6, 16):
        for digit in (1, 2, 5):
            step = Decimal(digit).scaleb(power)
            first = (min(ends) / step).to_integral_value(ROUND_FLOOR)
            last = (max(ends) / step).to_integral_value(ROUND_CEILING)
            if last - first <= 8:
                labels = [plain((first + i) * step, max(-power, 0)) for i in range(int(last - first))]
                return Axis(first * step, last * step, _thinned(labels))
    return None


def _thinned(labels: list[str]) -> tuple[str, ...]:
    """Every second label, or every fourth, where all would not stand side by side on a telephone."""
    every = 1
    while sum(map(len, labels[::every])) > 10 and every < len(labels):
        every *= 2
    return tuple(label if i % every == 0 else "" for i, label in enumerate(labels))


def _interval(place: Place, board: Board) -> tuple[Decimal, ...]:
    """(low, value, high) of a row: half the tie margin on each side, or the published interval."""
    value, low, high = place.score.value, place.score.low, place.score.high
    if value is None:
        return ()
    if board.uncertainty == "margin" and board.margin is not None:
        return value - board.margin / 2, value, value + board.margin / 2
    return (low if low is not None else value), value, (high if high is not None else value)


def bar_of(place: Place, board: Board, axis: Axis) -> list[tuple[str, str]]:
    """The cells of one bar as (kind, width): blank, half, point, half, blank; a cell of no width is left out."""
    ends = _interval(place, board)
    if not ends:
        return []
    low, value, high = ((end - axis.start) / (axis.end - axis.start) * 100 for end in ends)
    cells = [("blank", low), ("half", value - low), ("point", None), ("half", high - value), ("blank", 100 - high)]
    return [
        (kind, "2" if share is None else f"{exact(share)}%")
        for kind, share in cells
        if share is None or share >= Decimal("0.05")
    ]
