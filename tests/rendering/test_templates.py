"""Templates are strict: what they ask for must be there, and a fault is named by file and line."""

from pathlib import Path

import pytest

from digest.errors import DigestError
from digest.rendering import templates


def _written(folder: Path, text: str, name: str = "page.mjml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_name_that_is_not_there_is_named_with_file_and_line(tmp_path: Path) -> None:
    with pytest.raises(DigestError, match=r"templates/page\.mjml line 2 .*'nobody' is undefined"):
        templates.fill("page.mjml", {}, _written(tmp_path, "one\n{{ nobody }}\n"))


def test_a_fault_in_a_partial_is_named_there(tmp_path: Path) -> None:
    _written(tmp_path, "\n\n{{ words.no_such_sentence(1) }}", "part.mjml")
    with pytest.raises(DigestError, match=r"templates/part\.mjml line 3 "):
        templates.fill("page.mjml", {}, _written(tmp_path, '{% include "part.mjml" %}'))


def test_a_template_with_broken_syntax_is_named_with_file_and_line(tmp_path: Path) -> None:
    with pytest.raises(DigestError, match=r"templates/page\.mjml line 2 is no valid template"):
        templates.fill("page.mjml", {}, _written(tmp_path, "\n{% if %}"))


def test_a_template_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(DigestError, match=r"templates/absent\.mjml"):
        templates.fill("absent.mjml", {}, tmp_path)


def test_markup_is_escaped_in_mail_and_left_alone_in_text(tmp_path: Path) -> None:
    _written(tmp_path, "{{ x }}", "part.txt")
    assert templates.fill("page.mjml", {"x": "<b>&"}, _written(tmp_path, "{{ x }}")) == "&lt;b&gt;&amp;"
    assert templates.fill("part.txt", {"x": "<b>&"}, tmp_path) == "<b>&"


def test_data_cannot_place_a_readers_link_but_a_template_can(tmp_path: Path) -> None:
    facts = {"data": f"gpt {templates.UNSUBSCRIBE_SLOT}", "slot": templates.UNSUBSCRIBE_SLOT}
    filled = templates.fill("page.mjml", facts, _written(tmp_path, "[{{ data }}] [{{ slot }}]"))
    assert filled == f"[gpt (no name)] [{templates.UNSUBSCRIBE_SLOT}]"


def test_a_slot_is_letters_and_digits_so_that_no_later_step_encodes_it() -> None:
    assert templates.UNSUBSCRIBE_SLOT.isascii()
    assert templates.UNSUBSCRIBE_SLOT.isalnum()


@pytest.mark.parametrize(
    ("address", "linked"),
    [
        ("https://livebench.ai", True),
        ("http://aider.chat/docs/leaderboards/", True),
        ("", False),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("ftp://example.org/", False),
        ("//example.org", False),
        ("https://", False),
        ('https://a.example/"onclick="x', False),
        ("https://a.example/ b", False),
        ("https://[::1", False),
        ("https://a.example/\nBcc: x", False),
    ],
)
def test_only_an_address_of_the_web_becomes_a_link(address: str, linked: bool) -> None:
    assert templates.web_address(address) == (address if linked else "")
