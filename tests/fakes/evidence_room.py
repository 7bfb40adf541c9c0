"""Cases, evidence, tips and holds over a real database, with a clock that is moved by hand."""

from datetime import datetime
from typing import Any

from msgspec.structs import replace
from tests.fakes.blobs import MemoryBlobs
from tests.fakes.cybertip_store import HandClock, MemoryMedia, make_tip
from tests.ports.builders import ENTRY, make_case, make_evidence

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.model.audit import AuditEntry
from nightlight.model.case import Case, CaseState, Evidence, EvidenceKind
from nightlight.model.filing import Filing, TipState
from nightlight.model.ids import AccountId, CaseId, TipId
from nightlight.preserve.ports import BlobStore, KeyRing
from nightlight.preserve.vault import Vault
from nightlight.services.destroying import Destroying
from nightlight.services.early_destruction import EarlyDestruction
from nightlight.services.evidence import EvidenceDesk
from nightlight.services.holds import Holds
from nightlight.services.retention import Retention
from nightlight.transaction import let_nothing_be_destroyed

WHO: Any = {"person": "ana", "reason": "to see"}


class EvidenceRoom:
    """What a custodian works with."""

    def __init__(
        self,
        unit_of_work: SqlUnitOfWork,
        clock: HandClock,
        keys: KeyRing,
        *,
        store: BlobStore | None = None,
    ) -> None:
        self.unit_of_work = unit_of_work
        self.clock = clock
        self.blobs = MemoryBlobs()
        self.vault = Vault(blobs=store or self.blobs, keys=keys)
        self.holds = Holds(unit_of_work=unit_of_work, clock=clock)
        self.destroying = Destroying(unit_of_work=unit_of_work, vault=self.vault, clock=clock)
        self.retention = Retention(
            unit_of_work=unit_of_work, destroying=self.destroying, clock=clock
        )
        self.early_destruction = EarlyDestruction(
            unit_of_work=unit_of_work, destroying=self.destroying, clock=clock
        )
        self.desk = EvidenceDesk(unit_of_work=unit_of_work, vault=self.vault, clock=clock)

    def case(
        self, name: str = "case-1", state: CaseState = CaseState.DISMISSED, **fields: Any
    ) -> CaseId:
        """Store a case; one that is not open was decided now."""
        decided = None if state is CaseState.OPEN else self.clock.now()
        made = make_case(name, state=state, opened_at=self.clock.now(), decided_at=decided)
        self.store(replace(made, **fields))
        return CaseId(name)

    def store(self, case: Case) -> None:
        with self.unit_of_work.begin() as tx:
            tx.cases.save(case)
            tx.commit(ENTRY)

    def move(self, name: str, state: CaseState) -> None:
        """Let a case be in another state, decided now."""
        with self.unit_of_work.begin() as tx:
            case = tx.cases.get(CaseId(name))
            tx.cases.save(replace(case, state=state, decided_at=self.clock.now()))
            tx.commit(ENTRY)

    def seal(self, evidence_id: str, case: str = "case-1", content: bytes = b"quibble") -> str:
        """Seal bytes for a case; return the evidence's id."""
        with self.unit_of_work.begin() as tx:
            let_nothing_be_destroyed(tx)
            evidence = make_evidence(
                evidence_id,
                case,
                kind=EvidenceKind.MEDIA,
                digest=self.vault.seal(content),
                byte_count=len(content),
                sealed_at=self.clock.now(),
            )
            tx.evidence.add([evidence])
            tx.commit(ENTRY)
        return evidence_id

    def draft(self, case: str = "case-1") -> TipId:
        """Draft a tip of a case, not filed."""
        tip = replace(
            make_tip(MemoryMedia(), files=0, name=f"tip-of-{case}"),
            case_id=CaseId(case),
            account_id=AccountId(f"account-of-{case}"),
        )
        with self.unit_of_work.begin() as tx:
            tx.tips.draft(tip, at=self.clock.now())
            tx.commit(ENTRY)
        return tip.id

    def file(self, case: str = "case-1") -> None:
        """Let the drafted tip of a case be filed now."""
        name = TipId(f"tip-of-{case}")
        with self.unit_of_work.begin() as tx:
            _, filing = tx.tips.load(name)
            filed = Filing(
                tip_id=name,
                state=TipState.FILED,
                receipt="<ok/>",
                filed_at=self.clock.now(),
                revision=filing.revision + 1,
            )
            tx.tips.save(filed, at=self.clock.now())
            tx.commit(ENTRY)

    def evidence(self, evidence_id: str) -> Evidence:
        with self.unit_of_work.read() as tx:
            return tx.evidence.get(evidence_id)

    def destroyed_at(self, evidence_id: str) -> datetime | None:
        return self.evidence(evidence_id).destroyed_at

    def is_openable(self, evidence_id: str, content: bytes) -> bool:
        """Return whether the vault still gives the bytes of evidence that is kept."""
        digest = self.evidence(evidence_id).digest
        name = self.vault.name_of(digest)
        return self.blobs.has(name) and bool(content)

    def entries(self, action: str) -> list[AuditEntry]:
        with self.unit_of_work.read() as tx:
            return [one.entry for one in tx.audit.entries() if one.entry.action == action]
