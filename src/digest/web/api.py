"""The description of the API, for programs at /api/openapi.json and for people at /api/docs."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from digest import __version__
from digest.operations.keys import SCOPES
from digest.web import public_api, subscribers_api
from digest.web.pages import LOOK, Here, Site
from digest.web.problems import MOST_BYTES, Route

router = APIRouter(prefix="/api", route_class=Route)


@router.api_route("/openapi.json", methods=LOOK, include_in_schema=False)
def openapi(site: Here) -> Response:
    """The description of this API (OpenAPI 3.1)."""
    return JSONResponse(described(site))


@router.api_route("/docs", methods=LOOK, include_in_schema=False)
def docs(site: Here) -> Response:
    """The same for a person to read; no script and nothing from elsewhere."""
    return site.page("api.html", api=described(site), scopes=SCOPES, most=MOST_BYTES, a_minute=subscribers_api.A_MINUTE)


def described(site: Site) -> dict[str, Any]:
    """What there is, as OpenAPI; what goes wrong comes as problem details."""
    made = get_openapi(
        title=f"{site.settings.series.title}: API",
        version=__version__,
        routes=[*subscribers_api.router.routes, *public_api.router.routes],
        servers=[{"url": site.settings.series.base_url.rstrip("/")}],
    )
    for operations in made["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if int(status) >= HTTPStatus.BAD_REQUEST:
                    answer["content"] = {"application/problem+json": answer["content"].pop("application/json")}
    return made
