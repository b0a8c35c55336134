"""Uncertain deliveries: listed without an address, settled by a log or a word, never sent again by themselves."""

import json
from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import Engine
from tests.delivery.provider_requests import READER, mailgun, postmark_bounce
from tests.delivery.returns import consent, delivery, mailed
from tests.outgoing import some_contents

from digest.config.settings import Settings
from digest.delivery import reconciling, sending
from digest.delivery.bounces import verp
from digest.delivery.outbox import Mailing
from digest.edition.rendered import Rendered

AddReaders = Callable[..., list[int]]
KEYS = [b"0123456789abcdef0123456789abcdef"]
MONTH = "May  4 09:00:0"


def postfix(message_id: str, *rest: str, queue_id: str = "4YzX0m3pQvz9rs") -> list[str]:
    """A message's lines in Postfix's log: its Message-ID, that it is whole, and what else is given."""
    lines = [
        f"postfix/smtpd[811]: {queue_id}: client=localhost[127.0.0.1]",
        f"postfix/cleanup[812]: {queue_id}: message-id=<{message_id}>",
        f"postfix/qmgr[700]: {queue_id}: from=<news@digest.example>, size=2345, nrcpt=1 (queue active)",
        *(f"postfix/smtp[813]: {queue_id}: {one}" for one in rest),
    ]
    return [f"{MONTH}{second} relay {line}\n" for second, line in enumerate(lines)]


def status(word: str, dsn: str, said: str) -> str:
    return f"to=<r0@example.org>, relay=mx.example.org[192.0.2.1]:25, delay=0.3, dsn={dsn}, status={word} ({said})"


SENT = status("sent", "2.0.0", "250 2.0.0 Ok: queued as 3F2A")
DEFERRED = status("deferred", "4.4.1", "connect to mx.example.org[192.0.2.1]:25: Connection timed out")
NO_USER = status("bounced", "5.1.1", "host mx.example.org[192.0.2.1] said: 550 5.1.1 <r0@example.org>: unknown user")


def settle(engine: Engine, settings: Settings, now: datetime, lines: list[str]) -> int:
    found = reconciling.uncertain(engine, settings)
    return reconciling.by_log(engine, settings, lines, found, now)


@pytest.fixture
def doubtful(engine: Engine, add_readers: AddReaders, now: datetime) -> tuple[Mailing, int]:
    (reader,) = add_readers(1)
    return mailed(engine, "2026-W18", now, "uncertain"), reader


def test_each_is_listed_under_the_message_id_that_its_mail_bears(
    engine: Engine, settings: Settings, rendered: Rendered, add_readers: AddReaders, now: datetime
) -> None:
    add_readers(2)
    mailing = mailed(engine, "2026-W18", now, "pending")
    transport = sending.transport_of(settings)
    sending.drain(engine, settings, mailing, some_contents(rendered, settings), transport, lambda: now)
    mails = b"".join(path.read_bytes() for path in (settings.delivery.maildir / "new").iterdir())
    mailed(engine, "2026-W18", now, "uncertain")
    found = reconciling.uncertain(engine, settings, "2026-W18")
    assert len(found) == 2
    assert all(f"Message-ID: <{one.message_id}>".encode() in mails for one in found)
    assert "example.org" not in repr(found)
    assert reconciling.uncertain(engine, settings, "2026-W17") == []


@pytest.mark.parametrize(
    ("rest", "state", "reader_state"),
    [
        ((SENT,), "sent", "confirmed"),
        ((DEFERRED,), "sent", "confirmed"),  # the relay has it, and tries on
        ((), "sent", "confirmed"),
        ((DEFERRED, NO_USER), "failed", "bounced"),
        ((SENT, NO_USER), "failed", "bounced"),
        (("from=<news@digest.example>, status=expired, returned to sender",), "failed", "confirmed"),
    ],
)
def test_postfixs_log_settles_it(
    engine: Engine,
    settings: Settings,
    now: datetime,
    doubtful: tuple[Mailing, int],
    rest: tuple[str, ...],
    state: str,
    reader_state: str,
) -> None:
    (one,) = reconciling.uncertain(engine, settings)
    assert settle(engine, settings, now, postfix(one.message_id, *rest)) == 1
    row = delivery(engine, *doubtful)
    assert row["state"] == state
    assert "r0" not in row["outcome"]
    assert "192.0.2.1" not in row["outcome"]
    assert consent(engine, doubtful[1]).state == reader_state
    assert reconciling.uncertain(engine, settings) == []


def test_a_message_that_the_relay_never_had_whole_stays_uncertain(
    engine: Engine, settings: Settings, now: datetime, doubtful: tuple[Mailing, int]
) -> None:
    (one,) = reconciling.uncertain(engine, settings)
    begun = postfix(one.message_id)[:2]
    others = postfix("0" * 32 + "@digest.example", SENT)  # the queue's id is used again
    assert settle(engine, settings, now, [*begun, *others]) == 0
    assert settle(engine, settings, now, [*postfix("f" * 32 + "@x", NO_USER), "no line\n", "{}", "[{", "\x00"]) == 0
    assert delivery(engine, *doubtful)["state"] == "uncertain"


def test_a_providers_events_in_a_file_settle_it_by_message_id_or_by_token(
    engine: Engine, settings: Settings, add_readers: AddReaders, now: datetime
) -> None:
    first, second, third = add_readers(3)
    mailing = mailed(engine, "2026-W18", now, "uncertain")
    ids = {one.subscriber_id: one.message_id for one in reconciling.uncertain(engine, settings)}
    by_id = json.loads(mailgun("delivered").body)["event-data"]
    by_id |= {"user-variables": {}, "message": {"headers": {"message-id": ids[first]}}}
    by_token = json.loads(postmark_bounce("HardBounce").body)
    by_token |= {"Metadata": {"delivery": verp.sign(mailing.id, second, KEYS)}, "Email": READER}
    assert settle(engine, settings, now, [json.dumps(by_id), json.dumps(by_token)]) == 2
    assert [delivery(engine, mailing, one)["state"] for one in (first, second, third)] == [
        "sent",
        "failed",
        "uncertain",
    ]


def test_a_person_says_sent(engine: Engine, settings: Settings, now: datetime, doubtful: tuple[Mailing, int]) -> None:
    assert reconciling.by_word(engine, reconciling.uncertain(engine, settings), "sent", now) == 1
    assert delivery(engine, *doubtful)["state"] == "sent"


def test_a_person_says_not_sent_and_it_goes_again_under_the_same_message_id(
    engine: Engine,
    settings: Settings,
    rendered: Rendered,
    now: datetime,
    doubtful: tuple[Mailing, int],
) -> None:
    contents, transport = some_contents(rendered, settings), sending.transport_of(settings)
    (one,) = reconciling.uncertain(engine, settings)
    sending.drain(engine, settings, doubtful[0], contents, transport, lambda: now)
    assert not list(settings.delivery.maildir.glob("new/*"))  # not by itself
    assert reconciling.by_word(engine, [one], "not sent", now) == 1
    sending.drain(engine, settings, doubtful[0], contents, transport, lambda: now)
    (mail,) = settings.delivery.maildir.glob("new/*")
    assert f"Message-ID: <{one.message_id}>".encode() in mail.read_bytes()


def test_what_was_settled_meanwhile_is_not_sent_again(
    engine: Engine, settings: Settings, now: datetime, doubtful: tuple[Mailing, int]
) -> None:
    found = reconciling.uncertain(engine, settings)
    reconciling.by_word(engine, found, "sent", now)
    assert reconciling.by_word(engine, found, "not sent", now) == 0
    assert delivery(engine, *doubtful)["state"] == "sent"
