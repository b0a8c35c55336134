"""Recorded captures: a folder of files named by date, or the history of a file in a git clone."""

import gzip
from collections.abc import Callable
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.captures import git

from digest.errors import CaptureError, UsageError
from digest.scores.recorded import Recorded, find_recorded, read_history

UTC = ZoneInfo("UTC")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("sample/2026-03-09.csv", "sample/2026-03-02.csv.gz", "other/2026-03-05.json"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress(b"model") if name.endswith("gz") else b"model")
    return tmp_path


def test_captures_are_found_by_source_and_date_the_oldest_first(folder: Path) -> None:
    captures, skipped = find_recorded(folder, ["sample", "other"])
    assert [(one.source, one.on.isoformat()) for one in captures] == [
        ("sample", "2026-03-02"),
        ("other", "2026-03-05"),
        ("sample", "2026-03-09"),
    ]
    assert skipped == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("README.md", "no folder of a source"),
        ("unknown/2026-03-02.csv", 'config.toml declares no source "unknown"'),
        ("sample/notes.txt", "not named by a date, such as 2026-04-27.csv"),
        ("sample/2026-02-30.csv", "not named by a date, such as 2026-04-27.csv"),
        ("sample/2026-03-02", "not named by a date, such as 2026-04-27.csv"),
        ("sample/2026-03-02.d/x", "not named by a date, such as 2026-04-27.csv"),
        ("sample/2026-03-09.json", "a second file for that date"),
    ],
)
def test_what_is_skipped_is_listed_with_its_reason(folder: Path, name: str, reason: str) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"")
    captures, skipped = find_recorded(folder, ["sample", "other"])
    assert [why for _, why in skipped] == [reason]
    assert len(captures) == 3


def test_a_folder_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder; name one that holds"):
        find_recorded(tmp_path / "nowhere", [])


def test_a_packed_capture_is_read_unpacked(folder: Path) -> None:
    captures, _ = find_recorded(folder, ["sample"])
    assert [one.read(100) for one in captures] == [b"model", b"model"]


@pytest.mark.parametrize(
    ("name", "data", "fault"),
    [
        ("2026-03-02.csv", b"0" * 2_000_001, "the file has more than 2 MB"),
        ("2026-03-02.csv.gz", gzip.compress(b"0" * 2_000_001), "the file holds more than 2 MB"),
        ("2026-03-02.csv.gz", b"model", "the file is not valid gzip"),
        ("2026-03-02.csv", None, "cannot be read: No such file or directory"),
    ],
    ids=["large", "bomb", "no gzip", "gone"],
)
def test_a_capture_that_cannot_be_read_is_named_once(tmp_path: Path, name: str, data: bytes | None, fault: str) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(CaptureError) as caught:
        Recorded("sample", date(2026, 3, 2), path).read(2_000_000)
    assert fault in str(caught.value)
    assert str(caught.value).count(name) == 1
    assert str(caught.value).endswith(".")
    assert ".;" not in str(caught.value)


# The history of a git clone

Commit = Callable[[str, bytes | None], None]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    return tmp_path


@pytest.fixture
def commit(clone: Path) -> Commit:
    """Commits a content of board.csv, or its deletion, at a moment."""

    def commit(moment: str, data: bytes | None) -> None:
        path = clone / "board.csv"
        path.unlink(missing_ok=True)
        if data is not None:
            path.write_bytes(data)
        git(clone, "add", "--all")
        git(clone, "commit", "--quiet", "--message=board", at=moment)

    return commit


def history(clone: Path, zone: ZoneInfo = UTC, most: int = 1_000) -> list[tuple[str, bytes]]:
    return [(monday.isoformat(), data) for monday, data in read_history(clone, "board.csv", zone, most)]


def test_a_week_begins_with_the_state_of_the_file_before_its_monday(clone: Path, commit: Commit) -> None:
    commit("2026-03-03T12:00:00Z", b"one")
    commit("2026-03-07T12:00:00Z", b"two")
    commit("2026-03-18T12:00:00Z", b"three")
    assert history(clone) == [("2026-03-09", b"two"), ("2026-03-16", b"two"), ("2026-03-23", b"three")]


def test_a_week_in_which_the_file_was_gone_is_left_out(clone: Path, commit: Commit) -> None:
    commit("2026-03-03T12:00:00Z", b"one")
    commit("2026-03-11T12:00:00Z", None)
    commit("2026-03-18T12:00:00Z", b"three")
    assert history(clone) == [("2026-03-09", b"one"), ("2026-03-23", b"three")]


@pytest.mark.parametrize(("zone", "first"), [("UTC", b"one"), ("America/New_York", b"two"), ("Asia/Seoul", b"one")])
def test_a_monday_begins_at_midnight_of_the_series(clone: Path, commit: Commit, zone: str, first: bytes) -> None:
    commit("2026-03-07T12:00:00Z", b"one")
    commit("2026-03-09T03:00:00Z", b"two")
    assert history(clone, ZoneInfo(zone))[0] == ("2026-03-09", first)


def test_a_commit_at_midnight_belongs_to_the_week_that_begins(clone: Path, commit: Commit) -> None:
    commit("2026-03-07T12:00:00Z", b"one")
    commit("2026-03-09T00:00:00Z", b"two")
    assert history(clone) == [("2026-03-09", b"one"), ("2026-03-16", b"two")]


def test_only_the_first_parent_line_of_a_merge_counts(clone: Path, commit: Commit) -> None:
    commit("2026-03-03T12:00:00Z", b"one")
    git(clone, "checkout", "--quiet", "-b", "side")
    commit("2026-03-04T12:00:00Z", b"side")
    git(clone, "checkout", "--quiet", "main")
    git(clone, "merge", "--quiet", "--no-ff", "--strategy=ours", "--message=merge", "side", at="2026-03-05T12:00:00Z")
    assert history(clone) == [("2026-03-09", b"one")]


def test_a_file_that_was_never_there_is_told(clone: Path, commit: Commit) -> None:
    commit("2026-03-03T12:00:00Z", b"one")
    with pytest.raises(CaptureError, match=r'has no commit that touches "table.csv"; give its path inside'):
        list(read_history(clone, "table.csv", UTC, 1_000))


def test_a_folder_that_is_no_clone_is_told(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"git cannot read .*not a git repository"):
        history(tmp_path)


def test_a_version_beyond_the_limit_is_told_with_its_week(clone: Path, commit: Commit) -> None:
    commit("2026-03-03T12:00:00Z", b"0" * 2_000_001)
    with pytest.raises(CaptureError, match=r"board\.csv of 2026-03-09 has more than 2 MB"):
        history(clone, most=2_000_000)
