"""What a chart is drawn from: marks on a sheet, scales for figures, and room for words that no font is asked about."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal, NamedTuple

ELLIPSIS = "…"
BOLD = "model-first"
"""The one kind of words that is set bold."""
Anchor = Literal["start", "middle", "end"]
_ANCHORS: tuple[Anchor, ...] = ("start", "middle", "end")


class Box(NamedTuple):
    """A rectangle. Every length of a drawing is in units of its sheet, y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def touches(self, other: "Box") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: "Box") -> bool:
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


class Area(NamedTuple):
    kind: str
    box: Box


class Path(NamedTuple):
    """A line through points (x, y)."""

    kind: str
    points: tuple[tuple[float, float], ...]


class Dot(NamedTuple):
    kind: str
    x: float
    y: float
    radius: float


class Words(NamedTuple):
    """A line of text; `y` is its baseline."""

    kind: str
    x: float
    y: float
    anchor: Anchor
    text: str


class Form(NamedTuple):
    """What a sheet is measured by: its width and the size of its type."""

    layout: Literal["wide", "narrow"]
    width: float
    size: float


WIDE = Form("wide", 880, 14)
NARROW = Form("narrow", 300, 12)
"""A page shows the wide sheet where it has 700 pixels, the narrow one down to 280, for type of 11 pixels or more."""


class Sheet(NamedTuple):
    """A drawing of one width, its marks in the order they are painted in."""

    form: Form
    height: float
    areas: tuple[Area, ...]
    paths: tuple[Path, ...]
    dots: tuple[Dot, ...]
    words: tuple[Words, ...]


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """What a line of text takes in a wide sans-serif font of this size; fonts differ, and none is measured here."""
    return size * (1.12 if bold else 1) * sum(map(_width, text))


def _width(char: str) -> float:
    if unicodedata.combining(char):
        return 0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.05
    if char in "ijlI.,:;'|!()[] -":
        return 0.4
    return (
        0.95
        if char in "mwMW@%—…"
        else 0.64
        if char.isdigit()
        else 0.76
        if char.isupper()
        else 0.6
        if char < "\u02b0"
        else 0.9
    )


def shortened(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """The text, or its two ends around an ellipsis: names of one family begin alike and differ at the end."""
    kept = len(text)
    while kept and width_of(text, size, bold=bold) > room:
        kept -= 1
        tail = kept // 2
        cut = text[: kept - tail].rstrip(" -.,") + ELLIPSIS + (text[len(text) - tail :] if tail else "")
        if width_of(cut, size, bold=bold) <= room:
            return cut
    return text


def box_of(words: Words, size: float) -> Box:
    """The room of a line of text, ascenders and descenders included."""
    width = width_of(words.text, size, bold=words.kind == BOLD)
    left = words.x - {"start": 0, "middle": width / 2, "end": width}[words.anchor]
    return Box(left, words.y - 0.8 * size, left + width, words.y + 0.25 * size)


class Scale(NamedTuple):
    """From figures onto a stretch of the sheet: `low` lies at `start`, `high` at `end`. `ticks` are round figures."""

    low: Decimal
    high: Decimal
    start: float
    end: float
    ticks: tuple[Decimal, ...]

    def at(self, figure: Decimal) -> float:
        return self.start + float((figure - self.low) / (self.high - self.low)) * (self.end - self.start)


def linear(figures: Sequence[Decimal], start: float, end: float, most: int) -> Scale:
    """A scale with a little room at both ends, and ticks in steps of 1, 2 or 5 times a power of ten, at most `most`."""
    low, high = min(figures), max(figures)
    room = (high - low) / 16 or max(abs(low) / 10, Decimal(1))
    low, high = low - room, high + room
    power = (high - low).adjusted() - 2
    while True:
        for digit in (1, 2, 5):
            step = Decimal(digit).scaleb(power)
            first = (low / step).to_integral_value(ROUND_CEILING)
            last = (high / step).to_integral_value(ROUND_FLOOR)
            if last - first < most:
                ticks = tuple((first + place) * step for place in range(int(last - first) + 1))
                return Scale(low, high, start, end, ticks)
        power += 1


def logarithmic(figures: Sequence[Decimal], start: float, end: float, most: int) -> Scale:
    """A scale of powers of ten, of figures above zero: a `Scale` of their logarithms, ticks included.

    Ticks are at all digits, at 1, 2 and 5, at 1 and 3, or at powers of ten alone, whichever are at most `most` and at
    least one.
    """
    logs = [figure.log10() for figure in figures]
    room = max((max(logs) - min(logs)) / 20, Decimal("0.16"))  # no two digits are further apart than twice that
    low, high = min(logs) - room, max(logs) + room
    powers = range(int(low.to_integral_value(ROUND_FLOOR)), int(high.to_integral_value(ROUND_CEILING)) + 1)
    for digits in (range(1, 10), (1, 2, 5), (1, 3), (1,)):
        ticks = [tick for power in powers for digit in digits if low <= (tick := _log(digit, power)) <= high]
        if len(ticks) <= most:
            break
    return Scale(low, high, start, end, tuple(ticks[:: -(-len(ticks) // most)]))


def _log(digit: int, power: int) -> Decimal:
    return Decimal(digit).scaleb(power).log10()


def spread(heights: Sequence[float], gap: float, top: float, bottom: float) -> list[float]:
    """Heights in their order, moved as little as it takes to lie `gap` apart between `top` and `bottom`."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + gap if placed else top))
    limit = bottom
    for place in reversed(range(len(placed))):
        placed[place] = min(placed[place], limit)
        limit = placed[place] - gap
    return placed


def labels(wanted: Sequence[tuple[Dot, str, str]], within: Box, taken: Sequence[Box], size: float) -> Iterator[Words]:
    """A label (dot, kind, text) beside its dot, right, left, above or below, wherever it is inside of `within`, touches
    nothing that is `taken` nor a label before it, and is not as near to another dot as to its own. A long one is
    shortened, a bold one without room more so; one without room even so, or that would read like another, is left out.
    """
    full = list(taken)
    near = {dot: _around(dot, 0.4 * size) for dot, _kind, _text in wanted}
    versions = [list(_versions(kind, text, size)) for _dot, kind, text in wanted]
    told = Counter(text for texts in versions for text in set(texts))
    for (dot, kind, _text), texts in zip(wanted, versions, strict=True):
        others = [box for other, box in near.items() if other != dot]
        for words in (words for text in texts if told[text] == 1 for words in _beside(dot, kind, text, size)):
            box = box_of(words, size)
            if within.holds(box) and not any(map(box.touches, (*full, *others))):
                full.append(box)
                yield words
                break


def _versions(kind: str, text: str, size: float) -> Iterator[str]:
    for room in (17 * size, 10 * size) if kind == BOLD else (14 * size,):
        yield shortened(text, size, room, bold=kind == BOLD)


def _around(dot: Dot, room: float) -> Box:
    reach = dot.radius + room
    return Box(dot.x - reach, dot.y - reach, dot.x + reach, dot.y + reach)


def _beside(dot: Dot, kind: str, text: str, size: float) -> Iterator[Words]:
    aside, middle = dot.radius + 4, 0.3 * size
    over, under = -dot.radius - 0.7 * size, dot.radius + 1.25 * size
    yield Words(kind, dot.x + aside, dot.y + middle, "start", text)
    yield Words(kind, dot.x - aside, dot.y + middle, "end", text)
    for anchor in _ANCHORS:
        yield Words(kind, dot.x, dot.y + over, anchor, text)
        yield Words(kind, dot.x, dot.y + under, anchor, text)
