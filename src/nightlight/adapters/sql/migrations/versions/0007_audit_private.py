"""The record: what may be personal apart, behind salted commitments."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit_entry", sa.Column("private", sa.Text(), nullable=True))
    op.add_column("audit_entry", sa.Column("salt", sa.String(length=32), nullable=True))
