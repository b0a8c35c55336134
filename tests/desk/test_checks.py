"""The checks are those of what is shown now, with the files, the settings and the database as they are now."""

import time
from pathlib import Path

import pytest
from tests.desk.visiting import Editor

from digest.desk import state
from digest.desk.page import audience_of
from digest.desk.state import Desk, at_work
from digest.errors import StorageError
from digest.weekly import stages

CANNOT = "The checks cannot run; mend that first."
RUNNING = "The checks are still running."


def checked_after(desk: Desk, name: str) -> str:
    """What blocks the approval when a file was saved and the checks have run."""
    desk.redraft((name,))
    assert desk.blocked == RUNNING
    desk.check()
    return desk.blocked


def test_a_letter_that_breaks_blocks_the_approval_and_mended_it_does_not(house: Path, desk: Desk) -> None:
    letter = house / "templates" / "email" / "letter.mjml"
    whole = letter.read_text(encoding="utf-8")
    assert checked_after(desk, letter.name) == ""
    assert desk.draft is not None
    before = desk.draft.stored.content_hash
    letter.write_text(whole + "{% if %}", encoding="utf-8")
    assert checked_after(desk, letter.name) == CANNOT
    assert "templates/email/letter.mjml line" in desk.check_fault
    assert "letter.mjml" in Editor(desk).reads("checks")
    letter.write_text(whole, encoding="utf-8")
    assert checked_after(desk, letter.name) == ""
    assert desk.draft.stored.content_hash == before  # so no hash says what the letters are


def test_what_no_client_supports_any_more_is_found_at_the_next_save(house: Path, desk: Desk) -> None:
    support = house / "data" / "client_support.toml"
    assert checked_after(desk, support.name) == ""
    support.write_text(support.read_text(encoding="utf-8") + "\nx = = 1\n", encoding="utf-8")
    assert checked_after(desk, support.name) == CANNOT


def test_the_hours_of_sending_are_in_the_forecast_that_is_shown(desk: Desk) -> None:
    settings = desk.settings
    assert checked_after(desk, "config.toml") == ""
    shown = audience_of(desk)
    assert shown is not None
    assert shown.away == 0
    hour = (desk.clock().hour + 3) % 24  # not now, in no zone of the demo's readers
    delivery = settings.delivery.model_copy(update={"from_hour": hour, "until_hour": hour + 1})
    desk.read_settings = lambda: settings.model_copy(update={"delivery": delivery})
    desk.redraft(("config.toml",))
    assert audience_of(desk) is None
    desk.check()
    assert (shown := audience_of(desk)) is not None
    assert shown.held


def test_a_database_that_was_locked_for_a_moment_is_asked_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    real, refused = stages.forecast_by_region, iter([StorageError("the database is locked; try again.")])

    def locked_once(*given: object) -> object:
        for error in refused:
            raise error
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(stages, "forecast_by_region", locked_once)
    monkeypatch.setattr(state, "_CHECK_AGAIN", 0.1)
    with at_work(desk):
        for _ in range(600):
            if desk.is_checked:
                break
            time.sleep(0.1)
    assert desk.blocked == ""
