"""What a scheduler does alone, and of what it tells a person: of clocks that are doubted, and of faults, once each."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.weekly.looking import at, look, unedited

from digest import scheduler
from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery.transports.maildir import Maildir
from digest.edition.store import published_on
from digest.errors import DeliveryError, DigestError
from digest.operations.status import read_status
from digest.weekly import collecting, running, stages, store
from digest.weekly.calendar import Week, parse_week
from digest.weekly.due import STAGES

W19 = parse_week("2026-W19")
DAY, YEAR = timedelta(days=1), timedelta(days=365)
READERS = 3


@pytest.fixture
def desk(settings: Settings) -> Iterator[Settings]:
    with unedited(settings) as chosen:
        yield chosen


def abouts(engine: Engine, settings: Settings, now: datetime) -> list[str]:
    return [need.about for need in read_status(engine, settings, now).needs]


def test_a_clock_that_was_a_year_ahead_at_the_first_start_silences_nothing_once_a_person_said_so(
    engine: Engine, desk: Settings, add_readers: Callable[[int], list[int]], rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    add_readers(READERS)
    later = Week(W19.starts + timedelta(weeks=52))
    for stage in STAGES[:3]:
        look(engine, desk, at(desk, later, stage))
    right = at(desk, W19, "snapshot")
    look(engine, desk, right)
    (said,) = [need.said for need in read_status(engine, desk, right).needs if need.about == "clock"]
    assert "something was done on 2027-05-04, which is yet to come" in said
    list(running.run_due(engine, desk, lambda: right, asked=W19))
    with reading(engine) as connection:
        assert published_on(connection, str(later)) is None  # it is drafted anew when it comes
    assert "clock" not in abouts(engine, desk, right)
    for week in (W19, Week(W19.starts + timedelta(weeks=1))):
        for stage in STAGES:
            look(engine, desk, at(desk, week, stage))
    assert [row["week"] for row in rows("mailing")] == ["2026-W19", "2026-W20"]
    assert [row["state"] for row in rows("delivery")] == ["sent"] * 2 * READERS
    with reading(engine) as connection:
        days = {row.period for row in connection.execute(store._runs.select()) if row.stage == "retention"}
    assert days == {"2026-05-04", "2026-05-05", "2026-05-11", "2026-05-12"}


def test_the_word_of_a_person_lifts_the_doubt_of_a_week_that_is_queued_already(
    engine: Engine, desk: Settings, add_readers: Callable[[int], list[int]]
) -> None:
    add_readers(READERS)
    look(engine, desk, at(desk, W19, "send"))
    week = Week(W19.starts + timedelta(weeks=6))
    now = at(desk, week, "send")
    stages.draft(engine, desk, week, now)
    stages.approve(engine, week, now)
    with pytest.raises(DigestError, match="if it is right, run digest weekly"):
        stages.queue(engine, desk, week, now)
    assert "clock" in abouts(engine, desk, now)
    assert [ran.error for ran in running.run_due(engine, desk, lambda: now, asked=week)] == [None]
    later = now + timedelta(weeks=6)
    assert "clock" in abouts(engine, desk, later)
    assert list(running.run_due(engine, desk, lambda: later, asked=week)) == []
    assert "clock" not in abouts(engine, desk, later)


def test_a_worker_alone_with_a_wrong_clock_closes_and_sends_nothing(
    engine: Engine, desk: Settings, add_readers: Callable[[int], list[int]], rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    add_readers(READERS)
    for stage in STAGES[:3]:
        look(engine, desk, at(desk, W19, stage))
    right = at(desk, W19, "send")
    list(running.run_due(engine, desk, lambda: right))
    for jump in (YEAR, -YEAR):
        with pytest.raises(DeliveryError, match="so it is doubted and nothing begins"):
            stages.send_some(engine, desk, W19, lambda jump=jump: right + jump, lambda _done: False)  # type: ignore[misc]
    assert [row["state"] for row in rows("delivery")] == ["pending"] * READERS
    stages.send_some(engine, desk, W19, lambda: right, lambda _done: False)
    assert [row["state"] for row in rows("delivery")] == ["sent"] * READERS


def test_a_clock_that_jumps_in_the_middle_of_sending_ends_it_and_loses_no_outcome(
    engine: Engine, desk: Settings, add_readers: Callable[[int], list[int]], rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    readers = 3 * Maildir.width
    add_readers(readers)
    for stage in STAGES[:3]:
        look(engine, desk, at(desk, W19, stage))
    right = at(desk, W19, "send")
    list(running.run_due(engine, desk, lambda: right))
    folder = desk.delivery.maildir / "new"

    def clock() -> datetime:
        return right + (YEAR if folder.exists() and any(folder.iterdir()) else timedelta(0))

    with pytest.raises(DeliveryError, match="so it is doubted"):
        stages.send(engine, desk, W19, clock)
    states = Counter(row["state"] for row in rows("delivery"))
    assert states == {"sent": len(list(folder.iterdir())), "pending": readers - states["sent"]}
    assert 0 < states["sent"] < readers
    assert stages.send(engine, desk, W19, lambda: right).tally["sent"] == readers


def test_an_edition_whose_machine_was_away_for_too_long_is_told(
    engine: Engine, desk: Settings, add_readers: Callable[[int], list[int]], rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    add_readers(READERS)
    for stage in STAGES[:3]:
        look(engine, desk, at(desk, W19, stage))
    list(running.run_due(engine, desk, lambda: at(desk, W19, "send")))  # it is queued, and then nobody sends
    back = at(desk, W19, "send", 4 * DAY)
    look(engine, desk, back)
    assert {(row["state"], row["outcome"]) for row in rows("delivery")} == {("skipped", "too late")}
    (said,) = [need.said for need in read_status(engine, desk, back).needs if need.wakes]
    assert said.startswith("3 deliveries of 2026-W19 came too late and will not be made")
    assert "See that digest serve or digest worker runs" in said
    assert "too late 2026-W19" not in abouts(engine, desk, back + 14 * DAY)


def waking(engine: Engine, settings: Settings, now: datetime) -> set[str]:
    return {need.about for need in read_status(engine, settings, now).needs if need.wakes}


def approving(settings: Settings, **changed: Any) -> Settings:
    return settings.model_copy(update={"approval": settings.approval.model_copy(update=changed)})


@pytest.mark.parametrize("changed", [{"required": False}, {"required": True, "at_deadline": "send_if_checked"}])
def test_a_week_that_goes_well_by_itself_wakes_nobody(
    engine: Engine, desk: Settings, add_readers: Callable[[int], list[int]], changed: dict[str, Any]
) -> None:
    add_readers(READERS)
    own = approving(desk, **changed)
    own = own.model_copy(update={"series": own.series.model_copy(update={"postal_address": "1 Street, Berlin"})})
    now = at(own, W19, "snapshot", timedelta(hours=-1))
    while now < at(own, W19, "send", timedelta(hours=2)):
        look(engine, own, now)
        assert waking(engine, own, now) == set(), now
        now += timedelta(minutes=30)
    with reading(engine) as connection:
        assert store.read_done(connection, W19).weeks[W19].queued


def test_an_edition_that_the_deadline_held_is_told_until_it_is_approved_or_skipped(
    engine: Engine, desk: Settings
) -> None:
    own = approving(desk, required=True, at_deadline="send_if_checked")  # without a postal address a check fails
    for stage in STAGES:
        look(engine, own, at(own, W19, stage))
        assert waking(engine, own, at(own, W19, stage)) == ({f"approval {W19}"} if stage in STAGES[2:] else set())
    late = at(own, W19, "send", timedelta(hours=30))
    (said,) = [need.said for need in read_status(engine, own, late).needs if need.wakes]
    wanted = f"digest approve {W19}, or digest skip {W19}"
    assert said == f"the edition of {W19} is late and waits for a word: {wanted}"
    with writing(engine) as connection:
        store.skip(connection, W19, late)
    for later in (late, late + 70 * DAY):
        assert not {about for about in waking(engine, own, later) if str(W19) in about}


def test_an_edition_that_waits_for_its_editor_is_told_at_once(engine: Engine, desk: Settings) -> None:
    own = approving(desk, required=True)
    look(engine, own, at(own, W19, "draft"))
    assert waking(engine, own, at(own, W19, "draft")) == {f"approval {W19}"}
    stages.approve(engine, W19, at(own, W19, "draft"))
    assert waking(engine, own, at(own, W19, "draft")) == set()


def test_a_source_that_fails_each_week_is_one_trouble(engine: Engine, desk: Settings) -> None:
    bad = desk.sources["board"].model_copy(update={"url": "http://127.0.0.1:9/x"})
    two = desk.model_copy(update={"sources": {**desk.sources, "bad": bad}})
    told = Counter[str]()
    for week in (W19, Week(W19.starts + timedelta(weeks=1))):
        for stage in STAGES:
            look(engine, two, at(two, week, stage))
            told.update(waking(engine, two, at(two, week, stage)))
    assert told == {"source bad failed": 2 * len(STAGES)}


Fail = Callable[[str, str, datetime], None]


@pytest.fixture
def fail(engine: Engine) -> Fail:
    """A stage of a week, or a job of a day, could not be done at a moment."""

    def leave_open(period: str, stage: Any, now: datetime) -> None:
        with writing(engine) as connection:
            lease = store.claim(connection, period, stage, "another", now, lambda _: False)
            assert lease is not None
            store.leave_open(connection, lease, now, "the disk is full", now + DAY)

    return leave_open


def test_a_stage_that_failed_is_told_until_the_week_went_out_without_it(
    engine: Engine, desk: Settings, fail: Fail
) -> None:
    names = {stage: f"stage {W19} {stage}" for stage in STAGES}
    moment = {stage: at(desk, W19, stage) for stage in STAGES}
    fail(str(W19), "snapshot", moment["snapshot"])
    assert waking(engine, desk, moment["snapshot"]) == {names["snapshot"]}
    list(collecting.collect(engine, desk, moment["snapshot"]))
    fail(str(W19), "draft", moment["draft"])
    assert waking(engine, desk, moment["draft"]) == {names["snapshot"], names["draft"]}
    stages.draft(engine, desk, W19, moment["draft"])
    stages.approve(engine, W19, moment["draft"])
    assert waking(engine, desk, moment["draft"]) == set()
    fail(str(W19), "send", moment["send"])
    assert waking(engine, desk, moment["send"]) == {names["send"]}
    stages.send(engine, desk, W19, lambda: moment["send"])
    assert waking(engine, desk, moment["send"]) == set()


def test_a_stage_that_failed_is_settled_by_a_later_one_or_by_skipping_the_week(
    engine: Engine, desk: Settings, fail: Fail
) -> None:
    fail(str(W19), "snapshot", at(desk, W19, "snapshot"))
    with writing(engine) as connection:
        lease = store.claim(connection, str(W19), "draft", "one", at(desk, W19, "draft"), lambda _: False)
        assert lease is not None
        store.finish(connection, lease, at(desk, W19, "draft"))
    assert waking(engine, desk, at(desk, W19, "draft")) == set()
    fail(str(W19), "approval", at(desk, W19, "approval"))
    assert waking(engine, desk, at(desk, W19, "approval")) == {f"stage {W19} approval"}
    with writing(engine) as connection:
        store.skip(connection, W19, at(desk, W19, "approval"))
    assert waking(engine, desk, at(desk, W19, "approval")) == set()


def test_yesterdays_retention_is_told_until_todays_is_done(engine: Engine, desk: Settings, fail: Fail) -> None:
    yesterday = at(desk, W19, "snapshot")
    fail(str(yesterday.date()), "retention", yesterday)
    about = f"stage {yesterday.date()} retention"
    assert waking(engine, desk, yesterday) == {about}
    scheduler.do_days(engine, desk, lambda: yesterday + DAY)
    assert waking(engine, desk, yesterday + DAY) == set()
