"""What we keep of readers, and how an edition is made."""

from fastapi import APIRouter, Response

from digest.edition.renditions import TOPICS
from digest.subscribers.location import is_db_ip
from digest.web.pages import LOOK, Here

router = APIRouter()


@router.api_route("/privacy", methods=LOOK)
def privacy(site: Here) -> Response:
    return site.page("privacy.html", looks_up=is_db_ip(site.settings.location.database))


@router.api_route("/method", methods=LOOK)
def method(site: Here) -> Response:
    return site.page("method.html", topics=TOPICS, sources=site.settings.enabled_sources)
