"""Score against price: what each model of a board scores and costs, and which of them nothing beats on both."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from digest.edition.compared import either
from digest.edition.content import Edition
from digest.edition.naming import shown_unit
from digest.edition.numbers import benchmark_name, day, money, shown
from digest.edition.numbers import score as shown_score
from digest.edition.section_facts import Board
from digest.edition.standings import PRICE
from digest.edition.watch_facts import Held, Level, Measure, Standings
from digest.edition.wording import measure
from digest.language import _, ngettext

_NAMED = 3
_TOLD = 12
_ROOM = 120


class Spot(NamedTuple):
    """One model: its best score on the board, in the board's unit, and its lowest price on the list, in USD per 1M
    tokens. `unbeaten` says that no other spot is better in one and at least as good in the other."""

    model: str
    title: str
    score: Decimal
    price: Decimal
    unbeaten: bool


class ScoreByPrice(NamedTuple):
    """A board's models by score and price, the cheapest first and of one price the best first.

    `where` names board and benchmark, `prices` the list; `scored_on` and `priced_on` are the days of their captures.
    `price_unit` says of which tokens a price is. `unpriced` counts the models of the board without a price.
    """

    where: str
    benchmark: str
    unit: str
    higher_is_better: bool
    scored_on: date
    prices: str
    price_unit: str
    priced_on: date | None
    spots: tuple[Spot, ...]
    unpriced: int

    @property
    def unbeaten(self) -> tuple[Spot, ...]:
        """The frontier, the cheapest first."""
        return tuple(spot for spot in self.spots if spot.unbeaten)


def score_by_price(edition: Edition, source: str) -> ScoreByPrice | None:
    """The models of a board at the prices of the one list that knows most of them, the first list of equals.

    None where the edition has no such board, or no model of it has a price.
    """
    board = next((board for board in edition.boards if board.source == source), None)
    standings = edition.standings
    if board is None or standings is None:
        return None
    scores = _levels(standings, _column(standings, board))
    lists = [place for place, about in enumerate(standings.measures) if about.benchmark == PRICE]
    known = [_levels(standings, place) for place in lists]
    counts = [len(scores.keys() & prices.keys()) for prices in known]
    if not any(counts):
        return None
    chosen = counts.index(max(counts))
    about, prices = standings.measures[lists[chosen]], known[chosen]
    both = {model: (scores[model], prices[model]) for model in scores.keys() & prices.keys()}
    return ScoreByPrice(
        where=measure(board),
        benchmark=board.benchmark,
        unit=board.unit,
        higher_is_better=board.higher_is_better,
        scored_on=board.current.on,
        prices=about.title,
        price_unit=about.unit,
        priced_on=_captured(edition, about),
        spots=tuple(_spots(both.items(), 1 if board.higher_is_better else -1)),
        unpriced=len(scores) - len(both),
    )


def _column(standings: Standings, board: Board) -> int | None:
    """The place of a board's lead among the measures."""
    of_board = (
        place
        for place, about in enumerate(standings.measures)
        if (about.source, about.benchmark) == (board.source, board.benchmark)
    )
    return next(of_board, None)


def _levels(standings: Standings, column: int | None) -> dict[tuple[str, str], Decimal]:
    """What models hold now on one measure, by id and title. A price that is not above zero is none."""
    priced = column is not None and standings.measures[column].benchmark == PRICE
    return {
        (held.model, held.title): level.now
        for held, level in _all(standings.models)
        if level.measure == column and level.now is not None and (level.now > 0 or not priced)
    }


def _all(models: Iterable[Held]) -> Iterator[tuple[Held, Level]]:
    return ((held, level) for held in models for level in held.levels)


def _captured(edition: Edition, about: Measure) -> date | None:
    proofs = (health.current for health in edition.health if health.source == about.source)
    return next((proof.on for proof in proofs if proof), None)


def _spots(both: Iterable[tuple[tuple[str, str], tuple[Decimal, Decimal]]], sign: int) -> Iterator[Spot]:
    """In order of price; a spot is beaten by one that costs no more and scores better, or costs less for its score."""
    best: Spot | None = None
    for (model, title), (score, price) in sorted(both, key=lambda it: (it[1][1], -sign * it[1][0], it[0])):
        ahead = best is None or sign * (score - best.score) > 0 or (score, price) == (best.score, best.price)
        spot = Spot(model, title, score, price, ahead)
        best = spot if ahead else best
        yield spot


# In words


def finding(facts: ScoreByPrice) -> str:
    """`Nothing is both cheaper and better than gpt-5.5, kimi-k2.6 or gpt-5.4 on LiveBench overall`."""
    names = [shown(spot.title) for spot in reversed(facts.unbeaten)]
    where = shown(facts.where, _ROOM)
    if len(facts.spots) == 1:
        return _("Only %(name)s has both a score on %(where)s and a known price", name=names[0], where=where)
    some, more = names[:_NAMED], len(names[_NAMED:])
    rest = [ngettext("%(count)s more", "%(count)s more", more)] if more else []
    return _(
        "Nothing is both cheaper and better than %(names)s on %(where)s", names=either([*some, *rest]), where=where
    )


def told(facts: ScoreByPrice) -> str:
    """What the picture shows: how many models, where both figures are from, and what nothing beats, the best first."""
    prices = shown(facts.prices)
    if facts.priced_on:
        prices = _("%(list)s of %(day)s", list=prices, day=day(facts.priced_on))
    sentences = [
        ngettext(
            "%(count)s model by %(benchmark)s, captured %(day)s, and price in %(unit)s, %(list)s.",
            "%(count)s models by %(benchmark)s, captured %(day)s, and price in %(unit)s, %(list)s.",
            len(facts.spots),
            benchmark=benchmark_name(facts.benchmark),
            day=day(facts.scored_on),
            unit=shown_unit(facts.price_unit),
            list=prices,
        )
    ]
    if facts.unpriced:
        sentences.append(
            ngettext(
                "%(count)s model without a known price left out.",
                "%(count)s models without a known price left out.",
                facts.unpriced,
            )
        )
    if not facts.higher_is_better:
        sentences.append(_("Lower scores are better."))
    sentences.append(_("Not beaten on both: %(models)s.", models="; ".join(_best(facts))))
    return " ".join(sentences)


def _best(facts: ScoreByPrice) -> list[str]:
    """What nothing beats, the best first, and how many more than are named."""
    best = [
        _(
            "%(name)s %(score)s at %(price)s",
            name=shown(spot.title),
            score=shown_score(spot.score, facts.unit),
            price=money(spot.price),
        )
        for spot in reversed(facts.unbeaten)
    ]
    more = len(best[_TOLD:])
    return [*best[:_TOLD], *([ngettext("%(count)s other", "%(count)s others", more)] if more else [])]
