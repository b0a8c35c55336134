"""`digest pause`, `resume`, `abort` and `worker`, as an editor types them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
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
Ran = tuple[int, str, str]
Digest = Callable[..., Ran]


@pytest.fixture
def digest(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Digest:
    """Runs a command line in a folder of its own, where an edition is queued to three readers, or approved alone."""
    monkeypatch.chdir(tmp_path)
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
        if getattr(request, "param", True):
            outbox.queue(connection, some_outgoing(drafted.week), drafted.content_hash, NOW)
    engine.dispose()

    def digest(*words: str) -> Ran:
        capsys.readouterr()
        done = run((*words, f"--now={NOW.isoformat()}"))
        said = capsys.readouterr()
        return done, said.out, said.err

    return digest


def tally(digest: Digest) -> dict[str, int]:
    _status, said, _err = digest("status", "--json")
    return {state: count for state, count in json.loads(said)["deliveries"].items() if count}


def test_a_paused_edition_waits_until_it_is_resumed(digest: Digest) -> None:
    assert digest("pause") == (0, "\nNext  digest resume 2026-W18\n", "")
    digest("send")
    assert tally(digest) == {"pending": 3}
    assert digest("resume")[0] == 0
    assert digest("send")[::2] == (0, "")
    assert tally(digest) == {"sent": 3}


def test_an_aborted_edition_is_over_and_says_who_has_it(digest: Digest) -> None:
    assert digest("abort")[:2] == (0, "The mailing of 2026-W18 is aborted: 0 readers have it.\n")
    digest("send")
    assert tally(digest) == {"skipped": 3}
    status, _out, err = digest("resume")
    assert (status, err) == (1, "digest: the mailing of 2026-W18 was aborted; that cannot be undone.\n")


@pytest.mark.parametrize("digest", [False], indirect=True)
def test_what_was_not_queued_cannot_be_stopped(digest: Digest) -> None:
    for command in ("pause", "resume", "abort"):
        status, _out, err = digest(command)
        assert (status, err) == (1, "digest: the edition of 2026-W18 was not queued yet: there is nothing to stop.\n")


def test_a_worker_wants_postgresql(digest: Digest) -> None:
    status, _out, err = digest("worker")
    assert (status, err.count("\n")) == (2, 1)
    assert "workers want PostgreSQL" in err


@pytest.mark.parametrize("digest", [False], indirect=True)
def test_who_skipped_a_week_stands_in_the_log(digest: Digest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getlogin", lambda: "eva")
    assert digest("skip", "2026-W18") == (0, "\nNext  digest weekly --week 2026-W18 takes it up again\n", "")
    (line,) = json.loads(digest("audit", "--week", "2026-W18", "--json")[1])
    assert (line["who"], line["act"], line["at"]) == ("eva", "skipped", NOW.isoformat())


def test_a_week_that_is_being_sent_cannot_be_skipped(digest: Digest) -> None:
    said = "digest: the edition of 2026-W18 is already being sent; `digest abort 2026-W18` ends that.\n"
    assert digest("skip", "2026-W18") == (1, "", said)
    assert digest("audit")[1] == ""
