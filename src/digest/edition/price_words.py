"""(price facts) -> words: the cells, notes and sentences of price lists."""

from digest.edition.numbers import (
    Cell,
    arrow,
    capital,
    day,
    less_or_more,
    listed,
    money,
    not_known,
    shown,
    tokens,
)
from digest.edition.section_facts import Money, Priced, PriceList
from digest.edition.wording import not_listed
from digest.language import N_, _, ngettext, pgettext

_MEASURES = {"input": N_("Input"), "output": N_("Output"), "run_cost": N_("Run cost")}


def prices_folded(prices: PriceList) -> str:
    """What is not in the table: further entries, and prices that have no column."""
    elsewhere = ngettext(
        "%(count)s change of tier and cache prices and answer sizes is not listed here.",
        "%(count)s changes of tier and cache prices and answer sizes are not listed here.",
        prices.elsewhere,
    )
    return f"{not_listed(prices.folded, 'price entry')} {elsewhere if prices.elsewhere else ''}".strip()


def price_columns(prices: PriceList) -> list[tuple[str, str]]:
    """The measures that the list tells, each with its column's head. A context window is told below the name."""
    told = {figure.measure for priced in prices.priced for figure in priced.figures}
    pair = told & {"input", "output"} and {"input", "output"}  # in and out are always named together
    return [(measure, _(head)) for measure, head in _MEASURES.items() if measure in told or measure in pair]


def prices_note(prices: PriceList) -> str:
    columns = {measure for measure, _head in price_columns(prices)}
    units = [
        *([_("USD per 1M tokens")] if columns & {"input", "output"} else []),
        *([_("run cost in USD for a whole benchmark run")] if "run_cost" in columns else []),
    ]
    source, on = shown(prices.title), day(prices.on)
    if not units:
        return _("From %(source)s as of %(day)s.", source=source, day=on)
    return capital(_("%(units)s, from %(source)s as of %(day)s.", units=", ".join(units), source=source, day=on))


def price_cell(priced: Priced, measure: str) -> Cell:
    if priced.figures and all(figure.measure == "context" for figure in priced.figures):
        return Cell("")  # only a size changed, which is told below the name
    figure = next((figure for figure in priced.figures if figure.measure == measure), None)
    if figure is None:
        return Cell(not_known() if priced.what == "new" else _("no change"))
    was = _("was %(figure)s", figure=money(figure.before))
    if figure.after is None:
        return Cell(_("withdrawn"), was=was) if figure.before is not None else Cell(not_known())
    if figure.before is None or figure.before == figure.after:
        return Cell(money(figure.after))
    falls = figure.after < figure.before
    unmeasured = pgettext("of a price", "less") if falls else pgettext("of a price", "more")
    way = less_or_more(figure.before, figure.after) or unmeasured
    return Cell(money(figure.after), f"{arrow(not falls)} {way}", "good" if falls else "bad", was)


def price_note(priced: Priced) -> str:
    """What happened, the context window, and how many ids say the same."""
    context = next((figure for figure in priced.figures if figure.measure == "context"), None)
    parts = (
        _what(priced),
        context_words(context) if context else "",
        _("the same under %(count)s ids", count=priced.ids) if priced.ids > 1 else "",
        _("the same price on %(lists)s", lists=listed(list(map(shown, priced.also_in)))) if priced.also_in else "",
    )
    return ", ".join(part for part in parts if part)


def _what(priced: Priced) -> str:
    match priced.what:
        case "new":
            return pgettext("price", "new")
        case "filled_in":
            return pgettext("price", "filled in, not changed")
    return ""


def context_words(context: Money) -> str:
    if context.after is None and context.before is None:
        return _("context not known")
    if context.after is None:
        return _("context withdrawn, was %(before)s", before=tokens(context.before))
    if context.before is None or context.before == context.after:
        return _("%(now)s tokens of context", now=tokens(context.after))
    return _("context %(now)s tokens, was %(before)s", now=tokens(context.after), before=tokens(context.before))


def price_sentence(priced: Priced) -> str:
    """`$60.00 to $30.00 in and $360.00 to $180.00 out per 1M tokens.`"""
    per_token = [_in_or_out(figure) for figure in priced.figures if figure.measure in ("input", "output")]
    told = [
        *([_("%(prices)s per 1M tokens", prices=listed(per_token))] if per_token else []),
        *(_("%(price)s for a whole run", price=_was_and_is(it)) for it in priced.figures if it.measure == "run_cost"),
        *(context_words(figure) for figure in priced.figures if figure.measure == "context"),
    ]
    return f"{capital(', '.join(told))}."


def _in_or_out(figure: Money) -> str:
    price = _was_and_is(figure)
    return _("%(price)s in", price=price) if figure.measure == "input" else _("%(price)s out", price=price)


def _was_and_is(figure: Money) -> str:
    if figure.before is None or figure.before == figure.after:
        return money(figure.after)
    if figure.after is None:
        return _("no price any more")
    return pgettext("price", "%(before)s to %(after)s", before=money(figure.before), after=money(figure.after))
