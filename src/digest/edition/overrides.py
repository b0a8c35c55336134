"""What an editor changes about a week's stories: overrides, and what of them stands. Pure.

The log of a week's overrides only grows; the newest word on a story counts, and one that restores it takes all before
it back. Overrides name a story by a key that stays the same when its figures are fetched again.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, TypeVar

from digest.changes.kinds import Change
from digest.changes.week import WeekChanges
from digest.edition.story_facts import Edit, Story
from digest.language import ENGLISH

What = Literal["drop", "pin", "move", "reword", "promote", "restore"]

T = TypeVar("T")


class Override(NamedTuple):
    """One word of an editor on a story, by its key. `place` belongs to a move and counts from 1; `text` is the new
    headline in `locale`, or the remark on what is promoted. `about` is how the story read at the time."""

    story: str
    what: What
    by: str
    at: datetime
    place: int | None = None
    locale: str = ENGLISH
    text: str = ""
    about: str = ""


class Misfit(NamedTuple):
    """An override that stands and has no effect on the week as it is now, with why."""

    override: Override
    why: str


def standing(log: Iterable[Override]) -> tuple[Override, ...]:
    """Of each story the newest of each aspect (its place, its headline in each language, its promotion with a remark in
    each), in the order in which they were said."""
    said: dict[tuple[str, ...], Override] = {}
    for override in log:
        if override.what == "restore":
            said = {aspect: one for aspect, one in said.items() if one.story != override.story}
            continue
        aspect = _aspect(override)
        said.pop(aspect, None)
        said[aspect] = override
    return tuple(said.values())


def _aspect(override: Override) -> tuple[str, ...]:
    match override.what:
        case "reword":
            return override.story, "headline", override.locale
        case "promote":
            return override.story, "promotion", override.locale
        case _:
            return override.story, "place"


def key_of(change: Change, section: str = "") -> str:
    """The key of a story: of what changed, whatever it changed to, and of the section that tells it; or of a change
    that no section tells."""
    other = change.after.source if change.after else None
    parts = (section, change.kind, change.source, change.key, change.benchmark or "", other or "")
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def changes_by_id(changes: WeekChanges) -> dict[str, Change]:
    """Every change of the week by its id, news or not; of a source that is only named there is none."""
    found = {
        week.changes.id_of(change): change
        for week in changes.sources
        if week.told and week.changes
        for change in week.changes.changes
    }
    return found | {changes.id_of_disagreement(change): change for change in changes.disagreements}


def told_by_key(stories: Iterable[Story], changes: WeekChanges) -> dict[str, tuple[str, str]]:
    """(section, id) of each story by its key, and ("", id) of each change; of several with one key those of the
    first."""
    by_id = changes_by_id(changes)
    found: dict[str, tuple[str, str]] = {}
    for story in stories:
        found.setdefault(key_of(by_id[story.id], story.section), story.told_as)
    for id_, change in by_id.items():
        found.setdefault(key_of(change), ("", id_))
    return found


def edits_of(
    overrides: Iterable[Override], known: Mapping[str, tuple[str, str]], stories: Mapping[tuple[str, str], Story]
) -> tuple[Edit, ...]:
    """What the overrides that stand say of each story's place, and whose headlines they reword; the headlines
    themselves are filled in once it is known how the story reads."""
    found: dict[tuple[str, str], Edit] = {}
    for override in overrides:
        story = stories.get(known.get(override.story, ("", "")))
        if story is None or override.what in ("promote", "restore"):
            continue
        edit = found.pop(story.told_as, None) or Edit(section=story.section, story=story.id)
        match override.what:
            case "drop":
                edit = edit.model_copy(update={"dropped": True})
            case "pin":
                edit = edit.model_copy(update={"pinned": True})
            case "move":
                edit = edit.model_copy(update={"place": override.place})
        found[story.told_as] = edit
    return tuple(found.values())


def arranged(items: Sequence[T], told_as: Callable[[T], tuple[str, str]], edits: Sequence[Edit]) -> list[T]:
    """The items with the pinned ones first, as they were pinned, and each moved one at its place, or at the end."""
    found = {told_as(item): item for item in items}
    pinned = [edit.told_as for edit in edits if edit.pinned and edit.told_as in found]
    moved = [edit for edit in edits if edit.place is not None and edit.told_as in found]
    set_apart = {*pinned, *(edit.told_as for edit in moved)}
    order = [*(found[one] for one in pinned), *(item for item in items if told_as(item) not in set_apart)]
    for edit in sorted(moved, key=lambda edit: edit.place or 1):
        order.insert((edit.place or 1) - 1, found[edit.told_as])
    return order


def dropped(edits: Iterable[Edit]) -> frozenset[tuple[str, str]]:
    """(section, id) of the stories that are dropped."""
    return frozenset(edit.told_as for edit in edits if edit.dropped)


def of_story(overrides: Iterable[Override], key: str) -> Iterator[Override]:
    """What is said of one story."""
    return (override for override in overrides if override.story == key)
