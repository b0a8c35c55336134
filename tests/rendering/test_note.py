"""The editor's note in the mail: its opening in both parts, no picture, a draft marked as one."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from tests import builders as b
from tests.edition.test_notes import HOSTILE

from digest.edition.content import Edition
from digest.edition.notes import load_note
from digest.edition.rendered import Rendered
from digest.rendering.email import render
from digest.rendering.templates import UNSUBSCRIBE_SLOT, WATCH_SLOT

SETTINGS = b.some_settings()


def _with_note(folder: Path, body: str, head: str = "") -> Edition:
    text = f"---\ntitle: A first look\ndate: 2026-04-29\n{head}---\n{body}"
    (folder / "2026-W18.md").write_text(text, encoding="utf-8")
    return b.an_empty_edition(health=(b.a_source(home=""),), note=load_note(folder, "2026-W18"))


def test_a_note_stands_in_both_parts_with_its_title_and_author(tmp_path: Path) -> None:
    rendered = render(_with_note(tmp_path, "It *is* fast; see [why](https://a.example/w).", "author: Ann\n"), SETTINGS)
    page = html.fromstring(rendered.html)
    assert [node.text_content() for node in page.xpath("//h2")][-2:] == ["From the editor", "Source health"]
    assert page.xpath("//p[em]")[0].text_content() == "It is fast; see why."
    assert [(link.text, link.get("rel")) for link in page.xpath("//a[@href='https://a.example/w']")] == [
        ("why", "noopener")
    ]
    assert (
        "From the editor\n---------------\n\nA first look\n\nIt is fast; see why [1].\n\nAnn\n[1] https://a.example/w\n"
    ) in rendered.text
    assert "The rest is on the web" not in rendered.html + rendered.text


def test_what_does_not_fit_is_linked_on_the_web(tmp_path: Path) -> None:
    rendered = render(_with_note(tmp_path, f"{'Word ' * 60}end.\n\n{'Word ' * 30}left out."), SETTINGS)
    address = "https://digest.example/editions/2026-W18"
    assert html.fromstring(rendered.html).xpath("//a[. = 'The rest is on the web']/@href") == [address]
    assert f"The rest is on the web [1]\n[1] {address}\n" in rendered.text
    assert "left out" not in rendered.html + rendered.text


def test_a_draft_says_in_the_preview_that_it_is_not_sent(tmp_path: Path) -> None:
    rendered = render(_with_note(tmp_path, "Not done.", "draft: true\n"), SETTINGS)
    for part in (rendered.html, rendered.text):
        assert "hown in this preview only; it is not sent." in part


def test_without_a_note_there_is_no_trace_of_one() -> None:
    rendered = render(b.an_edition(), SETTINGS)
    assert "From the editor" not in rendered.html + rendered.text


def test_a_cover_picture_is_not_in_the_mail(tmp_path: Path) -> None:
    (tmp_path / "cover.png").write_bytes(b"\x89PNG\r\n\x1a\n...")
    rendered = render(_with_note(tmp_path, "Words.", "cover_image: cover.png\ncover_alt: A line\n"), SETTINGS)
    assert "cover.png" not in rendered.html + rendered.text
    assert "<img" not in rendered.html


def test_lists_and_quotations_are_folded_under_their_marks(tmp_path: Path) -> None:
    long = "so many words that the line is far too long for seventy-two columns of text"
    text = render(_with_note(tmp_path, f"- {long}\n- b\n\n> {long}"), SETTINGS).text
    assert "- so many words that the line is far too long for seventy-two columns of\n  text\n- b\n" in text
    assert "> so many words that the line is far too long for seventy-two columns of\n> text\n" in text


def test_every_colour_of_a_note_has_a_dark_override(tmp_path: Path) -> None:
    body = "# Head\n\n*Em* [l](https://a.example) `code`\n\n- one\n\n1. two\n\n> said\n\n    code\n"
    source = render(_with_note(tmp_path, body, "draft: true\n"), SETTINGS).html
    dark = source[source.index("@media (prefers-color-scheme: dark)") : source.index("[data-ogsc]")]
    overridden = dict(re.findall(r"\.([\w-]+) \{ (.*?) \}", dark))
    for node in html.fromstring(source).xpath("//body//*[@style and not(self::div or self::table)]"):
        rules = " ".join(overridden.get(name, "") for name in (node.get("class") or "").split())
        for kind in re.findall(r"(?<![\w-])(background-color|border|color)(?:-\w+)?:[^;]*#\w{6}", node.get("style")):
            assert kind.split("-")[0] in rules, (node.tag, node.get("style"))


def _is_harmless(rendered: Rendered, tame: Rendered) -> None:
    allowed = {"em", "strong", "code", "pre", "li", "ul", "ol", "blockquote", "h3", "br", "start", "rel", "href", "a"}
    for path in ("//*", "//@*"):
        hostile, known = (
            {getattr(one, "attrname", None) or one.tag for one in html.fromstring(part.html).xpath(path)}
            for part in (rendered, tame)
        )
        assert hostile - known <= allowed
    links = html.fromstring(rendered.html).xpath("//@href")
    assert all(link == UNSUBSCRIBE_SLOT or re.match(r"(https?://|mailto:)", link) for link in links)
    assert rendered.html.count(UNSUBSCRIBE_SLOT) == rendered.text.count(UNSUBSCRIBE_SLOT) == 1
    assert rendered.html.count(WATCH_SLOT) == rendered.text.count(WATCH_SLOT) == 1
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", rendered.text)
    assert len(rendered.html.encode()) < 102_000


@pytest.mark.parametrize("markdown", [*HOSTILE, UNSUBSCRIBE_SLOT, WATCH_SLOT, f"[x](https://a.example/{WATCH_SLOT})"])
def test_a_hostile_note_is_harmless_in_both_parts(tmp_path: Path, markdown: str) -> None:
    tame = render(_with_note(tmp_path, "Tame."), SETTINGS)
    _is_harmless(render(_with_note(tmp_path, f"Words.\n\n{markdown}\n\nWords."), SETTINGS), tame)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notes")


@pytest.mark.long
@settings(max_examples=25, deadline=None)
@given(markdown=st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=6).map("\n".join))
def test_no_mixture_of_hostile_text_does_harm(folder: Path, markdown: str) -> None:
    _is_harmless(
        render(_with_note(folder, f"Words {markdown}"), SETTINGS), render(_with_note(folder, "Tame."), SETTINGS)
    )


def test_no_line_of_a_note_is_wider_than_72_columns_but_links(tmp_path: Path) -> None:
    body = f"{'word ' * 30}\n\n- {'m' * 200}\n\n    {'x' * 90}\n\n[a](https://a.example/{'b' * 90})"
    lines = render(_with_note(tmp_path, body), SETTINGS).text.splitlines()
    assert [line for line in lines if len(line) > 72 and "://" not in line and "digestSlot" not in line] == []
