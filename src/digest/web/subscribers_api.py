"""The operators' API about readers: /api/v1/subscribers.

Who holds a key may sign people up from a site of their own, see who reads, and take them off. An address stands in a
body, never in a path: paths are logged on the way.
"""

from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from digest.database import reading
from digest.edition.renditions import Topic
from digest.language import LOCALES
from digest.membership import listing, signing_up
from digest.operations.keys import opened_by
from digest.operations.store import Scope
from digest.subscribers import store
from digest.subscribers.consent import State
from digest.subscribers.store import Subscriber
from digest.web.pages import Here, Site
from digest.web.problems import LATER, Problem, Route

A_MINUTE = 1000
"""So many requests a key may make in a minute."""

METHOD = "operator's site"
"""How the consent log says that a request came in by a key."""

_limiter = FixedWindowRateLimiter(MemoryStorage())
_bearer = HTTPBearer(auto_error=False, description="A key made by `digest keys add NAME --scope SCOPE`.")
_COUNTRY = r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$"


def _language(tag: str) -> str:
    if tag not in LOCALES:
        raise ValueError(f"is none of {', '.join(LOCALES)}")
    return tag


Country = Annotated[str, Field(pattern=_COUNTRY, description="ISO 3166-1 or 3166-2, such as DE or US-CA")]
Locale = Annotated[str, AfterValidator(_language), Field(json_schema_extra={"enum": list(LOCALES)})]


class _Sent(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Address(_Sent):
    email: Annotated[str, Field(min_length=3, max_length=320, json_schema_extra={"format": "idn-email"})]


class SignUp(Address):
    """A request that somebody made on the operator's own site. No topics means all of them."""

    country: Country | None = None
    locale: Locale = "en"
    topics: Annotated[list[Topic], Field(max_length=20)] = []


class Which(BaseModel):
    """`after` is the `next` of the page before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: State | None = None
    country: Country | None = None
    locale: Locale | None = None
    after: Annotated[str, Field(pattern=r"^[0-9]{1,19}$")] = "0"
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class Accepted(BaseModel):
    status: Literal["accepted"] = "accepted"


class Reader(BaseModel):
    """`confirmed_at` is when the consent that stands, or stood last, was given."""

    email: str
    state: State
    country: str | None
    locale: str
    topics: list[Topic]
    confirmed_at: AwareDatetime | None


class Page(BaseModel):
    """`next` is null on the last page."""

    subscribers: list[Reader]
    next: str | None


class Standing(BaseModel):
    state: State


router = APIRouter(prefix="/api/v1/subscribers", route_class=Route)


def _opens(scope: Scope) -> Any:
    """Lets in who has a key with a scope. Raises HTTPException: 401, 403, and 429 for too many in a minute."""

    def check(site: Here, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> None:
        key = opened_by(site.engine, given.credentials) if given else None
        if given is None or key is None:
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED, "a key is wanted that is open.", {"WWW-Authenticate": "Bearer"}
            )
        if scope not in key.scopes:
            raise HTTPException(HTTPStatus.FORBIDDEN, f"this wants a key with the scope {scope}.")
        if not _limiter.hit(RateLimitItemPerMinute(A_MINUTE), sha256(given.credentials.encode()).hexdigest()):
            raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, f"a key may ask {A_MINUTE} times a minute.", LATER)

    return Depends(check)


def _problems(*more: int) -> dict[int | str, dict[str, Any]]:
    statuses = (400, 401, 403, *more, 413, 422, 429, 503)
    return {status: {"model": Problem, "description": HTTPStatus(status).phrase} for status in statuses}


@router.post(
    "",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[_opens("subscribe")],
    responses=_problems(),
    summary="Sign somebody up; they confirm by a mail of ours",
)
def sign_up(site: Here, sent: SignUp) -> Accepted:
    """The answer is the same for who is new, known or suppressed; what follows goes by mail."""
    fields = {"email": sent.email, "locale": sent.locale, "country": sent.country or "", "agree": "yes"}
    asked = signing_up.parse(fields, sent.topics, None, "unknown", METHOD)
    signing_up.sign_up(site.engine, site.settings, asked, site.clock())
    return Accepted()


@router.get("", dependencies=[_opens("read")], responses=_problems(), summary="Readers, a page at a time")
def list_readers(site: Here, which: Annotated[Which, Query()]) -> Page:
    """In an order of no meaning that stays as it is while readers come and go."""
    after = min(int(which.after), 2**63 - 1)
    with reading(site.engine) as connection:
        found = store.page(connection, after, which.limit + 1, which.state, which.country, which.locale)
    shown_here, more = found[: which.limit], len(found) > which.limit
    return Page(subscribers=[_reader(one) for one in shown_here], next=str(shown_here[-1].id) if more else None)


@router.post("/find", dependencies=[_opens("read")], responses=_problems(404), summary="One reader by address")
def find(site: Here, sent: Address) -> Reader:
    return _reader(_known(site, sent))


@router.post(
    "/remove",
    dependencies=[_opens("write")],
    responses=_problems(404),
    summary="Withdraw a reader's consent on their behalf",
)
def remove(site: Here, sent: Address) -> Standing:
    known = _known(site, sent)
    gone = listing.remove(site.engine, sent.email, site.clock())
    return Standing(state="withdrawn" if gone else known.consent.state)


@router.post(
    "/erase",
    dependencies=[_opens("write")],
    responses=_problems(404),
    summary="Forget a reader for ever; a keyed hash keeps imports from bringing them back",
)
def erase(site: Here, sent: Address) -> Standing:
    _known(site, sent)
    listing.erase(site.engine, site.settings, sent.email, site.clock())
    return Standing(state="erased")


def _known(site: Site, sent: Address) -> Subscriber:
    known = listing.find(site.engine, sent.email)
    if known is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "no reader has this address.")
    return known


def _reader(known: Subscriber) -> Reader:
    return Reader(
        email=known.email,
        state=known.consent.state,
        country=known.consent.country,
        locale=known.locale,
        topics=list(known.topics),
        confirmed_at=known.consent.confirmed_at,
    )
