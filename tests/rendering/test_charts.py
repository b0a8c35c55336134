"""Charts: what is drawn where, what is said beside it, and that nothing in a name gets out of its place."""

from decimal import Decimal
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from markupsafe import Markup
from tests.rendering.pictures import HOSTILE, a_cloud, a_history, alike

from digest.edition.frontier import ScoreByPrice
from digest.edition.history import RankHistory
from digest.language import LOCALES, speaking
from digest.rendering.charts import content_key, rank_history_svg, score_by_price_svg
from digest.rendering.drawing import NARROW, WIDE, Box, Dot, Form, Sheet, box_of, shortened, spread, width_of
from digest.rendering.price_chart import price_sheet
from digest.rendering.rank_chart import rank_sheet
from digest.rendering.templates import UNSUBSCRIBE_SLOT

CROSSING = {"gpt-5.5": [None, 2, 1], "gpt-5.4": [1, 1, 2], "gemini-3.1-pro-preview": [2, 3, 3]}
CLOUD = (("gpt-5.5", "80.7", "11.25"), ("gpt-5.4", "80.3", "5.63"), ("kimi-k2.6", "72.2", "1.71"), ("old", "60", "9"))
FORMS = pytest.mark.parametrize("form", [WIDE, NARROW], ids=["wide", "narrow"])
SPOKEN = pytest.mark.parametrize("locale", LOCALES)


def parsed(chart: Markup) -> Any:
    return etree.fromstring(chart)


def texts(sheet: Sheet, kind: str) -> list[str]:
    return [words.text for words in sheet.words if words.kind == kind]


def dots(sheet: Sheet, *kinds: str) -> list[Dot]:
    """Without those of the legend, which stand below everything."""
    lowest = max(y for path in sheet.paths for _x, y in path.points)
    return [dot for dot in sheet.dots if dot.kind in kinds and dot.y <= lowest]


def crowded(sheet: Sheet) -> list[tuple[str, str]]:
    """Pairs of words that overlap, and words beyond the sheet's edges."""
    boxes = [(words.text, box_of(words, sheet.form.size)) for words in sheet.words]
    whole = Box(-0.01, -0.01, sheet.form.width + 0.01, sheet.height)
    beyond = [(text, "beyond the edge") for text, box in boxes if not whole.holds(box)]
    return [(one, other) for (one, a), (other, b) in combinations(boxes, 2) if a.touches(b)] + beyond


@pytest.mark.parametrize("chart", [rank_history_svg(a_history(CROSSING)), score_by_price_svg(a_cloud(*CLOUD))])
def test_a_chart_is_two_named_pictures_without_style_or_script(chart: Markup) -> None:
    wide, narrow = parsed(chart)
    for svg in (wide, narrow):
        ids = {element.get("id"): element.text for element in svg.iter() if element.get("id")}
        assert svg.get("role") == "img"
        assert [ids[svg.get(name)][-1] for name in ("aria-labelledby", "aria-describedby")] == [".", "."]
    every = [element.get("id") for element in parsed(chart).iter() if element.get("id")]
    assert len(every) == len(set(every)) == 4
    names = {name for element in parsed(chart).iter() for name in element.attrib}
    assert not names & {"style", "onload", "href", "fill", "stroke"}
    assert {element.tag for element in parsed(chart).iter()} <= {
        *("div", "svg", "title", "desc", "rect", "polyline", "circle", "text")
    }


def test_the_title_says_the_finding_and_the_description_every_course() -> None:
    svg = parsed(rank_history_svg(a_history(CROSSING)))[0]
    assert svg.findtext("title") == "gpt-5.5 and gpt-5.4 tie for first on LiveBench."
    assert "gemini-3.1-pro-preview: #2 to #3." in svg.findtext("desc")
    svg = parsed(score_by_price_svg(a_cloud(*CLOUD)))[0]
    assert svg.findtext("title") == (
        "Nothing is both cheaper and better than gpt-5.5, gpt-5.4 or kimi-k2.6 on LiveBench overall."
    )


@FORMS
def test_every_place_lies_in_its_week_and_lane(form: Form) -> None:
    sheet = rank_sheet(a_history({"a": [1, 2, 4], "b": [3, 1, 1]}), form)
    lanes = {words.text: words.y for words in sheet.words if words.kind == "tick" and words.text.isdigit()}
    weeks = [words.x for words in sorted(sheet.words) if words.kind == "tick" and "Apr" in words.text]
    found = [(dot.x, dot.y) for dot in dots(sheet, "first", "place")]
    heights = [y - lanes[str(rank)] for (_x, y), rank in zip(found, (1, 2, 4, 3, 1, 1), strict=True)]
    assert heights == pytest.approx([heights[0]] * 6)
    assert found[2][0] - found[1][0] == pytest.approx(found[1][0] - found[0][0])
    assert max(weeks) == found[2][0] == found[5][0]


@FORMS
def test_a_week_without_a_capture_breaks_every_line_and_is_dotted(form: Form) -> None:
    sheet = rank_sheet(a_history({"a": [1, 1, None, 2, 2], "b": [2, 2, None, 1, 1]}), form)
    lines = [path.points for path in sheet.paths if path.kind.startswith("line")]
    assert [len(points) for points in lines] == [2, 2, 2, 2]
    (dotted,) = (path for path in sheet.paths if path.kind == "missing")
    assert all(points[-1][0] < dotted.points[0][0] or points[0][0] > dotted.points[0][0] for points in lines)
    assert "dotted: no capture in that week" in texts(sheet, "note")


def test_a_benchmark_made_anew_breaks_every_line_and_is_named() -> None:
    sheet = rank_sheet(a_history({"a": [1, 1, 1], "b": [2, 2, 2]}, anew=(False, True, False)), WIDE)
    assert [len(path.points) for path in sheet.paths if path.kind.startswith("line")] == [2, 2]
    assert "new benchmark" in texts(sheet, "note")


def test_rows_that_tie_for_first_share_a_band_and_big_dots() -> None:
    sheet = rank_sheet(a_history({"a": [1, 1], "b": [2, 3]}, tied=(2, 1)), WIDE)
    (band,) = sheet.areas
    first, after, tied, _beaten = dots(sheet, "first", "place")
    assert (band.box.top, band.box.left) < (first.y, first.x)
    assert band.box.bottom > tied.y
    assert band.box.right < after.x
    assert (first.radius, _beaten.radius) == (5, 3.5)


def test_a_place_below_the_drawn_ones_is_hollow_in_a_lane_of_its_own() -> None:
    sheet = rank_sheet(a_history({"a": [40, 1], "b": [11, 10]}), WIDE)
    assert texts(sheet, "tick")[9:11] == ["10", "11+"]
    assert len({dot.y for dot in dots(sheet, "below")}) == 1
    assert "below #10" in texts(sheet, "note")


@FORMS
def test_one_week_alone_is_dots_with_their_names(form: Form) -> None:
    sheet = rank_sheet(a_history({"a": [1], "b": [2]}), form)
    assert len(dots(sheet, "first")) == 2
    assert texts(sheet, "model-first") == ["#1 a", "#2 b"]
    assert not [path for path in sheet.paths if path.kind.startswith("line")]


@FORMS
def test_names_of_one_place_are_moved_apart(form: Form) -> None:
    sheet = rank_sheet(a_history({f"model-{place}": [1, 1] for place in range(8)}), form)
    assert len(texts(sheet, "model-first")) == 8
    assert crowded(sheet) == []


@pytest.mark.long
@SPOKEN
@FORMS
@given(st.lists(st.lists(st.integers(1, 30) | st.none(), min_size=12, max_size=12), min_size=1, max_size=8))
def test_no_words_of_a_history_overlap(form: Form, locale: str, places: list[list[int | None]]) -> None:
    ranks = {f"a-rather-long-model-name-{row}": [*weeks[:-1], row + 1] for row, weeks in enumerate(places)}
    with speaking(locale):
        assert crowded(rank_sheet(a_history(ranks), form)) == []


@FORMS
def test_every_model_lies_at_its_score_and_the_logarithm_of_its_price(form: Form) -> None:
    sheet = price_sheet(a_cloud(("a", "80", "10"), ("b", "70", "1"), ("c", "60", "0.1"), ("d", "50", "100")), form)
    d, c, b, a = sorted(dots(sheet, "beaten", "unbeaten"), key=lambda dot: -dot.y)
    assert [a.x - b.x, b.x - c.x, d.x - a.x] == pytest.approx([a.x - b.x] * 3)
    assert [b.y - a.y, c.y - b.y, d.y - c.y] == pytest.approx([b.y - a.y] * 3)
    ticks = {words.text: words for words in sheet.words if words.kind == "tick"}
    assert [ticks["$1.00"].x, ticks["$10.00"].x] == pytest.approx([b.x, a.x])
    assert ticks["60"].y - ticks["80"].y == pytest.approx(c.y - a.y)


def test_the_stairs_join_what_nothing_beats_from_the_cheapest_to_the_best() -> None:
    sheet = price_sheet(a_cloud(*CLOUD), WIDE)
    (stairs,) = (path.points for path in sheet.paths if path.kind == "stairs")
    corners = {(dot.x, dot.y) for dot in dots(sheet, "unbeaten")}
    assert corners <= set(stairs)
    assert len(corners) == 3
    assert all(x <= to_x and y >= to_y for (x, y), (to_x, to_y) in pairwise(stairs))
    assert len(dots(sheet, "beaten")) == 1


def test_where_lower_is_better_the_lowest_score_is_on_top_and_the_axis_says_so() -> None:
    sheet = price_sheet(a_cloud(("low", "1", "1"), ("high", "9", "1.1"), higher_is_better=False), WIDE)
    low, high = sorted(dots(sheet, "beaten", "unbeaten"), key=lambda dot: dot.x)
    assert low.y < high.y
    assert "LiveBench overall, %, lower is better" in texts(sheet, "note")


@SPOKEN
@FORMS
def test_thirty_models_of_one_family_get_labels_that_neither_overlap_nor_repeat(form: Form, locale: str) -> None:
    with speaking(locale):
        sheet = price_sheet(a_cloud(*alike()), form)
    labels = texts(sheet, "model") + texts(sheet, "model-first")
    assert crowded(sheet) == []
    assert len(labels) == len(set(labels)) >= 1
    assert len(dots(sheet, "beaten", "unbeaten")) == 30


def test_names_that_would_read_alike_once_shortened_are_left_out() -> None:
    one, other = (f"{'a' * 28}{middle}{'z' * 28}" for middle in "xy")
    sheet = price_sheet(a_cloud((one, "80", "100"), (other, "20", "1"), ("b" * 57, "50", "10")), WIDE)
    assert [label[0] for label in texts(sheet, "model-first")] == ["b"]


@pytest.mark.long
@FORMS
@given(
    st.lists(
        st.tuples(st.decimals(-2000, 2000, places=3), st.decimals("1e-9", "1e7", places=9).filter(bool)),
        min_size=1,
        max_size=25,
        unique=True,
    )
)
def test_no_words_of_a_cloud_overlap_and_every_dot_is_on_the_sheet(
    form: Form, spots: list[tuple[Decimal, Decimal]]
) -> None:
    named = [(f"model-{place}", str(score), f"{price:f}") for place, (score, price) in enumerate(spots)]
    sheet = price_sheet(a_cloud(*named), form)
    assert crowded(sheet) == []
    assert all(0 <= dot.x <= form.width and 0 <= dot.y <= sheet.height for dot in sheet.dots)


@FORMS
@pytest.mark.parametrize("spot", [("a", "0", "1"), ("a", "-12.5", "0.0000001"), ("a", "1440", "99999999")])
def test_a_single_model_of_any_score_and_price_is_drawn(form: Form, spot: tuple[str, str, str]) -> None:
    sheet = price_sheet(a_cloud(spot), form)
    assert len(dots(sheet, "unbeaten")) == 1
    assert texts(sheet, "model-first") == ["a"]


@pytest.mark.parametrize("name", [HOSTILE, UNSUBSCRIBE_SLOT, "a" * 500, "\u0000\ufffe", "模型" * 40])
def test_what_stands_in_a_name_stays_words(name: str) -> None:
    charts = (
        rank_history_svg(a_history({name: [1, 1], "b": [2, 2]}, source=name, benchmark=name)),
        score_by_price_svg(a_cloud((name, "80", "1"), where=name, unit=name, prices=name, price_unit=name)),
    )
    for chart in charts:
        assert {element.tag for element in parsed(chart).iter()} <= {
            *("div", "svg", "title", "desc", "rect", "polyline", "circle", "text")
        }
        assert "<script" not in chart
        assert str(UNSUBSCRIBE_SLOT) not in chart
        assert "\u202e" not in chart


@pytest.mark.parametrize(
    ("facts", "other"),
    [
        (a_history(CROSSING), a_history(CROSSING)._replace(benchmark="other")),
        (a_cloud(*CLOUD), a_cloud(*CLOUD[:3])),
    ],
)
def test_the_same_facts_have_one_key_and_other_facts_another(
    facts: RankHistory | ScoreByPrice, other: RankHistory | ScoreByPrice
) -> None:
    assert content_key(facts) == content_key(facts._replace()) != content_key(other)


def test_the_key_of_a_picture_knows_its_language() -> None:
    facts = a_history(CROSSING)
    with speaking("de"):
        german = content_key(facts)
    assert german != content_key(facts)


def test_a_chart_speaks_german_in_its_names_and_in_its_marks() -> None:
    with speaking("de"):
        svg = parsed(score_by_price_svg(a_cloud(*CLOUD, higher_is_better=False)))[0]
    assert svg.findtext("title") == (
        "Bei LiveBench overall ist kein Modell zugleich günstiger und besser als gpt-5.5, gpt-5.4 oder kimi-k2.6."
    )
    marks = [text.text for text in svg.iter("text")]
    assert "LiveBench overall, %, niedriger ist besser" in marks
    assert "USD je 1 Mio. Token, Ein-/Ausgabe 3:1, log." in marks


def test_the_same_facts_give_the_same_bytes() -> None:
    assert rank_history_svg(a_history(CROSSING)) == rank_history_svg(a_history(CROSSING))
    assert score_by_price_svg(a_cloud(*CLOUD)) == score_by_price_svg(a_cloud(*reversed(CLOUD)))


def test_a_shortened_name_keeps_both_ends_and_its_room() -> None:
    short = shortened("qwen3-235b-a22b-thinking-2507", 14, 120)
    assert short.startswith("qwen3")
    assert short.endswith("2507")
    assert width_of(short, 14) <= 120
    assert shortened("gpt-5.5", 14, 120) == "gpt-5.5"


def test_heights_are_spread_in_their_order_and_within_their_bounds() -> None:
    assert spread([10, 10, 50], 10, 0, 100) == [10, 20, 50]
    assert spread([95, 96, 97], 10, 0, 100) == [80, 90, 100]
