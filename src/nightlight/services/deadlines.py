"""Tells of tips that were not filed by their deadline: once each, on the record."""

from nightlight.audit.clock import Clock
from nightlight.model.audit import AuditEntry
from nightlight.transaction import StoredTip, UnitOfWork


class Deadlines:
    """Watches what should have been filed."""

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    def notice(self) -> list[StoredTip]:
        """Return the tips that became overdue since the last call; the record says so of each."""
        now = self._clock.now()
        with self._unit_of_work.read() as tx:
            if not tx.tips.overdue(now, unalarmed=True):
                return []
        with self._unit_of_work.begin() as tx:
            late = tx.tips.overdue(now, unalarmed=True)
            for one in late:
                tx.tips.alarmed(one.tip_id, at=now)
            if late:
                tx.commit(*(_entry(one) for one in late))
        return late


def _entry(tip: StoredTip) -> AuditEntry:
    due = tip.deadline_at.isoformat(timespec="seconds") if tip.deadline_at else ""
    return AuditEntry(
        actor="nightlight",
        action="tip.overdue",
        subject=tip.tip_id,
        reason=tip.filing.failure,
        detail={"case": tip.case_id, "due": due, "state": tip.filing.state.value},
    )
