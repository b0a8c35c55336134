"""Receipts: where each figure of an edition comes from, in both weeks.

A fact that tells a change names it by the change's id; a fact that tells a figure names it by `figure_id`. Whoever has
such an id finds its receipt in the edition.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from digest.changes.kinds import Change
from digest.changes.offers import OFFER_UNITS
from digest.changes.week import SourceWeek, WeekChanges
from digest.config.source import Source
from digest.edition.content import Captured, Receipt
from digest.scores.snapshot import Capture, Offer, Snapshot

_IDS = frozenset({"change", "receipt", "receipts"})
"""The fields of facts that hold the id of a receipt, or several."""


def figure_id(capture: Capture, key: str, measure: str) -> str:
    """A stable id of one figure: of a row's score on a benchmark, or of a field of its offer, in one capture."""
    parts = ("figure", capture.source, capture.sha256, key, measure)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def receipts(told: BaseModel, changes: WeekChanges, sources: Mapping[str, Source]) -> tuple[Receipt, ...]:
    """The receipts of all figures and changes that the facts name, in the order of their ids."""
    return receipts_of(set(ids_of(told)), changes, sources)


def receipts_of(wanted: Collection[str], changes: WeekChanges, sources: Mapping[str, Source]) -> tuple[Receipt, ...]:
    """The receipts of these ids, in their order; one that the week does not know has none."""
    found: dict[str, Receipt] = {}
    for week in changes.sources:
        source = sources[week.state.source]
        found |= {receipt.id: receipt for receipt in _of_figures(week, source, wanted)}
        found |= {receipt.id: receipt for receipt in _of_changes(week, source, wanted)}
    for change in changes.disagreements:
        id_ = changes.id_of_disagreement(change)
        if id_ in wanted:
            week = next(it for it in changes.sources if it.state.source == change.source)
            found[id_] = _receipt(id_, week, sources[change.source], change.key, change.benchmark or "")
    return tuple(found[id_] for id_ in sorted(found))


def ids_of(told: BaseModel) -> Iterator[str]:
    """The ids of receipts that facts name, each as often as it is named."""
    return filter(None, _named(told.model_dump(exclude={"receipts", "stories", "standings"})))


def _named(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for name, member in node.items():
            if name in _IDS:
                yield from filter(_is_text, [member, *member] if isinstance(member, (list, tuple)) else [member])
            yield from _named(member)
    elif isinstance(node, (list, tuple)):
        for member in node:
            yield from _named(member)


def _is_text(member: object) -> bool:
    return isinstance(member, str)


def _of_changes(week: SourceWeek, source: Source, wanted: Collection[str]) -> Iterator[Receipt]:
    changes = week.changes.changes if week.changes else ()
    for change in changes:
        id_ = week.changes.id_of(change) if week.changes else ""
        if id_ in wanted:
            yield _receipt(id_, week, source, change.key, change.benchmark or "", _former_key(change, week))


def _former_key(change: Change, week: SourceWeek) -> str:
    """The row's key in the week before: another one where its row goes by another name now."""
    previous = week.state.previous
    former = change.before.name.raw if change.before and change.before.name else None
    if previous is None or former is None or change.key in previous.rows:
        return change.key
    return next((row.key for row in previous.rows.values() if row.raw == former), change.key)


def _of_figures(week: SourceWeek, source: Source, wanted: Collection[str]) -> Iterator[Receipt]:
    """The figures of both captures: a fact may tell what stood there a week before."""
    for snapshot in filter(None, (week.state.previous, week.state.current)):
        for key, measure in _cells(snapshot):
            id_ = figure_id(snapshot.capture, key, measure)
            if id_ in wanted:
                yield _receipt(id_, week, source, key, measure)


def _cells(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    for benchmark, column in snapshot.scores.items():
        for key in column:
            yield key, benchmark
    for key, offer in snapshot.offers.items():
        for measure in (*OFFER_UNITS, *dict(offer.details)):
            yield key, measure


def _receipt(id_: str, week: SourceWeek, source: Source, key: str, measure: str, former: str | None = None) -> Receipt:
    state = week.state
    about = state.current.benchmarks.get(measure) if state.current else None
    return Receipt(
        id=id_,
        source=state.source,
        title=source.title,
        url=source.url,
        licence=source.licence,
        measure=measure,
        unit=about.unit if about else OFFER_UNITS.get(measure, ""),
        previous=_captured(state.previous, former or key, measure),
        current=_captured(state.current, key, measure),
    )


def _captured(snapshot: Snapshot | None, key: str, measure: str) -> Captured | None:
    """What a capture says under that key; None without a capture. A benchmark's own change has no row."""
    if snapshot is None:
        return None
    row = snapshot.rows.get(key)
    score = snapshot.scores.get(measure, {}).get(key)
    offer = snapshot.offers.get(key, Offer())
    said = score.value if score else getattr(offer, measure, None) if measure in OFFER_UNITS else None
    return Captured(
        on=snapshot.capture.on,
        at=snapshot.capture.at,
        sha256=snapshot.capture.sha256,
        key=row.key if row else None,
        raw=row.raw if row else None,
        value=said if said is not None else dict(offer.details).get(measure),
    )
