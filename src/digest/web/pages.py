"""What every page stands on: the site it belongs to, its template, the headers that keep it to itself."""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import Engine

from digest.config.assets import asset
from digest.config.settings import Settings
from digest.language import spoken
from digest.membership.signing_up import Result
from digest.rendering.templates import fill
from digest.subscribers.location import Lookup
from digest.web.abuse import Limits

LOOK = ["GET", "HEAD"]
"""The methods that change nothing."""


@dataclass(frozen=True, slots=True)
class Site:
    """What the pages are made from: one database, its settings, a clock, the keys that links are signed with, and what
    is kept in memory alone about visitors: counts, the key of the day, where countries are looked up."""

    engine: Engine
    settings: Settings
    clock: Callable[[], datetime]
    keys: tuple[bytes, ...]
    style: str
    limits: Limits
    day_key: Callable[[datetime], bytes]
    country_at: Lookup

    def page(
        self, template: str, status: HTTPStatus = HTTPStatus.OK, *, pictures: bool = False, **facts: object
    ) -> Response:
        """A template of templates/web/, filled, in the language that is spoken. `pictures` lets it show those of this
        site."""
        known = {"series": self.settings.series, "style": self.style, "root": self.root}
        html = fill(f"web/{template}", {**known, **facts})
        headers = {
            "Content-Security-Policy": policy(self.style, pictures=pictures),
            "Content-Language": spoken(),
            "Vary": "Accept-Language",
        }
        return HTMLResponse(html, status, headers)

    @property
    def root(self) -> str:
        """The path that every link starts with: that of `base_url`, where a proxy serves the site below a folder."""
        return urlsplit(self.settings.series.base_url).path.rstrip("/")

    def no_such_link(self, result: Result, purpose: str) -> Response:
        """The page of a link that opens nothing: over (410), or not one of ours (404)."""
        if result == "expired":
            return self.page("expired_link.html", HTTPStatus.GONE, purpose=purpose)
        return self.page("unknown_link.html", HTTPStatus.NOT_FOUND, purpose=purpose)


async def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


Here = Annotated[Site, Depends(_site)]
"""The parameter by which a page gets its site."""


def style_sheet() -> str:
    """The one style sheet, which stands in every page."""
    return (asset("templates") / "web" / "style.css").read_text(encoding="utf-8")


def headers_for(site: Site) -> dict[str, str]:
    """Headers for every answer that does not say otherwise."""
    headers = {
        "Content-Security-Policy": policy(site.style),
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    if site.settings.series.base_url.startswith("https://"):  # RFC 6797 section 7.2: never without TLS
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


def policy(style: str, *, pictures: bool = False) -> str:
    """What a page may load (CSP level 2): the one style sheet, which stands in it, by its hash; `pictures` of ours."""
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    own = "; img-src 'self'" if pictures else ""
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'{own}; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
