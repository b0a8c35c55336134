"""What the API says where something goes wrong: problem details (RFC 9457), and never what was sent."""

import logging
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, Literal

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from digest.edition.numbers import shown
from digest.errors import DigestError, UsageError

MOST_BYTES = 16 * 1024
LATER = {"Retry-After": "60"}

_log = logging.getLogger(__name__)


class Fault(BaseModel):
    pointer: str
    detail: str


class Problem(BaseModel):
    """Problem details for HTTP APIs (RFC 9457)."""

    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[Fault] | None = None


def problem(
    status: int, detail: str, headers: dict[str, str] | None = None, faults: list[Fault] | None = None
) -> Response:
    """An answer that says what went wrong, and never repeats what was sent."""
    found = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=faults)
    return JSONResponse(found.model_dump(exclude_none=True), status, headers, media_type="application/problem+json")


class Route(APIRoute):
    """A path that takes a body to a limit and says what is wrong as problem details."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        respond = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await respond(await _limited(request))
            except RequestValidationError as error:
                return _invalid(error)
            except HTTPException as error:
                return problem(error.status_code, str(error.detail), dict(error.headers or {}))
            except UsageError as error:
                return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
            except DigestError as error:
                _log.error("the API could not answer: %s", error)
                return problem(HTTPStatus.SERVICE_UNAVAILABLE, "it cannot be done now; try again later.", LATER)

        return handle


async def _limited(request: Request) -> Request:
    """The request with its body read. Raises HTTPException for one above MOST_BYTES."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has {MOST_BYTES} bytes at most.")

    async def once() -> dict[str, Any]:
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return Request(request.scope, once)


def _invalid(error: RequestValidationError) -> Response:
    faults = [
        Fault(pointer="".join(f"/{shown(str(step), 60)}" for step in one["loc"]), detail=one["msg"])
        for one in error.errors()
    ]
    if any(one["type"] == "json_invalid" for one in error.errors()):
        return problem(HTTPStatus.BAD_REQUEST, "the body is no JSON (RFC 8259).")
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "what was sent is not what this takes.", faults=faults[:20])
