"""What follows from a reader's consent log."""

from datetime import UTC, datetime, timedelta

import pytest

from digest.subscribers.consent import ConsentEvent, Kind, State, fold

START = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


def log(*kinds: Kind) -> list[ConsentEvent]:
    return [ConsentEvent(kind, START + timedelta(days=day), "form") for day, kind in enumerate(kinds)]


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        ((), "none"),
        (("requested",), "requested"),
        (("requested", "confirmed"), "confirmed"),
        (("confirmed",), "confirmed"),
        (("requested", "confirmed", "withdrawn"), "withdrawn"),
        (("confirmed", "withdrawn", "withdrawn"), "withdrawn"),
        (("confirmed", "withdrawn", "requested"), "requested"),
        (("confirmed", "withdrawn", "requested", "confirmed"), "confirmed"),
        (("requested", "withdrawn"), "withdrawn"),
    ],
)
def test_the_state_follows_from_the_log(kinds: tuple[Kind, ...], state: State) -> None:
    assert fold(log(*kinds)).state == state


def test_asking_again_does_not_end_a_consent_that_stands() -> None:
    consent = fold(log("requested", "confirmed", "requested"))
    assert consent.state == "confirmed"
    assert consent.requested_at == START + timedelta(days=2)
    assert consent.confirmed_at == START + timedelta(days=1)


def test_a_withdrawal_stands_even_when_the_clock_was_set_back() -> None:
    events = [ConsentEvent("confirmed", START, "form"), ConsentEvent("withdrawn", START - timedelta(hours=1), "link")]
    assert fold(events).state == "withdrawn"


def test_the_newest_known_country_is_kept() -> None:
    events = [ConsentEvent("confirmed", START, "form", "", "DE"), ConsentEvent("withdrawn", START, "link")]
    assert fold(events).country == "DE"
