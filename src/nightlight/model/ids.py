"""Identifiers and how Nightlight derives its own.

Ids that Nightlight makes are derived from what they stand for, so the same event under the same
policy gives the same decision, effect and idempotency key on every run and after every restart.
Whoever knows the public ids that they begin with can derive them too: what is shown to people
outside is a ``keyed_id``.
"""

import hashlib
import hmac
from typing import NewType

AccountId = NewType("AccountId", str)
PostId = NewType("PostId", str)
MediaId = NewType("MediaId", str)
EventKey = NewType("EventKey", str)
SignalId = NewType("SignalId", str)
DecisionId = NewType("DecisionId", str)
EffectId = NewType("EffectId", str)
CaseId = NewType("CaseId", str)
EvidenceId = NewType("EvidenceId", str)
TipId = NewType("TipId", str)
AccountActionId = NewType("AccountActionId", str)

_SEPARATOR = "\x1f"


def derive_id(prefix: str, *parts: str) -> str:
    """Return ``prefix_`` and 24 hex digits that depend on every part and on their order."""
    joined = _SEPARATOR.join(parts).encode()
    return f"{prefix}_{hashlib.blake2b(joined, digest_size=12).hexdigest()}"


def keyed_id(prefix: str, key: bytes, name: str) -> str:
    """Return ``prefix_`` and 24 hex digits that nobody can derive from ``name`` without the key."""
    return f"{prefix}_{hmac.digest(key, name.encode(), 'sha256')[:12].hex()}"


def event_key(source: str, event_id: str) -> EventKey:
    """Return the 32 hex digits under which an event is processed once (CloudEvents source+id)."""
    joined = f"{source}{_SEPARATOR}{event_id}".encode()
    return EventKey(hashlib.blake2b(joined, digest_size=16).hexdigest())
