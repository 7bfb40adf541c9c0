"""Sealed evidence, who read it, how long it is held, and what was destroyed."""

from sqlalchemy import (
    BigInteger,
    Boolean,
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

evidence = Table(
    "evidence",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("case_id", String(64), nullable=False, index=True),
    Column("decision_id", String(64), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("content_id", Text, nullable=False),
    # The digest of known media is a secret like the list it stands on.
    Column("sealed_digest", LargeBinary, nullable=False),
    Column("byte_count", BigInteger, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("sealed_us", BigInteger, nullable=False),
    Column("captured_us", BigInteger, nullable=False),
    # The name in the vault, a keyed digest; NULL until it is told for what older versions stored.
    Column("blob_name", String(64)),
    Column("destroyed_us", BigInteger),
    Index("evidence_blob", "blob_name"),
    Index(
        "evidence_post",
        "content_id",
        sqlite_where=text("kind = 'post'"),
        postgresql_where=text("kind = 'post'"),
    ),
    Index(
        "evidence_kept",
        "case_id",
        "sealed_us",
        sqlite_where=text("destroyed_us IS NULL"),
        postgresql_where=text("destroyed_us IS NULL"),
    ),
)

# Deleted posts on which a signal fired: sealed though no rule asked for it.
kept_post = Table(
    "kept_post",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("post_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("event_key", String(32), nullable=False),
    Column("deleted_us", BigInteger, nullable=False),
    Column("noticed_us", BigInteger, nullable=False),
    # NULL once sealing has ended.
    Column("next_us", BigInteger),
    Column("attempts", Integer, nullable=False),
    Column("complete", Boolean, nullable=False),
    Index("kept_post_account", "account_id", "deleted_us"),
    Index("kept_post_newest", "deleted_us"),
    Index(
        "kept_post_due",
        "next_us",
        sqlite_where=text("next_us IS NOT NULL"),
        postgresql_where=text("next_us IS NOT NULL"),
    ),
)

evidence_read = Table(
    "evidence_read",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("evidence_id", String(64), nullable=False, index=True),
    Column("person", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("what", String(16), nullable=False),
    Column("seen_where", String(16), nullable=False),
    Column("at_us", BigInteger, nullable=False),
)

hold_event = Table(
    "hold_event",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("hold_id", String(64), nullable=False, index=True),
    Column("case_id", String(64), nullable=False, index=True),
    Column("what", String(16), nullable=False),
    Column("reference", Text, nullable=False),
    # NULL: until somebody releases it.
    Column("until_us", BigInteger),
    Column("person", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)

destruction = Table(
    "destruction",
    metadata,
    Column("evidence_id", String(64), primary_key=True),
    Column("case_id", String(64), nullable=False),
    Column("rule", Text, nullable=False),
    Column("due_us", BigInteger, nullable=False),
    # The two people who wanted it before it was due; "" for what was due.
    Column("proposed_by", Text, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("ordered_us", BigInteger, nullable=False),
    Column("done_us", BigInteger),
    # When the vault last had it before anything was done, and when it was first missing there.
    Column("found_us", BigInteger),
    Column("missing_us", BigInteger),
    # When it was last tried in vain, and when the vault last failed to destroy it.
    Column("tried_us", BigInteger),
    Column("failed_us", BigInteger),
    Index(
        "destruction_ordered",
        "ordered_us",
        sqlite_where=text("done_us IS NULL"),
        postgresql_where=text("done_us IS NULL"),
    ),
)

custody_request = Table(
    "custody_request",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("proposed_us", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)

# The evidence that a request is about, wherever it has moved since.
custody_item = Table(
    "custody_item",
    metadata,
    Column("request_id", String(64), primary_key=True),
    Column("evidence_id", String(64), primary_key=True, index=True),
)
