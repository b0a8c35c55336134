"""The tables of captures: fetched bytes, what was read of them, and fetches that brought nothing."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from digest.database import ExactDecimal, UtcDateTime


class BlobTable(SQLModel, table=True):
    """Fetched bytes, once for each content."""

    __tablename__ = "blob"

    sha256: str = Field(primary_key=True)
    size: int
    deflated: bytes = Field(sa_type=LargeBinary)


class CaptureTable(SQLModel, table=True):
    """A capture. With a `doubt` it is quarantined: not believed until a person accepts it."""

    __tablename__ = "capture"
    __table_args__ = (UniqueConstraint("source", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    source: str
    on: date = Field(index=True)
    at: datetime = Field(sa_type=UtcDateTime)
    sha256: str = Field(foreign_key="blob.sha256")
    content: str
    lead: str | None
    zero_is_missing: bool
    benchmarks: str
    etag: str | None
    last_modified: str | None
    doubt: str | None
    accepted_at: datetime | None = Field(sa_type=UtcDateTime)


class RowTable(SQLModel, table=True):
    __tablename__ = "row"
    __table_args__ = ({"sqlite_with_rowid": False},)

    capture_id: int = Field(foreign_key="capture.id", primary_key=True)
    key: str = Field(primary_key=True)
    raw: str


class ScoreTable(SQLModel, table=True):
    __tablename__ = "score"
    __table_args__ = ({"sqlite_with_rowid": False},)

    capture_id: int = Field(foreign_key="capture.id", primary_key=True)
    benchmark: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    value: Decimal = Field(sa_type=ExactDecimal)
    low: Decimal | None = Field(sa_type=ExactDecimal)
    high: Decimal | None = Field(sa_type=ExactDecimal)
    stderr: Decimal | None = Field(sa_type=ExactDecimal)
    n: int | None


class OfferTable(SQLModel, table=True):
    __tablename__ = "offer"
    __table_args__ = ({"sqlite_with_rowid": False},)

    capture_id: int = Field(foreign_key="capture.id", primary_key=True)
    key: str = Field(primary_key=True)
    host: str | None
    input: Decimal | None = Field(sa_type=ExactDecimal)
    output: Decimal | None = Field(sa_type=ExactDecimal)
    context: Decimal | None = Field(sa_type=ExactDecimal)
    max_output: Decimal | None = Field(sa_type=ExactDecimal)
    details: str | None


class FailureTable(SQLModel, table=True):
    """A fetch that brought nothing, and why."""

    __tablename__ = "failure"

    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(index=True)
    on: date
    at: datetime = Field(sa_type=UtcDateTime)
    detail: str
