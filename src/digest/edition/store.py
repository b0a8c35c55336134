"""Editions in the database: the facts, the rendered mail, and which content was approved."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Connection
from sqlmodel import Field, SQLModel, col

from digest.database import UtcDateTime
from digest.edition.content import Edition, Rendered, content_hash


class EditionTable(SQLModel, table=True):
    __tablename__ = "edition"

    week: str = Field(primary_key=True)
    number: int
    content: str
    rendered: str
    content_hash: str
    drafted_at: datetime = Field(sa_type=UtcDateTime)
    approved_hash: str | None
    approved_at: datetime | None = Field(sa_type=UtcDateTime)


class ToldTable(SQLModel, table=True):
    """A disagreement that an edition told, so that no later one tells it again."""

    __tablename__ = "told"

    week: str = Field(foreign_key="edition.week", primary_key=True)
    fact: str = Field(primary_key=True)


@dataclass(frozen=True, slots=True)
class StoredEdition:
    """An edition as drafted. It is approved when `approved_hash` is the hash of what is stored."""

    week: str
    edition: Edition
    rendered: Rendered
    content_hash: str
    approved_hash: str | None

    @property
    def approved(self) -> bool:
        return self.approved_hash == self.content_hash == content_hash(self.edition, self.rendered)


def load_edition(connection: Connection, week: str) -> StoredEdition | None:
    """The edition of a week as it was stored."""
    row = connection.execute(
        select(
            col(EditionTable.content),
            col(EditionTable.rendered),
            col(EditionTable.content_hash),
            col(EditionTable.approved_hash),
        ).where(col(EditionTable.week) == week)
    ).first()
    if row is None:
        return None
    return StoredEdition(
        week=week,
        edition=Edition.model_validate_json(row.content),
        rendered=Rendered.model_validate_json(row.rendered),
        content_hash=row.content_hash,
        approved_hash=row.approved_hash,
    )


def edition_number(connection: Connection, week: str) -> int:
    """The number an edition keeps once it has one: one more than the highest of the editions before."""
    known = connection.scalar(select(col(EditionTable.number)).where(col(EditionTable.week) == week))
    highest = connection.scalar(select(func.max(col(EditionTable.number))))
    return known if known is not None else (highest or 0) + 1


def save_draft(connection: Connection, edition: Edition, rendered: Rendered, now: datetime) -> StoredEdition:
    """Store a draft. The same content changes nothing; other content voids an approval."""
    fingerprint = content_hash(edition, rendered)
    known = load_edition(connection, edition.week)
    if known is not None and known.content_hash == fingerprint:
        return known
    values = {
        "content": edition.document(),
        "rendered": rendered.model_dump_json(),
        "content_hash": fingerprint,
        "drafted_at": now,
        "approved_hash": None,
        "approved_at": None,
    }
    if known is None:
        connection.execute(insert(EditionTable).values(week=edition.week, number=edition.number, **values))
    else:
        connection.execute(update(EditionTable).where(col(EditionTable.week) == edition.week).values(**values))
    return StoredEdition(edition.week, edition, rendered, fingerprint, None)


def save_approval(connection: Connection, week: str, fingerprint: str, now: datetime) -> None:
    """Pin the content that may be sent."""
    connection.execute(
        update(EditionTable)
        .where(col(EditionTable.week) == week, col(EditionTable.content_hash) == fingerprint)
        .values(approved_hash=fingerprint, approved_at=now)
    )


def save_told(connection: Connection, week: str, facts: Iterable[str]) -> None:
    """Remember which disagreements this week's edition knows of."""
    known = set(connection.scalars(select(col(ToldTable.fact)).where(col(ToldTable.week) == week)))
    new = [{"week": week, "fact": fact} for fact in dict.fromkeys(facts) if fact not in known]
    if new:
        connection.execute(insert(ToldTable), new)


def told_before(connection: Connection, week: str) -> frozenset[str]:
    """The disagreements that editions of earlier weeks told."""
    return frozenset(connection.scalars(select(col(ToldTable.fact)).where(col(ToldTable.week) < week)))


def newest_edition(connection: Connection) -> str | None:
    """The week of the newest edition."""
    return connection.scalar(select(func.max(col(EditionTable.week))))
