"""What is shipped works by itself, and holds what it should and nothing else."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    words = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder), "."]
    subprocess.run([sys.executable, "-m", "pip", *words], cwd=CHECKOUT, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture
def program(wheel: Path, tmp_path: Path) -> tuple[list[str], dict[str, str], Path]:
    """The installed program's command line, an environment with an empty home, and an empty folder."""
    site, home, folder = (tmp_path / name for name in ("site", "home", "work"))
    for place in (home, folder):
        place.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(site), "COLUMNS": "80"}
    return [sys.executable, "-P", "-m", "digest"], environment, folder


def test_the_wheel_runs_the_demo_in_another_folder(program: tuple[list[str], dict[str, str], Path]) -> None:
    command, environment, folder = program
    done = subprocess.run([*command, "demo"], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    assert len(list((folder / "demo" / "outbox" / "new").iterdir())) == 3
    assert "3 sent" in done.stdout
    assert done.stderr == ""


def test_the_wheel_finds_its_own_templates_and_settings(program: tuple[list[str], dict[str, str], Path]) -> None:
    command, environment, folder = program
    where = (
        "from digest.config.assets import asset; from digest.config.loading import load_settings; "
        "print(asset('templates'), len(load_settings().sources))"
    )
    done = subprocess.run(
        [*command[:2], "-c", where], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[0].startswith(environment["PYTHONPATH"])
    assert done.stdout.split()[1] == "6"


def test_the_wheel_holds_no_test_and_no_capture_but_the_demos(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert not [name for name in names if name.startswith("tests") or "recorded_weeks" in name]
    captures = [name for name in names if re.search(r"\d{4}-\d{2}-\d{2}\.", name)]
    assert len(captures) == 4
    assert all("/demo/" in name for name in captures)


def test_the_locks_hold_hashes_and_no_address() -> None:
    for name in ("requirements.lock", "requirements-build.lock", "requirements-test.lock"):
        text = (CHECKOUT / name).read_text()
        assert "://" not in text
        assert text.count("==") <= text.count("--hash=sha256:")
