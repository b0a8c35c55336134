"""Telling a hook of a new edition, once its mailing is queued: what it says and what changed, as JSON."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from digest.config import Settings
from digest.database import reading, writing
from digest.delivery import outbox
from digest.edition import opening
from digest.edition import store as editions
from digest.edition.content import Edition
from digest.edition.documents import changes_document
from digest.operations import store
from digest.operations.posting import post
from digest.weekly.calendar import parse_week
from digest.weekly.stages import compare_weeks

_TELLING = timedelta(minutes=2)  # one process tells; after that it is dead, and another does


def announce(engine: Engine, settings: Settings, now: datetime) -> bool:
    """POST the newest edition to the hook of editions, if its mailing is queued and it was not told yet; whether that
    was done. Raises DigestError as `post` does; it is tried again at the next look."""
    if not settings.hooks.editions:
        return False
    with writing(engine) as connection:
        newest = next(iter(editions.published(connection, 1)), None)
        if newest is None or outbox.find(connection, newest.week) is None:
            return False
        about = f"edition {newest.week}"
        store.begin_notice(connection, about, "it came out", now, datetime.min.replace(tzinfo=UTC))
        if not store.take_untold(connection, [about], ["hook"], now, now + _TELLING):
            return False
    try:
        with reading(engine) as connection:
            edition = editions.load_published(connection, newest)
            if edition is None:
                return False
            data = _told(connection, settings, newest.week, newest.content_hash, edition)
        post(settings.hooks.editions, settings.hooks, about, "edition.published", data, now)
        with writing(engine) as connection:
            store.mark_told(connection, [about], "hook", now)
    finally:
        with writing(engine) as connection:
            store.let_go(connection, [about])
    return True


def _told(connection: Connection, settings: Settings, week: str, content_hash: str, edition: Edition) -> dict[str, Any]:
    root, at = settings.series.base_url.rstrip("/"), parse_week(week)
    found = compare_weeks(connection, settings, at.previous, at)
    document = changes_document(found, settings.sources, str(at.previous), week, everything=False)
    return {
        "week": week,
        "number": edition.number,
        "headline": opening.headline(edition),
        "content_hash": content_hash,
        "page": f"{root}/editions/{week}",
        "document": f"{root}/api/v1/editions/{week}",
        **document,
    }
