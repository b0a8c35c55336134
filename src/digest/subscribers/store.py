"""Readers, their consent log and the key that signs their links, in the database."""

import json
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Column, Connection, Index, Integer, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, SQLModel

from digest.config import Links
from digest.database import UtcDateTime, metadata
from digest.subscribers.consent import Consent, ConsentEvent, State, fold

CHUNK = 500  # names in one IN (...): well below what either database takes


class SubscriberRow(SQLModel, table=True):
    """A reader. `state`, `country` and the three moments are kept by the fold of the reader's consent events."""

    __tablename__ = "subscriber"

    id: int = Field(
        sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False)
    )
    email: str
    email_key: str = Field(unique=True)
    state: str
    country: str | None = None
    locale: str
    topics: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    requested_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ConsentEventRow(SQLModel, table=True):
    """The consent log. Rows are added, never changed and never deleted.

    No foreign key: erasing a reader removes the address and leaves a log of a random number.
    """

    __tablename__ = "consent_event"
    __table_args__ = (Index("ix_consent_event_subscriber", "subscriber_id", "id"),)

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    )
    subscriber_id: int = Field(sa_type=BigInteger)
    kind: str
    at: datetime = Field(sa_type=UtcDateTime)
    method: str
    wording: str
    country: str | None = None


class LinkKeyRow(SQLModel, table=True):
    """The key that signs links when config.toml names none. One row, number 1."""

    __tablename__ = "link_key"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    key: str
    created_at: datetime = Field(sa_type=UtcDateTime)


_subscriber = metadata.tables["subscriber"]
_event = metadata.tables["consent_event"]
_key = metadata.tables["link_key"]


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A reader to be added, with the event that lets us. `email_key` is the address in the form that is compared."""

    email: str
    email_key: str
    event: ConsentEvent
    locale: str = "en"
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A reader: the address as typed and as compared, the consent, and what the mail is to be like."""

    id: int
    email: str
    email_key: str
    consent: Consent
    locale: str
    topics: tuple[str, ...]

    @property
    def mailbox(self) -> str:
        """The address on the wire: the local part as typed, the domain in ASCII (RFC 5890)."""
        return f"{self.email.rpartition('@')[0]}@{self.email_key.rpartition('@')[2]}"


def add(connection: Connection, newcomers: Sequence[Newcomer], now: datetime) -> None:
    """Store readers that are not there yet, each with the first event of a log."""
    rows, events = [], []
    for newcomer in newcomers:
        number = secrets.randbits(63)  # random, so that neither a link nor a log tells how many readers there are
        rows.append(
            {
                "id": number,
                "email": newcomer.email,
                "email_key": newcomer.email_key,
                "locale": newcomer.locale,
                "topics": json.dumps(newcomer.topics),
                "created_at": now,
                **asdict(fold([newcomer.event])),
            }
        )
        events.append({"subscriber_id": number, **asdict(newcomer.event)})
    if rows:
        connection.execute(insert(_subscriber), rows)
        connection.execute(insert(_event), events)


def append(connection: Connection, subscriber_id: int, event: ConsentEvent) -> None:
    """Add an event to a reader's log and keep the columns that follow from it. An erased reader has only the log."""
    # The lock makes two events of one reader follow one another; SQLite lets only one transaction write anyway.
    connection.execute(select(_subscriber.c.id).where(_subscriber.c.id == subscriber_id).with_for_update())
    connection.execute(insert(_event), {"subscriber_id": subscriber_id, **asdict(event)})
    consent = fold(events(connection, subscriber_id))
    connection.execute(update(_subscriber).where(_subscriber.c.id == subscriber_id).values(**asdict(consent)))


def events(connection: Connection, subscriber_id: int) -> tuple[ConsentEvent, ...]:
    """A reader's consent log, oldest first."""
    columns = (_event.c.kind, _event.c.at, _event.c.method, _event.c.wording, _event.c.country)
    found = connection.execute(select(*columns).where(_event.c.subscriber_id == subscriber_id).order_by(_event.c.id))
    return tuple(ConsentEvent(*row) for row in found)


def find(connection: Connection, email_key: str) -> Subscriber | None:
    row = connection.execute(select(_subscriber).where(_subscriber.c.email_key == email_key)).mappings().first()
    return None if row is None else _subscriber_of(row)


def get(connection: Connection, ids: Collection[int]) -> dict[int, Subscriber]:
    """Readers by id; one that is not there is left out."""
    rows = connection.execute(select(_subscriber).where(_subscriber.c.id.in_(ids))).mappings()
    return {row["id"]: _subscriber_of(row) for row in rows}


def states(connection: Connection, email_keys: Sequence[str]) -> dict[str, State]:
    """The state of each of these addresses that is known at all."""
    known: dict[str, State] = {}
    for start in range(0, len(email_keys), CHUNK):
        chunk = email_keys[start : start + CHUNK]
        columns = select(_subscriber.c.email_key, _subscriber.c.state)
        known.update(tuple(row) for row in connection.execute(columns.where(_subscriber.c.email_key.in_(chunk))))
    return known


def everyone(connection: Connection, state: State | None = None) -> Iterable[Subscriber]:
    """All readers, or those in one state, by address."""
    wanted = select(_subscriber).order_by(_subscriber.c.email_key)
    if state is not None:
        wanted = wanted.where(_subscriber.c.state == state)
    return map(_subscriber_of, connection.execute(wanted).mappings())


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


def check(connection: Connection) -> None:
    """Ask the least there is to ask; raises what the database raises when it does not answer."""
    connection.execute(select(_subscriber.c.id).limit(1))


def _subscriber_of(row: RowMapping) -> Subscriber:
    return Subscriber(
        id=row["id"],
        email=row["email"],
        email_key=row["email_key"],
        consent=Consent(row["state"], row["requested_at"], row["confirmed_at"], row["withdrawn_at"], row["country"]),
        locale=row["locale"],
        topics=tuple(json.loads(row["topics"])),
    )
