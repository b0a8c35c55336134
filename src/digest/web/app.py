"""The public pages: unsubscribe, editions, whether the service lives. No script, no cookie, nothing from elsewhere."""

import hashlib
import socket
from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from sqlalchemy import Engine
from starlette.exceptions import HTTPException

from digest import membership
from digest.config import Settings, asset
from digest.database import reading, writing
from digest.errors import DigestError, StorageError
from digest.rendering.templates import fill
from digest.subscribers import links, store
from digest.web import editions


def create_app(engine: Engine, settings: Settings, clock: Callable[[], datetime]) -> FastAPI:
    """The web application on one database. Raises StorageError if that does not answer now."""
    with writing(engine) as connection:
        keys = store.link_keys(connection, settings.links, clock())
    style = (asset("templates") / "web" / "style.css").read_text(encoding="utf-8")
    headers = _headers(style)

    def page(template: str, status: HTTPStatus = HTTPStatus.OK, *, pictures: bool = False, **facts: object) -> Response:
        html = fill(f"web/{template}", {"series": settings.series, "style": style, **facts})
        return HTMLResponse(html, status, {"Content-Security-Policy": _policy(style, pictures=pictures)})

    app = FastAPI(title=settings.series.title, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)

    @app.api_route("/unsubscribe/{token}", methods=["GET", "HEAD"])
    def ask(token: str) -> Response:
        # The database is not even asked: link scanners open every link, and a forwarded mail must tell nothing.
        if links.read(token, links.UNSUBSCRIBE, keys) is None:
            return page("unknown_link.html", HTTPStatus.NOT_FOUND)
        return page("unsubscribe.html")

    @app.post("/unsubscribe/{token}")
    def act(token: str) -> Response:
        # The button and a mail program's one-click (RFC 8058) are the same: the signed token authorises it.
        if not membership.unsubscribe_by_token(engine, token, keys, clock()):
            return page("unknown_link.html", HTTPStatus.NOT_FOUND)
        return page("unsubscribed.html")

    app.include_router(editions.pages(engine, settings, page))

    @app.api_route("/healthz", methods=["GET", "HEAD"])
    def healthz() -> Response:
        try:
            with reading(engine) as connection:
                store.check(connection)
        except StorageError:
            return PlainTextResponse("the database does not answer\n", HTTPStatus.SERVICE_UNAVAILABLE)
        return PlainTextResponse("ok\n")

    @app.exception_handler(HTTPException)
    async def not_here(_request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
        return page("not_found.html", HTTPStatus(status))

    @app.exception_handler(DigestError)
    async def not_now(_request: Request, _error: Exception) -> Response:
        return page("not_now.html", HTTPStatus.SERVICE_UNAVAILABLE)

    @app.middleware("http")
    async def guarded(request: Request, respond: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await respond(request)
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

    return app


def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve until interrupted. No access log: it would hold network addresses and tokens.

    Raises DigestError where the address or port cannot be listened on.
    """
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
            print(f"serving http://{host}:{listener.getsockname()[1]}", flush=True)
            config = uvicorn.Config(
                app, access_log=False, log_level="warning", server_header=False, proxy_headers=False, lifespan="off"
            )
            uvicorn.Server(config).run(sockets=[listener])
    except OSError as error:
        raise DigestError(f"port {port} of {host} cannot be listened on: {error.strerror}; name another.") from error


def _headers(style: str) -> dict[str, str]:
    """For every answer that does not say otherwise."""
    return {
        "Content-Security-Policy": _policy(style),
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }


def _policy(style: str, *, pictures: bool = False) -> str:
    """What a page may load (CSP level 2): the one style sheet, which stands in it, by its hash; `pictures` of ours."""
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    own = "; img-src 'self'" if pictures else ""
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'{own}; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
