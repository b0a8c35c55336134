"""Prices and sizes, field by field; the same fact under several ids is told once."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from digest.changes.identity import Match, Matching
from digest.changes.kinds import Change, Figure, Kind, Memory, Reason
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


class _Field(NamedTuple):
    """One field of one row's offer that differs."""

    match: Match
    name: str
    unit: str
    old: Decimal | None
    new: Decimal | None


def offer_changes(previous: Snapshot, current: Snapshot, matching: Matching, memory: Memory) -> Iterator[Change]:
    """Every price or size that differs. A price of a tier that moved with the row's own is the same fact."""
    if not (previous.offers or current.offers):
        return
    told: set[tuple[object, ...]] = set()
    for match in sorted(matching.matches, key=_plainness):
        before = previous.offers.get(match.before.key, _NOTHING)
        after = current.offers.get(match.after.key, _NOTHING)
        if before == after:
            continue
        base_moved = (before.input, before.output) != (after.input, after.output)
        for field in _fields(match, before, after):
            change = _change(field, current, memory)
            name = change.name
            fact = (name.model, name.pair, name.effort, name.thinking, field.name, field.old, field.new)
            if change.news and (fact in told or (base_moved and field.name not in OFFER_UNITS)):
                change = replace(change, reason=Reason.SAME_FACT, news=False)
            told.add(fact)
            yield change


def _plainness(match: Match) -> tuple[bool, int, str]:
    return resolve(match.after.raw).host is not None, len(match.after.raw), match.after.key


def _fields(match: Match, before: Offer, after: Offer) -> Iterator[_Field]:
    for name, unit in OFFER_UNITS.items():
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield _Field(match, name, unit, _decimal(old), _decimal(new))
    if before.details != after.details:
        was, now = dict(before.details), dict(after.details)
        for name in sorted(was.keys() | now.keys()):
            old, new = was.get(name), now.get(name, _base_of(name, after))
            if old != new:
                yield _Field(match, name, MONEY, old, new)


def _base_of(detail: str, offer: Offer) -> Decimal | None:
    """The price that holds where a tier of it is no longer there."""
    word = detail.split(" ")[0]
    return getattr(offer, word) if word in ("input", "output") else None


def _decimal(value: Decimal | int | None) -> Decimal | None:
    return None if value is None else Decimal(value)


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
    low, high = sorted((field.old, field.new))
    if high > IMPLAUSIBLE_PRICE or 0 < low * IMPLAUSIBLE_STEP <= high:
        return kind, Reason.IMPLAUSIBLE, False
    if (high - low) * 1_000_000 <= high:  # written by another program, not asked by another price
        return kind, Reason.BELOW_THRESHOLD, False
    return kind, Reason.PRICE, True
