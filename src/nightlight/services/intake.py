"""What could not be read is kept with its reason, and the record says so."""

import secrets
from collections.abc import Iterable, Sequence

from nightlight.audit.clock import Clock
from nightlight.ingest.lines import Rejected
from nightlight.ingest.ports import Quarantined
from nightlight.model.audit import AuditEntry
from nightlight.model.ids import derive_id
from nightlight.transaction import UnitOfWork


def quarantine(
    rejected: Sequence[Rejected], *, origin: str, unit_of_work: UnitOfWork, clock: Clock
) -> None:
    """Keep unreadable input, sealed, until a person has looked at the reason.

    The same line of the same origin is kept once, however often a file is read again.
    """
    if not rejected:
        return
    now = clock.now()
    with unit_of_work.begin() as tx:
        tx.events.quarantine(
            [
                Quarantined(
                    id=_quarantine_id(one, origin),
                    origin=origin,
                    line_number=one.line_number,
                    reason=one.reason,
                    received_at=now,
                    raw=one.raw,
                )
                for one in rejected
            ]
        )
        tx.commit(
            AuditEntry(
                actor="nightlight",
                action="events.quarantined",
                subject=origin,
                detail={"lines": len(rejected), "reasons": _reasons(rejected)},
            )
        )


def _quarantine_id(one: Rejected, origin: str) -> str:
    if origin.startswith("file:"):
        return derive_id("qrt", origin, str(one.line_number), one.raw.hex())
    return f"qrt_{secrets.token_hex(12)}"


def _reasons(rejected: Iterable[Rejected]) -> list[str]:
    return sorted({one.reason for one in rejected})[:10]
