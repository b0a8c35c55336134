"""An editor's work on a week in the database, and the log that keeps it."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from tests.operations.weeks import AFTER, BEFORE, NOW, W18, W19, W20, desk_of, import_week

from digest import audit
from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery import outbox
from digest.edition.opening import headline
from digest.errors import DigestError, StorageError, UsageError
from digest.operations.halting import halt
from digest.operations.stories import read_stories, say
from digest.weekly import collecting, stages


@pytest.fixture
def desk(engine: Engine, settings: Settings, tmp_path: Path) -> Settings:
    chosen = desk_of(settings)
    import_week(engine, chosen, tmp_path, W18, BEFORE)
    import_week(engine, chosen, tmp_path, W19, AFTER)
    return chosen


def key_of(engine: Engine, desk: Settings, words: str) -> str:
    return next(one.key for one in read_stories(engine, desk, W19).stories if words in one.generated)


def acts(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as connection:
        return [(entry.act, entry.who) for entry in audit.read(connection)]


def test_a_word_voids_an_approval_at_once_and_is_heeded_by_the_next_draft(engine: Engine, desk: Settings) -> None:
    first = stages.draft(engine, desk, W19, NOW).stored
    stages.approve(engine, W19, NOW, "eva")
    key = key_of(engine, desk, "cirrus-3 is up")
    say(engine, desk, W19, key[:5], "pin", "eva", NOW)
    assert not stages.is_approved(engine, W19)
    again = stages.draft(engine, desk, W19, NOW, "eva")
    assert headline(again.stored.edition) == "cirrus-3 is up 4.0 points on The board"
    assert (again.changed, again.voided, again.stored.approved) == (True, False, False)
    assert "overrides changed" in again.what
    say(engine, desk, W19, key, "restore", "ben", NOW + timedelta(hours=1))
    back = stages.draft(engine, desk, W19, NOW)
    assert back.stored.content_hash == first.content_hash
    assert acts(engine) == [
        ("drafted", "scheduler"),
        ("approved", "eva"),
        ("overridden", "eva"),
        ("voided", "eva"),
        ("drafted", "eva"),
        ("overridden", "ben"),
        ("drafted", "scheduler"),
    ]


def test_an_unchanged_draft_leaves_no_line_in_the_log(engine: Engine, desk: Settings) -> None:
    for _time in range(2):
        stages.draft(engine, desk, W19, NOW)
    assert acts(engine) == [("drafted", "scheduler")]


def test_words_that_do_not_fit_are_refused_in_one_sentence_and_leave_nothing(engine: Engine, desk: Settings) -> None:
    cirrus = key_of(engine, desk, "cirrus-3 is up")
    noise = read_stories(engine, desk, W19).apart["below_threshold"][0].key
    for key, what, more, said in (
        (cirrus, "reword", {"text": "cirrus-3 is up 5.0 points"}, '"5.0 points" is no figure of this story'),
        (cirrus, "reword", {"text": "cirrus-3 is up"}, 'it leaves out the figure "4.0 points"'),
        (cirrus, "promote", {"text": "Look"}, "is a story of the week already"),
        (noise, "drop", {}, "was told apart as below_threshold"),
        (noise, "promote", {"text": "Up by 3"}, '"3" is no figure of this story'),
        ("zzz", "drop", {}, '"zzz" is the key of no story'),
        ("", "drop", {}, '"" is the key of no story'),
        ("zzz", "restore", {}, '"zzz" names no story, or several'),
        (cirrus, "reword", {"text": "x", "locale": "fr"}, '"fr" is no language of the editions; they have en, de.'),
    ):
        with pytest.raises(DigestError) as caught:
            say(engine, desk, W19, key, what, "eva", NOW, **more)  # type: ignore[arg-type]
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)
    assert acts(engine) == []
    assert stages.draft(engine, desk, W19, NOW).misfits == ()


def test_an_edition_that_is_being_sent_takes_no_word(engine: Engine, desk: Settings) -> None:
    stages.draft(engine, desk, W19, NOW)
    stages.approve(engine, W19, NOW)
    key = key_of(engine, desk, "cirrus-3 is up")
    stages.send(engine, desk, W19, lambda: NOW)
    with pytest.raises(DigestError, match="already being sent"):
        say(engine, desk, W19, key, "drop", "eva", NOW)


def test_an_override_whose_story_is_gone_is_told_with_every_draft_and_can_be_taken_back(
    engine: Engine, desk: Settings, tmp_path: Path
) -> None:
    key = key_of(engine, desk, "cirrus-3 is up")
    say(engine, desk, W19, key, "drop", "eva", NOW)
    import_week(engine, desk, tmp_path, W19, {**AFTER, "cirrus-3": 60.0}, day=1)
    (misfit,) = stages.draft(engine, desk, W19, NOW).misfits
    assert misfit.why == "its story is not in the week any more"
    assert misfit.override.about == "cirrus-3 is up 4.0 points on The board"
    say(engine, desk, W19, key, "restore", "eva", NOW)
    assert stages.draft(engine, desk, W19, NOW).misfits == ()


def test_a_datum_a_template_and_a_note_each_say_that_they_changed(
    engine: Engine, desk: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages.draft(engine, desk, W19, NOW)
    import_week(engine, desk, tmp_path, W19, {**AFTER, "cirrus-3": 66.0}, day=1)
    what = stages.draft(engine, desk, W19, NOW).what
    assert any(
        "“cirrus-3 is up 4.0 points on The board" in line and "is now “cirrus-3 is up 6.0" in line for line in what
    )
    assert "the captures behind it are others" in what
    desk.series.notes.mkdir(parents=True)
    (desk.series.notes / f"{W19}.md").write_text("---\ntitle: A look\ndate: 2026-05-04\n---\nWords.\n")
    assert stages.draft(engine, desk, W19, NOW).what == ("the editor's note changed",)
    monkeypatch.setattr(stages, "templates_of_mails", lambda: "other")
    other = desk.model_copy(update={"series": desk.series.model_copy(update={"tagline": "Another"})})
    assert stages.draft(engine, other, W19, NOW).what == ("the tagline changed", "the templates changed")


def test_the_log_refuses_to_be_changed_or_emptied(engine: Engine, desk: Settings) -> None:
    stages.draft(engine, desk, W19, NOW)
    statements = ["UPDATE audit SET who = 'x'", "DELETE FROM audit"]
    statements += ["TRUNCATE audit"] if engine.dialect.name == "postgresql" else []
    for statement in statements:
        with pytest.raises(StorageError, match="append-only"), writing(engine) as connection:
            connection.execute(text(statement))
    assert acts(engine) == [("drafted", "scheduler")]


def test_every_act_on_a_mailing_has_its_line_and_one_that_fails_has_none(engine: Engine, desk: Settings) -> None:
    stages.draft(engine, desk, W19, NOW)
    stages.approve(engine, W19, NOW, "eva")
    stages.send(engine, desk, W19, lambda: NOW, who="eva")
    with reading(engine) as connection:
        mailing = outbox.find(connection, str(W19))
    assert mailing is not None
    for act in ("paused", "resumed", "aborted"):
        halt(engine, mailing, act, "eva", NOW)
    with pytest.raises(DigestError, match="aborted"):
        halt(engine, mailing, "resumed", "eva", NOW)
    assert [act for act, _who in acts(engine)] == ["drafted", "approved", "queued", "paused", "resumed", "aborted"]


def test_a_capture_that_a_person_accepts_stands_in_the_log(engine: Engine, desk: Settings, tmp_path: Path) -> None:
    import_week(engine, desk, tmp_path, W20, {"aurora-2": 10.0})
    collecting.accept(engine, desk, "board", NOW, "eva")
    with reading(engine) as connection:
        (entry,) = audit.read(connection)
    assert (entry.act, entry.who, entry.week, entry.detail["source"]) == ("accepted", "eva", str(W20), "board")


def test_the_log_of_a_week_is_read_alone(engine: Engine, desk: Settings) -> None:
    for week in (W18, W19):
        stages.draft(engine, desk, week, NOW)
    with reading(engine) as connection:
        assert [entry.week for entry in audit.read(connection, str(W18))] == [str(W18)]
        assert [entry.week for entry in audit.read(connection, most=1)] == [str(W19)]


def test_a_key_that_starts_several_is_refused(engine: Engine, desk: Settings) -> None:
    listed = read_stories(engine, desk, W19)
    keys = [one.key for one in listed.stories] + [one.key for group in listed.apart.values() for one in group]
    starts = [key[0] for key in keys]
    twice = next(start for start in starts if starts.count(start) > 1)
    with pytest.raises(UsageError, match="is the start of"):
        say(engine, desk, W19, twice, "drop", "eva", NOW)
