"""What an edition has to tell of prices, of sources that disagree and of corrections."""

from collections.abc import Iterator

from digest.edition.content import Edition, Priced, PriceList
from digest.edition.numbers import capital, day, full, less_or_more, several, shown
from digest.edition.points import Point, fit
from digest.edition.price_words import price_sentence
from digest.edition.wording import (
    correction_sentence,
    disagreement_sentence,
    disputed,
    of_an_offer,
    said_by_both,
)


def price_changes(edition: Edition) -> Iterator[Point]:
    for prices in edition.prices:
        changed = [priced for priced in prices.priced if priced.what == "changed"]
        if changed:
            yield _price_point(prices, changed[0], _how_changed(changed[0]))


def other_prices(edition: Edition) -> Iterator[Point]:
    """The first price entry of a list in which no price changed."""
    for prices in edition.prices:
        if prices.priced and not any(priced.what == "changed" for priced in prices.priced):
            first = prices.priced[0]
            news = {"new": "is priced", "withdrawn": "loses a price", "filled_in": "has a price filled in"}
            yield _price_point(prices, first, news.get(first.what, "has a new price"))


def _price_point(prices: PriceList, priced: Priced, news: str) -> Point:
    who = full(priced.name)
    more = len(prices.priced) - 1 + prices.folded
    others = f" {capital(several(more, 'more price entry', words=True))}." if more else ""
    said = f"{price_sentence(priced)} Source: {shown(prices.title)}, {day(prices.on)}."
    if priced.what == "changed" and any(figure.measure != "context" for figure in priced.figures):
        said += " The source does not say whether it is a cut, a rise or a fix."
    said += others
    return Point(fit(priced.name, f" {news}"), f"{who} {news}", said, f"{who} {news}.", said, "prices", prices.source)


def _how_changed(priced: Priced) -> str:
    """`at half price` or `costs 25% less` when that is true of every changed price, else `has new prices`."""
    ways = {
        less_or_more(money.before, money.after)
        for money in priced.figures
        if money.measure != "context" and money.before is not None and money.after is not None
    }
    way = ways.pop() if len(ways) == 1 else ""
    if not any(money.measure != "context" for money in priced.figures):
        return "has another context window"
    if all(money.measure == "run_cost" for money in priced.figures) and way:
        return "costs half to run" if way == "half" else f"costs {way} to run"
    return "at half price" if way == "half" else f"costs {way}" if way else "has a new price"


def disagreements(edition: Edition) -> Iterator[Point]:
    """The first disagreement, where it is about a score: those come before prices and sizes."""
    for disagreement in edition.disagreements[:1]:
        if of_an_offer(disagreement):
            return
        who, said = full(disagreement.name), disagreement_sentence(disagreement)
        more = len(edition.disagreements) + edition.disagreements_folded - 1
        others = f" {capital(several(more, 'more disagreement', words=True))}." if more else ""
        yield Point(
            short=fit(disagreement.name, ": two sources disagree"),
            headline=f"Two sources disagree on {who}",
            lead=f"{said}{others}",
            brief=f"Two sources disagree on {who}.",
            detail=f"{said}{others}",
            section="disagreements",
            source=disagreement.said[0].source,
        )


def offers_disputed(edition: Edition) -> Iterator[Point]:
    """Two lists that differ on prices and sizes, in one line."""
    for disagreement in edition.disagreements[:1]:
        if of_an_offer(disagreement):
            one, other = (shown(said.title, 24) for said in disagreement.said)
            count = len(edition.disagreements) + edition.disagreements_folded
            what = f"Sources differ on {several(count, 'listed figure', words=True)}"
            detail = f"Among them {full(disagreement.name)}, {disputed(disagreement)}: {said_by_both(disagreement)}."
            source = disagreement.said[0].source
            yield Point(f"{one} and {other} disagree", what, detail, f"{what}.", detail, "disagreements", source)


def corrections(edition: Edition) -> Iterator[Point]:
    """All figures that were put right or taken back, in one point."""
    for correction in edition.corrections[:1]:
        count = len(edition.corrections) + edition.corrections_folded
        what = several(count, "correction", words=True)
        more = f" {capital(several(count - 1, 'more', words=True)).removesuffix('s')} below." if count > 1 else ""
        said = f"{correction_sentence(correction)}{more}"
        yield Point(
            short=several(count, "correction"),
            headline=capital(what),
            lead=said,
            brief=f"{capital(what)}.",
            detail=said,
            section="corrections",
            source=correction.source,
        )
