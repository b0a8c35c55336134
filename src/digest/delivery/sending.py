"""Sending: claim -> re-check consent -> build -> send -> record, in batches, until nothing is due.

Any number of senders may drain one mailing at once, in this process or in others; the outbox keeps them apart.
"""

import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import assert_never

from sqlalchemy import Engine

from digest.config import Settings
from digest.database import reading, writing
from digest.delivery import message, outbox
from digest.delivery.contents import Contents, of_letters
from digest.delivery.outbox import LETTERS, Claimed, Mailing, Settled, State
from digest.delivery.outcomes import Outcome, next_attempt
from digest.delivery.transports import Envelope, Transport
from digest.delivery.transports.maildir import Maildir
from digest.delivery.transports.smtp import Smtp
from digest.errors import DeliveryError
from digest.subscribers import store

_PAUSE = 1.0  # seconds between two looks at what another sender is doing


@dataclass(frozen=True)
class _Sender:
    """What stays the same while one sender drains one mailing. `claimant` names it in the outbox."""

    engine: Engine
    settings: Settings
    mailing: Mailing
    contents: Contents
    transport: Transport
    clock: Callable[[], datetime]
    keys: Sequence[bytes]
    claimant: str

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.settings.delivery.lease_seconds)


def transport_of(settings: Settings) -> Transport:
    """The transport that config.toml names."""
    return Smtp(settings.smtp) if settings.delivery.transport == "smtp" else Maildir(settings.delivery.maildir)


def drain(
    engine: Engine,
    settings: Settings,
    mailing: Mailing,
    contents: Contents,
    transport: Transport,
    clock: Callable[[], datetime],
    report: Callable[[int], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Mapping[State, int]:
    """Send a mailing until nothing of it is due, and return how many deliveries are in each state.

    `report` is told after each batch how many more deliveries were dealt with. What another live sender holds is waited
    for, at most as long as a lease. Deferred deliveries stay for a later call. Raises DeliveryError when the relay
    cannot be reached, refuses us or refuses the edition; then what was claimed and not handed over is given back.
    """
    with writing(engine) as connection:
        keys = store.link_keys(connection, settings.links, clock())
    claimant = f"{_place()}:{os.getpid()}:{secrets.token_hex(4)}"
    sender = _Sender(engine, settings, mailing, contents, transport, clock, keys, claimant)
    patience = settings.delivery.lease_seconds / _PAUSE
    with transport:
        _take_back(sender)
        while True:
            batch = _claim(sender)
            if batch.deliveries or batch.dropped:
                _send(sender, batch.deliveries)
                if report is not None:
                    report(len(batch.deliveries) + batch.dropped)
            elif not _take_back(sender):
                if patience <= 0 or not _others_at_work(sender):
                    break
                patience -= 1
                sleep(_PAUSE)
    with reading(engine) as connection:
        return outbox.tally(connection, mailing.id)


def send_letters(
    engine: Engine, settings: Settings, clock: Callable[[], datetime], transport: Transport | None = None
) -> int:
    """Send the letters that wait; how many went. While the brake is on, confirmations stay where they are.

    Raises DeliveryError as `drain` does.
    """
    with reading(engine) as connection:
        braked = store.braked_until(connection, clock()) is not None
        waiting = [mailing for mailing in outbox.unfinished(connection) if mailing.kind in LETTERS]
    sent = 0
    for mailing in waiting:
        if braked and mailing.kind == "confirmation":
            continue
        before = _count_sent(engine, mailing)
        tally = drain(
            engine, settings, mailing, of_letters(mailing, settings), transport or transport_of(settings), clock
        )
        sent += tally["sent"] - before
    return sent


def _count_sent(engine: Engine, mailing: Mailing) -> int:
    with reading(engine) as connection:
        return outbox.tally(connection, mailing.id)["sent"]


def _claim(sender: _Sender) -> outbox.Batch:
    now, limit, edition = sender.clock(), sender.settings.delivery.batch, sender.contents.edition
    with writing(sender.engine) as connection:
        return outbox.claim(connection, sender.mailing, sender.claimant, now, sender.lease, limit, edition)


def _take_back(sender: _Sender) -> bool:
    """Take over what dead senders and ended leases left behind. True if there was any."""
    with writing(sender.engine) as connection:
        dead = {holder for holder in outbox.claimants(connection, sender.mailing.id) if _is_dead(holder)}
        repeatable = sender.transport.repeatable
        return outbox.take_back(connection, sender.mailing.id, dead, sender.clock(), repeatable=repeatable) > 0


def _others_at_work(sender: _Sender) -> bool:
    with reading(sender.engine) as connection:
        return bool(outbox.claimants(connection, sender.mailing.id))


def _send(sender: _Sender, deliveries: Sequence[Claimed]) -> None:
    """Deliver a batch. An outcome is recorded with the next delivery's dot, so a message costs one commit."""
    settled: list[Settled] = []
    try:
        for delivery in deliveries:
            outcome = sender.transport.deliver(_envelope(sender, delivery), partial(_dot, sender, delivery, settled))
            settled.extend(_settle(sender, delivery, outcome))
            _stop_if_refused(sender, outcome)
    finally:
        if deliveries:
            with writing(sender.engine) as connection:
                outbox.record(connection, sender.claimant, settled, sender.clock())
                outbox.release(connection, sender.claimant, sender.clock())


def _dot(sender: _Sender, delivery: Claimed, settled: list[Settled]) -> bool:
    """May this delivery be handed over? Committed before it is. Records those before it in the same transaction."""
    now = sender.clock()
    with writing(sender.engine) as connection:
        outbox.record(connection, sender.claimant, settled, now)
        allowed = outbox.dot(connection, delivery.id, sender.claimant, now, sender.lease, sender.mailing.kind)
    settled.clear()
    return allowed


def _envelope(sender: _Sender, delivery: Claimed) -> Envelope:
    reader, settings, now = delivery.subscriber, sender.settings, sender.clock()
    mailing = sender.mailing
    if mailing.kind in LETTERS:  # a letter is dated when it is written; its mailing is that of a whole day
        mailing = replace(mailing, queued_at=now)
    mail = sender.contents.mail(delivery.rendition)
    own = sender.contents.own(delivery, sender.keys, now)
    return Envelope(
        message_id=message.message_id(reader, mailing, settings),
        sender=message.sender_of(mailing, settings),
        recipient=reader.mailbox,
        content=message.build(mail, reader, mailing, settings, sender.keys, own),
    )


def _settle(sender: _Sender, delivery: Claimed, outcome: Outcome) -> list[Settled]:
    match outcome.kind:
        case "sent" | "failed" | "uncertain":
            return [Settled(delivery.id, outcome.kind, outcome.said)]
        case "deferred" | "refused" | "content":
            # A refusal that is not the reader's fault waits too: once the cause is mended, others go first.
            now = sender.clock()
            since = delivery.deferred_since or now
            give_up = timedelta(hours=sender.settings.delivery.give_up_after_hours)
            again = next_attempt(delivery.id, delivery.attempts + 1, since, now, give_up)
            return [Settled(delivery.id, "failed" if again is None else "deferred", outcome.said, since, again)]
        case "withheld":
            return []  # still claimed if it is ours; given back with the rest of the batch and looked at anew
        case other:
            assert_never(other)


def _stop_if_refused(sender: _Sender, outcome: Outcome) -> None:
    if outcome.kind == "refused":
        raise DeliveryError(
            f'the relay refuses mail from this sender ("{outcome.said}"), so sending stopped; '
            "mend [mail] or [smtp] or ask who runs the relay, then send again."
        )
    if outcome.kind == "content":
        raise DeliveryError(
            f'the relay refuses the content of the {sender.mailing.kind} of {sender.mailing.week} ("{outcome.said}"), '
            "so sending stopped; ask who runs the relay for its limit on size and content, then send again."
        )


def _place() -> str:
    """This machine, or this container on it: where a process id means one process."""
    try:
        return f"{socket.gethostname()}/{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return socket.gethostname()


def _is_dead(claimant: str) -> bool:
    """True only if the claimant's process ran here and is no more. Elsewhere its lease has to end."""
    place, pid, _ = claimant.rsplit(":", 2)
    if place != _place() or os.name != "posix":
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
