"""What follows from a reader's consent log."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.subscribers.consent import (
    KINDS,
    WORDINGS,
    Consent,
    ConsentEvent,
    Kind,
    Link,
    State,
    broken,
    chain,
    fold,
    hash_of,
    wording,
)

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
        (("confirmed", "complained"), "complained"),
        (("confirmed", "complained", "withdrawn"), "complained"),
        (("confirmed", "bounced"), "bounced"),
        (("confirmed", "withdrawn", "bounced"), "withdrawn"),
        (("requested", "expired"), "expired"),
        (("confirmed", "expired", "confirmed"), "confirmed"),
        (("withdrawn", "expired"), "withdrawn"),
        (("confirmed", "paused"), "confirmed"),
        (("confirmed", "changed"), "confirmed"),
        (("confirmed", "erased"), "erased"),
        (("confirmed", "erased", "requested", "confirmed"), "erased"),
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
    events = [ConsentEvent("confirmed", START, "form", country="DE"), ConsentEvent("withdrawn", START, "link")]
    assert fold(events).country == "DE"


def test_a_pause_ends_with_a_new_consent_and_with_leaving() -> None:
    paused = ConsentEvent("paused", START, "button", until=START + timedelta(weeks=4))
    assert fold([*log("confirmed"), paused]).paused_until == START + timedelta(weeks=4)
    for kind in ("confirmed", "withdrawn", "complained", "bounced"):
        assert fold([*log("confirmed"), paused, *log(kind)]).paused_until is None
    assert fold([*log("confirmed"), paused, replace(paused, until=None)]).paused_until is None


def test_a_consent_lapses_when_its_newest_confirmation_or_own_act_says() -> None:
    given_until, acted_until = START + timedelta(days=700), START + timedelta(days=1100)
    agreed = ConsentEvent("confirmed", START, "form", until=given_until)
    assert fold([agreed]).reconfirm_by == given_until
    assert fold([agreed, ConsentEvent("changed", START, "page", until=acted_until)]).reconfirm_by == acted_until
    assert fold([agreed, ConsentEvent("changed", START, "page")]).reconfirm_by == given_until
    assert fold([agreed, *log("withdrawn")]).reconfirm_by is None


def test_the_regime_is_that_of_the_newest_event_that_names_one() -> None:
    first = ConsentEvent("confirmed", START, "form", country="DE", derived="header", regime="DE")
    moved = ConsentEvent("changed", START, "page", country="KR", derived="declared", regime="KR")
    unknown = ConsentEvent("changed", START, "page", derived="unknown", regime="ZZ")
    assert (fold([first]).country, fold([first]).regime) == ("DE", "DE")
    assert (fold([first, moved]).country, fold([first, moved]).derived) == ("KR", "declared")
    assert (fold([first, unknown]).country, fold([first, unknown]).regime) == (None, "ZZ")
    assert Consent().regime == "ZZ"


moments = st.integers(0, 4 * 365 * 86400).map(lambda seconds: START + timedelta(seconds=seconds))
events = st.builds(
    ConsentEvent,
    kind=st.sampled_from(KINDS),
    at=moments,
    method=st.text(max_size=8),
    wording=st.text(max_size=8),
    country=st.none() | st.sampled_from(["DE", "KR"]),
    until=st.none() | moments,
)


@given(st.lists(events, max_size=8))
def test_a_chain_that_nobody_touched_holds(log: list[ConsentEvent]) -> None:
    links = chain(log)
    assert broken(links) is None
    assert [link.number for link in links] == list(range(1, len(log) + 1))
    for cut in range(len(log) + 1):
        assert chain(log[cut:], links[cut - 1] if cut else None) == links[cut:]


AGREED = ConsentEvent("confirmed", START, "form", "v1", "h", "DE", "header", "DE", "2026-11", START, "word")
FORGED = {"kind": "withdrawn", "at": START + timedelta(seconds=1), "until": None, "country": None}


@pytest.mark.parametrize("name", [one.name for one in fields(ConsentEvent)])
def test_every_changed_field_breaks_the_chain_there(name: str) -> None:
    links = chain([*log("requested"), AGREED, *log("changed")])
    changes: dict[str, Any] = {name: FORGED.get(name, "forged")}
    forged = Link(2, replace(AGREED, **changes), links[1].hash)
    assert broken([links[0], forged, links[2]]) == 2


@pytest.mark.parametrize(
    ("forge", "where"),
    [
        (lambda links: links[1:], 1),
        (lambda links: [links[0], *links[2:]], 2),
        (lambda links: [links[1], links[0], links[2]], 1),
        (lambda links: [*links, links[2]], 4),
        (lambda links: [*links[:2], replace(links[2], hash="0" * 64)], 3),
    ],
)
def test_missing_moved_and_repeated_links_break_the_chain(
    forge: Callable[[tuple[Link, ...]], list[Link]], where: int
) -> None:
    assert broken(forge(chain(log("requested", "confirmed", "changed")))) == where


def test_the_hash_does_not_depend_on_the_zone_that_a_moment_is_written_in() -> None:
    utc = ConsentEvent("confirmed", START, "form")
    berlin = replace(utc, at=START.astimezone(timezone(timedelta(hours=2))))
    assert chain([utc])[0].hash == chain([berlin])[0].hash


def test_wordings_that_were_shown_are_never_edited() -> None:
    hashes = {name: hash_of(text)[:12] for name, text in WORDINGS.items()}
    assert hashes == {"2026-11/en": "13cd94bfd74e", "2026-11/de": "0de77aace264"}


def test_a_reader_is_asked_in_their_language_or_where_it_has_no_wording_in_english() -> None:
    assert wording("fr") == wording("en")
    assert [wording(locale)[0][-3:] for locale in ("en", "de")] == ["/en", "/de"]
