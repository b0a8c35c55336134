"""Approved editions on the web: the archive, of each edition all it says, its cover, and its picture for networks.

An edition is shown only while what is stored is what was approved. What is kept in memory is kept by the hash of what
was approved, so that an edition drafted anew is read anew, and by the language that it is told in.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection, Engine
from starlette.exceptions import HTTPException

from digest.database import reading
from digest.edition import frontier, history, store
from digest.edition.content import Cover, Edition
from digest.edition.numbers import in_words
from digest.edition.renditions import TOPICS
from digest.edition.store import Published
from digest.errors import StorageError
from digest.language import _, ngettext, speaking, spoken
from digest.rendering.cards import card_of, card_png
from digest.rendering.charts import rank_history_svg, score_by_price_svg
from digest.rendering.feeds import stamp
from digest.rendering.pages import ArchiveRow, Chart, archive_row, card_link, card_query, section_facts
from digest.rendering.templates import page_of
from digest.scores.store import leads_of_weeks
from digest.web.conditional import A_WHILE, FOREVER, conditional
from digest.web.pages import LOOK, Here

_WEEK = re.compile(r"\d{4}-W\d{2}", re.ASCII)  # an ISO 8601 week in the one form that is stored and linked
A_PAGE = 50

router = APIRouter()


@router.api_route("/editions", methods=LOOK)
def show_all(site: Here, page: str = "1") -> Response:
    number = int(page) if re.fullmatch(r"[1-9]\d{0,3}", page, re.ASCII) else 0
    with reading(site.engine) as connection:
        found = store.published(connection, A_PAGE + 1, A_PAGE * (number - 1)) if number else []
    if not found and number != 1:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    rows = []
    for one in found[:A_PAGE]:
        with suppress(StorageError, HTTPException):  # of another version, or tampered with: its own page says so
            rows.append(_row(site.engine, one, spoken()))
    older = len(found) > A_PAGE
    return site.page("editions.html", editions=rows, page=number, older=older, topics=TOPICS)


@lru_cache(maxsize=4096)
def _row(engine: Engine, one: Published, language: str) -> ArchiveRow:
    with reading(engine) as connection, speaking(language):
        return archive_row(edition_of(connection, one))


@router.api_route("/editions/{week}", methods=LOOK)
def show(site: Here, week: str) -> Response:
    one = _published(site.engine, week)
    with reading(site.engine) as connection:
        edition = edition_of(connection, one)
        before, after = store.published_beside(connection, week)
    address = page_of(edition, site.settings)
    return site.page(
        "edition.html",
        pictures=edition.note is not None and edition.note.cover is not None,
        **{**section_facts(edition, site.root, on_page=True), "charts": _charts(site.engine, one, spoken())},
        address=address,
        published=stamp(one.approved_at),
        card=card_link(edition, address),
        before=before,
        after=after,
    )


@lru_cache(maxsize=256)
def _charts(engine: Engine, one: Published, language: str) -> Mapping[str, Sequence[Chart]]:
    """The charts of each board, by its source: how its places went, and what its models cost."""
    charts: dict[str, list[Chart]] = {}
    with reading(engine) as connection, speaking(language):
        edition = edition_of(connection, one)
        for board in edition.boards:
            leads = leads_of_weeks(connection, board.source, edition.starts, history.WEEKS)
            places = history.rank_history(leads, board.title, edition.starts)
            if places is not None and len(places.weeks) > 1:
                weeks = len(places.weeks)
                title = ngettext("The last %(count)s week", "The last %(count)s weeks", weeks, count=in_words(weeks))
                charts.setdefault(board.source, []).append(Chart(title, rank_history_svg(places)))
            prices = frontier.score_by_price(edition, board.source)
            if prices is not None:
                charts.setdefault(board.source, []).append(Chart(_("Score by price"), score_by_price_svg(prices)))
    return charts


@router.api_route("/editions/{week}/card.png", methods=LOOK)
def show_card(site: Here, request: Request, week: str) -> Response:
    one = _published(site.engine, week)
    query, png = _card(site.engine, one, spoken())
    keep = FOREVER if request.url.query == query else A_WHILE
    picture = conditional(request, png, "image/png", one.approved_at, keep)
    picture.headers["Vary"] = "Accept-Language"
    return picture


@lru_cache(maxsize=64)
def _card(engine: Engine, one: Published, language: str) -> tuple[str, bytes]:
    """The query by which the picture is linked, which names all that it shows, and the picture."""
    with reading(engine) as connection, speaking(language):
        card = card_of(edition_of(connection, one))
        return card_query(card), card_png(card)


@router.api_route("/editions/{week}/cover", methods=LOOK)
def show_cover(site: Here, week: str) -> Response:
    one = _published(site.engine, week)
    with reading(site.engine) as connection:
        note = edition_of(connection, one).note
    cover = note.cover if note else None
    picture = _picture(site.settings.series.notes, cover) if cover else None
    if cover is None or picture is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return Response(picture, media_type=cover.media_type)


def _published(engine: Engine, week: str) -> Published:
    """The edition of a week whose approval stands. Raises HTTPException 404 where there is none."""
    if _WEEK.fullmatch(week):
        with reading(engine) as connection:
            one = store.published_on(connection, week)
        if one is not None:
            return one
    raise HTTPException(HTTPStatus.NOT_FOUND)


def edition_of(connection: Connection, one: Published) -> Edition:
    """What it says, as it was approved. Raises HTTPException 404 where something else is stored by now."""
    edition = store.load_published(connection, one)
    if edition is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return edition


def _picture(folder: Path, cover: Cover) -> bytes | None:
    """The bytes of the file that was approved; None where it is gone or is another by now."""
    try:
        data = (folder / cover.file).read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == cover.sha256 else None
