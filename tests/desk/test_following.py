"""The desk follows what is saved: from its first draft on, beside another desk, and after whatever went wrong."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.desk.visiting import Editor

from digest.config.loading import load_settings
from digest.config.settings import Settings
from digest.database import reading
from digest.desk import state
from digest.desk.drafting import Draft, draft_now
from digest.desk.state import Desk, at_work
from digest.edition.store import hashes_of
from digest.operations.demo import NOW, WEEK
from digest.weekly import stages

NOTE = "---\ntitle: A word\ndate: 2026-03-12\n---\n\nSaved meanwhile.\n"
IN_BRIEF = 'heading(_("In brief"))'


@pytest.fixture(autouse=True)
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks take their time, and are no part of this."""
    monkeypatch.setattr(state, "check_edition", lambda *_: [])


def wait_for(seen: Callable[[], object], seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < ends
        time.sleep(0.02)


def at_first_draft(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> None:
    """What somebody else does while the first draft is being made, after all of it was read."""
    real, left = draft_now, [work]

    def slow(*given: object, **how: object) -> Draft:
        made = real(*given, **how)  # type: ignore[arg-type]
        while left:
            left.pop()()
        return made

    monkeypatch.setattr(state, "draft_now", slow)


def save_note(desk: Desk) -> None:
    desk.settings.series.notes.mkdir()
    (desk.settings.series.notes / f"{WEEK}.md").write_text(NOTE)


def test_a_note_saved_during_the_first_draft_is_in_the_next(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    at_first_draft(monkeypatch, lambda: save_note(desk))
    with at_work(desk):
        wait_for(lambda: desk.draft and desk.draft.note)


def test_a_template_saved_during_the_first_draft_is_in_the_next(
    house: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief = house / "templates" / "email" / "brief.mjml"
    changed = brief.read_text(encoding="utf-8").replace(IN_BRIEF, 'heading("This week")')
    at_first_draft(monkeypatch, lambda: brief.write_text(changed, encoding="utf-8"))
    with at_work(desk):
        wait_for(lambda: desk.draft and "This week" in desk.draft.rendered.html)


def test_what_an_act_saved_is_drafted_once_and_what_it_said_stays_until_the_next_save(desk: Desk) -> None:
    with at_work(desk):
        wait_for(lambda: desk.draft)
        editor, drafts = Editor(desk), desk.drafts
        editor.post("/note", {"text": NOTE, "mark": ""})
        time.sleep(1.5)  # some looks
        assert desk.drafts == drafts + 1
        assert desk.said == ("done", "The note is saved.")
        (desk.settings.series.notes / f"{WEEK}.md").write_text(NOTE.replace("A word", "Words"))
        wait_for(lambda: desk.drafts == drafts + 2)
        assert desk.said == ("", "")


def with_tagline(settings: Settings, words: str) -> Settings:
    return settings.model_copy(update={"series": settings.series.model_copy(update={"tagline": words})})


def stored(engine: Engine) -> str:
    with reading(engine) as connection:
        hashes = hashes_of(connection, str(WEEK))
    assert hashes is not None
    return hashes[0]


def test_two_desks_with_other_settings_do_not_write_over_each_other_without_end(
    demo_engine: Engine, demo_settings: Settings, tmp_path: Path
) -> None:
    """One of them shows what is stored; the other says that it does not, and approves nothing."""
    others = with_tagline(demo_settings, "Another")
    desks = [
        Desk(demo_engine, WEEK, lambda chosen=chosen: chosen, tmp_path / "none.toml", lambda: NOW, chosen)  # type: ignore[misc]
        for chosen in (demo_settings, others)
    ]
    with at_work(desks[0]), at_work(desks[1]):
        wait_for(lambda: any(desk.fault for desk in desks))
        (loser,) = [desk for desk in desks if desk.fault]
        (winner,) = [desk for desk in desks if not desk.fault]
        with winner.acting, loser.acting:  # the loser may have seen what the winner stored, before it was done with it
            drafts = winner.drafts, loser.drafts
        time.sleep(2)  # some looks
        assert (winner.drafts, loser.drafts) == drafts
        assert winner.draft is not None
        assert stored(demo_engine) == winner.draft.stored.content_hash
        assert loser.fault is not None
        assert "Another program stores another edition" in loser.fault.sentence
        assert loser.blocked
        chosen = winner.settings
        loser.read_settings = lambda: chosen
        loser.config.write_text("# as the other's")
        wait_for(lambda: loser.fault is None)


def test_a_setting_that_names_no_file_is_a_fault_until_it_is_mended(desk: Desk) -> None:
    good, config = desk.settings, desk.config
    config.write_text('[series]\ntitle = "x"\nnotes = "no\\u0000tes"\n')

    def read() -> Settings:
        if "u0000" not in config.read_text():
            return good
        return good.model_copy(update={"series": load_settings(config).series})

    desk.read_settings = read
    with at_work(desk):
        wait_for(lambda: desk.fault)
        assert Editor(desk).get().status_code == 200
        config.write_text("# mended\n")
        wait_for(lambda: desk.draft and desk.fault is None)


def test_what_goes_wrong_with_looking_is_shown_and_the_desk_looks_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, wrong = state._news, [OSError("no watch is left")]

    def look(desk: Desk) -> list[str]:
        if wrong:
            raise wrong[0]
        return real(desk)

    monkeypatch.setattr(state, "_news", look)
    monkeypatch.setattr(state, "_LOOK_AGAIN", 0.2)
    with at_work(desk):
        wait_for(lambda: desk.fault)
        wrong.clear()
        wait_for(lambda: desk.draft and desk.fault is None)
        save_note(desk)
        wait_for(lambda: desk.draft and desk.draft.note)


def test_a_desk_that_is_merely_open_voids_nobodys_approval(
    demo_engine: Engine, demo_settings: Settings, tmp_path: Path
) -> None:
    """Its files are others; only what is saved there, or captured, goes over what somebody approved."""
    approved = stages.draft(demo_engine, demo_settings, WEEK, NOW, "eva").stored.content_hash
    stages.approve(demo_engine, WEEK, NOW, "eva")
    others = with_tagline(demo_settings, "Another")
    desk = Desk(demo_engine, WEEK, lambda: others, tmp_path / "none.toml", lambda: NOW, others, "ben")
    with at_work(desk):
        wait_for(lambda: desk.draft)
        assert desk.draft is not None
        assert (desk.draft.kept, desk.draft.stored.content_hash) == (True, approved)
        assert "With the files here it would be another" in Editor(desk).get("/").text
        stages.draft(demo_engine, with_tagline(demo_settings, "A third"), WEEK, NOW, "eva")
        wait_for(lambda: stored(demo_engine) == _own_hash(desk))
        with desk.acting:  # the desk must not look between the two: it would draft over what is not approved yet
            stages.draft(demo_engine, demo_settings, WEEK, NOW, "eva")
            stages.approve(demo_engine, WEEK, NOW, "eva")
        time.sleep(2)  # some looks
        assert stages.is_approved(demo_engine, WEEK)
        (tmp_path / "none.toml").write_text("# saved")
        wait_for(lambda: not stages.is_approved(demo_engine, WEEK))


def _own_hash(desk: Desk) -> str:
    return desk.draft.stored.content_hash if desk.draft and not desk.draft.kept else ""


def test_an_edition_that_has_gone_to_the_outbox_is_read_once_whatever_was_said_of_its_stories(desk: Desk) -> None:
    desk.redraft()
    assert desk.draft is not None
    Editor(desk).post("/story", {"what": "drop", "story": desk.draft.stories.stories[0].key})
    approval, content = desk.settings.approval, desk.draft.stored.content_hash
    stages.approve(desk.engine, WEEK, NOW, desk.who, approval, content)
    stages.queue(desk.engine, desk.settings, WEEK, NOW)
    assert state._news(desk) == ["the data", state.ANOTHER]
    desk.redraft()
    assert desk.draft.sent
    assert state._news(desk) == []
