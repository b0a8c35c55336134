"""What differs between two drafts of a week's edition, in words for its editor. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from digest.edition.content import Edition
from digest.edition.rendered import Rendered
from digest.edition.story_facts import Story
from digest.edition.story_points import point_of

_MOST_NAMED = 6
_ENVELOPE = {
    "catalogues": "the wording catalogue",
    "regimes": "the consent regimes",
}


def what_changed(
    before: tuple[Edition, Rendered, Mapping[str, Any], str],
    now: tuple[Edition, Rendered, Mapping[str, Any], str],
) -> tuple[str, ...]:
    """What differs between two stored drafts, each its facts, its mail, its envelope's fields and the hash of its
    templates (empty where it is not known): stories by how they read, the note, overrides, settings, templates.

    Empty where nothing does.
    """
    (was, mail, envelope, templates), (edition, new_mail, new_envelope, new_templates) = before, now
    said = [*_stories(was, edition), *_rest(was, edition), *_settings(envelope, new_envelope)]
    if templates and templates != new_templates:
        said.append("the templates changed")
    elif not said and mail != new_mail:
        said.append("the mail reads differently: the templates or the program changed")
    return tuple(said)


def _stories(was: Edition, now: Edition) -> Iterator[str]:
    """Stories that came, went, or read differently; of many of a kind the first few, and how many more."""
    old, new = _read(was), _read(now)
    came = [words for story, words in new.items() if story not in old]
    went = [words for story, words in old.items() if story not in new]
    other = [f"“{old[story]}” is now “{words}”" for story, words in new.items() if old.get(story, words) != words]
    for label, words in (("new", [f"“{it}”" for it in came]), ("gone", [f"“{it}”" for it in went]), ("changed", other)):
        shown, more = words[:_MOST_NAMED], len(words) - _MOST_NAMED
        if shown:
            yield f"{label}: {', '.join(shown)}{f' and {more} more' if more > 0 else ''}"


def _read(edition: Edition) -> dict[tuple[str, ...], str]:
    """Each listed story by what it is about, with how it reads."""
    found: dict[tuple[str, ...], str] = {}
    for story in edition.stories:
        if story.listed:
            found[story.section, story.source, story.about, story.kind] = _words(edition, story)
    return found


def _words(edition: Edition, story: Story) -> str:
    point = point_of(edition, story)
    said = f"{point.headline}: {point.lead}" if point else story.about
    edit = next((it for it in edition.edits if it.told_as == story.told_as), None)
    return dict(edit.headlines).get("en", said) if edit else said


_SECTIONS = {
    "arrivals": "new models",
    "movers": "movers",
    "prices": "prices",
    "gone": "rows that left",
    "disagreements": "disagreements",
    "corrections": "corrections",
    "method": "method notes",
    "renamed": "renamed rows",
}
_PARTS = {
    "note": "the editor's note changed",
    "boards": "a board's figures changed",
    "standings": "the table for watch lists changed",
    "health": "the state of a source changed",
    "picks": "the picks changed",
    "side_by_side": "the side by side changed",
    "number": "the edition's number changed",
    "last_subjects": "the subject of the edition before changed",
    "quiet": "whether it is a quiet week changed",
    "series": "the series' title changed",
    "tagline": "the tagline changed",
}


def _rest(was: Edition, now: Edition) -> Iterator[str]:
    """Everything else that an edition holds."""
    if (was.edits, was.promoted, was.aside) != (now.edits, now.promoted, now.aside):
        yield "overrides changed"
    for field, words in _PARTS.items():
        if getattr(was, field) != getattr(now, field):
            yield words
    lists = [words for field, words in _SECTIONS.items() if getattr(was, field) != getattr(now, field)]
    if lists:
        yield f"other rows under {', '.join(lists)}"
    if was.receipts != now.receipts:
        yield "the captures behind it are others"


def _settings(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    names = [name for name in now if was.get(name) != now.get(name)]
    yield from (f"{_ENVELOPE[name]} changed" for name in names if name in _ENVELOPE)
    own = [name for name in names if name not in _ENVELOPE]
    if own:
        yield f"settings of the sender changed: {', '.join(own)}"
