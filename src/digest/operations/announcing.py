"""Telling a hook of a new edition, once its mailing is queued: what it says and what changed, as JSON."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery import outbox
from digest.edition import opening
from digest.edition import store as editions
from digest.edition.content import Edition
from digest.edition.documents import changes_document
from digest.edition.store import Published
from digest.errors import DeliveryError, DigestError
from digest.operations import restoring_store, store
from digest.operations.posting import post
from digest.weekly.calendar import parse_week
from digest.weekly.composing import compare_weeks

_TELLING = timedelta(minutes=2)  # one process tells; after that it is dead, and another does
_NEWS_FOR = timedelta(weeks=2)
_MOST = 8  # editions that may be queued in that time, those of late weeks among them


def announce(engine: Engine, settings: Settings, now: datetime) -> int:
    """POST each edition that is news and was not told yet to the hook of editions, the oldest first; how many were.

    Raises DigestError where one could not be told, after the others were; it is tried again at the next look.
    """
    if not settings.hooks.editions:
        return 0
    with reading(engine) as connection:
        news = list(_news(connection, now))
    told, problems = 0, list[str]()
    for one in news:
        try:
            told += _announce(engine, settings, one, now)
        except DigestError as error:
            problems.append(str(error))
    if problems:
        raise DeliveryError(" ".join(dict.fromkeys(problems)))
    return told


def _news(connection: Connection, now: datetime) -> Iterator[Published]:
    """Editions whose mailing is under way or over. One that is paused waits for its person; one that was aborted, or
    that a restored copy gave up since it perhaps went before (which is aborted, too), came out as little as one of a
    copy that nobody accepted yet. Of old ones a hook that is new is not told."""
    if restoring_store.held(connection) is not None:
        return
    for one in reversed(editions.published(connection, _MOST)):
        mailing = outbox.find(connection, one.week)
        if mailing is not None and mailing.control == "going" and now - mailing.queued_at < _NEWS_FOR:
            yield one


def _announce(engine: Engine, settings: Settings, one: Published, now: datetime) -> bool:
    """Tell one edition, unless it was told or another process is at it."""
    about = f"edition {one.week}"
    with writing(engine) as connection:
        store.begin_notice(connection, about, "it came out", now, datetime.min.replace(tzinfo=UTC))
        if not store.take_untold(connection, [about], ["hook"], now, now + _TELLING):
            return False
    try:
        with reading(engine) as connection:
            edition = editions.load_published(connection, one)
            if edition is None:
                return False
            data = _told(connection, settings, one, edition)
        post(settings.hooks.editions, settings.hooks, about, "edition.published", data, now)
        with writing(engine) as connection:
            store.mark_told(connection, [about], "hook", now)
    finally:
        with writing(engine) as connection:
            store.let_go(connection, [about])
    return True


def _told(connection: Connection, settings: Settings, one: Published, edition: Edition) -> dict[str, Any]:
    root, at = settings.series.base_url.rstrip("/"), parse_week(one.week)
    found = compare_weeks(connection, settings, at.previous, at)
    document = changes_document(found, settings.sources, str(at.previous), one.week, everything=False)
    return {
        "week": one.week,
        "number": edition.number,
        "headline": opening.headline(edition),
        "content_hash": one.content_hash,
        "page": f"{root}/editions/{one.week}",
        "document": f"{root}/api/v1/editions/{one.week}",
        **document,
    }
