"""An editor's work on a week's stories: looking at them, and saying what is told of them."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Engine

from digest import audit
from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery import outbox
from digest.edition import override_store
from digest.edition.compose import unabridged
from digest.edition.editing import headline_fault, misfits_in, promotion, remark_fault
from digest.edition.listed import ListedStory, Listing, ToldApart, found_by, listing
from digest.edition.overrides import Override, What, changes_by_id, standing
from digest.errors import DigestError, UsageError
from digest.language import ENGLISH, LOCALES
from digest.weekly.calendar import Week
from digest.weekly.composing import Composed, composed
from digest.weekly.stages import void


def read_stories(engine: Engine, settings: Settings, week: Week) -> Listing:
    """The stories of a week as it would be drafted now. Raises DigestError where no source has anything to say."""
    with reading(engine) as connection:
        return listed(composed(connection, settings, week), settings)


def listed(found: Composed, settings: Settings) -> Listing:
    """The stories of a week as it was composed."""
    edition, changes, _earlier, log = found
    whole = unabridged(edition, changes, settings)
    return listing(edition, whole, changes, settings.sources, log, misfits_in(edition, log, changes))


def say(
    engine: Engine,
    settings: Settings,
    week: Week,
    story: str,
    what: What,
    who: str,
    now: datetime,
    *,
    place: int | None = None,
    text: str = "",
    locale: str = ENGLISH,
) -> Override:
    """Note an editor's word on a story, by the start of its key; the week's next draft heeds it.

    Raises UsageError for a key that is of none or of several, and DigestError where the word does not fit the story:
    another figure in its headline, a remark with one of its own, a story that is told already; or where the edition is
    being sent.
    """
    if locale not in LOCALES:
        raise UsageError(f'"{locale}" is no language of the editions; they have {", ".join(LOCALES)}.')
    with reading(engine) as connection:
        found = composed(connection, settings, week)
    if what == "restore":
        one = _taken_back(found, story)
        word = Override(one.story, what, who, now, about=one.about)
    else:
        target = _target(listed(found, settings), story)
        _refuse_misfit(found, settings, target, what, text, locale)
        about = target.headline if isinstance(target, ListedStory) else target.sentence
        word = Override(target.key, what, who, now, place, locale, text, about)
    with writing(engine) as connection:
        _refuse_sent(connection, week)
        override_store.add(connection, str(week), [word])
        audit.write(connection, "overridden", str(week), who, now, **_detail(word))
        void(connection, str(week), who, now, f"an override came: {what} “{word.about}”")
    return word


def _target(known: Listing, start: str) -> ListedStory | ToldApart:
    found = list(found_by(known, start)) if start else []
    if len(found) != 1:
        many = f"is the start of {len(found)} keys" if found else "is the key of no story"
        raise UsageError(f'"{start}" {many} of {known.week}; `digest stories {known.week} --left-out` lists them.')
    return found[0]


def _taken_back(found: Composed, start: str) -> Override:
    """The newest override of a story, which need not be in the week any more."""
    said = [one for one in standing(found.overrides) if one.story.startswith(start)]
    if not start or len({one.story for one in said}) != 1:
        week = found.edition.week
        raise UsageError(f'"{start}" names no story, or several, that {week} has an override on; see `digest stories`.')
    return said[-1]


def _refuse_misfit(
    found: Composed, settings: Settings, target: ListedStory | ToldApart, what: What, text: str, locale: str
) -> None:
    edition, changes = found.edition, found.changes
    if what == "promote":
        if isinstance(target, ListedStory):
            raise DigestError(f'"{target.headline}" is a story of the week already; pin it to have it told first.')
        change = changes_by_id(changes)[target.id]
        week = next(it for it in changes.sources if it.state.source == change.source)
        one = promotion(target.id, change, week, settings.sources[change.source])
        if fault := remark_fault(one, text, locale):
            raise DigestError(f"the remark cannot stand beside it: {fault}.")
        return
    if isinstance(target, ToldApart):
        raise DigestError(
            f"{target.key} is no story but was told apart as {target.reason}; promote it to have it shown."
        )
    if what == "reword":
        story = next(it for it in edition.stories if it.told_as == (target.section, target.id))
        if fault := headline_fault(unabridged(edition, changes, settings), story, text, locale):
            raise DigestError(f'the headline "{target.generated}" cannot be reworded so: {fault}.')


def _refuse_sent(connection: Connection, week: Week) -> None:
    if outbox.find(connection, str(week)) is not None:
        raise DigestError(f"the edition of {week} is already being sent; its stories can no longer be changed.")


def _detail(word: Override) -> Mapping[str, object]:
    return {
        "story": word.story,
        "what": word.what,
        "about": word.about,
        **({"place": word.place} if word.place is not None else {}),
        **({"text": word.text, "locale": word.locale} if word.text else {}),
    }
