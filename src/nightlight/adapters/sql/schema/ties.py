"""What accounts share, and words that are suggested from samples."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    String,
    Table,
    Text,
)

from nightlight.adapters.sql.schema.base import metadata

link = Table(
    "link",
    metadata,
    # Keyed hashes: what they stand for is kept nowhere.
    Column("token", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", Text, primary_key=True),
    Column("kind", String(24), nullable=False),
    Column("first_us", BigInteger, nullable=False),
    Column("last_us", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    Index("link_account", "account_id", "last_us"),
    sqlite_with_rowid=False,
)

word_user = Table(
    "word_user",
    metadata,
    Column("users", String(8), primary_key=True),
    Column("account_id", Text, primary_key=True),
    # Where the account stands in a fair order: those that stand highest are counted no more.
    Column("place", BigInteger, nullable=False),
    Column("last_us", BigInteger, nullable=False),
)

word_use = Table(
    "word_use",
    metadata,
    Column("users", String(8), primary_key=True),
    Column("account_id", Text, primary_key=True),
    # Keyed hashes: the words are kept nowhere, but in the events that are named.
    Column("token", BigInteger, primary_key=True, autoincrement=False),
    Column("form", String(16), nullable=False),
    Column("event_key", String(32), nullable=False),
    sqlite_with_rowid=False,
)

word_answer = Table(
    "word_answer",
    metadata,
    Column("token", BigInteger, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
)
