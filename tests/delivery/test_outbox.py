"""The outbox's states, on both databases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.outgoing import some_outgoing

from digest.database import metadata, reading, writing
from digest.delivery import counting, outbox
from digest.delivery.outbox import Batch, Mailing, Settled
from digest.errors import DeliveryError

AddReaders = Callable[..., list[int]]
Queue = Callable[[], Mailing]
Rows = Callable[[str], list[dict[str, Any]]]
LEASE = timedelta(seconds=60)


@pytest.fixture
def claim(engine: Engine, now: datetime) -> Callable[..., Batch]:
    def claim(mailing: Mailing, claimant: str = "here:1:a", limit: int = 16, at: datetime = now) -> Batch:
        with writing(engine) as connection:
            return outbox.claim(connection, mailing, claimant, at, LEASE, limit, some_outgoing())

    return claim


def tally(engine: Engine, mailing: Mailing) -> dict[str, int]:
    """The states that occur; asserts that they add up to the frozen audience."""
    with reading(engine) as connection:
        counted = counting.tally(connection, mailing.id)
    assert sum(counted.values()) == mailing.audience
    return {state: count for state, count in counted.items() if count}


def test_the_audience_is_everyone_with_live_consent(
    engine: Engine, add_readers: AddReaders, queue: Queue, withdraw: Callable[[int], None]
) -> None:
    withdraw(add_readers(3)[1])
    mailing = queue()
    assert mailing.audience == 2
    assert tally(engine, mailing) == {"pending": 2}


def test_queueing_again_gives_the_same_mailing_and_no_new_reader(
    engine: Engine, add_readers: AddReaders, queue: Queue
) -> None:
    add_readers(2)
    first = queue()
    add_readers(0, "late@example.org")
    assert queue() == first
    assert tally(engine, first) == {"pending": 2}


def test_queueing_a_week_with_another_content_is_refused(engine: Engine, queue: Queue, now: datetime) -> None:
    queue()
    with writing(engine) as connection, pytest.raises(DeliveryError, match="2026-W18 was queued with another content"):
        outbox.queue(connection, some_outgoing(), "another hash", now)


def test_a_week_queued_by_many_at_once_is_queued_once(
    engine: Engine, add_readers: AddReaders, queue: Queue, rows: Rows
) -> None:
    add_readers(20)
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: queue(), range(8)))) == 1
    assert len(rows("delivery")) == 20


def test_claims_do_not_overlap(
    engine: Engine, add_readers: AddReaders, queue: Queue, claim: Callable[..., Batch]
) -> None:
    add_readers(100)
    mailing = queue()
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(lambda n: claim(mailing, f"here:{n}:a", 7), range(20)))
    taken = [one.id for batch in batches for one in batch.deliveries]
    assert len(taken) == len(set(taken)) == 100


def test_a_reader_who_left_after_queueing_is_skipped_with_the_reason(
    engine: Engine,
    add_readers: AddReaders,
    queue: Queue,
    withdraw: Callable[[int], None],
    claim: Callable[..., Batch],
    rows: Rows,
) -> None:
    leaver, stayer = add_readers(2)
    mailing = queue()
    withdraw(leaver)
    batch = claim(mailing)
    assert [one.subscriber.id for one in batch.deliveries] == [stayer]
    assert batch.dropped == 1
    (skipped,) = [row for row in rows("delivery") if row["subscriber_id"] == leaver]
    assert (skipped["state"], skipped["outcome"]) == ("skipped", "withdrawn")


def test_a_reader_who_left_after_the_claim_is_stopped_at_the_dot(
    engine: Engine,
    add_readers: AddReaders,
    queue: Queue,
    withdraw: Callable[[int], None],
    claim: Callable[..., Batch],
    now: datetime,
) -> None:
    (leaver,) = add_readers(1)
    (delivery,) = claim(queue()).deliveries
    withdraw(leaver)
    with writing(engine) as connection:
        assert not outbox.dot(connection, [delivery.id], "here:1:a", now, LEASE)


def test_who_lost_the_claim_may_not_hand_over_and_records_nothing(
    engine: Engine, add_readers: AddReaders, queue: Queue, claim: Callable[..., Batch], now: datetime
) -> None:
    add_readers(1)
    mailing = queue()
    (delivery,) = claim(mailing, "slow").deliveries
    later = now + LEASE
    with writing(engine) as connection:
        assert outbox.take_back(connection, mailing.id, (), later, repeatable=False) == 1
    claim(mailing, "quick", at=later)
    with writing(engine) as connection:
        assert not outbox.dot(connection, [delivery.id], "slow", later, LEASE)
        outbox.record(connection, "slow", [Settled(delivery.id, "failed", "no")], later)
        assert outbox.dot(connection, [delivery.id], "quick", later, LEASE)
    assert tally(engine, mailing) == {"dot": 1}


def test_a_lease_that_lasts_is_not_taken_over_unless_its_holder_is_dead(
    engine: Engine, add_readers: AddReaders, queue: Queue, claim: Callable[..., Batch], now: datetime
) -> None:
    add_readers(2)
    mailing = queue()
    claim(mailing, "living", 1)
    claim(mailing, "dead", 1)
    with writing(engine) as connection:
        assert outbox.claimants(connection, mailing.id) == {"living", "dead"}
        assert outbox.take_back(connection, mailing.id, {"dead"}, now, repeatable=False) == 1
        assert outbox.claimants(connection, mailing.id) == {"living"}


@pytest.mark.parametrize(("repeatable", "state"), [(True, "pending"), (False, "uncertain")])
def test_what_died_in_the_dot_is_held_unless_it_can_be_repeated(
    engine: Engine,
    add_readers: AddReaders,
    queue: Queue,
    claim: Callable[..., Batch],
    now: datetime,
    repeatable: bool,
    state: str,
) -> None:
    add_readers(1)
    mailing = queue()
    (delivery,) = claim(mailing, "dead").deliveries
    with writing(engine) as connection:
        assert outbox.dot(connection, [delivery.id], "dead", now, LEASE)
        outbox.take_back(connection, mailing.id, {"dead"}, now, repeatable=repeatable)
    assert tally(engine, mailing) == {state: 1}
    assert bool(claim(mailing, "next").deliveries) == repeatable


def test_who_sent_it_settles_what_was_given_up_as_uncertain(
    engine: Engine, add_readers: AddReaders, queue: Queue, claim: Callable[..., Batch], now: datetime
) -> None:
    add_readers(1)
    mailing = queue()
    (delivery,) = claim(mailing, "slow").deliveries
    with writing(engine) as connection:
        outbox.dot(connection, [delivery.id], "slow", now, LEASE)
        outbox.take_back(connection, mailing.id, (), now + LEASE, repeatable=False)
        outbox.record(connection, "slow", [Settled(delivery.id, "sent", "250 ok")], now + LEASE)
    assert tally(engine, mailing) == {"sent": 1}


def test_a_deferred_delivery_is_due_at_its_time_and_not_before(
    engine: Engine, add_readers: AddReaders, queue: Queue, claim: Callable[..., Batch], now: datetime
) -> None:
    add_readers(1)
    mailing = queue()
    (delivery,) = claim(mailing, "a").deliveries
    again = now + timedelta(minutes=5)
    with writing(engine) as connection:
        outbox.record(connection, "a", [Settled(delivery.id, "deferred", "450", now, again)], now)
    assert claim(mailing, "a", at=again - timedelta(seconds=1)).deliveries == ()
    (second,) = claim(mailing, "a", at=again).deliveries
    assert (second.id, second.attempts, second.deferred_since) == (delivery.id, 1, now)


def test_what_is_released_is_pending_again_and_what_was_handed_over_is_not(
    engine: Engine, add_readers: AddReaders, queue: Queue, claim: Callable[..., Batch], now: datetime
) -> None:
    add_readers(3)
    mailing = queue()
    first, *_ = claim(mailing, "a").deliveries
    with writing(engine) as connection:
        outbox.dot(connection, [first.id], "a", now, LEASE)
        outbox.release(connection, "a", now)
    assert tally(engine, mailing) == {"dot": 1, "pending": 2}


def test_an_erased_reader_is_skipped(
    engine: Engine, add_readers: AddReaders, queue: Queue, claim: Callable[..., Batch], rows: Rows
) -> None:
    add_readers(1)
    mailing = queue()
    with writing(engine) as connection:
        connection.execute(metadata.tables["subscriber"].delete())
    assert claim(mailing) == Batch((), 1)
    assert rows("delivery")[0]["outcome"] == "erased"
