"""What comes back is kept: why a delivery failed, which events were seen, how many mails of each kind returned."""

import sqlalchemy as sa
from alembic import op

from digest.database import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery", sa.Column("reason", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "seen_event",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_seen_event"),
    )
    op.create_index("ix_seen_event_until", "seen_event", ["until"])
    op.create_table(
        "returned_count",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "kind", name="pk_returned_count"),
    )
