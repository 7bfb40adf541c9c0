"""When an order to destroy was last tried, and when the vault last failed at it."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("destruction", sa.Column("tried_us", sa.BigInteger(), nullable=True))
    op.add_column("destruction", sa.Column("failed_us", sa.BigInteger(), nullable=True))
