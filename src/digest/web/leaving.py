"""Leaving by the link of a mail: opening it asks, pressing acts. Also the target of RFC 8058's one-click POST."""

from datetime import timedelta
from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from digest.membership import choices, leaving
from digest.subscribers import links
from digest.web.choices import speaking_to
from digest.web.forms import Sent
from digest.web.pages import LOOK, Here

router = APIRouter()


@router.api_route("/unsubscribe/{token}", methods=LOOK)
def ask(site: Here, request: Request, token: str) -> Response:
    if links.read(token, links.UNSUBSCRIBE, site.keys, site.clock()) is None:
        return site.no_such_link("unknown", "unsubscribe")
    # Of the reader only the language shows, which the mail showed too: a forwarded one must tell nothing.
    with speaking_to(site, request, token, links.UNSUBSCRIBE):
        return site.page("unsubscribe.html", token=token, reasons=leaving.REASONS)


@router.post("/unsubscribe/{token}")
def act(site: Here, request: Request, token: str, form: Sent) -> Response:
    # The button and a mail program's one-click are the same: the signed token authorises it.
    one_click = form.get("List-Unsubscribe") == "One-Click"
    result = leaving.unsubscribe(
        site.engine, token, site.keys, site.clock(), form.get("reason", ""), one_click=one_click
    )
    with speaking_to(site, request, token, links.UNSUBSCRIBE):
        if result in ("done", "already"):
            return site.page("unsubscribed.html", token=token, already=result == "already", undo_days=leaving.UNDO_DAYS)
        return site.no_such_link(result, "unsubscribe")


@router.post("/unsubscribe/{token}/undo")
def undo(site: Here, request: Request, token: str, _form: Sent) -> Response:
    result = leaving.undo(site.engine, token, site.keys, site.clock())
    with speaking_to(site, request, token, links.UNSUBSCRIBE):
        if result in ("done", "already"):
            return site.page("undone.html", already=result == "already")
        return site.no_such_link(result, "undo")


@router.post("/unsubscribe/{token}/pause")
def pause(site: Here, request: Request, token: str, _form: Sent) -> Response:
    now = site.clock()
    if links.read(token, links.UNSUBSCRIBE, site.keys, now) is None:
        return site.no_such_link("unknown", "unsubscribe")
    result = choices.pause(site.engine, token, choices.PAUSE_WEEKS, site.keys, now)
    with speaking_to(site, request, token, links.UNSUBSCRIBE):
        if result == "done":
            return site.page("paused.html", until=(now + timedelta(weeks=choices.PAUSE_WEEKS)).date())
        return site.page("not_subscribed.html", HTTPStatus.CONFLICT)
