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
            found = {one.tip_id: one.case_id for one in tx.tips.overdue(now, unalarmed=True)}
        if not found:
            return []
        with self._unit_of_work.begin() as tx:
            # Before the tips, as reviewers and filers do: each of them holds the first case, too.
            tx.cases.hold(set(found.values()))
            overdue = tx.tips.overdue(now, unalarmed=True)
            # What became overdue since is not held, and is told of the next time.
            late = [one for one in overdue if one.tip_id in found]
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
