"""Whole editions of recorded weeks: the text as it would be sent, kept and read against the captures."""

import os
from datetime import date
from functools import cache

import pytest

from digest.changes.kinds import NO_MEMORY
from digest.changes.week import State, compare_week
from digest.edition import opening
from digest.edition.compose import compose
from digest.edition.content import Edition
from digest.edition.receipts import ids_of
from digest.edition.renditions import Rendition
from digest.rendering.email import render
from digest.rendering.renditions import assemble
from digest.scores.snapshot import Snapshot
from digest.weekly.calendar import Week, parse_week
from tests.changes.test_recorded_causes import memory, weeks
from tests.edition.figures import untold
from tests.test_recorded_weeks import GOLDEN, RECORDED, SOURCES, packaged, snapshot

pytestmark = [
    pytest.mark.recorded,
    pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded captures are not beside the checkout"),
]

BUSY, QUIET, RENAMED, REMADE, FAILED = "2026-W18", "2026-W17", "2025-W16", "2026-W05", "2026-W19"
FAILURES = {FAILED: {"litellm": "the server answered 503 three times"}}


def newest(source: str, until: date) -> Snapshot | None:
    """What is known of a source on a day."""
    captured = [week for week in weeks(source) if week <= until.isoformat()]
    return snapshot(source, captured[-1]) if captured else None


def since(source: str, now: Snapshot) -> date:
    """The day since which a source says what it says in a capture."""
    on = now.capture.on
    for week in reversed([week for week in weeks(source) if week < on.isoformat()]):
        if not snapshot(source, week).says_the_same_as(now):
            break
        on = date.fromisoformat(week)
    return on


def state(source: str, week: Week) -> State:
    failure = FAILURES.get(str(week), {}).get(source)
    previous = newest(source, week.previous.ends)
    current = previous if failure else newest(source, week.ends)
    return State(
        source=source,
        stale_after_days=packaged().sources[source].stale_after_days,
        previous=previous,
        current=current,
        changed_on=since(source, current) if current else None,
        failure=failure,
        memory=memory(source, previous.capture.on.isoformat()) if previous else NO_MEMORY,
    )


@cache
def edition_of(name: str) -> Edition:
    week = parse_week(name)
    states = [state(source, week) for source in SOURCES]
    changes = compare_week(states, week.starts, week.ends, (), packaged().policy)
    return compose(changes, packaged(), number=1, week=name, starts=week.starts, previous_week=str(week.previous))


@pytest.mark.parametrize("week", [BUSY, QUIET, RENAMED, REMADE, FAILED])
def test_the_edition_of_a_recorded_week_is_what_it_was(week: str) -> None:
    """A busy week, a quiet one, one with a rename at the top, one with a new column, one with a failed source."""
    rendered = render(edition_of(week), packaged())
    mail = assemble(rendered, Rendition())
    assert mail.html is not None
    head = f"Subject: {mail.subject}\nPreheader: {rendered.preheader}\n\n"
    parts = {"txt": head + mail.text, **({"html": mail.html} if week == QUIET else {})}
    for suffix, content in parts.items():
        golden = GOLDEN / f"edition-{week}.{suffix}"
        if os.environ.get("UPDATE_GOLDEN") == "1":
            golden.write_text(content, encoding="utf-8", newline="\n")
        assert content == golden.read_text(encoding="utf-8"), f"look at it, then UPDATE_GOLDEN=1 rewrites {golden.name}"


@pytest.mark.parametrize("week", [BUSY, QUIET, RENAMED, REMADE, FAILED])
def test_every_figure_of_a_recorded_edition_is_in_its_facts(week: str) -> None:
    rendered = render(edition_of(week), packaged())
    assert untold(edition_of(week), f"{rendered.subject}\n{rendered.preheader}\n{rendered.text}") == []


@pytest.mark.parametrize("week", [BUSY, QUIET, RENAMED, REMADE, FAILED])
def test_every_figure_of_a_recorded_edition_has_its_receipt(week: str) -> None:
    edition = edition_of(week)
    assert set(ids_of(edition)) == {receipt.id for receipt in edition.receipts}


def test_only_the_quiet_week_is_quiet() -> None:
    assert [week for week in (BUSY, QUIET, RENAMED, REMADE, FAILED) if edition_of(week).quiet] == [QUIET]


def test_a_week_with_a_failed_source_says_so_at_the_top_and_is_not_quiet() -> None:
    edition = edition_of(FAILED)
    assert "LiteLLM prices could not be read." in [point.brief for point in opening.in_brief(edition)]
    assert {prices.source for prices in edition.prices} == {"genai_prices"} or not edition.prices


def test_a_rename_at_the_top_is_no_change_at_the_top() -> None:
    aider = next(board for board in edition_of(RENAMED).boards if board.source == "aider")
    assert (aider.leader, aider.places[0].movement) == ("unchanged", "same")
    assert [renamed.before.raw for renamed in edition_of(RENAMED).renamed] == ["Gemini 2.5 Pro exp-03-25"]


def test_no_two_recorded_weeks_that_follow_one_another_have_the_same_subject() -> None:
    mondays = [BUSY, QUIET, RENAMED, REMADE, FAILED]
    for week in mondays:
        edition = edition_of(week)
        again = edition.model_copy(update={"last_subject": opening.subject(edition)})
        assert opening.subject(again) != opening.subject(edition)
