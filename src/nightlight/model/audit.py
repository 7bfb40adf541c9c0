"""What the record says of one step: who did what to what, why, and under which policy."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct


class AuditEntry(Struct, frozen=True, kw_only=True):
    """One step as its author states it, before the chain gives it a place.

    Attributes:
        actor: "nightlight" for automation, otherwise the person or token that acted.
        action: what was done, from the past-tense list in ``docs/reference/audit-actions.md``.
        subject: the id of what it was done to.
        reason: why, in words; "" only for automatic steps whose detail says it.
        detail: ids, counts and digests; never content, hashes of media, terms or personal data.
    """

    actor: str
    action: str
    subject: str
    reason: str = ""
    policy_version: str = ""
    detail: Mapping[str, str | int | float | bool | list[str]] = {}


class ChainedEntry(Struct, frozen=True, kw_only=True):
    """An audit entry in its place: ``hash`` covers everything else, ``previous`` the one before."""

    seq: int
    at: datetime
    entry: AuditEntry
    previous: str
    hash: str
