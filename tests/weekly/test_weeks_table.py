"""The table of weeks: one holder at a time, taken over when it is dead or its lease has ended, and then refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from digest.database import reading, writing
from digest.errors import DeliveryError
from digest.weekly import store
from digest.weekly.calendar import Week, parse_week
from digest.weekly.due import WeekDone
from digest.weekly.store import LEASE, Lease, LostLeaseError

NOW = datetime(2026, 5, 4, 6, 0, tzinfo=UTC)
W19 = parse_week("2026-W19")
MINUTE = timedelta(minutes=1)
UTC_ZONE = ZoneInfo("UTC")


def nobody_is_dead(_claimant: str) -> bool:
    return False


@pytest.fixture
def claim(engine: Engine) -> Callable[..., Lease | None]:
    def claim(holder: str, now: datetime = NOW, *, asked: bool = False, dead: str = "") -> Lease | None:
        with writing(engine) as connection:
            return store.claim(connection, str(W19), "draft", holder, now, lambda one: one == dead, asked=asked)

    return claim


def test_a_stage_has_one_holder_until_its_lease_ends(claim: Callable[..., Lease | None]) -> None:
    first = claim("one")
    assert first == Lease(str(W19), "draft", 1)
    assert claim("two", NOW + LEASE - MINUTE) is None
    assert claim("two", NOW + LEASE) == Lease(str(W19), "draft", 2)


def test_the_stage_of_a_dead_process_is_taken_over_at_once(claim: Callable[..., Lease | None]) -> None:
    claim("one")
    assert claim("two", dead="someone else") is None
    assert claim("two", dead="one") == Lease(str(W19), "draft", 2)


def test_a_holder_that_was_overtaken_writes_nothing_any_more(
    engine: Engine, claim: Callable[..., Lease | None]
) -> None:
    slow = claim("slow")
    assert slow is not None
    claim("fast", NOW + LEASE)
    refused = pytest.raises(LostLeaseError, match="in other hands")
    with refused, writing(engine) as connection:
        store.hold(connection, slow, NOW)
    with refused, writing(engine) as connection:
        store.finish(connection, slow, NOW)
    with refused, writing(engine) as connection:
        store.leave_open(connection, slow, NOW, "", NOW)


def test_what_is_guarded_is_not_written_by_a_holder_that_was_overtaken(
    engine: Engine, claim: Callable[..., Lease | None]
) -> None:
    slow = claim("slow")
    assert slow is not None
    claim("fast", NOW + LEASE)

    def write(engine: Engine) -> None:
        with writing(engine) as connection:
            store.skip(connection, parse_week("2026-W20"), NOW)  # any write in the same transaction
            store.hold(connection, slow, NOW + LEASE)

    with pytest.raises(LostLeaseError):
        write(engine)
    with reading(engine) as connection:
        assert parse_week("2026-W20") not in store.read_done(connection, W19).weeks


def test_a_lease_that_is_renewed_lasts(engine: Engine, claim: Callable[..., Lease | None]) -> None:
    lease = claim("one")
    assert lease is not None
    with writing(engine) as connection:
        store.hold(connection, lease, NOW + 4 * MINUTE)
    assert claim("two", NOW + LEASE) is None


def test_a_lease_from_a_clock_that_ran_ahead_does_not_last_until_then(claim: Callable[..., Lease | None]) -> None:
    claim("one", NOW + timedelta(days=365))
    assert claim("two", NOW) == Lease(str(W19), "draft", 2)


def test_what_failed_is_tried_again_when_its_time_has_come(engine: Engine, claim: Callable[..., Lease | None]) -> None:
    lease = claim("one")
    assert lease is not None
    with writing(engine) as connection:
        store.leave_open(connection, lease, NOW, "the relay is away.", NOW + 5 * MINUTE)
    with reading(engine) as connection:
        (trouble,) = store.troubles(connection)
    assert (trouble.stage, trouble.said) == ("draft", "the relay is away.")
    assert claim("one", NOW + 4 * MINUTE) is None
    assert claim("one", NOW + 5 * MINUTE) == Lease(str(W19), "draft", 2, "the relay is away.")


def test_what_is_done_is_done_again_only_for_a_person(engine: Engine, claim: Callable[..., Lease | None]) -> None:
    lease = claim("one")
    assert lease is not None
    with writing(engine) as connection:
        store.finish(connection, lease, NOW)
    assert claim("two", NOW + timedelta(days=1)) is None
    assert claim("two", NOW + timedelta(days=1), asked=True) is not None
    with reading(engine) as connection:
        assert store.read_done(connection, W19).last_begun == NOW + timedelta(days=1)


def test_a_week_that_is_skipped_stops_who_is_at_it_and_can_be_taken_up_again(
    engine: Engine, claim: Callable[..., Lease | None]
) -> None:
    lease = claim("one")
    assert lease is not None
    with writing(engine) as connection:
        store.skip(connection, W19, NOW)
    with pytest.raises(LostLeaseError), writing(engine) as connection:
        store.finish(connection, lease, NOW)
    with reading(engine) as connection:
        assert store.read_done(connection, W19).weeks[W19].skipped
    with writing(engine) as connection:
        store.reopen(connection, W19, NOW)
    again = claim("two")
    assert again is not None
    assert again.fence > lease.fence + 1


def test_a_persons_word_undoes_what_a_clock_began_that_ran_ahead(engine: Engine) -> None:
    ahead = NOW + timedelta(days=365)
    begun = [(str(Week.now(ahead, UTC_ZONE)), "draft", ahead), ("2027-05-04", "retention", ahead)]
    begun += [(str(W19), "snapshot", NOW + timedelta(days=2)), ("2026-05-04", "retention", NOW)]
    with writing(engine) as connection:
        for period, stage, at in begun:
            lease = store.claim(connection, period, stage, "one", at, nobody_is_dead)  # type: ignore[arg-type]
            assert lease is not None
            store.finish(connection, lease, at)
        store.skip(connection, parse_week("2026-W30"), ahead)  # a person's word, too
        with pytest.raises(DeliveryError, match=r"something was done on 2027-05-04, which is yet to come"):
            store.heed_clock(connection, NOW)
        store.vouch(connection, UTC_ZONE, NOW)
        store.vouch(connection, UTC_ZONE, NOW + MINUTE)
        store.heed_clock(connection, NOW)
        done = store.read_done(connection, W19)
    assert done.weeks == {
        W19: WeekDone(frozenset({"snapshot"})),
        parse_week("2026-W30"): WeekDone(skipped=True),
    }
    assert (done.daily, done.last_begun) == ({"retention": NOW.date()}, NOW + MINUTE)


def test_after_a_long_silence_a_persons_word_is_heeded(engine: Engine, claim: Callable[..., Lease | None]) -> None:
    claim("one")
    late = NOW + timedelta(weeks=5)
    with writing(engine) as connection:
        with pytest.raises(DeliveryError, match="nothing was done by itself since 2026-05-04"):
            store.heed_clock(connection, late)
        store.vouch(connection, UTC_ZONE, late)
        store.heed_clock(connection, late)
        store.forget_days(connection, late.date() + timedelta(days=1))
        assert store.read_done(connection, W19).last_begun == NOW
