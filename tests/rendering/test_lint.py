"""Each check finds the mail that it is there for, and lets the mails that we send pass."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import html
from tests.rendering.test_email import HOSTILE

from digest.config.assets import asset
from digest.errors import ConfigError
from digest.rendering import templates
from digest.rendering.lint import lint
from digest.rendering.lint.attributes import bare_slots
from digest.rendering.lint.contrast import ratio
from digest.rendering.lint.lengths import section_sizes
from digest.rendering.lint.page import Finding, Specimen, parse
from digest.rendering.lint.support import load_support
from digest.rendering.markup import mail_html
from digest.rendering.templates import ACTION_SLOT, ANY_SLOT, KEEP_SLOT, KEEP_URL_SLOT, UNSUBSCRIBE_SLOT

GOLDEN = Path(__file__).parents[1] / "golden"
MAILS = ("week18", "everything", "quiet", "unread", "chosen", "confirmation", "preferences")
WAY_OUT = "https://digest.example/unsubscribe/token"
SENDER = "Digest, 1 Example Street, 10115 Berlin, Germany"

PAGE = f"""<!DOCTYPE html>
<html lang="en"><head><title>Digest No. 1</title><meta name="color-scheme" content="light dark">
<style>
.ink {{ font-family: serif; }}
@media (prefers-color-scheme: dark) {{ .card {{ background: #16191F !important; }}
.ink {{ color: #ECEEF1 !important; }} }}
</style></head>
<body style="background-color:#FFFFFF">
<div style="display:none">1 source fresh.</div>
<div class="card" style="background-color:#FFFFFF"><h1 class="ink" style="color:#15181E">gpt-5.5 leads</h1></div>
<div class="card" style="background-color:#FFFFFF"><h2 class="ink" style="color:#15181E">Movers</h2>
<!--[if mso | IE]><table><tr><td><![endif]-->
<p class="ink" style="color:#464C57">gpt-5.5 has 80.7, up by 2.</p>
<!--[if mso | IE]></td></tr></table><![endif]--></div>
<div class="card foot" style="background-color:#FFFFFF"><p class="ink" style="color:#464C57">{SENDER}</p>
<p class="ink" style="color:#464C57"><a class="ink" style="color:#2A4DA8" href="{WAY_OUT}">Unsubscribe</a></p></div>
</body></html>
"""
TEXT = f"gpt-5.5 leads\n\nMovers\n------\ngpt-5.5 has 80.7, up by 2.\n\n{SENDER}\nUnsubscribe: {WAY_OUT}\n"
MAIL = Specimen(
    rendition="full, ZZ",
    subject="gpt-5.5 leads by 2 points",
    html=PAGE,
    text=TEXT,
    unsubscribe=WAY_OUT,
    sender=SENDER,
    base_url="https://digest.example",
    names=frozenset({"gpt-5.5", "qwen"}),
)


def found(mail: Specimen) -> list[Finding]:
    return lint(mail, load_support())


def with_page(old: str, new: str) -> Specimen:
    assert old in PAGE
    return replace(MAIL, html=PAGE.replace(old, new, 1))


def in_movers(markup: str) -> Specimen:
    """The mail with something more in its section Movers."""
    return with_page(
        '<p class="ink" style="color:#464C57">gpt-5.5 has', f'{markup}<p class="ink" style="color:#464C57">gpt-5.5 has'
    )


def only(mail: Specimen) -> Finding:
    (finding,) = found(mail)
    return finding


def test_a_good_mail_passes_every_check() -> None:
    assert found(MAIL) == []


def golden(name: str) -> Specimen:
    """A mail as it was, filled in as for one reader."""
    page = (GOLDEN / f"{name}.html").read_text(encoding="utf-8")
    head, _, text = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").partition("\n\n")
    parts = []
    for part in (re.sub(rf"<!--{ANY_SLOT.pattern}-->", "", page), re.sub(rf"(?m)^{ANY_SLOT.pattern}\n+", "", text)):
        linked = re.sub(f"{KEEP_URL_SLOT}|{ACTION_SLOT}", "https://digest.example/confirm/token", part)
        parts.append(ANY_SLOT.sub("2 May 2026", linked.replace(UNSUBSCRIBE_SLOT, WAY_OUT)))
    subject = head.splitlines()[0].removeprefix("Subject: ")
    return replace(MAIL, rendition=name, subject=subject, html=parts[0], text=parts[1], names=frozenset())


@pytest.mark.parametrize("name", MAILS)
def test_the_golden_mails_have_no_error_and_lack_nothing_in_any_client(name: str) -> None:
    findings = found(golden(name))
    assert [one for one in findings if one.level == "error" or one.check == "clients"] == []


# Subject, preheader, size


@pytest.mark.parametrize(
    ("length", "levels"), [(0, ["error"]), (50, []), (51, ["warning"]), (100, ["warning"]), (101, ["error"])]
)
def test_a_subject_is_there_and_fits_on_a_telephone(length: int, levels: list[str]) -> None:
    assert [(one.level, one.check) for one in found(replace(MAIL, subject="가" * length))] == [
        (level, "subject") for level in levels
    ]


@pytest.mark.parametrize(("length", "wrong"), [(0, True), (85, False), (86, True)])
def test_a_preheader_is_there_and_is_not_cut_off(length: int, wrong: bool) -> None:
    findings = found(with_page("1 source fresh.", "x" * length))
    assert [(one.level, one.check) for one in findings] == [("warning", "preheader")] * wrong


@pytest.mark.parametrize(
    ("size", "levels"), [(84_999, []), (85_000, ["warning"]), (102_000, ["warning"]), (102_001, ["error"])]
)
def test_a_mail_that_is_clipped_says_which_section_takes_most_of_it(size: int, levels: list[str]) -> None:
    mail = in_movers(f"<!--{'x' * (size - len(PAGE.encode()) - 7)}-->")
    assert mail.html is not None
    assert len(mail.html.encode()) == size
    findings = found(mail)
    assert [one.level for one in findings if one.check == "size"] == levels
    assert all(f"{size:,} bytes of HTML, the most in Movers" in one.what for one in findings)


def test_the_sections_sizes_add_up_to_the_mails() -> None:
    page = parse(golden("everything").html or "")
    assert page is not None
    sizes = section_sizes(page)
    assert sum(sizes.values()) == len(page.source.encode())
    assert {"Head", "Masthead", "Opening", "In brief", "Movers", "Source health", "Footer"} <= sizes.keys()


def test_style_sheets_that_gmail_would_drop_are_found() -> None:
    finding = only(with_page(".ink {", ".ink { color: red; }\n" * 800 + ".ink {"))
    assert (finding.check, finding.section) == ("size", "Head")


# The document


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<!DOCTYPE html>\n", "", "does not begin with <!DOCTYPE html>"),
        ('<html lang="en">', "<html>", "has no lang"),
        ("<title>Digest No. 1</title>", "<title> </title>", "has no title"),
        ("<h2 ", "<h1>gpt-5.5</h1><h2 ", "There are 2 headlines"),
    ],
)
def test_a_document_has_a_doctype_a_language_a_title_and_one_headline(old: str, new: str, said: str) -> None:
    assert [one.what for one in found(with_page(old, new)) if one.check == "document" and said in one.what]


@pytest.mark.parametrize(
    "markup",
    [
        "<script>1</script>",
        '<img src="https://x.example/a.png" alt="a chart">',
        '<table background="//x.example/a.png"><tr><td></td></tr></table>',
        '<p style="background:url(https://x.example/a.png)"></p>',
        '<link rel="stylesheet" href="https://x.example/a.css">',
        "<style>@import 'https://x.example/a.css';</style>",
        "<style>.ink { background: url(https://x.example/a.png) }</style>",
        '<p onclick="x()"></p>',
        '<iframe src="https://x.example/"></iframe>',
        '<img src="cid:a" width="1" height="1" alt="a dot">',
    ],
)
def test_a_mail_fetches_nothing_runs_nothing_and_tracks_nobody(markup: str) -> None:
    assert "harmless" in {one.check for one in found(in_movers(markup)) if one.level == "error"}


@pytest.mark.parametrize(
    ("image", "wrong"),
    [
        ('<img src="cid:a">', True),
        ('<img src="cid:a" alt=" ">', True),
        ('<img src="cid:a" alt="" role="presentation">', False),
        ('<img src="cid:a" alt="gpt-5.5 leads since March">', False),
    ],
)
def test_a_picture_says_what_it_shows(image: str, wrong: bool) -> None:
    findings = [one for one in found(in_movers(image)) if one.check == "alt text"]
    assert [(one.level, one.section) for one in findings] == [("error", "Movers")] * wrong


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<![endif]-->\n<p", "-->\n<p"),
        ("<!--[if mso | IE]></td>", "<!--[if mso]><!--[if IE]></td>"),
        ("</td></tr></table><![endif]-->", "</td></tr><![endif]-->"),
        ("<!--[if mso | IE]><table>", "<![endif]--><!--[if mso | IE]><table>"),
    ],
)
def test_outlooks_comments_are_in_pairs_and_its_tables_whole(old: str, new: str) -> None:
    assert [one.level for one in found(with_page(old, new)) if one.check == "outlook"] == ["error"]


# Links


@pytest.mark.parametrize(
    ("address", "level"),
    [
        ("https://livebench.ai/#a", None),
        ("mailto:hello@digest.example", None),
        ("http://127.0.0.1:8000/x", None),
        ("http://[::1]/x", None),
        ("http://aider.chat/", "warning"),
        ("http://digest.example/editions", "error"),
        ("", "error"),
        ("#", "error"),
        (" javascript:alert(1)", "error"),
        ("JavaScript&#58;alert(1)", "error"),
        ("data:text/html,x", "error"),
        ("//livebench.ai", "error"),
        ("https://", "error"),
        ("https://a.example:port/", "error"),
        ("https://a.example/ b", "error"),
        ("https://a.example/{{ page }}", "error"),
        (f"https://a.example/{KEEP_SLOT}", "error"),
        ("mailto:nobody", "error"),
    ],
)
def test_a_link_leads_somewhere_and_is_encrypted(address: str, level: str | None) -> None:
    link = f'<a class="ink" style="color:#2A4DA8" href="{address}">A source</a>'
    findings = [one for one in found(in_movers(link)) if one.check == "links"]
    assert [one.level for one in findings] == ([level] if level else [])


def test_a_link_has_words() -> None:
    finding = only(in_movers('<a href="https://livebench.ai"> </a>'))
    assert (finding.level, finding.section, finding.what) == (
        "error",
        "Movers",
        "A link has no words: “https://livebench.ai”.",
    )


def test_no_place_for_a_readers_own_is_left_over_in_any_part() -> None:
    for mail in (
        replace(MAIL, subject=f"a {KEEP_SLOT}"),
        replace(MAIL, text=f"{TEXT}{KEEP_SLOT}\n"),
        in_movers(f"<!--{KEEP_SLOT}-->"),
    ):
        assert ("error", "slots") in [(one.level, one.check) for one in found(mail)]


def test_both_parts_have_the_way_out_and_the_sender() -> None:
    for mail, check, section in (
        (with_page(WAY_OUT, "https://digest.example/preferences"), "way out", "Footer"),
        (with_page("Unsubscribe</a>", "</a>"), "way out", "Footer"),
        (replace(MAIL, text=TEXT.replace(WAY_OUT, "")), "way out", "Text part"),
        (with_page("10115 Berlin", "10115"), "sender", "Footer"),
        (replace(MAIL, text=TEXT.replace("Example Street", "")), "sender", "Text part"),
        (replace(MAIL, html=None, text=TEXT.replace(WAY_OUT, "")), "way out", "Text part"),
    ):
        assert ("error", check, section) in [(one.level, one.check, one.section) for one in found(mail)]


# Contrast


def test_black_on_white_is_21_to_1_and_a_colour_on_itself_1() -> None:
    assert ratio((0, 0, 0), (1, 1, 1)) == pytest.approx(21)
    assert ratio((0.3, 0.2, 0.1), (0.3, 0.2, 0.1)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("style", "schemes"),
    [
        ('class="ink" style="color:#767676"', []),  # 4.54 to 1
        ('class="ink" style="color:#777777"', ["light"]),  # 4.48 to 1
        ('style="color:#464C57"', ["dark"]),  # no override
        ('class="ink" style="color:#777777;font-size:24px"', []),  # large
        ('class="ink" style="color:#777777;font-size:19px;font-weight:700"', []),
        ('class="ink" style="color:#777777;font-size:19px"', ["light"]),
        ('class="ink" style="color:rgba(0,0,0,.4)"', ["light"]),
        ('class="ink" style="color:#15181E;background:#1B2233"', ["light"]),
        ('class="ink" style="color:#15181E" bgcolor="#1B2233"', ["light"]),
        ('class="ink" style="color:#15181E;background-color:#EEF2FB"', ["dark"]),  # a light box in the dark
        ('class="ink" style="color:#464C57 !important"', ["dark"]),  # wins over the override
        ('style="display:none;color:#FFFFFF"', []),
    ],
)
def test_every_text_is_seen_on_its_ground_light_and_dark(style: str, schemes: list[str]) -> None:
    findings = [one for one in found(in_movers(f"<p {style}>gpt-5.5 is up</p>")) if one.check == "contrast"]
    assert {(one.level, one.section) for one in findings} <= {("error", "Movers")}
    assert [
        scheme for scheme in ("light", "dark") if any(f"in the {scheme}" in one.what for one in findings)
    ] == schemes


def test_a_link_without_a_colour_is_blue_which_nobody_sees_in_the_dark() -> None:
    finding = only(in_movers('<a href="https://livebench.ai">LiveBench</a>'))
    assert "“LiveBench” is #0000EE on #16191F in the dark" in finding.what


# The text part


def test_a_line_of_the_text_part_keeps_to_72_columns_unless_it_is_an_address() -> None:
    for line, wide in (
        ("a " * 36, False),
        ("a " * 37, True),
        ("가 " * 25, True),
        (f"https://x.example/{'a' * 90}", False),
    ):
        findings = [one for one in found(replace(MAIL, text=f"{TEXT}{line}\n")) if one.check == "text part"]
        assert [one.level for one in findings] == ["warning"] * wide, line


def test_figures_and_names_of_one_part_are_in_the_other() -> None:
    for mail, section, said in (
        (in_movers('<p class="ink">It costs $1.25.</p>'), "Text part", "$1.25: in the HTML part alone."),
        (replace(MAIL, text=f"{TEXT}It costs $1.25.\n"), "Whole mail", "$1.25: in the text part alone."),
        (in_movers('<p class="ink">qwen is new.</p>'), "Text part", "qwen: in the HTML part alone."),
        (replace(MAIL, text=f"{TEXT}qwen is new.\n"), "Whole mail", "qwen: in the text part alone."),
    ):
        finding = only(mail)
        assert (finding.level, finding.check, finding.section, finding.what) == ("error", "facts", section, said)


def test_a_bars_scale_and_the_number_of_a_link_are_no_facts() -> None:
    scale = '<table><tr><td class="tick ink">75</td></tr></table>'
    assert found(replace(in_movers(scale), text=f"{TEXT}[9] https://livebench.ai/2026\n")) == []


def test_a_mail_without_a_text_or_with_nothing_in_its_html_is_an_error() -> None:
    assert "The mail has no text part." in [one.what for one in found(replace(MAIL, text="\n"))]
    assert "The HTML part holds nothing." in [one.what for one in found(replace(MAIL, html=" \n"))]


def test_a_mail_of_plain_text_alone_is_checked_as_one() -> None:
    assert found(replace(MAIL, html=None)) == []


# Clients


@pytest.mark.parametrize(
    ("markup", "said"),
    [
        ('<p class="ink" style="box-shadow:1px 1px red"></p>', "property box-shadow is not known to "),
        ('<p class="ink" style="display:flex"></p>', "value display: flex is not known to Outlook on Windows"),
        ('<p class="ink" style="width:calc(1px + 2%)"></p>', "function calc() is not known to "),
        ("<style>@font-face { font-family: x }</style>", "at-rule @font-face is not known to Gmail"),
        ("<style>.ink:hover { color: #15181E }</style>", "selector :hover is not known to "),
        ("<style>.ink + .ink { color: #15181E }</style>", "selector adjacent sibling is not known to "),
        ("<style>.ink.card { color: #15181E }</style>", "selector chained is not known to "),
        ("<style>.ink { --x: 1 }</style>", "function var() is not known to "),
        ("<meter></meter>", "element meter is not known to "),
        ('<p class="ink" style="zoom:2"></p>', "Whether clients know property zoom is not known."),
        ("<blink></blink>", "Whether clients know element blink is not known."),
    ],
)
def test_what_a_client_does_not_know_is_named_with_the_client(markup: str, said: str) -> None:
    findings = [one for one in found(in_movers(markup)) if one.check == "clients" and one.level == "warning"]
    assert any(one.what.startswith(said) for one in findings), findings
    assert {one.section for one in findings} <= {"Movers", "Head"}


def test_what_is_known_in_part_is_a_note_with_a_page_to_look_at() -> None:
    finding = only(in_movers('<p class="ink" style="text-transform:uppercase"></p>'))
    assert (finding.level, finding.check) == ("note", "clients")
    assert finding.do == "See in which part: https://www.caniemail.com/features/css-text-transform"


def test_what_only_outlook_reads_is_not_held_against_the_others() -> None:
    mso = '<!--[if mso]><style>p { float: left }</style><v:rect></v:rect><![endif]--><p style="mso-hide:all"></p>'
    assert found(in_movers(mso)) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('features = ["html-dir"]', 'features = ["html-dirr"]', "html-dirr"),
        ('gmail = "Gmail"\n', "", "gmail"),
        ("because =", "why =", "because"),
        ("[clients]", "[clients", "cannot be read"),
    ],
)
def test_a_fault_in_the_facts_about_clients_is_named(old: str, new: str, said: str, tmp_path: Path) -> None:
    facts = (asset("data") / "client_support.toml").read_text(encoding="utf-8")
    (tmp_path / "facts.toml").write_text(facts.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        load_support(tmp_path / "facts.toml")


# Hostile mails


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_mail_is_looked_at_and_breaks_no_check(kind: str) -> None:
    text = HOSTILE[kind]
    for mail in (replace(MAIL, subject=text), replace(MAIL, text=text), replace(MAIL, html=text), in_movers(text)):
        assert all(one.what.isprintable() for one in found(mail)), found(mail)


# Templates


def test_no_template_puts_a_bare_value_into_an_attribute_of_an_mjml_tag() -> None:
    assert bare_slots(asset("templates")) == []


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ('<mj-text>\n<mj-image\n alt="{{ x }}" /></mj-text>', 3),
        ('<mjml lang="{{ x | e }}">', 1),
        ('<mj-text color="{{ "a" if x > 1 else x | mj_attribute }}">', 1),
        ('<mj-text color="{% if x > 1 %}red{% else %}{{ x }}{% endif %}">', 1),
        ("<mj-text {{ x }}>", 1),
        ('<mj-text color="{% include "x" %}">', 1),
        ('<mj-text color="{{ x | mj_attribute ~ y }}">', 1),
        ('<mj-text color=">" alt="{{- x -}}">', 1),
    ],
)
def test_a_bare_value_in_an_attribute_is_an_error_with_file_and_line(source: str, line: int, tmp_path: Path) -> None:
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "x.mjml").write_text(source, encoding="utf-8")
    (finding,) = bare_slots(tmp_path)
    assert (finding.level, finding.section) == ("error", f"{tmp_path.name}/email/x.mjml line {line}")


@pytest.mark.parametrize(
    "source",
    [
        '<mj-image alt="{{ x | mj_attribute }}" />',
        '<mj-image alt="{{- (x ~ y) | mj_attribute -}}" />',
        '<mj-text padding="{% if x > 1 %}0{% else %}16px{% endif %}">{{ x }}</mj-text>',
        '{# <mj-image alt="{{ x }}" /> #}',
        '<td class="{{ x }}"></td>',
    ],
)
def test_an_escaped_value_or_one_that_is_no_attribute_of_mjml_passes(source: str, tmp_path: Path) -> None:
    (tmp_path / "x.mjml").write_text(source, encoding="utf-8")
    assert bare_slots(tmp_path) == []


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_value_in_an_attribute_of_mjml_stays_in_it(kind: str, tmp_path: Path) -> None:
    source = '<mjml><mj-body><mj-section><mj-column><mj-image src="cid:a" alt="{{ x | mj_attribute }}" />'
    (tmp_path / "x.mjml").write_text(f"{source}</mj-column></mj-section></mj-body></mjml>", encoding="utf-8")
    value = "".join(char for char in HOSTILE[kind] if char.isprintable())
    page = html.fromstring(mail_html(templates.fill("x.mjml", {"x": value}, tmp_path)))
    assert page.xpath("//script | //@onerror | //@onmouseover") == []
    assert page.xpath("//img/@alt") == [str(templates.without_slots(value))]


def test_a_slot_stays_a_slot_in_an_attribute(tmp_path: Path) -> None:
    (tmp_path / "x.mjml").write_text("{{ slot | mj_attribute }} {{ data | mj_attribute }}", encoding="utf-8")
    facts = {"slot": UNSUBSCRIBE_SLOT, "data": str(UNSUBSCRIBE_SLOT)}
    assert templates.fill("x.mjml", facts, tmp_path) == f"{UNSUBSCRIBE_SLOT} (no name)"
