"""The feeds of editions, one of all and one for each topic; the map of the site, and what robots are told."""

from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from sqlalchemy import Engine
from starlette.exceptions import HTTPException

from digest.config.sections import Series
from digest.database import reading
from digest.edition import store
from digest.edition.renditions import TOPICS, Topic
from digest.errors import StorageError
from digest.language import ENGLISH, LOCALES, speaking, spoken
from digest.rendering.feeds import NEVER, Entry, atom, entry_of, feed_of, json_feed, sitemap
from digest.web.conditional import conditional
from digest.web.editions import edition_of
from digest.web.pages import LOOK, Here, Site

ENTRIES = 20
"""So many editions a feed looks back; of a topic it holds those that tell something of it."""

_MOST_MAPPED = 49_000  # of the 50,000 addresses that a map may hold
_PAGES = ("/", "/editions", "/versus", "/leaderboard", "/method", "/privacy")
_ENDINGS = {"atom": (atom, "application/atom+xml"), "json": (json_feed, "application/feed+json")}

router = APIRouter()


@router.api_route("/feed.{ending}", methods=LOOK)
def whole_feed(site: Here, request: Request, ending: str) -> Response:
    return _feed(site, request, ending, None)


@router.api_route("/feed/{topic}.{ending}", methods=LOOK)
def topic_feed(site: Here, request: Request, topic: str, ending: str) -> Response:
    known = next((one for one in TOPICS if one == topic), None)
    if known is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return _feed(site, request, ending, known)


def _feed(site: Site, request: Request, ending: str, topic: Topic | None) -> Response:
    if ending not in _ENDINGS:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    write, media_type = _ENDINGS[ending]
    with reading(site.engine) as connection:
        found = store.published(connection, ENTRIES)
    entries = []
    for one in found:
        with suppress(StorageError, HTTPException):  # of another version, or tampered with: its own page says so
            entries.append(_entry(site.engine, site.settings.series, one, topic, spoken()))
    feed = feed_of(site.settings.series, [entry for entry in entries if entry], ending, topic)
    feed = feed._replace(address=_named(feed.address), home=_named(feed.home))
    changed = max((one.approved_at for one in found), default=NEVER)
    return conditional(request, write(feed), media_type, changed)


@lru_cache(maxsize=ENTRIES * (1 + len(TOPICS)) * len(LOCALES) * 4)
def _entry(engine: Engine, series: Series, one: store.Published, topic: Topic | None, language: str) -> Entry | None:
    """Kept by the hash of what was approved, which says all there is to know of it, and by the language."""
    with reading(engine) as connection, speaking(language):
        entry = entry_of(edition_of(connection, one), series, one.approved_at, topic)
        return entry and entry._replace(address=_named(entry.address))


def _named(address: str) -> str:
    """The address of a document in the language that is spoken; English has the bare one."""
    return address if spoken() == ENGLISH else f"{address}?lang={spoken()}"


@router.api_route("/sitemap.xml", methods=LOOK)
def site_map(site: Here, request: Request) -> Response:
    home = site.settings.series.base_url.rstrip("/")
    with reading(site.engine) as connection:
        found = store.published(connection, _MOST_MAPPED)
    served = {getattr(route, "path", "") for route in request.app.routes}
    changed = max((one.approved_at for one in found), default=None)
    pages: list[tuple[str, datetime | None]] = [
        (f"{home}{path}", changed if path == "/editions" else None) for path in _PAGES if path in served
    ]
    pages += [(f"{home}/editions/{one.week}", one.approved_at) for one in found]
    return conditional(request, sitemap(pages), "application/xml")


@router.api_route("/robots.txt", methods=LOOK)
def robots(site: Here) -> Response:
    home = site.settings.series.base_url.rstrip("/")
    told = f"User-agent: *\nDisallow: {site.root}/api/\n\nSitemap: {home}/sitemap.xml\n"
    return PlainTextResponse(told, headers={"Cache-Control": "public, max-age=86400"})
