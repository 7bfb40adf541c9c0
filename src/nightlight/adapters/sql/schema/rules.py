"""What operators set: terms, policies, weights, tokens."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from nightlight.adapters.sql.schema.base import metadata

api_token = Table(
    "api_token",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("per_second", Float, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("revoked_us", BigInteger),
)

term = Table(
    "term",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("lexicon", Text, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("sealed_text", LargeBinary, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("language", Text, nullable=False),
    Column("added_us", BigInteger, nullable=False),
    # The whole term, where it is more than the columns before; NULL for most.
    Column("sealed_term", LargeBinary),
)

lexicon_change = Table(
    "lexicon_change",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("lexicon", Text, nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("alone", Boolean, nullable=False),
    Column("proposed_us", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    # What was proposed, kept only until somebody decides.
    Column("sealed_terms", LargeBinary),
)

policy = Table(
    "policy",
    metadata,
    Column("version", String(160), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("activated_us", BigInteger, nullable=False),
)

offer_weights = Table(
    "offer_weights",
    metadata,
    Column("version", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("activated_us", BigInteger, nullable=False),
)
