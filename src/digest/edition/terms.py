"""Versus -> what the contenders cost and are: the lines of a table, and sentences made of the same figures.

Prices and sizes are held against each other only where one source tells them all; what that source does not know is
told from another, with the other's name.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple, TypeVar

from digest.edition.compared import benchmarks_of, figures, measure, receipt
from digest.edition.content import Compared, Matchup, Offered, Versus
from digest.edition.numbers import NOT_KNOWN, listed, money, plain, rounded, tokens
from digest.edition.versus import SPEED_UNITS

FREE = "free"
CATALOGUE = "our catalogue"
PRICE_UNIT = "USD per 1M tokens"
T = TypeVar("T")


class Term(NamedTuple):
    """One line of what the contenders cost and are: a cell each, and where each is from, empty where nobody says."""

    label: str
    unit: str
    cells: tuple[str, ...]
    sources: tuple[str, ...]


def terms(versus: Versus) -> list[Term]:
    """Prices, context window, speed, reasoning and weights."""
    return [*prices_and_sizes(versus), *_speeds(versus), *_nature(versus)]


def prices_and_sizes(versus: Versus) -> list[Term]:
    """Input, output and context window."""
    offered, sources = prices(versus)
    sizes, from_ = contexts(versus)
    return [
        Term("Input", PRICE_UNIT, tuple(price(one.input if one else None) for one in offered), sources),
        Term("Output", PRICE_UNIT, tuple(price(one.output if one else None) for one in offered), sources),
        Term("Context", "tokens", tuple(tokens(size) for size in sizes), from_),
    ]


def prices(versus: Versus) -> tuple[tuple[Offered | None, ...], tuple[str, ...]]:
    """The offer of each contender that tells a price, and its source: as many as can be from one."""
    return _mostly_one_source(
        [
            (
                receipt(offers.title, offers.current),
                [one if one and (one.input, one.output) != (None, None) else None for one in offers.offered],
            )
            for offers in versus.offers
        ],
        len(versus.contenders),
    )


def contexts(versus: Versus) -> tuple[tuple[Decimal | None, ...], tuple[str, ...]]:
    """The context window of each contender in tokens, and its source: as many as can be from one."""
    catalogue = [None if one.context is None else Decimal(one.context) for one in versus.contenders]
    said = [
        (receipt(offers.title, offers.current), [one.context if one else None for one in offers.offered])
        for offers in versus.offers
    ]
    return _mostly_one_source([*said, (CATALOGUE, catalogue)], len(versus.contenders))


def _mostly_one_source(
    columns: Sequence[tuple[str, Sequence[T | None]]], count: int
) -> tuple[tuple[T | None, ...], tuple[str, ...]]:
    """What the source that knows most says, the first of equals; what it lacks, from the others in turn."""
    values: list[T | None] = [None] * count
    sources = [""] * count
    for source, column in sorted(columns, key=lambda column: sum(value is None for value in column[1])):
        for place, value in enumerate(column):
            if values[place] is None and value is not None:
                values[place], sources[place] = value, source
    return tuple(values), tuple(sources)


def _comparable(sources: Sequence[str]) -> bool:
    """Whether one source tells it of all."""
    return all(sources) and len(set(sources)) == 1


def speeds(versus: Versus) -> list[tuple[Matchup, Compared]]:
    """The benchmarks that measure speed, with the source of each."""
    return [(matchup, one) for matchup in versus.matchups for one in benchmarks_of(matchup) if one.unit in SPEED_UNITS]


def _speeds(versus: Versus) -> list[Term]:
    nobody = Term("Speed", "", ("not measured",) * len(versus.contenders), ("",) * len(versus.contenders))
    found = [
        Term(
            "Speed",
            measure(one),
            tuple(figure or "not measured" for figure in figures(one)),
            tuple(receipt(matchup.title, matchup.current) if figure else "" for figure in figures(one)),
        )
        for matchup, one in speeds(versus)
    ]
    return found or [nobody]


_REASONING = {"yes": "yes", "no": "no", "hybrid": "on request", None: NOT_KNOWN}
_WEIGHTS = {True: "yes", False: "no", None: NOT_KNOWN}


def _nature(versus: Versus) -> list[Term]:
    cells = {
        "Reasoning": tuple(_REASONING[one.reasoning] for one in versus.contenders),
        "Open weights": tuple(_WEIGHTS[one.open_weights] for one in versus.contenders),
    }
    return [
        Term(label, "", words, tuple("" if word == NOT_KNOWN else CATALOGUE for word in words))
        for label, words in cells.items()
    ]


# Prices in sentences


def price(amount: Decimal | None) -> str:
    return FREE if amount == 0 else money(amount)


def price_reason(versus: Versus, names: Sequence[str]) -> str:
    """A sentence where prices differ enough to decide."""
    offered, sources = prices(versus)
    known = [one for one in offered if one is not None and NOT_KNOWN not in _both(one)]
    if len(known) < len(names) or not _comparable(sources):
        return ""
    ratios = [ratio for one in known for ratio in (one.input_ratio, one.output_ratio) if ratio is not None]
    free = {_is_free(one) for one in known} == {True, False}
    if not free and max(ratios, default=Decimal(0)) < versus.price_ratio:
        return ""
    return _of_two(known, names, sources[0]) if len(names) == 2 else _least(known, names, sources[0])


def price_answer(versus: Versus, names: Sequence[str]) -> str:
    offered, sources = prices(versus)
    known = [one for one in offered if one is not None and NOT_KNOWN not in _both(one)]
    if not any(offered):
        return "No source we carry tells a price of any of them."
    if len(known) == len(names) and _comparable(sources):
        if len({_both(one) for one in known}) == 1:
            return f"{'Both' if len(names) == 2 else 'All'} {_same(known[0])} ({sources[0]})."
        if len(names) == 2:
            cheaper = next((place for place in (0, 1) if _costs_more(known[1 - place], known[place])), None)
            first = "Neither. " if cheaper is None else "" if _is_free(known[cheaper]) else f"{names[cheaper]}. "
            return first + _of_two(known, names, sources[0])
    order = sorted(range(len(names)), key=lambda place: _height(offered[place]))
    told = [_its_price(names[place], offered[place]) for place in order]
    return f"{_with_sources(told, [sources[place] for place in order])}."


def _height(offered: Offered | None) -> tuple[bool, Decimal, Decimal]:
    """Orders prices: the lowest first, what is not known last."""
    absurd = Decimal("Infinity")
    if offered is None:
        return True, absurd, absurd
    asked, answered = (absurd if amount is None else amount for amount in (offered.input, offered.output))
    return False, answered, asked


def _both(offered: Offered) -> tuple[str, str]:
    return price(offered.input), price(offered.output)


def _is_free(offered: Offered) -> bool:
    return _both(offered) == (FREE, FREE)


def _in_and_out(offered: Offered) -> str:
    asked, answered = _both(offered)
    return f"{asked} in and {answered} out"


def _its_price(name: str, offered: Offered | None) -> str:
    if offered is None:
        return f"{name}: price {NOT_KNOWN}"
    return f"{name} is listed as free" if _is_free(offered) else f"{name}: {_in_and_out(offered)} per 1M tokens"


def _with_sources(told: Sequence[str], sources: Sequence[str]) -> str:
    """Each said with its source, or all with the one they share."""
    if sources and sources[0] and set(sources) == {sources[0]}:
        return f"{'; '.join(told)} ({sources[0]})"
    return "; ".join(f"{said} ({source})" if source else said for said, source in zip(told, sources, strict=True))


def _same(offered: Offered) -> str:
    return "are listed as free" if _is_free(offered) else f"cost the same, {_in_and_out(offered)} per 1M tokens"


def _of_two(known: Sequence[Offered], names: Sequence[str], source: str) -> str:
    """Which of two costs more, by how much, or that neither does throughout."""
    (one, other), (name, other_name) = known, names
    for it, rival, its, rivals in ((one, other, name, other_name), (other, one, other_name, name)):
        if _is_free(it):
            return f"{its} is listed as free; {rivals} costs {_in_and_out(rival)} per 1M tokens ({source})."
        if _costs_more(it, rival) and not _is_free(rival):
            against = " and ".join(_both(rival))
            more = _times(it, rival)
            return f"{its} costs {more}: {_in_and_out(it)} per 1M tokens, against {against} ({source})."
    return f"{name} costs {_in_and_out(one)} per 1M tokens, {other_name} {_in_and_out(other)} ({source})."


def _least(known: Sequence[Offered], names: Sequence[str], source: str) -> str:
    """Which of several costs least in and out; nothing where not one does, or two do."""
    low = [place for place, one in enumerate(known) if all(_costs_more(other, one) for other in known)]
    if len(low) != 1:
        return ""
    cheapest = known[low[0]]
    what = "is listed as free" if _is_free(cheapest) else f"costs least, {_in_and_out(cheapest)} per 1M tokens"
    return f"{names[low[0]]} {what} ({source})."


def _costs_more(one: Offered, other: Offered) -> bool:
    """Not less in, not less out."""
    pairs = ((one.input, other.input), (one.output, other.output))
    return all(mine is not None and theirs is not None and mine >= theirs for mine, theirs in pairs)


def _times(one: Offered, other: Offered) -> str:
    """`twice as much`, `3.3 times as much in and 2.5 times as much out`, or `more` where there is no multiple."""
    ratios = [one.input_ratio, one.output_ratio, other.input_ratio, other.output_ratio]
    multiples = [ratio for ratio in ratios if ratio is not None]
    if len(multiples) < 4:
        return "more"
    asked, answered = map(_multiple, multiples[:2])
    return asked if asked == answered else f"{asked} in and {answered} out"


def _multiple(ratio: Decimal) -> str:
    if ratio == 1:
        return "as much"
    if ratio == 2:
        return "twice as much"
    near = rounded(ratio, 1)
    if near == 1:
        return "slightly more"
    return f"{plain(ratio, 0 if near == near.to_integral_value() else 1)} times as much"


# Context windows in sentences


def context_reason(versus: Versus, names: Sequence[str]) -> str:
    sizes, sources = contexts(versus)
    known = [size for size in sizes if size]
    if len(names) != 2 or not _comparable(sources) or max(known) < versus.context_ratio * min(known):
        return ""
    return f"{_larger_context(sizes, names)}."


def context_answer(versus: Versus, names: Sequence[str]) -> str:
    sizes, sources = contexts(versus)
    shown = {tokens(size) for size in sizes if size}
    if not shown:
        return "No source we carry tells the context window of any of them."
    if _comparable(sources) and len(shown) == 1:
        return f"{'Both take' if len(names) == 2 else 'All take'} {shown.pop()} tokens ({sources[0]})."
    if _comparable(sources) and len(names) == 2:
        return f"{_larger_context(sizes, names)} ({sources[0]})."
    order = sorted(range(len(names)), key=lambda place: -(sizes[place] or 0))
    told = [f"{names[place]}: {f'{tokens(size)} tokens' if (size := sizes[place]) else NOT_KNOWN}" for place in order]
    return f"{_with_sources(told, [sources[place] for place in order])}."


def _larger_context(sizes: Sequence[Decimal | None], names: Sequence[str]) -> str:
    first, *rest = sorted((place for place, size in enumerate(sizes) if size), key=lambda place: -(sizes[place] or 0))
    against = listed([f"{tokens(sizes[place])} for {names[place]}" for place in rest])
    return f"{names[first]} has the larger context window, {tokens(sizes[first])} tokens against {against}"
