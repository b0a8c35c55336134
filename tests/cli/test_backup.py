"""`digest backup`, `restore` and `accept-restore`, as an operator types them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from tests import builders as b
from tests.outgoing import some_outgoing

from digest.cli import run
from digest.config.loading import load_settings
from digest.database import open_database, writing
from digest.delivery import outbox
from digest.edition import store as editions
from digest.rendering.email import render
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent
from digest.subscribers.regimes import packaged_regimes
from digest.subscribers.store import Newcomer

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
Digest = Callable[..., tuple[int, str, str]]
KEPT = "digest.db.before-restore-20260504T090000Z"


@pytest.fixture
def digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Digest:
    """Runs a command line in a folder of its own, where an edition is queued to three readers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", StringIO())
    monkeypatch.setenv("DIGEST_SECRETS_DIR", str(tmp_path / "secrets"))
    Path("config.toml").write_text('[database]\nurl = "sqlite:///digest.db"\n')
    engine, agreed = open_database("sqlite:///digest.db"), ConsentEvent("confirmed", NOW, "form")
    rendered = render(b.an_edition(), load_settings())
    with writing(engine) as connection:
        names = [f"{name}@example.org" for name in ("ann", "ben", "cho")]
        store.add(connection, [Newcomer(name, name, agreed) for name in names], NOW)
        envelope = editions.envelope_of(load_settings(), packaged_regimes().version)
        drafted = editions.save_draft(connection, b.an_edition(), rendered, envelope, NOW)
        editions.save_approval(connection, drafted.week, drafted.content_hash, NOW)
        outbox.queue(connection, some_outgoing(drafted.week), drafted.content_hash, NOW)
    engine.dispose()

    def digest(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        done = run((*words, f"--now={NOW.isoformat()}"))
        said = capsys.readouterr()
        return done, said.out, said.err

    return digest


def test_a_backup_is_restored_on_hold_and_accepted(digest: Digest) -> None:
    status, said, _err = digest("backup", "copy")
    assert status == 0
    assert said.endswith("with readers' addresses in them: encrypt it, and keep it elsewhere.\n")
    assert digest("restore", "copy") == (
        0,
        "The database is now the copy of 2026-05-04 09:00 UTC. It sends nothing yet.\n"
        f"What was there is kept as {KEPT}.\n"
        "✓ ok   consent log: 3 logs, and every chain holds.\n"
        "\nNext  digest accept-restore\n",
        "",
    )
    assert Path(KEPT).exists()
    assert digest("send", "2026-W18")[::2] == (
        1,
        "digest: this database was restored from a backup and sends nothing until a person accepts it: "
        "digest accept-restore\n",
    )
    assert digest("accept-restore", "--yes") == (
        0,
        "This is a copy of 2026-05-04 09:00 UTC.\n"
        "No mail is waiting to go out.\n"
        "Held as uncertain, for it may have gone since the backup (digest reconcile settles it):\n"
        "          3  edition of 2026-W18\n"
        "1 week whose edition may have been sent, so none goes out: 2026-W19.\n"
        "If you know that no mail went out since the backup: digest accept-restore --nothing-was-sent\n"
        "The copy is accepted; mail goes out again.\n",
        "",
    )
    assert digest("accept-restore")[::2] == (
        2,
        "digest: this database is no restored copy that waits: there is nothing to accept.\n",
    )


def test_who_accepted_a_copy_and_with_which_word_stands_in_the_log(
    digest: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getlogin", lambda: "eva")
    digest("backup", "copy")
    digest("restore", "copy")
    digest("accept-restore", "--yes")
    (line,) = json.loads(digest("audit", "--json")[1])
    said = {"copy": NOW.isoformat(), "closed": ["2026-W19"], "doubted": 3, "word": ""}
    assert line == {"at": NOW.isoformat(), "who": "eva", "act": "restored", "week": "", "detail": said}
    digest("restore", "copy")
    digest("accept-restore", "--yes", "--nothing-was-sent")
    assert json.loads(digest("audit", "--json")[1])[0]["detail"]["word"] == "nothing was sent"


def test_a_restored_copy_is_not_accepted_where_nobody_says_yes(digest: Digest) -> None:
    digest("backup", "copy")
    digest("restore", "copy")
    assert digest("accept-restore")[0] == 130
    assert "accept-restore" in json.loads(digest("status", "--json")[1])["needs"][0]


def test_status_and_the_doctor_say_that_a_copy_waits_until_it_is_accepted(digest: Digest) -> None:
    digest("backup", "copy")
    digest("restore", "copy")
    sentence = (
        "this is a copy of 2026-05-04 09:00 UTC that was restored; it sends nothing until a person has looked at it: "
        "digest accept-restore"
    )
    looked = [it for it in json.loads(digest("doctor", "--json")[1]) if it["what"] == "restored copy"]
    assert looked == [{"what": "restored copy", "level": "warn", "said": sentence}]
    assert json.loads(digest("status", "--json")[1])["needs"][0] == sentence
    assert f"  {sentence}\n" in digest("status")[1]
    assert "          3  edition of 2026-W18" in digest("accept-restore", "--nothing-was-sent", "--yes")[1]
    assert "restored" not in digest("doctor", "--json")[1]
    assert digest("send", "2026-W18")[0] == 0
    assert json.loads(digest("status", "--json")[1])["deliveries"]["sent"] == 3


def test_a_replay_says_what_was_taken_over_and_knows_the_database_it_replaces(digest: Digest) -> None:
    digest("backup", "copy")
    digest("subscribers", "remove", "ann@example.org")
    status, said, _err = digest("restore", "copy", "--replay-from", "digest.db")
    assert status == 0
    assert "          1  left since the backup, or their mail came back\n" in said
    assert "No mail is waiting" not in digest("accept-restore", "--yes")[1]
    assert "ann@example.org" not in digest("subscribers", "list", "--state", "confirmed")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("backup", "digest.db"), "digest.db is the database itself; name another file for its copy."),
        (("backup", "config.toml"), "config.toml is there already; name another file, or say --force to replace it."),
        (("backup", "no/where"), "no/where cannot be written: No such file or directory; nothing was changed."),
        (("restore", "no"), "the backup no cannot be read: No such file or directory."),
        (("restore", "config.toml"), "config.toml is no backup of a SQLite database, and [database] url names one."),
        (("restore", "digest.db"), "digest.db is the database itself; name a copy of it."),
    ],
)
def test_what_an_operator_can_get_wrong_is_one_sentence(digest: Digest, words: tuple[str, ...], said: str) -> None:
    status, out, err = digest(*words)
    assert status in (1, 2)
    assert (out, err) == ("", f"digest: {said}\n")
