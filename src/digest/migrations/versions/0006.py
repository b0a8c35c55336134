"""An editor's overrides, approvals by name, and an audit log that nothing can change; a draft knows its parts."""

import sqlalchemy as sa
from alembic import op

from digest.database import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _number() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _moment() -> sa.Column[object]:
    return sa.Column("at", UtcDateTime(), nullable=False)


def upgrade() -> None:
    op.add_column("edition", sa.Column("parts", sa.String(), nullable=False, server_default="{}"))
    op.create_table(
        "override",
        _number(),
        *_texts("week", "story", "what", "by"),
        _moment(),
        sa.Column("place", sa.Integer(), nullable=True),
        *_texts("locale", "text", "about"),
        sa.PrimaryKeyConstraint("id", name="pk_override"),
    )
    op.create_index("ix_override_week", "override", ["week", "id"])
    op.create_table(
        "approval",
        *_texts("week", "content_hash", "who"),
        _moment(),
        sa.PrimaryKeyConstraint("week", "content_hash", "who", name="pk_approval"),
    )
    op.create_table(
        "audit",
        _number(),
        _moment(),
        *_texts("who", "act", "week", "detail"),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_week", "audit", ["week", "id"])
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{act.lower()} BEFORE {act} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
    )
