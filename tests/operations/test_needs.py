"""What needs a person: what is counted against what, and a sentence that says what to do."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine, text
from tests.outgoing import some_outgoing

from digest.config.sections import Approval
from digest.config.settings import Settings
from digest.database import writing
from digest.delivery import outbox
from digest.delivery import store as deliveries
from digest.delivery.outbox import Mailing
from digest.operations.needs import Need, of_complaints, of_deliveries, of_edition
from digest.operations.status import read_status
from digest.weekly.due import WeekDone


@pytest.mark.parametrize(
    ("complained", "sent", "told"),
    [(1, 400_100, False), (150, 400_000, False), (400, 400_000, False), (401, 400_000, True), (6_000, 0, False)],
)
def test_complaints_are_told_from_one_in_a_thousand_of_all_that_was_sent(
    complained: int, sent: int, *, told: bool
) -> None:
    assert bool(list(of_complaints(complained, sent))) == told


def test_complaints_count_against_the_mails_of_the_same_days_whatever_is_being_sent(
    engine: Engine,
    settings: Settings,
    add_readers: Callable[[int], list[int]],
    queue: Callable[[], Mailing],
    now: datetime,
) -> None:
    add_readers(1001)
    queue()
    become(engine, "sent")

    def told(at: datetime) -> list[str]:
        return [need.said for need in read_status(engine, settings, at).needs if need.about == "complaints"]

    complain(engine, now.date(), 1)
    assert told(now) == []
    with writing(engine) as connection:  # the next edition has just begun
        outbox.queue(connection, some_outgoing("2026-W19"), "x", now + timedelta(days=7))
    assert told(now + timedelta(days=7)) == []
    complain(engine, now.date(), 1)
    (said,) = told(now + timedelta(days=7))
    assert said.startswith("2 complaints of 1,001 mails in 30 days; from 0.1 % on large providers refuse")
    assert "digest pause" in said
    assert told(now + timedelta(days=31)) == []


def become(engine: Engine, state: outbox.State) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE delivery SET state = :state, next_attempt_at = NULL"), {"state": state})


def complain(engine: Engine, day: date, count: int) -> None:
    with writing(engine) as connection:
        deliveries.count(connection, day, {"complained": count})


APPROVED = WeekDone(approved_at=datetime.fromisoformat("2026-05-04T08:00:00+00:00"))
HELD = WeekDone(frozenset({"approval"}))


@pytest.mark.parametrize(
    ("known", "approval", "wakes"),
    [
        (WeekDone(), Approval(), True),
        (WeekDone(), Approval(required=False), None),
        (WeekDone(), Approval(at_deadline="send_if_checked"), False),
        (HELD, Approval(required=False), True),
        (HELD, Approval(at_deadline="send_if_checked"), True),
        (APPROVED, Approval(), None),
        (WeekDone(skipped=True), Approval(), None),
    ],
)
def test_a_draft_waits_for_approval_where_no_deadline_gives_it(
    known: WeekDone, approval: Approval, wakes: bool | None
) -> None:
    said = "the edition of 2026-W19 waits for approval: digest approve 2026-W19, or digest skip 2026-W19"
    expected = [] if wakes is None else [Need("approval 2026-W19", said, wakes)]
    assert list(of_edition("2026-W19", known, approval)) == expected


@pytest.mark.parametrize("returned", [{"unproven": 2}, {"unreadable": 1, "unproven": 1}])
def test_returned_mail_that_nobody_understood_says_where_it_is(returned: Mapping[deliveries.Came, int]) -> None:
    (need,) = of_deliveries({}, returned)
    assert need.said.startswith("2 returned mails of the last 30 days could not be taken in: read what is flagged")
