"""The commands: what they print where, their exit status, and one sentence for what went wrong."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer
from tests.captures import body, serving

from digest.cli import printing, run
from digest.cli.commands import app

CONFIG = """
[database]
url = "sqlite:///digest.db"

[fetch]
retries = 0
allow_http = true
allow_private_addresses = true

[sources.one]
title = "Board one"
url = "{one}"
kind = "scores"
format = "csv"
model = "model"
lead = "score"
columns."*".unit = "%"

[sources.two]
title = "Board two"
url = "{two}"
kind = "scores"
format = "csv"
model = "model"
lead = "score"
columns.score.unit = "%"
"""
NOW = "--now=2026-05-05T09:00:00Z"


class Ran(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


Digest = Callable[..., Ran]


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def configure(one: str, two: str) -> None:
    Path("config.toml").write_text(CONFIG.format(one=one, two=two))


@pytest.fixture
def digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Digest:
    """Runs a command line in a folder whose sources are at a port that nobody listens on."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGEST_SECRETS_DIR", str(tmp_path / "secrets"))
    monkeypatch.setattr(printing.out, "width", 120)
    nowhere = f"http://127.0.0.1:{closed_port()}/"
    configure(nowhere, nowhere)

    def digest(*words: str) -> Ran:
        capsys.readouterr()
        status = run(words)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Ran(status, captured.out, captured.err)

    return digest


@pytest.fixture
def two_weeks(digest: Digest) -> Digest:
    """The same with captures of two weeks: in the second the lead changes, and a model is new."""
    scores = {"2026-04-27": "model,score\naurora-2,80\nborealis-1,70\n"}
    scores["2026-05-04"] = "model,score,maths\naurora-2,80,1\nborealis-1,90,2\ncirrus-3,20,3\n"
    for day, text in scores.items():
        path = Path("captures", "one", f"{day}.csv")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert digest("backfill", "captures").status == 0
    return digest


def every_command() -> list[tuple[str, ...]]:
    """The words of each command, such as ("sources", "list")."""

    def walk(command: Any, words: tuple[str, ...]) -> list[tuple[str, ...]]:
        inside: dict[str, Any] = getattr(command, "commands", {})
        below = [found for name, part in inside.items() for found in walk(part, (*words, name))]
        return below or [words]

    return walk(typer.main.get_command(app), ())


# Help and wrong usage


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_has_a_help_text_with_an_example_of_itself(digest: Digest, words: tuple[str, ...]) -> None:
    ran = digest(*words, "--help")
    assert (ran.status, ran.err) == (0, "")
    assert f"Example: digest {' '.join(words)}" in ran.out


def test_the_help_lists_every_command(digest: Digest) -> None:
    listed = set(digest("--help").out.split())
    assert {words[0] for words in every_command()} <= listed
    assert {"demo", "snapshot", "changes", "draft", "approve", "send", "weekly", "serve", "status"} <= listed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["status", "--nonsense"], "No such option: --nonsense"),
        (["draft", "week-18"], '"week-18" is no week; write 2026-W17, a date such as 2026-04-22, or latest.'),
        (["draft", "2026-W54"], '"2026-W54" is no week'),
        (["changes"], "name two weeks, such as `digest changes 2026-W17 2026-W18`."),
        (["changes", "2026-W18"], "name two weeks"),
        (["changes", "2026-W18", "2026-W17"], "2026-W18 is not before 2026-W17; name the older week first."),
        (["changes", "2026-W18", "2026-W18"], "2026-W18 is not before 2026-W18; name the older week first."),
        (["changes", "2026-W17", "2026-W18", "--source", "x"], 'config.toml declares no source "x"; it has one, two.'),
        (["leaderboard", "--source", "x"], 'config.toml declares no source "x"; it has one, two.'),
        (["leaderboard", "--top", "-1"], "Invalid value for '--top'"),
        (["sources", "check", "x"], 'config.toml declares no source "x"; it has one, two.'),
        (["snapshot", "--week", "2026-W18"], "2026-W18 is not the current week, 2026-W19; a past week is imported by"),
        (["snapshot", "--week", "2026-W20"], "2026-W20 is not the current week"),
        (["backfill"], "name a folder, or --git REPO with --path and --source."),
        (["backfill", "captures", "--git", "clone"], "name a folder, or --git"),
        (["backfill", "--git", "clone"], "name a folder, or --git"),
        (["backfill", "nowhere"], "nowhere is no folder; name one that holds"),
        (["status", "--now", "yesterday"], '--now "yesterday" is no ISO 8601 time; write 2026-04-28T09:00:00Z.'),
        (["status", "--config"], "--config wants a value."),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(digest: Digest, words: list[str], said: str) -> None:
    ran = digest(NOW, *words)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert ran.err.startswith("digest: ")
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["draft"], "there is no capture yet; run `digest snapshot`, or `digest backfill DIR` to import some."),
        (["draft", "2026-W18"], "no source has a capture in or before 2026-W18"),
        (["approve"], "there is no edition yet; run `digest draft` first."),
        (["approve", "2026-W18"], "there is no edition of 2026-W18 yet; run `digest draft 2026-W18` first."),
        (["send", "2026-W18"], "there is no edition of 2026-W18 yet"),
        (["changes", "2026-W17", "2026-W18"], "no source has a capture in or before 2026-W18"),
        (["leaderboard"], "there is no capture yet"),
        (["status", "--config", "none.toml"], "none.toml cannot be read: No such file or directory"),
        (["backfill", "--git", "none", "--path", "x", "--source", "one"], "git cannot read none: "),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_status_1(digest: Digest, words: list[str], said: str) -> None:
    ran = digest(*words, NOW)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("digest: ")
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_setting_that_is_wrong_is_one_sentence_and_status_1(digest: Digest) -> None:
    Path("config.toml").write_text("[smtp]\nprot = 25\n")
    ran = digest("status")
    assert ran == Ran(1, "", 'digest: config.toml: [smtp] has no key "prot"; did you mean "port"?\n')


def test_a_fault_of_the_program_is_a_sentence_unless_it_is_to_be_debugged(
    digest: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("nothing")

    monkeypatch.setattr("digest.cli.commands.read_status", broken)
    ran = digest("status")
    assert ran.status == 1
    assert ran.err.startswith("digest: this is a fault of the program (KeyError); run it with --debug")
    with pytest.raises(KeyError):
        run(["status", "--debug"])


@pytest.mark.parametrize("place", [0, 1, 2])
def test_global_options_stand_anywhere_on_the_line(two_weeks: Digest, place: int) -> None:
    Path("config.toml").rename("other.toml")
    words = ["status", "--json"]
    words[place:place] = ["--config", "other.toml", "--now", "2026-05-05T09:00:00+02:00"]
    assert two_weeks(*words).document["week"] == "2026-W19"


def test_a_moment_without_a_zone_is_one_of_utc(two_weeks: Digest) -> None:
    for moment, week in (("2026-05-03T23:59:59", "2026-W18"), ("2026-05-04", "2026-W19")):
        assert two_weeks("status", "--json", f"--now={moment}").document["week"] == week


# Captures


def test_a_snapshot_stores_every_source(digest: Digest) -> None:
    with serving(body(b"model,score\naurora-2,80\n")) as server:
        configure(server.url, server.url)
        ran = digest("snapshot", NOW, "--json")
    assert (ran.status, ran.err) == (0, "")
    assert ran.document["captures"] == [
        {"source": name, "date": "2026-05-05", "outcome": "stored", "rows": 1, "detail": ""} for name in ("one", "two")
    ]


def test_a_host_that_is_not_there_is_told_and_its_last_capture_stays(two_weeks: Digest) -> None:
    before = two_weeks("leaderboard", "--json").document
    ran = two_weeks("snapshot", "--now=2026-05-12T09:00:00Z")
    assert ran.status == 1
    assert ran.err.count("\n") == 1
    assert "2 of 2 captures were left out: one: 127.0.0.1 cannot be reached" in ran.err
    assert two_weeks("leaderboard", "--json").document == before


def test_status_names_the_source_that_failed_and_why(two_weeks: Digest) -> None:
    two_weeks("snapshot", "--now=2026-05-12T09:00:00Z")
    status = two_weeks("status", "--json", "--now=2026-05-12T10:00:00Z").document
    failed = {source["id"]: source for source in status["sources"]}["one"]
    assert failed["status"] == "failed"
    assert "127.0.0.1 cannot be reached" in failed["failure"]
    assert any(need.startswith("source one failed: one: 127.0.0.1 cannot") for need in status["needs"])


def test_one_failed_source_leaves_the_other_and_both_are_reported(digest: Digest) -> None:
    with serving(body(b"model,score\naurora-2,80\n")) as server:
        configure(server.url, f"http://127.0.0.1:{closed_port()}/")
        ran = digest("snapshot", NOW, "--json")
    assert ran.status == 1
    assert "1 of 2 captures were left out: two: 127.0.0.1 cannot be reached" in ran.err
    assert [capture["outcome"] for capture in ran.document["captures"]] == ["stored", "failed"]


def test_the_current_week_may_be_named(digest: Digest) -> None:
    with serving(body(b"model,score\naurora-2,80\n")) as server:
        configure(server.url, server.url)
        statuses = [digest("snapshot", NOW, "--week", week).status for week in ("2026-W19", "2026-05-10", "latest")]
    assert statuses == [0, 0, 0]


def test_a_backfill_tells_what_it_stored_knew_and_skipped(two_weeks: Digest) -> None:
    Path("captures", "notes").mkdir()
    Path("captures", "one", "2026-05-11.csv").write_text("model,score\naurora-2,oops\n")
    ran = two_weeks("backfill", "captures", "--json")
    assert ran.status == 1
    assert "1 of 3 captures were left out: one, 2026-05-11: line 2" in ran.err
    assert [capture["outcome"] for capture in ran.document["captures"]] == ["known", "known", "failed"]
    assert ran.document["skipped"] == [{"path": "captures/notes", "reason": 'config.toml declares no source "notes"'}]


def test_a_check_stores_nothing(digest: Digest) -> None:
    with serving(body(b"model,score,maths\naurora-2,80,1\n")) as server:
        configure(server.url, server.url)
        ran = digest("sources", "check", "one", NOW)
    assert ran == Ran(0, "one: 1 rows, 2 scores on 2 benchmarks, 0 offers; nothing was stored.\n", "")
    assert digest("leaderboard").status == 1


def test_the_sources_are_listed_with_how_they_fare(two_weeks: Digest) -> None:
    one, two = two_weeks("sources", "list", NOW, "--json").document
    assert (one["id"], one["title"], one["status"], one["age_days"]) == ("one", "Board one", "fresh", 0)
    assert (two["id"], two["status"]) == ("two", None)


# What changed


def test_changes_tells_news_and_with_all_everything(two_weeks: Digest) -> None:
    news = two_weeks("changes", "2026-W18", "2026-W19", "--json")
    every = two_weeks("changes", "2026-W18", "2026-W19", "--json", "--all")
    assert (news.status, news.err) == (0, "")
    assert len(news.document["changes"]) <= len(every.document["changes"])
    assert {change["kind"] for change in news.document["changes"]} >= {"leader_changed", "model_added"}


def test_changes_of_one_source_are_of_that_source_alone(two_weeks: Digest) -> None:
    ran = two_weeks("changes", "2026-W18", "latest", "--source", "one", "--json")
    assert {change["source"] for change in ran.document["changes"]} == {"one"}


def test_the_reasons_are_listed_without_a_database(digest: Digest) -> None:
    ran = digest("changes", "--reasons")
    assert (ran.status, ran.err) == (0, "")
    assert {"kinds", "leader_changed", "reasons"} <= set(ran.out.split())
    assert not Path("digest.db").exists()


def test_a_leaderboard_ranks_the_lead_or_the_category_that_is_asked_for(two_weeks: Digest) -> None:
    lead, maths = (two_weeks("leaderboard", "--json", *more).document for more in ([], ["--category", "MATHS"]))
    assert [board["benchmark"] for board in lead["boards"]] == ["score"]
    assert [board["benchmark"] for board in maths["boards"]] == ["maths"]


def test_an_unknown_category_is_told_with_the_known_ones(two_weeks: Digest) -> None:
    ran = two_weeks("leaderboard", "--category", "poetry")
    assert (ran.status, ran.out) == (1, "")
    assert 'no source has the category "poetry" in 2026-W19; there is maths and score.' in ran.err


@pytest.mark.parametrize("width", ["40", "79", "200"])
def test_tables_fit_terminals_of_any_width(two_weeks: Digest, monkeypatch: pytest.MonkeyPatch, width: str) -> None:
    monkeypatch.setattr(printing.out, "width", int(width))
    for words in (["status"], ["leaderboard"], ["changes", "2026-W18", "2026-W19", "--all"], ["sources", "list"]):
        ran = two_weeks(*words, NOW)
        assert ran.status == 0
        assert max(map(len, ran.out.splitlines())) <= int(width)


def test_markup_in_a_name_is_printed_as_it_stands(digest: Digest) -> None:
    path = Path("captures", "one", "2026-05-04.csv")
    path.parent.mkdir(parents=True)
    path.write_text("model,score\n[red]aurora :smile:,80\n")
    assert digest("backfill", "captures").status == 0
    assert "[red]aurora :smile:" in digest("leaderboard").out


# JSON


JSON_COMMANDS = [
    ["status"],
    ["sources", "list"],
    ["leaderboard"],
    ["changes", "2026-W18", "2026-W19"],
    ["subscribers", "list"],
    ["backfill", "captures"],
]


@pytest.mark.parametrize("words", JSON_COMMANDS, ids=" ".join)
def test_json_is_one_document_and_nothing_else(two_weeks: Digest, words: list[str]) -> None:
    ran = two_weeks(*words, "--json", NOW)
    assert (ran.status, ran.err) == (0, "")
    assert isinstance(ran.document, (dict, list))
    assert ran.out.endswith(("}\n", "]\n"))
