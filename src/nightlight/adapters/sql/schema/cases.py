"""Cases and their tips."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from nightlight.adapters.sql.schema.base import metadata

review_case = Table(
    "review_case",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("account_id", Text, nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("category", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("decisions", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_us", BigInteger),
    Column("decision_reason", Text, nullable=False),
    Index("case_queue", "state", "severity", "opened_us"),
    Index(
        "case_one_open",
        "account_id",
        unique=True,
        sqlite_where=text("state = 'open' AND account_id <> ''"),
        postgresql_where=text("state = 'open' AND account_id <> ''"),
    ),
)

cybertip = Table(
    "cybertip",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("case_id", String(64), nullable=False),
    Column("destination", String(64), nullable=False),
    Column("sealed_tip", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("filing", Text, nullable=False),
    Column("next_us", BigInteger, nullable=False),
    Column("drafted_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    Column("deadline_us", BigInteger),
    Column("alarmed_us", BigInteger),
    Column("trouble", Text),
    Column("line", Text),
)

#: Every case that a tip reports.
tip_case = Table(
    "tip_case",
    metadata,
    Column("tip_id", String(64), primary_key=True),
    Column("case_id", String(64), primary_key=True, index=True),
)

#: What was sent of a tip: 0 is the report, then the details of each file; before them the tip.
sent_document = Table(
    "sent_document",
    metadata,
    Column("tip_id", String(64), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("sealed_document", LargeBinary, nullable=False),
)
