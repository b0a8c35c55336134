"""Which row of a source stands for a model that was asked for."""

import difflib
from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import NamedTuple

from digest.changes.offers import IMPLAUSIBLE_PRICE
from digest.changes.ranking import Standing, leaderboard
from digest.edition.naming import shown_name
from digest.edition.numbers import full, listed, shown
from digest.scores.catalog import ModelName, packaged_catalog, resolve
from digest.scores.snapshot import Offer, Snapshot

_NAMED = 6  # variants that a refusal names


class Wanted(NamedTuple):
    """A model as it was asked for; `exact` where the text is meant as a row's own name, whatever else it may mean."""

    text: str
    name: ModelName
    exact: bool = False


def row_of(wanted: Wanted, snapshot: Snapshot) -> str | None:
    """The row of a source that stands for a model: the best-ranked one, or what its maker asks."""
    keys = _rows_of(wanted, snapshot)
    if len(keys) < 2:
        return keys[0] if keys else None
    if snapshot.lead is None:
        return min(keys, key=lambda key: _plainness(wanted.name, key, snapshot))
    return by_rank(keys, snapshot)[0]


def _rows_of(wanted: Wanted, snapshot: Snapshot) -> list[str]:
    rows, name = snapshot.rows, wanted.name
    particular = wanted.exact or bool(name.variant) or name.host is not None
    exact = [
        key
        for key, row in rows.items()
        if (wanted.text == row.raw and particular) or (wanted.text == key and (particular or key != row.raw))
    ]
    if exact:
        return exact
    alike = {
        key: other
        for key, row in rows.items()
        if same_model(other := resolve(row.raw), name) or other.title.casefold() == wanted.text.casefold()
    }
    stated = name.variant.items()
    if snapshot.lead is None or not stated:  # a price list asks for a model, not for an effort
        return list(alike)
    same = [key for key, other in alike.items() if other.identity == name.identity]
    return same or [key for key, other in alike.items() if stated <= other.variant.items()]


def same_model(one: ModelName, other: ModelName) -> bool:
    return (one.model, one.pair) == (other.model, other.pair)


def by_rank(keys: Iterable[str], snapshot: Snapshot) -> list[str]:
    """The best-ranked first, then those that are not ranked, the most measured first."""
    places = {standing.key: place for place, standing in enumerate(standings_of(snapshot))}
    measured = {key: sum(key in column for column in snapshot.scores.values()) for key in keys}
    return sorted(keys, key=lambda key: (places.get(key, len(places)), -measured[key], key))


def standings_of(snapshot: Snapshot) -> tuple[Standing, ...]:
    return leaderboard(snapshot, snapshot.lead) if snapshot.lead else ()


def _plainness(name: ModelName, key: str, snapshot: Snapshot) -> tuple[object, ...]:
    """Orders the offers of a model: one with a price, of its maker, without a date or a place of its own, the cheapest;
    last what is no list price, a free tier or the price of a fine-tune."""
    offer, row = snapshot.offers.get(key, Offer()), resolve(snapshot.rows[key].raw)
    catalog = packaged_catalog()
    about = catalog.models.get(name.model)
    hosts = {catalog.makers.get(place.strip().lower()) for place in (offer.host or "").split(";")}
    special = any(part in (row.host or "") for part in ("tier ", "fine-tune", "precision "))
    prices = [told_price(snapshot, price) for price in (offer.output, offer.input)]
    return (
        prices == [None, None],
        special,
        about is None or about.organisation not in hosts,
        row.host is not None,
        row.date != name.date,
        row.variant != name.variant,
        [price if price is not None else IMPLAUSIBLE_PRICE for price in prices],
        key,
    )


def is_known(wanted: Wanted, snapshots: Collection[Snapshot]) -> bool:
    """Whether a source has a row for it: for a variant a board, where any board has the model."""
    boards = [snapshot for snapshot in snapshots if snapshot.lead is not None]
    if wanted.name.variant and _named_as(wanted, boards):
        return any(row_of(wanted, snapshot) for snapshot in boards)
    return any(row_of(wanted, snapshot) for snapshot in snapshots)


def _named_as(wanted: Wanted, snapshots: Iterable[Snapshot]) -> list[str]:
    """The rows of the model, whatever their variant, by their full names."""
    names = [resolve(row.raw) for snapshot in snapshots for row in snapshot.rows.values()]
    return list(dict.fromkeys(full(shown_name(name)) for name in names if same_model(name, wanted.name)))


def unknown(wanted: Wanted, snapshots: Collection[Snapshot]) -> str:
    """The sentence for a model that no source has, with the variants there are or the nearest names."""
    start = f'no source has "{shown(wanted.text)}"'
    there = _named_as(wanted, [snapshot for snapshot in snapshots if snapshot.lead is not None])
    if there:
        return f"{start}, but {listed(there[:_NAMED], len(there[_NAMED:]))}; name one of them, or the model alone."
    names = [resolve(row.raw) for snapshot in snapshots for row in snapshot.rows.values()]
    known = {spelling.lower(): spelling for name in names for spelling in (name.title, name.model, name.raw)}
    typed = wanted.text.strip().lower()[:100]
    longer = sorted(name for name in known if typed and name.startswith((f"{typed}-", f"{typed} ", f"{typed}.")))
    near = difflib.get_close_matches(typed, [name for name in known if len(name) <= 100], 5, 0.5)
    titles = list(dict.fromkeys(shown(known[name]) for name in [*longer, *near]))[:3]
    if not titles:
        return f"{start}; `digest leaderboard` and `digest resolve NAME` show how models are named."
    return f"{start}; the nearest {'is' if len(titles) == 1 else 'are'} {listed(titles)}."


def told_price(snapshot: Snapshot, price: Decimal | None) -> Decimal | None:
    """A price that is told: one that cannot be believed is not."""
    known = snapshot.known(price)
    return known if known is not None and 0 <= known <= IMPLAUSIBLE_PRICE else None
