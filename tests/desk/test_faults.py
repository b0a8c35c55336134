"""What is wrong with a file is said with the file and the line, and shown with the lines around it."""

from pathlib import Path

import pytest

from digest.config import load_settings
from digest.desk import faults
from digest.desk.faults import Fault, fault_of
from digest.edition.notes import load_note
from digest.errors import DigestError
from digest.rendering.markup import mail_html
from digest.rendering.templates import environment_of, fill


def of_config(path: Path, text: str) -> Fault:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DigestError) as caught:
        load_settings(path)
    return fault_of(caught.value, path)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[series]\ntitle = "x"\nnotess = "y"\n', 3),
        ('[series]\n\n[mail]\nfrom_address = "no address"\n', 4),
        ("[delivery]\nlease_seconds = 1\n\n[delivery.x]\ny = 1\n", 4),
        ('[series]\ntitle = "x\n', 2),
        ("[mail\n", 1),
        ("# nothing\n[nonsense]\n", 2),
    ],
)
def test_a_setting_is_found_by_its_key(config: Path, text: str, line: int) -> None:
    fault = of_config(config, text)
    assert (Path(fault.file), fault.line) == (config, line)
    assert dict(fault.excerpt)[line] == text.splitlines()[line - 1]


def test_a_note_is_found_by_the_line_of_its_front_matter(tmp_path: Path) -> None:
    (tmp_path / "2026-W18.md").write_text("---\ntitle: x\ndate: 2026-05-01\ndraft: maybe\n---\n\nWords.\n")
    with pytest.raises(DigestError) as caught:
        load_note(tmp_path, "2026-W18")
    fault = fault_of(caught.value, tmp_path / "config.toml")
    assert (fault.file, fault.line) == (str(tmp_path / "2026-W18.md"), 4)
    assert fault.excerpt[2] == (4, "draft: maybe")


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of templates of the test's own."""
    folder = tmp_path / "templates"
    (folder / "email").mkdir(parents=True)
    monkeypatch.setattr(faults, "asset", lambda name: tmp_path / name)
    environment_of.cache_clear()
    return folder


@pytest.mark.parametrize("broken", ["{% if %}", "{{ there_is_none }}", "{{ 1 / 0 }}", "{% nonsense %}"])
def test_a_template_is_found_by_its_line(templates: Path, config: Path, broken: str) -> None:
    (templates / "email" / "x.mjml").write_text(f"first\n\n{broken}\nlast\n")
    with pytest.raises(DigestError) as caught:
        fill("email/x.mjml", {}, templates)
    fault = fault_of(caught.value, config)
    assert (fault.file, fault.line) == ("templates/email/x.mjml", 3)
    assert (3, broken) in fault.excerpt


def test_a_tag_that_mjml_does_not_know_is_found_in_its_template(templates: Path, config: Path) -> None:
    (templates / "email" / "x.mjml").write_text("<mj-text>a</mj-text>\n<mj-texts>b</mj-texts>\n")
    with pytest.raises(DigestError) as caught:
        mail_html(
            "<mjml><mj-body><mj-section><mj-column><mj-texts>b</mj-texts></mj-column></mj-section></mj-body></mjml>"
        )
    fault = fault_of(caught.value, config)
    assert (fault.file, fault.line) == ("templates/email/x.mjml", 2)


def test_what_nobody_foresaw_is_named_by_its_kind_and_place_and_not_by_its_words(config: Path) -> None:
    try:
        raise KeyError("ada@example.org")
    except KeyError as error:
        fault = fault_of(error, config)
    assert fault.sentence.startswith("This is a fault of the program (KeyError in test_faults.py line ")
    assert "ada" not in fault.sentence


def test_a_sentence_that_names_no_file_stands_alone(config: Path) -> None:
    assert fault_of(DigestError("nothing has a capture yet."), config) == Fault("nothing has a capture yet.")
