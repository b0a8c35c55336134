"""What follows from what came back: for the delivery, and for the reader's consent."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import get_args

import pytest
from sqlalchemy import Engine
from tests.delivery.relay import relay
from tests.delivery.returns import consent, delivery, events, mailed, settle
from tests.outgoing import some_contents

from digest.config.settings import Settings
from digest.database import writing
from digest.delivery.bounces import verp
from digest.delivery.consequences import IN_A_ROW, News, of_replies, take
from digest.delivery.outbox import Mailing
from digest.delivery.outcomes import Outcome
from digest.delivery.reasons import CONSEQUENCES, Reason
from digest.delivery.sending import drain
from digest.delivery.transports import Advance, Envelope
from digest.delivery.transports.maildir import Maildir
from digest.delivery.transports.smtp import Smtp
from digest.edition.rendered import Rendered
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent

AddReaders = Callable[..., list[int]]
WEEKS = ("2026-W18", "2026-W19", "2026-W20", "2026-W21")


def happened(engine: Engine, now: datetime, news: News) -> bool:
    with writing(engine) as connection:
        return take(connection, news, now)


def failed(mailing: Mailing, reader: int, reason: Reason = "no_such_mailbox") -> News:
    return News("failed", reader, mailing.id, "returned mail", reason, "550 5.1.1 (address) unknown")


def test_a_dead_mailbox_ends_the_consent_and_the_delivery_that_was_sent_has_failed(
    engine: Engine, add_readers: AddReaders, now: datetime
) -> None:
    dead, other = add_readers(2)
    mailing = mailed(engine, WEEKS[0], now)
    assert happened(engine, now, failed(mailing, dead))
    assert events(engine, dead) == [("bounced", "returned mail", "no_such_mailbox")]
    assert (consent(engine, dead).state, consent(engine, other).state) == ("bounced", "confirmed")
    row = delivery(engine, mailing, dead)
    assert (row["state"], row["reason"]) == ("failed", "no_such_mailbox")
    assert row["outcome"] == "returned mail: 550 5.1.1 (address) unknown"
    assert delivery(engine, mailing, other)["state"] == "sent"


def test_the_same_news_twice_is_one_event(engine: Engine, add_readers: AddReaders, now: datetime) -> None:
    (dead,) = add_readers(1)
    mailing = mailed(engine, WEEKS[0], now)
    assert [happened(engine, now, failed(mailing, dead)) for _ in range(3)] == [True, False, False]
    assert len(events(engine, dead)) == 1


def test_a_full_mailbox_ends_the_consent_only_after_several_editions_in_a_row(
    engine: Engine, add_readers: AddReaders, now: datetime
) -> None:
    (full,) = add_readers(1)
    ended = []
    for week in range(IN_A_ROW):
        mailing = mailed(engine, WEEKS[week], now + timedelta(weeks=week))
        ended.append(happened(engine, now + timedelta(weeks=week), failed(mailing, full, "mailbox_full")))
    assert ended == [False] * (IN_A_ROW - 1) + [True]
    assert events(engine, full) == [("bounced", "returned mail", "mailbox_full")]


@pytest.mark.parametrize("between", [{"state": "sent"}, {"state": "failed", "reason": "blocked_policy"}])
def test_an_edition_that_arrived_or_failed_for_our_fault_breaks_the_row(
    engine: Engine, add_readers: AddReaders, now: datetime, between: dict[str, str]
) -> None:
    (full,) = add_readers(1)
    for week in range(4):
        at = now + timedelta(weeks=week)
        mailing = mailed(engine, WEEKS[week], at)
        if week == 1:
            settle(engine, mailing, full, **between)
        else:
            assert not happened(engine, at, failed(mailing, full, "mailbox_full"))
    assert consent(engine, full).state == "confirmed"


NEVER = [reason for reason in get_args(Reason) if CONSEQUENCES[reason].suppress == "never"]


@pytest.mark.parametrize("reason", NEVER)
def test_what_is_not_the_readers_fault_suppresses_nobody_however_often(
    engine: Engine, add_readers: AddReaders, now: datetime, reason: Reason
) -> None:
    (reader,) = add_readers(1)
    for week in range(4):
        mailing = mailed(engine, WEEKS[week], now + timedelta(weeks=week))
        assert not happened(engine, now + timedelta(weeks=week), failed(mailing, reader, reason))
    assert consent(engine, reader).state == "confirmed"


@pytest.mark.parametrize("reason", ["temporary", "unreadable"])
def test_a_mail_that_is_only_late_is_still_sent(
    engine: Engine, add_readers: AddReaders, now: datetime, reason: Reason
) -> None:
    (reader,) = add_readers(1)
    mailing = mailed(engine, WEEKS[0], now)
    happened(engine, now, failed(mailing, reader, reason))
    assert delivery(engine, mailing, reader)["state"] == "sent"


def test_a_complaint_ends_the_consent_and_shows_that_an_uncertain_mail_arrived(
    engine: Engine, add_readers: AddReaders, now: datetime
) -> None:
    (angry,) = add_readers(1)
    mailing = mailed(engine, WEEKS[0], now, "uncertain")
    assert happened(engine, now, News("complained", angry, mailing.id, "postmark event"))
    assert consent(engine, angry).state == "complained"
    assert delivery(engine, mailing, angry)["state"] == "sent"


def test_who_left_by_a_providers_link_has_withdrawn(engine: Engine, add_readers: AddReaders, now: datetime) -> None:
    (leaver,) = add_readers(1)
    assert happened(engine, now, News("unsubscribed", leaver, None, "mailgun event"))
    assert events(engine, leaver) == [("withdrawn", "mailgun event", "")]


@pytest.mark.parametrize(("what", "state"), [("delivered", "sent"), ("failed", "failed")])
def test_an_uncertain_delivery_is_settled_by_what_comes_back(
    engine: Engine, add_readers: AddReaders, now: datetime, what: str, state: str
) -> None:
    (reader,) = add_readers(1)
    mailing = mailed(engine, WEEKS[0], now, "uncertain")
    reason: Reason | None = "mailbox_full" if what == "failed" else None
    happened(engine, now, News(what, reader, mailing.id, "mailgun event", reason))  # type: ignore[arg-type]
    assert delivery(engine, mailing, reader)["state"] == state


def test_a_bounce_of_a_mail_from_before_the_reader_came_back_ends_nothing(
    engine: Engine, add_readers: AddReaders, now: datetime
) -> None:
    (reader,) = add_readers(1)
    mailing = mailed(engine, WEEKS[0], now)
    later = now + timedelta(days=2)
    with writing(engine) as connection:
        store.append(connection, reader, ConsentEvent("withdrawn", later, "link"))
        store.append(connection, reader, ConsentEvent("confirmed", later, "confirmation link"))
    assert not happened(engine, later, failed(mailing, reader))
    assert consent(engine, reader).state == "confirmed"


def test_nothing_follows_for_who_was_erased(engine: Engine, add_readers: AddReaders, now: datetime) -> None:
    (reader,) = add_readers(1)
    mailing = mailed(engine, WEEKS[0], now)
    with writing(engine) as connection:
        store.erase(connection, reader, ConsentEvent("erased", now, "wish"), [b"k" * 32])
    for what in ("complained", "unsubscribed"):
        assert not happened(engine, now, News(what, reader, mailing.id, "event"))
    assert not happened(engine, now, failed(mailing, reader))


def test_what_the_relay_refuses_has_the_same_effect_as_what_it_returns(
    engine: Engine, add_readers: AddReaders, now: datetime
) -> None:
    dead, blocked, waits = add_readers(3)
    mailing = mailed(engine, WEEKS[0], now, "failed")
    settle(engine, mailing, waits, state="deferred")
    with writing(engine) as connection:
        reasons: dict[int, Reason] = {dead: "no_such_mailbox", blocked: "blocked_policy", waits: "no_such_mailbox"}
        of_replies(connection, mailing.id, reasons, now)
    assert [consent(engine, one).state for one in (dead, blocked, waits)] == ["bounced", "confirmed", "confirmed"]
    assert [delivery(engine, mailing, one)["reason"] for one in (dead, blocked, waits)] == [
        "no_such_mailbox",
        "blocked_policy",
        "",
    ]


def test_a_dead_mailbox_that_the_relay_knows_of_ends_the_consent_while_others_get_their_mail(
    engine: Engine, settings: Settings, rendered: Rendered, add_readers: AddReaders, now: datetime
) -> None:
    gone, policy, fine = add_readers(0, "unknown@example.org", "busy@example.org", "ann@example.org")
    mailing = mailed(engine, WEEKS[0], now, "pending")
    with relay() as server:
        transport = Smtp(settings.smtp.model_copy(update={"host": "127.0.0.1", "port": server.port, "tls": "none"}))
        drain(engine, settings, mailing, some_contents(rendered, settings), transport, lambda: now)
    assert server.recipients == ["ann@example.org"]
    assert events(engine, gone) == [("bounced", "refused by the relay", "no_such_mailbox")]
    assert [consent(engine, one).state for one in (policy, fine)] == ["confirmed", "confirmed"]
    assert delivery(engine, mailing, gone)["reason"] == "no_such_mailbox"


def test_each_mail_goes_out_with_a_return_path_of_its_own_that_names_no_reader(
    engine: Engine, settings: Settings, rendered: Rendered, add_readers: AddReaders, now: datetime
) -> None:
    readers = add_readers(3)
    mailing = mailed(engine, WEEKS[0], now, "pending")
    chosen = settings.model_copy(
        update={"mail": settings.mail.model_copy(update={"bounce_address": "bounce@digest.example"})}
    )
    senders: list[str] = []

    class Noted(Maildir):
        def carry(self, batch: Sequence[Envelope], advance: Advance, done: list[tuple[int, Outcome]]) -> None:
            senders.extend(one.sender for one in batch)
            super().carry(batch, advance, done)

    transport = Noted(settings.delivery.maildir)
    drain(engine, chosen, mailing, some_contents(rendered, chosen), transport, lambda: now)
    keys = [b"0123456789abcdef0123456789abcdef"]
    assert {verp.find(sender.encode(), keys) for sender in senders} == {(mailing.id, one) for one in readers}
    assert all(re.fullmatch(r"bounce\+[0-9a-f]{48}@digest\.example", sender) for sender in senders)
