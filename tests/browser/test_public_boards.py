"""Leaderboards, sides by side and receipts: for those who see little, on a small screen, by the keyboard alone."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page
from tests.browser.accessibility import low_contrasts, overflowing, overflowing_when_zoomed, small_targets, violations
from tests.browser.conftest import Serving
from tests.snapshots import a_board
from tests.web.newest import ID, a_receipt, a_week, capture, publish, with_sources
from tests.web.visitors import Site

from digest.config.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]

LONG = "a-model-with-a-name-that-is-longer-than-a-telephone-is-wide-preview-2026"
PAGES = {
    "/leaderboard": "Leaderboards",
    "/leaderboard?source=board": "Tied for 1st",
    "/leaderboard?source=arena&sort=maker&dir=desc": "Arena",
    "/versus": "Compare models",
    "/versus/gpt-5.4/gpt-5.5": "Which costs less?",
    "/versus/claude-opus-4-7/gpt-5.4/gpt-5.5": "Which costs least?",
    "/versus/gpt-5.4/nobody": "These cannot be compared",
    f"/changes/{ID}": "Both captures",
}


@pytest.fixture
def site(serving: Serving, settings: Settings) -> Iterator[Site]:
    with serving(with_sources(settings, arena="Arena")) as site:
        a_week(site.engine)
        ratings = {LONG: (1439, 1433, 1445), "o3": (1418, 1409, 1431), "grok-3": (1402, 1397, 1406)}
        capture(site.engine, a_board(ratings, source="arena", unit="rating", margin=Decimal(0)))
        publish(site.engine, [a_receipt()])
        yield site


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with chromium.new_context(java_script_enabled=False) as context:
        yield context.new_page()


@pytest.mark.parametrize("path", PAGES)
def test_every_board_is_for_everyone(page: Page, site: Site, path: str) -> None:
    page.goto(f"{site.settings.series.base_url}{path}")
    assert PAGES[path] in page.inner_text("main")
    assert page.locator("h1").count() == 1
    for width, scheme in ((1200, "dark"), (375, "light")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert violations(page) == []
        assert low_contrasts(page) == []
        assert overflowing(page) == []
        assert [target for target in small_targets(page) if "/feed." not in target] == []
    assert overflowing_when_zoomed(page) == []


@pytest.mark.parametrize("path", PAGES)
def test_longer_words_have_room_too(page: Page, site: Site, path: str) -> None:
    page.goto(f"{site.settings.series.base_url}{path}{'&' if '?' in path else '?'}lang=de")
    assert page.locator("html").get_attribute("lang") == "de"
    assert violations(page) == []
    assert overflowing_when_zoomed(page) == []


def test_the_keyboard_alone_compares_two_models(page: Page, site: Site) -> None:
    page.goto(f"{site.settings.series.base_url}/versus")
    page.locator("#a").focus()
    page.keyboard.type("GPT-5.5")
    page.keyboard.press("Tab")
    page.keyboard.type("gpt-5.4")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.endswith("/versus/gpt-5.4/gpt-5.5?lang=en")
    assert page.locator("h1").inner_text() == "gpt-5.4 vs gpt-5.5"


def test_a_link_of_the_head_sorts_the_table(page: Page, site: Site) -> None:
    page.goto(f"{site.settings.series.base_url}/leaderboard?source=board")
    with page.expect_navigation():
        page.get_by_role("link", name="Model", exact=True).click()
    assert page.locator("tbody th[scope=row]").first.inner_text().startswith("claude")
