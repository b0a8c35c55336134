"""The web application: its pages, what every answer carries, what is said when something is wrong.

No script, no cookie, nothing from elsewhere. Opening a page changes nothing.
"""

import logging
import socket
from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from sqlalchemy import Engine
from starlette.exceptions import HTTPException

from digest.config.settings import Settings
from digest.database import SCHEMA_VERSION, reading, schema_version, writing
from digest.errors import DigestError, StorageError
from digest.subscribers import store
from digest.subscribers.location import country_database, daily_key
from digest.subscribers.regimes import packaged_regimes
from digest.web import (
    about,
    admin,
    api,
    boards,
    choices,
    editions,
    feeds,
    leaving,
    metrics,
    public_api,
    receipts,
    signing_up,
    subscribers_api,
    versus,
    webhooks,
)
from digest.web.abuse import Limits
from digest.web.languages import Speaking
from digest.web.pages import LOOK, Site, headers_for, style_sheet
from digest.web.problems import problem

_log = logging.getLogger(__name__)


def create_app(engine: Engine, settings: Settings, clock: Callable[[], datetime]) -> FastAPI:
    """The web application on one database. Raises StorageError if that does not answer now, ConfigError for rows
    of regimes that cannot be read."""
    with writing(engine) as connection:
        keys = store.link_keys(connection, settings.links, clock())
    packaged_regimes(settings.consent.regimes)  # a file that cannot be read is told now, not to the first reader
    site = Site(
        engine=engine,
        settings=settings,
        clock=clock,
        keys=keys,
        style=style_sheet(),
        limits=Limits(settings.signup),
        day_key=daily_key(),
        country_at=country_database(settings.location.database, clock),
    )
    app = FastAPI(title=settings.series.title, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.site = site
    for room in (
        signing_up,
        choices,
        leaving,
        editions,
        receipts,
        boards,
        versus,
        feeds,
        about,
        api,
        subscribers_api,
        public_api,
        webhooks,
        admin,
    ):
        app.include_router(room.router)

    @app.api_route("/healthz", methods=LOOK)
    def healthz() -> Response:
        try:
            with reading(engine) as connection:
                store.check(connection)
        except StorageError:
            return PlainTextResponse("the database does not answer\n", HTTPStatus.SERVICE_UNAVAILABLE)
        return PlainTextResponse("ok\n")

    @app.api_route("/readyz", methods=LOOK)
    def readyz() -> Response:
        """Ready to serve: the database answers and has the tables of this program."""
        try:
            ready = schema_version(engine) == SCHEMA_VERSION
        except StorageError:
            ready = False
        if ready:
            return PlainTextResponse("ok\n")
        return PlainTextResponse("not ready: see digest doctor\n", HTTPStatus.SERVICE_UNAVAILABLE)

    if settings.web.metrics:
        app.include_router(metrics.router)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        if request.url.path.startswith("/api/"):
            return problem(error.status_code, str(error.detail), dict(error.headers or {}))
        page = site.page("refused.html", HTTPStatus(error.status_code), code=error.status_code)
        page.headers.update(error.headers or {})
        return page

    @app.exception_handler(DigestError)
    async def not_now(_request: Request, error: DigestError) -> Response:
        _log.error("a page could not be made: %s", error)
        return site.page("not_now.html", HTTPStatus.SERVICE_UNAVAILABLE)

    _guard(app, site)
    app.add_middleware(Speaking)
    return app


def _guard(app: FastAPI, site: Site) -> None:
    """Give every answer its headers, and a page to what nobody foresaw."""
    headers = headers_for(site)

    @app.middleware("http")
    async def guarded(request: Request, respond: Callable[[Request], Awaitable[Response]]) -> Response:
        try:
            response = await respond(request)
        except Exception as error:  # noqa: BLE001 (its words are not logged: they may hold what a reader typed)
            trace = error.__traceback__
            while trace and trace.tb_next:
                trace = trace.tb_next
            where = f"{trace.tb_frame.f_code.co_filename} line {trace.tb_lineno}" if trace else "an unknown place"
            _log.error("a page failed with %s in %s", type(error).__name__, where)
            response = site.page("not_now.html", HTTPStatus.INTERNAL_SERVER_ERROR)
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response


def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve until interrupted. No access log: it would hold network addresses and tokens.

    Raises DigestError where the address or port cannot be listened on.
    """
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
            # Connections inherit it. asyncio would set it only on sockets whose protocol is named, which this is not;
            # without it a page's second packet waits 40 ms for the first one's acknowledgement.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            print(f"serving http://{host}:{listener.getsockname()[1]}", flush=True)
            config = uvicorn.Config(
                app, access_log=False, log_level="warning", server_header=False, proxy_headers=False, lifespan="off"
            )
            uvicorn.Server(config).run(sockets=[listener])
    except OSError as error:
        raise DigestError(f"port {port} of {host} cannot be listened on: {error.strerror}; name another.") from error
