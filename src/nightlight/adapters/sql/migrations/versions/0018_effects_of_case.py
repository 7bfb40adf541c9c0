"""The effects that a case asked for are found without looking through all effects."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_effect_case_id", "effect", ["case_id"])
