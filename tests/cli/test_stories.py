"""`digest stories`, `audit`, `approve` and `send --test`, as an editor types them."""

import json
import os
import pwd
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.operations.weeks import AFTER, BEFORE

from digest.cli import printing, run
from digest.operations import approving

CONFIG = """
[database]
url = "sqlite:///digest.db"
[series]
postal_address = "1 Example Street, 10115 Berlin, Germany"
[approval]
approvers = ["eva", "ben"]
needed = 2
[sources.board]
title = "The board"
url = "https://boards.example/x.json"
kind = "scores"
format = "json"
model = "model"
lead = "Shared test"
margin = 1
[sources.board.columns.score]
benchmark = "Shared test"
"""
WEEK = "2026-W19"


class Ran(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Digest = Callable[..., Ran]


@pytest.fixture
def digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Digest:
    """Runs a command line as eva on 12 May 2026, in a folder with two imported weeks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGEST_SECRETS_DIR", str(tmp_path / "secrets"))
    monkeypatch.setattr(printing.out, "width", 120)
    monkeypatch.setattr("os.getlogin", lambda: "eva")
    monkeypatch.setattr(approving, "check_edition", lambda *_given: [])  # all checks take seconds
    Path("config.toml").write_text(CONFIG)
    for day, rows in (("2026-04-27", BEFORE), ("2026-05-04", AFTER)):
        path = Path("captures", "board", f"{day}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([{"model": model, "score": score} for model, score in rows.items()]))

    def digest(*words: str) -> Ran:
        capsys.readouterr()
        status = run((*words, "--now=2026-05-12T09:00:00Z"))
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Ran(status, captured.out, captured.err)

    assert digest("backfill", "captures").status == 0
    return digest


def key_of(digest: Digest, words: str) -> str:
    found = digest("stories", WEEK, "--json").document["stories"]
    return str(next(one["key"] for one in found if words in one["headline"]))


def test_the_stories_of_a_week_are_listed_with_or_without_the_word_list(digest: Digest) -> None:
    ran = digest("stories", WEEK)
    assert (ran.status, ran.err) == (0, "")
    assert ran == digest("stories", "list", WEEK) == digest("stories")
    first, second, *_rest = ran.out.splitlines()
    assert first.split()[1:3] == ["159", "headline"]
    assert first.endswith("borealis-1 takes first place on The board")
    assert "The board, lead; the same model was measured again; 2026-04-27 sha256 " in second
    assert "4 stories; " in ran.out.splitlines()[-1]
    assert "1 below_threshold" in ran.out.splitlines()[-1]


def test_what_was_told_apart_is_listed_by_reason_on_demand(digest: Digest) -> None:
    ran = digest("stories", WEEK, "--left-out")
    assert "\nbelow_threshold\n" in ran.out
    assert "delta-4 on The board Shared test went from 50.00 to 50.40" in ran.out


def test_as_json_each_story_has_its_receipt_with_both_captures_and_its_overrides(digest: Digest) -> None:
    key = key_of(digest, "cirrus-3 is up")
    digest("stories", "pin", key, "--week", WEEK)
    document = digest("stories", WEEK, "--left-out", "--json").document
    first = document["stories"][0]
    assert (first["key"], first["told"], first["reason"]) == (key, "headline", "rerun")
    assert (first["receipt"]["previous"]["value"], first["receipt"]["current"]["value"]) == ("60.0", "64.0")
    assert {"on", "sha256", "key", "raw", "value"} == set(first["receipt"]["current"])
    assert [(one["what"], one["by"]) for one in first["overrides"]] == [("pin", "eva")]
    assert document["told_apart"]["below_threshold"] == len(document["left_out"]["below_threshold"]) == 1
    assert document["not_heeded"] == []


def test_every_override_says_what_it_did_to_which_story_and_what_comes_next(digest: Digest) -> None:
    key = key_of(digest, "cirrus-3 is up")
    apart = digest("stories", WEEK, "--left-out", "--json").document["left_out"]["below_threshold"][0]["key"]
    for words, said in (
        (("drop", key), "dropped"),
        (("pin", key), "pinned"),
        (("move", key, "2"), "moved"),
        (("reword", key, "cirrus-3 climbs 4.0 points"), "reworded"),
        (("promote", apart, "Worth a look."), "promoted"),
        (("restore", key), "restored"),
    ):
        ran = digest("stories", *words, "--week", WEEK)
        assert (ran.status, ran.err) == (0, ""), words
        assert ran.out.startswith(f"{WEEK}: {said} {words[1]} “")
        assert ran.out.endswith(f"Next  digest draft {WEEK}\n")
    assert [one["remark"] for one in digest("stories", "--left-out", "--json").document["left_out"]["below_threshold"]]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("drop", "zzz"), 2, '"zzz" is the key of no story of 2026-W19; `digest stories 2026-W19 --left-out` lists'),
        (("move", "KEY", "0"), 2, "Invalid value for 'PLACE'"),
        (("move", "KEY"), 2, "Missing argument 'PLACE'"),
        (("reword", "KEY", "cirrus-3 climbs 5.0 points"), 1, '"5.0 points" is no figure of this story.'),
        (("reword", "KEY", "x", "--locale", "fr"), 2, '"fr" is no language of the editions; they have en, de.'),
        (("promote", "KEY", "Look"), 1, "is a story of the week already; pin it to have it told first."),
        (("restore", "KEY"), 2, "names no story, or several, that 2026-W19 has an override on"),
        (("drop", "KEY", "--week", "2031-W01"), 2, "2031-W01 has not begun"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(digest: Digest, words: tuple[str, ...], status: int, said: str) -> None:
    key = key_of(digest, "cirrus-3 is up")
    ran = digest("stories", *(key if word == "KEY" else word for word in words))
    assert (ran.status, ran.out, ran.err.count("\n")) == (status, "", 1)
    assert said in ran.err


def test_a_draft_says_what_changed_and_which_override_has_no_effect(digest: Digest) -> None:
    digest("draft", WEEK)
    digest("stories", "drop", key_of(digest, "cirrus-3 is up"))
    assert "\n  overrides changed\n" in digest("draft", WEEK).out
    Path("captures", "board", "2026-05-05.json").write_text(
        json.dumps([{"model": model, "score": score} for model, score in {**AFTER, "cirrus-3": 60.0}.items()])
    )
    digest("backfill", "captures")
    out = digest("draft", WEEK).out
    assert "“cirrus-3 is up 4.0 points on The board” by eva: its story is not in the week any more." in out
    assert digest("stories", "--json").document["not_heeded"][0]["what"] == "drop"


def test_an_approval_prints_the_hash_once_all_who_have_to_said_so(
    digest: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest("draft", WEEK)
    first = digest("approve", WEEK)
    assert (first.status, first.out) == (0, "")
    assert first.err.startswith("Approved by eva; 1 more to go.")
    monkeypatch.setattr("os.getlogin", lambda: "mallory")
    assert digest("approve", WEEK).err == ("digest: mallory may not approve; [approval] approvers names eva, ben.\n")
    monkeypatch.setattr("os.getlogin", lambda: "ben")
    last = digest("approve", WEEK)
    assert (len(last.out.strip()), last.err.splitlines()[0]) == (64, "Approved by ben, eva.")


def test_without_a_terminal_the_account_counts_and_not_what_the_environment_says(
    digest: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_terminal() -> str:
        raise OSError

    monkeypatch.setattr("os.getlogin", no_terminal)
    monkeypatch.setenv("LOGNAME", "ben")
    digest("draft", WEEK)
    assert "ben" not in digest("audit", "--json").out
    assert f'"who": "{pwd.getpwuid(os.getuid()).pw_name}"' in digest("audit", "--json").out
    monkeypatch.setattr("os.getuid", lambda: 4_000_000_000)
    assert "user 4000000000" in digest("approve", WEEK).err


def test_an_approval_says_how_many_readers_of_each_region_get_it(digest: Digest) -> None:
    for name, country in (("ann", "DE"), ("ben", "DE"), ("cho", "KR")):
        proof = ("--consented-at", "2026-05-01", "--method", "form", "--wording", "v1", "--country", country)
        assert digest("subscribers", "add", f"{name}@example.org", *proof).status == 0
    digest("draft", WEEK)
    assert "        3  goes out (DE 2, KR 1)\n" in digest("approve", WEEK).err


def test_a_test_is_sent_before_the_approval_and_no_reader_gets_it(digest: Digest) -> None:
    digest("draft", WEEK)
    ran = digest("send", WEEK, "--test", "ann@example.org", "--test", "ben@example.org")
    assert (ran.status, ran.out, ran.err) == (0, f"{WEEK}: 2 test mails sent; no reader got one.\n", "")
    assert len(list(Path("outbox", "new").iterdir())) == 2
    wrong = digest("send", WEEK, "--test", "nobody")
    assert (wrong.status, wrong.err.count("\n")) == (2, 1)
    assert wrong.err.startswith("digest: test address 1: email is no address: ")
    assert digest("send", WEEK).status == 1


def test_the_log_tells_who_did_what_and_names_no_reader(digest: Digest) -> None:
    digest("draft", WEEK)
    digest("stories", "pin", key_of(digest, "cirrus-3 is up"))
    digest("send", WEEK, "--test", "ann@example.org")
    ran = digest("audit", "--week", WEEK)
    assert [line.split()[2:5] for line in ran.out.splitlines()] == [
        [WEEK, "drafted", "eva"],
        [WEEK, "overridden", "eva"],
        [WEEK, "tested", "eva"],
    ]
    assert "ann@" not in ran.out
    document = digest("audit", "--json").document
    assert set(document[0]) == {"at", "who", "act", "week", "detail"}
    assert digest("audit", "--week", "2026-W18").out == ""
    assert digest("audit", "--week", "soon").status == 2
