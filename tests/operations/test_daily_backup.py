"""A copy of the database each day, made by `digest serve`: where it is put, how long it is kept, who is told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest import scheduler
from digest.config.sections import Backups
from digest.config.settings import Settings
from digest.database import reading
from digest.errors import StorageError
from digest.operations.backup import back_up_day
from digest.weekly.due import timetable
from digest.weekly.running import needs

pytestmark = pytest.mark.usefixtures("postgresql_programs")
NOW = datetime(2026, 5, 12, 4, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def kept(settings: Settings, folder: Path) -> Settings:
    return settings.model_copy(update={"backups": Backups(folder=folder, keep_days=2)})


def copies(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_copies_are_kept_for_so_many_days_and_no_other_file_is_touched(
    engine: Engine, kept: Settings, folder: Path
) -> None:
    folder.mkdir()
    for other in ("digest-2020-01-01.backup", "digest-of-may.backup", "notes"):
        (folder / other).touch()
    for day in range(4):
        back_up_day(engine, kept, NOW + timedelta(days=day))
    others = ["digest-2020-01-01.backup", "digest-of-may.backup", "notes"]
    assert copies(folder) == sorted([*others, *(f"digest-2026-05-{day}T0400Z.backup" for day in (13, 14, 15))])


def test_only_their_owner_may_read_them(engine: Engine, kept: Settings, folder: Path) -> None:
    back_up_day(engine, kept, NOW)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in folder.iterdir()] == [0o600]


def test_the_scheduler_makes_one_a_day_at_its_time(engine: Engine, kept: Settings, folder: Path) -> None:
    for hour in (2, 3, 5, 6, 20, 27, 29):
        moment = NOW.replace(hour=0) + timedelta(hours=hour)
        scheduler.do_days(engine, kept, lambda now=moment: now)  # type: ignore[misc]
    assert copies(folder) == [
        "digest-2026-05-12T0200Z.backup",  # of the evening before, which nobody made
        "digest-2026-05-12T0500Z.backup",
        "digest-2026-05-13T0500Z.backup",
    ]


def test_without_a_folder_there_is_no_such_job(settings: Settings, kept: Settings) -> None:
    assert set(timetable(settings).daily) == {"retention"}
    assert set(timetable(kept).daily) == {"retention", "backup"}


def test_a_copy_that_cannot_be_made_is_told_and_deletes_none(engine: Engine, kept: Settings, folder: Path) -> None:
    folder.write_text("a file in its place")
    with pytest.raises(StorageError, match=r"\[backups\] folder .* cannot be made: .*; name another"):
        scheduler.do_days(engine, kept, lambda: NOW)
    with reading(engine) as connection:
        said = dict(needs(connection, kept, NOW))
    assert any("the backup of 2026-05-12 could not be done: [backups] folder" in one for one in said.values())
    assert folder.read_text() == "a file in its place"
