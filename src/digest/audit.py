"""The audit log: who did what to which week, and when. Rows are added and never changed; the database refuses it.

An act is written in the transaction that does it, so there is neither an act without its line nor a line without its
act. No line holds a reader's address: a test mail's line says how many it went to.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import BigInteger, Column, Connection, Index, Integer, insert, select
from sqlmodel import Field, SQLModel, col

from digest.database import UtcDateTime

Act = Literal[
    "drafted",
    "voided",
    "overridden",
    "noted",
    "approved",
    "queued",
    "paused",
    "resumed",
    "aborted",
    "tested",
    "accepted",
    "held",
    "skipped",
    "restored",
]
"""What can be done. Drafted: a draft was stored that says something else than before; voided: with that an approval
fell. Overridden: an editor changed what is told of a story, or took that back; noted: saved the note
in the desk. Accepted: a capture that was held back
is believed. Held: the deadline passed and the edition stayed. Skipped: a week gets no edition. Restored: a copy of a
backup may send again."""

SCHEDULER = "scheduler"
"""Who acts where no person does."""


class AuditTable(SQLModel, table=True):
    """`detail` is a JSON object."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_week", "week", "id"),)

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    )
    at: datetime = Field(sa_type=UtcDateTime)
    who: str
    act: str
    week: str
    detail: str


class Entry(NamedTuple):
    """A line of the log; `week` is empty for what is about no week."""

    at: datetime
    who: str
    act: str
    week: str
    detail: Mapping[str, Any]


def write(connection: Connection, act: Act, week: str, who: str, now: datetime, **detail: Any) -> None:
    """Add a line. The values of `detail` are texts, numbers, or lists of those."""
    said = json.dumps(detail, ensure_ascii=False, sort_keys=True)
    connection.execute(insert(AuditTable).values(at=now, who=who, act=act, week=week, detail=said))


def read(
    connection: Connection, week: str | None = None, most: int | None = None, acts: Sequence[Act] = ()
) -> list[Entry]:
    """All lines, or the newest of them, the oldest first; of one week or of some acts only where they are given."""
    columns = (col(AuditTable.at), col(AuditTable.who), col(AuditTable.act), col(AuditTable.week))
    found = select(*columns, col(AuditTable.detail)).order_by(col(AuditTable.id).desc()).limit(most)
    found = found if week is None else found.where(col(AuditTable.week) == week)
    rows = connection.execute(found.where(col(AuditTable.act).in_(acts)) if acts else found).all()
    return [Entry(row.at, row.who, row.act, row.week, json.loads(row.detail)) for row in reversed(rows)]
