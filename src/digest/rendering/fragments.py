"""A reader's watch list: pieces rendered once with the edition, joined per reader by putting strings side by side.

The pieces are rows of one table inside the edition's own markup, so that MJML and premailer dress them like the rest;
then they are cut out of it, and a slot stands where they were.
"""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from digest.edition.rendered import Fragment, Frame, Rendered
from digest.edition.watch_facts import Watched
from digest.edition.watch_words import Row, crossing_row, since, standing_still
from digest.language import _, ngettext
from digest.rendering.templates import (
    CHANGE_SLOT,
    DETAIL_SLOT,
    MORE_SLOT,
    NAME_SLOT,
    NOTE_SLOT,
    SINCE_SLOT,
    VALUE_SLOT,
    WATCH_END,
    WATCH_SLOT,
    without_slots,
)
from digest.rendering.text import spread, underlined, wrap

MOST_STORIES = 8
MOST_BYTES = 102_000  # of HTML; Gmail clips a longer message, and with it the way out
_SPARE = 1_000  # for what stands in the edition's other slots

_MARK = re.compile(r"<!--piece (\w+)-->")


class Part(NamedTuple):
    """A piece of one reader's mail, or all of it, in both parts."""

    html: str = ""
    text: str = ""


NOTHING = Part()


def place(slot: str) -> str:
    """Where a piece stands in the HTML part: a comment, so that nothing is seen of it where nobody fills it in."""
    return f"<!--{slot}-->"


SLOTS = {
    "begin": WATCH_SLOT,
    "since": SINCE_SLOT,
    "name": NAME_SLOT,
    "detail": DETAIL_SLOT,
    "value": VALUE_SLOT,
    "change": CHANGE_SLOT,
    "note": NOTE_SLOT,
    "more": MORE_SLOT,
    "end": WATCH_END,
}
"""The slots by the names that templates/email/watch.mjml has for them."""


def lift(html: str, begin: str, end: str) -> tuple[str, str]:
    """Take out what stands between two slots, and leave the place of the first: what is left, and the piece."""
    before, _, rest = html.partition(begin)
    piece, _, after = rest.partition(end)
    return f"{before}{place(begin)}{after}", piece.strip()


def marked(piece: str) -> tuple[str, Mapping[str, str]]:
    """What a piece holds before its first mark, and what follows each mark, by the mark's name."""
    head, *rows = _MARK.split(piece)
    return head.strip(), dict(zip(rows[::2], (row.strip() for row in rows[1::2]), strict=True))


def cut(html: str, ids: Sequence[str], page: str, reserved: int = 0) -> tuple[str, Frame, Mapping[str, str]]:
    """Take the watch list out of a rendered edition: what is left of it, the frame, and each story's HTML by its id.

    Between WATCH_SLOT and WATCH_END the markup holds a box whose rows each begin with a mark: `story0` and so on, in
    the order of `ids`, then `own`, `note`, `more` and `end`. `reserved` bytes are kept free for other pieces.
    """
    html, box = lift(html, WATCH_SLOT, WATCH_END)
    head, rows = marked(box)
    room = MOST_BYTES - _SPARE - reserved - len(html.encode())
    whole = f"{head}\n{WATCH_SLOT}\n{rows['end']}"
    frame = Frame(html=whole, row=rows["own"], note=rows["note"], more=rows["more"], page=page, room=room)
    return html, frame, {id_: rows[f"story{number}"] for number, id_ in enumerate(ids)}


def text_row(row: Row) -> str:
    """A story of the list in the text part."""
    cells = (row.value, row.change) if row.change else (row.value,)
    widths = (14, 14) if row.change else (14,)
    return str(without_slots(f"{spread(row.label, *cells, widths=widths)}\n{wrap(row.detail, 4)}"))


def join(watched: Watched | None, rendered: Rendered) -> Part:
    """One reader's watch list. Without a list, or in an edition that has no place for one, there is nothing.

    At most MOST_STORIES stories are in it, fewer where the mail would be clipped; the last ones fold away first, into
    a line that says how many they are. Where not even that line has room, the list is in the text part alone.
    """
    frame = rendered.frame
    if watched is None or frame is None:
        return NOTHING
    own = [crossing_row(crossing) for crossing in watched.crossings[:MOST_STORIES]]
    known = [rendered.fragments[id_] for id_ in watched.stories if id_ in rendered.fragments]
    rows = [Fragment(html=_filled(frame.row, row), text=text_row(row)) for row in own]
    rows += known[: MOST_STORIES - len(rows)]
    total = len(watched.crossings) + len(known)
    note = str(without_slots(standing_still(watched)))
    text = _text(rows, total, note, watched, frame)
    for shown in range(len(rows), -1, -1):
        html = _html(rows[:shown], total, note, watched, frame)
        if len(html.encode()) <= frame.room:
            return Part(html, text)
    return Part("", text)


def _html(rows: Sequence[Fragment], total: int, note: str, watched: Watched, frame: Frame) -> str:
    pieces = [row.html for row in rows]
    if note:
        pieces.append(frame.note.replace(NOTE_SLOT, escape(note)))
    if total > len(rows):
        pieces.append(frame.more.replace(MORE_SLOT, escape(_folded(total, len(rows)))))
    return frame.html.replace(SINCE_SLOT, escape(since(watched))).replace(WATCH_SLOT, "\n".join(pieces))


def _text(rows: Sequence[Fragment], total: int, note: str, watched: Watched, frame: Frame) -> str:
    head = underlined(_("Your watch list")) + "\n" + wrap(since(watched))
    more = f"{_folded(total, len(rows))} [1]\n\n[1] {frame.page}" if total > len(rows) else ""
    pieces = [head, *(row.text for row in rows), wrap(note), more]
    return "\n\n".join(piece for piece in pieces if piece) + "\n\n"


def _folded(total: int, told: int) -> str:
    """Where the stories are that the list has no room for."""
    if told:
        return ngettext(
            "%(count)s more story on your list, on the web",
            "%(count)s more stories on your list, on the web",
            total - told,
        )
    return ngettext("%(count)s story on your list, on the web", "%(count)s stories on your list, on the web", total)


def _filled(row: str, own: Row) -> str:
    for slot, value in (
        (NAME_SLOT, own.label),
        (DETAIL_SLOT, own.detail),
        (VALUE_SLOT, own.value),
        (CHANGE_SLOT, own.change),
    ):
        row = row.replace(slot, escape(str(without_slots(value))))
    return row
