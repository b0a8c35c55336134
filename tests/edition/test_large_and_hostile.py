"""A week of ten thousand changes stays a mail that is not clipped, and a hostile name harms nobody."""

import re
from decimal import Decimal
from typing import Any

import pytest
from tests.edition.weeks import BEFORE, composed
from tests.snapshots import a_board, a_price_list, an_offer

from digest.config.settings import Settings
from digest.edition.content import Edition
from digest.edition.stories import in_order
from digest.rendering.email import render
from digest.scores.snapshot import Snapshot

CLIPPED_AT = 102_000  # bytes of HTML from which on Gmail shows only a part
LONG = "x" * 10_000
HOSTILE = {
    "markup": "<img src=x onerror=alert(1)></td></table>",
    "control": "\x00\x1b[2J\x07gpt\r\nBcc: evil@example.org",
    "long": LONG,
    "right to left": "safe\u202egnp.exe\u2066\u200f",
}


def board_pair(source: str, rows: int, suffix: str = "") -> tuple[Snapshot, Snapshot]:
    """A board on which a quarter of the rows was measured again, twenty margins higher, and a tenth came and went."""
    before = {f"model-{n}{suffix}": Decimal(n) / 10 for n in range(rows)}
    after = {
        (f"other-{n}{suffix}" if n % 10 == 0 else f"model-{n}{suffix}"): Decimal(n) / 10
        + (20 if n % 4 == 1 else 3 if n % 10 == 0 else 0)
        for n in range(rows)
    }
    weeks = ({"main": table, "side": {name: value + 1 for name, value in table.items()}} for table in (before, after))
    about: dict[str, Any] = {"source": source, "margin": Decimal(1), "unit": "points"}
    return a_board(next(weeks), on=BEFORE, **about), a_board(next(weeks), **about)


def price_pair(source: str, rows: int, suffix: str = "") -> tuple[Snapshot, Snapshot]:
    """A price list in which a half of the prices fell and a tenth of the models came and went."""
    before = {f"{source}-{n}{suffix}": an_offer(1 + n % 90, 2 + n % 80, 1000 * (n + 1)) for n in range(rows)}
    after = {
        (f"new-{source}-{n}{suffix}" if n % 10 == 0 else f"{source}-{n}{suffix}"): an_offer(
            Decimal(1 + n % 90) / (2 if n % 2 else 1), 2 + n % 80, 1000 * (n + 1)
        )
        for n in range(rows)
    }
    return a_price_list(before, source=source, on=BEFORE), a_price_list(after, source=source)


@pytest.fixture(scope="module")
def large() -> Edition:
    boards = [board_pair(name, 1500, f"-{'y' * 80}") for name in ("one", "two", "three")]
    lists = [price_pair(name, 6000, f"-{'z' * 80}") for name in ("four", "five", "six")]
    return composed(*boards, *lists)


@pytest.mark.long
def test_ten_thousand_changes_give_a_mail_that_is_not_clipped(large: Edition) -> None:
    assert len(large.stories) >= 10_000
    assert len(render(large, Settings()).html.encode()) < CLIPPED_AT


@pytest.mark.long
def test_what_is_not_listed_of_ten_thousand_changes_is_counted(large: Edition) -> None:
    for section, listed, folded in (
        ("movers", sum(len(it.movers) for it in large.movers), sum(it.folded for it in large.movers)),
        ("prices", sum(len(it.priced) for it in large.prices), sum(it.folded for it in large.prices)),
        ("gone", sum(len(it.names) for it in large.gone), sum(it.folded for it in large.gone)),
        ("arrivals", sum(len(it.models) for it in large.arrivals), sum(it.folded for it in large.arrivals)),
    ):
        stories = [story for story in large.stories if story.section == section]
        assert (sum(story.listed for story in stories), len(stories)) == (listed, listed + folded), section


@pytest.mark.long
def test_no_story_that_is_left_out_of_a_section_is_worth_more_than_one_that_it_lists(large: Edition) -> None:
    assert large.stories == in_order(large.stories)
    for place in {(story.section, story.source) for story in large.stories}:
        stories = [story for story in large.stories if (story.section, story.source) == place]
        least = min((story.value for story in stories if story.listed), default=max(it.value for it in stories))
        assert all(story.value <= least for story in stories if not story.listed)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_name_in_every_row_comes_out_harmless(kind: str) -> None:
    name = HOSTILE[kind]
    edition = composed(board_pair("one", 40, name), price_pair("two", 40, name))
    rendered = render(edition, Settings())
    assert len(rendered.html.encode()) < CLIPPED_AT
    assert "<img" not in rendered.html
    assert LONG[:100] not in rendered.text
    for part in (rendered.subject, rendered.preheader, rendered.text):
        assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", part) is None
    assert "\n" not in rendered.subject + rendered.preheader
    assert len(rendered.subject) <= 50
