"""Charts as they stand in a page: in the system's Chromium, narrow and wide, light and dark."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from tests.browser.accessibility import low_contrasts, overflowing, violations
from tests.rendering.pictures import a_cloud, a_history, alike

from digest.rendering.charts import rank_history_svg, score_by_price_svg
from digest.web.pages import policy, style_sheet

pytestmark = pytest.mark.browser

NAMES = ("gpt-5.5", "gpt-5.4", "gemini-3.1-pro-preview", "claude-opus-4.7", "qwen3-235b-a22b-thinking-2507")
CHARTS = [
    rank_history_svg(a_history({name: [40, place, None, place, place] for place, name in enumerate(NAMES, start=1)})),
    rank_history_svg(a_history({name: [1] * 12 for name in NAMES})),
    score_by_price_svg(a_cloud(*alike())),
    score_by_price_svg(a_cloud(*((name, str(80 - place), str(10 / place)) for place, name in enumerate(NAMES, 1)))),
]

SEEN = """() => [...document.querySelectorAll('.chart svg')].filter(svg => svg.checkVisibility()).map(svg => {
    const words = [...svg.querySelectorAll('text')].map(text => [text.textContent, text.getBBox(), text]);
    const across = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width;
    const touch = (a, b) => across(a, b) && a.y + 3 < b.y + b.height && b.y + 3 < a.y + a.height;
    const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    return {
        sheet: svg.getAttribute('class'),
        type: Math.min(...words.map(([, , text]) => parseFloat(getComputedStyle(text).fontSize) * scale)),
        overlaps: words.flatMap(([one, a], i) =>
            words.slice(i + 1).filter(([, b]) => touch(a, b)).map(([other]) => [one, other])),
    };
})"""


@pytest.fixture
def page(chromium: Browser, width: int, scheme: Any) -> Iterator[Page]:
    """All charts, under the policy that the site's pages have."""
    style = style_sheet()
    with chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme) as context:
        page = context.new_page()
        headers = {"Content-Security-Policy": policy(style), "Content-Type": "text/html; charset=utf-8"}
        charts = "".join(f"<h2>{place}</h2>{chart}" for place, chart in enumerate(CHARTS))
        main = f'<main class="form"><h1>Charts</h1>{charts}</main>'
        html = f'<!doctype html><html lang="en"><title>Charts</title><style>{style}</style>{main}'
        page.route("**/*", lambda route: route.fulfill(body=html, headers=headers))
        page.goto("http://127.0.0.1:9/charts")
        yield page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1040, 375, 320])
def test_charts_can_be_read_at_every_width(page: Page, width: int) -> None:
    seen = page.evaluate(SEEN)
    assert [chart["sheet"] for chart in seen] == ["c-wide" if width > 800 else "c-narrow"] * len(CHARTS)
    assert [chart["overlaps"] for chart in seen] == [[]] * len(CHARTS)
    assert min(chart["type"] for chart in seen) >= 11
    assert overflowing(page) == []
    assert low_contrasts(page) == []


@pytest.mark.parametrize(("width", "scheme"), [(1040, "light")])
def test_charts_hold_nothing_that_shuts_anybody_out(page: Page) -> None:
    assert violations(page) == []
