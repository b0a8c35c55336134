"""The demo's week on a desk: in this process for what it answers, as a program for what it notices."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, text
from tests.desk.visiting import Editor

from digest.config.assets import asset
from digest.config.loading import load_settings
from digest.config.sections import Database
from digest.config.settings import Settings
from digest.database import open_database, writing
from digest.desk.drafting import forget_files
from digest.desk.state import Desk
from digest.operations.demo import NOW, WEEK, run_demo


@pytest.fixture(scope="session")
def demo_week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the demo's captures and readers, of which no edition was drafted."""
    folder = tmp_path_factory.mktemp("demo")
    run_demo(folder)
    engine = open_database(f"sqlite:///{folder / 'digest.db'}")
    with writing(engine) as connection:
        for table in ("delivery", "mailing", "told", "approval", "edition"):
            connection.execute(text(f"DELETE FROM {table}"))
    engine.dispose()
    return folder / "digest.db"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The templates and the data as copies that the test may change."""
    copies = tmp_path / "_assets"
    for name in ("templates", "data"):
        shutil.copytree(asset(name), copies / name)
    shutil.copy(asset("config.toml"), copies)
    packaged = SimpleNamespace(files=lambda _package: tmp_path, as_file=resources.as_file)
    monkeypatch.setattr("digest.config.assets.resources", packaged)
    yield copies
    forget_files()


@pytest.fixture
def demo_settings(demo_week: Path, tmp_path: Path) -> Settings:
    """The demo's settings on a copy of its database; the note is the test's own."""
    shutil.copy(demo_week, tmp_path / "digest.db")
    chosen = load_settings(asset("data") / "demo" / "config.toml")
    series = chosen.series.model_copy(update={"notes": tmp_path / "notes"})
    database = Database(url=f"sqlite:///{tmp_path / 'digest.db'}")
    return chosen.model_copy(update={"series": series, "database": database})


@pytest.fixture
def demo_engine(demo_settings: Settings) -> Iterator[Engine]:
    engine = open_database(demo_settings.database.url)
    yield engine
    engine.dispose()


@pytest.fixture
def desk(demo_engine: Engine, demo_settings: Settings, tmp_path: Path) -> Desk:
    """A desk that was just opened: nothing is drafted, no thread runs."""
    return Desk(demo_engine, WEEK, lambda: demo_settings, tmp_path / "config.toml", lambda: NOW, demo_settings)


@pytest.fixture
def drafted(desk: Desk) -> Desk:
    desk.redraft()
    assert desk.fault is None
    return desk


@pytest.fixture
def editor(drafted: Desk) -> Editor:
    """The person who started the desk, and has opened its address."""
    return Editor(drafted)


@dataclass(frozen=True)
class Program:
    """`digest preview` as a process of its own, in a house whose files the test may change."""

    process: "subprocess.Popen[bytes]"
    folder: Path

    @property
    def address(self) -> str:
        said = (self.folder / "stdout").read_text()
        return said.partition("\n")[0].partition(": ")[2]

    @property
    def visited(self) -> str:
        """What the browser of `digest preview` was told to open, once it has written that down."""
        said = self.folder / "visited"
        return said.read_text().strip() if said.exists() else ""

    @property
    def complaints(self) -> str:
        return (self.folder / "stderr").read_text()

    def change(self, name: str, old: str, new: str) -> None:
        """Change a file of the house as an editor's program saves it."""
        path = self.folder / name
        said = path.read_text(encoding="utf-8")
        assert old in said
        path.write_text(said.replace(old, new, 1), encoding="utf-8")

    def capture(self, name: str, day: str, old: str, new: str) -> None:
        """Import another capture of a source of the demo, the newest but for one figure."""
        newest = max((self.folder / "data" / "demo" / name).iterdir())
        said = newest.read_text(encoding="utf-8")
        assert said.count(old) == 1
        (self.folder / "captures" / name).mkdir(parents=True)
        (self.folder / "captures" / name / f"{day}{newest.suffix}").write_text(said.replace(old, new), encoding="utf-8")
        self.digest("backfill", "captures")

    def digest(self, *words: str) -> None:
        """Another command of the program, in the same house."""
        subprocess.run([sys.executable, "-m", "digest", *words], cwd=self.folder, env=_env(self.folder), check=True)


def _env(folder: Path) -> dict[str, str]:
    """As of a user whose temporary files and whose browser are the test's."""
    own = {"PYTHONPATH": str(folder / "src"), "TMPDIR": str(folder / "tmp"), "BROWSER": f"{folder / 'browser'} %s"}
    return {**os.environ, **own}


Opened = Callable[..., AbstractContextManager[Program]]


@pytest.fixture
def opened(demo_week: Path, tmp_path: Path) -> Opened:
    """Runs `digest preview` on the demo's week. Its templates and data are copies, its code is what is tested.

    `browser` is what the user's browser does, as a shell script; without one none is opened.
    """

    @contextmanager
    def open_desk(*words: str, browser: str = "") -> Iterator[Program]:
        folder = tmp_path / "house"
        (folder / "tmp").mkdir(parents=True)
        (folder / "browser").write_text(f"#!/bin/sh\n{browser}")
        (folder / "browser").chmod(0o755)
        for name in ("templates", "data"):
            shutil.copytree(asset(name), folder / name)
        shutil.copy(asset("config.toml"), folder / "packaged.toml")
        shutil.copy(folder / "data" / "demo" / "config.toml", folder / "config.toml")
        shutil.copy(demo_week, folder / "digest.db")
        (folder / "src").symlink_to(Path(sys.modules["digest"].__path__[0]).parent)
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            command = ["preview", str(WEEK), f"--now={NOW.isoformat()}", *words, *([] if browser else ["--no-open"])]
            process = subprocess.Popen(
                [sys.executable, "-m", "digest", *command],
                cwd=folder,
                stdout=out,
                stderr=err,
                env=_env(folder),
            )
            program = Program(process, folder)
            try:
                for _ in range(2400):
                    if program.address and (not browser or program.visited):
                        break
                    assert process.poll() is None, program.complaints
                    time.sleep(0.05)
                yield program
            finally:
                process.terminate()
                process.wait(30)

    return open_desk
