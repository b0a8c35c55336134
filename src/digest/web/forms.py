"""What a form sent: read to a limit, as UTF-8 alone, before anything is done with it."""

import itertools
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from starlette.datastructures import Headers, ImmutableMultiDict
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

MOST_BYTES = 64 * 1024
_MOST_FIELDS = 200

Form = ImmutableMultiDict[str, str]


async def read_form(request: Request) -> Form:
    """The fields of a form (application/x-www-form-urlencoded, or multipart/form-data of RFC 7578 without files).

    A body of another type counts as an empty form: a button needs no fields. Raises HTTPException: 413 for a body
    above MOST_BYTES, 400 for one that is not what its type says, is not UTF-8, or holds a NUL.
    """
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        fields = await _fields(request.headers, bytes(body))
        together = "".join(itertools.chain.from_iterable(fields))
        together.encode()  # a multipart form may name an encoding of its own, and some decode to what is no text
    except (ValueError, MultiPartException, ClientDisconnect) as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST) from error
    if "\0" in together:
        raise HTTPException(HTTPStatus.BAD_REQUEST)
    return ImmutableMultiDict(fields)


Sent = Annotated[Form, Depends(read_form)]
"""The parameter by which an act gets its form."""


async def _fields(headers: Headers, body: bytes) -> list[tuple[str, str]]:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        text = body.decode("utf-8")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    if kind == "multipart/form-data":
        body.decode("utf-8")  # the parser would read anything else as Latin-1
        form = await MultiPartParser(headers, _once(body), max_files=0, max_fields=_MOST_FIELDS).parse()
        return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    return []


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
