"""An edition with everything in it and the archive, in the browser: for everyone, at every width, without a script."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Page
from tests import builders as b
from tests.browser.accessibility import low_contrasts, overflowing, overflowing_when_zoomed, small_targets, violations
from tests.browser.conftest import Serving
from tests.rendering.test_email import HOSTILE
from tests.rendering.test_feeds import everything, hostile
from tests.web.visitors import Site

from digest.config.settings import Settings
from digest.database import writing
from digest.edition import store
from digest.edition.content import Edition
from digest.edition.numbers import monday
from digest.edition.rendered import Rendered

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]

EDITION, ARCHIVE = "/editions/2026-W18", "/editions"


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with chromium.new_context(java_script_enabled=False) as context:
        context.set_default_timeout(60_000)
        yield context.new_page()


@pytest.fixture
def site(serving: Serving, settings: Settings) -> Iterator[Site]:
    with serving(settings) as site:
        yield site


def publish(site: Site, rendered: Rendered, *editions: Edition) -> None:
    with writing(site.engine) as connection:
        for edition in editions:
            drafted = store.save_draft(connection, edition, rendered, store.envelope_of(site.settings), site.now)
            store.save_approval(connection, edition.week, drafted.content_hash, site.now)


def others() -> list[Edition]:
    weeks = ("2025-W51", "2026-W16", "2026-W17", "2026-W19")
    return [b.an_edition(week=week, starts=monday(week), quiet=True) for week in weeks]


def box_of(place: Locator) -> FloatRect:
    box = place.bounding_box()
    assert box is not None
    return box


@pytest.mark.parametrize("path", [EDITION, ARCHIVE])
@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (1200, "dark"), (375, "light"), (320, "dark")])
def test_the_page_is_for_everyone(
    page: Page, site: Site, rendered: Rendered, path: str, width: int, scheme: Any
) -> None:
    publish(site, rendered, everything(), *others())
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{site.settings.series.base_url}{path}")
    assert said == []  # the browser tells what its policy refused
    assert page.locator("h1").count() == 1
    assert violations(page) == []
    assert low_contrasts(page) == []
    assert overflowing(page) == []
    assert small_targets(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert overflowing_when_zoomed(page) == []


@pytest.mark.parametrize("path", [EDITION, ARCHIVE])
def test_longer_words_have_room_too(page: Page, site: Site, rendered: Rendered, path: str) -> None:
    publish(site, rendered, everything(), *others())
    page.goto(f"{site.settings.series.base_url}{path}?lang=de")
    assert page.locator("html").get_attribute("lang") == "de"
    assert violations(page) == []
    assert overflowing_when_zoomed(page) == []


@pytest.mark.parametrize("kind", ["markup", "direction", "long"])
def test_hostile_names_neither_break_the_page_nor_widen_it(
    page: Page, site: Site, rendered: Rendered, kind: str
) -> None:
    publish(site, rendered, hostile(everything(), HOSTILE[kind]))
    page.set_viewport_size({"width": 320, "height": 800})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in (EDITION, ARCHIVE):
        page.goto(f"{site.settings.series.base_url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        assert overflowing(page) == []
    assert asked == [f"{site.settings.series.base_url}{path}" for path in (EDITION, ARCHIVE)]


def test_a_bar_reaches_across_its_cell_and_its_mark_stands_within_its_interval(
    page: Page, site: Site, rendered: Rendered
) -> None:
    publish(site, rendered, b.an_edition())
    page.set_viewport_size({"width": 1200, "height": 800})
    page.goto(f"{site.settings.series.base_url}{EDITION}")
    bar = page.locator("svg.bar").first
    left, right, mark = (box_of(bar.locator("rect").nth(place)) for place in range(3))
    whole = box_of(bar)
    assert whole["width"] > 200
    assert left["x"] < mark["x"] < right["x"] + right["width"] <= whole["x"] + whole["width"]
    assert (mark["width"], mark["height"]) == (2, 12)
