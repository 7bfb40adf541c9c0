"""Tips by destination, of several cases, with deadlines."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _added() -> tuple[sa.Column[int], ...]:
    return (
        sa.Column("deadline_us", sa.BigInteger(), nullable=True),
        sa.Column("alarmed_us", sa.BigInteger(), nullable=True),
    )


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rebuild()
    else:
        op.drop_constraint("cybertip_case_id_key", "cybertip", type_="unique")
        destination = sa.Column(
            "destination", sa.String(length=64), nullable=False, server_default="ncmec"
        )
        op.add_column("cybertip", destination)
        op.alter_column("cybertip", "destination", server_default=None)
        for column in _added():
            op.add_column("cybertip", column)
    op.create_table(
        "tip_case",
        sa.Column("tip_id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("tip_id", "case_id"),
    )
    op.create_index("ix_tip_case_case_id", "tip_case", ["case_id"])
    op.execute("INSERT INTO tip_case (tip_id, case_id) SELECT id, case_id FROM cybertip")


def _rebuild() -> None:
    """Make the table anew, since SQLite cannot drop that a case has one tip; triggers stay."""
    connection = op.get_bind()
    about = connection.execute(
        sa.text(
            "SELECT type, name, sql FROM sqlite_master"
            " WHERE tbl_name = 'cybertip' AND type IN ('trigger', 'index') AND sql IS NOT NULL"
        )
    ).all()
    for kind, name, _ in about:
        op.execute(f"DROP {kind} {name}")
    # Triggers of other tables name this one: renaming must leave their text as it is.
    op.execute("PRAGMA legacy_alter_table = ON")
    op.create_table(
        "cybertip_0009",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("destination", sa.String(length=64), nullable=False),
        sa.Column("sealed_tip", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("filing", sa.Text(), nullable=False),
        sa.Column("next_us", sa.BigInteger(), nullable=False),
        sa.Column("drafted_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        *_added(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute(
        "INSERT INTO cybertip_0009 (id, case_id, destination, sealed_tip, state, revision, filing,"
        " next_us, drafted_us, updated_us) SELECT id, case_id, 'ncmec', sealed_tip, state,"
        " revision, filing, next_us, drafted_us, updated_us FROM cybertip"
    )
    op.drop_table("cybertip")
    op.rename_table("cybertip_0009", "cybertip")
    op.execute("PRAGMA legacy_alter_table = OFF")
    for _, _, sql in about:
        op.execute(sql)
