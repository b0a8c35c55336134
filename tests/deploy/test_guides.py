"""What the guides tell an operator to type and to write down is what the program can read."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from digest.config.loading import load_settings

DOCS = Path(__file__).parents[2] / "docs"
DEPLOYING = (DOCS / "deploying.md").read_text(encoding="utf-8")
SETTINGS = [
    (page, block)
    for page in ("deploying.md", "deliverability.md", "sending.md", "bounces.md")
    for block in re.findall(r"^```toml\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize(
    ("page", "block"), SETTINGS, ids=[f"{page}-{count}" for count, (page, _) in enumerate(SETTINGS)]
)
def test_settings_in_a_guide_are_settings_of_the_program(page: str, block: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(block, encoding="utf-8")
    assert load_settings(tmp_path / "config.toml")


def test_the_secrets_that_the_guide_makes_are_what_the_program_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    lines = DEPLOYING.partition("```sh\nmkdir -p deploy/secrets")[2].partition("docker compose")[0]
    subprocess.run(["sh", "-ec", f"mkdir -p deploy/secrets{lines}"], cwd=tmp_path, check=True)
    secrets = tmp_path / "deploy" / "secrets"
    password = (secrets / "postgres_password").read_text()
    (secrets / "postgres_password").unlink()  # the containers of the program do not get it
    monkeypatch.setenv("DIGEST_SECRETS_DIR", str(secrets))
    (tmp_path / "config.toml").write_text("")
    settings = load_settings(tmp_path / "config.toml")
    assert settings.database.url == f"postgresql://digest:{password}@postgres/digest"
    assert len(settings.links.keys[0].get_secret_value()) == 64
    assert secrets.stat().st_mode & 0o777 == 0o700


def test_the_files_that_the_guide_installs_are_there() -> None:
    named = set(re.findall(r"(?<![\w/])deploy/[\w./*@-]+\w", DEPLOYING)) - {"deploy/secrets"}
    checkout = DOCS.parent
    assert len(named) > 8
    for name in named:
        assert name.startswith("deploy/secrets/") or list(checkout.glob(name)), name
