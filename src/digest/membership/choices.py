"""A reader's own choices: what the mail holds, when it pauses. Reached by a link that was mailed to the reader."""

import difflib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple, cast

from sqlalchemy import Connection, Engine

from digest.config.settings import Settings
from digest.database import reading, writing
from digest.edition import store as editions
from digest.edition.needs import packaged_needs
from digest.edition.numbers import shown
from digest.edition.renditions import FORMATS, Format, Topic
from digest.edition.watch_facts import WatchList
from digest.edition.watching import Known, known_names, parse_watch_list
from digest.errors import DigestError, UsageError
from digest.language import _, pgettext
from digest.membership.signing_up import Result, parse_country, parse_locale, parse_topics
from digest.subscribers import links, regimes, store
from digest.subscribers.consent import LIVE, ConsentEvent
from digest.subscribers.routing import KEEP_WITHIN
from digest.subscribers.store import Subscriber

PAUSE_WEEKS = 4
MOST_WATCHED = 10

_PRESSED_AGAIN = timedelta(days=1)

QuietWeeks = Literal["note", "skip"]


class FieldError(UsageError):
    """What is wrong with a field of the form, in the language that is spoken."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


class Choices(NamedTuple):
    """What a reader chose. No topics means all of them."""

    topics: tuple[Topic, ...]
    watch: WatchList
    locale: str
    format: Format
    quiet_weeks: QuietWeeks
    country: str | None


class Account(NamedTuple):
    """What the preferences page shows; the tokens are for its links, each for one purpose."""

    email: str
    state: str
    since: date | None
    choices: Choices
    paused_until: date | None
    country_derived: str
    events: int
    my_data: str
    forget: str
    unsubscribe: str

    def __repr__(self) -> str:
        return f"Account(state={self.state!r}, since={self.since!r})"


def account(engine: Engine, settings: Settings, token: str, keys: Sequence[bytes], now: datetime) -> Account | Result:
    """The reader whom a preferences token names, or "expired" or "unknown"."""
    with reading(engine) as connection:
        reader = whose(connection, token, "preferences", keys, now)
        if not isinstance(reader, Subscriber):
            return reader
        events = len(store.log(connection, reader.id))
    consent, zone = reader.consent, settings.series.zone
    paused = consent.paused_until if consent.paused_until and consent.paused_until > now else None
    return Account(
        email=reader.email,
        state=consent.state,
        since=consent.confirmed_at.astimezone(zone).date() if consent.confirmed_at else None,
        choices=choices_of(reader),
        paused_until=paused.astimezone(zone).date() if paused else None,
        country_derived=consent.derived,
        events=events,
        my_data=links.sign("my-data", reader.id, keys, now),
        forget=links.sign("forget", reader.id, keys, now),
        unsubscribe=links.sign(links.UNSUBSCRIBE, reader.id, keys),
    )


def choices_of(reader: Subscriber) -> Choices:
    """What a reader chose until now."""
    return Choices(
        topics=reader.topics,
        watch=reader.watch,
        locale=reader.locale,
        format=reader.format,
        quiet_weeks=cast(QuietWeeks, reader.quiet_weeks),
        country=reader.consent.country,
    )


def whose(
    connection: Connection, token: str, purpose: str, keys: Sequence[bytes], now: datetime, *, acting: bool = False
) -> Subscriber | Literal["expired", "unknown"]:
    """The reader whom a token names for a purpose. A link outlives neither its time nor its reader.

    `acting` keeps others from changing the reader until the transaction ends.
    """
    read = links.read(token, purpose, keys, now)
    if read is None:
        return "unknown"
    reader = store.lock(connection, read.subscriber_id) if acting else store.one(connection, read.subscriber_id)
    return "expired" if read.expired or reader is None else reader


def language_of(
    engine: Engine, token: str, purposes: Sequence[str], keys: Sequence[bytes], now: datetime
) -> str | None:
    """The language of the reader whom a token for one of the purposes names, be it over or not; None for nobody's."""
    read = next(filter(None, (links.read(token, purpose, keys, now) for purpose in purposes)), None)
    if read is None:
        return None
    with reading(engine) as connection:
        reader = store.one(connection, read.subscriber_id)
    return reader.locale if reader else None


def fresh_token(engine: Engine, confirm_token: str, keys: Sequence[bytes], now: datetime) -> str | None:
    """A preferences token for the reader who has just confirmed by this token; None if they did not."""
    read = links.read(confirm_token, "confirm", keys, now)
    if read is None or read.expired:
        return None
    with reading(engine) as connection:
        reader = store.one(connection, read.subscriber_id)
    just = reader is not None and reader.consent.state == LIVE and reader.consent.confirmed_at == now
    return links.sign("preferences", read.subscriber_id, keys, now) if just else None


def parse(
    fields: Mapping[str, str],
    topics: Sequence[str],
    add: str,
    remove: Sequence[str],
    before: Choices,
    engine: Engine,
) -> Choices:
    """Choices from the form's fields locale, format, quiet_weeks and country.

    `add` is a name to follow (a model, maker, benchmark, category or need), `remove` names followed until now. Raises
    UsageError with the reason, FieldError where it is one of topics or add.
    """
    reads, quiet = fields.get("format", before.format), fields.get("quiet_weeks", before.quiet_weeks)
    if reads not in FORMATS:
        raise UsageError(_("format is none of %(formats)s.", formats=", ".join(FORMATS)))
    if quiet not in ("note", "skip"):
        raise UsageError(_("quiet_weeks is neither note nor skip."))
    if not topics:
        raise FieldError("topics", _("Choose at least one, or leave."))
    return Choices(
        topics=parse_topics(topics),
        watch=_following(before.watch, add.strip(), remove, engine),
        locale=parse_locale(fields.get("locale", before.locale)),
        format=cast(Format, reads),
        quiet_weeks=cast(QuietWeeks, quiet),
        country=parse_country(fields.get("country", before.country or "")),
    )


_NAMED = ("models", "providers", "benchmarks", "categories", "needs")


def _following(before: WatchList, add: str, remove: Sequence[str], engine: Engine) -> WatchList:
    kept = {key: [name for name in getattr(before, key) if name not in remove] for key in _NAMED}
    if add:
        if sum(map(len, kept.values())) >= MOST_WATCHED:
            raise FieldError("add", _("%(count)s are followed already; take one off first.", count=MOST_WATCHED))
        key, name = _named(add, engine)
        kept[key] = list(dict.fromkeys([*kept[key], name]))
    return WatchList.model_validate({**kept, "thresholds": before.thresholds})


def _named(add: str, engine: Engine) -> tuple[str, str]:
    """What a typed name is, and how we write it. Raises UsageError with the nearest names."""
    with reading(engine) as connection:
        newest = editions.newest_approved(connection)
    if newest is None:
        raise FieldError("add", _("There is no edition yet whose models could be followed."))
    known = known_names(newest.edition, tuple(packaged_needs().needs))
    for key in _NAMED:
        with suppress(DigestError):
            return key, getattr(parse_watch_list(json.dumps({key: [add]}), known), key)[0]
    near, name = _nearest(add, known), shown(add, 60)
    raise FieldError(
        "add",
        _('Nothing called "%(name)s" can be followed; did you mean %(near)s?', name=name, near=near)
        if near
        else _(
            'Nothing called "%(name)s" can be followed; write the name of a model, maker, benchmark, category or need.',
            name=name,
        ),
    )


def _nearest(add: str, known: Known) -> str:
    """Names like the one that was typed, of the first kind that has any; empty where none has."""
    typed = " ".join(add.lower().replace("-", " ").replace("_", " ").split())[:80]
    between = pgettext("between names", "or")
    for kind in known:
        near = difflib.get_close_matches(typed, kind, n=3, cutoff=0.5)
        if near:
            return f" {between} ".join(shown(kind[one]) for one in near)
    return ""


def change(
    engine: Engine, settings: Settings, token: str, choices: Choices, keys: Sequence[bytes], now: datetime
) -> Result:
    """Keep the reader's choices. The consent log says what was changed, not into what."""
    with writing(engine) as connection:
        reader = whose(connection, token, "preferences", keys, now, acting=True)
        if not isinstance(reader, Subscriber):
            return reader
        before = choices_of(reader)
        changed = [name for name in Choices._fields if getattr(before, name) != getattr(choices, name)]
        if not changed:
            return "done"
        store.save_choices(
            connection,
            reader.id,
            locale=choices.locale,
            topics=choices.topics,
            format=choices.format,
            quiet_weeks=choices.quiet_weeks,
            watch=choices.watch,
        )
        event = _changed(reader, settings, choices.country, ", ".join(changed), now)
        store.append(connection, reader.id, event)
        return "done"


def _changed(reader: Subscriber, settings: Settings, country: str | None, detail: str, now: datetime) -> ConsentEvent:
    """Choosing is an act of the reader's own, from which some regions count on; where the reader is may be chosen."""
    table = regimes.packaged_regimes(settings.consent.regimes)
    regime, moved = table.of(country), country != reader.consent.country
    lapses = regimes.reconfirm_by(regime, now, own_act=True)
    if moved and reader.consent.confirmed_at is not None:
        given = regimes.reconfirm_by(regime, reader.consent.confirmed_at, own_act=False)
        lapses = lapses or given or reader.consent.reconfirm_by
        lapses = max(lapses, now + KEEP_WITHIN) if lapses else None  # the mail asks before it ends
    return ConsentEvent(
        kind="changed",
        at=now,
        method="preferences page",
        country=country,
        derived=("declared" if country else "unknown") if moved else reader.consent.derived,
        regime=regime.code,
        regime_version=table.version,
        until=lapses if reader.consent.lives(now) else None,
        detail=detail,
    )


def pause(engine: Engine, token: str, weeks: int, keys: Sequence[bytes], now: datetime) -> Result:
    """Hold the reader's mail for so many weeks; 0 ends a pause. Takes a preferences or an unsubscribe token."""
    with writing(engine) as connection:
        reader = whose(connection, token, "preferences", keys, now, acting=True)
        if reader == "unknown":
            reader = whose(connection, token, links.UNSUBSCRIBE, keys, now, acting=True)
        if not isinstance(reader, Subscriber):
            return reader
        if reader.consent.state != LIVE:
            return "already"
        paused = reader.consent.paused_until
        if weeks and paused is not None and paused > now + timedelta(weeks=weeks) - _PRESSED_AGAIN:
            return "done"
        until = now + timedelta(weeks=weeks) if weeks else None
        store.append(connection, reader.id, ConsentEvent("paused", now, "pause button", until=until))
        return "done"
