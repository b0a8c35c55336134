"""A process that dies at any commit from fetch to send, before it or after it: the next goes on to the same edition and
the same mails.

The suite dies once at each commit on SQLite, at every fifth on PostgreSQL.
`DIGEST_TEST_COMMITS=all pytest tests/weekly/test_every_commit.py` is the full run.
"""

import email
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import policy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, make_url, text
from tests.captures import body, serving
from tests.delivery.sink import sink
from tests.weekly.die_at_commit import DIED

from digest.database import open_database, reading

EVERYTHING = os.environ.get("DIGEST_TEST_COMMITS") == "all"
NOW = "2026-05-05T10:05:00+00:00"  # a Tuesday, when all stages of the week are due
READERS = 5
SESSIONS = 2
BOARD = "model,score\nm1,10\nm2,20\nm3,30\n"
Outcome = tuple[list[Any], dict[str, int], Counter[tuple[str, str]]]
_PROGRAM = Path(__file__).with_name("die_at_commit.py")


@contextmanager
def runs() -> Iterator[Callable[..., tuple[int, int]]]:
    """Runs the weekly path in a process of its own; its exit status and how often it committed."""
    command = [sys.executable, str(_PROGRAM)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

        def run(settings: dict[str, Any], die: tuple[str, int] | None = None) -> tuple[int, int]:
            asked = {"settings": settings, "now": NOW, "die": die}
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{json.dumps(asked)}\n")
            process.stdin.flush()
            status, commits = json.loads(process.stdout.readline())
            return status, commits

        yield run
        process.stdin.close()


@pytest.fixture
def fresh(database_url: str, tmp_path: Path, add_readers: Callable[[int], list[int]], engine: Engine) -> Any:
    """Makes a new database with the same readers each time; its URL, on a server under the name of the last one."""
    add_readers(READERS)
    engine.dispose()
    if database_url.startswith("sqlite"):
        shutil.copy(tmp_path / "digest.db", tmp_path / "kept.db")

    def made(name: str) -> str:
        if database_url.startswith("sqlite"):
            shutil.copy(tmp_path / "kept.db", tmp_path / f"{name}.db")
            return f"sqlite:///{tmp_path / name}.db"
        url = make_url(database_url)
        new = f"{url.database}_{name}"
        admin = open_database(url.set(database="template").render_as_string(hide_password=False))
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {new} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {new} TEMPLATE {url.database}"))
        admin.dispose()
        return url.set(database=new).render_as_string(hide_password=False)

    return made


def settings_for(url: str, folder: Path, source: str, **delivery: Any) -> dict[str, Any]:
    board = {"title": "Board", "url": source, "kind": "scores", "format": "csv", "model": "model", "lead": "score"}
    return {
        "database": {"url": url},
        "series": {"notes": str(folder / "notes")},
        "delivery": {"maildir": str(folder / "outbox")},
        "links": {"keys": ["0123456789abcdef0123456789abcdef"]},
        "approval": {"required": False},
        "fetch": {"allow_http": True, "allow_private_addresses": True, "retries": 0},
        "sources": {"board": {**board, "columns": {"score": {}}}},
        **delivery,
    }


def outcome(url: str, folder: Path) -> Outcome:
    """The edition, its deliveries by state, and the mails as (recipient, Message-ID)."""
    engine = open_database(url)
    with reading(engine) as connection:
        editions = connection.execute(text("SELECT week, content, rendered, approved_hash FROM edition")).all()
        states = connection.execute(text("SELECT state, count(*) FROM delivery GROUP BY state")).all()
    engine.dispose()
    paths = (folder / "outbox" / "new").iterdir() if (folder / "outbox" / "new").is_dir() else ()
    mails = [email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]
    got = Counter((mail["To"], mail["Message-ID"]) for mail in mails)
    return [tuple(row) for row in editions], {row[0]: row[1] for row in states}, got


def deaths(commits: int, step: int) -> list[tuple[str, int]]:
    """When to die: at each commit, before and after it by turns, or both."""
    return [
        (moment, number)
        for number in range(1, commits + 1, 1 if EVERYTHING else step)
        for moment in ("before", "after")
        if EVERYTHING or (number % 2 == 0) == (moment == "before")
    ]


@pytest.mark.long
def test_whoever_dies_at_a_commit_is_followed_by_the_same_edition_and_the_same_mails(
    fresh: Callable[[str], str], tmp_path: Path
) -> None:
    with serving(body(BOARD.encode())) as server, runs() as run:
        whole = settings_for(fresh("whole"), tmp_path / "whole", server.url)
        status, commits = run(whole)
        assert status == 0
        wanted = outcome(whole["database"]["url"], tmp_path / "whole")
        assert wanted[1] == {"sent": READERS}
        assert wanted[2].total() == len(wanted[2]) == READERS
        step = 1 if "sqlite" in whole["database"]["url"] else 5
        for die in deaths(commits, step):
            folder = tmp_path / f"{die[0]}{die[1]}"
            settings = settings_for(fresh("one"), folder, server.url)
            assert run(settings, die)[0] == DIED, die
            assert run(settings)[0] == 0, die
            assert outcome(settings["database"]["url"], folder) == wanted, die
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{commits} commits, {len(deaths(commits, step))} deaths", file=sys.stderr)


@pytest.mark.long
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_over_a_relay_only_who_was_in_the_dot_is_uncertain_and_nobody_has_two(
    fresh: Callable[[str], str], tmp_path: Path
) -> None:
    unsure = 0
    with serving(body(BOARD.encode())) as server, runs() as run:
        for number in range(1 if EVERYTHING else 14, 200):  # what comes before is as it is without a relay
            with sink() as relay:
                smtp = {"host": "127.0.0.1", "port": relay.port, "tls": "none", "sessions": SESSIONS}
                over = {"delivery": {"transport": "smtp"}, "smtp": smtp}
                settings = settings_for(fresh("one"), tmp_path, server.url, **over)
                status, _commits = run(settings, ("before" if number % 2 else "after", number))
                before = sum(relay.got.values())
                assert run(settings)[0] == 0, number
                _edition, states, _mails = outcome(settings["database"]["url"], tmp_path)
                assert set(relay.got.values()) <= {1}, number
                uncertain = states.get("uncertain", 0)
                assert states == {"sent": READERS - uncertain} | ({"uncertain": uncertain} if uncertain else {}), number
                assert READERS - uncertain <= relay.got.total() <= READERS
                assert uncertain <= 2 * SESSIONS, number
                unsure += uncertain
                if status == 0:
                    assert before == READERS
                    break
    assert status == 0
    assert unsure > 0  # some died in the dot
