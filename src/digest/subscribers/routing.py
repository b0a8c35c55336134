"""Who gets an edition, in which rendition, with which duties; who gets it later, and who does not. Pure.

    route(reader, edition, now) -> Deliver(rendition, duties) | Hold(until, reason) | Skip(reason)

The outbox asks the same questions in SQL when it freezes an audience of millions, in the same order; a test holds the
two against each other. Each delivery is routed once more when it is about to be made.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, cast
from zoneinfo import ZoneInfo

from digest.edition.renditions import Duty, Rendition
from digest.edition.watching import words_of
from digest.subscribers.consent import LIVE
from digest.subscribers.regimes import Regime, Regimes, duties
from digest.subscribers.store import Subscriber

Reason = Literal[
    "none",
    "requested",
    "withdrawn",
    "complained",
    "bounced",
    "expired",
    "erased",
    "reconfirmation_due",
    "newer_sent",
    "paused",
    "quiet_week",
    "night",
]
"""
none to erased: the state of a consent that does not live.   reconfirmation_due: it has lapsed and was not renewed.
newer_sent: this reader has a later edition already.          paused: the reader asked for a pause.
quiet_week: nothing of weight, and the reader wants no mail then unless something followed has moved.
night: outside the hours of the reader's day in which the operator sends.
"""

REASONS: Mapping[Reason, str] = {
    "none": "This reader never agreed to get it.",
    "requested": "The request to sign up was not confirmed.",
    "withdrawn": "The reader unsubscribed.",
    "complained": "The reader reported a mail as spam.",
    "bounced": "Mail to the reader came back for good.",
    "expired": "The consent was not confirmed, or not renewed, in time.",
    "erased": "The reader asked to be forgotten.",
    "reconfirmation_due": "The consent has lapsed and was not renewed.",
    "newer_sent": "The reader has a later edition already.",
    "paused": "The reader asked for a pause.",
    "quiet_week": "It was a quiet week, and the reader wants no mail then.",
    "night": "It is outside the hours in which we send where the reader lives.",
}

KEEP_WITHIN = timedelta(days=60)
"""So long before a consent lapses each edition asks whether to keep it."""


class Outgoing(NamedTuple):
    """What routing asks of an edition and of the series that sends it.

    `stirred` are the words of `watching.words_of` of which the edition tells something; after `closes_at` nothing of
    the edition is sent any more; `zone` is the series', for regions that have none of their own.
    """

    week: str
    quiet: bool
    stirred: frozenset[str]
    closes_at: datetime
    regimes: Regimes
    commercial: bool
    from_hour: int
    until_hour: int
    zone: ZoneInfo


class Deliver(NamedTuple):
    rendition: Rendition
    duties: tuple[Duty, ...]


class Hold(NamedTuple):
    until: datetime
    reason: Reason


class Skip(NamedTuple):
    reason: Reason


Route = Deliver | Hold | Skip


def route(reader: Subscriber, edition: Outgoing, now: datetime, *, newer_sent: bool = False) -> Route:
    """What becomes of one edition for one reader at a moment. `newer_sent`: a later edition went to them already."""
    consent = reader.consent
    if consent.state != LIVE:
        return Skip(cast(Reason, consent.state))
    if consent.reconfirm_by is not None and consent.reconfirm_by <= now:
        return Skip("reconfirmation_due")
    if newer_sent:
        return Skip("newer_sent")
    if consent.paused_until is not None and consent.paused_until > now:
        return _later(consent.paused_until, "paused", edition)
    if edition.quiet and reader.quiet_weeks == "skip" and edition.stirred.isdisjoint(words_of(reader.watch)):
        return Skip("quiet_week")
    regime = edition.regimes.of(consent.regime)
    morning = night_until(regime, edition, now)
    if morning is not None:
        return _later(morning, "night", edition)
    rendition = Rendition(reader.locale, reader.topics, reader.format, regime.code)
    return Deliver(rendition, duties(regime, "edition", commercial=edition.commercial))


def _later(until: datetime, reason: Reason, edition: Outgoing) -> Hold | Skip:
    return Hold(until, reason) if until < edition.closes_at else Skip(reason)


def night_until(regime: Regime, edition: Outgoing, now: datetime) -> datetime | None:
    """The next moment at which mail may go where a regime's readers live; None where it may go now."""
    local = now.astimezone(ZoneInfo(regime.zone) if regime.zone else edition.zone)
    if edition.from_hour <= local.hour < edition.until_hour:
        return None
    day = local.date() if local.hour < edition.from_hour else local.date() + timedelta(days=1)
    return datetime(day.year, day.month, day.day, edition.from_hour, tzinfo=local.tzinfo).astimezone(now.tzinfo)


def keep_asked(reader: Subscriber, now: datetime) -> datetime | None:
    """When the reader's consent lapses, if that is so soon that a mail should ask whether to keep it."""
    lapses = reader.consent.reconfirm_by
    return lapses if lapses is not None and now < lapses <= now + KEEP_WITHIN else None
