"""An edition's audience, selected in SQL: what `subscribers.routing.route` says of one reader, for all at once.

The conditions stand in the order in which `route` asks; `tests/delivery/test_audience.py` holds the two against each
other.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, case, false, literal, null, or_, select

import digest.delivery.tables  # noqa: F401 (the import registers the tables)
from digest.database import UtcDateTime, metadata
from digest.delivery.due import provider_column
from digest.subscribers.consent import LIVE
from digest.subscribers.routing import Outgoing, Reason, night_until

_subscriber = metadata.tables["subscriber"]
_word = metadata.tables["watch_word"]
_delivery = metadata.tables["delivery"]
_mailing = metadata.tables["mailing"]

_WORDS = 500  # in one IN (...)


def audience(
    connection: Connection, edition: Outgoing, now: datetime, *more: ColumnElement[Any]
) -> Select[tuple[Any, ...]]:
    """Columns subscriber_id, state, next_attempt_at, outcome and provider of a delivery for each reader whose consent
    lives; and `more` of the reader's own.

    Reads which mailings are newer, and nothing else; the select itself is the caller's to run.
    """
    # Conditions go as (when, state, until, reason), the first that holds wins; else the delivery is pending.
    judged = [
        (_subscriber.c.reconfirm_by <= now, "skipped", None, "reconfirmation_due"),
        *_newer_sent(connection, edition),
        *_later(_subscriber.c.paused_until > now, _subscriber.c.paused_until, "paused", edition),
        *_quiet(edition),
        *_nights(edition, now),
    ]
    whens = [when for when, *_rest in judged]
    states = case(*((when, state) for when, state, *_rest in judged), else_="pending")
    moments = [null() if until is None else until for _when, _state, until, _reason in judged]
    until = case(*zip(whens, moments, strict=True), else_=null())
    reasons = case(*((when, reason) for when, _state, _until, reason in judged), else_="")
    return select(
        _subscriber.c.id.label("subscriber_id"),
        states.label("state"),
        until.label("next_attempt_at"),
        reasons.label("outcome"),
        provider_column(_subscriber.c.email_key, connection.dialect.name).label("provider"),
        *more,
    ).where(_subscriber.c.state == LIVE)


_Judged = tuple[ColumnElement[bool], str, Any, Reason]


def newer_mailings(connection: Connection, week: str, kind: str = "edition") -> list[int]:
    """The mailings of editions after a week, or of letters after a day; hardly ever there are any."""
    return list(connection.scalars(_LATER, {"kind": kind, "week": week}))


_LATER = select(_mailing.c.id).where(_mailing.c.kind == bindparam("kind"), _mailing.c.week > bindparam("week"))


def have_newer(connection: Connection, newer: Collection[int], ids: Collection[int]) -> set[int]:
    """Those of the readers to whom one of these mailings went, or may have gone, or is going."""
    if not newer:
        return set()
    went = and_(_delivery.c.mailing_id.in_(newer), _delivery.c.state.in_(GONE))
    return set(connection.scalars(select(_delivery.c.subscriber_id).where(went, _delivery.c.subscriber_id.in_(ids))))


GONE = ("pending", "claimed", "dot", "sent", "deferred", "uncertain")
"""The states of a delivery that went, may have gone, or is going."""


def _newer_sent(connection: Connection, edition: Outgoing) -> list[_Judged]:
    newer = newer_mailings(connection, edition.week)
    if not newer:
        return []
    same = _delivery.c.subscriber_id == _subscriber.c.id
    has_it = select(_delivery.c.id).where(same, _delivery.c.mailing_id.in_(newer), _delivery.c.state.in_(GONE)).exists()
    return [(has_it, "skipped", None, "newer_sent")]


def _later(when: ColumnElement[bool], until: Any, reason: Reason, edition: Outgoing) -> list[_Judged]:
    """Held where that ends before the edition's time does, else skipped."""
    in_time: ColumnElement[bool] = until < edition.closes_at
    return [(and_(when, in_time), "held", until, reason), (when, "skipped", None, reason)]


def _quiet(edition: Outgoing) -> list[_Judged]:
    if not edition.quiet:
        return []
    words = sorted(edition.stirred)
    chunks = [words[start : start + _WORDS] for start in range(0, len(words), _WORDS)]
    mine = _word.c.subscriber_id == _subscriber.c.id
    followed = or_(false(), *(select(_word.c.word).where(mine, _word.c.word.in_(chunk)).exists() for chunk in chunks))
    wants_none = _subscriber.c.quiet_weeks == "skip"
    return [(and_(wants_none, ~followed), "skipped", None, "quiet_week")]


def _nights(edition: Outgoing, now: datetime) -> list[_Judged]:
    """One condition for all regimes whose readers wake at the same moment. A code without a row goes by another's."""
    known = list(edition.regimes.by_code)
    by_morning: dict[datetime, list[str]] = {}
    for code in known:
        morning = night_until(edition.regimes.of(code), edition, now)
        if morning is not None:
            by_morning.setdefault(morning, []).append(code)
    judged = []
    for morning, codes in by_morning.items():
        here: ColumnElement[bool] = _subscriber.c.regime.in_(codes)
        if edition.regimes.of(None).code in codes:
            here = or_(here, _subscriber.c.regime.not_in(known))
        judged += _later(here, literal(morning, UtcDateTime), "night", edition)
    return judged
