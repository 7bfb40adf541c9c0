"""The tables. Times are microseconds since 1970 UTC; nested values are JSON; secrets are sealed.

A change here needs a migration in ``migrations/versions``; a test compares the two.
"""

from nightlight.adapters.sql.schema.banks import (
    bank,
    bank_content,
    bank_entry,
    bank_entry_past,
    bank_mark,
    bank_version,
    exchange,
    vote,
)
from nightlight.adapters.sql.schema.base import counter, heartbeat, metadata
from nightlight.adapters.sql.schema.cases import cybertip, review_case, sent_document, tip_case
from nightlight.adapters.sql.schema.custody import (
    custody_item,
    custody_request,
    destruction,
    evidence,
    evidence_read,
    hold_event,
    kept_post,
)
from nightlight.adapters.sql.schema.findings import decision, effect, signal, statement
from nightlight.adapters.sql.schema.hunts import hunt, hunt_finding
from nightlight.adapters.sql.schema.record import audit_entry, audit_head
from nightlight.adapters.sql.schema.report_decisions import (
    account_action,
    account_action_effect,
    report_decision,
    report_threshold,
)
from nightlight.adapters.sql.schema.rules import (
    api_token,
    lexicon_change,
    offer_weights,
    policy,
    term,
)
from nightlight.adapters.sql.schema.stream import (
    account,
    engagement,
    event_log,
    media,
    post,
    quarantine,
)
from nightlight.adapters.sql.schema.ties import link, word_answer, word_use, word_user

__all__ = [
    "account",
    "account_action",
    "account_action_effect",
    "api_token",
    "audit_entry",
    "audit_head",
    "bank",
    "bank_content",
    "bank_entry",
    "bank_entry_past",
    "bank_mark",
    "bank_version",
    "counter",
    "custody_item",
    "custody_request",
    "cybertip",
    "decision",
    "destruction",
    "effect",
    "engagement",
    "event_log",
    "evidence",
    "evidence_read",
    "exchange",
    "heartbeat",
    "hold_event",
    "hunt",
    "hunt_finding",
    "kept_post",
    "lexicon_change",
    "link",
    "media",
    "metadata",
    "offer_weights",
    "policy",
    "post",
    "quarantine",
    "report_decision",
    "report_threshold",
    "review_case",
    "sent_document",
    "signal",
    "statement",
    "term",
    "tip_case",
    "vote",
    "word_answer",
    "word_use",
    "word_user",
]
