"""The picture for social networks: its form, what it says, and that bars mean what they mean in the mail."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from tests.builders import (
    a_board,
    a_failed_source,
    a_lower_is_better_board,
    a_name,
    a_place,
    a_rating_board,
    an_edition,
    an_empty_edition,
)
from tests.rendering.pictures import HOSTILE

from digest.edition.content import Edition
from digest.language import speaking
from digest.rendering import cards
from digest.rendering.cards import Card, card_alt, card_of, card_png
from digest.rendering.charts import content_key

EDITIONS: dict[str, Edition] = {
    "tie": an_edition(),
    "ratings": an_empty_edition(boards=(a_rating_board(),)),
    "lower": an_empty_edition(boards=(a_lower_is_better_board(),)),
    "unread": an_empty_edition(health=(a_failed_source(),)),
    "one row": an_empty_edition(boards=(a_board(places=a_board().places[:1]),)),
    "unscored": an_empty_edition(boards=(a_board(places=(a_place(1, a_name(), None),)),)),
    "hostile": an_edition(
        series=HOSTILE, boards=(a_board(title="模" * 90, places=(a_place(1, a_name(HOSTILE), "1"),)),)
    ),
    "long": an_edition(boards=(a_board(places=(a_place(1, a_name("W" * 400), "-1e30"), *a_board().places[1:])),)),
}


def drawn(edition: Edition) -> Any:
    return Image.open(BytesIO(card_png(card_of(edition))))


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)
def test_a_card_is_an_opaque_png_of_1200_by_630_with_at_most_64_colours(edition: Edition) -> None:
    picture = drawn(edition)
    assert (picture.format, picture.mode, picture.size) == ("PNG", "P", (1200, 630))
    assert len(picture.getcolors()) <= 64
    assert "transparency" not in picture.info
    assert len(card_png(card_of(edition))) < 40_000


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)
def test_nothing_is_drawn_into_the_margins(edition: Edition) -> None:
    picture = drawn(edition).convert("RGB")
    for box in ((0, 0, 60, 630), (1138, 0, 1200, 630), (0, 0, 1200, 40), (0, 610, 1200, 630)):
        assert picture.crop(box).getcolors() == [((box[2] - box[0]) * (box[3] - box[1]), cards.CARD)]


def test_the_same_card_gives_the_same_bytes() -> None:
    assert card_png(card_of(an_edition())) == card_png(card_of(an_edition()))
    assert content_key(card_of(an_edition())) == content_key(card_of(an_edition()))
    assert content_key(card_of(an_edition())) != content_key(card_of(an_edition(number=19)))


def test_the_palette_is_exact_on_what_is_flat() -> None:
    seen = {colour for _count, colour in drawn(an_edition()).convert("RGB").getcolors()}
    assert {cards.CARD, cards.TINT, cards.INK, cards.BAR, cards.BAR_2} <= seen


def bars(edition: Edition) -> list[tuple[int, int]]:
    """Of each row the first and last column that its bar covers."""
    picture = drawn(edition).convert("RGB")
    found = []
    for row in range(5):
        line = [picture.getpixel((x, 2 * (150 + 26 * row + 8))) for x in range(2 * 330, 2 * 498)]
        covered = [x for x, colour in enumerate(line) if colour in (cards.BAR, cards.BAR_2)]
        found.append((covered[0], covered[-1]))
    return found


def test_bars_overlap_exactly_where_rows_are_within_the_margin() -> None:
    first, second, third, fourth, fifth = bars(an_edition())
    assert first[0] < second[1]
    assert first[0] < third[1]
    assert fourth[1] < third[0]
    assert fourth[0] < fifth[1]
    widths = [right - left for left, right in (first, second, third, fourth, fifth)]
    assert max(widths) - min(widths) <= 1


def test_published_intervals_are_drawn_as_wide_as_they_are() -> None:
    first, second, *_ = bars(an_empty_edition(boards=(a_rating_board(),)))
    wide = (1431.5866 - 1409.3261) / (1445.1791 - 1433.4566)
    assert (second[1] - second[0]) / (first[1] - first[0]) == pytest.approx(wide, rel=0.05)
    assert second[1] < first[0]


def test_only_rows_that_tie_for_first_stand_on_a_tint() -> None:
    def tinted(edition: Edition) -> list[bool]:
        picture = drawn(edition).convert("RGB")
        return [picture.getpixel((70, 2 * (150 + 26 * row) + 4)) == cards.TINT for row in range(5)]

    assert tinted(an_edition()) == [True, True, True, False, False]
    assert not any(tinted(an_empty_edition(boards=(a_rating_board(),))))


def test_the_alt_text_says_the_headline_and_the_rows() -> None:
    said = card_alt(card_of(an_edition()))
    assert said.startswith("Digest, No. 18 · Week 18, 2026: gpt-5.5 xhigh ties for first on LiveBench. ")
    assert "#1, tied, gpt-5.5 xhigh: 80.7; #2, tied, gpt-5.4 xhigh: 80.3;" in said
    assert "LiveBench overall, Mon 27 Apr" in said


def test_the_alt_text_of_a_board_says_that_lower_is_better() -> None:
    assert "Lower is better: Vectara hallucination" in card_alt(card_of(EDITIONS["lower"]))


def test_a_card_speaks_the_language_of_who_it_is_for() -> None:
    with speaking("de"):
        card = card_of(EDITIONS["lower"])
        assert card.issue.startswith("Nr. 18 · ")
        assert "Niedriger ist besser: Vectara hallucination" in card_alt(card)


def test_a_week_without_a_board_says_what_is_known_of_it() -> None:
    card = card_of(EDITIONS["unread"])
    assert card.board is None
    assert card_alt(card).endswith("That does not say nothing changed; it says we do not know.")


def test_the_board_is_the_one_that_the_headline_is_about() -> None:
    card = card_of(an_empty_edition(boards=(a_rating_board(), a_lower_is_better_board())))
    assert "Vectara" in card.headline
    assert card.board is not None
    assert card.board.source == "vectara"


def test_a_long_headline_is_made_to_fit_above_the_table() -> None:
    card: Card = card_of(an_edition())._replace(headline="Word " * 60)
    picture = Image.open(BytesIO(card_png(card))).convert("RGB")
    assert picture.crop((64, 280, 1136, 288)).getcolors() == [(1072 * 8, cards.CARD)]
