"""Banks with settings and versions, exchanges, opinions to send, API tokens."""

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bank",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "bank_entry_past",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until_version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("classification", sa.String(length=2), nullable=False),
        sa.Column("opinion", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("number", "until_version"),
    )
    op.create_table(
        "bank_version",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bank", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", "bank"),
    )
    op.create_index("bank_version_of", "bank_version", ["bank", "version"])
    op.create_table(
        "exchange",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("api", sa.String(length=64), nullable=False),
        sa.Column("bank", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("sealed_settings", sa.LargeBinary(), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.Column("checkpoint_us", sa.BigInteger(), nullable=True),
        sa.Column("running_us", sa.BigInteger(), nullable=True),
        sa.Column("completed_us", sa.BigInteger(), nullable=True),
        sa.Column("succeeded", sa.Boolean(), nullable=True),
        sa.Column("up_to_date", sa.Boolean(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("fetched", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "vote",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.String(length=128), nullable=False),
        sa.Column("source_ref", sa.Text(), nullable=False),
        sa.Column("opinion", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("requested_us", sa.BigInteger(), nullable=False),
        sa.Column("next_us", sa.BigInteger(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("vote_due", "vote", ["state", "next_us"])
    op.create_table(
        "api_token",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("per_second", sa.Float(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("revoked_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index("media_recent", "media", ["uploaded_us"])
    _remake_bank_entry()


def _remake_bank_entry() -> None:
    """Give every entry a number and a version; SQLite cannot add such columns in place."""
    op.rename_table("bank_entry", "bank_entry_0001")
    if op.get_bind().dialect.name == "postgresql":
        # The name of a primary key is the database's, not the table's: the new one needs it.
        op.execute("ALTER INDEX bank_entry_pkey RENAME TO bank_entry_0001_pkey")
    op.create_table(
        "bank_entry",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("bank", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sealed_value", sa.LargeBinary(), nullable=False),
        sa.Column("classification", sa.String(length=2), nullable=False),
        sa.Column("view", sa.Text(), nullable=False),
        sa.Column("quality", sa.Integer(), nullable=False),
        sa.Column("opinion", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("disabled_until_us", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_ref", sa.Text(), nullable=False),
        sa.Column("added_us", sa.BigInteger(), nullable=False),
        sa.Column("added_version", sa.BigInteger(), nullable=False),
        sa.Column("changed_version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", "bank"),
    )
    op.execute(
        """
        INSERT INTO bank_entry (
            id, bank, number, content, kind, sealed_value, classification, view, quality, opinion,
            state, disabled_until_us, note, source, source_ref, added_us, added_version,
            changed_version
        )
        SELECT id, bank, place, place, kind, sealed_value, classification, '', 100, 'positive',
               'active', NULL, '', '', '', added_us, version, version
        FROM (
            SELECT entry.*,
                   row_number() OVER (ORDER BY added_us, bank, id) AS place,
                   coalesce((SELECT value FROM counter WHERE name = 'banks'), 0) AS version
            FROM bank_entry_0001 AS entry
        ) AS numbered
        """
    )
    op.drop_table("bank_entry_0001")
    op.create_index("bank_entry_number", "bank_entry", ["number"], unique=True)
    op.create_index("bank_entry_changed", "bank_entry", ["changed_version"])
    op.create_index("bank_entry_content", "bank_entry", ["bank", "content"])
    op.create_index("bank_entry_source", "bank_entry", ["bank", "source_ref"])
    op.create_index("bank_entry_counts", "bank_entry", ["bank", "state", "kind", "opinion"])
    op.create_index(
        "bank_entry_held",
        "bank_entry",
        ["changed_version"],
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )
    _name_the_banks()


def _name_the_banks() -> None:
    """Give every bank that has entries the settings that held for it until now."""
    connection = op.get_bind()
    found = connection.execute(
        sa.text(
            "SELECT bank, count(*) AS entries, min(added_us) AS first_us,"
            " max(changed_version) AS version FROM bank_entry GROUP BY bank"
        )
    ).all()
    for row in found:
        settings = {
            "name": row.bank,
            "purpose": "known",
            "threshold_bits": 31,
            "classification": "",
            "provenance": "imported before banks had settings",
            "enabled_ratio": 1.0,
        }
        connection.execute(
            sa.text("INSERT INTO bank (name, settings, created_us) VALUES (:name, :body, :at)"),
            {"name": row.bank, "body": json.dumps(settings), "at": row.first_us},
        )
        body = {
            "number": row.version,
            "bank": row.bank,
            "at": datetime.fromtimestamp(row.first_us / 1e6, UTC).isoformat(),
            "actor": "nightlight",
            "reason": "upgraded to banks with settings",
            "settings": settings,
            "added": row.entries,
        }
        connection.execute(
            sa.text(
                "INSERT INTO bank_version (version, bank, at_us, body)"
                " VALUES (:version, :bank, :at, :body)"
            ),
            {
                "version": row.version,
                "bank": row.bank,
                "at": row.first_us,
                "body": json.dumps(body),
            },
        )
    highest = connection.execute(sa.text("SELECT coalesce(max(number), 0) FROM bank_entry"))
    connection.execute(
        sa.text("INSERT INTO counter (name, value) VALUES ('bank_numbers', :value)"),
        {"value": highest.scalar_one()},
    )
