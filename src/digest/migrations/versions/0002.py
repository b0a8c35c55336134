"""Captures remember whether their source writes 0 for what it does not know; aggregates how they are weighted."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CAPTURE = sa.table("capture", sa.column("id", sa.Integer), sa.column("benchmarks", sa.String))


def upgrade() -> None:
    # False is what the older version went by. The default stays: to drop it, SQLite would have to make the table anew.
    op.add_column("capture", sa.Column("zero_is_missing", sa.Boolean(), nullable=False, server_default=sa.false()))
    connection = op.get_bind()
    for id_, text in connection.execute(sa.select(_CAPTURE.c.id, _CAPTURE.c.benchmarks)).all():
        benchmarks = [_with_weights(about) for about in json.loads(text)]
        connection.execute(sa.update(_CAPTURE).where(_CAPTURE.c.id == id_).values(benchmarks=json.dumps(benchmarks)))


def _with_weights(about: dict[str, object]) -> dict[str, object]:
    """Until now every aggregate was the plain mean of inputs that all had to be there."""
    inputs = about["inputs"]
    assert isinstance(inputs, list)
    least = str(len(inputs)) if inputs else None
    return {**about, "weights": ["1"] * len(inputs), "least": least, "also": [], "self_reported": False}
