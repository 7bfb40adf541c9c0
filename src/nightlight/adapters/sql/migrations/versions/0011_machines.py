"""From which machines events were sent, sealed, until it is forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("event_log", sa.Column("sealed_machine", sa.LargeBinary(), nullable=True))
    op.create_index(
        "event_machine",
        "event_log",
        ["accepted_us"],
        sqlite_where=sa.text("sealed_machine IS NOT NULL"),
        postgresql_where=sa.text("sealed_machine IS NOT NULL"),
    )
