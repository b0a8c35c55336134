"""The text part says what the HTML part says, in 72 columns."""

import re
from html import unescape

import pytest
from tests import builders as b

from digest.edition.content import Edition
from digest.language import speaking
from digest.rendering.email import render
from digest.rendering.templates import ANY_SLOT, UNSUBSCRIBE_SLOT
from digest.rendering.text import _columns, footnotes, render_text, row, spread, table, wrap

SETTINGS = b.some_settings()


@pytest.mark.parametrize("edition", [b.an_edition(), b.a_full_edition(), b.an_empty_edition()])
def test_no_line_is_wider_than_72_columns_but_links(edition: Edition) -> None:
    lines = ANY_SLOT.sub("", render_text(edition, SETTINGS)).splitlines()
    assert [line for line in lines if len(line) > 72 and "://" not in line] == []


def test_no_line_ends_in_a_blank_and_no_gap_is_wider_than_one_line() -> None:
    text = render_text(b.a_full_edition(), SETTINGS)
    assert re.search(r"[ \t]\n|\n\n\n", text) is None
    assert text.endswith("read it.\n")


def test_the_figures_of_a_table_stand_under_one_another() -> None:
    rows = [line for line in render_text(b.an_edition(), SETTINGS).splitlines() if re.match(r"  [1-7]  ", line)]
    assert len(rows) == 7
    assert len({re.search(r"\d\d\.\d(?= )", row).end() for row in rows if re.search(r"\d\d\.\d(?= )", row)}) == 1  # type: ignore[union-attr]


@pytest.mark.parametrize("edition", [b.an_edition(), b.a_full_edition()])
def test_both_parts_tell_the_same_figures(edition: Edition) -> None:
    rendered = render(edition, SETTINGS)
    seen = unescape(re.sub(r"<style.*?</style>|<!--.*?-->|<[^>]*>", " ", rendered.html, flags=re.DOTALL))
    figure = re.compile(r"\$[\d.,]*\d|#\d+|\d+\.\d+")
    ticks = {"75", "76", "77", "78", "79", "80", "81"}
    assert set(figure.findall(seen)) - ticks == set(figure.findall(rendered.text))


def test_links_are_numbered_where_they_stand_and_listed_at_the_end_of_the_section() -> None:
    homes = (b.a_source(), b.a_source("Aider", home="javascript:x"), b.a_source("Arena", home="https://arena.example/"))
    section = render_text(b.an_edition(health=homes), SETTINGS).partition("Source health")[2]
    assert re.search(r"\nLiveBench \[1\] +●.*\nAider  +●.*\nArena \[2\] +●", re.sub(r"\n    .*", "", section))
    assert "\n[1] https://livebench.example/\n[2] https://arena.example/\n\n" in section
    assert "javascript" not in section


def test_one_address_has_one_number() -> None:
    assert footnotes(["https://a.example", "", "https://b.example", "https://a.example"]) == {
        "https://a.example": "[1]",
        "https://b.example": "[2]",
    }


def test_a_column_grows_with_its_widest_cell() -> None:
    rows = (row("o3", "nicht gemessen", "neu"), "    in percent", row("o4", "80,7", "▼ 12 Plätze tiefer"))
    first, note, second = table(8, 12, caller=lambda: "\n".join(rows)).splitlines()
    assert len(first) == len(second) == 72
    assert first.index("nicht gemessen") + len("nicht gemessen") == second.index("80,7") + len("80,7")
    assert note == "    in percent"


def test_one_cell_without_end_does_not_squeeze_the_other_rows() -> None:
    first, *rest = table(
        8, 12, caller=lambda: "\n".join([row("o3", "80.7", "new"), row("o4", "9" * 60, "same")])
    ).splitlines()
    assert first == spread("o3", "80.7", "new")
    assert rest[0] == "o4"


@pytest.mark.parametrize("edition", [b.an_edition(), b.a_full_edition(), b.an_empty_edition()])
def test_german_keeps_to_72_columns_and_its_figures_stand_under_one_another(edition: Edition) -> None:
    with speaking("de"):
        text = ANY_SLOT.sub("", render_text(edition, SETTINGS))
    assert [line for line in text.splitlines() if len(line) > 72 and "://" not in line] == []
    ranks = [line for line in text.splitlines() if re.match(r"  [1-7]  ", line)]
    assert {len(line) for line in ranks} <= {72}


def test_a_row_too_long_for_its_line_keeps_its_figures_on_the_next() -> None:
    assert spread("m" * 60, "80.7", "new").splitlines() == ["m" * 60, " " * 56 + "80.7         new"]


def test_a_wide_character_takes_two_columns() -> None:
    assert len(spread("模型", "80.7", "new")) == 72 - 2


def test_a_wide_text_folds_by_columns_and_loses_no_character() -> None:
    text = "수신거부 이 메일의 수신을 원하지 않으시면 " * 4 + "模型" * 60
    lines = wrap(text).splitlines()
    assert max(_columns(line) for line in lines) <= 72
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_name_does_not_break_at_its_hyphen() -> None:
    assert wrap("x" * 60 + " gemini-3.1-pro-preview").splitlines()[1] == "gemini-3.1-pro-preview"


def test_a_row_that_is_told_apart_does_not_stand_under_the_label_of_a_tie() -> None:
    places = (
        b.a_place(1, b.a_name("o3"), "80.7", band=1),
        b.a_place(2, b.a_name("o4"), "80.3", band=1),
        b.a_place(3, b.a_name("o1"), "70.0"),
    )
    text = render_text(b.an_empty_edition(boards=(b.a_board(places=places),)), SETTINGS)
    assert re.search(r"Tied for 1st.*\n  1  o3 .*\n  2  o4 .*\n\n  3  o1 ", text)


def test_a_model_named_like_a_slot_keeps_a_name() -> None:
    places = (b.a_place(1, b.a_name(UNSUBSCRIBE_SLOT), "80.7"), b.a_place(2, b.a_name("o3"), "70"))
    text = render_text(b.an_empty_edition(boards=(b.a_board(places=places),)), SETTINGS)
    assert "  1  (no name)" in text
