"""Events and what is known by them of accounts, posts and media."""

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

event_log = Table(
    "event_log",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("key", String(32), nullable=False, unique=True),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("type", String(32), nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("accepted_us", BigInteger, nullable=False),
    # What the platform told of the sender's machine; forgotten after a while.
    Column("sealed_machine", LargeBinary),
    # Whose it is, where it was told with an account's registration, profile or sign-in.
    Column("machine_account", Text),
    Index(
        "event_machine_account",
        "machine_account",
        "type",
        "time_us",
        sqlite_where=text("machine_account IS NOT NULL AND sealed_machine IS NOT NULL"),
        postgresql_where=text("machine_account IS NOT NULL AND sealed_machine IS NOT NULL"),
    ),
    Index(
        "event_machine",
        "accepted_us",
        sqlite_where=text("sealed_machine IS NOT NULL"),
        postgresql_where=text("sealed_machine IS NOT NULL"),
    ),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("origin", Text, nullable=False),
    Column("line_number", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

account = Table(
    "account",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("handle", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("bio", Text, nullable=False),
    Column("profile_url", Text, nullable=False),
    Column("created_us", BigInteger),
    Column("profile_us", BigInteger),
    Column("first_seen_us", BigInteger),
    Column("posts", Integer, nullable=False),
    Column("deletions", Integer, nullable=False),
    Column("user_reports", Integer, nullable=False),
    Column("suspended", Boolean, nullable=False),
    Column("human_decision", String(16), nullable=False),
    Column("country", Text, nullable=False, server_default=text("''")),
)

post = Table(
    "post",
    metadata,
    Column("post_id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("posted_us", BigInteger),
    Column("text_us", BigInteger),
    Column("deleted_us", BigInteger),
    Column("deleted_by", String(16), nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("media_ids", Text, nullable=False),
    Column("event_key", String(32), nullable=False),
    Column("views", BigInteger, nullable=False),
    Column("engagements", BigInteger, nullable=False),
    Column("flagged", Boolean, nullable=False),
    Column("human_decision", String(16), nullable=False),
    Column("reposted_as", Text, nullable=False),
    # Tombstones are few and asked for by account; an index over them alone stays small.
    Index(
        "post_tombstone",
        "account_id",
        "deleted_us",
        sqlite_where=text("deleted_us IS NOT NULL"),
        postgresql_where=text("deleted_us IS NOT NULL"),
    ),
    Index("post_author", "account_id", "posted_us"),
)

media = Table(
    "media",
    metadata,
    Column("media_id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    # Hashes of what people upload are secrets like the lists they are compared with.
    Column("sealed_scan", LargeBinary, nullable=False),
    Column("scan_state", String(16), nullable=False),
    Column("uploaded_us", BigInteger, nullable=False),
    Column("url", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("event_key", String(32), nullable=False),
    Column("human_decision", String(16), nullable=False),
    # New hashes are tried against what came in last.
    Index("media_recent", "uploaded_us"),
)

engagement = Table(
    "engagement",
    metadata,
    Column("event_key", String(32), primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("post_id", Text, nullable=False),
    Column("target_id", Text, nullable=False),
    Column("reply_id", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Index("engagement_by", "account_id", "at_us"),
    # Acts on posts are asked for by post, acts on accounts by account: neither index holds both.
    Index(
        "engagement_post",
        "post_id",
        sqlite_where=text("post_id <> ''"),
        postgresql_where=text("post_id <> ''"),
    ),
    Index(
        "engagement_target",
        "target_id",
        sqlite_where=text("post_id = ''"),
        postgresql_where=text("post_id = ''"),
    ),
)
