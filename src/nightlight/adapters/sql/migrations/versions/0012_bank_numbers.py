"""Banks have numbers that stay, versions have marks, and changes are read piece by piece."""

from secrets import randbits

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _remake_bank()
    op.create_table(
        "bank_mark",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.execute(
        sa.text(
            "INSERT INTO bank_mark (version, mark) "
            "SELECT value, :mark FROM counter WHERE name = 'banks'"
        ).bindparams(mark=1 + randbits(62))
    )
    op.drop_index("bank_entry_changed", table_name="bank_entry")
    op.create_index("bank_entry_changed", "bank_entry", ["changed_version", "number"])


def _remake_bank() -> None:
    """Give every bank a number; SQLite cannot add such a column in place."""
    op.rename_table("bank", "bank_0011")
    if op.get_bind().dialect.name == "postgresql":
        # The name of a primary key is the database's, not the table's: the new one needs it.
        op.execute("ALTER INDEX bank_pkey RENAME TO bank_0011_pkey")
    op.create_table(
        "bank",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.execute(
        """
        INSERT INTO bank (name, number, settings, created_us)
        SELECT name, row_number() OVER (ORDER BY created_us, name), settings, created_us
        FROM bank_0011
        """
    )
    op.drop_table("bank_0011")
    op.create_index("bank_number", "bank", ["number"], unique=True)
    op.execute(
        "INSERT INTO counter (name, value) SELECT 'banks_made', coalesce(max(number), 0) FROM bank"
    )
