"""`digest weekly` killed at any moment and run again: the week is finished and each reader has exactly one mail."""

import email
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from email import policy
from pathlib import Path

import pytest

from digest.config.assets import asset

READERS = 200
KILLS = 12
NOW = "--now=2026-03-12T09:00:00Z"  # by the machine's clock the readers' consents would lapse in March 2028

pytestmark = pytest.mark.long


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An operator's folder: the demo's sources, no editor, and readers."""
    demo = (asset("data") / "demo" / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(f"{demo}\n[approval]\nrequired = false\n")
    lines = [f"reader{number}@example.org,2026-03-01,form,v1" for number in range(READERS)]
    (tmp_path / "readers.csv").write_text("\n".join(["email,consented_at,method,wording", *lines]))
    return tmp_path


def start(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")}
    return subprocess.Popen(
        [sys.executable, "-m", "digest", *words, NOW],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(folder: Path, *words: str) -> str:
    process = start(folder, *words)
    said, complaint = process.communicate(timeout=120)
    assert process.returncode == 0, complaint
    return said.decode()


def test_each_reader_has_exactly_one_mail_whenever_the_week_was_killed(folder: Path) -> None:
    week = ("weekly", "--week", "2026-W11")
    run(folder, "backfill", str(asset("data") / "demo"))
    run(folder, "subscribers", "import", "readers.csv")
    moments = random.Random(11)  # the same moments in every run
    for _kill in range(KILLS):
        process = start(folder, *week)
        time.sleep(moments.uniform(0.5, 3.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert f"{READERS}  sent" in run(folder, *week)
    found = [
        email.message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in (folder / "outbox" / "new").iterdir()
    ]
    assert Counter(message["To"] for message in found) == {
        f"reader{number}@example.org": 1 for number in range(READERS)
    }
    assert len({message["Subject"] for message in found}) == 1
