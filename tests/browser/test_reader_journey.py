"""A reader's whole way, from signing up to being forgotten: a real browser without scripts, real mails, real pages."""

import email
import email.policy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import Connection, Engine, MetaData
from tests.browser.conftest import Serving
from tests.web.visitors import Site

from digest.config.assets import asset
from digest.config.loading import load_settings
from digest.config.settings import Settings
from digest.database import reading
from digest.delivery.sending import send_letters
from digest.membership import listing
from digest.scores.recorded import find_recorded
from digest.subscribers import store
from digest.subscribers.consent import State, broken
from digest.web import abuse
from digest.weekly import stages
from digest.weekly.calendar import parse_week
from digest.weekly.collecting import backfill

FIRST, SECOND, THIRD = map(parse_week, ("2026-W10", "2026-W11", "2026-W12"))
"""The demo's two weeks, and one of which nothing is known."""

CHOSEN = [
    "Your watch list",
    "In brief",
    "Model report: the same first, tied",
    "Head to head: a new first",
    "Sources disagree",
    "Source health",
    "What to watch next",
]
"""What is below the headline of the second week for who follows a model and chose the leaderboards alone."""

TYPED = "Ada.Lovelace@Example.org"
CANARY = b"lovelace"

pytestmark = pytest.mark.browser


@pytest.fixture
def site(serving: Serving, engine: Engine, settings: Settings) -> Iterator[Site]:
    """The site of the demo's sources on the day before their second week's edition; the first week's is out."""
    sources = load_settings(asset("data") / "demo" / "config.toml").sources
    with serving(settings.model_copy(update={"sources": sources})) as site:
        captures, _ = find_recorded(asset("data") / "demo", sources)
        list(backfill(engine, site.settings, captures))
        site.now = datetime(2026, 3, 11, 8, 0, tzinfo=UTC)
        stages.draft(engine, site.settings, FIRST, site.now)
        stages.approve(engine, FIRST, site.now)
        yield site


@dataclass
class Reader:
    """Someone at a browser, with a mailbox. Opening whatever link, twice, never changes what is stored."""

    page: Page
    site: Site
    read: set[Path] = field(default_factory=set)

    def opens(self, link: str) -> str:
        """The heading of the page behind a link."""
        before = self.site.stored()
        for _ in range(2):
            self.page.goto(link)
        assert self.site.stored() == before
        return self.heading

    def follows(self, words: str) -> str:
        """The heading of the page that a link leads to."""
        link = self.page.get_by_role("link", name=words, exact=True).get_attribute("href")
        return self.opens(f"{self.site.settings.series.base_url}{link}")

    def presses(self, button: str) -> str:
        """The heading of the page after pressing a button."""
        before = self.site.stored()
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=button, exact=True).click()
        assert self.site.stored() != before
        return self.heading

    def types_as_a_person(self) -> None:
        self.site.now += abuse.SHORTEST

    def finds_in_the_mailbox(self) -> EmailMessage:
        """The one mail that has come."""
        (new,) = set((self.site.settings.delivery.maildir / "new").iterdir()) - self.read
        self.read.add(new)
        return email.message_from_bytes(new.read_bytes(), policy=email.policy.default)

    def link_in(self, mail: EmailMessage, words: str) -> str:
        """Where a link of the mail leads, which is the same in both parts."""
        self.page.set_content(body(mail, "html"))
        link = self.page.get_by_role("link", name=words, exact=True).get_attribute("href")
        assert link in body(mail, "plain").split()
        return link

    @property
    def heading(self) -> str:
        return self.page.locator("h1").inner_text()

    def state(self) -> State:
        with reading(self.site.engine) as connection:
            (known,) = store.everyone(connection)
        return known.consent.state


@pytest.fixture
def reader(chromium: Browser, site: Site) -> Iterator[Reader]:
    with chromium.new_context(java_script_enabled=False, viewport={"width": 375, "height": 800}) as context:
        asked: list[str] = []
        context.set_default_timeout(60_000)
        context.on("request", lambda request: asked.append(request.url))
        yield Reader(context.new_page(), site)
        assert {urlsplit(url).netloc for url in asked} == {urlsplit(site.settings.series.base_url).netloc}
        assert context.cookies() == []


def test_a_reader_comes_chooses_reads_leaves_comes_back_and_is_forgotten(reader: Reader) -> None:
    signs_up(reader)
    confirms(reader)
    follows_a_model_and_one_topic(reader)
    edition = gets_the_edition_that_was_chosen(reader)
    leaves_by_the_link_and_comes_back(reader, edition)
    leaves_by_one_click_and_comes_back(reader, edition)
    number = takes_their_data_and_is_erased(reader)
    nothing_names_them(reader.site.engine, number)
    the_next_edition_goes_to_nobody(reader)


def signs_up(reader: Reader) -> None:
    reader.opens(f"{reader.site.settings.series.base_url}/")
    reader.page.get_by_label("Email address").fill(TYPED)
    reader.page.get_by_label("Yes, send me the weekly digest").check()
    reader.types_as_a_person()
    assert reader.presses("Send me the confirmation email") == "Check your mail"
    assert reader.state() == "requested"


def confirms(reader: Reader) -> None:
    assert send_letters(reader.site.engine, reader.site.settings, lambda: reader.site.now) == 1
    mail = reader.finds_in_the_mailbox()
    assert mail["To"] == "Ada.Lovelace@example.org"  # the domain is written as the mail system has it
    assert reader.opens(reader.link_in(mail, "Confirm my subscription")) == "One click left"
    assert reader.state() == "requested"
    assert reader.presses("Yes, send me the digest") == "You are in"
    assert reader.state() == "confirmed"


def follows_a_model_and_one_topic(reader: Reader) -> None:
    assert reader.follows("Choose topics and a watch list") == "Your preferences"
    reader.page.get_by_label("Add to the list").fill("qwen3.5 397b")
    topics = reader.page.get_by_role("group", name="Topics").get_by_role("checkbox", disabled=False)
    for box in topics.all():
        box.uncheck()
    topics.and_(reader.page.get_by_label("Leaderboard shifts")).check()
    reader.presses("Save preferences")
    assert reader.page.get_by_role("status").inner_text() == "✓ Saved, 08:00 UTC"
    assert reader.page.get_by_label("Remove qwen3.5-397b").is_visible()


def gets_the_edition_that_was_chosen(reader: Reader) -> EmailMessage:
    engine, settings = reader.site.engine, reader.site.settings
    reader.site.now += timedelta(days=1)
    stages.draft(engine, settings, SECOND, reader.site.now)
    stages.approve(engine, SECOND, reader.site.now)
    sent = stages.send(engine, settings, SECOND, lambda: reader.site.now)
    assert (sent.mailing.audience, sent.tally["sent"]) == (1, 1)
    mail = reader.finds_in_the_mailbox()
    reader.page.set_content(body(mail, "html"))
    assert reader.page.locator("h2").all_inner_texts() == CHOSEN
    plain = body(mail, "plain")
    assert underlined(plain)[-len(CHOSEN) :] == CHOSEN
    for part in (reader.page.inner_text("body"), plain):
        watched = " ".join(part.split("Your watch list")[1].split("In brief")[0].split())
        assert "Head to head overall: 61.7, score unchanged." in watched
        assert "▼ down 1" in watched
        assert not re.search("New models|USD per 1M tokens|Side by side|Best pick", part)
    return mail


def leaves_by_the_link_and_comes_back(reader: Reader, mail: EmailMessage) -> None:
    assert reader.opens(reader.link_in(mail, "Unsubscribe")) == "Unsubscribe?"
    assert reader.state() == "confirmed"
    reader.page.get_by_label("It is too long").check()
    assert reader.presses("Unsubscribe me") == "You are unsubscribed"
    assert reader.state() == "withdrawn"
    assert reader.presses("Undo, keep me subscribed") == "You are subscribed"
    assert reader.state() == "confirmed"


def leaves_by_one_click_and_comes_back(reader: Reader, mail: EmailMessage) -> None:
    """As a mail program does it (RFC 8058 section 3.2): from the two headers alone, without the browser."""
    link = mail["List-Unsubscribe"].removeprefix("<").removesuffix(">")
    with httpx.Client(trust_env=False) as program:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = program.post(link, content=mail["List-Unsubscribe-Post"], headers=form)
    assert (answer.status_code, answer.history) == (200, [])
    assert reader.state() == "withdrawn"
    assert reader.opens(link) == "Unsubscribe?"
    with reader.page.expect_navigation():
        reader.page.get_by_role("button", name="Unsubscribe me").click()
    assert reader.heading == "You had left already"
    assert reader.presses("Undo, keep me subscribed") == "You are subscribed"
    assert reader.state() == "confirmed"


def takes_their_data_and_is_erased(reader: Reader) -> int:
    """The random number that the reader had."""
    site = reader.site
    assert reader.follows("ask for a link to your preferences") == "Your preferences"
    reader.page.get_by_label("Email address").fill(TYPED.upper())
    reader.types_as_a_person()
    assert reader.presses("Mail me the link") == "Check your mail"
    assert send_letters(site.engine, site.settings, lambda: site.now) == 1
    link = reader.link_in(reader.finds_in_the_mailbox(), "Open my preferences")
    assert reader.opens(link) == "Your preferences"
    assert reader.follows("See or download") == "What we hold about you"
    held = downloaded(reader, "Download as JSON")
    assert (held["email"], held["choices"]["watch_list"]) == (TYPED, {"models": ["qwen3.5-397b"]})
    assert CANARY in everything_in(site.engine)
    (known,) = listing.list_subscribers(site.engine)
    reader.opens(link)
    assert reader.follows("Erase") == "Erase everything?"
    assert reader.presses("Forget me") == "You are forgotten"
    assert reader.opens(link) == "This link is too old"
    return known.id


def downloaded(reader: Reader, words: str) -> dict[str, Any]:
    before = reader.site.stored()
    with reader.page.expect_download() as download:
        reader.page.get_by_role("link", name=words).click()
    assert reader.site.stored() == before
    held: dict[str, Any] = json.loads(download.value.path().read_text())
    return held


def nothing_names_them(engine: Engine, number: int) -> None:
    assert CANARY not in everything_in(engine)
    with reading(engine) as connection:
        assert not list(store.everyone(connection))
        log = store.log(connection, number)
    assert broken(log) is None
    kinds = [link.event.kind for link in log]
    back = ["withdrawn", "confirmed"]
    assert kinds == ["requested", "confirmed", "changed", *back, *back, "erased"]


def the_next_edition_goes_to_nobody(reader: Reader) -> None:
    engine, settings = reader.site.engine, reader.site.settings
    reader.site.now += timedelta(weeks=1)
    stages.draft(engine, settings, THIRD, reader.site.now)
    stages.approve(engine, THIRD, reader.site.now)
    assert stages.send(engine, settings, THIRD, lambda: reader.site.now).mailing.audience == 0
    assert set((settings.delivery.maildir / "new").iterdir()) == reader.read


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    text: str = part.get_content()
    return text.replace("\r\n", "\n")


def underlined(text: str) -> list[str]:
    """The headings of a text part."""
    return re.findall(r"^(.+)\n-+$", text, re.MULTILINE)


def everything_in(engine: Engine) -> bytes:
    """All rows of all tables there are, and on SQLite every byte of its files, in small letters."""
    with engine.connect() as connection:
        found = _all_rows(connection)
        if engine.dialect.name == "sqlite":
            files = Path(str(engine.url.database)).parent.glob("digest.db*")
            found += b"".join(file.read_bytes() for file in files)
    return found.lower()


def _all_rows(connection: Connection) -> bytes:
    there = MetaData()
    there.reflect(connection)
    rows = [repr(tuple(row)) for table in there.sorted_tables for row in connection.execute(table.select())]
    return "\n".join(rows).encode()
