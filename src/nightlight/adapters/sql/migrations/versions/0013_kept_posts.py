"""Deleted posts on which a signal fired, those deleted before too; bank entries that wake."""

import sqlalchemy as sa
from alembic import op

from nightlight.model.ids import derive_id

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

#: The events that signals about deleted posts, or of their newest version, came from.
_FIRED = sa.text("""
    SELECT p.post_id, p.account_id, p.deleted_us, p.event_key, s.event_key AS fired
    FROM post p JOIN signal s ON s.subject_id = p.post_id AND s.subject_kind = 'post'
    WHERE p.deleted_us IS NOT NULL
    UNION
    SELECT p.post_id, p.account_id, p.deleted_us, p.event_key, p.event_key AS fired
    FROM post p JOIN signal s ON s.event_key = p.event_key
    WHERE p.deleted_us IS NOT NULL AND p.event_key <> ''
""")
_TOLD = sa.text(
    "SELECT 1 FROM event_log WHERE key = :key AND type IN ('post.created', 'post.edited')"
    " AND NOT EXISTS (SELECT 1 FROM evidence WHERE kind = 'post' AND content_id = :key)"
)


def upgrade() -> None:
    kept = op.create_table(
        "kept_post",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("post_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("event_key", sa.String(length=32), nullable=False),
        sa.Column("deleted_us", sa.BigInteger(), nullable=False),
        sa.Column("noticed_us", sa.BigInteger(), nullable=False),
        sa.Column("next_us", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("kept_post_account", "kept_post", ["account_id", "deleted_us"])
    op.create_index("kept_post_newest", "kept_post", ["deleted_us"])
    op.create_index(
        "kept_post_due",
        "kept_post",
        ["next_us"],
        sqlite_where=sa.text("next_us IS NOT NULL"),
        postgresql_where=sa.text("next_us IS NOT NULL"),
    )
    op.create_index(op.f("ix_signal_subject_id"), "signal", ["subject_id"])
    op.create_index(
        "evidence_post",
        "evidence",
        ["content_id"],
        sqlite_where=sa.text("kind = 'post'"),
        postgresql_where=sa.text("kind = 'post'"),
    )
    op.create_index(
        "bank_entry_waking",
        "bank_entry",
        ["disabled_until_us"],
        sqlite_where=sa.text("disabled_until_us IS NOT NULL"),
        postgresql_where=sa.text("disabled_until_us IS NOT NULL"),
    )
    connection = op.get_bind()
    found = {
        (row.post_id, key): row
        for row in connection.execute(_FIRED)
        for key in (row.event_key, row.fired)
        if key
    }
    rows = [
        {
            "id": derive_id("kept", post_id, key),
            "post_id": post_id,
            "account_id": row.account_id,
            "event_key": key,
            "deleted_us": row.deleted_us,
            "noticed_us": row.deleted_us,
            "next_us": row.deleted_us,
            "attempts": 0,
            "complete": False,
        }
        for (post_id, key), row in found.items()
        if connection.execute(_TOLD, {"key": key}).first() is not None
    ]
    if rows:
        connection.execute(kept.insert(), rows)
