"""What the record says of evidence that is to be destroyed: ordered, spared, missing, gone."""

from collections.abc import Sequence

from nightlight.model.audit import AuditEntry
from nightlight.model.case import Evidence
from nightlight.model.custody import Destruction, ReadKind
from nightlight.model.ids import CaseId
from nightlight.preserve.retention import Kept
from nightlight.transaction import Transaction

TIME = "%Y-%m-%dT%H:%M:%SZ"
GONE = "destroyed, and found absent"
ABSENT = "found absent"
MISSING = "nothing was destroyed: it was missing"
MISSING_SINCE = "it was missing; whether it was destroyed here is not known"
CUT_OFF = "; an attempt was cut off, and it is gone since: whether by that is not known"


def ordered_entries(orders: Sequence[Destruction]) -> list[AuditEntry]:
    """Return what says which evidence was ordered to be destroyed, one entry a case."""
    by_case: dict[CaseId, list[Destruction]] = {}
    for one in orders:
        by_case.setdefault(one.case_id, []).append(one)
    return [
        AuditEntry(
            actor="nightlight",
            action="evidence.destruction_ordered",
            subject=case_id,
            reason="; ".join(dict.fromkeys(one.rule for one in of_case)),
            detail={"evidence": [one.evidence_id for one in of_case]},
        )
        for case_id, of_case in by_case.items()
    ]


def spared_entry(evidence: Evidence, found: Kept) -> AuditEntry:
    """Return what says that evidence is kept after all, and why."""
    return AuditEntry(
        actor="nightlight",
        action="evidence.spared",
        subject=evidence.id,
        reason="; ".join(found.because) or f"kept: {found.rule}",
        detail={"case": evidence.case_id, "due": found.due_at.isoformat() if found.due_at else ""},
    )


def missed_entry(evidence: Evidence, before: str) -> AuditEntry:
    """Return what says that evidence which was to be destroyed is not there."""
    return AuditEntry(
        actor="nightlight",
        action="evidence.missed",
        subject=evidence.id,
        reason="it was to be destroyed and is not in the vault",
        detail={"case": evidence.case_id, "kind": evidence.kind.value, "before": before},
    )


def certificate(
    evidence: Evidence, order: Destruction, found: Kept, *, name: str, vault: str, before: str
) -> AuditEntry:
    """Return what certifies that evidence is gone: a keyed digest says what, never the hash."""
    return AuditEntry(
        actor="nightlight",
        action="evidence.destroyed",
        subject=evidence.id,
        reason=order.rule,
        detail={
            "case": evidence.case_id,
            "kind": evidence.kind.value,
            "keyed_digest": name,
            "bytes": evidence.byte_count,
            "sealed": evidence.sealed_at.isoformat(),
            "due": (found.due_at or order.due_at).isoformat(),
            "ordered": order.ordered_at.isoformat(),
            "proposed_by": order.proposed_by,
            "approved_by": order.approved_by,
            "before": before,
            "vault": vault,
        },
    )


def last_known(tx: Transaction, evidence: Evidence, order: Destruction) -> str:
    """Return in words when it was last known that the vault has all of it."""
    given = [one.at for one in tx.views.of([evidence.id]) if one.what is ReadKind.GIVEN]
    last = max(given, default=evidence.sealed_at)
    known = "last given whole" if given else "last known there when sealed"
    failed = order.failed_at
    since = (
        "" if failed is None else f"; to destroy it failed {failed:{TIME}}, and it is gone since"
    )
    return f"{known} {last:{TIME}}{since}"
