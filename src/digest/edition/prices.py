"""Price stories of one source: the same fact under several ids is told once."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Literal

from digest.changes.kinds import Change, Kind
from digest.changes.offers import IMPLAUSIBLE_PRICE
from digest.changes.week import SourceWeek
from digest.config.source import Source
from digest.edition.naming import proof_of, shown_name
from digest.edition.section_facts import Money, Priced, PriceList
from digest.scores.snapshot import Offer

Measure = Literal["input", "output", "run_cost", "context"]
What = Literal["new", "changed", "withdrawn"]
Story = tuple[Change, What, tuple[Money, ...]]

_ORDER: tuple[What, ...] = ("changed", "withdrawn", "new")
_MEASURES: dict[str, Measure] = {"input": "input", "output": "output", "context": "context"}
_TOLD = (Kind.PRICE_CHANGED, Kind.PRICE_WITHDRAWN, Kind.CONTEXT_CHANGED)


def price_list(week: SourceWeek, source: Source, on_boards: Collection[str]) -> PriceList | None:
    """Changed, withdrawn and new prices of one source; models that are new on a board first among the new.

    A price that cannot be believed (IMPLAUSIBLE_PRICE) is kept in the database and left out here.
    """
    current, changes = week.state.current, week.changes
    if changes is None or current is None:
        return None
    same: dict[tuple[object, ...], list[Story]] = defaultdict(list)
    for change, what, figures in (*_changed(week), *_new(week)):
        same[what, change.name.model, change.name.effort, figures].append((change, what, figures))
    stories = sorted(same.values(), key=lambda story: _order(story[0], on_boards))
    elsewhere = sum(change.news and change.kind in _TOLD and _measure(change) is None for change in changes.changes)
    if not stories and not elsewhere:
        return None
    return PriceList(
        source=week.state.source,
        title=source.title,
        priced=tuple(
            Priced(
                change=changes.id_of(change),
                what=what,
                name=shown_name(change.name, offer=source.kind == "offers"),
                figures=figures,
                ids=len(story),
            )
            for story in stories
            for change, what, figures in story[:1]
        ),
        folded=0,
        elsewhere=elsewhere,
        current=proof_of(current.capture),
        previous=proof_of(changes.previous) if changes.previous else None,
    )


def _order(story: Story, on_boards: Collection[str]) -> tuple[int, bool, str, str]:
    change, what, _figures = story
    return _ORDER.index(what), change.name.model not in on_boards, change.name.model, change.key


def _changed(week: SourceWeek) -> Iterator[Story]:
    """One story a row and direction, whatever the number of its figures that changed."""
    rows: dict[tuple[str, What], list[Change]] = defaultdict(list)
    for change in week.changes.changes if week.changes else ():
        if change.news and change.kind in _TOLD and _measure(change) is not None:
            rows[change.key, "withdrawn" if change.kind is Kind.PRICE_WITHDRAWN else "changed"].append(change)
    for (_key, what), changed in rows.items():
        yield changed[0], what, tuple(_money(change) for change in changed)


def _measure(change: Change) -> Measure | None:
    return "run_cost" if change.unit == "USD" else _MEASURES.get(change.benchmark or "")


def _money(change: Change) -> Money:
    return Money(
        measure=_measure(change) or "run_cost",
        before=change.before.value if change.before else None,
        after=change.after.value if change.after else None,
    )


def _new(week: SourceWeek) -> Iterator[Story]:
    current = week.state.current
    for change in week.changes.changes if week.changes else ():
        if change.kind is not Kind.MODEL_ADDED or not change.news or current is None:
            continue
        offer = current.offers.get(change.key, Offer())
        both = [current.known(price) for price in (offer.input, offer.output)]
        asked = [price for price in both if price is not None]
        if asked and max(asked) <= IMPLAUSIBLE_PRICE:
            context = current.known(offer.context)
            figures = (
                Money(measure="input", before=None, after=both[0]),
                Money(measure="output", before=None, after=both[1]),
                *([Money(measure="context", before=None, after=context)] if context is not None else []),
            )
            yield change, "new", figures
