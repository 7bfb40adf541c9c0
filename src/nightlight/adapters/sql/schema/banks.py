"""Banks of known media and the exchanges that fill them."""

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

bank = Table(
    "bank",
    metadata,
    Column("name", Text, primary_key=True),
    # Stays with the bank whatever it is called, and is never another's.
    Column("number", BigInteger, nullable=False),
    Column("settings", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Index("bank_number", "number", unique=True),
)

bank_entry = Table(
    "bank_entry",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("bank", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("content", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    # Empty once withdrawn: a hash taken back is not kept.
    Column("sealed_value", LargeBinary, nullable=False),
    Column("classification", String(2), nullable=False),
    Column("view", Text, nullable=False),
    Column("quality", Integer, nullable=False),
    Column("opinion", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("disabled_until_us", BigInteger),
    Column("note", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("source_ref", Text, nullable=False),
    Column("added_us", BigInteger, nullable=False),
    # The version of the banks in which it came, and in which it was last changed.
    Column("added_version", BigInteger, nullable=False),
    Column("changed_version", BigInteger, nullable=False),
    Index("bank_entry_number", "number", unique=True),
    Index("bank_entry_changed", "changed_version", "number"),
    Index("bank_entry_content", "bank", "content"),
    Index(
        "bank_entry_waking",
        "disabled_until_us",
        sqlite_where=text("disabled_until_us IS NOT NULL"),
        postgresql_where=text("disabled_until_us IS NOT NULL"),
    ),
    Index("bank_entry_source", "bank", "source_ref"),
    # Counting reads this alone: millions of entries are counted in a second.
    Index("bank_entry_counts", "bank", "state", "kind", "opinion"),
    Index(
        "bank_entry_held",
        "changed_version",
        sqlite_where=text("state = 'held'"),
        postgresql_where=text("state = 'held'"),
    ),
)

bank_content = Table(
    "bank_content",
    metadata,
    # What whoever added a picture or video says of it, by its number: it may name an upload.
    Column("content", BigInteger, primary_key=True, autoincrement=False),
    Column("sealed_metadata", LargeBinary, nullable=False),
)

bank_entry_past = Table(
    "bank_entry_past",
    metadata,
    # What an entry was until this version; what it is now stands in its own row.
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("until_version", BigInteger, primary_key=True, autoincrement=False),
    Column("classification", String(2), nullable=False),
    Column("opinion", String(16), nullable=False),
    Column("state", String(16), nullable=False),
)

bank_version = Table(
    "bank_version",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("bank", Text, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("bank_version_of", "bank", "version"),
)

bank_mark = Table(
    "bank_mark",
    metadata,
    # Drawn at random with each version: a database restored to before it goes on with other marks.
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("mark", BigInteger, nullable=False),
)

exchange = Table(
    "exchange",
    metadata,
    Column("name", Text, primary_key=True),
    Column("api", String(64), nullable=False),
    Column("bank", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    # Addresses and credentials.
    Column("sealed_settings", LargeBinary, nullable=False),
    # How far fetching came, as the exchange's own client writes it.
    Column("checkpoint", Text, nullable=False),
    Column("checkpoint_us", BigInteger),
    Column("running_us", BigInteger),
    Column("completed_us", BigInteger),
    Column("succeeded", Boolean),
    Column("up_to_date", Boolean, nullable=False),
    Column("failure", Text, nullable=False),
    Column("fetched", BigInteger, nullable=False),
)

vote = Table(
    "vote",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("exchange", Text, nullable=False),
    Column("entry_id", String(128), nullable=False),
    Column("source_ref", Text, nullable=False),
    Column("opinion", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("requested_us", BigInteger, nullable=False),
    Column("next_us", BigInteger, nullable=False),
    Column("failure", Text, nullable=False),
    Index("vote_due", "state", "next_us"),
)
