"""Readers, their consent log and the key that signs their links, in the database."""

import hmac
import json
import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

import digest.subscribers.tables  # noqa: F401 (the import registers the tables)
from digest.config.sections import Links
from digest.database import leave_no_trace, metadata
from digest.edition.renditions import TOPICS, Format, Topic
from digest.edition.watch_facts import WatchList
from digest.edition.watching import words_of
from digest.subscribers.consent import LIVE, Consent, ConsentEvent, Link, State, chain, fold

CHUNK = 500  # names in one IN (...): well below what either database takes


_subscriber = metadata.tables["subscriber"]
_word = metadata.tables["watch_word"]
_event = metadata.tables["consent_event"]
_refusal = metadata.tables["refusal"]
_key = metadata.tables["link_key"]
_brake = metadata.tables["brake"]

_FOLDED = tuple(one.name for one in fields(Consent))
_EVENT = tuple(one.name for one in fields(ConsentEvent))


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A reader to be added, with the event that lets us. `email_key` is the address in the form that is compared."""

    email: str = field(repr=False)
    email_key: str = field(repr=False)
    event: ConsentEvent
    locale: str = "en"
    topics: tuple[Topic, ...] = ()


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A reader: the address as typed and as compared, the consent, and what the mail is to be like. No topics: all."""

    id: int
    email: str = field(repr=False)
    email_key: str = field(repr=False)
    consent: Consent
    locale: str
    topics: tuple[Topic, ...]
    format: Format = "full"
    quiet_weeks: str = "note"
    watch: WatchList = field(default_factory=WatchList)

    @property
    def mailbox(self) -> str:
        """The address on the wire: the local part as typed, the domain in ASCII (RFC 5890)."""
        return f"{self.email.rpartition('@')[0]}@{self.email_key.rpartition('@')[2]}"


def add(connection: Connection, newcomers: Sequence[Newcomer], now: datetime) -> list[int]:
    """Store readers that are not there yet, each with the first event of a log; answers with their numbers."""
    rows, events = _first_rows(newcomers, now)
    if rows:
        connection.execute(insert(_subscriber), rows)
        connection.execute(insert(_event), events)
    return [row["id"] for row in rows]


def add_one(connection: Connection, newcomer: Newcomer, now: datetime) -> int | None:
    """Store a reader who is not there yet; None for one who is, or whom another process adds at the same moment."""
    (row,), (event,) = _first_rows([newcomer], now)
    insert_into = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    # Not tried and caught: PostgreSQL writes an address that breaks a constraint into its log.
    wanted = insert_into(_subscriber).values(row).on_conflict_do_nothing(index_elements=["email_key"])
    number: int | None = connection.scalar(wanted.returning(_subscriber.c.id))
    if number is not None:
        connection.execute(insert(_event), event)
    return number


def _first_rows(newcomers: Sequence[Newcomer], now: datetime) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Newcomers as rows of the readers and of the log."""
    rows, events = [], []
    for newcomer in newcomers:
        number = secrets.randbits(63)  # random, so that neither a link nor a log tells how many readers there are
        links = chain([newcomer.event])
        rows.append(
            {
                "id": number,
                "email": newcomer.email,
                "email_key": newcomer.email_key,
                "locale": newcomer.locale,
                "topics": json.dumps(newcomer.topics),
                "format": "full",
                "quiet_weeks": "note",
                "watch_list": "",
                "created_at": now,
                **_folded(fold([newcomer.event])),
                **_head(links[-1]),
            }
        )
        events.append(_event_row(number, links[-1]))
    return rows, events


def append(connection: Connection, subscriber_id: int, event: ConsentEvent) -> Consent:
    """Add an event to a reader's log and keep the columns that follow from it. An erased reader has only the log."""
    # The lock makes two events of one reader follow one another; SQLite lets only one transaction write anyway.
    connection.execute(select(_subscriber.c.id).where(_subscriber.c.id == subscriber_id).with_for_update())
    known = log(connection, subscriber_id)
    (link,) = chain([event], known[-1] if known else None)
    connection.execute(insert(_event), _event_row(subscriber_id, link))
    consent = fold([*(one.event for one in known), event])
    values = {**_folded(consent), **_head(link)}
    connection.execute(update(_subscriber).where(_subscriber.c.id == subscriber_id).values(values))
    return consent


def _event_row(subscriber_id: int, link: Link) -> dict[str, Any]:
    said = {name: getattr(link.event, name) for name in _EVENT}
    return {"subscriber_id": subscriber_id, "number": link.number, **said, "hash": link.hash}


def _folded(consent: Consent) -> dict[str, Any]:
    return {name: getattr(consent, name) for name in _FOLDED}


def _head(link: Link) -> dict[str, Any]:
    return {"log_number": link.number, "log_hash": link.hash}


def save_choices(
    connection: Connection,
    subscriber_id: int,
    *,
    locale: str,
    topics: tuple[Topic, ...],
    format: Format,
    quiet_weeks: str,
    watch: WatchList,
) -> None:
    """Keep what a reader chose. The consent log says that they chose, not what."""
    held = "" if watch == WatchList() else watch.model_dump_json(exclude_defaults=True)
    values = {
        "locale": locale,
        "topics": json.dumps(topics),
        "format": format,
        "quiet_weeks": quiet_weeks,
        "watch_list": held,
    }
    connection.execute(update(_subscriber).where(_subscriber.c.id == subscriber_id).values(values))
    connection.execute(delete(_word).where(_word.c.subscriber_id == subscriber_id))
    words = [{"subscriber_id": subscriber_id, "word": word} for word in sorted(words_of(watch))]
    if words:
        connection.execute(insert(_word), words)


def save_details(
    connection: Connection, subscriber_id: int, email: str, locale: str, topics: tuple[Topic, ...]
) -> None:
    """Keep how a reader who signs up anew typed the address, and what they ask for now."""
    values = {"email": email, "locale": locale, "topics": json.dumps(topics)}
    connection.execute(update(_subscriber).where(_subscriber.c.id == subscriber_id).values(values))


def erase(connection: Connection, subscriber_id: int, event: ConsentEvent, keys: Sequence[bytes]) -> None:
    """Forget a reader: the row with the address goes, a keyed hash of it and the log of a number stay."""
    reader = get(connection, [subscriber_id])[subscriber_id]
    append(connection, subscriber_id, event)
    known = [refusal_key(reader.email_key, keys[place:]) for place in range(len(keys))]
    connection.execute(delete(_refusal).where(_refusal.c.key.in_(known)))
    connection.execute(insert(_refusal), {"key": known[0], "subscriber_id": subscriber_id, "at": event.at})
    connection.execute(delete(_word).where(_word.c.subscriber_id == subscriber_id))
    connection.execute(delete(_subscriber).where(_subscriber.c.id == subscriber_id))
    leave_no_trace(connection)


def refusal_key(email_key: str, keys: Sequence[bytes]) -> str:
    """The hash under which an erased address is remembered, made with the first key."""
    return hmac.digest(keys[0], b"refusal" + email_key.encode(), "sha256").hex()


def refused(connection: Connection, email_keys: Sequence[str], keys: Sequence[bytes]) -> dict[str, int]:
    """Those of the addresses that were erased, each with the number of the log that was theirs.

    They are looked for under each key: one that was put in front of the others does not lift a refusal.
    """
    hashes = {refusal_key(one, keys[place:]): one for place in range(len(keys)) for one in email_keys}
    found: dict[str, int] = {}
    for chunk in _chunks(list(hashes)):
        rows = connection.execute(select(_refusal.c.key, _refusal.c.subscriber_id).where(_refusal.c.key.in_(chunk)))
        found.update({hashes[row.key]: row.subscriber_id for row in rows})
    return found


def log(connection: Connection, subscriber_id: int) -> tuple[Link, ...]:
    """A number's consent log as it is stored, oldest first."""
    rows = connection.execute(select(_event).where(_event.c.subscriber_id == subscriber_id).order_by(_event.c.id))
    return tuple(_link_of(row) for row in rows.mappings())


def logs(connection: Connection) -> Iterator[tuple[int, tuple[Link, ...], RowMapping | None]]:
    """Every log there is, each with its number and its reader's row, which an erased one has not."""
    readers = _subscriber.alias()
    both = _event.outerjoin(readers, readers.c.id == _event.c.subscriber_id)
    columns = [*_event.c, *(column.label(f"reader_{column.name}") for column in readers.c)]
    wanted = select(*columns).select_from(both).order_by(_event.c.subscriber_id, _event.c.id)
    number, links, last = None, list[Link](), None
    for row in connection.execute(wanted, execution_options={"yield_per": 2000}).mappings():
        if number is not None and row["subscriber_id"] != number:
            yield number, tuple(links), last
            links = []
        number, last = row["subscriber_id"], row if row["reader_id"] is not None else None
        links.append(_link_of(row))
    if number is not None:
        yield number, tuple(links), last


def without_log(connection: Connection) -> int:
    """How many readers have no event at all."""
    has_one = select(_event.c.id).where(_event.c.subscriber_id == _subscriber.c.id).exists()
    return connection.scalar(select(func.count()).select_from(_subscriber).where(~has_one)) or 0


def _link_of(row: RowMapping) -> Link:
    return Link(row["number"], ConsentEvent(**{name: row[name] for name in _EVENT}), row["hash"])


def find(connection: Connection, email_key: str, *, acting: bool = False) -> Subscriber | None:
    """The reader with this address. `acting` keeps others from changing them until the transaction ends."""
    wanted = select(_subscriber).where(_subscriber.c.email_key == email_key)
    row = connection.execute(wanted.with_for_update() if acting else wanted).mappings().first()
    return None if row is None else subscriber_of(row)


def one(connection: Connection, subscriber_id: int) -> Subscriber | None:
    """The reader with this number."""
    return get(connection, [subscriber_id]).get(subscriber_id)


def get(connection: Connection, ids: Collection[int]) -> dict[int, Subscriber]:
    """Readers by id; one that is not there is left out."""
    rows = connection.execute(_BY_ID, {"ids": ids}).mappings()
    return {row["id"]: subscriber_of(row) for row in rows}


_BY_ID = select(_subscriber).where(_subscriber.c.id.in_(bindparam("ids", expanding=True)))  # made once: each batch asks


def states(connection: Connection, email_keys: Sequence[str]) -> dict[str, State]:
    """The state of each of these addresses that is known at all."""
    known: dict[str, State] = {}
    for chunk in _chunks(email_keys):
        columns = select(_subscriber.c.email_key, _subscriber.c.state)
        known.update(tuple(row) for row in connection.execute(columns.where(_subscriber.c.email_key.in_(chunk))))
    return known


def everyone(
    connection: Connection, state: State | None = None, country: str | None = None, locale: str | None = None
) -> Iterator[Subscriber]:
    """All readers, or those in one state, country or language, by address; read in pieces, not all at once."""
    wanted = select(_subscriber).order_by(_subscriber.c.email_key)
    for column, value in (
        (_subscriber.c.state, state),
        (_subscriber.c.country, country),
        (_subscriber.c.locale, locale),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    found = connection.execute(wanted, execution_options={"yield_per": 2000})
    return map(subscriber_of, found.mappings())


def overdue(connection: Connection, now: datetime, requested_before: datetime) -> list[int]:
    """Readers whose request was never confirmed or was refused, or whose consent has lapsed without being renewed."""
    refused = (_subscriber.c.state == "withdrawn") & _subscriber.c.confirmed_at.is_(None)
    refused &= _subscriber.c.withdrawn_at < requested_before
    never = (_subscriber.c.state == "requested") & (_subscriber.c.requested_at < requested_before)
    lapsed = (_subscriber.c.state == "confirmed") & (_subscriber.c.reconfirm_by <= now)
    return list(connection.scalars(select(_subscriber.c.id).where(never | refused | lapsed).order_by(_subscriber.c.id)))


def link_keys(connection: Connection, links: Links, now: datetime) -> tuple[bytes, ...]:
    """The keys of links, the signing one first; makes and keeps one where config.toml names none.

    A key kept earlier still verifies after config.toml got its own: links that were mailed work for ever.
    """
    configured = tuple(key.get_secret_value().encode() for key in links.keys)
    kept = connection.scalar(select(_key.c.key))
    if kept is None and not configured:
        try:
            with connection.begin_nested():
                connection.execute(insert(_key), {"id": 1, "key": secrets.token_hex(32), "created_at": now})
        except IntegrityError:
            pass  # another process made it first
        kept = connection.scalar(select(_key.c.key))
    return configured if kept is None else (*configured, kept.encode())


def braked_until(connection: Connection, now: datetime) -> datetime | None:
    """Until when confirmations are paused; None where they are not."""
    until: datetime | None = connection.scalar(select(_brake.c.until))
    return until if until is not None and until > now else None


def brake(connection: Connection, now: datetime, until: datetime) -> None:
    """Pause confirmations, or go on pausing them."""
    known = connection.execute(select(_brake.c.since, _brake.c.until)).first()
    since = known.since if known and known.until > now else now
    connection.execute(delete(_brake))
    connection.execute(insert(_brake), {"id": 1, "since": since, "until": until})


def check(connection: Connection) -> None:
    """Ask the least there is to ask; raises what the database raises when it does not answer."""
    connection.execute(select(_subscriber.c.id).limit(1))


def subscriber_of(row: RowMapping) -> Subscriber:
    """A reader from a row of the table."""
    topics = json.loads(row["topics"])
    return Subscriber(
        id=row["id"],
        email=row["email"],
        email_key=row["email_key"],
        consent=Consent(**{name: row[name] for name in _FOLDED}),
        locale=row["locale"],
        topics=tuple(cast(Topic, topic) for topic in topics if topic in TOPICS),
        format=row["format"],
        quiet_weeks=row["quiet_weeks"],
        watch=WatchList.model_validate_json(row["watch_list"]) if row["watch_list"] else WatchList(),
    )


def _chunks(names: Sequence[str]) -> Iterable[Sequence[str]]:
    return (names[start : start + CHUNK] for start in range(0, len(names), CHUNK))


def ended_since(connection: Connection, state: State, since: datetime) -> list[int]:
    """Readers in a state whose newest event is not older than a moment."""
    newest = (_event.c.subscriber_id == _subscriber.c.id) & (_event.c.number == _subscriber.c.log_number)
    wanted = select(_subscriber.c.id).join(_event, newest).where(_subscriber.c.state == state, _event.c.at >= since)
    return list(connection.scalars(wanted.order_by(_subscriber.c.id)))


def lock(connection: Connection, subscriber_id: int) -> Subscriber | None:
    """A reader as they are now, and as they stay until this transaction ends."""
    mine = select(_subscriber).where(_subscriber.c.id == subscriber_id).with_for_update()
    row = connection.execute(mine).mappings().first()
    return None if row is None else subscriber_of(row)


def discard(connection: Connection, subscriber_id: int) -> None:
    """Forget an address that never agreed to anything: nothing of it is remembered but the log of a number."""
    connection.execute(delete(_word).where(_word.c.subscriber_id == subscriber_id))
    connection.execute(delete(_subscriber).where(_subscriber.c.id == subscriber_id))
    leave_no_trace(connection)


def expired_before(connection: Connection, moment: datetime) -> list[int]:
    """Readers whose consent lapsed before a moment, and who have not given it again."""
    own = (_event.c.subscriber_id == _subscriber.c.id) & (_event.c.kind == "expired")
    lapsed = select(func.max(_event.c.at)).where(own).scalar_subquery()
    gone = (_subscriber.c.state == "expired") & (lapsed < moment)
    return list(connection.scalars(select(_subscriber.c.id).where(gone).order_by(_subscriber.c.id)))


def with_wordings(
    connection: Connection, state: State | None = None, country: str | None = None, locale: str | None = None
) -> Iterator[tuple[Subscriber, str]]:
    """Readers as `everyone` gives them, each with the wording of the newest consent."""
    given = (_event.c.subscriber_id == _subscriber.c.id) & (_event.c.kind == "confirmed")
    newest = select(_event.c.wording).where(given).order_by(_event.c.number.desc()).limit(1).scalar_subquery()
    wanted = _filtered(select(*_subscriber.c, newest.label("agreed_to")), state, country, locale)
    found = connection.execute(wanted.order_by(_subscriber.c.email_key), execution_options={"yield_per": 2000})
    return ((subscriber_of(row), row["agreed_to"] or "") for row in found.mappings())


def page(
    connection: Connection,
    after: int,
    limit: int,
    state: State | None = None,
    country: str | None = None,
    locale: str | None = None,
) -> list[Subscriber]:
    """At most `limit` readers by number, those after one."""
    wanted = _filtered(select(_subscriber).where(_subscriber.c.id > after), state, country, locale)
    rows = connection.execute(wanted.order_by(_subscriber.c.id).limit(limit)).mappings()
    return [subscriber_of(row) for row in rows]


def _filtered(wanted: Select[Any], state: State | None, country: str | None, locale: str | None) -> Select[Any]:
    for column, value in (
        (_subscriber.c.state, state),
        (_subscriber.c.country, country),
        (_subscriber.c.locale, locale),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    return wanted


def head(connection: Connection, subscriber_id: int) -> tuple[int, str] | None:
    """Number and hash of the newest event as the reader's row has them; None for one that is not there."""
    row = connection.execute(
        select(_subscriber.c.log_number, _subscriber.c.log_hash).where(_subscriber.c.id == subscriber_id)
    ).first()
    return None if row is None else (row.log_number, row.log_hash)


def regimes_of_readers(connection: Connection) -> set[str]:
    """The codes of the regimes of all whose consent lives."""
    wanted = select(_subscriber.c.regime).where(_subscriber.c.state == LIVE).distinct()
    return set(connection.scalars(wanted))


def keeps_link_key(connection: Connection) -> bool:
    """Whether there is a key of links that this database made for itself."""
    return connection.scalar(select(_key.c.id)) is not None
