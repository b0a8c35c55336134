"""Prices and sizes, field by field; the same fact under several ids is told once."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from digest.changes.identity import Match, Matching
from digest.changes.kinds import Change, Figure, Kind, Memory, Reason
from digest.changes.noise import written_alike
from digest.scores.catalog import resolve
from digest.scores.snapshot import Offer, Snapshot

IMPLAUSIBLE_PRICE = Decimal(1000)
"""USD per million tokens above which a price is taken for a slip of units: kept, and never told as news."""

IMPLAUSIBLE_STEP = 1000
"""A price or size so many times larger or smaller than a week before is taken for a slip of units as well."""

SAME_SIZE_PERCENT = 5
"""Sizes no further apart are one size, written in thousands or in units of 1,024."""

MONEY = "USD per 1M tokens"
OFFER_UNITS = {"input": MONEY, "output": MONEY, "context": "tokens", "max_output": "tokens"}
"""The fields of an offer that are compared, with their units. Its details are prices as well."""

_NOTHING = Offer()
_TIER = re.compile(r"(?P<of>.+) above (?P<size>\d+)(?P<unit>[KM]?)", re.ASCII)


class _Field(NamedTuple):
    """One field of one row's offer that differs."""

    match: Match
    name: str
    unit: str
    old: Decimal | None
    new: Decimal | None


def offer_changes(previous: Snapshot, current: Snapshot, matching: Matching, memory: Memory) -> Iterator[Change]:
    """Every price or size that differs. One that moved as the row's own base price did is the same fact, and so is one
    that was told as news under another id."""
    if not (previous.offers or current.offers):
        return
    told: set[tuple[object, ...]] = set()
    for match in sorted(matching.matches, key=_plainness):
        moved: dict[str, _Field] = {}  # the row's own prices that were told, here or under another id
        for field in _fields(match, previous, current):
            change = _change(field, current, memory)
            name = change.name
            fact = (name.model, name.pair, name.effort, name.thinking, field.name, field.old, field.new)
            if change.news and (fact in told or _follows(field, moved.get(_base(field.name)))):
                change = replace(change, reason=Reason.SAME_FACT, news=False)
            if change.news:
                told.add(fact)
            if change.news or change.reason is Reason.SAME_FACT:
                moved[field.name] = field
            yield change


def _plainness(match: Match) -> tuple[bool, int, str]:
    return resolve(match.after.raw).host is not None, len(match.after.raw), match.after.key


def _fields(match: Match, previous: Snapshot, current: Snapshot) -> Iterator[_Field]:
    before = previous.offers.get(match.before.key, _NOTHING)
    after = current.offers.get(match.after.key, _NOTHING)
    if before == after:
        return
    for name, unit in OFFER_UNITS.items():
        old, new = previous.known(getattr(before, name)), current.known(getattr(after, name))
        if old != new:
            yield _Field(match, name, unit, old, new)
    if before.details != after.details:
        for name in sorted({name for name, _price in (*before.details, *after.details)}):
            old, new = previous.known(_in_force(name, before)), current.known(_in_force(name, after))
            if old != new:
                yield _Field(match, name, MONEY, old, new)


def _in_force(detail: str, offer: Offer) -> Decimal | None:
    """A further price by its name. Of a tier that is not there, what holds instead: the tier below it, or the base."""
    prices = dict(offer.details)
    asked = _TIER.fullmatch(detail)
    if detail in prices or asked is None:
        return prices.get(detail)
    below = [
        (_size(tier), price)
        for name, price in offer.details
        if (tier := _TIER.fullmatch(name)) and tier["of"] == asked["of"] and _size(tier) < _size(asked)
    ]
    if below:
        return max(below)[1]
    base = asked["of"]
    return getattr(offer, base) if base in ("input", "output") else prices.get(base)


def _size(tier: re.Match[str]) -> int:
    return int(tier["size"]) * {"": 1, "K": 1_000, "M": 1_000_000}[tier["unit"]]


def _base(detail: str) -> str:
    """The price of an offer that a further price goes with: `cached input above 200K` with `input`."""
    return next((word for word in ("input", "output") if word in detail.split()), "")


def _follows(field: _Field, base: _Field | None) -> bool:
    """Whether a further price only moved with its base: in the same ratio, but for rounding, or to the same price."""
    if base is None or base.name == field.name:
        return False
    old, new, was, now = (price or Decimal(0) for price in (field.old, field.new, base.old, base.new))
    if not (old and new and was and now):
        return False
    apart = abs(new * was - old * now)  # from new = old * now / was, and from the same on the way back
    return new == now or apart <= max(_rounding(new) * was, _rounding(old) * now)


def _rounding(price: Decimal) -> Decimal:
    """Half of the last digit that a price is written with, which is a cent at least."""
    exponent = price.normalize().as_tuple().exponent
    return Decimal(5).scaleb(min(int(exponent), -2) - 1)


def _change(field: _Field, current: Snapshot, memory: Memory) -> Change:
    kind, reason, news = _judge(field, memory)
    return Change(
        kind=kind,
        reason=reason,
        news=news,
        source=current.capture.source,
        key=field.match.after.key,
        name=resolve(field.match.after.raw),
        benchmark=field.name,
        unit=field.unit,
        before=Figure(field.old),
        after=Figure(field.new),
    )


def _judge(field: _Field, memory: Memory) -> tuple[Kind, Reason, bool]:
    money = field.unit == MONEY
    if field.new is None:
        return Kind.PRICE_WITHDRAWN if money else Kind.CONTEXT_CHANGED, Reason.VALUE_WITHDRAWN, False
    if field.old is None:
        return Kind.PRICE_FILLED_IN if money else Kind.CONTEXT_CHANGED, Reason.FILLED_IN, False
    kind = Kind.PRICE_CHANGED if money else Kind.CONTEXT_CHANGED
    if memory.had(field.match.after.key, field.name, field.new):
        return kind, Reason.FLIP_FLOP, False
    if not money and abs(field.old - field.new) * 100 <= SAME_SIZE_PERCENT * max(field.old, field.new):
        return kind, Reason.BELOW_THRESHOLD, False
    if not money and 0 < min(field.old, field.new) * IMPLAUSIBLE_STEP <= max(field.old, field.new):
        return kind, Reason.IMPLAUSIBLE, False
    if not money:
        return kind, Reason.BEYOND_THRESHOLD, True
    if max(field.old, field.new) > IMPLAUSIBLE_PRICE:
        return kind, Reason.IMPLAUSIBLE, False
    return kind, *judge_money(field.old, field.new)


def judge_money(old: Decimal, new: Decimal) -> tuple[Reason, bool]:
    """Why an amount that differs is news or not: a slip of units, written by another program, or another price."""
    low, high = sorted((old, new))
    if 0 < low * IMPLAUSIBLE_STEP <= high:
        return Reason.IMPLAUSIBLE, False
    if written_alike(old, new):
        return Reason.BELOW_THRESHOLD, False
    return Reason.PRICE, True
