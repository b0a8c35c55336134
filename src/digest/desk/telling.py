"""The stories behind the edition, as the desk lists them: what kind, what is said, what it is worth, its receipt."""

from collections.abc import Mapping
from typing import NamedTuple

from digest.edition.content import Captured, Edition, Receipt, Story, StoryKind
from digest.edition.numbers import score
from digest.edition.retelling import tellable
from digest.edition.watch_words import Row, row_of

KINDS: Mapping[StoryKind, tuple[str, str, str]] = {
    "lead": ("Leader", "accent", "another model tops the board beyond uncertainty"),
    "tie": ("Leader, tied", "accent", "another model is ahead, within uncertainty"),
    "arrival": ("New model", "up", "a model that the source did not have before"),
    "mover": ("Score changed", "accent", "a score that moved beyond its uncertainty"),
    "price_changed": ("Price", "up", "a price or a context window that changed beyond the threshold"),
    "price_withdrawn": ("Price withdrawn", "down", "a price that is not given any more"),
    "price_new": ("New price", "up", "an offer that was not there before"),
    "price_filled_in": ("Filled in", "neutral", "a price that was not known before"),
    "gone": ("Withdrawn", "down", "a model that left the source"),
    "disagreement": ("Sources disagree", "warn", "two sources differ beyond both uncertainties"),
    "offers_disagree": ("Prices disagree", "warn", "two price lists differ beyond the threshold"),
    "correction": ("Correction", "warn", "a figure that the source put right"),
    "benchmark_added": ("New benchmark", "neutral", "a benchmark that the source did not have before"),
    "benchmark_removed": ("Benchmark gone", "neutral", "a benchmark that the source has no more"),
    "benchmark_revised": ("Benchmark changed", "down", "the benchmark itself is made up otherwise than before"),
    "scale_shifted": ("Scale shifted", "down", "all scores moved together; no model did"),
    "renamed": ("Renamed", "neutral", "the same row under another name"),
}
"""What a kind of story is called, the tone of its chip, and why it is a story."""


class Proof(NamedTuple):
    """One side of a receipt: the capture's day, the publisher's own name of the row, the value, the fetched bytes."""

    on: str
    raw: str
    value: str
    sha256: str


class Told(NamedTuple):
    """One story. `listed` says whether its section names it or only counts it."""

    id: str
    place: int
    kind: str
    tone: str
    reason: str
    about: str
    detail: str
    figure: str
    worth: int
    section: str
    source: str
    listed: bool
    measure: str
    before: Proof | None
    after: Proof | None


def told(edition: Edition) -> list[Told]:
    """The stories of an edition, the weightiest first."""
    threads = tellable([edition])
    receipts = {receipt.id: receipt for receipt in edition.receipts}
    rows = {story.id: row_of(threads[story.id]) for story in edition.stories if story.id in threads}
    return [
        _told(story, place, rows.get(story.id), receipts.get(story.id))
        for place, story in enumerate(edition.stories, 1)
    ]


def _told(story: Story, place: int, row: Row | None, receipt: Receipt | None) -> Told:
    kind, tone, reason = KINDS[story.kind]
    return Told(
        id=story.id,
        place=place,
        kind=kind,
        tone=tone,
        reason=reason,
        about=story.about,
        detail=row.detail if row else "",
        figure=f"{row.value} {row.change}".strip() if row else "",
        worth=story.value,
        section=story.section,
        source=receipt.title if receipt else story.source,
        listed=story.listed,
        measure=receipt.measure if receipt else "",
        before=_proof(receipt.previous, receipt.unit) if receipt else None,
        after=_proof(receipt.current, receipt.unit) if receipt else None,
    )


def _proof(captured: Captured | None, unit: str) -> Proof | None:
    if captured is None:
        return None
    value = score(captured.value, unit, 2) if captured.value is not None else "none"
    return Proof(f"{captured.on.day} {captured.on:%b}", captured.raw or "none", value, captured.sha256)
