"""Why a reader gets an edition or not, in words: what they agreed to, whose rules apply, the route, what comes next."""

from datetime import UTC, datetime
from typing import Literal, NamedTuple, assert_never

from sqlalchemy import Engine

from digest.config.settings import Settings
from digest.database import reading
from digest.delivery import counting, outbox
from digest.delivery.audience import have_newer, newer_mailings
from digest.delivery.counting import Delivered
from digest.edition.renditions import FORMATS, TOPICS
from digest.membership.addresses import email_key
from digest.membership.leaving import REASONS as LEFT_BECAUSE
from digest.membership.proving import number_of
from digest.membership.retention import LAPSED, UNCONFIRMED
from digest.subscribers import regimes, routing, store
from digest.subscribers.consent import LIVE, WORDINGS, ConsentEvent, State, fold
from digest.subscribers.links import LIFETIMES
from digest.subscribers.routing import Deliver, Hold, Outgoing, Route, Skip, route
from digest.subscribers.store import Subscriber

Who = Literal["reader", "erased", "nobody"]


class Explained(NamedTuple):
    """All of it as sentences. `state` is that of the consent, `week` the edition's; empty is what does not apply."""

    who: Who
    state: State
    summary: str
    consent: tuple[str, ...] = ()
    country: str = ""
    rules: tuple[str, ...] = ()
    week: str = ""
    route: str = ""
    duties: tuple[str, ...] = ()
    deliveries: tuple[str, ...] = ()
    next_step: str = ""


def explain(
    engine: Engine, settings: Settings, email: str, week: str, edition: Outgoing | None, now: datetime
) -> Explained:
    """Why the reader with this address will get, got, or did not get a week's edition.

    `edition` is what routing asks of it, None where there is no edition of that week. Raises UsageError for what is no
    address; one that is nobody's, or was erased, is said to be so.
    """
    number = number_of(engine, settings, email_key(email), now)
    if number is None:
        root = settings.series.base_url
        return Explained("nobody", "none", "No reader has this address.", next_step=f"Sign-up is at {root}/.")
    with reading(engine) as connection:
        reader = store.get(connection, [number]).get(number)
        events = [link.event for link in store.log(connection, number)]
        deliveries = counting.deliveries_to(connection, number)
        queued = outbox.find(connection, week) is not None
        newer = edition is not None and bool(have_newer(connection, newer_mailings(connection, edition.week), [number]))
    told = tuple(_told(event) for event in events)
    sent = tuple(_delivered(one) for one in deliveries)
    if reader is None:
        summary = "This address was erased: a keyed hash keeps it away, and the log is under a number alone."
        only = "Only the reader can come back, by signing up."
        return Explained("erased", fold(events).state, summary, told, deliveries=sent, next_step=only)
    own = next((one for one in deliveries if one.kind == "edition" and one.week == week), None)
    about = explain_reader(reader, settings, week, edition, now, newer_sent=newer, own=own, queued=queued)
    return about._replace(consent=told, deliveries=sent)


def explain_reader(
    reader: Subscriber,
    settings: Settings,
    week: str,
    edition: Outgoing | None,
    now: datetime,
    *,
    newer_sent: bool = False,
    own: Delivered | None = None,
    queued: bool = False,
) -> Explained:
    """What follows for a reader, or for one that is only thought of, from the consent, the rules and the edition.

    `own` is what became of this edition for them, `queued` whether it has gone to the outbox.
    """
    known = edition.regimes if edition else regimes.packaged_regimes(settings.consent.regimes)
    regime = known.of(reader.consent.regime)
    where = route(reader, edition, now, newer_sent=newer_sent) if edition else None
    return Explained(
        who="reader",
        state=reader.consent.state,
        summary=_STATES[reader.consent.state],
        country=_country(reader),
        rules=regimes.explained(regime),
        week=week,
        route=_routed(where, own, reader, week, queued, now),
        duties=tuple(regimes.said(duty, regime) for duty in where.duties) if isinstance(where, Deliver) else (),
        next_step=_next_step(reader, where, own, queued, now),
    )


_STATES: dict[State, str] = {
    "none": "This reader never agreed to anything.",
    "requested": "This reader asked to sign up and has yet to confirm it.",
    "confirmed": "This reader agreed, and the consent stands.",
    "withdrawn": "This reader left.",
    "complained": "This reader reported a mail as spam; `digest bounces undo` takes it back at their own word.",
    "bounced": "Mail to this reader came back for good; `digest bounces undo` takes it back.",
    "expired": "What this reader asked for or agreed to was not confirmed or renewed in time.",
    "erased": "This reader was erased.",
}


def moment(at: datetime) -> str:
    """`4 May 2026, 09:00 UTC`"""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def _told(event: ConsentEvent) -> str:
    """One event of the log: when, what, how, and to which words."""
    match event.kind:
        case "requested":
            what = "asked to sign up"
        case "confirmed":
            what = "agreed" + (f" until {moment(event.until)}" if event.until else "")
        case "changed":
            what = f"changed {event.detail.replace('_', ' ')}" if event.detail else "changed a choice"
        case "paused":
            what = f"paused until {moment(event.until)}" if event.until else "ended a pause"
        case "withdrawn":
            why = LEFT_BECAUSE.get(event.detail, "")
            what = "left" + (f", because “{why}”" if why else "")
        case "complained":
            what = "reported a mail as spam"
        case "bounced":
            why = f" ({event.detail.replace('_', ' ')})" if event.detail else ""
            what = f"mail came back for good{why}"
        case "expired":
            what = "was not confirmed or renewed in time"
        case "erased":
            what = "was erased"
        case other:
            assert_never(other)
    words = WORDINGS.get(event.wording, event.wording)
    agreed = f", to the words “{words}”" if words else ""
    return f"{moment(event.at)}: {what} ({event.method}){agreed}."


def _country(reader: Subscriber) -> str:
    """Where the reader is taken to be, and how that is known."""
    how = {
        "declared": "the reader said so",
        "header": "the proxy before our pages said so",
        "database": "the country database said so",
        "import": "the import said so",
    }
    country, derived = reader.consent.country, reader.consent.derived
    if country is None:
        return "The country is not known."
    return f"The country is {country}: {how[derived]}." if derived in how else f"The country is {country}."


def _routed(
    where: Route | None, own: Delivered | None, reader: Subscriber, week: str, queued: bool, now: datetime
) -> str:
    if where is None:
        return f"There is no edition of {week} yet."
    if own is not None and own.state == "sent":
        return f"The edition of {week} went to this reader on {moment(own.changed_at)}."
    if own is not None and own.state in ("skipped", "failed", "uncertain"):
        return f"What became of the edition of {week}: {_delivered(own)}"
    if queued and own is None:
        return f"This reader's consent did not live when the edition of {week} was queued."
    if isinstance(where, Deliver):
        topics = ", ".join(TOPICS[topic] for topic in where.rendition.topics) or "all topics"
        asked = routing.keep_asked(reader, now)
        keep = f", and asks to keep the consent that ends on {moment(asked)}" if asked else ""
        return f"The edition of {week} may go to this reader now: {FORMATS[where.rendition.format]}, {topics}{keep}."
    said = routing.REASONS[where.reason]
    if isinstance(where, Hold):
        return f"The edition of {week} waits until {moment(where.until)}. {said}"
    return f"The edition of {week} does not go to this reader. {said}"


def _delivered(one: Delivered) -> str:
    """What became of one mailing: `Edition 2026-W18: sent, 4 May 2026, 09:00 UTC (dot: 250 ok).`"""
    said = routing.REASONS.get(one.outcome, one.outcome) if one.outcome else ""  # type: ignore[call-overload]
    again = f"; due {moment(one.next_attempt_at)}" if one.next_attempt_at else ""
    why = f" ({said.rstrip('.')})" if said else ""
    return f"{one.kind.capitalize()} {one.week}: {_DONE[one.state]}, {moment(one.changed_at)}{why}{again}."


_DONE: dict[outbox.State, str] = {
    "held": "held back",
    "pending": "waiting to be sent",
    "claimed": "being sent",
    "dot": "being sent",
    "sent": "sent",
    "deferred": "put off by the other side",
    "failed": "failed for good",
    "skipped": "not sent",
    "uncertain": "perhaps sent; nobody knows",
}


def _next_step(reader: Subscriber, where: Route | None, own: Delivered | None, queued: bool, now: datetime) -> str:
    consent = reader.consent
    if consent.state == "requested" and consent.requested_at:
        if now < (ends := consent.requested_at + LIFETIMES["confirm"]):
            return f"The reader confirms by the link in the mail, which works until {moment(ends)}."
        return f"The link to confirm is over; the address goes after {moment(consent.requested_at + UNCONFIRMED)}."
    if consent.state == "expired":
        return f"The reader can renew it by the link in the last mail; after {LAPSED.days} days the address is erased."
    if consent.state != LIVE:
        return "Nothing is sent unless the reader agrees anew."
    if own is not None and own.state in _OF_DELIVERY:
        return _OF_DELIVERY[own.state]
    if queued and own is None:
        return "The next edition is looked at anew."
    match where:
        case None:
            return "The next edition is looked at when it is approved and sent."
        case Deliver():
            return "It goes out when the edition is approved and sent." if own is None else _OF_DELIVERY["pending"]
        case Hold():
            return f"It is sent after {moment(where.until)}."
        case Skip():
            return "The next edition is looked at anew."


_OF_DELIVERY: dict[outbox.State, str] = {
    "pending": "`digest send` sends it.",
    "claimed": "It is on its way.",
    "dot": "It is on its way.",
    "sent": "Nothing: this edition is sent, and is sent once.",
    "deferred": "`digest send` tries again when it is due.",
    "failed": "Look at the other side's answer; the next edition is tried anew.",
    "uncertain": "`digest reconcile` settles it, by the relay's log or your word; it is not sent again by itself.",
    "skipped": "The next edition is looked at anew.",
}
