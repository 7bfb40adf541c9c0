"""Searches through the past, and what they found."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    String,
    Table,
    Text,
)

from nightlight.adapters.sql.schema.base import metadata

hunt = Table(
    "hunt",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("state", String(16), nullable=False, index=True),
    Column("asked_us", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)

hunt_finding = Table(
    "hunt_finding",
    metadata,
    Column("hunt_id", String(64), primary_key=True),
    Column("event_key", String(32), primary_key=True),
    Column("subject_kind", String(16), nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("from_us", BigInteger, nullable=False),
    Column("until_us", BigInteger),
    Column("found_us", BigInteger, nullable=False),
    Column("views", BigInteger, nullable=False),
    Column("decision_id", String(64), nullable=False),
    Index("hunt_finding_event", "event_key", "found_us"),
)
