"""Documents that a client may keep, and asks for again only if they changed (RFC 9110, section 13)."""

import hashlib
import re
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus

from fastapi import Request, Response

A_WHILE = "public, max-age=600"
FOREVER = "public, max-age=31536000, immutable"


def conditional(
    request: Request, body: bytes, media_type: str, changed: datetime | None = None, keep: str = A_WHILE
) -> Response:
    """The document, or 304 for whoever has it: by its hash, or where none was sent by the time it changed."""
    headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"', "Cache-Control": keep}
    if changed is not None:
        headers["Last-Modified"] = format_datetime(changed, usegmt=True)
    if _is_known(request, headers["ETag"], changed):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def _is_known(request: Request, tag: str, changed: datetime | None) -> bool:
    asked = request.headers.get("if-none-match")
    if asked is not None:  # If-Modified-Since is then ignored (section 13.1.3)
        return asked.strip() == "*" or tag in re.findall(r'"[^"]*"', asked)
    try:
        since = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except ValueError:
        return False
    return changed is not None and since.tzinfo is not None and changed.replace(microsecond=0) <= since
