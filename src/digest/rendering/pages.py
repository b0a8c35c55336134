"""An edition as a web page: what its templates need beside the facts, and what the archive says of it. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from markupsafe import Markup

from digest.edition.content import Edition
from digest.edition.numbers import day, exact
from digest.edition.opening import headline, lead
from digest.edition.pick_facts import Pick
from digest.edition.section_facts import Board, Place
from digest.language import _, spoken
from digest.rendering.cards import HEIGHT, WIDTH, Card, card_alt, card_of
from digest.rendering.charts import content_key
from digest.rendering.email import Axis, axis_of, bar_of, whole


class Span(NamedTuple):
    """A part of a bar as SVG draws it: what it is, where it begins and how wide it is, in % of the bar or in px."""

    kind: str
    x: str
    width: str


class Chart(NamedTuple):
    """A picture in a board's section, below its own heading."""

    title: str
    picture: Markup


class Badge(NamedTuple):
    """What kind of week it was, in two words, and the look of the chip that says it."""

    label: str
    kind: str


class ArchiveRow(NamedTuple):
    """What the archive says of an edition. `on` is the day that its week starts."""

    week: str
    year: int
    number: int
    on: str
    headline: str
    lead: str
    badge: Badge | None


class CardLink(NamedTuple):
    """The social card as a page names it. Its address holds a name of what it shows, so that it can be kept forever."""

    address: str
    alt: str
    width: int = WIDTH
    height: int = HEIGHT


def section_facts(edition: Edition, root: str, only: str = "", *, on_page: bool) -> dict[str, Any]:
    """What templates/web/edition/sections.html asks for. Every link of ours starts with `root`; `only` is a topic, or
    empty for all of it."""
    return {
        "edition": edition,
        "root": root,
        "only": only,
        "on_page": on_page,
        "receipts": frozenset(receipt.id for receipt in edition.receipts),
        "receipts_of": lambda pick: _receipts_of(pick, edition),
        "day": lambda on: day(on, year=on.year != edition.starts.year),
        "anchor": anchor,
        "whole": whole,
        "axis_of": axis_of,
        "interval": interval,
        "spans": spans,
        "tick": tick,
        "charts": {},
    }


def anchor(source: str) -> str:
    """A source's name as part of an element's id."""
    return re.sub(r"[^a-z0-9]+", "-", source.lower()).strip("-")


def interval(place: Place, board: Board, axis: Axis, first: bool) -> list[Span]:
    """The interval of a row with its value as a mark; `first` is for the rows that could be the first one."""
    found = spans(bar_of(place, board, axis))
    return [span._replace(kind="first") if first and span.kind == "half" else span for span in found]


def spans(cells: Iterable[tuple[str, str]]) -> list[Span]:
    """The cells of a bar in a mail, (kind, width), as what is seen of them. Widths are in % of the bar, and without a
    sign in pixels: a mark, which takes no room and is drawn last."""
    return sorted(_spans(cells), key=lambda span: not span.width.endswith("%"))


def _spans(cells: Iterable[tuple[str, str]]) -> Iterator[Span]:
    at = Decimal(0)
    for kind, width in cells:
        if kind != "blank":
            yield Span(kind, f"{exact(at)}%", width)
        if width.endswith("%"):
            at += Decimal(width.removesuffix("%"))


def tick(axis: Axis, place: int) -> str:
    """Where the label stands at this place below a bar."""
    return f"{exact(Decimal(100 * place) / len(axis.labels))}%"


def _receipts_of(pick: Pick, edition: Edition) -> Sequence[str]:
    """The receipts of a pick's first leader that the edition has."""
    known = {receipt.id for receipt in edition.receipts}
    return [id_ for choice in pick.leaders[:1] for id_ in choice.receipts if id_ in known]


def card_link(edition: Edition, address: str) -> CardLink:
    card = card_of(edition)
    return CardLink(f"{address}/card.png?{card_query(card)}", card_alt(card))


def card_query(card: Card) -> str:
    """What a card's address asks for: its language, and the name of what it shows."""
    return f"lang={spoken()}&{content_key(card)}"


def archive_row(edition: Edition) -> ArchiveRow:
    return ArchiveRow(
        week=edition.week,
        year=int(edition.week[:4]),
        number=edition.number,
        on=day(edition.starts),
        headline=headline(edition),
        lead=lead(edition),
        badge=badge(edition),
    )


def badge(edition: Edition) -> Badge | None:
    """The weightiest of: another first, a benchmark made anew, corrections, a quiet week."""
    leaders = {board.leader for board in edition.boards if board.places}
    if "new_leader" in leaders:
        return Badge(_("New #1"), "rerun")
    if "new_but_tied" in leaders:
        return Badge(_("New #1, tied"), "rerun")
    if "not_comparable" in leaders or any(note.kind != "benchmark_added" for note in edition.method):
        return Badge(_("Method change"), "method")
    if edition.corrections:
        return Badge(_("Correction"), "correction")
    return Badge(_("Quiet"), "neutral") if edition.quiet else None
