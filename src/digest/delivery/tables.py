"""The outbox's tables: what is mailed, and each delivery of it."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from digest.database import UtcDateTime


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class MailingRow(SQLModel, table=True):
    """One thing mailed to many. `audience` is how many readers it was queued for; of letters `week` holds the day.
    `control` is what a person said last: going, paused or aborted."""

    __tablename__ = "mailing"
    __table_args__ = (UniqueConstraint("kind", "week"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    week: str
    content_hash: str
    queued_at: datetime = Field(sa_type=UtcDateTime)
    audience: int
    control: str = "going"


class DeliveryRow(SQLModel, table=True):
    """One mailing to one reader. No foreign key to the reader, who may be erased while this stays to be counted.

    `provider` is the name of a provider of data/mail_providers.toml, or empty; `reason` why it failed
    (`delivery.reasons`), whether the relay said so at once or a returned mail did later.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("mailing_id", "subscriber_id"),
        Index("ix_delivery_state", "mailing_id", "state", "id"),
        # Partial: a delivery that is done is in neither.
        Index("ix_delivery_due", "mailing_id", "next_attempt_at", **_where("next_attempt_at IS NOT NULL")),
        Index("ix_delivery_provider", "mailing_id", "provider", "id", **_where("state = 'pending'")),
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
    provider: str = ""
    changed_at: datetime = Field(sa_type=UtcDateTime)


class ThrottleRow(SQLModel, table=True):
    """How a provider, a single domain or our relay ("*") stands, for all senders: see `pacing.Throttle`. Of the relay,
    `plan_since` is the first day of the warm-up plan, and `handed` how many mails were handed over on `handed_on`."""

    __tablename__ = "throttle"

    provider: str = Field(primary_key=True)
    changed_at: datetime = Field(sa_type=UtcDateTime)
    per_second: float | None = None
    free_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    trips: int = 0
    probed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    said: str = ""
    plan_since: date | None = None
    handed_on: date | None = None
    handed: int = 0


class SenderRow(SQLModel, table=True):
    """A sender at work on a mailing, and how many deliveries a second it deals with, as it told at `seen_at`."""

    __tablename__ = "sender"

    claimant: str = Field(primary_key=True)
    mailing_id: int
    seen_at: datetime = Field(sa_type=UtcDateTime)
    per_second: float


class RestoredRow(SQLModel, table=True):
    """This database is a copy of `backed_up_at` that was restored, or is ready to be, and sends nothing.

    One row, number 1, until a person accepts. `newest_delivery` is the highest id in the copy; `replayed` is whether it
    was told what had been sent since.
    """

    __tablename__ = "restored"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    backed_up_at: datetime = Field(sa_type=UtcDateTime)
    newest_delivery: int = Field(sa_type=BigInteger)
    replayed: bool


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
