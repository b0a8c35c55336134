"""Other programs that send newsletters, each in a process of its own and in the way of its own manual.

Each sends `COUNT` messages of the same size to the sink, a link of the reader's own in each, and prints how many a
second. They are no dependency of ours: what is not installed is told, not measured.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
PEERS = Path(sys.prefix) / "peers"
NPM = Path(sys.prefix) / "npm" / "node_modules"

COUNT = {"nodemailer": "4000", "post_office": "1000", "newsletter": "1000"}


class Peer(NamedTuple):
    """`goal` is how many times its rate ours is to be; `where` and `how` say where it is and how it gets there."""

    name: str
    script: str
    goal: float
    where: Path
    how: str


ALL = (
    Peer(
        "nodemailer, a pool of 16",
        "nodemailer.cjs",
        5,
        NPM / "nodemailer",
        "npm install --prefix .venv/npm nodemailer@7",
    ),
    Peer(
        "django-post-office, one process",
        "post_office.py",
        20,
        PEERS / "post_office",
        "pip install --target .venv/peers django-post-office",
    ),
    Peer(
        "django-newsletter",
        "newsletter.py",
        20,
        PEERS / "newsletter",
        "pip install --target .venv/peers django-newsletter sorl-thumbnail",
    ),
)


def rate(peer: Peer, port: int, html: str) -> float | None:
    """Its messages a second, or None where it is not installed."""
    program = shutil.which("node") if peer.script.endswith("js") else sys.executable
    if program is None or not peer.where.is_dir():
        return None
    with tempfile.TemporaryDirectory() as folder:
        (page := Path(folder) / "page.html").write_text(html, encoding="utf-8")
        count = COUNT[peer.script.partition(".")[0]]
        command = [program, str(HERE / peer.script), str(port), count, str(page)]
        environment = {**os.environ, "PYTHONPATH": str(PEERS), "NODE_PATH": str(NPM)}
        ran = subprocess.run(
            command, check=True, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    return float(ran.stdout.split()[-1])
