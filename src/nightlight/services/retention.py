"""Evidence is kept for as long as anything needs it, then destroyed; machines are forgotten.

Owns what is due and the rounds in which it goes: an order to destroy is committed before anything
is done. Leaves carrying one out to ``destroying``.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from nightlight.audit.clock import Clock
from nightlight.errors import NightlightError
from nightlight.model.custody import Destruction
from nightlight.model.ids import CaseId
from nightlight.preserve.retention import Periods
from nightlight.services.destroying import Destroying, Missing
from nightlight.services.destruction_entries import ordered_entries
from nightlight.services.keeping import Retained, periods_of, retained
from nightlight.services.rules import active_policy
from nightlight.transaction import Transaction, UnitOfWork, let_nothing_be_destroyed

#: Cases looked at in one transaction.
_PAGE = 200
#: So many destructions that fail one after the other end a round.
_FAILURES = 10


class Destroyed(Struct, frozen=True, kw_only=True):
    """What a round of destroying came to.

    Attributes:
        ordered: how much was found to be due.
        destroyed: how much is gone.
        shared: of how much of that the bytes stay, since other evidence is the same.
        spared: how much was ordered to be destroyed and is kept after all.
        failed: how much could not be destroyed; its order stands.
        failure: why the last of it could not.
        missing: how much was not in the vault, where it should have been; its order stands.
    """

    ordered: int = 0
    destroyed: int = 0
    shared: int = 0
    spared: int = 0
    failed: int = 0
    failure: str = ""
    missing: int = 0


class Retention:
    """Says for how long evidence is kept, has destroyed what is due, and forgets machines."""

    def __init__(self, *, unit_of_work: UnitOfWork, destroying: Destroying, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._destroying = destroying
        self._clock = clock

    def of_case(self, case_id: CaseId) -> list[Retained]:
        """Return a case's evidence that is kept, and for how long."""
        with self._unit_of_work.begin() as tx:
            return retained(tx, [case_id], periods_of(tx))

    def due(self, *, at: datetime | None = None) -> list[Retained]:
        """Return everything that is due now, or at another time."""
        now = at or self._clock.now()
        found: list[Retained] = []
        after = ""
        while True:
            with self._unit_of_work.begin() as tx:
                periods = periods_of(tx)
                cases = _cases(tx, periods, now, after)
                found.extend(one for one in retained(tx, cases, periods) if one.kept.is_due(now))
            if len(cases) < _PAGE:
                return found
            after = cases[-1]

    def run_due(self, *, limit: int = 1_000) -> Destroyed:
        """Order what is due to be destroyed and destroy up to ``limit``; return what came of it.

        What fails or is missing holds nothing else up: every other order is tried before it is
        again. Many failures in a row end the round, since the vault is not there then.
        """
        ordered = self._order_due(limit)
        destroyed = shared = spared = missing = failed = in_a_row = 0
        failure = ""
        with self._unit_of_work.read() as tx:
            orders = tx.custody.ordered(limit)
        for order in orders:
            try:
                others = self._destroying.carry_out(order.evidence_id)
            except NightlightError as error:
                self._tried(order.evidence_id)
                if isinstance(error, Missing):
                    missing += 1
                    continue
                failed, failure, in_a_row = failed + 1, str(error), in_a_row + 1
                if in_a_row == _FAILURES:
                    break
                continue
            in_a_row = 0
            if others is None:
                spared += 1
            else:
                destroyed += 1
                shared += others > 0
        return Destroyed(
            ordered=ordered,
            destroyed=destroyed,
            shared=shared,
            spared=spared,
            failed=failed,
            failure=failure,
            missing=missing,
        )

    def _tried(self, evidence_id: str) -> None:
        """Let an order that stands come after all others the next time."""
        with self._unit_of_work.begin() as tx:
            tx.custody.tried(evidence_id, at=self._clock.now())
            tx.commit_unrecorded()

    def forget_machines(self) -> int:
        """Return of how many events the sender's machine was forgotten: what the policy says."""
        total = 0
        while True:
            with self._unit_of_work.begin() as tx:
                days = active_policy(tx).retention.machine_days
                before = self._clock.now() - timedelta(days=days)
                gone = tx.events.forget_machines(before, _PAGE * 10)
                if gone:
                    tx.commit_unrecorded()
            total += gone
            if gone < _PAGE * 10:
                return total

    def _order_due(self, limit: int) -> int:
        """Return how much evidence was newly ordered to be destroyed."""
        count, after = 0, ""
        while count < limit:
            now = self._clock.now()
            with self._unit_of_work.begin() as tx:
                let_nothing_be_destroyed(tx)
                periods = periods_of(tx)
                cases = _cases(tx, periods, now, after)
                orders = _orders(tx, cases, periods, now)
                if orders:
                    tx.custody.order(orders)
                    count += len(orders)
                    tx.commit(*ordered_entries(orders))
            if len(cases) < _PAGE:
                break
            after = cases[-1]
        return count


def _cases(tx: Transaction, periods: Periods, now: datetime, after: str) -> list[CaseId]:
    return tx.evidence.sealed_before(now - periods.shortest, after=after, limit=_PAGE)


def _orders(
    tx: Transaction, case_ids: Sequence[CaseId], periods: Periods, now: datetime
) -> list[Destruction]:
    return [
        Destruction(
            evidence_id=one.evidence.id,
            case_id=one.evidence.case_id,
            rule=one.kept.rule,
            due_at=one.kept.due_at,
            ordered_at=now,
        )
        for one in retained(tx, case_ids, periods)
        if one.kept.due_at is not None
        and one.kept.is_due(now)
        and tx.custody.order_of(one.evidence.id) is None
    ]
