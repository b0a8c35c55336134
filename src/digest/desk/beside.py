"""This week's edition beside the last one: which sections and stories are new, gone, or in both."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from digest.edition.content import Edition
from digest.edition.story_facts import Story

SECTIONS: Mapping[str, str] = {
    "note": "The editor's note",
    "boards": "Leaderboards",
    "arrivals": "New models",
    "movers": "Score changes",
    "prices": "Prices",
    "gone": "Withdrawn",
    "disagreements": "Sources that disagree",
    "corrections": "Corrections",
    "method": "Benchmarks that changed",
    "renamed": "Renamed",
    "side_by_side": "Side by side",
    "picks": "Best picks",
    "ahead": "What to watch",
}
"""The fields of an Edition that are sections, by what the desk calls them."""

Fate = Literal["new", "gone", "kept"]


class Beside(NamedTuple):
    """The week that is compared with, each section with its fate, and the stories by theirs, each as a line."""

    week: str
    sections: tuple[tuple[str, Fate], ...]
    stories: Mapping[Fate, tuple[str, ...]]


def beside(edition: Edition, last: Edition) -> Beside:
    """A story is the same when it is about the same thing at the same source in the same section."""
    now, before = (_by_what(one.stories) for one in (edition, last))
    return Beside(
        week=last.week,
        sections=tuple(
            (title, _fate(bool(getattr(last, name)), bool(getattr(edition, name))))
            for name, title in SECTIONS.items()
            if getattr(last, name) or getattr(edition, name)
        ),
        stories={
            "new": _lines(now[key] for key in now if key not in before),
            "kept": _lines(now[key] for key in now if key in before),
            "gone": _lines(before[key] for key in before if key not in now),
        },
    )


def _fate(was: bool, is_there: bool) -> Fate:
    return "kept" if was and is_there else "new" if is_there else "gone"


def _by_what(stories: Sequence[Story]) -> dict[tuple[str, str, str], Story]:
    return {(story.section, story.source, story.about): story for story in stories}


def _lines(stories: Iterable[Story]) -> tuple[str, ...]:
    return tuple(f"{story.about} ({SECTIONS[story.section].lower()}, {story.source})" for story in stories)
