"""A reader's own pages, each behind a link that was mailed: preferences, what we hold, being forgotten."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response

from digest.edition.numbers import capital, day
from digest.edition.renditions import FORMATS, TOPICS
from digest.edition.watch_facts import WatchList
from digest.errors import StorageError, UsageError
from digest.language import LOCALES, N_, _, speaking, spoken
from digest.membership import choices, leaving
from digest.membership.choices import Account, FieldError
from digest.membership.signing_up import Result
from digest.web.countries import countries, country_name
from digest.web.forms import Form, Sent
from digest.web.held import in_words
from digest.web.pages import LOOK, Here, Site

router = APIRouter()

_QUIET_WEEKS = {
    "note": (N_("Send a short note"), N_("So silence never means a broken feed.")),
    "skip": (N_("Skip it"), N_("You hear from us when there is news of weight.")),
}
_FOLLOWED = {
    "models": N_("model"),
    "providers": N_("maker"),
    "benchmarks": N_("benchmark"),
    "categories": N_("category"),
    "needs": N_("need"),
}


@contextmanager
def speaking_to(site: Site, request: Request, token: str, *purposes: str) -> Iterator[None]:
    """Within it a page speaks the language of the reader whom a link names, unless the address asks for another."""
    own = None
    if request.query_params.get("lang") not in LOCALES:
        with suppress(StorageError):  # a database that does not answer is told by what wants more of it
            own = choices.language_of(site.engine, token, purposes, site.keys, site.clock())
    with speaking(own or spoken()):
        yield


@router.api_route("/preferences/{token}", methods=LOOK)
def show(site: Here, request: Request, token: str) -> Response:
    with speaking_to(site, request, token, "preferences"):
        account = choices.account(site.engine, site.settings, token, site.keys, site.clock())
        if not isinstance(account, Account):
            return site.no_such_link(account, "preferences")
        return _preferences(site, token, account)


@router.post("/preferences/{token}")
def save(site: Here, request: Request, token: str, form: Sent) -> Response:
    now = site.clock()
    with speaking_to(site, request, token, "preferences"):
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
            return _preferences(site, token, account, form=form, error=error)
    result = choices.change(site.engine, site.settings, token, chosen, site.keys, now)
    with speaking_to(site, request, token, "preferences"):  # which may be another language by now
        return _after(site, token, result, _("Saved, %(time)s UTC", time=f"{now.astimezone(UTC):%H:%M}"))


@router.post("/preferences/{token}/pause")
def pause(site: Here, request: Request, token: str, form: Sent) -> Response:
    now, ends = site.clock(), form.get("weeks") == "0"
    with speaking_to(site, request, token, "preferences"):
        account = choices.account(site.engine, site.settings, token, site.keys, now)
        if not isinstance(account, Account):  # a pause would take a mail's link, too, which must not open this page
            return site.no_such_link(account, "preferences")
        result = choices.pause(site.engine, token, 0 if ends else choices.PAUSE_WEEKS, site.keys, now)
        return _after(site, token, result, _("The pause is over") if ends else _("Paused"))


@router.api_route("/my-data/{token}", methods=LOOK)
def my_data(site: Here, request: Request, token: str, format: str = "") -> Response:
    with speaking_to(site, request, token, "my-data"):
        held = leaving.my_data(site.engine, token, site.keys, site.clock())
        if not isinstance(held, Mapping):
            return site.no_such_link(held, "my-data")
        if format == "json":
            text = json.dumps(held, ensure_ascii=False, indent=2)
            headers = {"Content-Disposition": 'attachment; filename="my-data.json"'}
            return Response(text, media_type="application/json", headers=headers)
        return site.page("my_data.html", held=in_words(held), token=token)


@router.api_route("/forget/{token}", methods=LOOK)
def ask_to_forget(site: Here, request: Request, token: str) -> Response:
    with speaking_to(site, request, token, "forget"):
        result = leaving.knows_forget(site.engine, token, site.keys, site.clock())
        if result in ("expired", "unknown"):
            return site.no_such_link(result, "forget")
        return site.page("forgotten.html" if result == "already" else "forget.html")


@router.post("/forget/{token}")
def forget(site: Here, request: Request, token: str, _form: Sent) -> Response:
    with speaking_to(site, request, token, "forget"):  # asked before there is nobody any more who has a language
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
    site: Site,
    token: str,
    account: Account,
    *,
    said: str = "",
    form: Form | None = None,
    error: UsageError | None = None,
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


def _placed(error: UsageError | None) -> dict[str, str]:
    """An error below the field that it names."""
    if error is None:
        return {}
    return {error.field if isinstance(error, FieldError) else "form": capital(str(error))}


def _followed(watch: WatchList) -> list[tuple[str, str]]:
    """What a list follows by name, each with the word for its kind."""
    return [(name, _(word)) for kind, word in _FOLLOWED.items() for name in getattr(watch, kind)]
