"""Where providers tell what became of our mail. Each proves itself by its own signature; nothing else is asked.

A request is checked before anything is read or stored, and its events are taken in by one transaction: should that
fail, the answer is no success, and the provider tells them again.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Annotated

import requests
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from digest.config.sections import Webhooks
from digest.database import writing
from digest.delivery.providers import mailgun, postmark, sendgrid, ses
from digest.delivery.providers.events import ForgedError, PayloadError, Verified
from digest.errors import DeliveryError
from digest.membership.returned import take_events
from digest.web.pages import Here

router = APIRouter()
_log = logging.getLogger(__name__)

MOST_BYTES = 2 * 1024 * 1024
"""Of a request; SendGrid sends up to 1,000 events at once."""

_MOST_FROM_AMAZON = 64 * 1024
_PATIENCE = 5  # seconds for Amazon's certificate


async def _body(request: Request) -> bytes:
    """The body as it came, for signatures are over its bytes. Raises HTTPException 413 above MOST_BYTES."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    except ClientDisconnect as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST) from error
    return bytes(body)


@router.post("/webhooks/{provider}", include_in_schema=False)
def told(site: Here, request: Request, provider: str, body: Annotated[bytes, Depends(_body)]) -> Response:
    """204 for events that were taken in, or were before; 403 for a bad signature, 400 for another form, 404 for a
    provider that is not listened to."""
    secret = _secret(site.settings.webhooks, provider)
    if not secret:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    now = site.clock()
    try:
        found = _VERIFY[provider](request.headers, body, secret, site.keys, now)
    except (ForgedError, PayloadError) as error:
        _log.warning("a webhook was refused: %s", error)
        status = HTTPStatus.FORBIDDEN if isinstance(error, ForgedError) else HTTPStatus.BAD_REQUEST
        return PlainTextResponse("refused\n", status)
    if isinstance(found, ses.Confirmation):
        from_amazon(found.link)
        return Response(status_code=HTTPStatus.NO_CONTENT)
    with writing(site.engine) as connection:
        take_events(connection, site.settings, found, f"{provider} event", now)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _secret(webhooks: Webhooks, provider: str) -> str:
    return getattr(webhooks, provider).get_secret_value() if provider in Webhooks.model_fields else ""


def from_amazon(link: str) -> bytes:
    """What a link of Amazon's leads to; the link was checked. Raises DeliveryError, which names no link."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            with session.get(link, timeout=_PATIENCE, allow_redirects=False, stream=True) as answer:
                if answer.status_code != HTTPStatus.OK:
                    raise DeliveryError(f"Amazon SNS answered with status {answer.status_code}; it will ask again.")
                return answer.raw.read(_MOST_FROM_AMAZON, decode_content=True)
    except (requests.RequestException, OSError) as error:
        raise DeliveryError("Amazon SNS cannot be reached; it will ask again.") from error


@lru_cache(maxsize=8)
def _certificate(link: str) -> bytes:
    return from_amazon(link)


_Verify = Callable[[Mapping[str, str], bytes, str, tuple[bytes, ...], datetime], Verified | ses.Confirmation]
_VERIFY: Mapping[str, _Verify] = {
    "postmark": postmark.verify,
    "mailgun": mailgun.verify,
    "sendgrid": sendgrid.verify,
    "ses": partial(ses.verify, fetch=_certificate),
}
