"""Of which country an account is, as the platform tells it."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("country", sa.Text(), nullable=False, server_default=sa.text("''"))
    op.add_column("account", column)
