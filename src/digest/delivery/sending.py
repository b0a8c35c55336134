"""Sending: claim -> re-check consent -> build -> send -> record, in batches, until nothing is due.

Any number of senders may drain one mailing at once, in this process or in others; the outbox keeps them apart.
"""

import os
import secrets
import socket
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import assert_never

from sqlalchemy import Connection, Engine

from digest.config import Settings
from digest.database import reading, writing
from digest.delivery import consequences, message, outbox, signing
from digest.delivery.contents import Contents, of_letters
from digest.delivery.message import Compiled, compile_mail
from digest.delivery.outbox import LETTERS, Claimed, Mailing, Settled, State
from digest.delivery.outcomes import Outcome, next_attempt
from digest.delivery.transports import Envelope, Transport, Turn
from digest.delivery.transports.maildir import Maildir
from digest.delivery.transports.mailgun import Mailgun
from digest.delivery.transports.postmark import Postmark
from digest.delivery.transports.smtp import Smtp
from digest.edition.renditions import Rendition
from digest.errors import ConfigError, DeliveryError
from digest.subscribers import store

_COMPILED = 128  # renditions of which the bytes are kept, some 200 kB each
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
    compiled: Callable[[Rendition, Mailing, bool], Compiled]

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.settings.delivery.lease_seconds)


def transport_of(settings: Settings) -> Transport:
    """The transport that config.toml names. Raises ConfigError where a setting of it, or a DKIM key, cannot be used."""
    signing.signers(settings.dkim)  # now, not when the first message is built
    match settings.delivery.transport:
        case "maildir":
            return Maildir(settings.delivery.maildir)
        case "smtp":
            return Smtp(settings.smtp)
        case "postmark":
            if settings.dkim.keys:
                raise ConfigError("Postmark puts messages together anew and signs them itself; take out [dkim].")
            return Postmark(settings.postmark)
        case "mailgun":
            return Mailgun(settings.mailgun)
        case other:
            assert_never(other)


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

    @lru_cache(maxsize=_COMPILED)
    def compiled(rendition: Rendition, dated: Mailing, lapsing: bool) -> Compiled:
        return compile_mail(contents.mail(rendition), dated, settings, lapsing=lapsing)

    sender = _Sender(engine, settings, mailing, contents, transport, clock, keys, claimant, compiled)
    patience = settings.delivery.lease_seconds / _PAUSE
    with transport:
        _take_back(sender)
        while True:
            batch = _claim(sender)
            if batch.deliveries or batch.dropped:
                _send(sender, batch, report or (lambda _count: None))
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
    with writing(sender.engine) as connection:
        return _claim_more(sender, connection)


def _claim_more(sender: _Sender, connection: Connection) -> outbox.Batch:
    now, limit, edition = sender.clock(), sender.transport.width, sender.contents.edition
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


def _send(sender: _Sender, first: outbox.Batch, report: Callable[[int], None]) -> None:
    """Deliver a batch and all that can be claimed after it. One transaction a batch: it records what became of the
    batch before, marks this one as about to be handed over, and claims the next."""
    in_hand = {delivery.id: delivery for delivery in first.deliveries}
    done: list[tuple[int, Outcome]] = []
    stop: Exception | None = None

    def advance(ready: Sequence[int]) -> Turn:
        nonlocal stop
        now = sender.clock()
        allowed: Collection[int] = ()
        following = outbox.Batch((), 0)
        with writing(sender.engine) as connection:
            refused = _record(sender, connection, in_hand, done)
            if refused is None and stop is None:
                allowed = outbox.dot(connection, ready, sender.claimant, now, sender.lease, sender.mailing.kind)
                following = _claim_more(sender, connection)
        dealt_with = len(done) + following.dropped
        for id_, _outcome in done:
            del in_hand[id_]
        done.clear()
        # A row whose claim we lost may come back to us while its message still waits: it is made once.
        fresh = [delivery for delivery in following.deliveries if delivery.id not in in_hand]
        in_hand.update((delivery.id, delivery) for delivery in fresh)
        report(dealt_with)
        if refused is not None:
            raise refused
        try:
            return Turn(allowed, [_envelope(sender, delivery) for delivery in fresh])
        except Exception as error:  # noqa: BLE001 (what is about to be handed over is; then this is raised)
            stop = error
            return Turn(allowed, ())

    report(first.dropped)
    try:
        sender.transport.carry([_envelope(sender, delivery) for delivery in first.deliveries], advance, done)
    finally:
        with writing(sender.engine) as connection:
            refused = _record(sender, connection, in_hand, done)
            outbox.release(connection, sender.claimant, sender.clock())
        report(len(done))
    if refused is not None:
        raise refused
    if stop is not None:
        raise stop


def _record(
    sender: _Sender, connection: Connection, in_hand: Mapping[int, Claimed], done: Sequence[tuple[int, Outcome]]
) -> DeliveryError | None:
    """Record what became of messages; the error that ends the sending, where one of them says so."""
    settled = [one for id_, outcome in done for one in _settle(sender, in_hand[id_], outcome)]
    outbox.record(connection, sender.claimant, settled, sender.clock())
    refusals = {in_hand[id_].subscriber.id: outcome.reason for id_, outcome in done if outcome.reason}
    consequences.of_replies(connection, sender.mailing.id, refusals, sender.clock())
    withheld = [id_ for id_, outcome in done if outcome.kind == "withheld"]
    outbox.give_back(connection, sender.claimant, withheld, sender.clock())
    return next((stop for _id, outcome in done if (stop := _refusal(sender, outcome))), None)


def _envelope(sender: _Sender, delivery: Claimed) -> Envelope:
    reader, settings, now = delivery.subscriber, sender.settings, sender.clock()
    mailing = sender.mailing
    if mailing.kind in LETTERS:  # a letter is dated when it is written; its mailing is that of a whole day
        mailing = replace(mailing, queued_at=now)
    own = sender.contents.own(delivery, sender.keys, now)
    compiled = sender.compiled(delivery.rendition, mailing, own.keep is not None)
    return Envelope(
        delivery_id=delivery.id,
        message_id=message.message_id(compiled, reader.id),
        sender=message.return_path(mailing, reader.id, settings, sender.keys),
        recipient=reader.mailbox,
        content=message.build(compiled, reader, sender.keys, own),
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
            return []  # still claimed if it is ours; given back and looked at anew
        case other:
            assert_never(other)


def _refusal(sender: _Sender, outcome: Outcome) -> DeliveryError | None:
    """Why sending stops, where nobody else's message would fare better."""
    if outcome.kind == "refused":
        return DeliveryError(
            f'the relay refuses mail from this sender ("{outcome.said}"), so sending stopped; '
            "mend [mail] or [smtp] or ask who runs the relay, then send again."
        )
    if outcome.kind == "content":
        return DeliveryError(
            f'the relay refuses the content of the {sender.mailing.kind} of {sender.mailing.week} ("{outcome.said}"), '
            "so sending stopped; ask who runs the relay for its limit on size and content, then send again."
        )
    return None


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
