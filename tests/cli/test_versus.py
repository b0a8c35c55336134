"""`digest versus`: what it prints at 80 columns, its one JSON document, and one sentence for what went wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digest.cli import printing
from digest.cli.commands import app
from digest.cli.context import take_global_options
from digest.config.assets import asset
from digest.config.loading import load_settings
from digest.database import open_database
from digest.errors import DigestError, UsageError
from digest.scores.recorded import find_recorded
from digest.weekly.collecting import backfill

SPARK, QWEN = "GPT-5.3-Codex-Spark", "Qwen3.5 397B"
NOW = "--now=2026-03-12T09:00:00Z"
Digest = Callable[..., str]


@pytest.fixture
def digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Digest:
    """Runs `digest versus` on the demo's captures."""
    monkeypatch.setenv("DIGEST_DATABASE__URL", f"sqlite:///{tmp_path / 'digest.db'}")
    monkeypatch.setattr(printing.out, "width", 80)
    config = asset("data") / "demo" / "config.toml"
    settings = load_settings(config)
    engine = open_database(settings.database.url)
    captures, _skipped = find_recorded(asset("data") / "demo", settings.sources)
    list(backfill(engine, settings, captures))
    engine.dispose()

    def run(*words: str) -> str:
        capsys.readouterr()
        app(take_global_options(["versus", *words, f"--config={config}", NOW]), standalone_mode=False)
        return capsys.readouterr().out

    return run


def test_the_verdict_comes_first_and_every_line_fits_80_columns(digest: Digest) -> None:
    lines = digest(SPARK, QWEN).splitlines()
    assert lines[0].split() == [SPARK, "vs", "Qwen3.5", "397B", "2026-W11"]
    assert lines[2].strip() == f"{SPARK} is clearly ahead overall on Head to head, 87 to 62."
    assert max(map(len, lines)) <= 80


def test_a_row_shows_both_figures_the_difference_and_its_share(digest: Digest) -> None:
    rows = [line.split() for line in digest(SPARK, QWEN).splitlines()]
    assert ["overall", "87", "62", "+25.1", "pt,", "40.6%"] in rows
    assert ["Coding", "82.3", "40.7", "+41.6", "pt,", "102.3%"] in rows
    assert ["SWE-bench", "Pro", "85.0", "42.0", "+43", "pt,", "102.4%"] in rows


def test_of_three_models_the_gap_to_the_leader_stands_below_each_figure(digest: Digest) -> None:
    printed = digest(QWEN, "gpt-5.2", "Claude 4.5 Opus")
    assert "−12.8 pt, 19.5%" in printed
    assert "−10.8 pt, 15.9%" in printed
    assert max(map(len, printed.splitlines())) <= 80


def test_prices_and_the_dates_of_the_figures_are_printed(digest: Digest) -> None:
    printed = digest(SPARK, QWEN)
    assert next(line for line in printed.splitlines() if line.startswith("Output, USD")).split()[-2:] == [
        "$8.00",
        "free",
    ]
    assert "Figures of Head to head, Thu 12 Mar 2026, " in " ".join(printed.split())


def test_json_is_one_document_with_the_facts_the_verdict_and_the_answers(digest: Digest) -> None:
    document: dict[str, Any] = json.loads(digest(SPARK, QWEN, "--json"))
    assert document["week"] == "2026-W11"
    assert document["matchups"][0]["separator"]["benchmark"] == "SWE-bench Pro"
    assert document["matchups"][0]["separator"]["results"][1]["gap"] == -43
    spark, _qwen = document["offers"][0]["offered"]
    assert (spark["input"], spark["output"], spark["context"]) == (2, 8, 256000)
    assert document["verdict"][0].startswith(SPARK)
    assert {"question", "answer"} == set(document["questions"][0])


def test_an_earlier_week_has_the_figures_of_then(digest: Digest) -> None:
    with pytest.raises(DigestError, match="Spark"):
        digest(SPARK, QWEN, "--week", "2026-W10")


def test_what_cannot_be_meant_is_one_sentence(digest: Digest) -> None:
    with pytest.raises(UsageError, match="two models"):
        digest(SPARK)
    with pytest.raises(DigestError, match="the nearest is"):
        digest("GPT-5.3-Codex-Sprak", QWEN)
    with pytest.raises(UsageError, match="one of the names is empty"):
        digest(SPARK, " ")


def test_markup_of_the_terminal_in_a_name_is_printed_as_it_is(digest: Digest) -> None:
    with pytest.raises(DigestError, match=r"\[bold\]x"):
        digest("[bold]x", QWEN)
