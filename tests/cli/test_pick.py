"""`digest pick`: what it prints, what its JSON holds, and one sentence for what cannot be picked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from digest.cli import pick, printing
from digest.cli.commands import app
from digest.cli.context import take_global_options
from digest.config.loading import load_settings
from digest.database import open_database
from digest.errors import DigestError, UsageError
from digest.scores.recorded import find_recorded
from digest.weekly.collecting import backfill

CONFIG = """
[database]
url = "sqlite:///digest.db"

[sources.board]
title = "Board"
url = "https://board.example/"
kind = "scores"
format = "csv"
model = "model"
lead = "Coding"
margin = 1
columns."*".unit = "%"

[sources.prices]
title = "Prices"
url = "https://prices.example/"
kind = "offers"
format = "csv"
model = "model"
prices = { input = "in", output = "out", context = "context" }
"""
BOARD = "model,Coding,Mathematics\nkimi-k2.6,80,70\ngpt-5.4,79.5,90\ndeepseek-v3.2,60,60\n"
PRICES = "model,in,out,context\nkimi-k2.6,1,5,262144\ngpt-5.4,2,14,1050000\n"

Digest = Callable[..., None]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Digest:
    """Runs `digest pick` on one week of a board and a price list."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGEST_SECRETS_DIR", str(tmp_path / "secrets"))
    monkeypatch.setattr(printing.out, "width", 80)
    Path("config.toml").write_text(CONFIG)
    for source, text in (("board", BOARD), ("prices", PRICES)):
        (tmp_path / "seen" / source).mkdir(parents=True)
        (tmp_path / "seen" / source / "2026-04-27.csv").write_text(text)
    settings = load_settings()
    engine = open_database(settings.database.url)
    captures, _ = find_recorded(tmp_path / "seen", settings.sources)
    assert [result.outcome for result in backfill(engine, settings, captures)] == ["stored", "stored"]
    engine.dispose()

    def ask(*words: str) -> None:
        typer.main.get_command(app)(take_global_options(["pick", *words, "--now=2026-05-01"]), standalone_mode=False)

    return ask


def test_without_needs_every_need_is_answered_and_the_hybrid_follows(
    ask: Digest, capsys: pytest.CaptureFixture[str]
) -> None:
    ask()
    said = " ".join(capsys.readouterr().out.split())
    assert "Which model for which need 2026-W18 Coding tied: kimi-k2.6 and gpt-5.4" in said
    assert "kimi-k2.6 costs least, $2.00 blended." in said
    assert "No source here has figures for agentic tasks, search and browsing" in said
    assert "A few models for all of it: gpt-5.4 for mathematics" in said


def test_needs_by_weight_give_one_pick_with_its_reasons_and_the_ranking(
    ask: Digest, capsys: pytest.CaptureFixture[str]
) -> None:
    ask("--need", "coding=1", "--need", "math=3")
    out = capsys.readouterr().out
    assert out.startswith("Coding, Mathematics  2026-W18\ngpt-5.4\n  gpt-5.4 has 87.4 on average on Board, 14.9 points")
    table = [" ".join(line.split()) for line in out.splitlines()]
    assert "1 gpt-5.4 87.4 79.5 90.0 $5.00 1.05M" in table
    assert any(line.startswith("3 deepseek-v3.2 60.0 60.0 60.0 not known") for line in table)


def test_nothing_is_wider_than_80_columns(ask: Digest, capsys: pytest.CaptureFixture[str]) -> None:
    ask()
    ask("--need", "coding=1", "--need", "cost=2", "--open-weights")
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_limits_are_met_by_every_pick(ask: Digest, capsys: pytest.CaptureFixture[str]) -> None:
    ask("--need", "math", "--max-price", "4", "--json")
    assert document(capsys)["pick"]["leaders"][0]["name"]["model"] == "kimi-k2.6"
    ask("--need", "math", "--min-context", "500000", "--json")
    assert document(capsys)["pick"]["leaders"][0]["name"]["model"] == "gpt-5.4"


def test_the_json_is_one_document_of_numbers_sentences_and_receipts(
    ask: Digest, capsys: pytest.CaptureFixture[str]
) -> None:
    ask("--need", "math", "--json")
    said = document(capsys)
    first = said["pick"]["leaders"][0]
    assert (said["week"], first["value"], first["price"], first["context"]) == ("2026-W18", 90, 5, 1_050_000)
    assert said["pick"]["reasons"][0].startswith("gpt-5.4 has 90.0 on Board Mathematics, 20.0 points ahead of")
    assert said["pick"]["receipts"][0].startswith("Board, Mon 27 Apr 2026, sha256 ")


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (["--need", "codng"], UsageError, 'there is no need "codng"; did you mean coding?'),
        (["--need", "coding=0"], UsageError, "every need has the weight 0, so nothing is asked for; give one a weight"),
        (
            ["--max-price", "cheap"],
            UsageError,
            '--max-price "cheap" is no price; write USD per 1M tokens, such as 2.50.',
        ),
        (["--need", "latency"], DigestError, "in 2026-W18 no source here has figures for latency."),
        (
            ["--need", "math", "--max-price", "0.5"],
            DigestError,
            "in 2026-W18 no model is known to have a blended price",
        ),
        (["--max-price", "0.5"], DigestError, "no need has a pick in 2026-W18: no model is known to have a blended"),
        (["--week", "2020-W01"], DigestError, "no source has a capture in or before 2020-W01; import some with"),
    ],
)
def test_what_cannot_be_picked_is_one_sentence(
    ask: Digest, words: list[str], error: type[DigestError], said: str
) -> None:
    with pytest.raises(error) as raised:
        ask(*words)
    assert type(raised.value) is error
    assert str(raised.value).startswith(said)


def test_the_help_has_an_example() -> None:
    assert "Example: digest pick --need" in (pick.pick.__doc__ or "")


def document(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)
