"""An index of the evidence that is kept, by case and age."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "evidence_kept",
        "evidence",
        ["case_id", "sealed_us"],
        sqlite_where=sa.text("destroyed_us IS NULL"),
        postgresql_where=sa.text("destroyed_us IS NULL"),
    )
