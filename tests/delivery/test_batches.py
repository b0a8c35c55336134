"""Batches to a relay that breaks at every point: each message ends in its right state, none is lost or sent twice."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, text
from tests.delivery.scripted_relay import ENDED, Fault, ScriptedRelay, scripted_relay
from tests.outgoing import some_contents

from digest.config.settings import Settings
from digest.database import reading
from digest.delivery import sending
from digest.delivery.outbox import Mailing
from digest.delivery.transports.smtp import Smtp
from digest.edition.rendered import Rendered
from digest.errors import DeliveryError

AddReaders = Callable[..., list[int]]
Queue = Callable[[], Mailing]
Send = Callable[..., dict[str, int]]

READERS = 9
STRUCK = 4  # the number of the message that something happens to
PATIENCE = 2.0  # seconds, where silence has to be waited for; else the relay may take as long as the machine does

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def send(engine: Engine, settings: Settings, rendered: Rendered, now: datetime) -> Send:
    """Drains a mailing so many hours later; the states that occur. What the relay took is held against them."""

    def states() -> dict[str, str]:
        query = "SELECT email, delivery.state FROM delivery JOIN subscriber ON subscriber.id = subscriber_id"
        with reading(engine) as connection:
            return {row.email: row.state for row in connection.execute(text(query))}

    def send(mailing: Mailing, relay: ScriptedRelay, hours: int = 0, big: int = 0, **changed: Any) -> dict[str, int]:
        limits = {"host": "127.0.0.1", "port": relay.port, "tls": "none", "timeout_seconds": 30, "sessions": 2}
        transport = Smtp(settings.smtp.model_copy(update={**limits, **changed}))
        body = rendered.model_copy(update={"html": (rendered.html or "") + "x" * big})
        contents = some_contents(body, settings)
        at = now + timedelta(hours=hours)
        counted = sending.drain(engine, settings, mailing, contents, transport, lambda: at, sleep=lambda _: None)
        assert sum(counted.values()) == mailing.audience
        assert len(relay.received) == len(set(relay.received))
        state_of = states()
        assert {email for email, state in state_of.items() if state == "sent"} <= set(relay.received)
        assert {state_of[email] for email in relay.received} <= {"sent", "uncertain"}
        return {state: count for state, count in counted.items() if count}

    return send


def strikes(fault: Fault) -> Callable[[int, str], Fault | None]:
    return lambda number, _recipient: fault if number == STRUCK else None


ENDLESS = b"250-more\r\n" * 20_000
FAULTS = {
    # The relay had not got the message: it goes again, at once on another session where nothing was answered yet.
    "closed instead of a reply to MAIL": (Fault("MAIL", b"", "close"), "sent"),
    "cut after MAIL": (Fault("MAIL", b"", "cut"), "sent"),
    "closed after MAIL": (Fault("MAIL", None, "close"), "deferred"),
    "closed after RCPT": (Fault("RCPT", None, "close"), "deferred"),
    "closed before 354": (Fault("DATA", b"", "close"), "deferred"),
    "silent at MAIL": (Fault("MAIL", b"", "stall"), "sent"),
    "silent at RCPT": (Fault("RCPT", b"", "stall"), "deferred"),
    "silent at DATA": (Fault("DATA", b"", "stall"), "deferred"),
    "421 at RCPT": (Fault("RCPT", ENDED, "close"), "deferred"),
    "421 at DATA": (Fault("DATA", ENDED, "close"), "deferred"),
    "421 at the dot": (Fault("dot", ENDED, "close"), "deferred"),
    "354 and 421 in one packet": (Fault("DATA", b"354 go on\r\n" + ENDED, "close"), "deferred"),
    "354 and an early 250 in one packet": (Fault("DATA", b"354 go on\r\n250 2.0.0 queued\r\n", "stall"), "deferred"),
    "450 at RCPT": (Fault("RCPT", b"450 4.2.0 greylisted\r\n"), "deferred"),
    "451 at DATA": (Fault("DATA", b"451 4.3.0 later\r\n"), "deferred"),
    "451 at the dot": (Fault("dot", b"451 4.3.0 later\r\n"), "deferred"),
    "550 at RCPT": (Fault("RCPT", b"550 5.1.1 no such user\r\n"), "failed"),
    "550 at RCPT over several lines": (Fault("RCPT", b"550-5.1.1 no such\r\n550 5.1.1 user\r\n"), "failed"),
    "550 at RCPT that is no UTF-8": (Fault("RCPT", b"550 5.1.1 \xff\xfe\x00\r\n"), "failed"),
    "550 at the dot": (Fault("dot", b"550 5.1.1 no such user\r\n"), "failed"),
    "a reply that is none at RCPT": (Fault("RCPT", b"what a day\r\n"), "deferred"),
    "a line without end at RCPT": (Fault("RCPT", b"250 " + b"x" * 100_000, "stall"), "deferred"),
    "lines without end at DATA": (Fault("DATA", ENDLESS, "stall"), "deferred"),
    # It had got the message, and nobody can know what became of it.
    "closed after the dot": (Fault("dot", b"", "close"), "uncertain"),
    "closed after the dot, and taken": (Fault("dot", b"", "close", keep=True), "uncertain"),
    "cut after the dot, and taken": (Fault("dot", b"", "cut", keep=True), "uncertain"),
    "silent after the dot": (Fault("dot", b"", "stall"), "uncertain"),
    "silent after the dot, and taken": (Fault("dot", b"", "stall", keep=True), "uncertain"),
    "half a reply to the dot": (Fault("dot", b"250 2.0", "close", keep=True), "uncertain"),
    "a reply that is none to the dot": (Fault("dot", b"what a day\r\n250 ok\r\n", keep=True), "uncertain"),
    "two codes in one reply to the dot": (Fault("dot", b"250-fine\r\n550 or not\r\n", keep=True), "uncertain"),
    "354 to the dot": (Fault("dot", b"354 more\r\n", keep=True), "uncertain"),
    "a line without end after the dot": (Fault("dot", b"250 " + b"x" * 100_000, "stall", keep=True), "uncertain"),
    "lines without end after the dot": (Fault("dot", ENDLESS, "stall", keep=True), "uncertain"),
    # It took the message.
    "250 over several lines": (Fault("dot", b"250-2.0.0 queued\r\n250-as 1\r\n250 2.0.0\r\n", keep=True), "sent"),
    "250 that is no UTF-8": (Fault("dot", b"250 2.0.0 \xff\xfe\x80\r\n", keep=True), "sent"),
    "a bare 250": (Fault("dot", b"250\r\n", keep=True), "sent"),
    "250 and 421 in one packet": (Fault("dot", b"250 2.0.0 queued\r\n" + ENDED, "close", keep=True), "sent"),
}


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "lockstep"])
@pytest.mark.parametrize(("fault", "state"), list(FAULTS.values()), ids=list(FAULTS))
def test_what_happens_to_one_message_touches_no_other(
    add_readers: AddReaders, queue: Queue, send: Send, fault: Fault, state: str, pipelining: bool
) -> None:
    add_readers(0, *(f"r{number}@d{number}.example.org" for number in range(READERS)))  # a 421 slows one domain
    mailing = queue()
    patience = {"timeout_seconds": PATIENCE} if fault.then == "stall" else {}
    with scripted_relay(pipelining=pipelining, fault_of=strikes(fault)) as relay:
        counted = send(mailing, relay, **patience)
        assert counted == ({"sent": READERS} if state == "sent" else {"sent": READERS - 1, state: 1})
        later = send(mailing, relay, hours=5)
        assert later == ({"sent": READERS} if state in ("sent", "deferred") else counted)


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "lockstep"])
def test_a_connection_that_breaks_in_the_body_has_taken_nothing(
    add_readers: AddReaders, queue: Queue, send: Send, pipelining: bool
) -> None:
    add_readers(READERS)
    mailing = queue()
    broken = strikes(Fault("body", b"", "cut"))
    with scripted_relay(pipelining=pipelining, fault_of=broken) as relay:
        # More than a connection holds, so that the break is noticed while it is being sent.
        assert send(mailing, relay, big=20_000_000) == {"sent": READERS - 1, "deferred": 1}
        assert send(mailing, relay, hours=5) == {"sent": READERS}


def test_a_relay_that_stops_reading_in_the_body_is_left(add_readers: AddReaders, queue: Queue, send: Send) -> None:
    add_readers(2)
    mailing = queue()
    with scripted_relay(fault_of=lambda number, _: Fault("body", b"", "stall") if number == 1 else None) as relay:
        assert send(mailing, relay, big=20_000_000, timeout_seconds=PATIENCE) == {"sent": 1, "deferred": 1}
        assert send(mailing, relay, hours=5) == {"sent": 2}


def test_a_complaint_in_the_body_is_heard(add_readers: AddReaders, queue: Queue, send: Send) -> None:
    add_readers(1)
    too_big = Fault("DATA", b"354 go on\r\n552 5.3.4 too big after all\r\n", "stall")
    with (
        scripted_relay(fault_of=lambda *_: too_big) as relay,
        pytest.raises(DeliveryError, match=r"refuses the content .*DATA: 552 5\.3\.4 too big"),
    ):
        send(queue(), relay)


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "lockstep"])
@pytest.mark.parametrize(
    "packets",
    [
        lambda reply: [reply[start : start + 1] for start in range(len(reply))],
        lambda reply: [reply[:5].replace(reply[3:4], b"-") + b"more\r\n" + reply],
    ],
    ids=["a byte a packet", "every reply over two lines"],
)
def test_replies_in_any_form_are_read(
    add_readers: AddReaders, queue: Queue, send: Send, pipelining: bool, packets: Callable[[bytes], list[bytes]]
) -> None:
    add_readers(READERS)
    with scripted_relay(pipelining=pipelining, reply=packets) as relay:
        assert send(queue(), relay) == {"sent": READERS}


def test_a_relay_that_answers_DATA_with_success_is_not_given_a_body(  # noqa: N802
    add_readers: AddReaders, queue: Queue, send: Send
) -> None:
    add_readers(READERS)
    mailing = queue()
    with scripted_relay(fault_of=strikes(Fault("DATA", b"250 fine\r\n"))) as relay:
        with pytest.raises(DeliveryError, match="DATA: 250 fine"):
            send(mailing, relay)
        send(mailing, relay, hours=5)
        assert len(relay.received) == READERS


RECIPE = 13  # by which many messages meet a fault at the dot: their numbers shift with the machine's speed


def by_recipe(seed: int, number: int, recipient: str) -> Fault | None:
    """Readers by name are refused or put off; of all other messages 2 % meet a fault at the dot and 3 % one before."""
    match recipient.partition("@")[0][:4]:
        case "busy":
            return Fault("RCPT", b"450 4.2.0 greylisted\r\n")
        case "gone":
            return Fault("RCPT", b"550 5.1.1 no such user\r\n")
    drawn = random.Random(f"{seed} {number}")
    share = drawn.random()
    if share >= 0.05:
        return None
    faults = [fault for fault, state in FAULTS.values() if fault.then != "stall" and state != "failed"]
    return drawn.choice([fault for fault in faults if (fault.at == "dot") is (share < 0.02)])


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "lockstep"])
def test_where_the_relay_fails_every_twentieth_message_nobody_gets_two_mails_or_none(
    add_readers: AddReaders, queue: Queue, send: Send, pipelining: bool
) -> None:
    names = [f"{kind}{number}@example.org" for kind in ("busy", "gone") for number in range(20)]
    add_readers(300, *names)
    mailing = queue()
    with scripted_relay(pipelining=pipelining, fault_of=partial(by_recipe, RECIPE)) as relay:
        for hours in (0, 5, 10, 15):
            counted = send(mailing, relay, hours=hours, sessions=4, messages_per_connection=20)
    assert counted["failed"] == 20
    assert 20 <= counted["deferred"] < 40  # those who are always busy, and who met a fault each time
    assert counted["sent"] + counted.get("uncertain", 0) == 320 - counted["deferred"]
    assert 0 < counted.get("uncertain", 0) < 20
