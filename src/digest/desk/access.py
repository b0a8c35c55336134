"""Who may open the desk: one browser of the person who started it, and nothing else that reaches this machine.

    the address on the terminal     /open/<token>, good for one visit
    the browser that is started     a file of this account that leads there: a command line is everybody's to read
    the first visit                 a cookie (HttpOnly, SameSite=Strict) for the desk's own path, and a redirect to it
    every other request             the cookie, and a Host that is this desk's
    what acts, and the event stream  also an Origin that is this desk's, and Sec-Fetch-Site: same-origin

Another user of the machine has no token. A page elsewhere gets no cookie sent (RFC 6265bis section 5.2), and its
requests say where they come from (RFC 6454; Fetch Metadata). A name that is pointed at this machine afterwards, DNS
rebinding, is a Host that is not ours. A cookie is sent to every port of a host, so ours has a path that no other local
server knows. Who may not come in is told nothing.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from http import HTTPStatus
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "desk"
_SAFE = ("GET", "HEAD")
_STREAM = "/events"

HEADERS = {
    "Content-Security-Policy": "default-src 'none'",
    "Referrer-Policy": "same-origin",  # with no-referrer the Origin of a form would be "null" (Fetch, section 3.2)
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""For every answer that does not say otherwise."""


def _secret() -> str:
    return secrets.token_urlsafe(32)


@dataclass
class Door:
    """The secrets of one run of the desk. `token` opens it once and is None afterwards; `room` is its path."""

    port: int
    token: str | None = field(default_factory=_secret, repr=False)
    session: str = field(default_factory=_secret, repr=False)
    room: str = field(default_factory=lambda: f"/{secrets.token_urlsafe(12)}", repr=False)
    leading: Path | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """Where the person who started the desk opens it, once."""
        return f"http://127.0.0.1:{self.port}/open/{self.token}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """What the Host header may say (RFC 9110 section 7.2)."""
        return f"127.0.0.1:{self.port}", f"localhost:{self.port}"

    def admits(self, method: str, path: str, headers: Mapping[str, str]) -> bool:
        """Whether a request for a path inside the room may be answered."""
        host = headers.get("host", "")
        if host not in self.hosts or not any(compare_digest(one, self.session.encode()) for one in _cookies(headers)):
            return False
        from_here = headers.get("sec-fetch-site", "same-origin") == "same-origin"
        origin = headers.get("origin")
        if method not in _SAFE:
            return from_here and origin == f"http://{host}"
        if path.endswith(_STREAM):
            return from_here and origin in (None, f"http://{host}")
        return headers.get("sec-fetch-site", "none") in ("same-origin", "none")

    def lead(self, folder: Path) -> Path:
        """Write the file that leads a browser to the address, for this account alone; it goes when the desk is opened.

        Raises OSError where it cannot be written.
        """
        self.leading = folder / "desk.html"
        with open(os.open(self.leading, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(_leading_to(self.address))
        return self.leading

    def open_with(self, token: str) -> bool:
        """Whether this is the token; it opens nothing a second time."""
        if self.token is None or not compare_digest(token.encode(), self.token.encode()):
            return False
        self.token = None
        if self.leading is not None:
            self.leading.unlink(missing_ok=True)
        return True


def _leading_to(address: str) -> str:
    """A page that leads on by itself (HTML Living Standard, 4.2.5.3)."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Desk</title>'
        f'<meta http-equiv="refresh" content="0;url={address}"></head>'
        f'<body><p><a href="{address}">The desk</a></p></body></html>\n'
    )


def _cookies(headers: Mapping[str, str]) -> list[bytes]:
    """Each cookie of the desk's name. Another server of this machine may have set one of it too, or others of any form
    (RFC 6265 section 5.4 sends what browsers took, not what section 4.1 allows)."""
    pairs = (pair.partition("=") for pair in headers.get("cookie", "").split(";"))
    return [value.strip().encode() for name, _, value in pairs if name.strip() == COOKIE]


class Guard:
    """The door in front of the application, which sees paths below the room alone."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self.app, self.door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = self._answer(scope["method"], scope["path"], Headers(scope=scope))
        if answer is not None:
            await answer(scope, receive, send)
            return

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        path = scope["path"].removeprefix(self.door.room)
        await self.app({**scope, "path": path, "raw_path": path.encode(), "root_path": ""}, receive, headed)

    def _answer(self, method: str, path: str, headers: Headers) -> Response | None:
        """What the door itself says; None lets a request in."""
        door = self.door
        if method in _SAFE and path.startswith("/open/") and headers.get("host") in door.hosts:
            # A look ahead (HEAD) does not use the token up.
            if method != "GET" or not door.open_with(path.removeprefix("/open/")):
                return _refused()
            return _let_in(door, headers.get("sec-fetch-site", ""))
        if path.startswith(f"{door.room}/") and door.admits(method, path, headers):
            return None
        return _refused()


def _let_in(door: Door, site: str) -> Response:
    """On to the desk. A visit that the file led here began elsewhere, and a redirect of it takes no SameSite=Strict
    cookie along (RFC 6265bis section 5.2): a page of the desk leads it on."""
    answer: Response = HTMLResponse(_leading_to(f"{door.room}/"), headers=HEADERS)
    if site == "none":
        answer = RedirectResponse(f"{door.room}/", HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.set_cookie(COOKIE, door.session, path=f"{door.room}/", httponly=True, samesite="strict")
    return answer


def _refused() -> Response:
    return PlainTextResponse("", HTTPStatus.FORBIDDEN, {"Cache-Control": "no-store"})
