"""What was sent of tips, as it was sent; sealed as the tips are."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sent_document",
        sa.Column("tip_id", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("sealed_document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tip_id", "place"),
    )
