"""The receipt of a figure or a change that an approved edition tells: both captures, the rows, the source."""

import re
from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple

from fastapi import APIRouter, Request, Response
from sqlalchemy import Engine
from starlette.exceptions import HTTPException

from digest.config.source import Source
from digest.database import reading
from digest.edition import store
from digest.edition.content import Captured, Edition, Receipt
from digest.edition.numbers import benchmark_name, day, not_known, plain, shown
from digest.edition.retelling import tellable
from digest.edition.source_words import correction_sentence
from digest.edition.store import Published
from digest.edition.watch_words import row_of
from digest.errors import StorageError
from digest.language import _, decimal_symbol, ngettext
from digest.web.boards import revalidated
from digest.web.pages import LOOK, Here, Site

_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)
_EDITIONS = 1040  # twenty years of them
_MOST_TOLD = 10

router = APIRouter()


class Told(NamedTuple):
    """An edition that tells it."""

    week: str
    number: int


class Proven(NamedTuple):
    """A receipt with the sentence that the newest edition makes of it, and the editions that tell it, the newest first.
    `home` is where the source is read by people."""

    receipt: Receipt
    title: str
    sentence: str
    told: tuple[Told, ...]
    home: str


def proven(site: Site, id_: str) -> Proven | None:
    """The receipt of an id; None where no edition whose approval stands tells it."""
    if not _ID.fullmatch(id_):
        return None
    with reading(site.engine) as connection:
        published = store.published(connection, _EDITIONS)
        holders = [one for one in published if id_ in _ids(site.engine, one)][:_MOST_TOLD]
        editions = [edition for one in holders if (edition := store.load_published(connection, one)) is not None]
    if not editions:
        return None
    newest = editions[0]
    receipt = next(it for it in newest.receipts if it.id == id_)
    return Proven(
        receipt=receipt,
        title=about(receipt),
        sentence=_told_sentence(newest, id_) or sentence(receipt),
        told=tuple(Told(edition.week, edition.number) for edition in editions),
        home=_home(site.settings.sources.get(receipt.source), newest, receipt),
    )


@lru_cache(maxsize=_EDITIONS)
def _ids(engine: Engine, one: Published) -> frozenset[str]:
    """The ids of all receipts of an edition; none of one that cannot be read, or is not what was approved."""
    with suppress(StorageError), reading(engine) as connection:
        edition = store.load_published(connection, one)
        return frozenset(receipt.id for receipt in edition.receipts) if edition else frozenset()
    return frozenset()


def _home(source: Source | None, edition: Edition, receipt: Receipt) -> str:
    """Where people read the source, as the edition said it."""
    told = next((health.home for health in edition.health if health.source == receipt.source), "")
    return told or (source.home if source else "") or receipt.url


def _told_sentence(edition: Edition, id_: str) -> str:
    """What the edition says of it, where it is a change that is told."""
    for correction in edition.corrections:
        if correction.change == id_:
            return correction_sentence(correction)
    thread = tellable([edition]).get(id_)
    if thread is None:
        return ""
    row = row_of(thread)
    return f"{row.label}: {row.detail}" if row.name else row.detail


def about(receipt: Receipt) -> str:
    """Which figure it is: `gpt-5.5-xhigh on LiveBench, overall`."""
    named = next((side.raw for side in (receipt.current, receipt.previous) if side and side.raw), None)
    where = f"{shown(receipt.title)}{f', {benchmark_name(receipt.measure)}' if receipt.measure else ''}"
    return _("%(row)s on %(where)s", row=shown(named, 80), where=where) if named else where


def sentence(receipt: Receipt) -> str:
    """Both figures as they were read, without a judgement of the difference."""
    now, before, what = receipt.current, receipt.previous, about(receipt)
    if now is None:
        return _("%(figure)s: no capture was read.", figure=what)
    value, on = value_words(receipt, now), day(now.on, year=True)
    if before is None:
        return _("%(figure)s: %(value)s on %(day)s, in the first capture.", figure=what, value=value, day=on)
    if (now.value, now.on) == (before.value, before.on):
        return _("%(figure)s: %(value)s on %(day)s.", figure=what, value=value, day=on)
    return _(
        "%(figure)s: %(value)s on %(day)s, %(was)s on %(before)s.",
        figure=what,
        value=value,
        day=on,
        was=value_words(receipt, before),
        before=day(before.on, year=True),
    )


def value_words(receipt: Receipt, captured: Captured) -> str:
    """The figure as it was read, to its last digit, in its unit."""
    value = captured.value
    if value is None:
        return not_known()
    if receipt.unit == "tokens":
        return ngettext("%(count)s token", "%(count)s tokens", int(value))
    exact = f"{value.normalize():f}".replace(".", decimal_symbol())
    digits = exact if abs(value.adjusted()) < 30 else plain(value, 2)
    if receipt.unit == "%":
        return _("%(amount)s%%", amount=digits)
    return f"{digits} {shown(receipt.unit, 30)}" if receipt.unit else digits


@router.api_route("/changes/{id_}", methods=LOOK)
def show(request: Request, site: Here, id_: str) -> Response:
    found = proven(site, id_)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    sides = [(_("After"), found.receipt.current), (_("Before"), found.receipt.previous)]
    values = {name: value_words(found.receipt, side) for name, side in sides if side is not None}
    return revalidated(
        request, site.page("receipt.html", path=f"/changes/{id_}", proven=found, sides=sides, values=values)
    )
