"""A reader's own pages, each behind a link that was mailed: preferences, what we hold, being forgotten."""

import json
from collections.abc import Mapping
from datetime import UTC
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Response

from digest.edition.content import WatchList
from digest.edition.numbers import capital, day
from digest.edition.renditions import FORMATS, LOCALES, TOPICS
from digest.errors import UsageError
from digest.membership import choices, leaving
from digest.membership.choices import Account
from digest.membership.signing_up import Result
from digest.web.countries import countries, country_name
from digest.web.forms import Form, Sent
from digest.web.pages import LOOK, Here, Site

router = APIRouter()

_QUIET_WEEKS = {
    "note": ("Send a short note", "So silence never means a broken feed."),
    "skip": ("Skip it", "You hear from us when there is news of weight."),
}
_FOLLOWED = {
    "models": "model",
    "providers": "maker",
    "benchmarks": "benchmark",
    "categories": "category",
    "needs": "need",
}


@router.api_route("/preferences/{token}", methods=LOOK)
def show(site: Here, token: str) -> Response:
    account = choices.account(site.engine, site.settings, token, site.keys, site.clock())
    if not isinstance(account, Account):
        return site.no_such_link(account, "preferences")
    return _preferences(site, token, account)


@router.post("/preferences/{token}")
def save(site: Here, token: str, form: Sent) -> Response:
    now = site.clock()
    account = choices.account(site.engine, site.settings, token, site.keys, now)
    if not isinstance(account, Account):
        return site.no_such_link(account, "preferences")
    try:
        chosen = choices.parse(
            dict(form),
            form.getlist("topics"),
            form.get("add", ""),
            form.getlist("remove"),
            account.choices,
            site.engine,
        )
    except UsageError as error:
        return _preferences(site, token, account, form=form, error=str(error))
    result = choices.change(site.engine, site.settings, token, chosen, site.keys, now)
    return _after(site, token, result, f"Saved, {now.astimezone(UTC):%H:%M} UTC")


@router.post("/preferences/{token}/pause")
def pause(site: Here, token: str, form: Sent) -> Response:
    now, ends = site.clock(), form.get("weeks") == "0"
    account = choices.account(site.engine, site.settings, token, site.keys, now)
    if not isinstance(account, Account):  # a pause would take the link of a mail, too, which must not open this page
        return site.no_such_link(account, "preferences")
    result = choices.pause(site.engine, token, 0 if ends else choices.PAUSE_WEEKS, site.keys, now)
    return _after(site, token, result, "The pause is over" if ends else "Paused")


@router.api_route("/my-data/{token}", methods=LOOK)
def my_data(site: Here, token: str, format: str = "") -> Response:
    held = leaving.my_data(site.engine, token, site.keys, site.clock())
    if not isinstance(held, Mapping):
        return site.no_such_link(held, "my-data")
    if format == "json":
        text = json.dumps(held, ensure_ascii=False, indent=2)
        headers = {"Content-Disposition": 'attachment; filename="my-data.json"'}
        return Response(text, media_type="application/json", headers=headers)
    return site.page("my_data.html", held=held, token=token)


@router.api_route("/forget/{token}", methods=LOOK)
def ask_to_forget(site: Here, token: str) -> Response:
    result = leaving.knows_forget(site.engine, token, site.keys, site.clock())
    if result in ("expired", "unknown"):
        return site.no_such_link(result, "forget")
    return site.page("forgotten.html" if result == "already" else "forget.html")


@router.post("/forget/{token}")
def forget(site: Here, token: str, _form: Sent) -> Response:
    result = leaving.forget(site.engine, token, site.keys, site.clock())
    if result in ("expired", "unknown"):
        return site.no_such_link(result, "forget")
    return site.page("forgotten.html")


def _after(site: Site, token: str, result: Result, said: str) -> Response:
    """The preferences as they are after an act, with a word that it worked."""
    if result in ("expired", "unknown"):
        return site.no_such_link(result, "preferences")
    account = choices.account(site.engine, site.settings, token, site.keys, site.clock())
    if not isinstance(account, Account):
        return site.no_such_link(account, "preferences")
    return _preferences(site, token, account, said=said)


def _preferences(
    site: Site, token: str, account: Account, *, said: str = "", form: Form | None = None, error: str = ""
) -> Response:
    """The page: as stored, or with what was typed and the error in it."""
    kept = account.choices
    shown: dict[str, Any] = {
        "topics": kept.topics or tuple(TOPICS),
        "locale": kept.locale,
        "format": kept.format,
        "quiet_weeks": kept.quiet_weeks,
        "country": kept.country or "",
        "add": "",
        "remove": [],
    }
    if form is not None:
        typed = {name: form[name] for name in ("locale", "format", "quiet_weeks", "country", "add") if name in form}
        shown |= typed | {"topics": form.getlist("topics"), "remove": form.getlist("remove")}
    return site.page(
        "preferences.html",
        HTTPStatus.BAD_REQUEST if error else HTTPStatus.OK,
        token=token,
        account=account,
        shown=shown,
        followed=_followed(kept.watch),
        thresholds=kept.watch.thresholds,
        errors={"form": "", "topics": "", "add": "", **_placed(error)},
        said=said,
        since=day(account.since, year=True) if account.since else "",
        paused_until=day(account.paused_until, year=True) if account.paused_until else "",
        derived=bool(kept.country) and account.country_derived in ("header", "database"),
        topics=TOPICS,
        formats=FORMATS,
        quiet_weeks=_QUIET_WEEKS,
        locales=LOCALES,
        countries={kept.country: country_name(kept.country), **countries()} if kept.country else countries(),
        pause_weeks=choices.PAUSE_WEEKS,
        most_followed=choices.MOST_WATCHED,
    )


def _placed(error: str) -> dict[str, str]:
    """An error below the field that it names."""
    if not error:
        return {}
    about, _, reason = error.partition(": ")
    field = {"topics": "topics", "watch list": "add"}.get(about)
    return {field: capital(reason)} if field else {"form": capital(error)}


def _followed(watch: WatchList) -> list[tuple[str, str]]:
    """What a list follows by name, each with the word for its kind."""
    return [(name, word) for kind, word in _FOLLOWED.items() for name in getattr(watch, kind)]
