"""Custody of evidence: the view log, holds, destruction, and what two people ask for."""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evidence_read",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("evidence_id", sa.String(length=64), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("seen_where", sa.String(length=16), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_evidence_read_evidence_id", "evidence_read", ["evidence_id"])
    _move_views()
    op.drop_column("review_case", "viewed")
    op.add_column("evidence", sa.Column("blob_name", sa.String(length=64), nullable=True))
    op.add_column("evidence", sa.Column("destroyed_us", sa.BigInteger(), nullable=True))
    op.create_index("evidence_blob", "evidence", ["blob_name"])
    op.create_table(
        "hold_event",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("hold_id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=True),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_hold_event_hold_id", "hold_event", ["hold_id"])
    op.create_index("ix_hold_event_case_id", "hold_event", ["case_id"])
    op.create_table(
        "destruction",
        sa.Column("evidence_id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("ordered_us", sa.BigInteger(), nullable=False),
        sa.Column("done_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("evidence_id"),
    )
    op.create_index(
        "destruction_ordered",
        "destruction",
        ["ordered_us"],
        sqlite_where=sa.text("done_us IS NULL"),
        postgresql_where=sa.text("done_us IS NULL"),
    )
    op.create_table(
        "custody_request",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("proposed_us", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _move_views() -> None:
    """Write into the view log what reviewers said when they decided cases."""
    connection = op.get_bind()
    cases = connection.execute(
        sa.text("SELECT viewed, decided_by, decided_us FROM review_case WHERE viewed <> '[]'")
    )
    rows = [
        {
            "id": "read_"
            + hashlib.sha256(f"{evidence_id}\n{decided_by}".encode()).hexdigest()[:24],
            "evidence_id": evidence_id,
            "person": decided_by,
            "at_us": decided_us or 0,
        }
        for viewed, decided_by, decided_us in cases
        for evidence_id in json.loads(viewed)
    ]
    if rows:
        connection.execute(
            sa.text(
                "INSERT INTO evidence_read"
                " (id, evidence_id, person, purpose, what, seen_where, at_us) VALUES"
                " (:id, :evidence_id, :person, 'said when the case was decided', 'viewed',"
                " 'platform', :at_us)"
            ),
            rows,
        )
