"""What the desk's page shows and what its forms do, without a browser."""

import re
from pathlib import Path

import pytest
from lxml import html
from sqlalchemy import text
from tests.desk.visiting import HERE, Editor

from digest.database import reading, writing
from digest.desk.page import PASSES, Logged, logged
from digest.desk.state import Checked, Desk
from digest.edition.store import load_edition
from digest.operations.demo import NOW
from digest.rendering import lint
from digest.rendering.lint.page import Finding


def approved(desk: Desk) -> bool:
    with reading(desk.engine) as connection:
        stored = load_edition(connection, str(desk.week))
    return stored is not None and stored.approved


def test_the_page_holds_one_style_one_script_and_nothing_from_elsewhere(editor: Editor) -> None:
    answer = editor.get()
    policy = answer.headers["content-security-policy"]
    nonce = re.search(r"script-src 'nonce-([^']+)'", policy)
    assert nonce
    assert f'<script src="desk.js" nonce="{nonce[1]}" defer>' in answer.text
    assert "unsafe" not in policy
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', answer.text)
    assert editor.get().headers["content-security-policy"] != policy


def test_a_mail_in_its_frame_runs_no_script_and_fetches_nothing(editor: Editor) -> None:
    policy = editor.get("/mail/600").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "allow-scripts" not in policy
    assert "img-src 'self' data:" in policy
    assert "img-src 'none'" in editor.get("/mail/600?view=images-off").headers["content-security-policy"]
    (frame,) = editor.page().xpath("//iframe[@name='mail-600']")
    assert "allow-scripts" not in frame.get("sandbox")


def test_the_page_is_there_before_the_checks_have_run(editor: Editor) -> None:
    assert "running…" in editor.reads("checks")
    assert "The checks are still running." in editor.reads("approve")
    editor.desk.check()
    assert re.search(r"0 fail, \d+ warn, \d+ pass", editor.reads("checks"))
    assert "3 readers" in editor.reads("approve")


def test_a_page_that_the_checks_overtook_is_of_an_older_version_and_so_loads_again(
    editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(desk: Desk) -> Logged:
        desk.check()
        return logged(desk)

    monkeypatch.setattr("digest.desk.page.logged", overtaken)
    answer = editor.get()
    assert "The checks are still running." in answer.text
    assert f'data-version="{editor.desk.version}"' not in answer.text


def test_every_kind_of_check_is_named_when_it_passes() -> None:
    source = "".join(path.read_text() for path in Path(lint.__path__[0]).glob("*.py"))
    names = set(re.findall(r'Finding\(\s*(?:"\w+"|[^,"]+?),\s*"([a-z ]+)"', source))
    assert names <= set(PASSES)


def test_an_unknown_view_is_the_light_one(editor: Editor) -> None:
    (chosen,) = editor.page("/?view=<script>").xpath("//nav//a[@aria-current]")
    assert chosen.text == "Light"


def test_the_inbox_is_in_the_language_of_the_reader_whose_mail_is_shown(editor: Editor) -> None:
    desk = editor.desk
    with writing(desk.engine) as connection:
        connection.execute(text("UPDATE subscriber SET locale = 'de' WHERE email = 'ada@example.org'"))
    editor.post("/as", {"email": "ada@example.org"})
    assert desk.draft is not None
    english, german = (desk.draft.rendered.in_language(locale).preheader for locale in ("en", "de"))
    assert english != german
    inbox = editor.reads("inbox")
    assert " ".join(german.split()) in inbox
    assert " ".join(english.split()) not in inbox


def test_an_approval_pins_what_was_looked_at(editor: Editor) -> None:
    editor.desk.check()
    (mark,) = editor.page().xpath("//form[@id='approve-form']//input[@name='hash']/@value")
    editor.post("/approve", {"hash": "0" * 64})
    assert "the draft changed while you looked at it" in editor.reads("said").lower()
    assert not approved(editor.desk)
    editor.post("/approve", {"hash": mark})
    assert approved(editor.desk)
    assert "Approved by the editor" in editor.reads("approve")


def test_an_approval_that_falls_at_once_is_not_said_to_stand(editor: Editor) -> None:
    desk = editor.desk
    desk.check()
    assert desk.draft is not None
    series = desk.settings.series.model_copy(update={"postal_address": "2 Example Street"})
    changed = desk.settings.model_copy(update={"series": series})
    desk.read_settings = lambda: changed  # saved, and not noticed yet
    editor.post("/approve", {"hash": desk.draft.stored.content_hash})
    assert not approved(desk)
    assert "the approval fell at once" in editor.reads("said")
    assert "Approved" not in editor.reads("said")


def test_an_error_blocks_the_approval_and_so_do_checks_that_have_not_run(editor: Editor) -> None:
    desk = editor.desk
    assert desk.draft is not None
    mark = desk.draft.stored.content_hash
    editor.post("/approve", {"hash": mark})
    assert not approved(desk)
    finding = Finding("error", "links", "Prices", "A link leads nowhere.", "Mend it.", "every mail")
    desk.checked = Checked(desk.drafts, (finding,), {})
    editor.post("/approve", {"hash": mark})
    assert not approved(desk)
    assert "Mend 1 failing check first." in editor.reads("approve")


def test_a_changed_setting_voids_the_approval_and_says_what_changed(editor: Editor) -> None:
    desk = editor.desk
    desk.check()
    assert desk.draft is not None
    editor.post("/approve", {"hash": desk.draft.stored.content_hash})
    series = desk.settings.series.model_copy(update={"postal_address": "2 Example Street"})
    changed = desk.settings.model_copy(update={"series": series})
    desk.read_settings = lambda: changed
    desk.redraft(("config.toml",))
    assert not approved(desk)
    assert "Changed since approval" in editor.reads("approve")
    assert "settings of the sender changed: postal_address" in editor.reads("approve")


def test_a_draft_is_kept_when_a_file_breaks_and_nothing_can_be_approved(editor: Editor, tmp_path: Path) -> None:
    desk = editor.desk
    desk.check()
    (tmp_path / "notes").mkdir()
    note = tmp_path / "notes" / f"{desk.week}.md"
    note.write_text("no front matter")
    desk.redraft((note.name,))
    assert f"{note} has no front matter" in editor.reads("fault")
    assert "In brief" in editor.get("/mail/600").text
    assert "A file has a fault" in editor.reads("approve")
    note.unlink()
    desk.redraft((note.name,))
    assert editor.reads("fault") == ""


@pytest.mark.parametrize("name", ["data/consent_regimes.toml", "data/needs.toml"])
def test_a_broken_file_of_the_data_is_said_above_the_last_good_mail(house: Path, drafted: Desk, name: str) -> None:
    editor = Editor(drafted)
    editor.post("/as", {"country": "KR", "follows": "claude-2"})
    assert drafted.said == ("done", "")
    before = editor.get("/mail/600").text
    path = house / name
    path.write_text(path.read_text(encoding="utf-8") + "\nx = = 1\n", encoding="utf-8")
    drafted.redraft((path.name,))
    assert f"{path.name} line" in editor.reads("fault")
    assert "A file has a fault" in editor.reads("approve")
    assert editor.get("/mail/600").text == before
    assert "South Korea" in editor.reads("controls")


def test_a_broken_template_of_the_desk_itself_is_said_in_a_page_that_looks_again(house: Path, drafted: Desk) -> None:
    editor, path = Editor(drafted), house / "templates" / "desk" / "parts.html"
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole + "{% if %}", encoding="utf-8")
    drafted.redraft((path.name,))
    answer = editor.get()
    assert answer.status_code == 500
    (said,) = html.fromstring(answer.text).xpath("//*[@id='fault']")
    assert said.text.startswith("templates/desk/parts.html line")
    assert 'http-equiv="refresh"' in answer.text
    path.unlink()
    drafted.redraft((path.name,))
    assert editor.get().status_code == 500
    path.write_text(whole, encoding="utf-8")
    drafted.redraft((path.name,))
    assert editor.get().status_code == 200


def test_a_note_that_was_refused_is_still_in_the_page_that_says_so(editor: Editor) -> None:
    notes = editor.desk.settings.series.notes
    notes.mkdir()
    (notes / f"{editor.desk.week}.md").write_text("another's")
    answer = editor.post("/note", {"text": "An hour of <work>.", "mark": ""})
    assert answer.status_code == 409
    page = html.fromstring(answer.text)
    assert page.get_element_by_id("note-text").text.strip() == "An hour of <work>."
    assert page.xpath("//form[@id='note']//input[@name='mark']/@value") == [""]
    assert "was changed by another program" in page.get_element_by_id("part-said").text_content()


def test_a_note_is_saved_in_the_page_and_a_draft_of_it_is_shown_and_not_stored(editor: Editor) -> None:
    words = "---\r\ntitle: A word\r\ndate: 2026-03-12\r\ndraft: true\r\n---\r\n\r\nOnly here.\r\n"
    editor.post("/note", {"text": words, "mark": ""})
    assert "The note is saved." in editor.reads("said")
    assert "2 words, a draft" in editor.reads("note")
    assert "Only here." in editor.get("/mail/600").text
    assert editor.desk.draft is not None
    assert "Only here." not in editor.desk.draft.stored.rendered.html


def test_a_form_that_is_too_large_or_none_changes_nothing(editor: Editor) -> None:
    notes = editor.desk.settings.series.notes
    answer = editor.post("/note", {"text": "x" * 300_000, "mark": ""})
    assert (answer.status_code, answer.text) == (413, "That is more than the 256 kB that the desk takes at once.\n")
    headers = {"Cookie": editor.cookie, "Origin": HERE, "Content-Type": "application/x-www-form-urlencoded"}
    answer = editor.ask("POST", f"{editor.door.room}/note", content=b"text=%ff", headers=headers)
    assert answer.status_code == 400
    assert not notes.exists()


@pytest.mark.parametrize(
    "fields",
    [{"what": "erase"}, {"what": "move", "place": "first"}, {"what": "move", "place": "0"}, {"what": "drop"}],
)
def test_what_can_be_done_to_no_story_is_one_sentence(editor: Editor, fields: dict[str, str]) -> None:
    editor.post("/story", fields)
    assert editor.page().xpath("//*[@id='part-said']//*[contains(@class, 'failed')]")


def test_what_was_told_apart_is_promoted_with_a_remark_and_taken_back(editor: Editor) -> None:
    keys = editor.page().xpath("//form[@id='promote']//input[@name='story']/@value")
    editor.post("/story", {"what": "promote", "story": keys[0], "text": "Worth a look."})
    assert "Promoted" in editor.reads("said")
    assert "Worth a look." in editor.get("/mail/600").text
    assert "overridden" in editor.reads("log")
    editor.post("/story", {"what": "restore", "story": keys[0]})
    assert "Worth a look." not in editor.get("/mail/600").text


def test_stories_that_the_page_does_not_list_are_reached_by_a_command(
    editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.desk.page._MOST_APART", 0)
    said, week = editor.reads("stories"), editor.desk.week
    assert f"digest stories {week} --left-out lists them" in said
    assert f'digest stories promote KEY "Your remark." --week {week}' in said


def test_the_sizes_add_up_to_the_html_part(editor: Editor) -> None:
    cells = editor.page().xpath("//section[@id='part-size']//td")
    total = sum(float(cell.text) for cell in cells)
    size = len(editor.get("/mail/600").text.encode())
    assert total * 1000 == pytest.approx(size, rel=0.05)


def test_the_clock_of_the_desk_is_its_own(editor: Editor) -> None:
    assert editor.desk.draft is not None
    assert editor.desk.draft.at == NOW
