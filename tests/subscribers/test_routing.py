"""What becomes of an edition for one reader."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.outgoing import some_outgoing

from digest.edition.renditions import Rendition
from digest.edition.watch_facts import Threshold, WatchList
from digest.subscribers.consent import Consent, State
from digest.subscribers.routing import REASONS, Deliver, Hold, Skip, keep_asked, route
from digest.subscribers.store import Subscriber

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
SOON, LATER = NOW + timedelta(days=1), NOW + timedelta(days=28)


def a_reader(state: State = "confirmed", regime: str = "DE", **changes: Any) -> Subscriber:
    """A reader with live consent in Germany; give facts of the consent or of the reader to change them."""
    own = {name: changes.pop(name) for name in ("topics", "format", "quiet_weeks", "watch") if name in changes}
    consent = Consent(state=state, confirmed_at=NOW - timedelta(days=30), country=regime, regime=regime, **changes)
    return Subscriber(7, "ann@example.org", "ann@example.org", consent, "en", own.pop("topics", ()), **own)


def test_who_agreed_gets_their_rendition_with_the_duties_of_their_region() -> None:
    there = route(a_reader(topics=("prices",), format="short"), some_outgoing(), NOW)
    assert isinstance(there, Deliver)
    assert there.rendition == Rendition("en", ("prices",), "short", "DE")
    assert [duty.kind for duty in there.duties] == ["identity", "address", "unsubscribe"]


def test_a_label_is_a_duty_only_where_the_series_advertises() -> None:
    for commercial in (True, False):
        there = route(a_reader(regime="KR"), some_outgoing(commercial=commercial), NOW)
        assert isinstance(there, Deliver)
        assert ("label" in [duty.kind for duty in there.duties]) is commercial


@pytest.mark.parametrize("state", ["none", "requested", "withdrawn", "complained", "bounced", "expired", "erased"])
def test_without_live_consent_nothing_is_sent(state: State) -> None:
    assert route(a_reader(state), some_outgoing(), NOW) == Skip(state)  # type: ignore[arg-type]  # the same words


def test_a_consent_that_has_lapsed_is_not_used() -> None:
    assert route(a_reader(reconfirm_by=NOW), some_outgoing(), NOW) == Skip("reconfirmation_due")
    assert isinstance(route(a_reader(reconfirm_by=NOW + timedelta(seconds=1)), some_outgoing(), NOW), Deliver)


def test_a_reader_who_has_a_later_edition_gets_no_earlier_one() -> None:
    assert route(a_reader(), some_outgoing(), NOW, newer_sent=True) == Skip("newer_sent")


def test_a_pause_holds_an_edition_while_it_is_news_and_skips_it_afterwards() -> None:
    assert route(a_reader(paused_until=SOON), some_outgoing(), NOW) == Hold(SOON, "paused")
    assert route(a_reader(paused_until=LATER), some_outgoing(), NOW) == Skip("paused")
    assert isinstance(route(a_reader(paused_until=NOW), some_outgoing(), NOW), Deliver)


@pytest.mark.parametrize(
    ("watch", "delivered"),
    [
        (WatchList(), False),
        (WatchList(models=("gpt-5.5",)), True),
        (WatchList(models=("gpt-5.4",)), False),
        (WatchList(categories=("Agentic Coding",)), True),
        (WatchList(providers=("OpenAI",)), False),
        (WatchList(thresholds=(Threshold(category="agentic coding", at_least=80, under=1),)), True),
    ],
)
def test_in_a_quiet_week_who_wants_no_mail_gets_it_only_for_what_they_follow(watch: WatchList, delivered: bool) -> None:
    quiet = some_outgoing(quiet=True, stirred=frozenset({"model gpt-5.5", "category agentic coding"}))
    there = route(a_reader(quiet_weeks="skip", watch=watch), quiet, NOW)
    assert isinstance(there, Deliver) if delivered else there == Skip("quiet_week")
    assert isinstance(route(a_reader(quiet_weeks="note", watch=watch), quiet, NOW), Deliver)
    assert isinstance(route(a_reader(quiet_weeks="skip", watch=watch), some_outgoing(), NOW), Deliver)


@pytest.mark.parametrize(
    ("at", "regime", "until"),
    [
        ("2026-05-04T09:00+00:00", "KR", None),  # 18:00 in Seoul
        ("2026-05-04T12:00+00:00", "KR", "2026-05-04T23:00+00:00"),  # 21:00, until 8:00
        ("2026-05-03T22:00+00:00", "KR", "2026-05-03T23:00+00:00"),  # 7:00, until 8:00
        ("2026-05-04T12:00+00:00", "DE", None),
        ("2026-05-04T05:30+00:00", "ZZ", "2026-05-04T08:00+00:00"),  # the series' zone
        ("2026-10-24T22:30+00:00", "DE", "2026-10-25T07:00+00:00"),  # the night in which clocks go back
    ],
)
def test_nobody_is_mailed_outside_the_hours_of_their_own_day(at: str, regime: str, until: str | None) -> None:
    moment = datetime.fromisoformat(at)
    edition = some_outgoing(from_hour=8, until_hour=20, closes_at=moment + timedelta(days=3))
    there = route(a_reader(regime=regime), edition, moment)
    assert isinstance(there, Deliver) if until is None else there == Hold(datetime.fromisoformat(until), "night")


def test_a_regime_that_is_not_known_is_treated_as_the_strictest() -> None:
    there = route(a_reader(regime="QQ"), some_outgoing(), NOW)
    assert isinstance(there, Deliver)
    assert there.rendition.regime == "ZZ"


def test_who_is_asked_to_keep_a_consent() -> None:
    assert keep_asked(a_reader(), NOW) is None
    assert keep_asked(a_reader(reconfirm_by=SOON), NOW) == SOON
    assert keep_asked(a_reader(reconfirm_by=NOW), NOW) is None
    assert keep_asked(a_reader(reconfirm_by=NOW + timedelta(days=61)), NOW) is None


def test_every_reason_is_a_sentence() -> None:
    assert all(text[0].isupper() and text.endswith(".") for text in REASONS.values())
