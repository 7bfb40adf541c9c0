"""Machines of an account are found by what was told with them: sign-ins are many."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_KEPT = sa.text("machine_account IS NOT NULL AND sealed_machine IS NOT NULL")


def upgrade() -> None:
    op.drop_index("event_machine_account", table_name="event_log")
    op.create_index(
        "event_machine_account",
        "event_log",
        ["machine_account", "type", "time_us"],
        sqlite_where=_KEPT,
        postgresql_where=_KEPT,
    )
