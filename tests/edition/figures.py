"""Reads the figures off an edition's words and looks each up in its facts."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations
from typing import TypeVar

from digest.edition import numbers, opening
from digest.edition.content import Edition
from digest.edition.facts import Fact, Name, Proof
from digest.edition.section_facts import Board, Money, Mover, Place
from digest.edition.versus_facts import Compared, Offers

_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_DAY = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?: \d{4})?"
)
_FIGURE = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?[KM]?(?:st|nd|rd|th)?(?![\w])")
_RULES = ("95% uncertainty", "per 1M tokens", "two decimals")  # what our sentences say of every week


F = TypeVar("F")


def untold(edition: Edition, text: str) -> list[str]:
    """The figures, days and hashes of a text that the edition does not hold."""
    text = " ".join(re.sub(r"(?m)^(\[\d+\] .*|\d\. )|\[\d+\]", " ", text.partition("You get this because")[0]).split())
    known_texts = {*_texts(edition), *_RULES, opening.reading_time(edition)} - {""}
    for known in sorted(known_texts, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(known)}(?!\w)", " ", text)
    text = re.sub(r"\S*…", " ", text)
    hashes = {proof.sha256[:8] for proof in _all(edition, Proof)}
    found = [stamp for stamp in re.findall(r"sha256 (\w+)", text) if stamp not in hashes]
    text = re.sub(r"sha256 \w+", " ", text)
    days = _days(edition)
    found += [day for day in _DAY.findall(text) if day not in days]
    text = _DAY.sub(" ", text)
    known_figures = {*_figures(edition), *_derived(edition)}
    shown = [
        *_FIGURE.findall(text),
        *(str(n) for n, word in enumerate(_WORDS, 1) if re.search(rf"(?i)\b{word}\b", text)),
    ]
    return found + [figure for figure in shown if not _is_among(figure, known_figures)]


def _is_among(shown: str, known: set[Decimal]) -> bool:
    """Whether a known figure reads so when it is rounded half up to the decimals shown."""
    plain = re.sub(r"st|nd|rd|th|,", "", shown)
    scale = {"K": 3, "M": 6}.get(plain[-1], 0)
    figure = Decimal(plain.rstrip("KM"))
    near = (abs(value).scaleb(-scale) for value in known)
    return any(value.quantize(figure, ROUND_HALF_UP) == figure for value in near if value.adjusted() < 15)


def _walk(value: object) -> Iterator[object]:
    yield value
    if isinstance(value, Fact):
        for name in type(value).model_fields:
            if name not in ("stories", "standings", "receipts"):  # what is not on the page proves nothing
                yield from _walk(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _walk(item)


def _all(edition: Edition, kind: type[F]) -> list[F]:
    return [value for value in _walk(edition) if isinstance(value, kind)]


def _texts(edition: Edition) -> Iterator[str]:
    """Every text of the edition as it may be shown: names, titles, benchmarks, failures."""
    for value in _walk(edition):
        if isinstance(value, Name):
            yield from (numbers.full(value), numbers.title(value), numbers.variant(value))
            yield from numbers.variant(value).split(", ")
        elif isinstance(value, str):
            yield from (numbers.shown(value, room) for room in (20, 24, 30, 40, 60, 80, 160))
            yield numbers.benchmark_name(value)


def _days(edition: Edition) -> set[str]:
    days = [value for value in _walk(edition) if isinstance(value, date)]
    return {
        numbers.day(on, year=year) for on in [*days, numbers.monday(edition.previous_week)] for year in (True, False)
    }


def _figures(edition: Edition) -> Iterator[Decimal]:
    """Every number of the document, and how many there are of each thing."""
    year, week = edition.week.split("-W")
    yield from (Decimal(year), Decimal(week))
    for value in _walk(edition):
        if isinstance(value, bool):
            continue
        if isinstance(value, int | Decimal):
            yield Decimal(value)
        elif isinstance(value, tuple):
            yield Decimal(len(value))


def _derived(edition: Edition) -> Iterator[Decimal]:
    """What a sentence may work out of two figures that belong together: distances, shares, sums."""
    for board in _all(edition, Board):
        values = [place.score.value for place in board.places[:2] if place.score.value is not None]
        yield from (one - other for one, other in combinations(values, 2))
        yield from (Decimal(n) for n in (10, board.ranked - len(board.places)))
    for place in _all(edition, Place):
        if place.previous and place.previous.rank is not None:
            yield Decimal(place.rank - place.previous.rank)
    for compared in _all(edition, Compared):
        yield compared.spread
        values = [result.value for result in compared.results if result]
        yield from (one - other for one, other in combinations(values, 2))
    for offers in _all(edition, Offers):
        for offered in filter(None, offers.offered):
            yield from (ratio for ratio in (offered.input_ratio, offered.output_ratio) if ratio is not None)
    for pick in edition.picks:
        yield from (Decimal(len(pick.leaders) - 1), Decimal(pick.group.most if pick.group else 0))
    steps = [(money.before, money.after) for money in _all(edition, Money)]
    steps += [(mover.before.value, mover.after.value) for mover in _all(edition, Mover)]
    for before, after in steps:
        if before is not None and after is not None:
            yield after - before
            yield (after - before) / before * 100 if before else Decimal(0)
    for mover in _all(edition, Mover):
        yield Decimal(mover.before.rank or 0) - Decimal(mover.after.rank or 0)
    yield from (Decimal(sum(counted)) for counted in _subset_sums([health.counted for health in edition.health]))
    yield Decimal(sum(health.was_read for health in edition.health))
    for section in _walk(edition):
        for many, more in (("models", "folded"), ("movers", "folded"), ("priced", "folded"), ("names", "folded")):
            if isinstance(section, Fact) and {many, more} <= type(section).model_fields.keys():
                whole = len(getattr(section, many)) + getattr(section, more)
                yield from (Decimal(whole), Decimal(whole - 1), Decimal(max(whole - 3, 0)))
    for arrivals in edition.arrivals:
        yield Decimal(arrivals.rows - 1)
    for many in ("disagreements", "corrections", "method", "renamed"):
        yield Decimal(len(getattr(edition, many)) + getattr(edition, f"{many}_folded"))


def _subset_sums(counts: list[int]) -> Iterator[tuple[int, ...]]:
    for size in range(1, len(counts) + 1):
        yield from combinations(counts, size)
