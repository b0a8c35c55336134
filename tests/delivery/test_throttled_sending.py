"""What providers say of our speed is heeded by every sender, and a person's word is too."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.delivery.relay import ANSWERS, Relay, relay
from tests.outgoing import some_contents, some_outgoing

from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery import control, counting, outbox, pacing, sending, throttles
from digest.delivery.outbox import Mailing, State
from digest.delivery.pacing import Throttle
from digest.edition.rendered import Rendered
from digest.errors import DeliveryError

AddReaders = Callable[..., list[int]]
Queue = Callable[[], Mailing]
Rows = Callable[[str], list[dict[str, Any]]]
Drain = Callable[..., dict[State, int]]
SOME_HOURS = timedelta(hours=5)


@pytest.fixture
def server() -> Iterator[Relay]:
    with relay() as made:
        yield made


@pytest.fixture
def drain(engine: Engine, settings: Settings, rendered: Rendered, server: Relay, now: datetime) -> Drain:
    """Drains a mailing to the relay at a moment, the clock standing still but for naps; the states that occur."""

    def drain(mailing: Mailing, at: datetime = now, **delivery: Any) -> dict[State, int]:
        changed = {
            "smtp": settings.smtp.model_copy(update={"host": "127.0.0.1", "port": server.port, "tls": "none"}),
            "delivery": settings.delivery.model_copy(update={"transport": "smtp", **delivery}),
        }
        chosen = settings.model_copy(update=changed)
        moment = [at]

        def nap(seconds: float) -> None:
            moment[0] += timedelta(seconds=seconds)

        contents = some_contents(rendered, chosen)
        transport = sending.transport_of(chosen)
        counted = sending.drain(engine, chosen, mailing, contents, transport, lambda: moment[0], sleep=nap)
        assert sum(counted.values()) == mailing.audience
        drain.ended = moment[0]  # type: ignore[attr-defined]
        return {state: count for state, count in counted.items() if count}

    return drain


def standing(engine: Engine) -> dict[str, Throttle]:
    with reading(engine) as connection:
        return throttles.read(connection)


def mailboxes(*domains: str, each: int = 10) -> list[str]:
    return [f"r{number}@{domain}" for number in range(each) for domain in domains]


def test_a_provider_that_has_had_enough_is_left_alone_and_the_others_get_theirs(
    engine: Engine,
    add_readers: AddReaders,
    queue: Queue,
    drain: Drain,
    server: Relay,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    too_fast = [f"toofast+{number}@{domain}" for number in range(10) for domain in ("gmail.com", "googlemail.com")]
    add_readers(0, *too_fast, *mailboxes("example.org", "orange.fr"))
    mailing = queue()
    counted = drain(mailing)
    closed = standing(engine)["google"]
    assert closed.closed_until == now + timedelta(minutes=5)
    assert closed.said == "RCPT: 421 4.7.28 too much mail from you"
    assert {name for name in server.recipients if name.endswith(("@example.org", "@orange.fr"))} == set(
        mailboxes("example.org", "orange.fr")
    )
    # Only what was on its way to Google with the first refusal was refused; the rest waits, untouched.
    assert counted == {"sent": 20, "deferred": counted["deferred"], "pending": 20 - counted["deferred"]}
    assert counted["deferred"] <= 8
    assert drain(mailing, now + timedelta(minutes=4)) == counted
    monkeypatch.delitem(ANSWERS, "toofast")
    later = drain(mailing, now + SOME_HOURS)  # one is tried first; those that were refused wait a minute more for it
    assert counted["deferred"] - 1 <= later["deferred"] <= counted["deferred"]  # the one was among them, or was not
    assert later["sent"] + later["deferred"] == 40
    assert drain(mailing, now + SOME_HOURS + timedelta(minutes=3)) == {"sent": 40}


def test_an_ended_pause_lets_one_message_through_and_its_refusal_closes_for_longer(
    engine: Engine, add_readers: AddReaders, queue: Queue, drain: Drain, server: Relay, now: datetime
) -> None:
    add_readers(0, *(f"toofast+{number}@gmail.com" for number in range(11)))
    mailing = queue()
    until = now + timedelta(minutes=5)
    with writing(engine) as connection:
        throttles.save(connection, {}, {"google": Throttle("google", now, closed_until=until, trips=1)}, now)
    assert drain(mailing, now) == {"pending": 11}
    assert server.sessions == 0
    assert drain(mailing, until) == {"pending": 10, "deferred": 1}
    assert standing(engine)["google"].closed_until == until + timedelta(minutes=10)
    assert server.recipients == []


def test_the_readers_of_a_small_domain_in_trouble_wait_without_an_attempt(
    engine: Engine, add_readers: AddReaders, queue: Queue, drain: Drain, rows: Rows, now: datetime
) -> None:
    add_readers(0, *mailboxes("example.org", "example.net", each=3))
    mailing = queue()
    until = now + timedelta(minutes=5)
    with writing(engine) as connection:
        name = pacing.provider_of("example.org")
        throttles.save(connection, {}, {name: Throttle(name, now, closed_until=until, trips=1)}, now)
    assert drain(mailing) == {"sent": 3, "deferred": 3}
    waiting = [row for row in rows("delivery") if row["state"] == "deferred"]
    assert {row["attempts"] for row in waiting} == {0}
    opened = until + timedelta(minutes=20)
    assert drain(mailing, opened) == {"sent": 4, "deferred": 2}  # the one that was tried
    assert drain(mailing, opened + timedelta(minutes=3)) == {"sent": 6}


def test_one_provider_that_refuses_us_stops_no_other_and_suppresses_nobody(
    add_readers: AddReaders, queue: Queue, drain: Drain, rows: Rows, engine: Engine
) -> None:
    add_readers(0, "policy@t-online.de", *mailboxes("example.org"))
    assert drain(queue()) == {"sent": 10, "deferred": 1}
    assert {row["state"] for row in rows("subscriber")} == {"confirmed"}
    assert "telekom" in standing(engine)


def test_several_providers_that_refuse_us_in_a_row_stop_the_sending(
    add_readers: AddReaders, queue: Queue, drain: Drain
) -> None:
    add_readers(0, *(f"policy@{domain}" for domain in ("gmail.com", "aol.com", "gmx.de", "orange.fr")))
    with pytest.raises(DeliveryError, match="3 providers in a row refuse mail from this sender") as caught:
        drain(queue())
    assert "@" not in str(caught.value)


def test_one_rate_bounds_all_senders_together(
    add_readers: AddReaders, queue: Queue, drain: Drain, now: datetime
) -> None:
    add_readers(50)
    assert drain(queue(), per_second=5.0) == {"sent": 50}
    took = (drain.ended - now).total_seconds()  # type: ignore[attr-defined]
    assert 8 <= took <= 11


def test_a_warm_up_plan_is_kept_to_the_mail_each_day(
    add_readers: AddReaders, queue: Queue, drain: Drain, now: datetime
) -> None:
    add_readers(50)
    mailing = queue()
    plan = {"warm_up": [7, 20]}
    assert drain(mailing, **plan) == {"sent": 7, "pending": 43}
    assert drain(mailing, now + timedelta(hours=3), **plan) == {"sent": 7, "pending": 43}
    assert drain(mailing, now + timedelta(days=1), **plan) == {"sent": 27, "pending": 23}
    assert drain(mailing, now + timedelta(days=2), **plan) == {"sent": 50}


def test_what_the_editions_time_is_over_for_is_sent_no_more(
    engine: Engine, add_readers: AddReaders, queue: Queue, drain: Drain, rows: Rows, now: datetime
) -> None:
    add_readers(0, "busy+1@example.org", "busy+2@example.org")
    mailing = queue()
    with writing(engine) as connection:
        (tried,) = outbox.claim(connection, mailing, "a", now, SOME_HOURS, 1, some_outgoing()).deliveries
        until = now + timedelta(days=2)
        outbox.record(connection, "a", [outbox.Settled(tried.id, "deferred", "450", now, until)], now)
    assert drain(mailing, now + timedelta(days=3)) == {"failed": 1, "skipped": 1}
    assert {row["outcome"] for row in rows("delivery") if row["state"] == "skipped"} == {"too late"}


def test_a_paused_mailing_hands_nothing_over_until_it_is_resumed(
    engine: Engine, add_readers: AddReaders, queue: Queue, drain: Drain, server: Relay
) -> None:
    add_readers(10)
    mailing = queue()
    with writing(engine) as connection:
        control.pause(connection, mailing)
    assert drain(mailing) == {"pending": 10}
    assert server.received == []
    with writing(engine) as connection:
        control.resume(connection, mailing)
    assert drain(mailing) == {"sent": 10}


@pytest.mark.parametrize("word", ["paused", "aborted"])
def test_a_word_said_while_a_batch_is_claimed_keeps_it_from_the_dot(
    engine: Engine, add_readers: AddReaders, queue: Queue, now: datetime, word: str
) -> None:
    add_readers(3)
    mailing = queue()
    lease = timedelta(seconds=60)
    with writing(engine) as connection:
        batch = outbox.claim(connection, mailing, "a", now, lease, 2, some_outgoing())
        ids = [one.id for one in batch.deliveries]
        assert outbox.dot(connection, ids[:1], "a", now, lease) == {ids[0]}
    with writing(engine) as connection:
        if word == "paused":
            control.pause(connection, mailing)
        else:
            control.abort(connection, mailing, now)
        assert outbox.dot(connection, ids[1:], "a", now, lease) == frozenset()
        outbox.record(connection, "a", [outbox.Settled(ids[0], "sent", "250")], now)
        outbox.release(connection, "a", now)
        found = {state: count for state, count in counting.tally(connection, mailing.id).items() if count}
    assert found == ({"sent": 1, "pending": 2} if word == "paused" else {"sent": 1, "skipped": 2})


def test_an_aborted_mailing_is_over_for_good_also_for_what_was_put_off_meanwhile(
    engine: Engine, add_readers: AddReaders, queue: Queue, drain: Drain, rows: Rows, now: datetime
) -> None:
    add_readers(0, *(f"busy+{number}@example.org" for number in range(2)))
    mailing = queue()
    assert drain(mailing) == {"deferred": 2}
    with writing(engine) as connection:
        control.abort(connection, mailing, now)
        with pytest.raises(DeliveryError, match="was aborted"):
            control.resume(connection, mailing)
    assert drain(mailing, now + SOME_HOURS) == {"skipped": 2}
    assert {row["outcome"] for row in rows("delivery") if row["state"] == "skipped"} == {"aborted"}


@pytest.mark.long
def test_pausing_stops_every_sender_within_a_batch(
    engine: Engine, settings: Settings, rendered: Rendered, add_readers: AddReaders, queue: Queue, now: datetime
) -> None:
    add_readers(300)
    mailing = queue()
    began = time.monotonic()

    def clock() -> datetime:
        return now + timedelta(seconds=time.monotonic() - began)

    contents, started = some_contents(rendered, settings), threading.Event()

    def send() -> None:
        carrier = sending.transport_of(settings)
        sending.drain(engine, settings, mailing, contents, carrier, clock, report=lambda _count: started.set())

    senders = [threading.Thread(target=send) for _ in range(3)]
    for sender in senders:
        sender.start()
    assert started.wait(20)
    with writing(engine) as connection:
        control.pause(connection, mailing)
        sent = counting.tally(connection, mailing.id)["sent"]
    for sender in senders:
        sender.join(30)
    with reading(engine) as connection:
        found = counting.tally(connection, mailing.id)
    assert found["sent"] + found["pending"] == 300
    assert found["sent"] <= sent + 3 * 16
