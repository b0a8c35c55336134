"""What an edition has to tell of prices, of sources that disagree and of corrections."""

from collections.abc import Iterator

from digest.edition.content import Edition
from digest.edition.facts import Disagreement
from digest.edition.numbers import capital, counted, day, full, in_words, less_or_more, shown
from digest.edition.points import Point, fit
from digest.edition.price_words import price_sentence
from digest.edition.section_facts import Correction, Priced, PriceList
from digest.edition.source_words import correction_sentence, disagreement_sentence, disputed, of_an_offer, said_by_both
from digest.language import _, ngettext


def price_changes(edition: Edition) -> Iterator[Point]:
    for prices in edition.prices:
        changed = [priced for priced in prices.priced if priced.what == "changed"]
        if changed:
            yield _price_point(prices, changed[0])


def other_prices(edition: Edition) -> Iterator[Point]:
    """The first price entry of a list in which no price changed."""
    for prices in edition.prices:
        if prices.priced and not any(priced.what == "changed" for priced in prices.priced):
            yield _price_point(prices, prices.priced[0])


def _price_point(prices: PriceList, priced: Priced) -> Point:
    source = _("Source: %(source)s, %(day)s.", source=shown(prices.title), day=day(prices.on))
    sentences = [price_sentence(priced), source]
    if priced.what == "changed" and any(figure.measure != "context" for figure in priced.figures):
        sentences.append(_unexplained(priced))
    if more := len(prices.priced) - 1 + prices.folded:
        others = ngettext("%(count)s more price entry.", "%(count)s more price entries.", more, count=in_words(more))
        sentences.append(capital(others))
    said, what = " ".join(sentences), _news(priced, full(priced.name))
    short = fit(priced.name, lambda who: _news(priced, who))
    return Point(short, what, said, f"{what}.", said, "prices", prices.source)


def _unexplained(priced: Priced) -> str:
    """That the source gives no reason, with the directions only in which prices went."""
    prices = [figure for figure in priced.figures if figure.measure != "context"]
    known = [(it.before, it.after) for it in prices if it.before is not None and it.after is not None]
    if len(known) == len(prices) and all(after < before for before, after in known):
        return _("The source does not say whether it is a cut or a fix.")
    if len(known) == len(prices) and all(after > before for before, after in known):
        return _("The source does not say whether it is a rise or a fix.")
    return _("The source does not say whether it is a cut, a rise or a fix.")


def _news(priced: Priced, who: str) -> str:
    """What happened to the prices of a model that is called so."""
    match priced.what:
        case "new":
            return _("%(who)s is priced", who=who)
        case "withdrawn":
            return _("%(who)s loses a price", who=who)
        case "filled_in":
            return _("%(who)s has a price filled in", who=who)
        case "changed":
            return _how_changed(priced, who)


def _how_changed(priced: Priced, who: str) -> str:
    """`at half price` or `costs 25% less` when that is true of every changed price, else `has a new price`."""
    prices = [figure for figure in priced.figures if figure.measure != "context"]
    if not prices:
        return _("%(who)s has another context window", who=who)
    changes = [(it.before, it.after) for it in prices if it.before is not None and it.after is not None]
    ways = {less_or_more(before, after) for before, after in changes}
    if len(ways) != 1 or "" in ways:
        return _("%(who)s has a new price", who=who)
    halved = all(after * 2 == before for before, after in changes)
    if all(it.measure == "run_cost" for it in prices):
        if halved:
            return _("%(who)s costs half to run", who=who)
        return _("%(who)s costs %(way)s to run", who=who, way=ways.pop())
    return _("%(who)s at half price", who=who) if halved else _("%(who)s costs %(way)s", who=who, way=ways.pop())


def disagreements(edition: Edition) -> Iterator[Point]:
    """The first disagreement, where it is about a score: those come before prices and sizes."""
    for disagreement in edition.disagreements[:1]:
        if not of_an_offer(disagreement):
            yield _disagree(disagreement, len(edition.disagreements) + edition.disagreements_folded - 1)


def each_disagreement(edition: Edition) -> Iterator[Point]:
    """A point for each that is listed, whatever it is about."""
    return (_disagree(disagreement, 0) for disagreement in edition.disagreements)


def _disagree(disagreement: Disagreement, more: int) -> Point:
    """Two sources that give a model another score, and how many disagreements there are more."""
    what = _("Two sources disagree on %(who)s", who=full(disagreement.name))
    said = disagreement_sentence(disagreement)
    if more:
        others = ngettext("%(count)s more disagreement.", "%(count)s more disagreements.", more, count=in_words(more))
        said = f"{said} {capital(others)}"
    short = fit(disagreement.name, lambda who: _("%(who)s: two sources disagree", who=who))
    return Point(short, what, said, f"{what}.", said, "disagreements", disagreement.said[0].source)


def offers_disputed(edition: Edition) -> Iterator[Point]:
    """Two lists that differ on prices and sizes, in one line."""
    for disagreement in edition.disagreements[:1]:
        if of_an_offer(disagreement):
            one, other = (shown(said.title, 24) for said in disagreement.said)
            count = len(edition.disagreements) + edition.disagreements_folded
            what = ngettext(
                "Sources differ on %(count)s listed figure",
                "Sources differ on %(count)s listed figures",
                count,
                count=in_words(count),
            )
            detail = _(
                "Among them %(who)s, %(what)s: %(figures)s.",
                who=full(disagreement.name),
                what=disputed(disagreement),
                figures=said_by_both(disagreement),
            )
            short = _("%(one)s and %(other)s disagree", one=one, other=other)
            yield Point(short, what, detail, f"{what}.", detail, "disagreements", disagreement.said[0].source)


def corrections(edition: Edition) -> Iterator[Point]:
    """All figures that were put right or taken back, in one point."""
    for correction in edition.corrections[:1]:
        yield _corrected(correction, len(edition.corrections) + edition.corrections_folded)


def _corrected(correction: Correction, count: int) -> Point:
    what = capital(_corrections(count, in_words(count)))
    said = correction_sentence(correction)
    if count > 1:
        more = ngettext("%(count)s more below.", "%(count)s more below.", count - 1, count=in_words(count - 1))
        said = f"{said} {capital(more)}"
    short = _corrections(count, counted(count))
    return Point(short, what, said, f"{what}.", said, "corrections", correction.source)


def _corrections(number: int, count: str) -> str:
    return ngettext("%(count)s correction", "%(count)s corrections", number, count=count)
