"""Mailings can be paused and aborted; deliveries know their provider; how providers stand, who is at work."""

import sqlalchemy as sa
from alembic import op

from digest.database import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def _index(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "delivery", columns, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    op.add_column("mailing", sa.Column("control", sa.String(), nullable=False, server_default="going"))
    op.add_column("delivery", sa.Column("provider", sa.String(), nullable=False, server_default=""))
    _index("ix_delivery_due", ["mailing_id", "next_attempt_at"], "next_attempt_at IS NOT NULL")
    _index("ix_delivery_provider", ["mailing_id", "provider", "id"], "state = 'pending'")
    op.create_table(
        "throttle",
        sa.Column("provider", sa.String(), nullable=False),
        _moment("changed_at", nullable=False),
        sa.Column("per_second", sa.Float(), nullable=True),
        _moment("free_at"),
        _moment("closed_until"),
        sa.Column("trips", sa.Integer(), nullable=False),
        _moment("probed_until"),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("plan_since", sa.Date(), nullable=True),
        sa.Column("handed_on", sa.Date(), nullable=True),
        sa.Column("handed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("provider", name="pk_throttle"),
    )
    op.create_table(
        "sender",
        sa.Column("claimant", sa.String(), nullable=False),
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        _moment("seen_at", nullable=False),
        sa.Column("per_second", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("claimant", name="pk_sender"),
    )
