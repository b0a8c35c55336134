"""Operators' keys in the database: a hash of each, never the key."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, cast

from sqlalchemy import Connection, RowMapping, insert, select, update
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


_keys = metadata.tables["api_key"]


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
