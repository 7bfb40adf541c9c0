"""What was found in the vault before evidence is destroyed."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("destruction", sa.Column("found_us", sa.BigInteger(), nullable=True))
    op.add_column("destruction", sa.Column("missing_us", sa.BigInteger(), nullable=True))
