"""Operators' keys in the database, a hash of each and never the key; and what operators were told."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, cast

from sqlalchemy import Connection, RowMapping, delete, insert, select, update
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


_keys = metadata.tables["api_key"]
_notices = metadata.tables["notice"]

Channel = Literal["mail", "hook"]


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
    """A trouble: what it is about, the sentence that tells it, since when and until when it lasted, and when it was
    mailed and posted."""

    about: str
    said: str
    since: datetime
    ended_at: datetime | None
    mailed_at: datetime | None
    posted_at: datetime | None

    def is_new_to(self, channel: Channel) -> bool:
        return (self.mailed_at if channel == "mail" else self.posted_at) is None


def notices(connection: Connection) -> dict[str, Notice]:
    """Every trouble that is known, by what it is about."""
    rows = connection.execute(select(_notices).order_by(_notices.c.since, _notices.c.about))
    return {row.about: Notice(**row._mapping) for row in rows}


def keep_notices(connection: Connection, kept: Iterable[Notice]) -> None:
    """Store these in place of all that is known."""
    rows = [one._asdict() for one in kept]
    connection.execute(delete(_notices))
    if rows:
        connection.execute(insert(_notices), rows)


def mark_told(connection: Connection, about: Sequence[str], channel: Channel, now: datetime) -> None:
    """Remember that these were told by one way."""
    told = {"mailed_at" if channel == "mail" else "posted_at": now}
    connection.execute(update(_notices).where(_notices.c.about.in_(about)).values(told))
