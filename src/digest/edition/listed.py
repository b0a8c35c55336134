"""The stories behind an edition, as an editor looks at them: how each reads, what it is worth, why, and its receipt;
and what was told apart from news. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from digest.changes.kinds import EXPLAINED, Change
from digest.changes.week import WeekChanges
from digest.config.source import Source
from digest.edition.content import Edition, Receipt
from digest.edition.documents import sentence
from digest.edition.opening import points
from digest.edition.overrides import Misfit, Override, changes_by_id, dropped, key_of, of_story, standing, told_by_key
from digest.edition.points import Point
from digest.edition.receipts import receipts_of
from digest.edition.story_facts import Promoted, Story
from digest.edition.story_points import point_of
from digest.language import spoken

_TOLD_IN_FULL = 4
"""So many points are the headline and "In brief"."""


class ListedStory(NamedTuple):
    """A story of the week. `headline` is how it reads now and `generated` how it reads without an editor.

    `told` says where: the headline, the brief, its section, in a count alone, or that it is dropped. `reason` is why
    it is news, in the vocabulary of changes, and `why` that in words. `overrides` are those that stand, oldest first.
    """

    key: str
    id: str
    section: str
    kind: str
    source: str
    title: str
    headline: str
    generated: str
    value: int
    reason: str
    why: str
    told: str
    receipt: Receipt | None
    overrides: tuple[Override, ...]


class ToldApart(NamedTuple):
    """A change that is no news, in one sentence; `remark` is an editor's where it is shown all the same."""

    key: str
    id: str
    kind: str
    source: str
    title: str
    reason: str
    sentence: str
    receipt: Receipt | None
    remark: str | None
    overrides: tuple[Override, ...]


class Listing(NamedTuple):
    """The stories of a week as the edition tells them, the first told first; what was told apart, by reason; and the
    overrides that have no effect any more."""

    week: str
    stories: tuple[ListedStory, ...]
    apart: Mapping[str, tuple[ToldApart, ...]]
    misfits: tuple[Misfit, ...]


def listing(
    edition: Edition,
    whole: Edition,
    changes: WeekChanges,
    sources: Mapping[str, Source],
    log: Sequence[Override],
    misfits: tuple[Misfit, ...],
) -> Listing:
    """What a desk shows of an edition, in the language that is spoken. `whole` lists every story (compose.unabridged)
    and `log` holds the week's overrides."""
    by_id, said = changes_by_id(changes), standing(log)
    proofs = {receipt.id: receipt for receipt in receipts_of(by_id.keys(), changes, sources)}
    generated = {story.told_as: point_of(whole, story) for story in edition.stories}
    first = _told_first(edition, {one: point.headline for one, point in generated.items() if point})
    stories = [
        _story(edition, first, generated[story.told_as], story, by_id, proofs, said, sources)
        for story in edition.stories
    ]
    stories.sort(key=lambda one: first.get((one.section, one.id), len(first)))
    known = {story.id for story in edition.stories}
    keys = told_by_key((), changes)
    shown = {one.change: one for one in edition.promoted}
    apart: dict[str, list[ToldApart]] = {}
    for id_, change in by_id.items():
        key = key_of(change)
        if not change.news and id_ not in known and keys[key] == ("", id_):
            one = _apart(id_, key, change, proofs.get(id_), shown.get(id_), said, sources)
            apart.setdefault(one.reason, []).append(one)
    by_reason = {reason: tuple(apart[reason]) for reason in sorted(apart, key=lambda it: (-len(apart[it]), it))}
    return Listing(edition.week, tuple(stories), by_reason, misfits)


def _story(
    edition: Edition,
    first: Mapping[tuple[str, str], int],
    point: Point | None,
    story: Story,
    by_id: Mapping[str, Change],
    proofs: Mapping[str, Receipt],
    said: Sequence[Override],
    sources: Mapping[str, Source],
) -> ListedStory:
    change = by_id[story.id]
    key = key_of(change, story.section)
    generated = point.headline if point else story.about
    edit = next((it for it in edition.edits if it.told_as == story.told_as), None)
    return ListedStory(
        key=key,
        id=story.id,
        section=story.section,
        kind=story.kind,
        source=story.source,
        title=sources[story.source].title,
        headline=dict(edit.headlines).get(spoken(), generated) if edit else generated,
        generated=generated,
        value=story.value,
        reason=change.reason.value,
        why=EXPLAINED[change.reason],
        told=_where(edition, first, story),
        receipt=proofs.get(story.id),
        overrides=tuple(of_story(said, key)),
    )


def _told_first(edition: Edition, generated: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], int]:
    """The stories that the edition begins with, each with the number of its place from 0.

    A point without a story of its own tells of the first of its section that reads as the point does, or of the
    weightiest one where it sums several up. `generated` holds how each story reads.
    """
    found: dict[tuple[str, str], int] = {}
    out = dropped(edition.edits)
    first = points(edition)
    taken = {(point.section, point.story) for point in first if point.story}
    for at, point in enumerate(first):
        if point.story:
            found[point.section, point.story] = at
            continue
        mine = [
            it.told_as
            for it in edition.stories
            if (it.section, it.source) == (point.section, point.source) and it.told_as not in out | taken | found.keys()
        ]
        same = [one for one in mine if generated.get(one) == point.headline]
        if mine:
            found[(same or mine)[0]] = at
    return found


def _where(edition: Edition, first: Mapping[tuple[str, str], int], story: Story) -> str:
    """Where an edition tells a story."""
    if story.told_as in dropped(edition.edits):
        return "dropped"
    at = first.get(story.told_as)
    if at is not None and at < _TOLD_IN_FULL:
        return "brief" if at else "headline"
    return "section" if story.listed else "count"


def _apart(
    id_: str,
    key: str,
    change: Change,
    receipt: Receipt | None,
    shown: Promoted | None,
    said: Sequence[Override],
    sources: Mapping[str, Source],
) -> ToldApart:
    return ToldApart(
        key=key,
        id=id_,
        kind=change.kind.value,
        source=change.source,
        title=sources[change.source].title,
        reason=change.reason.value,
        sentence=sentence(change, sources),
        receipt=receipt,
        remark=dict(shown.remarks).get(spoken(), shown.remarks[0][1]) if shown else None,
        overrides=tuple(of_story(said, key)),
    )


def found_by(listing: Listing, start: str) -> Iterator[ListedStory | ToldApart]:
    """What has a key that starts so."""
    apart = (one for group in listing.apart.values() for one in group)
    everything: list[ListedStory | ToldApart] = [*listing.stories, *apart]
    return (one for one in everything if one.key.startswith(start))
