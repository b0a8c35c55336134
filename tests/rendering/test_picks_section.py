"""The section of picks, in both parts of the mail."""

from types import SimpleNamespace
from typing import Any

import pytest
from tests.picking import some_settings
from tests.snapshots import a_board

from digest.edition import pick_words
from digest.edition.pick_changes import changed_picks
from digest.edition.pick_facts import Pick
from digest.language import speaking
from digest.rendering.email import whole
from digest.rendering.templates import fill
from digest.rendering.text import LAYOUT


def rendered(template: str, picks: tuple[Pick, ...]) -> str:
    facts = {**LAYOUT, "whole": whole, "pick_words": pick_words}
    return fill(template, {**facts, "edition": SimpleNamespace(picks=picks)})


def picks_of(**now: Any) -> tuple[Pick, ...]:
    before = a_board({"category:Coding": {"ada": 80, "bob": 70}, "IF": {"ada": 5, "bob": 5}})
    rows = {"ada": 80, "bob": 70, **now}
    board = a_board({"category:Coding": rows, "IF": {"ada": 5, "bob": 5}})
    return changed_picks({"board": before}, {"board": board}, some_settings())


def test_a_changed_pick_is_marked_in_both_parts() -> None:
    picks = picks_of(cyd=90)
    mail, text = rendered("email/picks.mjml", picks), rendered("text/picks.txt", picks)
    assert '<b class="keep">cyd</b> <span class="chip rerun">changed</span>' in mail
    assert "Coding: cyd (changed)\n    90.0 on Board Coding" in text


def test_a_tie_is_marked_and_no_model_stands_as_the_winner() -> None:
    picks = picks_of()
    assert '<b>ada and bob</b> <span class="chip neutral">tie</span>' in rendered("email/picks.mjml", picks)
    assert "Instruction following: ada and bob, tied" in rendered("text/picks.txt", picks)


def test_a_tie_and_a_change_are_marked_in_german() -> None:
    with speaking("de"):
        tied, changed = rendered("text/picks.txt", picks_of()), rendered("email/picks.mjml", picks_of(cyd=90))
    assert "Anweisungstreue: ada und bob, gleichauf\n" in tied
    assert '<span class="chip rerun">geändert</span>' in changed


@pytest.mark.parametrize("template", ["email/picks.mjml", "text/picks.txt"])
def test_what_nobody_measures_the_hybrid_and_the_receipts_follow(template: str) -> None:
    said = " ".join(rendered(template, picks_of()).split())
    assert "No source here has figures for agentic tasks" in said
    assert "ada for coding and, tied, instruction following." in said
    assert "Receipt: Board, Mon 27 Apr 2026, sha256" in said


def test_a_hostile_name_is_escaped() -> None:
    mail = rendered("email/picks.mjml", picks_of(**{"<script>x</script>": 99}))
    assert "<script>" not in mail
    assert "&lt;script&gt;" in mail


def test_the_text_keeps_to_72_columns() -> None:
    text = rendered(
        "text/picks.txt", picks_of(**{"a-model-of-a-rather-long-name" * 3: 80, "another-of-some-length": 80})
    )
    assert max(map(len, text.splitlines())) <= 72
