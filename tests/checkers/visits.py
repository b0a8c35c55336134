"""Every page of the web application in each of its states, as it is answered: what the tests in the browser open."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send
from tests import builders as b
from tests.browser.test_charts_in_chromium import CHARTS
from tests.browser.test_pages_for_everyone import STATES
from tests.browser.test_public_boards import LONG, PAGES
from tests.rendering.test_email import HOSTILE
from tests.rendering.test_feeds import everything, hostile
from tests.snapshots import a_board
from tests.web.newest import a_receipt, a_week, capture, with_sources
from tests.web.visitors import KEYS, Site

from digest.config.sections import Links
from digest.config.settings import Settings
from digest.database import metadata, open_database, writing
from digest.edition import store
from digest.edition.content import Cover, Edition
from digest.edition.numbers import monday
from digest.edition.rendered import Rendered
from digest.language import ENGLISH
from digest.operations.demo import NOW, run_demo
from digest.rendering.feeds import entry_of
from digest.web.app import create_app
from digest.web.pages import style_sheet

SETTINGS = b.some_settings().model_copy(update={"links": Links(keys=[SecretStr(key.decode()) for key in KEYS])})
RENDERED = Rendered(subject="Subject", preheader="", html="", text="")
HOSTILE_TEXTS = {kind: text.encode("utf-8", "ignore").decode() for kind, text in HOSTILE.items()}
"""By kind, without the half characters that nothing can store."""


class Page(NamedTuple):
    """What was answered, under a name that says in which state; `language` is the one that was asked for."""

    name: str
    language: str
    content: bytes


@dataclass
class InLanguage(Site):
    """A site whose readers have this language."""

    locale: str = field(default="en", kw_only=True)

    def reader(self, *facts: Any, **more: Any) -> int:
        number = super().reader(*facts, **more)
        table = metadata.tables["subscriber"]
        with writing(self.engine) as connection:
            connection.execute(table.update().where(table.c.id == number).values(locale=self.locale))
        return number


@dataclass
class Visiting:
    """A server on a port of this machine that answers for one application after the other; a visitor of a language.

    Each application has a database of its own, a copy of `template`.
    """

    template: Path
    folder: Path
    language: str
    listener: socket.socket
    app: ASGIApp = field(default_factory=FastAPI)

    @property
    def here(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    @contextmanager
    def site(self, settings: Settings = SETTINGS) -> Iterator[Site]:
        """A new site, which is served from now on."""
        series = settings.series.model_copy(update={"base_url": self.here})
        database = self.folder / f"{len(list(self.folder.iterdir()))}.db"
        shutil.copy(self.template, database)
        engine = open_database(f"sqlite:///{database}")
        site = InLanguage(engine, settings.model_copy(update={"series": series}), locale=self.language)
        self.app = create_app(engine, site.settings, lambda: site.now)
        try:
            yield site
        finally:
            engine.dispose()

    def get(self, path: str, **more: str) -> httpx.Response:
        """With more headers, where they are given."""
        headers = {"Accept-Language": self.language, **more}
        return httpx.get(f"{self.here}{path}", headers=headers, trust_env=False)

    def send(self, path: str, form: dict[str, Any]) -> httpx.Response:
        headers = {"Accept-Language": self.language}
        return httpx.post(f"{self.here}{path}", headers=headers, data=form, trust_env=False)


@contextmanager
def visiting(template: Path, folder: Path, language: str) -> Iterator[Visiting]:
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        visit = Visiting(template, folder, language, listener)
        server = uvicorn.Server(uvicorn.Config(visit, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield visit
        finally:
            server.should_exit = True
            thread.join()


def every_page(visit: Visiting) -> Iterator[Page]:
    """All of them, one after the other."""
    for answers in (states, boards, editions, demo):
        for name, answer in answers(visit):
            assert answer.headers["Content-Type"] == "text/html; charset=utf-8", name
            yield Page(name, visit.language, answer.content)
    yield charts(visit.language)
    if visit.language == ENGLISH:
        yield from entries()


def states(visit: Visiting) -> Iterator[tuple[str, httpx.Response]]:
    """Each page in each of the states that it may be found in, reached as a visitor reaches it."""
    for name, state in STATES.items():
        signup = type(SETTINGS.signup).model_validate(dict(state.signup))
        with visit.site(SETTINGS.model_copy(update={"signup": signup})) as site:
            if state.published:
                publish(site, b.an_edition())
            reached = state.reach(site)
            headers = state.headers(site)
            answer = visit.send(*reached) if isinstance(reached, tuple) else visit.get(reached, **headers)
            assert answer.status_code == state.status, name
            yield name, answer


def boards(visit: Visiting) -> Iterator[tuple[str, httpx.Response]]:
    """Leaderboards, sides by side and receipts."""
    with visit.site(with_sources(SETTINGS, arena="Arena")) as site:
        a_week(site.engine)
        ratings = {LONG: (1439, 1433, 1445), "o3": (1418, 1409, 1431), "grok-3": (1402, 1397, 1406)}
        capture(site.engine, a_board(ratings, source="arena", unit="rating", margin=Decimal(0)))
        publish(site, b.an_edition(receipts=(a_receipt(),)))
        for path in PAGES:
            yield path, visit.get(path)


def editions(visit: Visiting) -> Iterator[tuple[str, httpx.Response]]:
    """An edition with something in each section, and the archive; both with hostile names too, in one language."""
    before_and_after = [b.an_edition(week=week, starts=monday(week), quiet=True) for week in ("2025-W51", "2026-W19")]
    for kind in ("", *(HOSTILE_TEXTS if visit.language == ENGLISH else ())):
        with visit.site() as site:
            publish(site, full_edition(HOSTILE_TEXTS.get(kind)), *before_and_after)
            for path in ("/editions/2026-W18", "/editions"):
                yield f"{path} {kind}".strip(), visit.get(path)


def demo(visit: Visiting) -> Iterator[tuple[str, httpx.Response]]:
    """The public pages of the demo, whose boards and prices are real."""
    done = run_demo(visit.folder / "demo")
    engine = open_database(done.settings.database.url)
    visit.app = create_app(engine, done.settings, lambda: NOW)
    receipts = [f"/changes/{receipt.id}" for receipt in done.drafted.edition.receipts]
    for path in ("/", "/editions", f"/editions/{done.drafted.week}", "/leaderboard", "/versus", *receipts[:3]):
        yield f"demo {path}", visit.get(path)
    engine.dispose()


def charts(language: str) -> Page:
    """The charts, as SVG in a page."""
    style = style_sheet()
    head = f'<!doctype html><html lang="{language}"><title>Charts</title><style>{style}</style>'
    return Page("charts", language, f"{head}{''.join(CHARTS)}".encode())


def entries() -> Iterator[Page]:
    """What a feed says of an edition, as a reader of feeds puts it into a page of its own."""
    for kind in ("", *HOSTILE_TEXTS):
        entry = entry_of(full_edition(HOSTILE_TEXTS.get(kind)), b.some_settings().series, NOW)
        assert entry is not None
        head = '<!doctype html><html lang="en"><title>Entry</title><h1>Entry</h1>'
        yield Page(f"feed entry {kind}".strip(), ENGLISH, f"{head}{entry.html}".encode())


def full_edition(text: str | None) -> Edition:
    """An edition with all there can be in one, a picture too; where `text` is given, whatever comes from outside says
    just that, but not the operator's own names of the sources."""
    whole = everything()
    assert whole.note is not None
    cover = Cover(file="cover.png", media_type="image/png", sha256="0" * 64, alt="A line that rises")
    whole = whole.model_copy(update={"note": whole.note.model_copy(update={"cover": cover})})
    if text is None:
        return whole
    evil: Edition = hostile(whole, text)
    pairs = zip(evil.boards, whole.boards, strict=True)
    boards = tuple(theirs.model_copy(update={"source": ours.source}) for theirs, ours in pairs)
    return evil.model_copy(update={"boards": boards})


def publish(site: Site, *published: Edition) -> None:
    with writing(site.engine) as connection:
        for edition in published:
            drafted = store.save_draft(connection, edition, RENDERED, store.envelope_of(site.settings), site.now)
            store.save_approval(connection, edition.week, drafted.content_hash, site.now)
