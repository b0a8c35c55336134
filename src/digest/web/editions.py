"""An approved edition on the web: what it says first, the whole note of which the mail has the opening, its sources."""

import hashlib
import re
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, Response
from sqlalchemy import Engine
from starlette.exceptions import HTTPException

from digest.config import Settings
from digest.database import reading
from digest.edition import store
from digest.edition.content import Cover, Edition

_WEEK = re.compile(r"\d{4}-W\d{2}", re.ASCII)  # an ISO 8601 week in the one form that is stored and linked


def pages(engine: Engine, settings: Settings, page: Callable[..., Response]) -> APIRouter:
    """`/editions/{week}` and its cover picture. `page` fills a template of templates/web/ with facts.

    Both answer 404 where there is no approved edition of that week; neither changes anything.
    """
    router = APIRouter()

    @router.api_route("/editions/{week}", methods=["GET", "HEAD"])
    def show(week: str) -> Response:
        edition = _approved(engine, week)
        has_cover = edition.note is not None and edition.note.cover is not None
        return page("edition.html", pictures=has_cover, edition=edition)

    @router.api_route("/editions/{week}/cover", methods=["GET", "HEAD"])
    def show_cover(week: str) -> Response:
        note = _approved(engine, week).note
        cover = note.cover if note else None
        picture = _picture(settings.series.notes, cover) if cover else None
        if cover is None or picture is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return Response(picture, media_type=cover.media_type)

    return router


def _approved(engine: Engine, week: str) -> Edition:
    """The edition of a week as it was approved. Raises HTTPException 404 where there is none."""
    if _WEEK.fullmatch(week):
        with reading(engine) as connection:
            stored = store.load_edition(connection, week)
        if stored is not None and stored.approved:
            return stored.edition
    raise HTTPException(HTTPStatus.NOT_FOUND)


def _picture(folder: Path, cover: Cover) -> bytes | None:
    """The bytes of the file that was approved; None where it is gone or is another by now."""
    try:
        data = (folder / cover.file).read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == cover.sha256 else None
