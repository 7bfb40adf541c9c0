"""The tables. Times are microseconds since 1970 UTC; nested values are JSON; secrets are sealed.

A change here needs a migration in ``migrations/versions``; a test compares the two.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData()

counter = Table(
    "counter",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

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
)

#: Every case that a tip reports.
tip_case = Table(
    "tip_case",
    metadata,
    Column("tip_id", String(64), primary_key=True),
    Column("case_id", String(64), primary_key=True, index=True),
)

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False),
    Column("entry", Text, nullable=False),
    # What an export withholds, and what hides it; none in entries of the former form.
    Column("private", Text, nullable=True),
    Column("salt", String(32), nullable=True),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)

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

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
)

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

# Accounts that were acted on, and what was decided about reporting them. The migration that makes
# these tables also makes triggers: see docs/adr/0027-report-decisions-in-the-database.md.
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
