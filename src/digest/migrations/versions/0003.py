"""Consent events are chained by hash and say whose rules applied; readers have choices, pauses and an end in time."""

import json
from datetime import UTC, datetime
from hashlib import sha256

import sqlalchemy as sa
from alembic import op

from digest.database import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False, server_default=default)


def upgrade() -> None:
    for name in ("paused_until", "reconfirm_by"):
        op.add_column("subscriber", sa.Column(name, UtcDateTime(), nullable=True))
    # ZZ, the strictest rules, until the reader or an import says where they are.
    for name, default in (("derived", ""), ("regime", "ZZ"), ("method", ""), ("ended", ""), ("log_hash", "")):
        op.add_column("subscriber", _text(name, default))
    op.add_column("subscriber", sa.Column("log_number", sa.Integer(), nullable=False, server_default="0"))
    for name, default in (("format", "full"), ("quiet_weeks", "note"), ("watch_list", "")):
        op.add_column("subscriber", _text(name, default))
    op.create_index("ix_subscriber_state", "subscriber", ["state"])
    for name in ("wording_hash", "derived", "regime", "regime_version", "detail", "hash"):
        op.add_column("consent_event", _text(name))
    op.add_column("consent_event", sa.Column("number", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("consent_event", sa.Column("until", UtcDateTime(), nullable=True))
    _chain()
    op.drop_index("ix_consent_event_subscriber", "consent_event")
    op.create_index("ix_consent_event_subscriber", "consent_event", ["subscriber_id", "number"], unique=True)
    op.create_table(
        "watch_word",
        sa.Column("subscriber_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("word", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", "word", name="pk_watch_word"),
    )
    op.create_index("ix_watch_word_word", "watch_word", ["word", "subscriber_id"])
    op.create_table(
        "refusal",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_refusal"),
    )
    op.create_table(
        "brake",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_brake"),
    )
    op.create_table(
        "api_key",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("hash", name="pk_api_key"),
        sa.UniqueConstraint("name", name="uq_api_key_name"),
    )


def _chain() -> None:
    """Number and hash what was written before there were chains, in the order in which it was written."""
    connection = op.get_bind()
    event = sa.table(
        "consent_event",
        *(sa.column(name) for name in ("id", "subscriber_id", "number", "hash")),
        *(sa.column(name) for name in ("kind", "method", "wording", "country", "regime")),
        *(sa.column(name, UtcDateTime()) for name in ("at", "until")),
    )
    reader = sa.table(
        "subscriber",
        *(sa.column(name) for name in ("id", "log_number", "log_hash", "regime", "method", "ended")),
        sa.column("reconfirm_by", UtcDateTime()),
    )
    heads: dict[int, tuple[int, str]] = {}
    stands: dict[int, dict[str, object]] = {}
    rows = connection.execute(sa.select(event).order_by(event.c.id)).mappings().all()
    for row in rows:
        number, before = heads.get(row["subscriber_id"], (0, ""))
        facts = {name: row[name] for name in ("kind", "at", "method", "wording", "country")}
        rules = _rules(row["kind"], row["country"], row["at"])
        hashed = _hash(number + 1, {**facts, **rules}, before)
        values = {"number": number + 1, "hash": hashed, **rules}
        stands[row["subscriber_id"]] = _stands(stands.get(row["subscriber_id"], {}), row, rules)
        connection.execute(sa.update(event).where(event.c.id == row["id"]).values(values))
        heads[row["subscriber_id"]] = (number + 1, hashed)
    for number_of_reader, (number, hashed) in heads.items():
        values = {"log_number": number, "log_hash": hashed, **stands[number_of_reader]}
        connection.execute(sa.update(reader).where(reader.c.id == number_of_reader).values(values))


_ROWS = (
    *("DE", "FR", "AT", "NL", "IT", "ES", "PL", "GB", "CH", "NO", "IS", "CA", "US", "US-CA", "AU", "NZ", "BR", "MX"),
    *("AR", "JP", "KR", "IN", "CN", "TW", "HK", "SG", "IL", "TR", "ZA", "AE"),
)
_UNION = (
    *("BE", "BG", "CY", "CZ", "DK", "EE", "FI", "GR", "HR", "HU", "IE", "LI", "LT", "LU", "LV", "MT", "PT", "RO"),
    *("SE", "SI", "SK"),
)
_YEARS = {"FR": 3, "KR": 2, "ZZ": 2}


def _rules(kind: str, country: str | None, at: datetime) -> dict[str, object]:
    """Whose rules an event was under, as of this version, and how long a consent stands by them."""
    if kind != "confirmed":
        return {"regime": "", "until": None}
    code = country or "ZZ"
    regime = code if code in _ROWS else "EU" if code in _UNION else "ZZ"
    years = _YEARS.get(regime)
    day = 28 if (at.month, at.day) == (2, 29) else at.day
    return {"regime": regime, "until": at.replace(year=at.year + years, day=day) if years else None}


def _stands(before: dict[str, object], event: sa.RowMapping, rules: dict[str, object]) -> dict[str, object]:
    """What the fold gives a reader's row after an event, for the columns that are new."""
    if event["kind"] == "confirmed":
        return {"regime": rules["regime"], "reconfirm_by": rules["until"], "method": event["method"], "ended": ""}
    if event["kind"] == "withdrawn":
        return {**before, "reconfirm_by": None, "ended": event["method"]}
    return before


def _hash(number: int, facts: dict[str, object], before: str) -> str:
    """As subscribers/consent.py hashes an event; written out here, for a migration must not change with the program."""
    said = {
        name: value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value
        for name, value in facts.items()
        if value not in (None, "")
    }
    text = json.dumps([before, number, said], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()
