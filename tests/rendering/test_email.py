"""The mail: harmless whatever a source calls its models, readable light and dark, and never clipped."""

import functools
import os
import re
import socket
from decimal import Decimal
from email.header import decode_header
from pathlib import Path
from typing import Any

import pytest
from lxml import etree, html
from tests import builders as b

from digest.config.assets import asset
from digest.config.sections import Series
from digest.edition.content import Edition
from digest.edition.rendered import Rendered
from digest.edition.renditions import Rendition
from digest.errors import DigestError
from digest.rendering.email import UNSUBSCRIBE_SLOT, axis_of, bar_of, render
from digest.rendering.markup import mail_html
from digest.rendering.renditions import assemble

GOLDEN = Path(__file__).parents[1] / "golden"
SETTINGS = b.some_settings()
PREFERENCES = "https://digest.example/preferences"
HOSTILE = {
    "markup": '<script>alert(1)</script><img src=x onerror="alert(1)">',
    "attribute": '" onmouseover="alert(1)" x="',
    "template": "{{ 7 * 7 }}{% include 'x' %}",
    "header": "=?utf-8?q?A=0A_Bcc:_evil=40x?=",
    "line": "gpt\r\nBcc: evil@x\u2028\u0085end",
    "direction": "safe\u202egnp.exe\u2066\u200f",
    "control": "\x00\x08\x1b[2J\ufffe\ud800bell\x07",
    "long": "m" * 10_000,
    "comment": "--><![endif]--><style>*{display:none}</style>",
    "entity": "&lt;script&gt;&amp;#34;",
    "slot": f"x{UNSUBSCRIBE_SLOT[:9]}\u200b{UNSUBSCRIBE_SLOT[9:]}",
    "mjml": "</mj-text><mj-raw><script>1</script></mj-raw>",
}
EDITIONS = {
    "week18": b.an_edition(),
    "everything": b.a_full_edition(),
    "quiet": b.an_empty_edition(
        boards=(b.a_quiet_board(),), prices=(b.a_halved_price(),), health=(b.a_source(), b.a_stale_source())
    ),
    "unread": b.an_empty_edition(health=(b.a_failed_source(), b.a_stale_source())),
}


def _hostile_edition(text: str) -> Edition:
    """An edition in which everything that comes from outside is `text`."""
    name = b.a_name(text, text, raw=text, thinking=text, host=text)
    board = b.a_board(title=text, benchmark=text, unit=text, previous_leader=name)
    places = tuple(place.model_copy(update={"name": name}) for place in board.places)
    arrival = b.some_arrivals().models[0].model_copy(update={"name": name})
    mover = b.some_movers().movers[0].model_copy(update={"name": name, "reason": text})
    return b.an_edition(
        series=text,
        tagline=text,
        boards=(board.model_copy(update={"places": places}),),
        arrivals=(b.some_arrivals(title=text, unit=text, models=(arrival,)),),
        movers=(b.some_movers(title=text, benchmark=text, unit=text, movers=(mover,)),),
        prices=(b.some_prices(title=text, priced=(b.a_price("new", name, input=(None, "1")),)),),
        gone=(b.some_gone(title=text, names=(name,)),),
        disagreements=(b.a_disagreement(name=name, measure=text, fact=text),),
        method=(b.a_method_note(title=text, benchmark=text),),
        health=(b.a_failed_source(title=text, detail=text, home=text),),
    )


@functools.cache
def _rendered(text: str) -> Rendered:
    return render(_hostile_edition(text), SETTINGS)


def _all(source: str, path: str) -> list[Any]:
    """What an XPath finds in a page."""
    found = html.fromstring(source).xpath(path)
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_name_adds_no_element_no_attribute_and_no_address(kind: str) -> None:
    hostile, tame = _rendered(HOSTILE[kind]), _rendered("tame")
    for path in ("//*", "//@*"):
        names = [
            {getattr(one, "attrname", None) or one.tag for one in _all(page.html, path)} for page in (hostile, tame)
        ]
        assert names[0] <= names[1]
    assert _all(hostile.html, "//@href") == [PREFERENCES, UNSUBSCRIBE_SLOT]
    assert hostile.html.count(UNSUBSCRIBE_SLOT) == hostile.text.count(UNSUBSCRIBE_SLOT) == 1


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_name_is_one_clean_line_in_the_subject(kind: str) -> None:
    rendered = _rendered(HOSTILE[kind])
    for line in (rendered.subject, rendered.preheader):
        assert line.isprintable()
        assert decode_header(line) == [(line, None)]
        assert UNSUBSCRIBE_SLOT not in line
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", rendered.text) is None
    assert len(rendered.html) < 102_000


def test_what_looks_like_a_template_is_printed_and_not_run() -> None:
    rendered = _rendered(HOSTILE["template"])
    assert "{{ 7 * 7 }}" in rendered.text
    assert "{{ 7 * 7 }}" in rendered.html
    assert "49" not in rendered.subject


def test_a_title_with_a_quote_breaks_out_of_no_attribute() -> None:
    source = render(b.an_edition(series='D" onx="1" & <b>'), SETTINGS).html
    assert _all(source, "//@onx") == []
    assert _all(source, "//div[@role='article']/@aria-label") == ["D' onx='1' & <b> No. 18"]


@pytest.mark.parametrize("name", EDITIONS)
def test_the_mail_is_what_it_was(name: str) -> None:
    rendered = render(EDITIONS[name], SETTINGS)
    mail = assemble(rendered, Rendition())
    head = f"Subject: {mail.subject}\nPreheader: {rendered.preheader}\n\n"
    for suffix, content in (("html", mail.html), ("txt", head + mail.text)):
        assert content is not None
        check_golden(f"{name}.{suffix}", content)


def check_golden(name: str, content: str) -> None:
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(content, encoding="utf-8", newline="\n")
    assert content == path.read_text(encoding="utf-8"), f"look at it, then UPDATE_GOLDEN=1 rewrites {name}"


def test_the_same_edition_gives_the_same_bytes() -> None:
    assert render(b.a_full_edition(), SETTINGS) == render(b.a_full_edition(), SETTINGS)


def test_an_edition_read_back_from_its_document_renders_the_same() -> None:
    edition = b.a_full_edition()
    assert render(Edition.model_validate_json(edition.document()), SETTINGS) == render(edition, SETTINGS)


def test_rendering_opens_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("rendering wanted the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert render(b.an_edition(), SETTINGS).html


def test_the_mail_fetches_nothing_and_links_only_the_sources_and_the_way_out() -> None:
    source = render(b.an_edition(), SETTINGS).html
    homes = {health.home for health in b.an_edition().health}
    assert set(_all(source, "//a/@href")) == {UNSUBSCRIBE_SLOT, PREFERENCES, *homes}
    assert _all(source, "//img | //link | //script | //*[@src] | //*[@background]") == []
    assert re.search(r"@import|url\(|googleapis", source) is None


def test_a_very_full_edition_is_not_clipped_by_mail_clients() -> None:
    assert len(render(b.a_full_edition(), SETTINGS).html.encode()) < 102_000


def test_the_mail_names_the_sender_the_reason_and_the_way_out() -> None:
    rendered = render(b.an_edition(), SETTINGS)
    for part in (rendered.html, rendered.text):
        assert PREFERENCES in part
        assert "never an IP" in part
        assert "1 Example Street, 10115 Berlin, Germany" in part
        assert "hello@digest.example" in part
        assert "You get this because you agreed to get Digest." in part
        assert part.count(UNSUBSCRIBE_SLOT) == 1


def test_without_a_postal_address_no_empty_line_stands_for_it() -> None:
    bare = SETTINGS.model_copy(update={"series": Series(title="Digest")})
    rendered = render(b.an_edition(), bare)
    assert "Digest," not in rendered.text
    assert "\nDigest\n" in rendered.text


def test_without_a_contact_of_its_own_the_mail_names_where_answers_go() -> None:
    bare = SETTINGS.model_copy(update={"series": Series(title="Digest")})
    for part in (render(b.an_edition(), bare).html, render(b.an_edition(), bare).text):
        assert f"Contact: {bare.mail.from_address}" in part


def test_sections_without_content_are_left_out() -> None:
    source = render(EDITIONS["unread"], SETTINGS).html
    assert [node.text_content() for node in _all(source, "//h2")] == ["In brief", "Source health"]
    assert [node.text_content() for node in _all(source, "//h1")] == ["No source could be read this week"]


def test_the_page_declares_its_language_its_title_and_both_colour_schemes() -> None:
    source = render(b.an_edition(), SETTINGS).html
    assert _all(source, "/html/@lang") == ["en"]
    assert [node.text.strip() for node in _all(source, "/html/head/title")] == ["Digest No. 18"]
    assert _all(source, "//meta[@name='color-scheme']/@content") == ["light dark"]


def test_every_colour_written_into_an_element_has_a_dark_override() -> None:
    check_dark_overrides(render(b.a_full_edition(), SETTINGS).html)


def check_dark_overrides(source: str) -> None:
    dark = source[source.index("@media (prefers-color-scheme: dark)") : source.index("[data-ogsc]")]
    overridden = dict(re.findall(r"\.([\w-]+) \{ (.*?) \}", dark))
    for node in _all(source, "//body//*[@style]"):
        rules = " ".join(overridden.get(name, "") for name in (node.get("class") or "").split())
        for kind in re.findall(r"(?<![\w-])(background-color|border|color)(?:-\w+)?:[^;]*#\w{6}", node.get("style")):
            card = node.tag in ("div", "table") and kind != "border"  # MJML's own: `.card div` and `.card table`
            assert card or kind.split("-")[0] in rules, etree.tostring(node)[:200]


def test_the_dark_overrides_win_over_inline_styles_and_hold_for_outlook_too() -> None:
    source = render(b.an_edition(), SETTINGS).html
    assert "body { background-color: #0E1014 !important; }" in source
    media = source[source.index("@media (prefers-color-scheme: dark)") : source.index("[data-ogsc]")]
    rules = re.findall(r"^\.(.*?) \{ .*!important; \}", media, re.MULTILINE)
    outlook = re.findall(r"^\[data-ogsc\] \.(.*?) \{ .*!important; \}", source, re.MULTILINE)
    assert rules == outlook
    assert "tint" in outlook


def test_bars_overlap_on_paper_exactly_where_rows_are_tied() -> None:
    board = b.a_board()
    axis = axis_of(board)
    assert axis is not None
    assert (axis.start, axis.end) == (Decimal(75), Decimal(82))
    ends = []
    for place in board.places:
        widths = [Decimal(width.rstrip("%")) for kind, width in bar_of(place, board, axis) if kind != "point"]
        assert sum(widths) == pytest.approx(Decimal(100), abs=Decimal("0.2"))
        ends.append((widths[0], widths[0] + widths[1] + widths[2]))
    overlaps_first = [low < ends[0][1] and high > ends[0][0] for low, high in ends]
    assert overlaps_first == [place.band == 1 for place in board.places]


def test_a_published_interval_is_drawn_as_it_is_even_when_it_is_lopsided() -> None:
    board = b.a_rating_board()
    axis = axis_of(board)
    assert axis is not None
    cells = bar_of(board.places[1], board, axis)
    assert [kind for kind, _ in cells] == ["blank", "half", "point", "half", "blank"]
    low, high = (Decimal(cells[i][1].rstrip("%")) for i in (1, 3))
    assert high > low


def test_a_board_without_figures_draws_no_axis() -> None:
    places = (b.a_place(1, b.a_name(), None), b.a_place(2, b.a_name(), None))
    assert axis_of(b.a_board(places=places)) is None
    assert axis_of(b.a_board(places=())) is None
    assert "not measured" in render(b.an_edition(boards=(b.a_board(places=places),)), SETTINGS).html


def test_no_template_puts_data_into_an_attribute_of_mjml_which_would_write_it_out_unescaped() -> None:
    for path in sorted((asset("templates") / "email").glob("*.mjml")):
        for tag in re.findall(r"<mj-(?:[^>{]|\{[^{])*(?:\{\{[^>]*)?>", path.read_text(encoding="utf-8")):
            assert "{{" not in tag, f"{path.name}: {tag}"


def test_markup_that_mjml_does_not_know_is_a_fault_of_the_templates() -> None:
    with pytest.raises(DigestError, match=r"templates/email/ .*mj-unknown"):
        mail_html("<mjml><mj-body><mj-unknown></mj-unknown></mj-body></mjml>")
