"""Operators' keys in the database, a hash of each and never the key; and what operators were told."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Literal, NamedTuple, cast

from sqlalchemy import Column, Connection, RowMapping, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel

from digest.database import UtcDateTime, metadata

Scope = Literal["subscribe", "read", "write"]


class ApiKeyRow(SQLModel, table=True):
    """A key that opens the API. `hash` is sha256 of it in hex: a key is long and random, so that needs no salt."""

    __tablename__ = "api_key"

    hash: str = Field(primary_key=True)
    name: str = Field(unique=True)
    scopes: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class NoticeRow(SQLModel, table=True):
    """A trouble that needs a person, and when whom was told of it by which way."""

    __tablename__ = "notice"

    about: str = Field(primary_key=True)
    said: str
    since: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    mailed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    posted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    telling_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


_keys = metadata.tables["api_key"]
_notices = metadata.tables["notice"]

_SKEW = timedelta(hours=1)  # what is later than now by more was written by a clock that ran ahead

Channel = Literal["mail", "hook"]

_TOLD: Mapping[Channel, Column[Any]] = {"mail": _notices.c.mailed_at, "hook": _notices.c.posted_at}


class ApiKey(NamedTuple):
    """What is known of a key; not the key. One that was revoked opens nothing and keeps its name."""

    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    revoked_at: datetime | None


def add_key(connection: Connection, name: str, hashed: str, scopes: Sequence[Scope], now: datetime) -> None:
    """Keep a key's hash. Raises IntegrityError where the name is taken."""
    row = {"hash": hashed, "name": name, "scopes": " ".join(scopes), "created_at": now}
    connection.execute(insert(_keys), row)


def find_key(connection: Connection, hashed: str) -> ApiKey | None:
    """The key with this hash, revoked or not."""
    row = connection.execute(select(_keys).where(_keys.c.hash == hashed)).mappings().first()
    return None if row is None else _key_of(row)


def all_keys(connection: Connection) -> Iterator[ApiKey]:
    """Every key there ever was, the oldest first."""
    return map(_key_of, connection.execute(select(_keys).order_by(_keys.c.created_at, _keys.c.name)).mappings())


def revoke_key(connection: Connection, name: str, now: datetime) -> bool:
    """Close a key for good. False where none of this name is open."""
    open_one = (_keys.c.name == name, _keys.c.revoked_at.is_(None))
    return connection.execute(update(_keys).where(*open_one).values(revoked_at=now)).rowcount == 1


def _key_of(row: RowMapping) -> ApiKey:
    return ApiKey(
        row["name"], tuple(cast(Scope, scope) for scope in row["scopes"].split()), row["created_at"], row["revoked_at"]
    )


class Notice(NamedTuple):
    """A trouble: what it is about, the sentence that tells it, since when, and when it was mailed and posted."""

    about: str
    said: str
    since: datetime
    mailed_at: datetime | None
    posted_at: datetime | None

    def is_new_to(self, channel: Channel) -> bool:
        return (self.mailed_at if channel == "mail" else self.posted_at) is None


def begin_notice(connection: Connection, about: str, said: str, now: datetime, forgotten: datetime) -> None:
    """A trouble is there at this look. One that ended before `forgotten` is a new one, that nobody was told of; so is
    one whose end is still to come: of what a clock that ran ahead wrote, nothing may keep silent."""
    ended = or_(_notices.c.ended_at < forgotten, _notices.c.ended_at > now + _SKEW)
    over = (_notices.c.about == about, ended)
    anew = {"since": now, "mailed_at": None, "posted_at": None}
    connection.execute(update(_notices).where(*over).values(anew))
    make = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(_notices)
    row = make.values(about=about, said=said, since=now)
    connection.execute(row.on_conflict_do_update(index_elements=["about"], set_={"said": said, "ended_at": None}))


def end_notices(connection: Connection, but: Collection[str], now: datetime) -> None:
    """All troubles are over but these."""
    others = (_notices.c.ended_at.is_(None), _notices.c.about.not_in(but))
    connection.execute(update(_notices).where(*others).values(ended_at=now))


def take_untold(
    connection: Connection, about: Collection[str], channels: Collection[Channel], now: datetime, until: datetime
) -> list[Notice]:
    """Troubles that were not told by each of the channels yet, for this process alone to tell until a moment. One that
    is taken for longer than it could be is not taken."""
    untold = or_(*(_TOLD[channel].is_(None) for channel in channels))
    taken_until = _notices.c.telling_until
    free = or_(taken_until.is_(None), taken_until <= now, taken_until > until + _SKEW)
    mine = (_notices.c.about.in_(about), untold, free)
    taken = update(_notices).where(*mine).values(telling_until=until)
    rows = connection.execute(taken.returning(*(_notices.c[name] for name in Notice._fields)))
    return sorted((Notice(**row._mapping) for row in rows), key=attrgetter("since", "about"))


def mark_told(connection: Connection, about: Collection[str], channel: Channel, now: datetime) -> None:
    """Remember that these were told by a channel now."""
    connection.execute(update(_notices).where(_notices.c.about.in_(about)).values({_TOLD[channel]: now}))


def let_go(connection: Connection, about: Collection[str]) -> None:
    """Whoever looks next may tell these, by the channels by which they were not told."""
    connection.execute(update(_notices).where(_notices.c.about.in_(about)).values(telling_until=None))
