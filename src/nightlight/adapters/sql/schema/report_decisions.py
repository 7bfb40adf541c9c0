"""Accounts that were acted on, and what was decided about reporting them.

The migration that makes these tables also makes triggers: see
docs/adr/0027-report-decisions-in-the-database.md.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from nightlight.adapters.sql.schema.base import metadata

report_threshold = Table(
    "report_threshold",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("body", Text, nullable=False),
    Column("first_us", BigInteger, nullable=False),
)

report_decision = Table(
    "report_decision",
    metadata,
    Column("action_id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("says", String(16), nullable=False),
    Column("rule", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("tip_id", String(64), nullable=False),
    Column("part", Text, nullable=False),
    Column("threshold", String(128), ForeignKey("report_threshold.name"), nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("decided_us", BigInteger, nullable=False),
    Column("due_us", BigInteger),
    CheckConstraint("state IN ('undecided', 'reported', 'explained')", name="report_state"),
    CheckConstraint("(state = 'undecided') = (due_us IS NOT NULL)", name="undecided_has_a_clock"),
    CheckConstraint("(state = 'explained') = (reason <> '')", name="explained_has_a_reason"),
    CheckConstraint("(state = 'reported') = (tip_id <> '')", name="reported_has_a_tip"),
    CheckConstraint("decided_by <> ''", name="somebody_decided"),
    Index(
        "report_undecided",
        "due_us",
        sqlite_where=text("state = 'undecided'"),
        postgresql_where=text("state = 'undecided'"),
    ),
    Index(
        "report_tip",
        "tip_id",
        sqlite_where=text("tip_id <> ''"),
        postgresql_where=text("tip_id <> ''"),
    ),
    sqlite_with_rowid=False,
)

account_action = Table(
    "account_action",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("account_id", Text, nullable=False, index=True),
    Column("effect", String(16), nullable=False),
    Column("category", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    # The report decision that holds: there is no account action without one.
    Column("report_version", Integer, nullable=False),
    # The version that was escalated last, 0 for none.
    Column("escalated_version", Integer, nullable=False),
    # "" for those that stand in the record under their id, from before there were record names.
    Column("record_name", String(64), nullable=False, server_default=text("''")),
    ForeignKeyConstraint(
        ["id", "report_version"],
        ["report_decision.action_id", "report_decision.version"],
        name="account_action_has_a_report_decision",
    ),
    CheckConstraint("effect IN ('lock', 'suspend')", name="account_action_effect"),
    CheckConstraint("account_id <> ''", name="account_action_account"),
    Index(
        "account_action_standing",
        "account_id",
        unique=True,
        sqlite_where=text("ended_us IS NULL"),
        postgresql_where=text("ended_us IS NULL"),
    ),
    sqlite_with_rowid=False,
)

account_action_effect = Table(
    "account_action_effect",
    metadata,
    Column("effect_id", String(64), primary_key=True),
    Column("action_id", String(64), ForeignKey("account_action.id"), nullable=False, index=True),
    sqlite_with_rowid=False,
)
