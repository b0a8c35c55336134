"""What is wrong with a file is said with the file and the line, and shown with the lines around it."""

from pathlib import Path

import pytest

from digest import language
from digest.config.assets import asset
from digest.config.loading import load_settings
from digest.desk import faults
from digest.desk.faults import Fault, fault_of
from digest.edition.notes import load_note
from digest.errors import DigestError
from digest.rendering import tags
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
    for module in (faults, tags, language):
        monkeypatch.setattr(module, "asset", lambda name: tmp_path / name)
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


TABLE = "<mj-section>\n<mj-column>\n<mj-table>\n<tr><td>{{ x }}</td></tr>\n</mj-table>\n</mj-column>\n</mj-section>\n"


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("</mj-table>\n", "\n", 3, "leaves <mj-table> open"),
        ("</mj-section>\n", "", 1, "leaves <mj-section> open"),
        ("</mj-section>\n", "</mj-section>\n</mj-section>\n", 8, "closes a <mj-section> that is not open"),
        ("<mj-table>", '<mj-table css-class="x>', 3, "has a <mj-table without its end"),
        ("<mj-column>", "<mj-column", 2, "has a <mj-column without its end"),
    ],
)
def test_tags_that_do_not_fit_are_found_in_their_template(
    templates: Path, config: Path, old: str, new: str, line: int, said: str
) -> None:
    assert mail_html(f"<mjml><mj-body>{TABLE}</mj-body></mjml>")
    (templates / "email" / "sound.mjml").write_text(TABLE)
    (templates / "email" / "table.mjml").write_text(TABLE.replace(old, new, 1))
    with pytest.raises(DigestError, match=said) as caught:
        mail_html(f"<mjml><mj-body>{fill('email/table.mjml', {'x': 'y'}, templates)}</mj-body></mjml>")
    fault = fault_of(caught.value, config)
    assert (fault.file, fault.line) == ("templates/email/table.mjml", line)


def test_the_tags_of_each_template_fit_by_themselves_so_that_a_fault_is_found_in_one() -> None:
    paths = sorted((asset("templates") / "email").glob("*.mjml"))
    assert {path.name: misfit for path in paths if (misfit := tags.misfit_of(path.read_text("utf-8")))} == {}


def test_templates_that_go_round_in_a_circle_are_told_as_such(templates: Path, config: Path) -> None:
    (templates / "email" / "x.mjml").write_text('first\n{% include "email/x.mjml" %}\n')
    with pytest.raises(DigestError, match="part of what it includes itself") as caught:
        fill("email/x.mjml", {}, templates)
    fault = fault_of(caught.value, config)
    assert (fault.file, fault.line) == ("templates/email/x.mjml", 2)


def test_a_template_that_is_not_utf8_is_named_and_not_the_one_that_includes_it(templates: Path, config: Path) -> None:
    (templates / "email" / "x.mjml").write_text('{% include "email/y.mjml" %}\n')
    (templates / "email" / "y.mjml").write_bytes(b"one\ntwo\n\xff\n")
    with pytest.raises(DigestError, match="is not UTF-8") as caught:
        fill("email/x.mjml", {}, templates)
    fault = fault_of(caught.value, config)
    assert (fault.file, fault.line) == ("templates/email/y.mjml", 3)


@pytest.mark.parametrize(
    ("text", "line"),
    [(b'msgid "one"\nmsgstr "eins"\n\nmsgid two\n', 4), (b'msgid "one"\nmsgstr "\xff"\n', None)],
)
def test_a_catalogue_is_found_by_its_line(templates: Path, config: Path, text: bytes, line: int | None) -> None:
    path = templates.parent / "data" / "locales" / "de.po"
    path.parent.mkdir(parents=True)
    path.write_bytes(text)
    language.forget_catalogues()
    try:
        with language.speaking("de"), pytest.raises(DigestError, match="is no valid catalogue") as caught:
            language.message_of("one")
    finally:
        language.forget_catalogues()
    fault = fault_of(caught.value, config)
    assert (fault.file, fault.line) == ("data/locales/de.po", line)


def test_what_nobody_foresaw_is_named_by_its_kind_and_place_and_not_by_its_words(config: Path) -> None:
    try:
        raise KeyError("ada@example.org")
    except KeyError as error:
        fault = fault_of(error, config)
    assert fault.sentence.startswith("This is a fault of the program (KeyError in test_faults.py line ")
    assert "ada" not in fault.sentence


def test_a_sentence_that_names_no_file_stands_alone(config: Path) -> None:
    assert fault_of(DigestError("nothing has a capture yet."), config) == Fault("nothing has a capture yet.")
