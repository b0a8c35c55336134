"""Somebody who talks to a desk in this process: the editor, or anybody else."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx
from lxml import html

from digest.desk.access import Door
from digest.desk.app import create_app
from digest.desk.state import Desk

PORT = 8123
HERE = f"http://127.0.0.1:{PORT}"


@dataclass
class Editor:
    """Requests stand alone; `cookie` is what the browser of the editor sends."""

    desk: Desk
    door: Door = field(default_factory=lambda: Door(PORT))

    @property
    def cookie(self) -> str:
        return f"desk={self.door.session}"

    def ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        """A request as anybody may send it, for a whole path."""
        transport = httpx.ASGITransport(create_app(self.desk, self.door))

        async def asked() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
                return await client.request(method, path, **content)

        return asyncio.run(asked())

    def get(self, path: str = "/", **headers: str) -> httpx.Response:
        """A look at a page of the desk."""
        return self.ask("GET", self.door.room + path, headers={"Cookie": self.cookie, **_named(headers)})

    def post(self, path: str, fields: dict[str, Any], **headers: str) -> httpx.Response:
        """An act as the desk's own page sends it."""
        own = {"Cookie": self.cookie, "Origin": HERE, "Sec-Fetch-Site": "same-origin"}
        return self.ask("POST", self.door.room + path, data=fields, headers={**own, **_named(headers)})

    def page(self, path: str = "/") -> html.HtmlElement:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return html.fromstring(answer.text)

    def reads(self, part: str, path: str = "/") -> str:
        """The words of one part of the page."""
        (found,) = self.page(path).xpath(f"//*[@id='part-{part}']")
        return " ".join(found.text_content().split())


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
