"""Draining a mailing: who gets it, what is recorded, and how it ends."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.delivery.relay import Relay, free_port, relay
from tests.outgoing import some_contents, some_outgoing

from digest.config.settings import Settings
from digest.database import writing
from digest.delivery import outbox, sending
from digest.delivery.outbox import Mailing, State
from digest.delivery.outcomes import Outcome
from digest.delivery.transports import Advance, Envelope, Transport, Turn
from digest.delivery.transports.maildir import Maildir
from digest.delivery.transports.smtp import Smtp
from digest.edition.rendered import Rendered
from digest.errors import DeliveryError

AddReaders = Callable[..., list[int]]
Queue = Callable[[], Mailing]
Withdraw = Callable[[int], None]
Rows = Callable[[str], list[dict[str, Any]]]
Drain = Callable[..., dict[State, int]]


@pytest.fixture
def server() -> Iterator[Relay]:
    with relay() as made:
        yield made


@pytest.fixture
def drain(engine: Engine, settings: Settings, rendered: Rendered, clock: Callable[[], datetime]) -> Drain:
    """Drains a mailing; answers with the states that occur, and has checked that they add up to the audience."""

    def drain(mailing: Mailing, transport: Transport | None = None, **options: Any) -> dict[State, int]:
        carrier = transport or sending.transport_of(settings)
        keywords = {"clock": clock, "sleep": lambda _: None, **options}
        counted = sending.drain(engine, settings, mailing, some_contents(rendered, settings), carrier, **keywords)
        assert sum(counted.values()) == mailing.audience
        return {state: count for state, count in counted.items() if count}

    return drain


def smtp(settings: Settings, port: int) -> Smtp:
    return Smtp(settings.smtp.model_copy(update={"host": "127.0.0.1", "port": port, "tls": "none"}))


def mails(settings: Settings) -> list[Path]:
    return sorted((settings.delivery.maildir / "new").iterdir())


class Watched(Maildir):
    """A Maildir that lets a test act before a message is looked at, or between its dot and its delivery."""

    def __init__(
        self, folder: Path, before: Callable[[Envelope], object], after_dot: Callable[[], object] = lambda: None
    ) -> None:
        super().__init__(folder)
        self._before, self._after_dot = before, after_dot

    def carry(self, batch: Sequence[Envelope], advance: Advance, done: list[tuple[int, Outcome]]) -> None:
        def dot(ready: Sequence[int]) -> Turn:
            turn = advance(ready)
            self._after_dot()
            following = list(turn.following)
            self._look(following)
            return Turn(turn.allowed, following)

        self._look(batch)
        super().carry(batch, dot, done)

    def _look(self, batch: Sequence[Envelope]) -> None:
        for envelope in batch:
            self._before(envelope)


def test_every_reader_gets_one_mail(add_readers: AddReaders, queue: Queue, drain: Drain, settings: Settings) -> None:
    add_readers(40)
    told: list[int] = []
    assert drain(queue(), report=told.append) == {"sent": 40}
    assert len(mails(settings)) == 40
    assert sum(told) == 40


def test_draining_again_sends_nothing(add_readers: AddReaders, queue: Queue, drain: Drain, settings: Settings) -> None:
    add_readers(5)
    drain(queue())
    before = [(path, path.stat().st_mtime_ns) for path in mails(settings)]
    assert drain(queue()) == {"sent": 5}
    assert [(path, path.stat().st_mtime_ns) for path in mails(settings)] == before


def test_who_left_after_queueing_gets_nothing(
    add_readers: AddReaders, queue: Queue, withdraw: Withdraw, drain: Drain, settings: Settings
) -> None:
    leaver = add_readers(3)[1]
    mailing = queue()
    withdraw(leaver)
    assert drain(mailing) == {"sent": 2, "skipped": 1}
    assert len(mails(settings)) == 2


def test_who_left_between_claim_and_dot_gets_nothing(
    add_readers: AddReaders, queue: Queue, withdraw: Withdraw, drain: Drain, settings: Settings
) -> None:
    leaver = add_readers(3)[2]
    claimed: list[Envelope] = []

    def leave_at_the_first(envelope: Envelope) -> None:
        if not claimed:
            withdraw(leaver)
        claimed.append(envelope)

    assert drain(queue(), Watched(settings.delivery.maildir, leave_at_the_first)) == {"sent": 2, "skipped": 1}
    assert len(mails(settings)) == 2
    assert len(claimed) == 3


def test_a_hundred_who_all_left_are_all_skipped(
    add_readers: AddReaders, queue: Queue, withdraw: Withdraw, drain: Drain
) -> None:
    readers = add_readers(100)
    mailing = queue()
    for reader in readers[:99]:
        withdraw(reader)
    assert drain(mailing) == {"sent": 1, "skipped": 99}


def test_two_senders_at_once_double_nothing(
    add_readers: AddReaders, queue: Queue, drain: Drain, settings: Settings
) -> None:
    add_readers(60)
    mailing = queue()
    seen: list[str] = []
    transports = [Watched(settings.delivery.maildir, lambda one: seen.append(one.recipient)) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda transport: drain(mailing, transport, sleep=lambda _: None), transports))
    assert {"sent": 60} in results
    assert len(seen) == len(set(seen)) == len(mails(settings)) == 60


def test_a_sender_waits_for_another_and_takes_over_when_its_lease_ends(
    engine: Engine, add_readers: AddReaders, queue: Queue, drain: Drain, now: datetime
) -> None:
    add_readers(3)
    mailing = queue()
    with writing(engine) as connection:
        outbox.claim(connection, mailing, "elsewhere:1:x", now, timedelta(seconds=5), 2, some_outgoing())
    passed = timedelta()

    def sleep(seconds: float) -> None:
        nonlocal passed
        passed += timedelta(seconds=seconds)

    assert drain(mailing, clock=lambda: now + passed, sleep=sleep) == {"sent": 3}
    assert timedelta(seconds=4) < passed < timedelta(seconds=7)


def test_a_sender_does_not_wait_for_another_for_ever(
    engine: Engine, add_readers: AddReaders, queue: Queue, drain: Drain, now: datetime, settings: Settings
) -> None:
    add_readers(3)
    mailing = queue()
    with writing(engine) as connection:
        outbox.claim(connection, mailing, "elsewhere:1:x", now, timedelta(hours=1), 2, some_outgoing())
    naps: list[float] = []
    assert drain(mailing, sleep=naps.append) == {"sent": 1, "claimed": 2}
    assert sum(naps) == settings.delivery.lease_seconds


def test_replies_settle_each_reader_alone(
    add_readers: AddReaders, queue: Queue, drain: Drain, settings: Settings, server: Relay, rows: Rows
) -> None:
    add_readers(2, "busy@example.org", "unknown@example.org", "silent@example.org", "later@example.org")
    counted = drain(queue(), smtp(settings, server.port))
    assert counted == {"sent": 2, "deferred": 2, "failed": 1, "uncertain": 1}
    assert server.recipients == ["r0@example.org", "r1@example.org", "silent@example.org"]
    failed = next(row for row in rows("delivery") if row["state"] == "failed")
    assert failed["outcome"] == "RCPT: 550 5.1.1 no such user"


def test_an_uncertain_delivery_is_never_sent_again(
    add_readers: AddReaders, queue: Queue, drain: Drain, settings: Settings, server: Relay, now: datetime
) -> None:
    add_readers(0, "silent@example.org")
    mailing = queue()
    for day in range(3):
        later = now + timedelta(days=day)
        assert drain(mailing, smtp(settings, server.port), clock=lambda later=later: later) == {"uncertain": 1}
    assert server.recipients == ["silent@example.org"]


def test_a_deferred_delivery_is_tried_again_and_given_up_in_the_end(
    add_readers: AddReaders, queue: Queue, drain: Drain, settings: Settings, server: Relay, now: datetime, rows: Rows
) -> None:
    add_readers(0, "busy@example.org")
    mailing = queue()
    states = [
        drain(mailing, smtp(settings, server.port), clock=lambda hour=hour: now + timedelta(hours=hour))
        for hour in range(0, 80, 5)
    ]
    assert states[0] == {"deferred": 1}
    assert states[-1] == {"failed": 1}
    assert 10 < rows("delivery")[0]["attempts"] < 16


def test_an_unreachable_relay_leaves_everything_pending(
    add_readers: AddReaders, queue: Queue, drain: Drain, settings: Settings, rows: Rows
) -> None:
    add_readers(20)
    mailing = queue()
    with pytest.raises(DeliveryError, match="cannot be reached"):
        drain(mailing, smtp(settings, free_port()))
    assert {(row["state"], row["attempts"]) for row in rows("delivery")} == {("pending", 0)}
    assert drain(mailing) == {"sent": 20}


@pytest.mark.parametrize(("name", "reason"), [("denied", "refuses mail from this sender"), ("toobig", "the content")])
def test_a_refusal_of_the_operator_or_the_edition_stops_sending(
    add_readers: AddReaders, queue: Queue, drain: Drain, settings: Settings, server: Relay, name: str, reason: str
) -> None:
    add_readers(0, "ann@example.org", f"{name}@example.org", "ben@example.org")
    mailing = queue()
    with pytest.raises(DeliveryError, match=reason) as caught:
        drain(mailing, smtp(settings, server.port))
    assert "example.org" not in str(caught.value)
    # The one that was refused waits, so that one reader's server cannot hold up all the others.
    assert drain(mailing, smtp(settings, server.port)) == {"sent": 2, "deferred": 1}
    assert server.recipients == ["ann@example.org", "ben@example.org"]


def test_what_died_in_the_dot_is_repeated_into_a_maildir_and_is_one_mail(
    add_readers: AddReaders, queue: Queue, drain: Drain, settings: Settings, now: datetime
) -> None:
    add_readers(3)
    mailing = queue()

    def die() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        drain(mailing, Watched(settings.delivery.maildir, lambda _: None, die))
    later = now + timedelta(seconds=settings.delivery.lease_seconds)
    assert drain(mailing, clock=lambda: later) == {"sent": 3}
    assert len(mails(settings)) == 3


def test_what_died_in_the_dot_of_a_relay_is_held(
    engine: Engine, add_readers: AddReaders, queue: Queue, drain: Drain, settings: Settings, now: datetime
) -> None:
    add_readers(2)
    mailing = queue()
    lease = timedelta(seconds=60)
    with writing(engine) as connection:
        batch = outbox.claim(connection, mailing, "elsewhere:1:x", now, lease, 1, some_outgoing())
        outbox.dot(connection, [batch.deliveries[0].id], "elsewhere:1:x", now, lease)
    with relay() as server:
        assert drain(mailing, smtp(settings, server.port), clock=lambda: now + lease) == {"sent": 1, "uncertain": 1}
    assert len(server.received) == 1


def test_a_sender_that_fails_records_what_it_had_sent(
    add_readers: AddReaders, queue: Queue, drain: Drain, settings: Settings, rows: Rows
) -> None:
    class Full(Maildir):
        room = Maildir.width + 2

        def _write(self, name: str, content: bytes) -> Path:
            self.room -= 1
            if not self.room:
                raise OSError(ENOSPC, "No space left on device")
            return super()._write(name, content)

    add_readers(Maildir.width + 5)
    mailing = queue()
    with pytest.raises(DeliveryError, match="No space left"):
        drain(mailing, Full(settings.delivery.maildir))
    assert Counter(row["state"] for row in rows("delivery")) == {"sent": Maildir.width, "pending": 5}
    assert drain(mailing) == {"sent": Maildir.width + 5}


def test_no_state_or_outcome_holds_a_readers_address(
    add_readers: AddReaders, queue: Queue, drain: Drain, settings: Settings, server: Relay, rows: Rows
) -> None:
    add_readers(1, "unknown@example.org", "busy@example.org")
    drain(queue(), smtp(settings, server.port))
    assert "example.org" not in str(rows("delivery"))
