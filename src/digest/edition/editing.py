"""An edition as overrides leave it: checked words, what was taken out of the lists, what was promoted. Pure.

Nothing here changes a figure. What does not fit the week any more has no effect, and `misfits` names it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from digest.changes.kinds import Change
from digest.changes.week import SourceWeek, WeekChanges
from digest.config.source import Source
from digest.edition import promoted_words, rewording
from digest.edition.content import Edition
from digest.edition.facts import Name
from digest.edition.naming import shown_benchmark, shown_figure, shown_name
from digest.edition.numbers import benchmark_name, full, shown, title
from digest.edition.overrides import Misfit, Override, changes_by_id, edits_of, standing, told_by_key
from digest.edition.points import Point
from digest.edition.rewording import MOST_CHARACTERS, MOST_OF_A_REMARK
from digest.edition.story_facts import Aside, Edit, Promoted, Story
from digest.edition.story_points import point_of
from digest.language import speaking

_LISTS = {"arrivals": "models", "movers": "movers", "prices": "priced"}
_SHARED = ("disagreements", "method", "renamed")


def checked_edits(whole: Edition, said: Sequence[Override], known: Mapping[str, tuple[str, str]]) -> tuple[Edit, ...]:
    """What the overrides that stand do to the stories of a week. `whole` lists every story; `known` goes from a key to
    section and id.

    A headline whose figures are not the story's is left out, and so is what is of no story.
    """
    stories = {story.told_as: story for story in whole.stories}
    found = []
    for edit in edits_of(said, known, stories):
        words = tuple(
            (one.locale, one.text)
            for one in said
            if one.what == "reword"
            and known[one.story] == edit.told_as
            and not headline_fault(whole, stories[edit.told_as], one.text, one.locale)
        )
        edit = edit.model_copy(update={"headlines": words})
        if edit != Edit(section=edit.section, story=edit.story):
            found.append(edit)
    return tuple(found)


def headline_fault(whole: Edition, story: Story, words: str, locale: str) -> str:
    """Why words may not be a story's headline in a language, as one clause; empty where they may."""
    if not words.strip():
        return "it is empty"
    if len(words) > MOST_CHARACTERS:
        return f"it is longer than {MOST_CHARACTERS} characters"
    if _spaced(words) != shown(words, MOST_CHARACTERS):
        return "it holds line breaks or characters that cannot be seen"
    with speaking(locale):
        point = point_of(whole, story)
        if point is None:
            return "the week does not list the story"
        return rewording.fault(words, point.headline, _names(whole, story, point))


def _spaced(words: str) -> str:
    """The words with plain spaces for those that keep a figure and its unit in one line."""
    return words.replace("\u00a0", " ").replace("\u202f", " ")


def _names(whole: Edition, story: Story, point: Point) -> Iterator[str]:
    """What may be named in a story's words: models, sources and benchmarks."""
    yield story.about
    for name in _all_names(whole):
        if full(name) in f"{point.headline} {point.lead}" or full(name) == story.about:
            yield from (full(name), title(name), name.raw)
    for health in whole.health:
        yield from (health.title, shown(health.title))
    yield from (benchmark_name(board.benchmark) for board in whole.boards)
    yield from (benchmark_name(movers.benchmark) for movers in whole.movers)
    yield from (benchmark_name(note.benchmark) for note in whole.method)


def _all_names(node: Any) -> Iterator[Name]:
    if isinstance(node, Name):
        yield node
    elif isinstance(node, tuple):
        for item in node:
            yield from _all_names(item)
    elif hasattr(type(node), "model_fields"):
        for field in type(node).model_fields:
            if field not in ("standings", "receipts", "stories", "side_by_side", "picks"):
                yield from _all_names(getattr(node, field))


def set_aside(before: Edition, after: Edition) -> Aside | None:
    """The rows that the lists had without an editor and have no more; None where there are none."""
    found: dict[str, Any] = {}
    for section, field in _LISTS.items():
        found[section] = tuple(_missing(getattr(before, section), getattr(after, section), field, "change"))
    found["gone"] = tuple(_missing(before.gone, after.gone, "names", "raw"))
    for section in _SHARED:
        kept = {row.change for row in getattr(after, section)}
        found[section] = tuple(row for row in getattr(before, section) if row.change not in kept)
    aside = Aside(**found)
    return aside if aside != Aside() else None


def _missing(before: Sequence[Any], after: Sequence[Any], field: str, known_by: str) -> Iterator[Any]:
    """Parts of a section with the rows that are in one edition's and not in the other's, nothing counted beside."""
    kept = {(part.source, getattr(row, known_by)) for part in after for row in getattr(part, field)}
    for part in before:
        rows = tuple(row for row in getattr(part, field) if (part.source, getattr(row, known_by)) not in kept)
        if rows:
            yield part.model_copy(update={field: rows, "folded": 0})


# What was told apart from news


def promoted(
    said: Sequence[Override],
    known: Mapping[str, tuple[str, str]],
    changes: WeekChanges,
    sources: Mapping[str, Source],
) -> tuple[Promoted, ...]:
    """What an editor shows though it is no news, in the order in which that was said."""
    by_id = changes_by_id(changes)
    weeks = {week.state.source: week for week in changes.sources}
    found: dict[str, Promoted] = {}
    for one in said:
        _section, id_ = known.get(one.story, ("", ""))
        change = by_id.get(id_) if one.what == "promote" else None
        if change is not None and not change.news:
            shown_one = promotion(id_, change, weeks[change.source], sources[change.source])
            if not remark_fault(shown_one, one.text, one.locale):
                before = found[id_].remarks if id_ in found else ()
                found[id_] = shown_one.model_copy(update={"remarks": (*before, (one.locale, one.text))})
    return tuple(found.values())


def promotion(id_: str, change: Change, week: SourceWeek, source: Source) -> Promoted:
    """A change that is no news as a fact of the edition, nothing remarked on it yet."""
    return Promoted(
        change=id_,
        reason=change.reason.value,
        source=change.source,
        title=source.title,
        name=shown_name(change.name, offer=source.kind == "offers") if change.name.raw else None,
        benchmark=shown_benchmark(week, change),
        unit=change.unit,
        before=shown_figure(change.before) if change.before else None,
        after=shown_figure(change.after) if change.after else None,
        remarks=(),
    )


def remark_fault(one: Promoted, remark: str, locale: str) -> str:
    """Why a remark may not stand beside what is promoted, as one clause; empty where it may."""
    if not remark.strip():
        return "it is empty"
    if _spaced(remark) != shown(remark, MOST_OF_A_REMARK):
        return f"it is longer than {MOST_OF_A_REMARK} characters, or holds some that cannot be seen"
    names = (promoted_words.title(one), one.title, benchmark_name(one.benchmark))
    more = (one.name.title, one.name.raw) if one.name else ()
    with speaking(locale):
        return rewording.remark_fault(remark, promoted_words.every_figure(one), (*names, *more))


# What has no effect


def misfits_in(edition: Edition, log: Sequence[Override], changes: WeekChanges) -> tuple[Misfit, ...]:
    """Overrides that stand and have no effect on the edition that was composed with them, with why."""
    known = told_by_key(edition.stories, changes)
    news = frozenset(id_ for id_, change in changes_by_id(changes).items() if change.news)
    said = standing(log)
    return tuple(Misfit(one, why) for one in said if (why := _misfit(edition, one, known.get(one.story), news)))


def _misfit(edition: Edition, one: Override, told_as: tuple[str, str] | None, news: frozenset[str]) -> str:
    if told_as is None:
        return "its story is not in the week any more"
    if one.what == "promote":
        if told_as[1] in news:
            return "it is news by now, and told as such"
        is_shown = any(it.change == told_as[1] and (one.locale, one.text) in it.remarks for it in edition.promoted)
        return "" if is_shown else "its remark has a figure that the change does not"
    edit = next((it for it in edition.edits if it.told_as == told_as), None)
    if not any(story.told_as == told_as for story in edition.stories):
        return "it is no story of the week"
    if one.what == "reword" and (edit is None or (one.locale, one.text) not in edit.headlines):
        return "its figures are not the story's any more"
    return ""
