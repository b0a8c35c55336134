"""The public API: approved editions, what changed, leaderboards and models side by side, as JSON for anybody.

The documents are those that the commands print with `--json`. Each answer carries a tag, by which who asks again is
told that nothing is new.
"""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from threading import Lock
from typing import Annotated, Any
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import Engine
from starlette.exceptions import HTTPException

from digest.database import reading
from digest.edition import opening, store
from digest.edition.content import Edition
from digest.edition.documents import Document, board_document, changes_document, versus_document
from digest.edition.store import Published
from digest.errors import DigestError, UsageError
from digest.web.boards import Newest, chosen_boards, newest
from digest.web.conditional import conditional
from digest.web.pages import Here, Site
from digest.web.problems import Problem, Route
from digest.web.versus import LONGEST_NAME, MOST_MODELS, answer, reason
from digest.weekly import composing

_MOST_EDITIONS = 520
_KEPT = 8  # comparisons of two weeks, each of some megabytes
_AGAIN = {"Retry-After": "5"}

Week = Annotated[str, Path(pattern=r"^[0-9]{4}-W[0-9]{2}$", description="an ISO 8601 week, such as 2026-W18")]
WeekText = Annotated[str, Query(max_length=10, description="2026-W17, any date in the week, or latest")]
SourceId = Annotated[str | None, Query(max_length=100, description="one source only")]

router = APIRouter(prefix="/api/v1", route_class=Route)


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    told: dict[int | str, dict[str, Any]] = {304: {"description": "the tag of If-None-Match is the newest one's"}}
    every = (*statuses, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)
    return told | {int(it): {"model": Problem, "description": HTTPStatus(it).phrase} for it in every}


def _published(path: str, summary: str, model: Any, *statuses: int) -> Callable[[Callable[..., Response]], Any]:
    """Answers GET as it is described, and HEAD."""

    def publish(show: Callable[..., Response]) -> Callable[..., Response]:
        router.head(path, include_in_schema=False)(show)
        router.get(path, summary=summary, response_model=model, responses=_problems(*statuses))(show)
        return show

    return publish


def _json(request: Request, document: Any) -> Response:
    return conditional(request, bytes(JSONResponse(document).body), "application/json")


# Editions


class Listed(BaseModel):
    """An edition; `document` is the path of what it says, `page` of how it reads."""

    week: str
    number: int
    headline: str
    approved_at: datetime
    content_hash: str
    document: str
    page: str


class Listing(BaseModel):
    """The newest first."""

    editions: list[Listed]


@_published("/editions", "Approved editions, the newest first", Listing)
def editions(request: Request, site: Here) -> Response:
    with reading(site.engine) as connection:
        known = store.published(connection, _MOST_EDITIONS)
    listed = [_listed(site.engine, site.root, one) for one in known]
    return _json(request, Listing(editions=[one for one in listed if one is not None]).model_dump(mode="json"))


@lru_cache(maxsize=_MOST_EDITIONS)
def _listed(engine: Engine, root: str, one: Published) -> Listed | None:
    """An edition's line; None where it is not what was approved."""
    with reading(engine) as connection:
        edition = store.load_published(connection, one)
    if edition is None:
        return None
    return Listed(
        week=one.week,
        number=edition.number,
        headline=opening.headline(edition),
        approved_at=one.approved_at,
        content_hash=one.content_hash,
        document=f"{root}/api/v1/editions/{one.week}",
        page=f"{root}/editions/{one.week}",
    )


@_published("/editions/{week}", "All facts of one edition, with their receipts", Edition, 404)
def edition_of(request: Request, site: Here, week: Week) -> Response:
    """A figure is a string of its exact digits."""
    with reading(site.engine) as connection:
        known = store.published_on(connection, week)
        edition = store.load_published(connection, known) if known else None
    if edition is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "no edition of that week is approved.")
    return conditional(request, edition.document().encode(), "application/json")


# What changed

_kept: WeakKeyDictionary[Engine, dict[tuple[object, ...], Document]] = WeakKeyDictionary()
_comparing = Lock()


@_published("/changes", "What changed between two weeks: the document of `digest changes --json`", Document, 404)
def changes(
    request: Request,
    site: Here,
    previous: Annotated[WeekText, Query(alias="from")],
    current: Annotated[WeekText, Query(alias="to")],
    source: SourceId = None,
    everything: Annotated[bool, Query(alias="all", description="also what was told apart from news")] = False,
) -> Response:
    """One comparison is made at a time, and kept for a minute; who asks meanwhile is told to ask again."""
    now = site.clock()
    asked = (int(now.timestamp()) // 60, previous, current, source, everything)
    kept = _kept.setdefault(site.engine, {})
    if (document := kept.get(asked)) is None:
        if not _comparing.acquire(blocking=False):
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "weeks are being compared; ask again.", _AGAIN)
        try:
            document = _changes(site, previous, current, source, everything=everything)
            for old in [key for key in kept if key[0] != asked[0]] + list(kept)[: -_KEPT + 1]:
                kept.pop(old, None)
            kept[asked] = document
        finally:
            _comparing.release()
    return _json(request, document)


def _changes(site: Site, previous: str, current: str, source: str | None, *, everything: bool) -> Document:
    chosen = site.settings
    if source is not None:
        if source not in chosen.enabled_sources:
            raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such source.")
        chosen = chosen.model_copy(update={"sources": {source: chosen.sources[source]}})
    with reading(site.engine) as connection:
        if (known := newest(site)) is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "there is no capture yet.")
        before, after = (
            known.week if text == "latest" else composing.find_week(connection, chosen, text, site.clock())
            for text in (previous, current)
        )
        if before >= after:
            raise UsageError(f"{before} is not before {after}; name the older week first.")
        found = composing.compare_weeks(connection, chosen, before, after)
    if not found.sources:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"no source has a capture in or before {after}.")
    return changes_document(found, chosen.sources, str(before), str(after), everything=everything)


# The newest figures


@_published("/leaderboard", "Each source's ranking: the document of `digest leaderboard --json`", Document, 404)
def leaderboard(
    request: Request,
    site: Here,
    source: SourceId = None,
    category: Annotated[str | None, Query(max_length=200, description="a category or benchmark, not the lead")] = None,
) -> Response:
    """`rank` counts the rows that are better; `band` is the best rank a row could hold within uncertainty."""
    known = _newest(site)
    boards = chosen_boards(site, known, source, category)
    if not boards:
        raise HTTPException(HTTPStatus.NOT_FOUND, "no source has such a ranking.")
    week = str(known.week)
    documents = [
        board_document(
            known.snapshots[name], name, site.settings.sources[name], week, benchmark, known.standings(name, benchmark)
        )
        for name, benchmark in boards
    ]
    return _json(request, {"week": week, "boards": documents})


Model = Annotated[
    list[Annotated[str, Query(min_length=1, max_length=LONGEST_NAME)]],
    Query(min_length=2, max_length=MOST_MODELS, description="a name in any spelling, once for each model"),
]


@_published("/versus", "Models side by side: the document of `digest versus --json`", Document, 404)
def versus(request: Request, site: Here, model: Model) -> Response:
    """In the order of the names as canonical ids, whatever the order they are asked for in."""
    known = _newest(site)
    _names, found = answer(site, known, model)
    if isinstance(found, DigestError):
        if isinstance(found, UsageError):
            raise found
        raise HTTPException(HTTPStatus.NOT_FOUND, reason(found))
    return _json(request, {"week": str(known.week), **versus_document(found)})


def _newest(site: Site) -> Newest:
    known = newest(site)
    if known is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "there is no capture yet.")
    return known
