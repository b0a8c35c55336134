"""Link scanners: whatever opens links, and however often, changes nothing; nor does a link that is not ours.

What a program that also presses buttons would do is known and not tested: the pages behind /confirm, /unsubscribe (and
its undo and pause) and /forget have one button each, and press themselves only for whoever sends a POST.
"""

import asyncio
import email
import email.policy
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import chain, count, islice, product, repeat
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from lxml import html
from tests import builders as b
from tests.outgoing import some_outgoing
from tests.web.visitors import KEYS, Site

from digest.config.settings import Settings
from digest.database import writing
from digest.delivery import outbox, sending
from digest.delivery.contents import of_edition
from digest.edition import store as editions
from digest.edition.rendered import Rendered
from digest.membership import importing
from digest.rendering.email import render
from digest.subscribers import links
from digest.subscribers.consent import Kind
from digest.subscribers.regimes import duties, packaged_regimes
from digest.web.app import create_app

ROOT = "https://digest.example"
REQUESTS = {"sqlite": 10_000, "postgresql": 2_000}
PAGES = ("/", "/preferences", "/editions", "/privacy", "/method", "/healthz", "/api/openapi.json", "/api/docs")
PURPOSES = ("confirm", "keep", "unsubscribe", "preferences", "my-data", "forget")
PAGE_OF = {"keep": "confirm"}
STATES: Sequence[tuple[Kind, ...]] = (
    ("confirmed",),
    ("requested",),
    ("confirmed", "withdrawn"),
    ("confirmed", "complained"),
    ("confirmed", "expired"),
)
ACTS = ("", "/undo", "/pause")
QUERIES = ("", "", "?utm_source=mail", "?format=json", "?weeks=0&agree=yes&List-Unsubscribe=One-Click", "?_method=POST")
HEADERS: Sequence[dict[str, Any]] = (
    {},
    {"User-Agent": "Mozilla/5.0 (compatible; link check)", "Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender"},
    {"User-Agent": "", "Accept": "application/json", "X-HTTP-Method-Override": "POST"},
    {"User-Agent": "\u0416".encode(), "Accept": "*/*;q=0.0", "Accept-Language": "*"},
    {"Accept": "text/plain", "Range": "bytes=0-10", "If-None-Match": "*", "Expect": "100-continue"},
    {"Content-Type": "application/x-www-form-urlencoded", "X-Requested-With": "XMLHttpRequest", "Origin": ROOT},
)
LINK = re.compile(rf"{re.escape(ROOT)}(/[^\s<>\"')]*)")


@cache
def edition_with_duties() -> Rendered:
    asked = {code: duties(regime, "edition", commercial=False) for code, regime in packaged_regimes().by_code.items()}
    return render(b.an_edition(), b.some_settings(), duties=asked)


def publish_and_send(site: Site) -> None:
    """An approved edition, sent to everybody whose consent lives."""
    rendered, edition = edition_with_duties(), some_outgoing(closes_at=site.now + timedelta(days=3))
    with writing(site.engine) as connection:
        drafted = editions.save_draft(
            connection, b.an_edition(), rendered, editions.envelope_of(site.settings), site.now
        )
        editions.save_approval(connection, edition.week, drafted.content_hash, site.now)
        mailing = outbox.queue(connection, edition, drafted.content_hash, site.now)
    contents = of_edition(rendered, [b.an_edition()], edition, site.settings)
    transport = sending.transport_of(site.settings)
    sending.drain(site.engine, site.settings, mailing, contents, transport, lambda: site.now)


def import_one_whose_consent_lapses_soon(site: Site) -> None:
    proof = {"consented_at": "2024-05-20", "method": "form", "wording": "2026-11/en", "country": "KR"}
    one = importing.newcomer({"email": "kim@example.org", **proof}, site.settings, site.now)
    importing.add(site.engine, site.settings, one, site.now)


@pytest.fixture
def lived_in(site: Site) -> set[str]:
    """Readers in every state and what was mailed to them; all paths of tokens."""
    site.client.post("/subscribe", data=site.filled(email="new@example.org"))
    site.client.post("/subscribe", data=site.filled(email="waits@example.org"))
    sending.send_letters(site.engine, site.settings, lambda: site.now)
    (first, *_) = (link for link in mailed(site.settings) if link.startswith("/confirm/"))
    assert site.client.post(first).status_code == 200
    readers = [site.reader(f"r{n}@example.org", *kinds) for n, kinds in enumerate(STATES)]
    import_one_whose_consent_lapses_soon(site)
    site.client.post("/preferences", data=site.filled(email="r0@example.org"))
    sending.send_letters(site.engine, site.settings, lambda: site.now)
    publish_and_send(site)
    return {page(token(number, purpose, site.now), purpose) for number, purpose in product(readers, PURPOSES)}


def token(number: int, purpose: str, now: datetime) -> str:
    return links.sign(purpose, number, KEYS, now)


def page(token: str, purpose: str) -> str:
    return f"/{PAGE_OF.get(purpose, purpose)}/{token}"


def files(settings: Settings) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in settings.delivery.maildir.rglob("*") if path.is_file()}


def mailed(settings: Settings) -> list[str]:
    """Every path of ours in every mail: headers, text, links of the HTML."""
    found: list[str] = []
    for content in files(settings).values():
        mail = email.message_from_bytes(content, policy=email.policy.default)
        parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
        found += LINK.findall("\n".join([str(mail["List-Unsubscribe"]), *parts]))
    return found


def linked(document: str) -> set[str]:
    """Where a page's links and forms lead on this site."""
    found = html.fromstring(document).xpath("//a/@href | //form/@action | //link/@href | //img/@src")
    parsed = [urlsplit(one) for one in found]
    return {one.path for one in parsed if one.path.startswith("/") and one.netloc in ("", urlsplit(ROOT).netloc)}


async def reached(client: httpx.AsyncClient, first: set[str]) -> set[str]:
    """All that can be reached from some paths by GET, what forms would send to among it."""
    known, fresh = set(first), sorted(first)
    while fresh:
        found: set[str] = set()
        for answer in [await client.get(path) for path in fresh]:
            if answer.headers.get("content-type", "").startswith("text/html") and answer.text:
                found |= linked(answer.text)
        fresh = sorted(found - known)
        known |= found
    return known


async def scan(app: FastAPI, first: set[str], times: int) -> tuple[set[str], dict[int, int]]:
    """Open everything again and again; what was reached, and how often which status came back."""
    statuses: dict[int, int] = {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ROOT) as client:
        paths = await reached(client, first)
        rounds = zip(chain.from_iterable(repeat(sorted(paths))), count(), strict=False)
        for path, number in islice(rounds, times):
            lap = number // len(paths)
            method = "HEAD" if lap % 3 == 2 else "GET"
            url, headers = path + QUERIES[lap % len(QUERIES)], HEADERS[number % len(HEADERS)]
            answer = await client.request(method, url, headers=headers)
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
    return paths, statuses


@pytest.mark.long
def test_ten_thousand_requests_of_a_scanner_change_nothing(site: Site, lived_in: set[str]) -> None:
    first = {*PAGES, *lived_in, *mailed(site.settings)}
    app = create_app(site.engine, site.settings, lambda: site.now)
    before, times = (site.stored(), files(site.settings)), REQUESTS[site.engine.dialect.name]
    paths, statuses = asyncio.run(scan(app, first, times))
    assert (site.stored(), files(site.settings)) == before
    assert sum(statuses.values()) == times
    assert len(paths) * 2 < times
    assert set(statuses) <= {200, 304, 308, 401, 404, 405, 410}
    shapes = {re.sub(r"[A-Za-z0-9_-]{32,40}", "*", path) for path in paths}
    assert {f"/{name}/*" for name in ("confirm", "unsubscribe", "preferences", "my-data", "forget")} <= shapes
    assert {"/unsubscribe/*/pause", "/preferences/*/pause", "/subscribe", "/editions/2026-W18"} <= shapes


def spoilt(whole: str) -> Iterator[str]:
    """A token that was cut, written otherwise, guessed, or given more."""
    yield from (
        whole[:-1],
        whole[1:],
        whole[: len(whole) // 2],
        f"{whole}A",
        f"{whole}=",
        f"{whole}%00",
        "A" * len(whole),
    )
    yield from (whole.swapcase(), whole.lower(), whole.upper(), whole[:-1] + ("A" if whole[-1] != "A" else "B"))
    yield from (whole[:12] + ("A" if whole[12] != "A" else "B") + whole[13:], "%F0%9F%94%91" * 8, "..%2F" + whole)


def refused(site: Site, method: str, path: str, **more: Any) -> int:
    answer = site.client.request(method, path, **more)
    assert answer.status_code in (404, 410), f"{method} {path} was answered {answer.status_code}"
    assert "text/html" in answer.headers["content-type"]
    return answer.status_code


def acts(purpose: str) -> Iterator[tuple[str, str]]:
    """How a token of a purpose can be sent: by which method, to which of its pages."""
    yield "GET", ""
    if purpose != "my-data":
        yield "POST", ""
    if purpose == "unsubscribe":
        yield from (("POST", "/undo"), ("POST", "/pause"))
    if purpose == "preferences":
        yield "POST", "/pause"


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_spoilt_token_opens_nothing_and_changes_nothing(site: Site, purpose: str) -> None:
    whole = token(site.reader(), purpose, site.now)
    before = site.stored()
    for spoiled, (method, act) in product(spoilt(whole), acts(purpose)):
        assert (
            refused(site, method, page(spoiled, purpose) + act, data={"topics": "models"} if method == "POST" else None)
            == 404
        )
    assert site.stored() == before


@pytest.mark.parametrize(("made_for", "sent_to"), [(a, b) for a in PURPOSES for b in PURPOSES if a != b])
def test_a_token_made_for_one_purpose_opens_no_other(site: Site, made_for: str, sent_to: str) -> None:
    if PAGE_OF.get(made_for, made_for) == PAGE_OF.get(sent_to, sent_to):
        return  # one page takes both: each is tested there by what it does
    swapped = token(site.reader(), made_for, site.now)
    before = site.stored()
    for method, act in acts(sent_to):
        assert refused(site, method, page(swapped, sent_to) + act) == 404
    assert site.stored() == before


@pytest.mark.parametrize("purpose", sorted(links.LIFETIMES))
@pytest.mark.parametrize("kinds", STATES, ids=lambda kinds: kinds[-1])
def test_an_expired_token_says_so_and_changes_nothing(site: Site, purpose: str, kinds: Sequence[Kind]) -> None:
    if (purpose, kinds) == ("confirm", ("confirmed",)):
        kinds = ("requested",)
    made = token(site.reader("ada@example.org", *kinds), purpose, site.now)
    site.now += links.LIFETIMES[purpose] + timedelta(seconds=1)
    before = site.stored()
    for method, act in acts(purpose):
        assert refused(site, method, page(made, purpose) + act) == 410
    assert site.stored() == before


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_token_signed_by_a_key_of_others_opens_nothing(site: Site, purpose: str) -> None:
    forged = links.sign(purpose, site.reader(), (b"another key of thirty-two bytes!",), site.now)
    before = site.stored()
    for method, act in acts(purpose):
        assert refused(site, method, page(forged, purpose) + act) == 404
    assert site.stored() == before
