"""In which language a visitor is answered: the one that the address names, else one that the browser asks for."""

from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from digest.language import ENGLISH, LOCALES, speaking

_FOR_MACHINES = ("/feed", "/sitemap.xml", "/healthz")
"""Read by machines, which get English unless the address says otherwise."""

_API = "/api/"
"""JSON for scripts, which compare it: English whatever is asked for."""


class Speaking:
    """Middleware (ASGI 3) within which all words are of the visitor's language.

    A page of a reader who is known speaks that reader's own language instead, whatever the browser says.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        locale = _asked(scope) if scope["type"] == "http" else ENGLISH
        with speaking(locale):
            await self.app(scope, receive, send)


def _asked(scope: Scope) -> str:
    path: str = scope["path"]
    if path.startswith(_API):
        return ENGLISH
    named = QueryParams(scope["query_string"]).get("lang", "")
    if named in LOCALES:
        return named
    if path.startswith(_FOR_MACHINES):
        return ENGLISH
    return preferred(Headers(scope=scope).get("accept-language", ""))


def preferred(header: str) -> str:
    """The language of an Accept-Language header (RFC 9110, section 12.5.4) that is liked best and spoken here.

    By the first subtag alone: `de-AT` is German. English where none is spoken, or all that are come with `q=0`.
    """
    liked = []
    for place, part in enumerate(header[:1000].split(",")):
        tag, _, weight = part.strip().partition(";")
        locale = tag.strip().partition("-")[0].lower()
        quality = _quality(weight)
        if quality > 0 and locale in LOCALES:
            liked.append((-quality, place, locale))
    return min(liked)[2] if liked else ENGLISH


def _quality(weight: str) -> float:
    name, _, value = weight.strip().partition("=")
    try:
        return float(value) if name.strip().lower() == "q" else 1.0
    except ValueError:
        return 0.0
