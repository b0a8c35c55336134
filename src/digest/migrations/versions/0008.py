"""A restored copy says that it is one, until a person accepts it."""

import sqlalchemy as sa
from alembic import op

from digest.database import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "restored",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("backed_up_at", UtcDateTime(), nullable=False),
        sa.Column("newest_delivery", sa.BigInteger(), nullable=False),
        sa.Column("replayed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_restored"),
    )
