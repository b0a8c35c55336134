"""The editor's note: what an editor writes comes out as it was meant, or is refused with one clear sentence."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.edition.content import Note
from digest.edition.markdown import as_html, as_text, opening_of, parsed, text_of, words_in
from digest.edition.notes import for_sending, load_note
from digest.errors import DigestError

WEEK = "2026-W18"
PNG = b"\x89PNG\r\n\x1a\n and the rest"
HEAD = "title: A first look\ndate: 2026-04-29"


def _note(folder: Path, body: str = "One sentence.", head: str = HEAD) -> Note:
    (folder / f"{WEEK}.md").write_bytes(f"---\n{head}\n---\n{body}".encode())
    found = load_note(folder, WEEK)
    assert found is not None
    return found


def _refused(folder: Path, head: str = HEAD, body: str = "One sentence.") -> str:
    with pytest.raises(DigestError) as refusal:
        _note(folder, body, head)
    said = str(refusal.value)
    assert f"{folder}/{WEEK}.md" in said
    assert "\n" not in said
    return said.removeprefix(f"{folder}/{WEEK}.md").strip(" :")


def test_a_week_without_a_file_has_no_note(tmp_path: Path) -> None:
    assert load_note(tmp_path, WEEK) is None


def test_a_note_is_read_with_its_title_author_day_and_both_forms(tmp_path: Path) -> None:
    note = _note(tmp_path, "It *is* so: see [the method](https://a.example/m).", f"{HEAD}\nauthor: Ann")
    assert (note.title, note.author, note.on.isoformat(), note.draft) == ("A first look", "Ann", "2026-04-29", False)
    assert note.html == ('<p>It <em>is</em> so: see <a href="https://a.example/m" rel="noopener">the method</a>.</p>')
    assert [paragraph.text for paragraph in note.text] == ["It is so: see the method [1]."]
    assert note.links == ("https://a.example/m",)
    assert (note.words, note.more, note.whole) == (6, False, note.html)


def test_line_ends_and_a_byte_order_mark_of_any_editor_are_fine(tmp_path: Path) -> None:
    (tmp_path / f"{WEEK}.md").write_bytes(b"\xef\xbb\xbf---\r\ntitle: A\r\ndate: 2026-04-29\r\n---\r\nOne.\r\n\r\nTwo.")
    note = load_note(tmp_path, WEEK)
    assert note is not None
    assert note.html == "<p>One.</p>\n<p>Two.</p>"


def test_a_note_on_disk_gives_the_same_fact_each_time_and_survives_being_stored(tmp_path: Path) -> None:
    note = _note(tmp_path, "# One\n\n- a\n- b")
    assert load_note(tmp_path, WEEK) == note == Note.model_validate_json(note.model_dump_json())


# Drafts


def test_a_draft_is_in_no_edition_that_is_sent(tmp_path: Path) -> None:
    draft, done = _note(tmp_path, head=f"{HEAD}\ndraft: true"), _note(tmp_path)
    assert draft.draft
    assert for_sending(draft) is None
    assert for_sending(done) == done
    assert for_sending(None) is None


def test_a_mistyped_draft_is_refused_and_not_sent(tmp_path: Path) -> None:
    assert _refused(tmp_path, f"{HEAD}\ndrafts: true") == 'line 4: a note has no key "drafts"; did you mean "draft"?'
    assert _refused(tmp_path, f'{HEAD}\ndraft: "yes"') == "line 4: draft wants true or false; correct it."
    assert _refused(tmp_path, f"{HEAD}\ndraft: true\ndraft: false") == 'line 5: "draft" is there twice; keep one.'


def test_a_half_baked_review_with_a_picture_from_elsewhere_is_told_what_to_do(tmp_path: Path) -> None:
    head = 'title: "A half-baked review"\ndate: 2026-02-14\ndraft: true'
    body = "It is *fast*.\n\n![Scores.png](https://pictures.example/s.png)The graph says it."
    assert "date 2026-02-14 is more than a week away from 2026-W18" in _refused(tmp_path, head, body)
    assert "name the file 2026-W07.md" in _refused(tmp_path, head, body)
    head = head.replace("02-14", "05-01")
    assert "is no file beside the note" in _refused(tmp_path, f"{head}\ncover_image: /posts/spark/cover.png", body)
    note = _note(tmp_path, body, head)
    assert for_sending(note) is None
    assert "<img" not in note.whole
    assert '<a href="https://pictures.example/s.png" rel="noopener">[picture: Scores.png]</a> The graph' in note.whole


# Front matter


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("date: 2026-04-29", "the front matter has no title; add one, a line of 1 to 120 characters."),
        ("title: A", "the front matter has no date; add one, a day such as 2026-05-01."),
        ("title: ''\ndate: 2026-04-29", "line 2: title wants a line of 1 to 120 characters; correct it."),
        ("title: [a]\ndate: 2026-04-29", "line 2: title wants a line of 1 to 120 characters; correct it."),
        ("title: A\ndate: soon", "line 3: date wants a day such as 2026-05-01; correct it."),
        ("title: A\ndate: 20260429", "line 3: date wants a day such as 2026-05-01; correct it."),
        (
            "title: A\ndate: 2026-04-29\nauthor: [x]",
            "line 4: author wants a line of at most 80 characters; correct it.",
        ),
        ("- title", "the front matter is no list of `key: value`; write title and date so."),
        ("title: A\ndate: 2026-02-31", "is no valid YAML"),
        ("title: 'A\ndate: 2026-04-29", "is no valid YAML"),
        ("title: A\n\tdate: 2026-04-29", "line 3: the front matter is no valid YAML"),
        ("[" * 5000, "is no valid YAML"),
        ("? [a, b]\n: c\ntitle: A\ndate: 2026-04-29", "is no valid YAML"),
        ("title: !!python/object:os.system A\ndate: 2026-04-29", "line 2: the front matter is no valid YAML"),
        ("title: A\ndate: 2026-04-29\ntags: x", 'line 4: a note has no key "tags"; known are title, date, draft'),
    ],
)
def test_broken_front_matter_is_named_by_line_and_cause(tmp_path: Path, head: str, said: str) -> None:
    assert said in _refused(tmp_path, head)


@pytest.mark.parametrize("text", ["Only words.", "", "---\ntitle: A\ndate: 2026-04-29\n", "----"])
def test_a_note_without_front_matter_is_told_how_to_begin(tmp_path: Path, text: str) -> None:
    (tmp_path / f"{WEEK}.md").write_text(text)
    with pytest.raises(DigestError, match="begin it with title and date between two lines of ---"):
        load_note(tmp_path, WEEK)


def test_a_note_of_no_words_too_many_bytes_or_another_encoding_is_refused(tmp_path: Path) -> None:
    assert "has a title but no text" in _refused(tmp_path, body="\n***\n")
    assert "is larger than 64 kB" in _refused(tmp_path, body="a" * 64_001)
    (tmp_path / f"{WEEK}.md").write_bytes(b"---\ntitle: caf\xe9\n---\n")
    with pytest.raises(DigestError, match="is not UTF-8 at byte 14"):
        load_note(tmp_path, WEEK)
    (tmp_path / "2026-W19.md").mkdir()
    with pytest.raises(DigestError, match="cannot be read"):
        load_note(tmp_path, "2026-W19")


@pytest.mark.parametrize("on", ["2026-04-20", "2026-04-27", "2026-05-04 09:30:00", "2026-05-10"])
def test_a_note_may_be_dated_up_to_a_week_around_its_own(tmp_path: Path, on: str) -> None:
    assert _note(tmp_path, head=f"title: A\ndate: {on}").on.isoformat() == on[:10]


# The cover picture


def test_a_cover_is_a_picture_beside_the_note_with_words_for_it(tmp_path: Path) -> None:
    (tmp_path / "cover.png").write_bytes(PNG)
    cover = _note(tmp_path, head=f"{HEAD}\ncover_image: cover.png\ncover_alt: Two lines that cross").cover
    assert cover is not None
    assert (cover.file, cover.media_type, cover.alt) == ("cover.png", "image/png", "Two lines that cross")
    assert len(cover.sha256) == 64


@pytest.mark.parametrize(
    ("cover", "said"),
    [
        ("https://pictures.example/a.png", "is an address, and nothing is fetched"),
        ("//pictures.example/a.png", "is an address, and nothing is fetched"),
        ("../cover.png", "is no file beside the note"),
        (r'"a\0b.png"', "is no file beside the note"),
        ("/etc/passwd", "is no file beside the note"),
        ("..", "is no file beside the note"),
        ("outside.png", "is no file beside the note"),
        ("absent.png", "is not there"),
        ("note.svg", "is no PNG, JPEG, WebP or GIF picture"),
    ],
)
def test_a_cover_that_cannot_be_served_is_refused(tmp_path: Path, cover: str, said: str) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (tmp_path / "cover.png").write_bytes(PNG)
    (folder / "outside.png").symlink_to(tmp_path / "cover.png")
    (folder / "note.svg").write_text("<svg onload='x'/>")
    assert said in _refused(folder, f"{HEAD}\ncover_image: {cover}\ncover_alt: A picture")


def test_a_cover_without_words_for_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cover.png").write_bytes(PNG)
    assert "has no cover_alt; say in words" in _refused(tmp_path, f"{HEAD}\ncover_image: cover.png")


# What fits the mail


def _sentence(words: int, word: str = "word") -> str:
    return " ".join([word] * words).capitalize() + "."


def test_eighty_words_fit_and_the_rest_is_on_the_web(tmp_path: Path) -> None:
    first, second = _sentence(50), _sentence(30)
    assert not _note(tmp_path, f"{first}\n\n{second}").more
    note = _note(tmp_path, f"{first}\n\n{second} More.")
    assert note.more
    assert [paragraph.text for paragraph in note.text] == [first, second]
    assert "More." in note.whole


def test_the_opening_ends_at_a_paragraph_or_a_sentence_and_never_below_a_heading() -> None:
    assert _opened(f"{_sentence(40)}\n\n## Next\n\n{_sentence(41)}") == [_sentence(40)]
    assert _opened(f"{_sentence(40)} {_sentence(39)} {_sentence(9)}") == [f"{_sentence(40)} {_sentence(39)}"]
    assert _opened(f"{_sentence(40)}\n\n- {_sentence(20)}\n- {_sentence(30)}") == [_sentence(40)]


def test_a_full_stop_inside_a_name_an_abbreviation_or_emphasis_ends_no_sentence() -> None:
    for inside in ("gpt-5.4 Pro", "e.g. Kimi", "*so. Then*", "v3. and"):
        start = f"{_sentence(10)} It is {inside} "
        assert _opened(start + _sentence(80)) == [_sentence(10)]


def test_where_not_even_a_sentence_fits_words_do() -> None:
    (text,) = _opened(_sentence(200))
    assert text.endswith("word…")
    assert words_in(text) == 80


def _opened(markdown: str) -> list[str]:
    return [paragraph.text for paragraph in as_text(opening_of(parsed(markdown)))[0]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Two words", 2),
        ("gpt-5.4 — it's #1, 80.7 %", 4),
        ("模型很好", 4),
        ("a" * 240, 10),
        ("… *** —", 0),
    ],
)
def test_words_are_counted_as_an_editor_counts_them(text: str, words: int) -> None:
    assert words_in(text) == words


def test_an_address_costs_no_word_of_the_eighty() -> None:
    assert words_in(text_of(parsed("See [the whole method](https://a.example/a/long/way/to/it) here."))) == 5


# Text


def test_lists_quotations_and_code_keep_their_marks_in_the_text_part() -> None:
    markdown = "- one\n- two\n  1. deep\n\n  more\n\n> said\n\n```\nx = 1\n  y\n```\n"
    told = [f"{paragraph.lead}|{paragraph.text}" for paragraph in as_text(parsed(markdown))[0]]
    assert told == ["- |one", "- |two", "  1. |deep", "  |more", "> |said", "    |x = 1", "    |y"]


def test_links_are_numbered_once_and_an_address_that_is_its_own_text_is_not() -> None:
    paragraphs, links = as_text(parsed("[a](http://x.example/1), [b](http://x.example/1), <http://y.example/2>"))
    assert paragraphs[0].text == "a [1], b [1], http://y.example/2"
    assert links == ("http://x.example/1",)


# Harmless


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<style>*{display:none}</style>",
    "[x](javascript:alert(1)) [y](data:text/html,x) [z](//evil.example) [r](posts/x) [f](file:///etc/passwd)",
    "[x](https://a.example/\"onclick=\"x) [y](https://a.example 'on')",
    "![x](javascript:alert(1)) ![y](cover.png) [![z](https://a.example/z.png)](https://a.example)",
    "&#x202e;reversed &#0; &#27;[2J \u2066\u200f\u2028",
    "--><![endif]--><style>",
    "{{ 7 * 7 }}{% include 'x' %}",
    "m" * 10_000,
    "> " * 300 + "deep",
    "[" * 400 + "x" + "](http://a.example)" * 400,
    "</mj-text><mj-raw><script>1</script></mj-raw>",
]
_ALLOWED = re.compile(
    r"</?(?:p|h3|ul|li|blockquote|pre|code|em|strong)>|<br>|</a>|</?ol>|<ol start=\"\d+\">"
    r"|<a href=\"(?:https?://|mailto:)[^\s\"<>]*\" rel=\"noopener\">"
)
_UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


def _is_harmless(markdown: str) -> None:
    tokens = parsed(markdown)
    for part in (tokens, opening_of(tokens)):
        html = as_html(part)
        assert "<" not in _ALLOWED.sub("", html)
        assert not _UNSEEN.search(html)
        assert not any(_UNSEEN.search(paragraph.text) for paragraph in as_text(part)[0])
    assert len(as_html(opening_of(tokens)).encode()) < 16_000


@pytest.mark.parametrize("markdown", HOSTILE)
def test_hostile_markdown_is_harmless_in_both_forms(markdown: str) -> None:
    _is_harmless(markdown)


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("ab <>[]()!*_`#>-\n\"'&;:/.x1\u202e\x00\u2028~\\="), max_size=200))
def test_no_markdown_at_all_gives_an_element_that_is_not_allowed(markdown: str) -> None:
    _is_harmless(markdown)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from([*HOSTILE[:9], "A word.", "- item", "# Head", "> so", "[l](http://a.example/b)"]), max_size=30
    )
)
def test_the_opening_is_never_longer_than_eighty_words(blocks: list[str]) -> None:
    tokens = parsed("\n\n".join(blocks))
    assert words_in(text_of(opening_of(tokens))) <= 80
