"""The edition as it would be with the templates, the note, the settings and the data as they are now.

What is drafted is stored, as `digest draft` stores it: so an approval falls as soon as it no longer holds. A note that
is still a draft is in no stored edition; the desk renders it into the one that it shows.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from digest.config.settings import Settings
from digest.database import reading
from digest.delivery import outbox
from digest.edition import override_store
from digest.edition import store as editions
from digest.edition.content import Edition, Note
from digest.edition.listed import Listing
from digest.edition.needs import packaged_needs
from digest.edition.notes import load_note
from digest.edition.rendered import Rendered
from digest.edition.store import StoredEdition
from digest.errors import DigestError
from digest.language import forget_catalogues
from digest.operations.stories import listed, read_stories
from digest.rendering.email import render
from digest.rendering.lint.support import load_support
from digest.rendering.markup import inline_css
from digest.rendering.templates import environment_of
from digest.scores.catalog import packaged_catalog
from digest.scores.weights import packaged_weights
from digest.subscribers.regimes import duties, packaged_regimes
from digest.subscribers.routing import Outgoing
from digest.weekly import stages
from digest.weekly.calendar import Week
from digest.weekly.composing import EDITIONS_TO_CATCH_UP


@dataclass(frozen=True, slots=True)
class Draft:
    """What the desk shows. `stored` is what an approval would pin; `edition` and `rendered` are that with the note
    shown though it may be a draft. `earlier` are the editions that a reader may have missed, the oldest first.

    `needs` are those that a watch list may name, and `outgoing` holds the regimes: as they were when this was drafted,
    for a file of theirs may be broken now. `heard` counts the overrides that were there; `sent` says that the edition
    has gone to the outbox and cannot be drafted any more; `kept` that it is approved and shown as it was, though with
    the files here it would be another.
    """

    stored: StoredEdition
    edition: Edition
    rendered: Rendered
    earlier: tuple[Edition, ...]
    note: Note | None
    outgoing: Outgoing
    needs: tuple[str, ...]
    settings: Settings
    at: datetime
    stories: Listing
    heard: int
    sent: bool
    kept: bool


def draft_now(
    engine: Engine, settings: Settings, week: Week, now: datetime, who: str, *, over_approval: bool = True
) -> Draft:
    """Draft and store the week's edition, or take it as it is: where it is already being sent, and where it is approved
    and may not go `over_approval`.

    Raises DigestError for a fault in a file, or where there is nothing to say.
    """
    with reading(engine) as connection:
        sent = outbox.find(connection, str(week)) is not None
        stored = editions.load_edition(connection, str(week)) if sent else None
        earlier = editions.approved_before(connection, str(week), EDITIONS_TO_CATCH_UP)
    found, kept = None, False
    if stored is None:
        try:
            drafted = stages.draft(engine, settings, week, now, who, over_approval=over_approval)
            stored, found = drafted.stored, drafted.composed
        except stages.ApprovedError:
            kept = True
    with reading(engine) as connection:
        outgoing = stages.outgoing(connection, settings, week, now)
        stored = stored or editions.load_edition(connection, str(week))
    if outgoing is None or stored is None:
        raise DigestError(f"the edition of {week} was taken away meanwhile; save any file to draft it again.")
    missed = tuple(one.edition for one in earlier)
    note = load_note(settings.series.notes, str(week))
    edition, rendered = stored.edition, stored.rendered
    if note is not None and note.draft and not (sent or kept):
        edition = edition.model_copy(update={"note": note})
        regimes = packaged_regimes(settings.consent.regimes).by_code
        carried = {code: duties(regime, "edition", settings.series.commercial) for code, regime in regimes.items()}
        rendered = render(edition, settings, missed, carried)
    stories = listed(found, settings) if found else read_stories(engine, settings, week)
    heard = len(found.overrides) if found else _overrides(engine, week)
    needs = tuple(packaged_needs().needs)
    return Draft(stored, edition, rendered, missed, note, outgoing, needs, settings, now, stories, heard, sent, kept)


def _overrides(engine: Engine, week: Week) -> int:
    with reading(engine) as connection:
        return len(override_store.load(connection, str(week)))


def forget_files() -> None:
    """Read templates, catalogues and the packaged data anew when they are next asked for."""
    for kept in (environment_of, inline_css, packaged_catalog, packaged_needs, packaged_weights, packaged_regimes):
        kept.cache_clear()
    load_support.cache_clear()
    forget_catalogues()
