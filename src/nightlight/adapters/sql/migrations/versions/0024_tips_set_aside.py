"""Why a tip is set aside that cannot be read, and at which line its report was asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cybertip", sa.Column("trouble", sa.Text(), nullable=True))
    op.add_column("cybertip", sa.Column("line", sa.Text(), nullable=True))
