"""Signing up: a request, its confirmation mail, the answer to it. Each step is one transaction."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, cast

from sqlalchemy import Connection, Engine

from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery import outbox
from digest.edition.renditions import TOPICS, Topic
from digest.errors import UsageError
from digest.language import LOCALES, _
from digest.membership.addresses import email_key
from digest.subscribers import consent, links, regimes, store
from digest.subscribers.consent import LIVE, Consent, ConsentEvent, fold
from digest.subscribers.regimes import Regime
from digest.subscribers.routing import keep_asked
from digest.subscribers.store import Newcomer, Subscriber

Result = Literal["done", "already", "expired", "unknown"]
"""done: it is so now.   already: it was so.   expired: the link is ours, its time is over.   unknown: not our link."""

Derived = Literal["declared", "header", "database", "unknown"]

ASKED_AGAIN = timedelta(hours=24)
"""So long one address gets one confirmation mail."""

A_WHILE = timedelta(days=30)
"""So long one address gets three of them at most."""

_MOST_IN_A_WHILE = 3
_GIVEN_OR_TAKEN = ("confirmed", "withdrawn")
_COUNTRY = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


class Request(NamedTuple):
    """A visitor's request, parsed. `country` is an ISO 3166 code or None; `derived` says how it was learnt.

    `wording` is the version of the words that were shown; empty for the newest ones in the language of the request.
    """

    email: str
    email_key: str
    topics: tuple[Topic, ...]
    locale: str
    country: str | None
    derived: Derived
    method: str = "sign-up form"
    wording: str = ""

    def __repr__(self) -> str:
        return f"Request(country={self.country!r}, derived={self.derived!r}, method={self.method!r})"


def parse(
    fields: Mapping[str, str],
    topics: Sequence[str],
    located: str | None,
    derived: Literal["header", "database", "unknown"],
    method: str = "sign-up form",
) -> Request:
    """A request from a form's fields email, locale, country and agree; `wording` is the version of what agree says.
    A declared country goes before a located one.

    Raises UsageError with the reason, never naming the address.
    """
    email = fields.get("email", "").strip()
    if not email:
        raise UsageError("email is missing: write the address that the mail is to go to.")
    key = email_key(email)
    if not fields.get("agree", "").strip():
        raise UsageError("agree is not ticked: we may only write to you if you say so.")
    declared = parse_country(fields.get("country", ""))
    return Request(
        email=email,
        email_key=key,
        topics=parse_topics(topics),
        locale=parse_locale(fields.get("locale", "")),
        country=declared or located,
        derived="declared" if declared else derived if located else "unknown",
        method=method,
        wording=fields.get("wording", ""),
    )


def parse_country(text: str) -> str | None:
    """An ISO 3166 code (DE, US-CA) or None for nothing. Raises UsageError."""
    code = text.strip().upper()
    if code and not _COUNTRY.fullmatch(code):
        raise UsageError(_("country is no ISO 3166 code such as DE."))
    return code or None


def parse_locale(text: str) -> str:
    """One of the languages that there are, English for nothing. Raises UsageError."""
    if text and text not in LOCALES:
        raise UsageError(_("locale is none of %(locales)s.", locales=", ".join(LOCALES)))
    return text or "en"


def parse_topics(chosen: Sequence[str]) -> tuple[Topic, ...]:
    """Topics in their order; all of them are none. Raises UsageError for one that is not known."""
    if not set(chosen) <= set(TOPICS):
        raise UsageError(_("topics are %(topics)s.", topics=", ".join(TOPICS)))
    kept = tuple(topic for topic in TOPICS if topic in chosen)
    return () if len(kept) == len(TOPICS) else kept


def sign_up(engine: Engine, settings: Settings, request: Request, now: datetime) -> None:
    """Take a request. What follows goes by mail alone, so that nobody learns here who is known.

    Someone new, or who left, gets a confirmation mail; who is subscribed gets a link to their preferences; who was
    asked a short while ago, who complained, and whose mailbox is gone get nothing.
    """
    wording = _agreed(request.wording, request.locale)
    event = _event("requested", settings, now, request.method, request.country, request.derived, wording)
    newcomer = Newcomer(request.email, request.email_key, event, request.locale, request.topics)
    with writing(engine) as connection:
        keys = store.link_keys(connection, settings.links, now)
        if _is_barred(connection, request.email_key, keys):
            return
        number = store.add_one(connection, newcomer, now)
        known = None if number else store.find(connection, request.email_key, acting=True)
        if number:
            outbox.queue_letter(connection, "confirmation", number, now)
        elif known is None:
            return  # erased at this very moment by another process
        elif known.consent.lives(now):
            _mail_link(connection, known, now)
        elif _may_be_asked(connection, known, now):
            store.save_details(connection, known.id, request.email, request.locale, request.topics)
            if known.consent.state == LIVE:  # it lapsed, and nobody has written that down yet
                store.append(connection, known.id, ConsentEvent("expired", now, request.method))
            store.append(connection, known.id, event)
            outbox.queue_letter(connection, "confirmation", known.id, now)


def _may_be_asked(connection: Connection, known: Subscriber, now: datetime) -> bool:
    """Nobody is asked twice in a day, or four times in a month, or ever again after refusing to be."""
    if _refuses(known.consent):
        return False
    # Each request was answered by one letter; a letter's own row does not say when it was asked for.
    asked = [now - link.event.at for link in store.log(connection, known.id) if link.event.kind == "requested"]
    return all(ago >= ASKED_AGAIN for ago in asked) and sum(ago < A_WHILE for ago in asked) < _MOST_IN_A_WHILE


def _refuses(consent: Consent) -> bool:
    """Who complained, whose mailbox is gone, and who answered a request that they never made is not asked again."""
    unasked = consent.state == "withdrawn" and consent.confirmed_at is None
    return unasked or consent.state in ("complained", "bounced")


def _is_barred(connection: Connection, key: str, keys: Sequence[bytes]) -> bool:
    """Whether an address was erased after it had refused: being forgotten does not undo that."""
    number = store.refused(connection, [key], keys).get(key)
    events = [link.event for link in store.log(connection, number)] if number is not None else []
    return bool(events) and _refuses(fold(events[:-1]))


def _mail_link(connection: Connection, known: Subscriber, now: datetime) -> None:
    """At most one a day, and for who is not subscribed three a month: anybody may ask for it."""
    most = 10 * _MOST_IN_A_WHILE if known.consent.state == LIVE else _MOST_IN_A_WHILE
    if outbox.letters_to(connection, "preferences", known.id, now - A_WHILE) < most:
        outbox.queue_letter(connection, "preferences", known.id, now)


def send_link(engine: Engine, settings: Settings, key: str, now: datetime) -> None:  # noqa: ARG001
    """Mail a link to their preferences to a reader, if there is one with this address; silent otherwise."""
    with writing(engine) as connection:
        known = store.find(connection, key)
        if known is not None and known.consent.state in outbox.LETTERS["preferences"]:
            _mail_link(connection, known, now)


def expected(engine: Engine, token: str, keys: Sequence[bytes], now: datetime) -> Result:
    """What confirming by this token would come to now; changes nothing."""
    with reading(engine) as connection:
        return _expected(connection, token, keys, now)[0]


def standing(engine: Engine, settings: Settings, token: str, keys: Sequence[bytes], now: datetime) -> Regime:
    """The rules for the reader who is asked by a token; the strictest ones where there is none."""
    with reading(engine) as connection:
        reader = _expected(connection, token, keys, now)[1]
    table = regimes.packaged_regimes(settings.consent.regimes)
    return table.of(reader.consent.regime if reader else None)


def confirm(
    engine: Engine, settings: Settings, token: str, keys: Sequence[bytes], now: datetime, wording: str = ""
) -> Result:
    """Give the consent that was asked for by mail, or keep one that is about to lapse.

    `wording` is the version of the words that were shown, empty for the newest in the reader's language.
    """
    with writing(engine) as connection:
        result, reader = _expected(connection, token, keys, now, acting=True)
        if result == "done" and reader is not None:
            method = "confirmation link" if reader.consent.state == "requested" else "link to keep it"
            country, derived = reader.consent.country, reader.consent.derived
            agreed = _agreed(wording, reader.locale)
            event = _event("confirmed", settings, now, method, country, cast(Derived, derived), agreed)
            store.append(connection, reader.id, event)
        return result


def _expected(
    connection: Connection, token: str, keys: Sequence[bytes], now: datetime, *, acting: bool = False
) -> tuple[Result, Subscriber | None]:
    """A confirmation link works for the one request that it answers, and once."""
    keep = links.read(token, links.KEEP, keys, now)
    read = keep or links.read(token, "confirm", keys, now)
    if read is None:
        return "unknown", None
    reader = store.lock(connection, read.subscriber_id) if acting else store.one(connection, read.subscriber_id)
    if reader is None:
        return "expired", None
    state, asked = reader.consent.state, reader.consent.requested_at
    if keep is not None:
        lapsed = state == LIVE and not reader.consent.lives(now)
        lapses = lapsed or _lapsed(connection, reader) or (state == LIVE and keep_asked(reader, now))
        return ("done" if lapses else "already" if state == LIVE else "expired"), reader
    if asked is None or read.made_at is None or links.seconds(read.made_at) != links.seconds(asked):
        return "expired", reader
    if state == LIVE:
        return "already", reader
    return ("done" if state == "requested" and not read.expired else "expired"), reader


def _lapsed(connection: Connection, reader: Subscriber) -> bool:
    """Whether it was time alone that ended the consent that was given last: one that was withdrawn is not kept."""
    kinds = [link.event.kind for link in store.log(connection, reader.id) if link.event.kind in _GIVEN_OR_TAKEN]
    return reader.consent.state == "expired" and kinds[-1:] == ["confirmed"]


def _agreed(shown: str, locale: str) -> str:
    """The version of the words that a form showed; where it says none of ours, of the newest in the language."""
    return shown if shown in consent.WORDINGS else consent.wording(locale)[0]


def _event(
    kind: Literal["requested", "confirmed"],
    settings: Settings,
    now: datetime,
    method: str,
    country: str | None,
    derived: Derived,
    wording: str,
) -> ConsentEvent:
    """An act of the reader's with all that proves it."""
    table = regimes.packaged_regimes(settings.consent.regimes)
    regime = table.of(country)
    return ConsentEvent(
        kind=kind,
        at=now,
        method=method,
        wording=wording,
        wording_hash=consent.hash_of(consent.WORDINGS[wording]),
        country=country,
        derived=derived,
        regime=regime.code,
        regime_version=table.version,
        until=regimes.reconfirm_by(regime, now, own_act=False) if kind == "confirmed" else None,
    )
