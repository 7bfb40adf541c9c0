"""Tips as the filer needs them: each step is committed with its audit entry."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.errors import Conflict
from nightlight.model.audit import AuditEntry
from nightlight.model.case import STANDING, CaseState, CaseStep, next_state
from nightlight.model.custody import Access
from nightlight.model.cybertip import CyberTip
from nightlight.model.filing import Filing, TipState
from nightlight.model.ids import CaseId, TipId
from nightlight.preserve.vault import Vault
from nightlight.report.account_actions import tip_filed
from nightlight.transaction import Transaction, UnitOfWork

#: Steps by which a report comes into being at the CyberTipline.
_COMMITTING = frozenset({TipState.OPENING, TipState.FINISHING})


class StoredTips:
    """The filer's store: progress, the case's state and the record change together."""

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    def load(self, tip_id: TipId) -> tuple[CyberTip, Filing]:
        """Return the tip and its filing as last saved."""
        with self._unit_of_work.read() as tx:
            return tx.tips.load(tip_id)

    def save(self, filing: Filing, *, action: str) -> None:
        """Commit the filing together with an audit entry; a filed tip's case becomes reported.

        Raises:
            Conflict: another filer went on with this tip, or its case was appealed meanwhile.
        """
        now = self._clock.now()
        with self._unit_of_work.begin() as tx:
            tip, _ = tx.tips.load(filing.tip_id)
            if filing.state in _COMMITTING:
                _check_stands(tx, tip.case_id)
            tx.tips.save(filing, at=now)
            accounted: list[AuditEntry] = []
            if filing.state is TipState.FILED:
                _report_case(tx, tip.case_id)
                store = tx.report_decisions
                accounted = tip_filed(store, tip.id, tip.case_id, tip.account_id, at=now)
            tx.commit(
                *accounted,
                AuditEntry(
                    actor="nightlight",
                    action=action,
                    subject=filing.tip_id,
                    reason=filing.failure,
                    detail={
                        "case": tip.case_id,
                        "state": filing.state.value,
                        "remote_id": filing.remote_id,
                        "attempts": filing.attempts,
                    },
                ),
            )

    def due(self, now: datetime, limit: int) -> Sequence[TipId]:
        """Return tips that are not settled and need not wait beyond ``now``."""
        with self._unit_of_work.read() as tx:
            return tx.tips.due(now, limit)


def _check_stands(tx: Transaction, case_id: CaseId) -> None:
    case = tx.cases.get(case_id)
    if case.state not in STANDING:
        raise Conflict(f"the case is {case.state}: its tip waits", hint="answer the appeal first")


def _report_case(tx: Transaction, case_id: CaseId) -> None:
    case = tx.cases.get(case_id)
    # An appeal may have come in meanwhile: the tip is filed all the same, the case stays there.
    if case.state is CaseState.CONFIRMED:
        tx.cases.save(replace(case, state=next_state(case.state, CaseStep.REPORT)))


class VaultMedia:
    """The filer's access to sealed media: every opening is an audit entry."""

    def __init__(self, *, vault: Vault, unit_of_work: UnitOfWork) -> None:
        self._vault = vault
        self._unit_of_work = unit_of_work

    def read(self, digest: str, purpose: str) -> bytes:
        """Return the bytes whose SHA-256 is ``digest``, having recorded the purpose."""
        data = self._vault.open(digest, Access(person="nightlight", purpose=purpose))
        with self._unit_of_work.begin() as tx:
            tx.commit(
                AuditEntry(
                    actor="nightlight",
                    action="evidence.opened",
                    subject="one sealed file",
                    reason=purpose,
                    detail={"bytes": len(data)},
                )
            )
        return data
