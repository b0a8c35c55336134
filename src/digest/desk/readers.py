"""As whom the desk shows the edition: somebody who gets it, or a reader who is only thought of; and why they get it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast, get_args

from sqlalchemy import Engine

from digest.database import reading
from digest.delivery import counting
from digest.desk.drafting import Draft
from digest.edition.renditions import TOPICS, Format
from digest.edition.watch_facts import WatchList
from digest.edition.watching import known_names, parse_watch_list
from digest.errors import UsageError
from digest.language import LOCALES
from digest.membership.addresses import email_key
from digest.membership.explaining import Explained, explain, explain_reader
from digest.membership.proving import number_of
from digest.subscribers import store
from digest.subscribers.consent import Consent
from digest.subscribers.regimes import UNKNOWN, reconfirm_by
from digest.subscribers.store import Subscriber

MADE_UP = "reader@reader.example"
_AGREED_BEFORE = timedelta(days=30)


class As(NamedTuple):
    """The reader that the desk shows the edition to, and what the form of a made-up one says.

    `email` is empty for one that is made up; `follows` are models as the editor typed them.
    """

    email: str = ""
    country: str = ""
    locale: str = "en"
    format: Format = "full"
    topics: tuple[str, ...] = ()
    follows: str = ""

    def __repr__(self) -> str:  # a reader's address is in no log
        return "As(…)"


def parse_as(form: Mapping[str, str], topics: Sequence[str]) -> As:
    """The form's choice. Raises UsageError for what it cannot mean; the address is looked up later."""
    if email := form.get("email", "").strip():
        return As(email=email_key(email))
    country = form.get("country", "").strip().upper()
    if country and not (country.isascii() and len(country.partition("-")[0]) == 2 and country[:2].isalpha()):
        raise UsageError("the country is no ISO 3166 code such as DE or US-CA; leave it empty for an unknown one.")
    locale, format_ = form.get("locale", "en"), form.get("format", "full")
    if locale not in LOCALES or format_ not in get_args(Format):
        raise UsageError("the language or the format is none that an edition comes in.")
    chosen = tuple(topic for topic in TOPICS if topic in topics)
    every = () if len(chosen) == len(TOPICS) else chosen
    return As("", country, locale, cast(Format, format_), every, form.get("follows", "").strip())


class Reader(NamedTuple):
    """A reader with the week of the last edition that they got before this one, and why they get this one."""

    subscriber: Subscriber
    last_week: str | None
    why: Explained


def reader_as(engine: Engine, chosen: As, draft: Draft, now: datetime) -> Reader:
    """Raises UsageError where nobody has the address, or a followed model is not known. Nothing is written."""
    settings, week = draft.settings, draft.stored.week
    if not chosen.email:
        subscriber = _made_up(chosen, draft, now)
        return Reader(subscriber, None, explain_reader(subscriber, settings, week, draft.outgoing, now))
    number = number_of(engine, settings, chosen.email, now)
    with reading(engine) as connection:
        known = store.get(connection, [number]).get(number) if number is not None else None
        deliveries = counting.deliveries_to(connection, number) if number is not None else []
    if known is None:
        raise UsageError("nobody who can be shown has this address; look it up with `digest subscribers list`.")
    sent = [one.week for one in deliveries if one.kind == "edition" and one.state == "sent" and one.week < week]
    return Reader(known, max(sent, default=None), explain(engine, settings, chosen.email, week, draft.outgoing, now))


def _made_up(chosen: As, draft: Draft, now: datetime) -> Subscriber:
    regime = draft.outgoing.regimes.of(chosen.country or UNKNOWN)
    agreed = now - _AGREED_BEFORE
    consent = Consent(
        state="confirmed",
        requested_at=agreed,
        confirmed_at=agreed,
        reconfirm_by=reconfirm_by(regime, agreed, own_act=False),
        country=chosen.country or None,
        regime=regime.code,
        method="sign-up form",
    )
    return Subscriber(
        id=1,
        email=MADE_UP,
        email_key=MADE_UP,
        consent=consent,
        locale=chosen.locale,
        topics=tuple(topic for topic in TOPICS if topic in chosen.topics),
        format=chosen.format,
        watch=_watch_list(chosen.follows, draft),
    )


def _watch_list(follows: str, draft: Draft) -> WatchList:
    named = [name.strip() for name in follows.split(",") if name.strip()]
    if not named:
        return WatchList()
    known = known_names(draft.edition, draft.needs)
    return parse_watch_list(json.dumps({"models": named}), known)


def countries(draft: Draft) -> list[tuple[str, str]]:
    """The regions that have rules of their own, as (code, name), by name."""
    rows = draft.outgoing.regimes.by_code
    return sorted(((code, regime.name) for code, regime in rows.items() if code != UNKNOWN), key=lambda row: row[1])
