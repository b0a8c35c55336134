"""(price facts) -> words: the cells, notes and sentences of price lists."""

from digest.edition.content import Money, Priced, PriceList
from digest.edition.numbers import (
    Cell,
    arrow,
    capital,
    day,
    less_or_more,
    listed,
    money,
    several,
    shown,
    tokens,
)
from digest.edition.wording import not_listed

_MEASURES = {"input": "Input", "output": "Output", "run_cost": "Run cost"}


def prices_folded(prices: PriceList) -> str:
    """What is not in the table: further entries, and prices that have no column."""
    elsewhere = several(prices.elsewhere, "change") + " of tier and cache prices and answer sizes"
    is_not = f"{elsewhere} {'is' if prices.elsewhere == 1 else 'are'} not listed here." if prices.elsewhere else ""
    return f"{not_listed(prices.folded, 'price entry')} {is_not}".strip()


def price_columns(prices: PriceList) -> list[tuple[str, str]]:
    """The measures that the list tells, each with its column's head. A context window is told below the name."""
    told = {figure.measure for priced in prices.priced for figure in priced.figures}
    pair = told & {"input", "output"} and {"input", "output"}  # in and out are always named together
    return [(measure, head) for measure, head in _MEASURES.items() if measure in told or measure in pair]


def prices_note(prices: PriceList) -> str:
    columns = {measure for measure, _ in price_columns(prices)}
    units = [
        unit
        for unit, told in (
            ("USD per 1M tokens", bool(columns & {"input", "output"})),
            ("run cost in USD for a whole benchmark run", "run_cost" in columns),
        )
        if told
    ]
    source = f"{shown(prices.title)} as of {day(prices.on)}."
    return capital(f"{', '.join(units)}, from {source}" if units else f"from {source}")


def price_cell(priced: Priced, measure: str) -> Cell:
    if priced.figures and all(figure.measure == "context" for figure in priced.figures):
        return Cell("")  # only a size changed, which is told below the name
    figure = next((figure for figure in priced.figures if figure.measure == measure), None)
    if figure is None:
        return Cell("not known" if priced.what == "new" else "no change")
    if figure.after is None:
        return Cell("withdrawn", was=f"was {money(figure.before)}") if figure.before is not None else Cell("not known")
    if figure.before is None or figure.before == figure.after:
        return Cell(money(figure.after))
    way = less_or_more(figure.before, figure.after)
    falls = figure.after < figure.before
    shift = f"{arrow(not falls)} {way or ('less' if falls else 'more')}"
    return Cell(money(figure.after), shift, "good" if falls else "bad", f"was {money(figure.before)}")


_WHAT = {"new": "new", "changed": "", "withdrawn": "", "filled_in": "filled in, not changed"}


def price_note(priced: Priced) -> str:
    """What happened, the context window, and how many ids say the same."""
    context = next((figure for figure in priced.figures if figure.measure == "context"), None)
    same = f"the same under {priced.ids} ids" if priced.ids > 1 else ""
    also = f"the same price on {listed([shown(title) for title in priced.also_in])}" if priced.also_in else ""
    parts = (_WHAT[priced.what], context_words(context) if context else "", same, also)
    return ", ".join(part for part in parts if part)


def context_words(context: Money) -> str:
    if context.after is None:
        return "context not known" if context.before is None else f"context withdrawn, was {tokens(context.before)}"
    if context.before is None or context.before == context.after:
        return f"{tokens(context.after)} tokens of context"
    return f"context {tokens(context.after)} tokens, was {tokens(context.before)}"


def price_sentence(priced: Priced) -> str:
    """`$60.00 to $30.00 in, $360.00 to $180.00 out per 1M tokens.`"""
    names = {"input": "in", "output": "out"}
    per_token = [f"{_was_and_is(f)} {names[f.measure]}" for f in priced.figures if f.measure in names]
    whole = [f"{_was_and_is(f)} for a whole run" for f in priced.figures if f.measure == "run_cost"]
    told = (
        [f"{' and '.join(per_token) if len(per_token) < 3 else ', '.join(per_token)} per 1M tokens"]
        if per_token
        else []
    )
    context = [context_words(f) for f in priced.figures if f.measure == "context"]
    return f"{capital(', '.join([*told, *whole, *context]))}."


def _was_and_is(figure: Money) -> str:
    if figure.before is None or figure.before == figure.after:
        return money(figure.after)
    return f"{money(figure.before)} to {money(figure.after)}" if figure.after is not None else "no price any more"
