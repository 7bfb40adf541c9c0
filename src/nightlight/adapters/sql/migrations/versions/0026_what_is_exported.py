"""Which evidence a request is about, so that what is to be exported is kept for it."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    made = op.create_table(
        "custody_item",
        sa.Column("request_id", sa.String(64), primary_key=True),
        sa.Column("evidence_id", sa.String(64), primary_key=True, index=True),
    )
    rows = op.get_bind().execute(sa.text("SELECT id, body FROM custody_request")).all()
    items = [
        {"request_id": row.id, "evidence_id": one}
        for row in rows
        for one in dict.fromkeys(json.loads(row.body)["evidence_ids"])
    ]
    if items:
        op.bulk_insert(made, items)
