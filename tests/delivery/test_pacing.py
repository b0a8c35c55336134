"""How fast a provider may be sent to."""

from datetime import UTC, datetime, timedelta

from digest.delivery import pacing
from digest.delivery.pacing import RELAY, Throttle, heed, is_closed, is_limited, rate, room, spend

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)


def closed(times: int = 1) -> Throttle:
    """A provider that has closed so many times, each time it was probed, as of its last closing."""
    throttle: Throttle | None = None
    at = NOW
    for _ in range(times):
        throttle = heed(throttle, "google", "pause", "RCPT: 421 4.7.28", at)
        assert throttle is not None
        assert throttle.closed_until is not None
        at = throttle.closed_until
    assert throttle is not None
    return throttle


def seconds(throttle: Throttle) -> float:
    assert throttle.closed_until is not None
    return (throttle.closed_until - throttle.changed_at).total_seconds()


def test_all_domains_of_a_provider_are_one_and_others_stand_for_themselves() -> None:
    assert {pacing.provider_of(domain) for domain in ("gmail.com", "googlemail.com")} == {"google"}
    assert pacing.provider_of("hotmail.co.uk") == pacing.provider_of("msn.com") == "microsoft"
    assert pacing.provider_of("aol.com") == pacing.provider_of("yahoo.de") == "yahoo"
    assert pacing.provider_of("yahoo.co.jp") != "yahoo"
    assert pacing.provider_of("example.org") not in (pacing.provider_of("example.net"), "example.org")


def test_no_domain_belongs_to_two_providers() -> None:
    every = [domain for domains in pacing.providers().values() for domain in domains]
    assert len(every) == len(set(every))
    assert all(domain == domain.lower() and domain.isascii() for domain in every)


def test_a_provider_that_has_had_enough_is_closed_for_longer_each_time_up_to_four_hours() -> None:
    assert [seconds(closed(times)) / 60 for times in (1, 2, 3, 6, 7, 20)] == [5, 10, 20, 160, 240, 240]


def test_what_was_on_its_way_when_a_provider_closed_closes_it_no_longer() -> None:
    assert heed(closed(), "google", "pause", "again", NOW + timedelta(seconds=20)) == closed()


def test_after_the_pause_one_message_is_tried_and_no_other_until_it_is_answered() -> None:
    throttle = closed()
    opens = NOW + timedelta(minutes=5)
    assert room(throttle, opens - timedelta(seconds=1), 16) == 0
    assert room(throttle, opens, 16) == 1
    probed = spend(throttle, opens, 1, LEASE)
    assert room(probed, opens + timedelta(seconds=59), 16) == 0
    assert room(probed, opens + LEASE, 16) == 1  # its sender died


def test_a_probe_that_is_answered_opens_the_provider_slowly() -> None:
    opens = NOW + timedelta(minutes=5)
    opened = heed(closed(), "google", "keep", "", opens)
    assert opened is not None
    assert not is_closed(opened, opens)
    assert rate(opened, opens) == 10
    assert opened.trips == 1  # another refusal soon closes it for longer


def test_too_fast_halves_the_rate_and_quiet_doubles_it_until_there_is_none() -> None:
    throttle = heed(None, "yahoo", "slow", "421", NOW)
    assert throttle is not None
    assert rate(throttle, NOW) == 10
    same = heed(throttle, "yahoo", "slow", "421", NOW + timedelta(seconds=1))
    assert same == throttle  # what was on its way together complains once
    slower = heed(throttle, "yahoo", "slow", "421", NOW + timedelta(seconds=30))
    assert slower is not None
    assert 5 < (rate(slower, slower.changed_at) or 0) < 6
    assert is_limited(slower, slower.changed_at + timedelta(minutes=35))
    assert not is_limited(slower, slower.changed_at + timedelta(minutes=40))


def test_a_provider_never_gets_less_than_a_message_in_ten_seconds() -> None:
    throttle: Throttle | None = None
    for minute in range(60):
        throttle = heed(throttle, "yahoo", "slow", "421", NOW + timedelta(seconds=20 * minute))
    assert throttle is not None
    assert throttle.per_second == 0.1


def test_a_rate_is_kept_over_time_whatever_the_size_of_the_batches() -> None:
    for most in (1, 3, 16):
        throttle, taken = Throttle(RELAY, NOW), 0
        for step in range(1000):
            now = NOW + timedelta(milliseconds=100 * step)
            count = room(throttle, now, most, 20.0)
            throttle = spend(throttle, now, count, LEASE, 20.0)
            taken += count
        assert taken <= 20 * 100 + 20 + most
        assert taken >= min(20, 10 * most) * 100 * 0.99


def test_a_warm_up_plan_allows_more_each_day_and_then_any_number() -> None:
    days = [pacing.allowed_today([50, 200], NOW.date(), NOW + timedelta(days=day)) for day in range(3)]
    assert days == [50, 200, None]
