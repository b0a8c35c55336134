"""The mail and the pages as a reader sees them: in the system's Chromium, with scripts off."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import Engine

from digest.config import Settings
from digest.database import reading
from digest.operations.demo import run_demo
from digest.rendering.templates import UNSUBSCRIBE_SLOT
from digest.subscribers import links, store
from digest.web.app import create_app

CHROMIUM = shutil.which("chromium")
GOLDEN = Path(__file__).parents[1] / "golden"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

OVERFLOWING = """() => [...document.querySelectorAll('body *')].filter(element => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && getComputedStyle(element).display !== 'none' && box.right > innerWidth + 1;
}).map(element => element.outerHTML.slice(0, 120))"""

CONTRASTS = """() => {
    const channel = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    const parse = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const ground = element => {
        for (let here = element; here; here = here.parentElement) {
            const colour = parse(getComputedStyle(here).backgroundColor);
            if (colour.length === 3 || colour[3] > 0) return colour;
        }
        return [255, 255, 255];
    };
    const low = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const element = walk.currentNode.parentElement, box = element.getBoundingClientRect();
        if (!walk.currentNode.data.trim() || box.width < 2 || box.height < 2) continue;
        const pair = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((a, b) => b - a);
        const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
        if (ratio < 4.5) low.push(walk.currentNode.data.trim().slice(0, 40) + ' ' + ratio.toFixed(2));
    }
    return low;
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, width: int, scheme: Any) -> Iterator[Page]:
    with chromium.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=True, offline=True
    ) as context:
        yield context.new_page()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 375])
@pytest.mark.parametrize("edition", ["week18", "everything", "quiet", "unread", "watched", "edition-2026-W17"])
def test_nothing_in_a_mail_overflows_and_every_text_can_be_read(page: Page, edition: str) -> None:
    page.set_content((GOLDEN / f"{edition}.html").read_text().replace(UNSUBSCRIBE_SLOT, "https://digest.example/u"))
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate(CONTRASTS) == []


@pytest.fixture(scope="module")
def side_by_side_and_picks(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The demo's mail, which has both."""
    html = run_demo(tmp_path_factory.mktemp("demo")).drafted.rendered.html
    assert "Side by side" in html
    assert "Best pick by need" in html
    return html


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 375])
def test_side_by_side_and_picks_do_not_overflow_and_can_be_read(page: Page, side_by_side_and_picks: str) -> None:
    page.set_content(side_by_side_and_picks.replace(UNSUBSCRIBE_SLOT, "https://digest.example/u"))
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate(CONTRASTS) == []


@pytest.fixture
def site(engine: Engine, settings: Settings, clock: Callable[[], datetime]) -> Iterator[str]:
    """The web pages served for real on a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(create_app(engine, settings, clock), port=port, log_level="critical", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def test_a_reader_leaves_by_one_button_with_scripts_off(
    chromium: Browser, site: str, engine: Engine, settings: Settings, now: datetime, add_readers: Callable[..., Any]
) -> None:
    (reader,) = add_readers(1)
    with reading(engine) as connection:
        keys = store.link_keys(connection, settings.links, now)
    with chromium.new_context(java_script_enabled=False, viewport={"width": 375, "height": 800}) as context:
        page = context.new_page()
        page.goto(f"{site}/unsubscribe/{links.sign(links.UNSUBSCRIBE, reader, keys)}")
        assert state(engine) == "confirmed"
        page.get_by_role("button").click()
        assert "unsubscribed" in page.inner_text("body").lower()
    assert state(engine) == "withdrawn"


def state(engine: Engine) -> str:
    with reading(engine) as connection:
        (reader,) = store.everyone(connection)
    return reader.consent.state
