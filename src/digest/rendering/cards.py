"""The picture of an edition for social networks: its headline and the top of a board, as PNG.

Drawn with a font that comes as a package, so it looks the same on every machine. Its ground is opaque and its colours
are those of the light scheme, for whoever shows it does not say on which ground.
"""

import functools
from collections.abc import Iterator, Sequence
from importlib import resources
from io import BytesIO
from typing import Literal, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from digest.edition.content import Edition
from digest.edition.numbers import day, full, score, shown, title, variant
from digest.edition.opening import headline, lead, points
from digest.edition.section_facts import Board, Place
from digest.edition.wording import masthead_week, measure, rank_words
from digest.language import _
from digest.rendering.email import axis_of, bar_of

WIDTH, HEIGHT = 1200, 630
"""In pixels, what networks ask for; all that is drawn is measured in units of two pixels."""
_ROWS = 5
_LEFT, _RIGHT = 32, 568
_BAR, _SCORE = 330, 70  # where bars begin, and the room for a score right of them

Weight = Literal["Regular", "Semibold", "Bold"]
Colour = tuple[int, int, int]
CARD, TINT, RULE = (0xFF, 0xFF, 0xFF), (0xEE, 0xF2, 0xFB), (0xC9, 0xCD, 0xC6)
INK, INK_2, INK_3 = (0x15, 0x18, 0x1E), (0x46, 0x4C, 0x57), (0x64, 0x6B, 0x77)
BAR, BAR_2 = (0x3E, 0x66, 0xC4), (0x84, 0x93, 0xBA)


class Card(NamedTuple):
    """What a card says. `board` holds as many rows as are drawn; without one, `lead` says more."""

    series: str
    issue: str
    headline: str
    lead: str
    board: Board | None


def card_of(edition: Edition) -> Card:
    """The headline, and the top of the board that it is about, else of the first that has one."""
    ranked = [board for board in edition.boards if board.places]
    about = points(edition)[0].source
    board = next((board for board in ranked if board.source == about), ranked[0] if ranked else None)
    return Card(
        series=shown(edition.series),
        issue=_("No. %(number)s · %(week)s", number=edition.number, week=masthead_week(edition)),
        headline=headline(edition),
        lead=lead(edition),
        board=board and board.model_copy(update={"places": board.places[:_ROWS]}),
    )


def card_alt(card: Card) -> str:
    """What the picture says, in words."""
    said = [f"{card.series}, {card.issue}: {card.headline}."]
    if card.board is None:
        return " ".join((*said, card.lead))
    rows = "; ".join(
        f"{rank_words(place.rank, place.tied)}, {full(place.name)}: {_score(place, card.board)}"
        for place in card.board.places
    )
    return " ".join((*said, _("%(source)s. %(rows)s.", source=_source(card.board), rows=rows)))


def card_png(card: Card) -> bytes:
    """PNG, 1200 by 630 pixels, at most 64 colours. The same card gives the same bytes."""
    image = Image.new("RGB", (WIDTH, HEIGHT), CARD)
    draw = ImageDraw.Draw(image)
    _masthead(draw, card)
    bottom = _paragraph(draw, card.headline, 68, 2, (30, 26, 22), "Bold", INK)
    if card.board is None:
        _paragraph(draw, card.lead, bottom + 8, 5, (19,), "Regular", INK_2)
    else:
        _board(draw, card.board)
    out = BytesIO()
    image.quantize(palette=_palette(), dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def _masthead(draw: ImageDraw.ImageDraw, card: Card) -> None:
    for row, (width, colour) in enumerate(((24, BAR), (17, BAR_2), (11, BAR_2))):
        _box(draw, _LEFT, 27 + 9 * row, _LEFT + width, 33 + 9 * row, colour)
    _text(draw, _LEFT + 36, 46, _fitted(card.series, 20, "Bold", 300), 20, "Bold", INK)
    _text(draw, _RIGHT, 46, card.issue, 14, "Regular", INK_3, anchor="rs")


def _board(draw: ImageDraw.ImageDraw, board: Board) -> None:
    """Rows as in the mail: place, name, interval on a common scale, score; on a tint where they tie for first."""
    top, height = 150, 26
    axis = axis_of(board)
    _box(draw, _LEFT, top - 5, _RIGHT, top - 4, INK)
    for row, place in enumerate(board.places):
        y = top + height * row
        first = place.band == 1
        if first and place.tied:
            _box(draw, _LEFT, y, _RIGHT, y + height, TINT)
        _text(draw, _LEFT + 8, y + 18, str(place.rank), 15, "Regular", INK_2)
        name = _fitted(title(place.name), 16, "Semibold", _BAR - _LEFT - 46)
        end = _text(draw, _LEFT + 34, y + 18, name, 16, "Semibold", INK)
        if (room := _BAR - 12 - end - 6) > 30:
            _text(draw, end + 6, y + 18, _fitted(variant(place.name), 14, "Regular", room), 14, "Regular", INK_3)
        _text(draw, _RIGHT - 8, y + 18, _score(place, board), 16, "Semibold", INK, anchor="rs")
        for kind, left, right in _cells(bar_of(place, board, axis) if axis else []):
            high = 4 if kind == "point" else 6
            _box(draw, left, y + 13 - high, right, y + 13 + high, INK if kind == "point" else BAR if first else BAR_2)
    y = top + height * len(board.places) + 17
    _text(draw, _LEFT + 8, y, _fitted(_source(board), 13, "Regular", _BAR - _LEFT - 20), 13, "Regular", INK_3)
    labels = axis.labels if axis else ()
    for place_on, label in enumerate(labels):
        x = _BAR + place_on * (_RIGHT - _SCORE - _BAR) / len(labels)
        _text(draw, x, y, label, 12, "Regular", INK_3, anchor="ms")


def _cells(bar: Sequence[tuple[str, str]]) -> Iterator[tuple[str, float, float]]:
    """The parts of a bar that are seen, as (kind, left, right). Shares are of the whole bar; a point adds no length."""
    at, whole = float(_BAR), _RIGHT - _SCORE - _BAR
    points = []
    for kind, width in bar:
        if kind == "point":
            points.append((kind, at - 1, at + 1))
            continue
        end = at + float(width.removesuffix("%")) / 100 * whole
        if kind == "half":
            yield kind, at, end
        at = end
    yield from points


def _score(place: Place, board: Board) -> str:
    return score(place.score.value, board.unit)


def _source(board: Board) -> str:
    source = f"{measure(board)}, {day(board.current.on)}"
    return source if board.higher_is_better else _("Lower is better: %(source)s", source=source)


# Drawing


def _box(draw: ImageDraw.ImageDraw, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
    draw.rectangle((round(2 * left), round(2 * top), round(2 * right) - 1, round(2 * bottom) - 1), fill=colour)


def _text(
    draw: ImageDraw.ImageDraw,
    x: float,
    y: float,
    text: str,
    size: int,
    weight: Weight,
    colour: Colour,
    anchor: str = "ls",
) -> float:
    """One line on the baseline `y`; its right end where it starts at `x`."""
    draw.text((round(2 * x), round(2 * y)), text, fill=colour, font=_font(weight, size), anchor=anchor)
    return x + _length(text, size, weight)


def _paragraph(
    draw: ImageDraw.ImageDraw, text: str, top: float, most: int, sizes: Sequence[int], weight: Weight, colour: Colour
) -> float:
    """At most so many lines, in the first of the sizes that takes no more; where the text ends."""
    for size in sizes:
        lines = _lines(text, size, weight)
        if len(lines) <= most:
            break
    if len(lines) > most:
        lines[most - 1 :] = [_fitted(" ".join(lines[most - 1 :]), size, weight, _RIGHT - _LEFT)]
    y = top
    for line in lines:
        y += 1.16 * size
        _text(draw, _LEFT, y - 0.25 * size, _fitted(line, size, weight, _RIGHT - _LEFT), size, weight, colour)
    return y


def _lines(text: str, size: int, weight: Weight) -> list[str]:
    """Words in lines of the card's width."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _length(longer, size, weight) > _RIGHT - _LEFT:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _fitted(text: str, size: int, weight: Weight, room: float) -> str:
    """The text, or as much of it as leaves place for an ellipsis."""
    kept = text
    while kept and _length(kept, size, weight) > room:
        text = text[:-1].rstrip(" ,.·")
        kept = f"{text}…" if text else ""
    return kept


def _length(text: str, size: int, weight: Weight) -> float:
    return _font(weight, size).getlength(text) / 2


@functools.cache
def _font(weight: Weight, size: int) -> ImageFont.FreeTypeFont:
    """Basic layout: shaping would depend on libraries of the machine."""
    file = resources.files("font_source_sans_pro").joinpath(f"files/SourceSansPro-{weight}.ttf")
    return ImageFont.truetype(BytesIO(file.read_bytes()), 2 * size, layout_engine=ImageFont.Layout.BASIC)


@functools.cache
def _palette() -> Image.Image:
    """The card's colours, and six steps from each ground to each ink for the edges of letters."""
    steps = [
        tuple(round(ground + (ink - ground) * step / 6) for ground, ink in zip(on, colour, strict=True))
        for on in (CARD, TINT)
        for colour in (INK, INK_2, INK_3, BAR, BAR_2)
        for step in range(1, 7)
    ]
    colours = list(dict.fromkeys([CARD, TINT, RULE, *steps]))
    image = Image.new("P", (1, 1))
    image.putpalette([channel for colour in (*colours, *[CARD] * (256 - len(colours))) for channel in colour])
    return image
