"""Which account a machine belongs to that was told with its registration or profile."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_KEPT = "machine_account IS NOT NULL AND sealed_machine IS NOT NULL"
_NAME = {
    "sqlite": "json_extract(CAST(data AS TEXT), '$.account_id')",
    "postgresql": "convert_from(data, 'UTF8')::json ->> 'account_id'",
}


def upgrade() -> None:
    op.add_column("event_log", sa.Column("machine_account", sa.Text(), nullable=True))
    connection = op.get_bind()
    connection.exec_driver_sql(
        f"UPDATE event_log SET machine_account = {_NAME[connection.dialect.name]}"
        " WHERE sealed_machine IS NOT NULL AND type IN ('account.created', 'account.updated')"
    )
    op.create_index(
        "event_machine_account",
        "event_log",
        ["machine_account", "time_us"],
        sqlite_where=sa.text(_KEPT),
        postgresql_where=sa.text(_KEPT),
    )
