"""Sending: claim -> re-check consent -> build -> send -> record, in batches, until nothing is due.

Any number of senders may drain one mailing at once, in this process or in others; the outbox keeps them apart.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import assert_never

from sqlalchemy import Connection, Engine

from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery import claimants, consequences, control, counting, message, outbox, signing, throttles
from digest.delivery.bounces import verp
from digest.delivery.contents import Contents, of_letters
from digest.delivery.message import Compiled, compile_mail
from digest.delivery.outbox import LETTERS, Claimed, Mailing, Settled, State
from digest.delivery.outcomes import Outcome, next_attempt
from digest.delivery.pacing import Throttle, heed, provider_of
from digest.delivery.progress import Meter, at_work
from digest.delivery.throttles import Throttles
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
_SHORTEST_NAP = 0.005  # seconds until there may be room in a rate
_REFUSERS = 3  # so many providers that refuse us, and none that takes our mail: it is not about one of them


Heed = Callable[[Connection, datetime], object]
"""Asked in each transaction that claims or takes back: raises DeliveryError where nothing may be sent at that moment,
for the clock may be wrong."""


def heed_nothing(_connection: Connection, _now: datetime) -> None:
    """Of letters, which are sent as they are asked for."""


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
    heed: Heed
    refusers: set[str] = field(default_factory=set)  # providers that refused us since one last took a mail

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
    is_enough: Callable[[int], bool] | None = None,
    heed: Heed = heed_nothing,
) -> Mapping[State, int]:
    """Send a mailing until nothing of it is due, and return how many deliveries are in each state.

    `report` is told after each batch how many more deliveries were dealt with. What another live sender holds is waited
    for, at most as long as a lease, and so is a rate; deferred deliveries, closed providers and a warm-up plan's next
    day are left to a later call. With `is_enough` it ends once that says so of how many it dealt with, and waits for no
    other sender. Raises DeliveryError when the relay cannot be reached, refuses us or refuses the edition; then what
    was claimed and not handed over is given back. In a restored copy that nobody accepted yet it raises DeliveryError,
    and where `heed` does.
    """
    with writing(engine) as connection:
        outbox.heed_hold(connection)
        heed(connection, clock())
        keys = store.link_keys(connection, settings.links, clock())
    claimant = claimants.name()

    @lru_cache(maxsize=_COMPILED)
    def compiled(rendition: Rendition, dated: Mailing, lapsing: bool) -> Compiled:
        return compile_mail(contents.mail(rendition), dated, settings, lapsing=lapsing)

    sender = _Sender(engine, settings, mailing, contents, transport, clock, keys, claimant, compiled, heed)
    patience = 0.0 if is_enough else settings.delivery.lease_seconds / _PAUSE
    meter = Meter(claimant, mailing.id, is_enough or (lambda _done: False))
    with transport, at_work(engine, meter):
        _take_back(sender)
        while not meter.is_full:
            batch = _claim(sender)
            if batch.deliveries or batch.dropped:
                _send(sender, batch, meter, report or (lambda _count: None))
            elif batch.again_at is not None:
                sleep(min(max((batch.again_at - clock()).total_seconds(), _SHORTEST_NAP), _PAUSE))
            elif not _take_back(sender):
                if patience <= 0 or not _others_at_work(sender):
                    break
                patience -= 1
                sleep(_PAUSE)
    with reading(engine) as connection:
        return counting.tally(connection, mailing.id)


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


def hand_over(transport: Transport, envelopes: Sequence[Envelope]) -> list[Outcome]:
    """Deliver mail that is no reader's and stands in no outbox: what became of each. Raises as the transport does."""
    done: list[tuple[int, Outcome]] = []
    with transport:
        for start in range(0, len(envelopes), transport.width):
            transport.carry(envelopes[start : start + transport.width], lambda ready: Turn(ready, ()), done)
    by_id = dict(done)
    return [by_id[envelope.delivery_id] for envelope in envelopes]


def _count_sent(engine: Engine, mailing: Mailing) -> int:
    with reading(engine) as connection:
        return counting.tally(connection, mailing.id)["sent"]


def _claim(sender: _Sender) -> outbox.Batch:
    now = sender.clock()
    with writing(sender.engine) as connection:
        sender.heed(connection, now)
        before = throttles.hold(connection, sender.settings.delivery, now, ())
        batch = _claim_more(sender, connection, before, sender.transport.width)
        throttles.save(connection, before, batch.throttles, now)
        return batch


def _claim_more(sender: _Sender, connection: Connection, standing: Mapping[str, Throttle], limit: int) -> outbox.Batch:
    now, edition, budget = sender.clock(), sender.contents.edition, sender.settings.delivery
    return outbox.claim(
        connection, sender.mailing, sender.claimant, now, sender.lease, limit, edition, standing, budget
    )


def _take_back(sender: _Sender) -> bool:
    """Take over what dead senders and ended leases left behind, and end what was aborted meanwhile. True if there was
    any."""
    with writing(sender.engine) as connection:
        sender.heed(connection, sender.clock())  # or a lease of the living would have ended
        dead = {holder for holder in outbox.claimants(connection, sender.mailing.id) if claimants.is_dead(holder)}
        repeatable = sender.transport.repeatable
        taken = outbox.take_back(connection, sender.mailing.id, dead, sender.clock(), repeatable=repeatable)
        return control.sweep(connection, sender.mailing.id, sender.clock()) + taken > 0


def _others_at_work(sender: _Sender) -> bool:
    with reading(sender.engine) as connection:
        return bool(outbox.claimants(connection, sender.mailing.id))


def _send(sender: _Sender, first: outbox.Batch, meter: Meter, report: Callable[[int], None]) -> None:
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
            before, standing, refused = _record(sender, connection, in_hand, done)
            try:
                sender.heed(connection, now)
            except DeliveryError as error:  # what became of the messages is recorded all the same
                stop = stop or error
            if refused is None and stop is None:
                going = [number for number in ready if not _is_shut(standing, in_hand[number], now)]
                allowed = outbox.dot(connection, going, sender.claimant, now, sender.lease, sender.mailing.kind)
                throttles.count_handed(standing, sender.settings.delivery, len(allowed), now)
                room = 2 * sender.transport.width - (len(in_hand) - len(done))
                if room > 0 and not meter.is_full:
                    following = _claim_more(sender, connection, standing, min(room, sender.transport.width))
                    standing = dict(following.throttles)
            throttles.save(connection, before, standing, now)
            meter.note(connection, len(done) + following.dropped, now)
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
        return Turn(allowed, made(fresh))

    def made(deliveries: Iterable[Claimed]) -> Iterator[Envelope]:
        nonlocal stop
        for delivery in deliveries:
            try:
                yield _envelope(sender, delivery)
            except Exception as error:  # noqa: BLE001 (what is about to be handed over is; then this is raised)
                stop = error
                return

    report(first.dropped)
    refused: DeliveryError | None = None
    try:
        sender.transport.carry([_envelope(sender, delivery) for delivery in first.deliveries], advance, done)
    finally:
        now = sender.clock()
        with writing(sender.engine) as connection:
            before, standing, refused = _record(sender, connection, in_hand, done)
            throttles.save(connection, before, standing, now)
            meter.note(connection, len(done) + first.dropped, now)
            outbox.release(connection, sender.claimant, now)
        report(len(done))
    if refused is not None:
        raise refused
    if stop is not None:
        raise stop


def _record(
    sender: _Sender, connection: Connection, in_hand: Mapping[int, Claimed], done: Sequence[tuple[int, Outcome]]
) -> tuple[Throttles, dict[str, Throttle], DeliveryError | None]:
    """Record what became of messages, and what it says of their providers: how these stood and stand now; and the error
    that ends the sending, where one of the outcomes says so."""
    now = sender.clock()
    told = [(provider_of(_domain(in_hand[id_])), outcome) for id_, outcome in done]
    before = throttles.hold(connection, sender.settings.delivery, now, {provider for provider, _outcome in told})
    standing = dict(before)
    for provider, outcome in told:
        if provider not in standing and outcome.pace == "keep":
            continue
        if outcome.pace != "keep" or _has_answered(outcome):
            known = heed(standing.pop(provider, None), provider, outcome.pace, outcome.said, now)
            standing |= {} if known is None else {provider: known}
    settled = [one for id_, outcome in done for one in _settle(sender, in_hand[id_], outcome, standing, now)]
    outbox.record(connection, sender.claimant, settled, now)
    refusals = {in_hand[id_].subscriber.id: outcome.reason for id_, outcome in done if outcome.reason}
    consequences.of_replies(connection, sender.mailing.id, refusals, now)
    withheld = [id_ for id_, outcome in done if outcome.kind == "withheld"]
    outbox.give_back(connection, sender.claimant, withheld, now)
    stops = [_refusal(sender, outcome) or _refused_by_all(sender, provider, outcome) for provider, outcome in told]
    return before, standing, next((stop for stop in stops if stop is not None), None)


def _is_shut(standing: Throttles, delivery: Claimed, now: datetime) -> bool:
    """Whether a delivery's provider was closed after the delivery was claimed: not if this is the probe."""
    limited = standing.get(provider_of(_domain(delivery))) if standing else None
    return limited is not None and limited.closed_until is not None and now < limited.closed_until


def _domain(delivery: Claimed) -> str:
    return delivery.subscriber.email_key.rpartition("@")[2]


def _has_answered(outcome: Outcome) -> bool:
    """Whether the reader's provider said anything: a probe that was lost on the way tells nothing."""
    return outcome.kind in ("sent", "failed") or (outcome.kind == "deferred" and outcome.reason is not None)


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
        token=verp.sign(mailing.id, reader.id, sender.keys),
        recipient=reader.mailbox,
        content=message.build(compiled, reader, sender.keys, own),
    )


def _settle(sender: _Sender, delivery: Claimed, outcome: Outcome, standing: Throttles, now: datetime) -> list[Settled]:
    match outcome.kind:
        case "sent" | "failed" | "uncertain":
            return [Settled(delivery.id, outcome.kind, outcome.said)]
        case "deferred" | "refused" | "content":
            # A refusal that is not the reader's fault waits too: once the cause is mended, others go first.
            since, edition = delivery.deferred_since or now, sender.contents.edition
            give_up = timedelta(hours=sender.settings.delivery.give_up_after_hours)
            limited = standing.get(provider_of(_domain(delivery)))
            opens = limited.closed_until if limited else None
            closes = edition.closes_at if edition else None
            again = next_attempt(delivery.id, delivery.attempts + 1, since, now, give_up, opens, closes)
            return [Settled(delivery.id, "failed" if again is None else "deferred", outcome.said, since, again)]
        case "withheld":
            return []  # still claimed if it is ours; given back and looked at anew
        case other:
            assert_never(other)


def _refused_by_all(sender: _Sender, provider: str, outcome: Outcome) -> DeliveryError | None:
    """A policy that one provider holds against us is between it and us. That of several, one after another, is ours."""
    if outcome.kind == "sent":
        sender.refusers.clear()
    if outcome.reason != "blocked_policy" or outcome.pace != "pause":
        return None
    sender.refusers.add(provider)
    if len(sender.refusers) < _REFUSERS:
        return None
    return DeliveryError(
        f'{_REFUSERS} providers in a row refuse mail from this sender ("{outcome.said}"), so sending stopped; '
        "see what they say, mend [mail], the DNS records or the relay, then send again."
    )


def _refusal(sender: _Sender, outcome: Outcome) -> DeliveryError | None:
    """Why sending stops, where nobody else's message would fare better."""
    if outcome.kind == "refused":
        return DeliveryError(
            f'the relay refuses mail from this sender ("{outcome.said}"), so sending stopped; '
            "mend [mail] and what [delivery] transport names, or ask who runs the relay, then send again."
        )
    if outcome.kind == "content":
        return DeliveryError(
            f'the relay refuses the content of the {sender.mailing.kind} of {sender.mailing.week} ("{outcome.said}"), '
            "so sending stopped; ask who runs the relay for its limit on size and content, then send again."
        )
    return None
