"""The mail as a reader sees it: in the system's Chromium, narrow and wide, light and dark."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from tests.browser.accessibility import low_contrasts, overflowing

from digest.operations.demo import run_demo
from digest.rendering.templates import UNSUBSCRIBE_SLOT

GOLDEN = Path(__file__).parents[1] / "golden"

MAILS = (
    *("week18", "everything", "quiet", "unread", "watched", "chosen", "confirmation", "preferences"),
    *("edition-2026-W18-full-en", "edition-2026-W18-full-de", "edition-2026-W18-short-en", "edition-2026-W17-full-en"),
)

pytestmark = pytest.mark.browser


@pytest.fixture
def page(chromium: Browser, width: int, scheme: Any) -> Iterator[Page]:
    with chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True) as context:
        yield context.new_page()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 375])
@pytest.mark.parametrize("edition", MAILS)
def test_nothing_in_a_mail_overflows_and_every_text_can_be_read(page: Page, edition: str) -> None:
    """Without a network, so with images off: a mail has none that it needs."""
    page.set_content((GOLDEN / f"{edition}.html").read_text().replace(UNSUBSCRIBE_SLOT, "https://digest.example/u"))
    assert overflowing(page) == []
    assert low_contrasts(page) == []


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
    assert overflowing(page) == []
    assert low_contrasts(page) == []
