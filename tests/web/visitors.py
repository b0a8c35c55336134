"""What the tests of the web pages share: a visitor, a clock that moves, a filled-in form, readers with their links."""

import asyncio
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partialmethod
from typing import Any

import httpx
from fastapi import FastAPI
from lxml import html
from sqlalchemy import Engine

from digest.config.settings import Settings
from digest.database import metadata, writing
from digest.edition.renditions import TOPICS
from digest.operations.keys import add_key
from digest.subscribers import links, store
from digest.subscribers.consent import ConsentEvent, Kind
from digest.subscribers.store import Newcomer
from digest.web import abuse
from digest.web.app import create_app

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
KEYS = (b"0123456789abcdef0123456789abcdef",)


class Client:
    """A visitor without cookies who follows no redirect; each request stands alone."""

    def __init__(self, app: FastAPI) -> None:
        self._transport = httpx.ASGITransport(app)

    def request(self, method: str, path: str, **content: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="https://digest.example") as client:
                return await client.request(method, path, **content)

        return asyncio.run(ask())

    get = partialmethod(request, "GET")
    head = partialmethod(request, "HEAD")
    post = partialmethod(request, "POST")


@dataclass
class Site:
    """The pages on a database of the test's own; `now` may be moved."""

    engine: Engine
    settings: Settings
    now: datetime = NOW
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = Client(create_app(self.engine, self.settings, lambda: self.now))

    def reader(self, email: str = "ada@example.org", *kinds: Kind, **facts: Any) -> int:
        """A reader with these events in the log, confirmed if there are none; the random number."""
        first, *later = kinds or ("confirmed",)
        with writing(self.engine) as connection:
            events = [ConsentEvent(kind, self.now, "unsubscribe link", **facts) for kind in (first, *later)]
            (number,) = store.add(connection, [Newcomer(email, email, events[0])], self.now)
            for event in events[1:]:
                store.append(connection, number, event)
        return number

    def link(self, number: int, purpose: str) -> str:
        """The path of a page of this reader."""
        return f"/{purpose}/{links.sign(purpose, number, KEYS, self.now)}"

    def key_header(self, *scopes: str) -> dict[str, str]:
        """What a browser sends of an operator who has a key with these scopes."""
        return with_key(add_key(self.engine, "operator", scopes, self.now))

    def filled(self, **changes: Any) -> dict[str, Any]:
        """A sign-up form as a person sends it, opened a minute ago. None takes a field away."""
        opened = abuse.form_token(KEYS, self.now - timedelta(minutes=1))
        whole = {
            "email": "Ada@Example.org",
            "topics": list(TOPICS),
            "agree": "yes",
            "country": "",
            "leave_this_empty": "",
        }
        return {k: v for k, v in {**whole, abuse.TOKEN_FIELD: opened, **changes}.items() if v is not None}

    def stored(self) -> dict[str, list[Any]]:
        """All rows of all tables."""
        tables = metadata.sorted_tables
        with self.engine.connect() as connection:
            return {table.name: sorted(map(tuple, connection.execute(table.select())), key=repr) for table in tables}


def with_key(key: str) -> dict[str, str]:
    """What a browser sends of who was asked for a key and typed this one."""
    return {"Authorization": f"Basic {b64encode(f'operator:{key}'.encode()).decode()}"}


def words(page: httpx.Response) -> str:
    """A page as it reads."""
    return " ".join(html.fromstring(page.text).text_content().split())


def error_of(page: httpx.Response, field: str) -> str:
    """The error that a field names as its description."""
    document = html.fromstring(page.text)
    (named,) = document.xpath(f"//*[@id='{field}']/@aria-describedby") or [""]
    told = [" ".join(document.get_element_by_id(one).text_content().split()) for one in named.split()]
    return next((text for text in told if text.startswith("✕")), "")
