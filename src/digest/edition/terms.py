"""Versus -> what the contenders cost and are: the lines of a table, and sentences made of the same figures.

Prices and sizes are held against each other only where one source tells them all; what that source does not know is
told from another, with the other's name. Figures that look alike as they are written are told as equal.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple, TypeVar

from digest.edition.compared import benchmarks_of, figures, measure, receipt
from digest.edition.numbers import money, not_known, plain, rounded, tokens
from digest.edition.versus import SPEED_UNITS
from digest.edition.versus_facts import Compared, Matchup, Offered, Versus
from digest.language import N_, _, pgettext

CATALOGUE = N_("our catalogue")
PRICE_UNIT = N_("USD per 1M tokens")
T = TypeVar("T")

Tellers = tuple[int | None, ...]
"""Who tells a fact of each contender: a place among the offers of a `Versus`, for our catalogue the one after them, for
nobody None."""


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
    unit = _(PRICE_UNIT)
    return [
        Term(_("Input"), unit, tuple(price(one.input if one else None) for one in offered), sources),
        Term(_("Output"), unit, tuple(price(one.output if one else None) for one in offered), sources),
        Term(_("Context"), _("tokens"), tuple(tokens(size) for size in sizes), from_),
    ]


def prices(versus: Versus) -> tuple[tuple[Offered | None, ...], tuple[str, ...]]:
    """The offer of each contender that tells a price, and its source: as many as can be from one."""
    offered, tellers = _priced(versus)
    return offered, _said_by(versus, tellers)


def contexts(versus: Versus) -> tuple[tuple[Decimal | None, ...], tuple[str, ...]]:
    """The context window of each contender in tokens, and its source: as many as can be from one."""
    sizes, tellers = _sized(versus)
    return sizes, _said_by(versus, tellers)


def _priced(versus: Versus) -> tuple[tuple[Offered | None, ...], Tellers]:
    columns = [
        [one if one and (one.input, one.output) != (None, None) else None for one in offers.offered]
        for offers in versus.offers
    ]
    return _mostly_one_source(columns, len(versus.contenders))


def _sized(versus: Versus) -> tuple[tuple[Decimal | None, ...], Tellers]:
    said = [[one.context if one else None for one in offers.offered] for offers in versus.offers]
    catalogue = [None if one.context is None else Decimal(one.context) for one in versus.contenders]
    return _mostly_one_source([*said, catalogue], len(versus.contenders))


def _mostly_one_source(columns: Sequence[Sequence[T | None]], count: int) -> tuple[tuple[T | None, ...], Tellers]:
    """What the source that knows most says, the first of equals; what it lacks, from the others in turn."""
    values: list[T | None] = [None] * count
    tellers: list[int | None] = [None] * count
    for teller, column in sorted(enumerate(columns), key=lambda it: sum(value is None for value in it[1])):
        for place, value in enumerate(column):
            if values[place] is None and value is not None:
                values[place], tellers[place] = value, teller
    return tuple(values), tuple(tellers)


def _said_by(versus: Versus, tellers: Tellers) -> tuple[str, ...]:
    said = [*(receipt(offers.title, offers.current) for offers in versus.offers), _(CATALOGUE)]
    return tuple("" if teller is None else said[teller] for teller in tellers)


def _comparable(tellers: Tellers) -> bool:
    """Whether one source tells it of all."""
    return None not in tellers and len(set(tellers)) == 1


def speeds(versus: Versus) -> list[tuple[Matchup, Compared]]:
    """The benchmarks that measure speed, with the source of each."""
    return [(matchup, one) for matchup in versus.matchups for one in benchmarks_of(matchup) if one.unit in SPEED_UNITS]


def _speeds(versus: Versus) -> list[Term]:
    count = len(versus.contenders)
    found = [
        Term(
            _("Speed"),
            measure(one),
            tuple(figure or _("not measured") for figure in figures(one)),
            tuple(receipt(matchup.title, matchup.current) if figure else "" for figure in figures(one)),
        )
        for matchup, one in speeds(versus)
    ]
    return found or [Term(_("Speed"), "", (_("not measured"),) * count, ("",) * count)]


def _nature(versus: Versus) -> list[Term]:
    reasoning: list[str | None] = [one.reasoning for one in versus.contenders]
    weights = [yes_if(one.open_weights) for one in versus.contenders]
    return [
        Term(
            label,
            "",
            tuple(yes_or_no(fact) for fact in column),
            tuple("" if fact is None else _(CATALOGUE) for fact in column),
        )
        for label, column in ((_("Reasoning"), reasoning), (_("Open weights"), weights))
    ]


def yes_if(fact: bool | None) -> str | None:
    """A fact of two values as one of those that `yes_or_no` words."""
    return None if fact is None else "yes" if fact else "no"


def yes_or_no(fact: str | None) -> str:
    """yes, no or hybrid, in words; None is not known."""
    match fact:
        case "yes":
            return pgettext("answer", "yes")
        case "no":
            return pgettext("answer", "no")
        case "hybrid":
            return pgettext("answer", "on request")
    return not_known()


# Prices in sentences


def price(amount: Decimal | None) -> str:
    return pgettext("of a price", "free") if amount == 0 else money(amount)


def price_reason(versus: Versus, names: Sequence[str]) -> str:
    """A sentence where prices differ enough to decide."""
    offered, tellers = _priced(versus)
    known = [one for one in offered if one is not None and _is_told(one)]
    if len(known) < len(names) or not _comparable(tellers):
        return ""
    ratios = [ratio for one in known for ratio in (one.input_ratio, one.output_ratio) if ratio is not None]
    free = {_is_free(one) for one in known} == {True, False}
    if not free and max(ratios, default=Decimal(0)) < versus.price_ratio:
        return ""
    source = _said_by(versus, tellers)[0]
    return _of_two(known, names, source) if len(names) == 2 else _least(known, names, source)


def price_answer(versus: Versus, names: Sequence[str]) -> str:
    offered, tellers = _priced(versus)
    sources = _said_by(versus, tellers)
    known = [one for one in offered if one is not None and _is_told(one)]
    if not any(offered):
        return _("No source we carry tells a price of any of them.")
    if len(known) == len(names) and _comparable(tellers):
        if len({_both(one) for one in known}) == 1:
            return _same(known, sources[0])
        if len(names) == 2:
            return f"{_cheaper(known, names)} {_of_two(known, names, sources[0])}".strip()
    order = sorted(range(len(names)), key=lambda place: _height(offered[place]))
    told = [_its_price(names[place], offered[place]) for place in order]
    return f"{_with_sources(told, [tellers[place] for place in order], versus)}."


def _is_told(offered: Offered) -> bool:
    return offered.input is not None and offered.output is not None


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
    return offered.input == 0 and offered.output == 0


def _in_and_out(offered: Offered) -> str:
    """`$5.00 in and $30.00 out`, in figures even where one of the two is free: what stands after a verb."""
    return _("%(input)s in and %(output)s out", input=money(offered.input), output=money(offered.output))


def _its_price(name: str, offered: Offered | None) -> str:
    if offered is None:
        return _("%(name)s: price not known", name=name)
    if _is_free(offered):
        return _("%(name)s is listed as free", name=name)
    asked, answered = _both(offered)
    return _("%(name)s: %(input)s in and %(output)s out per 1M tokens", name=name, input=asked, output=answered)


def _with_sources(told: Sequence[str], tellers: Sequence[int | None], versus: Versus) -> str:
    """Each said with its source, or all with the one they share."""
    sources = _said_by(versus, tuple(tellers))
    if _comparable(tuple(tellers)):
        return f"{'; '.join(told)} ({sources[0]})"
    return "; ".join(f"{said} ({source})" if source else said for said, source in zip(told, sources, strict=True))


def _same(known: Sequence[Offered], source: str) -> str:
    two, cost = len(known) == 2, _in_and_out(known[0])
    if _is_free(known[0]):
        if two:
            return _("Both are listed as free (%(source)s).", source=source)
        return _("All are listed as free (%(source)s).", source=source)
    if two:
        return _("Both cost the same, %(price)s per 1M tokens (%(source)s).", price=cost, source=source)
    return _("All cost the same, %(price)s per 1M tokens (%(source)s).", price=cost, source=source)


def _cheaper(known: Sequence[Offered], names: Sequence[str]) -> str:
    """Which of two costs less, or that neither does; nothing of a free one, of which the next sentence says it."""
    cheaper = next((place for place in (0, 1) if _costs_more(known[1 - place], known[place])), None)
    if cheaper is None:
        return _("Neither.")
    return "" if _is_free(known[cheaper]) else f"{names[cheaper]}."


def _of_two(known: Sequence[Offered], names: Sequence[str], source: str) -> str:
    """Which of two costs more, by how much, or that neither does throughout."""
    (one, other), (name, other_name) = known, names
    for it, rival, its, rivals in ((one, other, name, other_name), (other, one, other_name, name)):
        if _is_free(it):
            return _(
                "%(name)s is listed as free; %(other)s costs %(price)s per 1M tokens (%(source)s).",
                name=its,
                other=rivals,
                price=_in_and_out(rival),
                source=source,
            )
        if _costs_more(it, rival) and not _is_free(rival):
            return _(
                "%(name)s costs %(times)s: %(price)s per 1M tokens, against %(input)s and %(output)s (%(source)s).",
                name=its,
                times=_times(it, rival),
                price=_in_and_out(it),
                input=money(rival.input),
                output=money(rival.output),
                source=source,
            )
    return _(
        "%(name)s costs %(price)s per 1M tokens, %(other)s %(other_price)s (%(source)s).",
        name=name,
        price=_in_and_out(one),
        other=other_name,
        other_price=_in_and_out(other),
        source=source,
    )


def _least(known: Sequence[Offered], names: Sequence[str], source: str) -> str:
    """Which of several costs least in and out; nothing where not one does, or two do."""
    low = [place for place, one in enumerate(known) if all(_costs_more(other, one) for other in known)]
    if len(low) != 1:
        return ""
    name, cheapest = names[low[0]], known[low[0]]
    if _is_free(cheapest):
        return _("%(name)s is listed as free (%(source)s).", name=name, source=source)
    return _(
        "%(name)s costs least, %(price)s per 1M tokens (%(source)s).",
        name=name,
        price=_in_and_out(cheapest),
        source=source,
    )


def _costs_more(one: Offered, other: Offered) -> bool:
    """Not less in, not less out."""
    pairs = ((one.input, other.input), (one.output, other.output))
    return all(mine is not None and theirs is not None and mine >= theirs for mine, theirs in pairs)


def _times(one: Offered, other: Offered) -> str:
    """`twice as much`, `3.3 times as much in and 2.5 times as much out`, or `more` where there is no multiple."""
    ratios = [one.input_ratio, one.output_ratio, other.input_ratio, other.output_ratio]
    multiples = [ratio for ratio in ratios if ratio is not None]
    if len(multiples) < 4:
        return pgettext("of a price", "more")
    asked, answered = map(_multiple, multiples[:2])
    return asked if asked == answered else _("%(input)s in and %(output)s out", input=asked, output=answered)


def _multiple(ratio: Decimal) -> str:
    if ratio == 1:
        return pgettext("of a price", "as much")
    if ratio == 2:
        return pgettext("of a price", "twice as much")
    near = rounded(ratio, 1)
    if near == 1:
        return pgettext("of a price", "slightly more")
    number = plain(ratio, 0 if near == near.to_integral_value() else 1)
    return pgettext("of a price", "%(number)s times as much", number=number)


# Context windows in sentences


def context_reason(versus: Versus, names: Sequence[str]) -> str:
    sizes, tellers = _sized(versus)
    known = [size for size in sizes if size]
    if len(names) != 2 or not _comparable(tellers) or max(known) < versus.context_ratio * min(known):
        return ""
    return f"{_larger_context(sizes, names)}."


def context_answer(versus: Versus, names: Sequence[str]) -> str:
    sizes, tellers = _sized(versus)
    sources = _said_by(versus, tellers)
    shown = {tokens(size) for size in sizes if size}
    if not shown:
        return _("No source we carry tells the context window of any of them.")
    if _comparable(tellers) and len(shown) == 1:
        if len(names) == 2:
            return _("Both take %(size)s tokens (%(source)s).", size=shown.pop(), source=sources[0])
        return _("All take %(size)s tokens (%(source)s).", size=shown.pop(), source=sources[0])
    if _comparable(tellers) and len(names) == 2:
        return f"{_larger_context(sizes, names)} ({sources[0]})."
    order = sorted(range(len(names)), key=lambda place: -(sizes[place] or 0))
    told = [_its_context(names[place], sizes[place]) for place in order]
    return f"{_with_sources(told, [tellers[place] for place in order], versus)}."


def _its_context(name: str, size: Decimal | None) -> str:
    if not size:
        return f"{name}: {not_known()}"
    return _("%(name)s: %(size)s tokens", name=name, size=tokens(size))


def _larger_context(sizes: Sequence[Decimal | None], names: Sequence[str]) -> str:
    """Of two, as a sentence without its full stop."""
    large, small = sorted((0, 1), key=lambda place: -(sizes[place] or 0))
    return _(
        "%(name)s has the larger context window, %(size)s tokens against %(other_size)s for %(other)s",
        name=names[large],
        size=tokens(sizes[large]),
        other_size=tokens(sizes[small]),
        other=names[small],
    )
