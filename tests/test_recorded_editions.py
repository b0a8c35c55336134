"""Whole editions of recorded weeks: the text as it would be sent, kept and read against the captures."""

from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import pytest

from digest.changes.kinds import NO_MEMORY
from digest.changes.week import State, WeekChanges, compare_week
from digest.edition import opening
from digest.edition.compose import compose
from digest.edition.content import Edition
from digest.edition.editing import misfits_in
from digest.edition.overrides import Override, What, told_by_key
from digest.edition.receipts import ids_of
from digest.edition.rendered import Rendered
from digest.edition.renditions import Rendition
from digest.language import LOCALES, speaking
from digest.rendering.email import render
from digest.rendering.feeds import atom, entry_of, feed_of
from digest.rendering.renditions import assemble
from digest.scores.snapshot import Snapshot
from digest.subscribers.regimes import duties, packaged_regimes
from digest.weekly.calendar import Week, parse_week
from tests.changes.test_recorded_causes import memory, weeks
from tests.edition.figures import untold
from tests.rendering.test_email import check_golden
from tests.test_recorded_weeks import RECORDED, SOURCES, packaged, snapshot

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
def changes_of(name: str) -> WeekChanges:
    week = parse_week(name)
    states = [state(source, week) for source in SOURCES]
    return compare_week(states, week.starts, week.ends, (), packaged().policy)


@cache
def edition_of(name: str, said: tuple[Override, ...] = ()) -> Edition:
    week = parse_week(name)
    facts: dict[str, Any] = {"week": name, "starts": week.starts, "previous_week": str(week.previous)}
    return compose(changes_of(name), packaged(), number=1, **facts, overrides=said)


RENDITIONS = {
    "full-en": Rendition("en", (), "full", "US"),
    "short-en": Rendition("en", ("scores",), "short", "JP"),
    "full-de": Rendition("de", (), "full", "DE"),
}
"""Three groups of readers: all of it, the short edition in a region of many duties, and another language."""


@cache
def rendered(week: str) -> Rendered:
    regimes = packaged_regimes(packaged().consent.regimes).by_code
    asked = {code: duties(regime, "edition", commercial=False) for code, regime in regimes.items()}
    return render(edition_of(week), packaged(), duties=asked)


@pytest.mark.parametrize("name", RENDITIONS)
@pytest.mark.parametrize("week", [BUSY, QUIET, RENAMED, REMADE, FAILED])
def test_the_mail_of_a_recorded_week_is_what_it_was(week: str, name: str) -> None:
    """A busy week, a quiet one, one with a rename at the top, one with a new column, one with a failed source."""
    mail = assemble(rendered(week), RENDITIONS[name])
    spoken = rendered(week).in_language(RENDITIONS[name].locale)
    check_golden(f"edition-{week}-{name}.txt", f"Subject: {mail.subject}\nPreheader: {spoken.preheader}\n\n{mail.text}")
    check_golden(f"edition-{week}-{name}.html", mail.html or "")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("week", [BUSY, QUIET, RENAMED, REMADE, FAILED])
def test_the_feed_entry_of_a_recorded_week_is_what_it_was(week: str, locale: str) -> None:
    series = packaged().series
    with speaking(locale):
        entry = entry_of(edition_of(week), series, datetime(2026, 5, 4, 9, tzinfo=UTC))
        assert entry is not None
        check_golden(f"edition-{week}-{locale}.atom", atom(feed_of(series, [entry], "atom")).decode())


@pytest.mark.parametrize("week", [BUSY, QUIET, RENAMED, REMADE, FAILED])
def test_every_figure_of_a_recorded_edition_is_in_its_facts(week: str) -> None:
    said = rendered(week)
    assert untold(edition_of(week), f"{said.subject}\n{said.preheader}\n{said.text}") == []


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
        again = edition.model_copy(update={"last_subjects": (opening.subject(edition),)})
        assert opening.subject(again) != opening.subject(edition)


@pytest.mark.parametrize("name", [BUSY, QUIET, RENAMED, REMADE, FAILED])
def test_every_story_has_a_key_of_its_own_and_can_be_dropped_pinned_and_moved(name: str) -> None:
    plain, changes = edition_of(name), changes_of(name)
    known = told_by_key(plain.stories, changes)
    keys = {told_as: key for key, told_as in known.items()}
    everything = {story.told_as for story in plain.stories}
    assert everything <= set(keys)
    each: list[What] = ["drop", "pin", "move"]
    for what in each:
        at = datetime(2026, 5, 4, tzinfo=UTC)
        said = tuple(Override(keys[one], what, "eva", at, place=3) for one in sorted(everything))
        edited = edition_of(name, said)
        assert {edit.told_as for edit in edited.edits} == everything
        assert misfits_in(edited, said, changes) == ()
