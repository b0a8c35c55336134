"""The stages of a week on both databases: what may be sent, what was told, what is held back."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.outgoing import some_outgoing

from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery import outbox
from digest.edition import store as editions
from digest.errors import DigestError, UsageError
from digest.membership import importing
from digest.operations.status import read_status
from digest.rendering.email import render
from digest.scores.recorded import find_recorded
from digest.weekly import collecting, composing, stages
from digest.weekly.calendar import Week, parse_week
from digest.weekly.running import run_due

NOW = datetime(2026, 5, 12, 9, 0, tzinfo=UTC)
W18, W19, W20 = (parse_week(name) for name in ("2026-W18", "2026-W19", "2026-W20"))
SOURCE = {
    "url": "https://boards.example/x.json",
    "kind": "scores",
    "format": "json",
    "model": "model",
    "lead": "Shared test",
    "margin": 1,
    "columns": {"score": {"benchmark": "Shared test"}, "other": {}},
}
Board = dict[str, tuple[float, float]]


@pytest.fixture
def desk(settings: Settings) -> Settings:
    """Two sources that report one benchmark, and no editor in the way."""
    sources = {name: {**SOURCE, "title": f"Board {name}"} for name in ("one", "two")}
    return Settings.model_validate({**settings.model_dump(), "sources": sources, "links": settings.links})


@pytest.fixture
def import_week(engine: Engine, desk: Settings, tmp_path: Path) -> Callable[..., list[collecting.Collected]]:
    def imported(week: Week, **boards: Board) -> list[collecting.Collected]:
        for name, rows in boards.items():
            folder = tmp_path / str(week) / name
            folder.mkdir(parents=True)
            table = [{"model": model, "score": score, "other": other} for model, (score, other) in rows.items()]
            (folder / f"{week.starts}.json").write_text(json.dumps(table))
        captures, _skipped = find_recorded(tmp_path / str(week), desk.sources)
        return list(collecting.backfill(engine, desk, captures))

    return imported


ROWS: Board = {f"model-{n}": (10.0 * n, 5.0 * n) for n in range(1, 8)}


@pytest.fixture
def three_weeks(import_week: Any) -> None:
    for week in (W18, W19, W20):
        import_week(
            week, one={**ROWS, f"new-{week}": (99.0, 1.0)}, two={"model-1": (50.0, 1.0), f"n-{week}": (1.0, 1.0)}
        )


def told(engine: Engine, week: Week) -> list[str]:
    with reading(engine) as connection:
        stored = editions.load_edition(connection, str(week))
    assert stored is not None
    return [disagreement.name.raw for disagreement in stored.edition.disagreements]


def add_reader(engine: Engine, settings: Settings) -> None:
    fields = {"email": "ada@example.org", "consented_at": "2026-05-01", "method": "form", "wording": "v1"}
    importing.add(engine, settings, importing.newcomer(fields, settings, NOW), NOW)


@pytest.mark.usefixtures("three_weeks")
def test_drafting_again_gives_the_same_content_whatever_other_weeks_were_drafted(
    engine: Engine, desk: Settings
) -> None:
    first = stages.draft(engine, desk, W19, NOW).stored.content_hash
    stages.draft(engine, desk, W20, NOW)
    assert stages.draft(engine, desk, W19, NOW).stored.content_hash == first


@pytest.mark.usefixtures("three_weeks")
def test_a_disagreement_is_told_again_until_an_edition_that_tells_it_is_approved(
    engine: Engine, desk: Settings
) -> None:
    stages.draft(engine, desk, W19, NOW)
    stages.draft(engine, desk, W20, NOW)
    assert told(engine, W20) == ["model-1"]
    stages.approve(engine, W19, NOW)
    stages.draft(engine, desk, W20, NOW)
    assert told(engine, W20) == []


@pytest.mark.usefixtures("three_weeks")
def test_other_settings_of_the_sender_than_were_approved_stop_the_sending(engine: Engine, desk: Settings) -> None:
    stages.draft(engine, desk, W19, NOW)
    stages.approve(engine, W19, NOW)
    other = desk.model_copy(update={"mail": desk.mail.model_copy(update={"from_name": "Somebody else"})})
    with pytest.raises(DigestError, match="say otherwise than when"):
        stages.send(engine, other, W19, lambda: NOW)


@pytest.mark.usefixtures("three_weeks")
def test_what_was_not_approved_is_not_sent(engine: Engine, desk: Settings) -> None:
    stages.draft(engine, desk, W19, NOW)
    with pytest.raises(DigestError, match="not approved"):
        stages.send(engine, desk, W19, lambda: NOW)


@pytest.mark.usefixtures("three_weeks")
def test_an_edition_that_is_being_sent_cannot_be_drafted_anew(engine: Engine, desk: Settings) -> None:
    stages.draft(engine, desk, W19, NOW)
    stages.approve(engine, W19, NOW)
    stages.send(engine, desk, W19, lambda: NOW)
    with pytest.raises(DigestError, match="already being sent"):
        stages.draft(engine, desk, W19, NOW)


@pytest.mark.usefixtures("three_weeks")
def test_a_draft_that_was_overtaken_by_the_sending_changes_nothing(
    engine: Engine, desk: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages.draft(engine, desk, W19, NOW)
    approved = stages.approve(engine, W19, NOW)

    def slowly(*given: Any) -> Any:  # meanwhile another process sends the week
        with writing(engine) as connection:
            outbox.queue(connection, some_outgoing(str(W19)), approved.content_hash, NOW)
        return render(*given)

    monkeypatch.setattr("digest.weekly.stages.render", slowly)
    changed = desk.model_copy(update={"series": desk.series.model_copy(update={"tagline": "Other"})})
    with pytest.raises(DigestError, match="already being sent"):
        stages.draft(engine, changed, W19, NOW)
    with reading(engine) as connection:
        assert editions.load_edition(connection, str(W19)) == approved


@pytest.mark.usefixtures("three_weeks")
def test_editions_are_numbered_as_they_are_approved(engine: Engine, desk: Settings) -> None:
    numbers = []
    for week in (W18, W19, W19, W20):
        numbers.append(stages.draft(engine, desk, week, NOW).stored.edition.number)
        if week is not W19 or numbers[-2:] == [2, 2]:
            stages.approve(engine, week, NOW)
    assert numbers == [1, 2, 2, 3]


def test_a_week_that_has_not_begun_is_refused(engine: Engine, desk: Settings) -> None:
    with reading(engine) as connection, pytest.raises(UsageError, match="has not begun"):
        composing.find_week(connection, desk, "2031-W01", NOW)


@pytest.mark.usefixtures("three_weeks")
def test_mail_of_an_earlier_week_is_named_by_status_and_gone_on_with(engine: Engine, desk: Settings) -> None:
    add_reader(engine, desk)
    stages.draft(engine, desk, W18, NOW)
    approved = stages.approve(engine, W18, NOW)
    with writing(engine) as connection:
        outbox.queue(connection, some_outgoing(str(W18)), approved.content_hash, NOW)
    assert any("1 deliveries of 2026-W18" in need.said for need in read_status(engine, desk, NOW).needs)
    complaints: list[str] = []
    (sent,) = stages.send_unfinished(engine, desk, W20, lambda: NOW, complaints.append)
    assert sent.tally["sent"] == 1
    assert stages.send_unfinished(engine, desk, W20, lambda: NOW, complaints.append) == []
    assert complaints == []


@pytest.mark.usefixtures("three_weeks")
def test_an_earlier_week_that_cannot_go_on_stops_no_other(engine: Engine, desk: Settings) -> None:
    add_reader(engine, desk)
    stages.draft(engine, desk, W18, NOW)
    approved = stages.approve(engine, W18, NOW)
    with writing(engine) as connection:
        outbox.queue(connection, some_outgoing(str(W18)), approved.content_hash, NOW)
    other = desk.model_copy(update={"mail": desk.mail.model_copy(update={"reply_to": "other@digest.example"})})
    complaints: list[str] = []
    assert stages.send_unfinished(engine, other, W20, lambda: NOW, complaints.append) == []
    assert "2026-W18" in complaints[0]


def test_a_capture_that_is_not_believed_is_held_back_until_a_person_accepts_it(
    engine: Engine, desk: Settings, import_week: Any
) -> None:
    import_week(W18, one=ROWS)
    (held,) = import_week(W19, one={"model-1": (10.0, 5.0)})
    assert (held.outcome, held.detail) == ("quarantined", "6 of 7 rows are gone")
    with reading(engine) as connection:
        (source,) = composing.compare_weeks(connection, desk, W18, W19).sources
    assert (source.status, source.state.current and source.state.current.capture.on) == ("quarantined", W18.starts)
    assert collecting.accept(engine, desk, "one", NOW).on == W19.starts
    with reading(engine) as connection:
        (source,) = composing.compare_weeks(connection, desk, W18, W19).sources
    assert source.status == "fresh"
    with pytest.raises(UsageError, match="no capture of one waits"):
        collecting.accept(engine, desk, "one", NOW)


def test_a_week_with_a_source_held_back_waits_for_an_editor(engine: Engine, desk: Settings, import_week: Any) -> None:
    import_week(W18, one=ROWS)
    import_week(W19, one={"model-1": (10.0, 5.0)})
    unattended = desk.model_copy(update={"approval": desk.approval.model_copy(update={"required": False})})
    list(run_due(engine, unattended, lambda: NOW, asked=W19))
    assert not stages.is_queued(engine, W19)


def test_a_figure_that_returns_to_what_it_was_a_week_ago_is_no_news(
    engine: Engine, desk: Settings, import_week: Any
) -> None:
    for week, score in ((W18, 10.0), (W19, 40.0), (W20, 10.0)):
        import_week(week, one={**ROWS, "model-1": (score, 5.0)})
    with reading(engine) as connection:
        (source,) = composing.compare_weeks(connection, desk, W19, W20).sources
    assert source.changes is not None
    reasons = {change.reason.value for change in source.changes.changes if change.kind.value == "score_changed"}
    assert reasons == {"flip_flop"}


@pytest.mark.usefixtures("three_weeks")
def test_a_capture_of_a_day_is_known_in_another_time_zone_too(engine: Engine, desk: Settings, tmp_path: Path) -> None:
    away = desk.model_copy(update={"series": desk.series.model_copy(update={"timezone": "Pacific/Apia"})})
    captures, _skipped = find_recorded(tmp_path / str(W19), away.sources)
    assert {result.outcome for result in collecting.backfill(engine, away, captures)} == {"known"}
    assert captures[0].on == date(2026, 5, 4)
