"""The note is saved whole, and never over what somebody else wrote."""

import os
from pathlib import Path

import pytest

from digest.desk.noting import MOST_BYTES, read_note, save_note
from digest.errors import StorageError, UsageError

WEEK = "2026-W18"


def test_a_note_that_is_not_there_begins_with_what_it_needs(tmp_path: Path) -> None:
    note = read_note(tmp_path / "notes", WEEK)
    assert note.mark == ""
    assert note.text == "---\ntitle: \ndate: 2026-04-27\ndraft: true\n---\n\n"
    assert not (tmp_path / "notes").exists()


def test_a_saved_note_is_what_was_typed_with_line_ends_of_its_own(tmp_path: Path) -> None:
    save_note(tmp_path / "notes", WEEK, "one\r\ntwo\rthree\n", "")
    assert (tmp_path / "notes" / f"{WEEK}.md").read_bytes() == b"one\ntwo\nthree\n"
    assert os.listdir(tmp_path / "notes") == [f"{WEEK}.md"]


def test_a_note_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    save_note(tmp_path, WEEK, "mine", "")
    mark = read_note(tmp_path, WEEK).mark
    (tmp_path / f"{WEEK}.md").write_text("another's")
    with pytest.raises(UsageError, match="was changed by another program"):
        save_note(tmp_path, WEEK, "mine again", mark)
    with pytest.raises(UsageError):
        save_note(tmp_path, WEEK, "as if there were none", "")
    assert (tmp_path / f"{WEEK}.md").read_text() == "another's"


def test_who_may_read_a_note_stays_as_it_was(tmp_path: Path) -> None:
    save_note(tmp_path, WEEK, "one", "")
    (tmp_path / f"{WEEK}.md").chmod(0o640)
    save_note(tmp_path, WEEK, "two", read_note(tmp_path, WEEK).mark)
    assert (tmp_path / f"{WEEK}.md").stat().st_mode & 0o777 == 0o640


def test_a_note_that_is_too_large_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="64 kB"):
        save_note(tmp_path, WEEK, "x" * (MOST_BYTES + 1), "")
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("a file")
    with pytest.raises(StorageError, match="cannot be read"):
        save_note(tmp_path / "notes", WEEK, "words", "")
