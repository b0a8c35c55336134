"""An editor's overrides, which only grow, and the approvals of the draft that is stored."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Column, Connection, Index, Integer, delete, insert, select
from sqlmodel import Field, SQLModel, col

from digest.database import UtcDateTime
from digest.edition.overrides import Override


class OverrideTable(SQLModel, table=True):
    __tablename__ = "override"
    __table_args__ = (Index("ix_override_week", "week", "id"),)

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    )
    week: str
    story: str
    what: str
    by: str
    at: datetime = Field(sa_type=UtcDateTime)
    place: int | None
    locale: str
    text: str
    about: str


class ApprovalTable(SQLModel, table=True):
    """One editor's word for the content of a week's draft; with another draft it is void and gone."""

    __tablename__ = "approval"

    week: str = Field(primary_key=True)
    content_hash: str = Field(primary_key=True)
    who: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)


_FIELDS = [getattr(OverrideTable, name) for name in Override._fields]


def add(connection: Connection, week: str, said: Sequence[Override]) -> None:
    """Add to a week's log."""
    if said:
        connection.execute(insert(OverrideTable), [{"week": week, **one._asdict()} for one in said])


def load(connection: Connection, week: str) -> tuple[Override, ...]:
    """A week's log, the oldest first."""
    found = select(*_FIELDS).where(col(OverrideTable.week) == week).order_by(col(OverrideTable.id))
    return tuple(Override(*row) for row in connection.execute(found))


def approvers(connection: Connection, week: str, content_hash: str) -> tuple[str, ...]:
    """Who approved a content of a week, in the order in which they did."""
    mine = (col(ApprovalTable.week) == week, col(ApprovalTable.content_hash) == content_hash)
    found = select(col(ApprovalTable.who)).where(*mine).order_by(col(ApprovalTable.at), col(ApprovalTable.who))
    return tuple(connection.scalars(found))


def add_approval(connection: Connection, week: str, content_hash: str, who: str, now: datetime) -> None:
    """Add an editor's word. Raises IntegrityError where that is known."""
    connection.execute(insert(ApprovalTable).values(week=week, content_hash=content_hash, who=who, at=now))


def void_approvals(connection: Connection, week: str) -> None:
    """Take away what was said of a week's earlier draft; the audit log keeps who said it."""
    connection.execute(delete(ApprovalTable).where(col(ApprovalTable.week) == week))
