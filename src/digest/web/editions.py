"""Approved editions on the web: a list of them, and of each what it says first, the whole note, its sources."""

import hashlib
import re
from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, Response
from sqlalchemy import Engine
from starlette.exceptions import HTTPException

from digest.database import reading
from digest.edition import store
from digest.edition.content import Cover, Edition
from digest.web.pages import LOOK, Here

_WEEK = re.compile(r"\d{4}-W\d{2}", re.ASCII)  # an ISO 8601 week in the one form that is stored and linked
_AFTER_ALL = "9999-W99"
_MOST_LISTED = 60

router = APIRouter()


@router.api_route("/editions", methods=LOOK)
def show_all(site: Here) -> Response:
    with reading(site.engine) as connection:
        stored = store.approved_before(connection, _AFTER_ALL, _MOST_LISTED)
    return site.page("editions.html", editions=[one.edition for one in reversed(stored) if one.approved])


@router.api_route("/editions/{week}", methods=LOOK)
def show(site: Here, week: str) -> Response:
    edition = _approved(site.engine, week)
    has_cover = edition.note is not None and edition.note.cover is not None
    return site.page("edition.html", pictures=has_cover, edition=edition)


@router.api_route("/editions/{week}/cover", methods=LOOK)
def show_cover(site: Here, week: str) -> Response:
    note = _approved(site.engine, week).note
    cover = note.cover if note else None
    picture = _picture(site.settings.series.notes, cover) if cover else None
    if cover is None or picture is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return Response(picture, media_type=cover.media_type)


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
