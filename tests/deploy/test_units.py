"""The systemd units: what systemd itself says of them, and that they name what is there."""

import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = sorted(path.name for path in SYSTEMD.glob("*.service"))
MOST_EXPOSED = 15
"""Tenths of what `systemd-analyze security` calls the exposure; 100 is a service without any fence."""


class Unit(RawConfigParser):
    """A unit file; of a setting that stands several times the last one."""

    def __init__(self, name: str) -> None:
        super().__init__(strict=False, delimiters=("=",), comment_prefixes=("#",))
        self.optionxform = str  # type: ignore[assignment, method-assign]
        self.read(SYSTEMD / name)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units in a folder of their own, each calling a program that is there."""
    for path in SYSTEMD.glob("*.*"):
        text = path.read_text().replace("/opt/digest/bin/digest", shutil.which("true") or "/bin/true")
        (tmp_path / path.name).write_text(text)
    return tmp_path


def analyzed(*words: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze")
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True)


def test_systemd_finds_no_fault_in_the_units(installed: Path) -> None:
    units = [str(installed / name.replace("@.", "@1.")) for name in SERVICES]
    (installed / "digest-worker@1.service").symlink_to(installed / "digest-worker@.service")
    done = analyzed("verify", "--man=no", "--recursive-errors=no", *units)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_hardly_exposed(installed: Path, name: str) -> None:
    done = analyzed("security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", str(installed / name))
    assert done.returncode == 0, done.stdout[-400:] + done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_reads_its_secrets_from_credentials_and_writes_in_one_folder(name: str) -> None:
    service = Unit(name)["Service"]
    assert service["User"] == "digest"
    assert "DIGEST_SECRETS_DIR=%d" in service["Environment"].split()
    assert service["LoadCredential"].startswith("links__keys:/etc/digest/secrets/")
    assert service["ProtectSystem"] == "strict"
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory'].split()[0]}"
    assert "ReadWritePaths" not in service


def test_the_services_are_hardened_alike() -> None:
    first, *others = (
        (SYSTEMD / name).read_text().partition("\nInaccessiblePaths=")[2].partition("\n\n")[0].strip()
        for name in SERVICES
    )
    assert all(other == first for other in others)
    assert "NoNewPrivileges=true\nCapabilityBoundingSet=\n" in first
