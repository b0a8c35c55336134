"""An edition as a mail: Jinja2, then MJML, then premailer, once per edition; readers' mails are only filled in slots.

Nothing here touches the network or the clock, and the same edition gives the same bytes.
"""

import functools
import logging
import re
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from markupsafe import Markup, escape
from mjml import mjml_to_html
from premailer import Premailer

from digest.config import Settings, asset
from digest.edition.content import Board, Edition, Fragment, Place, Rendered
from digest.edition.numbers import plain
from digest.edition.opening import preheader, subject
from digest.edition.retelling import tellable
from digest.edition.watch_words import row_of
from digest.errors import DigestError
from digest.rendering import fragments
from digest.rendering.templates import UNSUBSCRIBE_SLOT as UNSUBSCRIBE_SLOT
from digest.rendering.templates import fill, page_of, without_slots
from digest.rendering.text import render_text


def render(edition: Edition, settings: Settings, earlier: Sequence[Edition] = ()) -> Rendered:
    """Subject, preheader and both parts of the mail, with UNSUBSCRIBE_SLOT where a reader's own link will stand and
    WATCH_SLOT where their watch list will.

    `earlier` are the editions before this one, in the order of their weeks, that a reader may have missed: what they
    and this one tell together is among the fragments. Raises DigestError naming file and line for a template's fault.
    """
    preview = str(without_slots(preheader(edition)))
    rows = {id_: row_of(thread) for id_, thread in tellable([*earlier, edition]).items()}
    page = page_of(edition, settings)
    facts = {
        "edition": edition,
        "series": settings.series,
        "preheader": preview,
        "unsubscribe": UNSUBSCRIBE_SLOT,
        "axis_of": axis_of,
        "bar_of": bar_of,
        "whole": whole,
        "dressed": dressed,
        "page": page,
        "watch_list": {"rows": list(rows.values()), "slots": fragments.SLOTS},
    }
    html, frame, stories = fragments.cut(_inlined(_as_html(fill("email/edition.mjml", facts))), list(rows), page)
    return Rendered(
        subject=str(without_slots(subject(edition))),
        preheader=preview,
        html=html,
        text=render_text(edition, settings),
        frame=frame,
        fragments={id_: Fragment(html=stories[id_], text=fragments.text_row(row)) for id_, row in rows.items()},
    )


def _as_html(markup: str) -> str:
    try:
        return str(mjml_to_html(markup).html)
    except (KeyError, ValueError, SyntaxError) as error:
        raise DigestError(f"templates/email/ gives markup that MJML does not know: {error}; correct it.") from error


def _inlined(html: str) -> str:
    """Write templates/email/inline.css into the elements, for clients that drop style sheets.

    MJML's own style sheets stay in the head untouched; premailer would copy its resets into every cell.
    """
    html = html.replace("<!doctype html>", "<!DOCTYPE html>", 1)
    html = html.replace('<style type="text/css"', '<style type="text/css" data-premailer="ignore"')
    premailer = Premailer(
        html,
        css_text=_inline_css(),
        keep_style_tags=True,
        strip_important=False,
        allow_network=False,
        allow_loading_external_files=False,
        disable_validation=True,
        cssutils_logging_level=logging.CRITICAL,
        align_floating_images=False,
        disable_basic_attributes=["width", "height"],
    )
    inlined = str(premailer.transform(pretty_print=False))
    return _squeezed(inlined.replace(f'<style type="text/css">{_inline_css()}</style>', ""))


@functools.cache
def _inline_css() -> str:
    return (asset("templates") / "email" / "inline.css").read_text(encoding="utf-8")


def _squeezed(html: str) -> str:
    """Drop what only costs bytes, for mail clients clip a message at 102 kB: indentation, spaces between declarations,
    and classes that no style sheet in the head names. Line breaks stay."""
    styles = "".join(re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL))
    named = set(re.findall(r"\.([a-z][\w-]*)", styles))

    def kept_classes(attribute: re.Match[str]) -> str:
        kept = [name for name in attribute[1].split() if name in named]
        return f' class="{" ".join(kept)}"' if kept else ""

    def tidy(tag: re.Match[str]) -> str:
        attributes = re.sub(r' class="([^"]*)"', kept_classes, tag[0])
        return re.sub(r' style="[^"]*"', lambda style: style[0].replace("; ", ";"), attributes)

    return re.sub(r"\s*\n\s*", "\n", re.sub(r"<[a-z][^<>]*>", tidy, html)).strip() + "\n"


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
        (kind, "2" if share is None else f"{plain(share)}%")
        for kind, share in cells
        if share is None or share >= Decimal("0.05")
    ]
