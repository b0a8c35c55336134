"""Signing up, confirming, and asking for a link to one's own pages.

What a page answers here depends on what was typed and on how much was asked from where, never on who is known: what
depends on that goes by mail, and the answer waits so that its time tells nothing either.
"""

import asyncio
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from digest.database import reading, writing
from digest.edition import store as editions
from digest.edition.content import Edition
from digest.edition.numbers import capital
from digest.edition.renditions import TOPICS
from digest.errors import UsageError
from digest.language import LOCALES, _, message_of, pgettext, spoken
from digest.membership import choices, signing_up
from digest.membership.addresses import email_key
from digest.subscribers import links, store
from digest.subscribers.consent import wording
from digest.subscribers.location import Visit, visit
from digest.subscribers.regimes import UNKNOWN, packaged_regimes
from digest.web import abuse
from digest.web.choices import speaking_to
from digest.web.countries import countries, country_name
from digest.web.forms import Form, Sent
from digest.web.pages import LOOK, Here, Site

ANSWER_AFTER = 0.2
"""Seconds. An answer that the database had a part in comes after this time, or after the next multiple of it."""

_CONFIRMING = ("confirm", links.KEEP)

router = APIRouter()


@router.api_route("/", methods=LOOK)
def form(site: Here, request: Request) -> Response:
    return _form(site, _visit(site, request), Form(), {})


@router.post("/subscribe")
async def subscribe(site: Here, request: Request, sent: Sent) -> Response:
    _own_form(request)
    seen = _visit(site, request)
    errors = _email_error(sent)
    if not sent.get("agree"):
        errors["agree"] = _("Tick this box if you want the mail; without it we may not send any.")
    if not sent.getlist("topics"):
        errors["topics"] = _("Choose at least one.")
    if not errors:
        try:
            asked = signing_up.parse(dict(sent), sent.getlist("topics"), seen.country, seen.derived)
        except UsageError as error:
            errors["form"] = _sentence(error)
    errors = errors or await _doubts(site, sent)
    if errors:
        return await run_in_threadpool(_form, site, seen, sent, errors)
    await _take(site, seen, asked.email_key)
    await _unhurried(sent, lambda: signing_up.sign_up(site.engine, site.settings, asked, site.clock()))
    return site.page("check_your_mail.html")


@router.api_route("/preferences", methods=LOOK)
def ask_for_link(site: Here) -> Response:
    return _link_form(site, Form(), {})


@router.post("/preferences")
async def send_link(site: Here, request: Request, sent: Sent) -> Response:
    _own_form(request)
    errors = _email_error(sent) or await _doubts(site, sent)
    if errors:
        return _link_form(site, sent, errors)
    key = email_key(sent["email"].strip())
    await _take(site, _visit(site, request), key, signing_up=False)
    await _unhurried(sent, lambda: signing_up.send_link(site.engine, site.settings, key, site.clock()))
    return site.page("link_on_its_way.html")


@router.api_route("/confirm/{token}", methods=LOOK)
def ask_to_confirm(site: Here, request: Request, token: str) -> Response:
    now = site.clock()
    with speaking_to(site, request, token, *_CONFIRMING):
        result = signing_up.expected(site.engine, token, site.keys, now)
        if result in ("expired", "unknown"):
            return site.no_such_link(result, "confirm")
        if result == "already":
            return site.page("confirmed.html", already=True, preferences=None)
        regime = signing_up.standing(site.engine, site.settings, token, site.keys, now)
        keeps = links.read(token, links.KEEP, site.keys, now) is not None
        return site.page("confirm.html", keeps=keeps, wording=wording(spoken()), age=regime.minors_age)


@router.post("/confirm/{token}")
def confirm(site: Here, request: Request, token: str, sent: Sent) -> Response:
    now = site.clock()
    result = signing_up.confirm(site.engine, site.settings, token, site.keys, now, sent.get("wording", ""))
    with speaking_to(site, request, token, *_CONFIRMING):
        if result in ("expired", "unknown"):
            return site.no_such_link(result, "confirm")
        if result == "already":
            return site.page("confirmed.html", already=True, preferences=None)
        preferences = choices.fresh_token(site.engine, token, site.keys, now)
        return site.page("confirmed.html", already=False, preferences=preferences)


def _form(site: Site, seen: Visit, sent: Form, errors: Mapping[str, str]) -> Response:
    """The sign-up page: new, or with what was typed and what is wrong with it."""
    country = seen.country
    regime = packaged_regimes(site.settings.consent.regimes).of(country)
    strictest = regime.code == UNKNOWN
    typed = {
        "email": sent.get("email", ""),
        "topics": sent.getlist("topics") if sent else list(TOPICS),
        "locale": sent.get("locale", spoken()),
        "country": sent.get("country", ""),
        "agree": bool(sent.get("agree")),
    }
    return site.page(
        "sign_up.html",
        HTTPStatus.BAD_REQUEST if errors else HTTPStatus.OK,
        typed=typed,
        errors={"form": "", "email": "", "topics": "", "agree": "", "captcha": "", **errors},
        edition=_newest(site),
        located=message_of(regime.name) if regime.code == country else country_name(country),
        rules="" if strictest else message_of(regime.within or regime.name),
        age=regime.minors_age,
        wording=wording(spoken()),
        topics=TOPICS,
        locales=LOCALES,
        countries=countries(),
        **_guards(site, sent),
    )


def _newest(site: Site) -> Edition | None:
    with reading(site.engine) as connection:
        stored = editions.newest_approved(connection)
    return stored.edition if stored else None


def _link_form(site: Site, sent: Form, errors: Mapping[str, str]) -> Response:
    return site.page(
        "ask_link.html",
        HTTPStatus.BAD_REQUEST if errors else HTTPStatus.OK,
        typed={"email": sent.get("email", "")},
        errors={"form": "", "email": "", "captcha": "", **errors},
        **_guards(site, sent),
    )


def _email_error(sent: Form) -> dict[str, str]:
    email = sent.get("email", "").strip()
    if not email:
        return {"email": _("Write the address that the mail is to go to.")}
    try:
        email_key(email)
    except UsageError as error:
        # The reason is the library's, in English; another language says what is wrong without it.
        return {"email": pgettext("of an address that is none", "%(reason)s", reason=_sentence(error))}
    return {}


def _sentence(error: UsageError) -> str:
    return f"{capital(str(error)).rstrip('.')}."


def _visit(site: Site, request: Request) -> Visit:
    """What is known of who asks; the address is in no variable here."""
    return visit(
        request.client.host if request.client else None,
        request.headers,
        site.settings.location,
        site.day_key(site.clock()),
        site.country_at,
    )


def _guards(site: Site, sent: Form) -> dict[str, Any]:
    """What a form carries against programs that fill it in. One that comes back keeps its token while that is good."""
    captcha, now = site.settings.signup.captcha, site.clock()
    token = sent.get(abuse.TOKEN_FIELD, "")
    if abuse.too_fast(token, site.keys, now + abuse.SHORTEST):
        token = abuse.form_token(site.keys, now)
    return {
        "honeypot": abuse.HONEYPOT,
        "token_field": abuse.TOKEN_FIELD,
        "form_token": token,
        "captcha": captcha.field if captcha.verify_url else "",
    }


async def _doubts(site: Site, sent: Form) -> dict[str, str]:
    """What speaks for a program, as an error that a person can mend."""
    if abuse.too_fast(sent.get(abuse.TOKEN_FIELD, ""), site.keys, site.clock()):
        told = _("That was faster than a person types, or the page was open too long. Press the button again.")
        return {"form": told}
    if not await run_in_threadpool(abuse.passes_captcha, site.settings.signup.captcha, sent):
        return {"captcha": _("The proof that you are a person did not hold; try it again.")}
    return {}


def _own_form(request: Request) -> None:
    """Refuse a form that another site's page sends (Fetch Metadata): its visitors asked for nothing."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise HTTPException(HTTPStatus.BAD_REQUEST)


async def _take(site: Site, seen: Visit, key: str, *, signing_up: bool = True) -> None:
    """Count a request. Raises HTTPException: 429 for too many from one place, 503 while confirmations are paused."""
    verdict = site.limits.take(seen, key, site.clock(), signing_up=signing_up)
    if verdict == "free":
        return
    if verdict == "braked":
        await run_in_threadpool(_brake, site)
    status = HTTPStatus.SERVICE_UNAVAILABLE if verdict == "braked" else HTTPStatus.TOO_MANY_REQUESTS
    raise HTTPException(status, headers={"Retry-After": str(int(abuse.PAUSE.total_seconds()))})


def _brake(site: Site) -> None:
    """Hold the confirmations that wait, too, and let `digest status` say so; once, however many requests follow."""
    now = site.clock()
    with reading(site.engine) as connection:
        braked = store.braked_until(connection, now)
    if braked is None:
        with writing(site.engine) as connection:
            store.brake(connection, now, now + abuse.PAUSE)


async def _unhurried(sent: Form, work: Callable[[], None]) -> None:
    """Do the work, none for a program that filled in what nobody sees, and end at a time that does not tell which."""
    clock = asyncio.get_running_loop().time
    started = clock()
    try:
        if not sent.get(abuse.HONEYPOT):
            await run_in_threadpool(work)
    finally:
        await asyncio.sleep(ANSWER_AFTER - (clock() - started) % ANSWER_AFTER)
