"""The outbox's tables: what is mailed, and each delivery of it."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Column, Index, Integer, UniqueConstraint
from sqlmodel import Field, SQLModel

from digest.database import UtcDateTime


class MailingRow(SQLModel, table=True):
    """One thing mailed to many. `audience` is how many readers it was queued for; of letters `week` holds the day."""

    __tablename__ = "mailing"
    __table_args__ = (UniqueConstraint("kind", "week"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    week: str
    content_hash: str
    queued_at: datetime = Field(sa_type=UtcDateTime)
    audience: int


class DeliveryRow(SQLModel, table=True):
    """One mailing to one reader. No foreign key to the reader, who may be erased while this stays to be counted.

    `reason` is why it failed (`delivery.reasons`), whether the relay said so at once or a returned mail did later.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("mailing_id", "subscriber_id"),
        Index("ix_delivery_state", "mailing_id", "state", "id"),
    )

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    )
    mailing_id: int = Field(foreign_key="mailing.id")
    subscriber_id: int = Field(sa_type=BigInteger)
    state: str
    claimed_by: str | None = None
    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    attempts: int = 0
    deferred_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    next_attempt_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str
    reason: str = Field(default="", sa_column_kwargs={"server_default": ""})
    changed_at: datetime = Field(sa_type=UtcDateTime)


class SeenEventRow(SQLModel, table=True):
    """An event that was taken in, by sha256 of its name in hex, until nobody tells it again."""

    __tablename__ = "seen_event"

    name: str = Field(primary_key=True)
    until: datetime = Field(sa_type=UtcDateTime, index=True)


class ReturnedCountRow(SQLModel, table=True):
    """How many mails and events of a kind came back on a day (UTC)."""

    __tablename__ = "returned_count"

    day: date = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    count: int
