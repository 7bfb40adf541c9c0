"""What clients say of the pictures and videos that they add to banks, sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bank_content",
        sa.Column("content", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("sealed_metadata", sa.LargeBinary(), nullable=False),
    )
