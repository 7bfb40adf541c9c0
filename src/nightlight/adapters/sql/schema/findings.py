"""Signals, decisions and the effects that were asked for."""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from nightlight.adapters.sql.schema.base import metadata

signal = Table(
    "signal",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("event_key", String(32), nullable=False, index=True),
    Column("detector", Text, nullable=False),
    Column("account_id", Text, nullable=False, index=True),
    Column("subject_kind", String(16), nullable=False),
    Column("subject_id", Text, nullable=False, index=True),
    Column("confidence", Float, nullable=False),
    Column("facts", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("recorded_us", BigInteger, nullable=False),
)

decision = Table(
    "decision",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("event_key", String(32), nullable=False),
    Column("account_id", Text, nullable=False, index=True),
    Column("subject_kind", String(16), nullable=False),
    Column("subject_id", Text, nullable=False, index=True),
    Column("decided_by", Text, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("asks", Text, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("recorded_us", BigInteger, nullable=False, index=True),
)

effect = Table(
    "effect",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("decision_id", String(64), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("subject_kind", String(16), nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("case_id", String(64), index=True),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("requested_us", BigInteger, nullable=False),
    # The place within one transaction: effects on one subject are delivered in this order.
    Column("place", Integer, nullable=False),
    Column("next_us", BigInteger, nullable=False),
    Column("delivered_us", BigInteger),
    Column("failure", Text, nullable=False),
    Index(
        "effect_due",
        "next_us",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    Index(
        "effect_waiting",
        "subject_id",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    Index("effect_recent", "requested_us"),
    # What must belong to an account action.
    Index(
        "effect_closing",
        "id",
        sqlite_where=text("kind IN ('lock', 'suspend')"),
        postgresql_where=text("kind IN ('lock', 'suspend')"),
    ),
)

statement = Table(
    "statement",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("next_us", BigInteger, nullable=False),
    Column("sent_us", BigInteger, nullable=True),
    Column("receipt", Text, nullable=False),
    Column("failure", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("statement_due", "state", "next_us"),
    Index("statement_made", "made_us"),
)
