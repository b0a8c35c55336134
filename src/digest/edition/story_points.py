"""What one story says by itself, and how an editor's word on stories changes what an edition says first."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain

from digest.edition.content import Edition
from digest.edition.facts import Name
from digest.edition.numbers import capital, clip, full, shown
from digest.edition.overrides import dropped
from digest.edition.points import (
    SUBJECT_ROOM,
    Point,
    arrivals_by_name,
    departures,
    fit,
    leaders,
    moves,
    new_measures,
    revisions,
)
from digest.edition.price_points import each_disagreement, other_prices, price_changes
from digest.edition.source_words import correction_sentence, renamed_sentence
from digest.edition.story_facts import Story
from digest.language import _, ngettext, spoken

_ROWS = {"arrivals": "models", "movers": "movers", "prices": "priced", "gone": "names"}
_SHARED = ("disagreements", "corrections", "method", "renamed")


def point_of(edition: Edition, story: Story) -> Point | None:
    """What a story that the edition lists says by itself, its own figures alone; None where it lists it not."""
    told = next(iter(_TELLING[story.section](_alone(edition, story))), None)
    return told._replace(story=story.id) if told else None


def _alone(edition: Edition, story: Story) -> Edition:
    """The edition with nothing in its sections but this story."""
    left: dict[str, object] = dict.fromkeys(("boards", *_ROWS, *_SHARED), ())
    left |= {f"{section}_folded": 0 for section in _SHARED}
    section = story.section
    if section == "boards":
        left[section] = tuple(board for board in edition.boards if board.change == story.id)
    elif field := _ROWS.get(section):
        left[section] = tuple(
            part.model_copy(update={field: (row,), "folded": 0})
            for part in getattr(edition, section)
            if part.source == story.source
            for row in getattr(part, field)
            if _is_of(row, story)
        )
    else:
        left[section] = tuple(row for row in getattr(edition, section) if row.change == story.id)
    return edition.model_copy(update=left)


def _is_of(row: object, story: Story) -> bool:
    """A row that left a source is known by its name, for there is nothing else of it."""
    return full(row) == story.about if isinstance(row, Name) else getattr(row, "change", "") == story.id


def _prices(edition: Edition) -> Iterator[Point]:
    return chain(price_changes(edition), other_prices(edition))


def _method(edition: Edition) -> Iterator[Point]:
    return chain(revisions(edition), new_measures(edition))


def _corrections(edition: Edition) -> Iterator[Point]:
    for correction in edition.corrections:
        what, said = _corrected(full(correction.name)), correction_sentence(correction)
        yield Point(fit(correction.name, _corrected), what, said, f"{what}.", said, "corrections", correction.source)


def _corrected(who: str) -> str:
    return _("Correction: %(who)s", who=who)


def _renamed(edition: Edition) -> Iterator[Point]:
    for renamed in edition.renamed:
        said = renamed_sentence(renamed)
        what = said.removesuffix(".")
        yield Point(in_room(what), what, said, said, "", "renamed", renamed.source)


_TELLING: Mapping[str, Callable[[Edition], Iterable[Point]]] = {
    "boards": leaders,
    "arrivals": arrivals_by_name,
    "movers": moves,
    "prices": _prices,
    "gone": departures,
    "disagreements": each_disagreement,
    "corrections": _corrections,
    "method": _method,
    "renamed": _renamed,
}


# What an edition says first


def as_edited(news: Iterable[Point], edition: Edition) -> list[Point]:
    """The points of an edition, those of the weightiest stories first, as an editor's word leaves them.

    None is of what is dropped, reworded ones have their new words, and each story that is set first, moved or reworded
    and that no point begins with has one of its own.
    """
    worth: dict[tuple[str, str], int] = {}
    out, all_stories = dropped(edition.edits), {story.told_as: story for story in edition.stories}
    for story in edition.stories:
        if story.told_as not in out:
            worth[story.section, story.source] = max(story.value, worth.get((story.section, story.source), 0))
    silent = {(story.section, story.source) for story in edition.stories} - worth.keys()
    found = [(worth.get(_of(point), 0), point) for point in news if _of(point) not in silent]
    for edit in edition.edits:
        told = all_stories.get(edit.told_as)
        own = point_of(edition, told) if told and not edit.dropped else None
        if told is None or own is None:
            continue
        begins = (*_of(own), own.headline)
        same = (at for at, (_worth, it) in enumerate(found) if not it.story and (*_of(it), it.headline) == begins)
        at = next(same, len(found))
        weight, point = found[at] if at < len(found) else (told.value, own)
        words = dict(edit.headlines).get(spoken())
        point = point._replace(story=edit.story)
        found[at : at + 1] = [(weight, _reworded(point, words) if words else point)]
    return [point for _weight, point in sorted(found, key=lambda one: -one[0])]


def _of(point: Point) -> tuple[str, str]:
    return point.section, point.source


def _reworded(point: Point, words: str) -> Point:
    words = shown(words, 160)
    ended = words if words[-1] in ".!?…" else f"{words}."
    return point._replace(short=in_room(words), headline=words, brief=ended)


def in_room(words: str) -> str:
    """As many whole words as a subject has room for, so that no figure is cut in two."""
    if len(words) <= SUBJECT_ROOM:
        return words
    whole = words[:SUBJECT_ROOM].rpartition(" ")[0]
    return f"{whole.rstrip(' ,.·;:')}…" if whole else clip(words, SUBJECT_ROOM)


def left_out(edition: Edition) -> str:
    """How many changes an editor took out of the lists; empty where none."""
    count = len(dropped(edition.edits))
    if not count:
        return ""
    return capital(
        ngettext(
            "The editor left %(count)s change of this week out of the lists; watch lists still tell it.",
            "The editor left %(count)s changes of this week out of the lists; watch lists still tell them.",
            count,
        )
    )
