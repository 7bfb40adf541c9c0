"""Who uses which words and hashtags, as keyed hashes, and what people made of those suggested."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "word_user",
        sa.Column("users", sa.String(length=8), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("last_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("users", "account_id"),
    )
    op.create_table(
        "word_use",
        sa.Column("users", sa.String(length=8), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("token", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("form", sa.String(length=16), nullable=False),
        sa.Column("event_key", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("users", "account_id", "token"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "word_answer",
        sa.Column("token", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("token"),
    )
