"""Why a reader gets an edition or not, in words that a reader understands."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine
from tests.conftest import WEEK
from tests.membership.conftest import Add
from tests.outgoing import some_outgoing

from digest.config.settings import Settings
from digest.database import writing
from digest.delivery.outbox import Mailing
from digest.membership import listing
from digest.membership.explaining import Explained, explain
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent
from digest.subscribers.routing import Outgoing

Ask = Callable[..., Explained]


@pytest.fixture
def ask(engine: Engine, settings: Settings, now: datetime) -> Ask:
    def ask(
        email: str = "ann@example.org", edition: Outgoing | None = None, after: timedelta = timedelta()
    ) -> Explained:
        return explain(engine, settings, "ann@example.org", WEEK, edition, now + after)

    return ask


def test_nobody_is_said_to_be_nobody(ask: Ask) -> None:
    found = ask()
    assert (found.who, found.summary) == ("nobody", "No reader has this address.")
    assert found.next_step == "Sign-up is at https://digest.example/."


def test_an_erased_reader_is_said_to_be_erased(ask: Ask, engine: Engine, settings: Settings, add: Add) -> None:
    add()
    listing.erase(engine, settings, "ann@example.org", datetime.fromisoformat("2026-05-01T00:00:00Z"))
    found = ask()
    assert (found.who, found.state) == ("erased", "erased")
    assert found.consent[-1] == "1 May 2026, 00:00 UTC: was erased (erased by the operator)."


def test_events_are_told_in_order_with_the_words_that_were_agreed_to(ask: Ask, add: Add) -> None:
    add("ann@example.org", "withdrawn", wording="2026-11/en", country="KR")
    agreed, left = ask().consent
    assert agreed == (
        "2 Jan 2026, 03:04 UTC: agreed until 2 Jan 2028, 03:04 UTC (form), to the words "
        "“Yes, send me the weekly digest. I can withdraw at any time.”."
    )
    assert left == "4 May 2026, 09:00 UTC: left (a test)."


def test_the_region_and_its_duties_are_told_as_sentences(ask: Ask, add: Add) -> None:
    add(country="JP")
    found = ask(edition=some_outgoing(WEEK))
    assert found.country == "The country is JP: the import said so."
    assert found.rules[0] == "The rules of Japan apply."
    assert "In Japan an edition names a contact for complaints." in found.duties
    assert found.route == f"The edition of {WEEK} may go to this reader now: Full edition, all topics."


def test_where_there_is_no_edition_yet_that_is_said(ask: Ask, add: Add) -> None:
    add()
    found = ask()
    assert found.route == f"There is no edition of {WEEK} yet."
    assert found.next_step == "The next edition is looked at when it is approved and sent."


def test_a_pause_is_told_with_its_end(ask: Ask, add: Add, engine: Engine, now: datetime) -> None:
    number = add()
    with writing(engine) as connection:
        until = now + timedelta(weeks=4)
        store.append(connection, number, ConsentEvent("paused", now, "pause button", until=until))
    found = ask(edition=some_outgoing(WEEK))
    assert found.route.endswith("does not go to this reader. The reader asked for a pause.")
    assert found.next_step == "The next edition is looked at anew."


def test_a_delivery_is_told_with_what_became_of_it(ask: Ask, add: Add, queue: Callable[[], Mailing]) -> None:
    add()
    queue()
    found = ask(edition=some_outgoing(WEEK))
    assert found.deliveries == (f"Edition {WEEK}: waiting to be sent, 4 May 2026, 09:00 UTC.",)
    assert found.next_step == "`digest send` sends it."


@pytest.mark.parametrize(
    ("after", "next_step"),
    [
        (timedelta(hours=1), "The reader confirms by the link in the mail, which works until 6 May 2026, 09:00 UTC."),
        (timedelta(hours=49), "The link to confirm is over; the address goes after 3 Jun 2026, 09:00 UTC."),
    ],
)
def test_who_has_yet_to_confirm_is_told_until_when(
    ask: Ask, engine: Engine, now: datetime, after: timedelta, next_step: str
) -> None:
    with writing(engine) as connection:
        event = ConsentEvent("requested", now, "sign-up form")
        store.add(connection, [store.Newcomer("ann@example.org", "ann@example.org", event)], now)
    found = ask(edition=some_outgoing(WEEK), after=after)
    assert found.route.endswith("The request to sign up was not confirmed.")
    assert found.next_step == next_step


@pytest.mark.parametrize("left", ["withdrawn", "complained", "bounced"])
def test_who_left_gets_nothing_unless_they_agree_anew(ask: Ask, add: Add, left: str) -> None:
    add("ann@example.org", left)
    found = ask(edition=some_outgoing(WEEK))
    assert "does not go to this reader" in found.route
    assert found.duties == ()
    assert found.next_step == "Nothing is sent unless the reader agrees anew."
