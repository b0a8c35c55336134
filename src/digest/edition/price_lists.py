"""The price lists of a week: what two lists say alike is told once, and each list is cut to its length."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from digest.changes.week import SourceWeek
from digest.config.source import Source
from digest.edition.numbers import full
from digest.edition.prices import price_list
from digest.edition.section_facts import Priced, PriceList
from digest.edition.stories import Section, Told, doublings, foremost, value
from digest.edition.story_facts import Edit, Story, StoryKind

_PAID = ("input", "output", "run_cost")
_ORDER = ("changed", "withdrawn", "new", "filled_in")
_KINDS: dict[str, StoryKind] = {
    "new": "price_new",
    "changed": "price_changed",
    "withdrawn": "price_withdrawn",
    "filled_in": "price_filled_in",
}


def price_lists(
    told: Iterable[tuple[SourceWeek, Source]],
    ranks: Mapping[str, int],
    new: Iterable[str],
    most: int,
    edits: Sequence[Edit] = (),
) -> list[Section[PriceList]]:
    """One section a source. `new` are the models that are new on a board, `ranks` the best ranks of all on boards."""
    whole = [found for week, source in told if (found := price_list(week, source, frozenset(new)))]
    return [_cut(prices, ranks, most, edits) for prices in _told_once(whole) if prices.priced or prices.elsewhere]


def _told_once(lists: Sequence[PriceList]) -> list[PriceList]:
    """What a later list says of a model's prices as an earlier one does is left out there, and said here."""
    first: dict[object, int] = {}
    also: dict[object, list[str]] = defaultdict(list)
    own: list[list[Priced]] = []
    for at, prices in enumerate(lists):
        own.append([])
        for priced in prices.priced:
            fact = _fact(priced)
            if fact is not None and first.setdefault(fact, at) < at:
                also[fact].append(prices.title)
            else:
                own[at].append(priced)
    return [
        prices.model_copy(
            update={
                "priced": tuple(
                    priced.model_copy(update={"also_in": tuple(dict.fromkeys(also.get(_fact(priced), ())))})
                    for priced in kept
                )
            }
        )
        for prices, kept in zip(lists, own, strict=True)
    ]


def _fact(priced: Priced) -> object:
    """What an entry says, whoever says it: a model's prices before and after. Sizes are left out: some round them."""
    prices = frozenset((money.measure, money.before, money.after) for money in priced.figures if money.measure in _PAID)
    return (priced.what, priced.name.model, priced.name.effort, prices) if prices else None


def _cut(prices: PriceList, ranks: Mapping[str, int], most: int, edits: Sequence[Edit]) -> Section[PriceList]:
    whole = [Told(priced, _story(prices, priced, ranks)) for priced in prices.priced]
    whole.sort(key=lambda told: (_ORDER.index(told.fact.what), -told.story.value))
    listed, stories = foremost(whole, most, edits)
    shown = prices.model_copy(update={"priced": listed, "folded": len(whole) - len(listed)})
    return Section(shown, stories)


def _story(prices: PriceList, priced: Priced, ranks: Mapping[str, int]) -> Story:
    kind = _KINDS[priced.what]
    changed = (doublings(money.before, money.after) for money in priced.figures if money.measure in _PAID)
    return Story(
        id=priced.change,
        kind=kind,
        section="prices",
        source=prices.source,
        about=full(priced.name),
        value=value(kind, times=max(changed, default=Decimal(0)), rank=ranks.get(priced.name.model)),
    )
