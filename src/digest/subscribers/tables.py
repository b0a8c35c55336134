"""The tables of readers: who they are, what they agreed to and follow, and who asked to be forgotten."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, Integer
from sqlmodel import Field, SQLModel

from digest.database import UtcDateTime


class SubscriberRow(SQLModel, table=True):
    """A reader. The columns from `state` to `ended` are kept by the fold of the reader's consent events; `log_number`
    and `log_hash` are those of the newest event, so that a log that was cut short shows."""

    __tablename__ = "subscriber"

    id: int = Field(
        sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False)
    )
    email: str
    email_key: str = Field(unique=True)
    state: str = Field(index=True)
    requested_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    paused_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reconfirm_by: datetime | None = Field(default=None, sa_type=UtcDateTime)
    country: str | None = None
    derived: str = ""
    regime: str = "ZZ"
    method: str = ""
    ended: str = ""
    log_number: int = 0
    log_hash: str = ""
    locale: str
    topics: str
    format: str = "full"
    quiet_weeks: str = "note"
    watch_list: str = ""
    created_at: datetime = Field(sa_type=UtcDateTime)


class WatchWordRow(SQLModel, table=True):
    """A word of a reader's watch list, for selecting: kept with `watch_list`, from which it is made."""

    __tablename__ = "watch_word"
    __table_args__ = (Index("ix_watch_word_word", "word", "subscriber_id"),)

    subscriber_id: int = Field(sa_column=Column(BigInteger(), primary_key=True, autoincrement=False))
    word: str = Field(primary_key=True)


class ConsentEventRow(SQLModel, table=True):
    """The consent log. Rows are added, never changed and never deleted.

    No foreign key: erasing a reader removes the address and leaves a log of a random number.
    """

    __tablename__ = "consent_event"
    __table_args__ = (Index("ix_consent_event_subscriber", "subscriber_id", "number", unique=True),)

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    )
    subscriber_id: int = Field(sa_type=BigInteger)
    number: int
    kind: str
    at: datetime = Field(sa_type=UtcDateTime)
    method: str
    wording: str
    wording_hash: str = ""
    country: str | None = None
    derived: str = ""
    regime: str = ""
    regime_version: str = ""
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    detail: str = ""
    hash: str


class RefusalRow(SQLModel, table=True):
    """An erased reader's keyed hash, so that no import adds them again, and the number of the log that was theirs."""

    __tablename__ = "refusal"

    key: str = Field(primary_key=True)
    subscriber_id: int = Field(sa_type=BigInteger)
    at: datetime = Field(sa_type=UtcDateTime)


class LinkKeyRow(SQLModel, table=True):
    """The key that signs links when config.toml names none. One row, number 1."""

    __tablename__ = "link_key"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    key: str
    created_at: datetime = Field(sa_type=UtcDateTime)


class BrakeRow(SQLModel, table=True):
    """Confirmations are paused, because far more were asked for than ever are. One row, number 1."""

    __tablename__ = "brake"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    since: datetime = Field(sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime)
