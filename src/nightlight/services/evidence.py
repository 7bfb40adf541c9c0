"""People read sealed evidence: every opening and every view is told before it counts.

That a person opened evidence is told before the first byte, that they were given all of it after
the last. Only the second says that they can have viewed it here.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from nightlight.audit.clock import Clock
from nightlight.errors import Conflict
from nightlight.model.audit import AuditEntry
from nightlight.model.case import Evidence
from nightlight.model.custody import (
    Access,
    EvidenceRead,
    ReadKind,
    SeenWhere,
    check_is_person,
    is_same_person,
)
from nightlight.model.ids import CaseId, derive_id
from nightlight.preserve.vault import Vault
from nightlight.transaction import Transaction, UnitOfWork


class OpenedEvidence(Struct, frozen=True, kw_only=True):
    """Sealed evidence on its way to the person who asked for it.

    Attributes:
        parts: the bytes, in order; the last came whole only if none raised.
    """

    evidence: Evidence
    access: Access
    parts: "Parts"


class Parts:
    """The bytes of sealed evidence, read once; knows whether all of them came."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self.ended = False

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes in order."""
        yield from self._parts
        self.ended = True


class EvidenceDesk:
    """Opens sealed evidence to people, and keeps the view log."""

    def __init__(self, *, unit_of_work: UnitOfWork, vault: Vault, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._vault = vault
        self._clock = clock

    def open(self, evidence_id: str, access: Access) -> OpenedEvidence:
        """Return sealed evidence, opened; the record and the view log say so before it is read.

        Whoever gives out its bytes says so with ``given`` once the person has them.

        Raises:
            NotFound: there is no such evidence.
            Conflict: it was destroyed.
            InvalidInput: a person or a purpose is missing, or that is no person.
        """
        access.check_by_person()
        with self._unit_of_work.begin() as tx:
            evidence = tx.evidence.get(evidence_id)
            _check_kept(evidence)
            parts = self._vault.open_parts(evidence.digest, access)
            now = self._clock.now()
            tx.views.add([_read(evidence.id, access, ReadKind.OPENED, SeenWhere.VAULT, now)])
            tx.commit(
                AuditEntry(
                    actor=access.person,
                    action="evidence.opened",
                    subject=evidence.id,
                    reason=access.purpose,
                    detail={"case": evidence.case_id, "bytes": evidence.byte_count},
                )
            )
        return OpenedEvidence(evidence=evidence, access=access, parts=Parts(parts))

    def given(self, opened: OpenedEvidence) -> EvidenceRead:
        """Return the line by which the view log says that the person has the whole file.

        Asked once its last byte lies where the person gets it.

        Raises:
            Conflict: its bytes were not read to the end, or did not come whole.
        """
        if not opened.parts.ended:
            raise Conflict(f"{opened.evidence.id} was not given whole")
        evidence, access = opened.evidence, opened.access
        with self._unit_of_work.begin() as tx:
            now = self._clock.now()
            read = _read(evidence.id, access, ReadKind.GIVEN, SeenWhere.VAULT, now)
            tx.views.add([read])
            tx.commit(
                AuditEntry(
                    actor=access.person,
                    action="evidence.given",
                    subject=evidence.id,
                    reason=access.purpose,
                    detail={"case": evidence.case_id, "bytes": evidence.byte_count},
                )
            )
        return read

    def view(
        self, evidence_id: str, access: Access, *, exif: bool = False, on_platform: bool = False
    ) -> list[EvidenceRead]:
        """Return what the view log now says: this person viewed the whole file.

        Args:
            evidence_id: the file.
            access: who viewed it, and what for.
            exif: whether they viewed its metadata too.
            on_platform: whether they say to have seen it on the platform instead of here.

        Raises:
            NotFound: there is no such evidence.
            InvalidInput: a person or a purpose is missing, or that is no person.
            Conflict: this person was never given all of it here, and does not say to have seen it
                elsewhere.
        """
        access.check_by_person()
        with self._unit_of_work.begin() as tx:
            evidence = tx.evidence.get(evidence_id)
            where = where_seen(tx.views.of([evidence.id]), access.person, evidence.id)
            if where is SeenWhere.PLATFORM and not on_platform:
                raise Conflict(
                    "this person was never given all of it here",
                    hint="`nightlight evidence open` first, or say --on-platform",
                )
            where = SeenWhere.PLATFORM if on_platform else where
            kinds = [ReadKind.VIEWED, *([ReadKind.EXIF_VIEWED] if exif else [])]
            now = self._clock.now()
            reads = [_read(evidence.id, access, kind, where, now) for kind in kinds]
            tx.views.add(reads)
            tx.commit(*(viewed_entry(evidence.case_id, one) for one in reads))
        return reads

    def log(self, evidence_id: str) -> list[EvidenceRead]:
        """Return the view log of one file, oldest line first.

        Raises:
            NotFound: there is no such evidence.
        """
        with self._unit_of_work.read() as tx:
            return tx.views.of([tx.evidence.get(evidence_id).id])

    def of_case(self, case_id: CaseId) -> list[Evidence]:
        """Return what was sealed for a case, oldest first; also what was destroyed since."""
        with self._unit_of_work.read() as tx:
            return tx.evidence.of_case(case_id, destroyed=True)


def say_viewed(
    tx: Transaction, evidence_ids: Sequence[str], access: Access, *, at: datetime
) -> list[EvidenceRead]:
    """Return the lines by which the view log now says that a reviewer viewed whole files.

    Where a reviewer was never given all of a file here, the log says that they saw it on the
    platform: it is their word.

    Raises:
        InvalidInput: that is no person.
    """
    check_is_person(access.person, field="reviewer")
    log = tx.views.of(evidence_ids)
    reads = [
        _read(one, access, ReadKind.VIEWED, where_seen(log, access.person, one), at)
        for one in evidence_ids
    ]
    tx.views.add(reads)
    return reads


def where_seen(log: Sequence[EvidenceRead], person: str, evidence_id: str) -> SeenWhere:
    """Return VAULT if this person was given all of this file here, PLATFORM otherwise."""
    given = any(
        one.what is ReadKind.GIVEN
        and one.evidence_id == evidence_id
        and is_same_person(one.person, person)
        for one in log
    )
    return SeenWhere.VAULT if given else SeenWhere.PLATFORM


def viewed_entry(case_id: CaseId, read: EvidenceRead) -> AuditEntry:
    """Return what the record says of a view."""
    return AuditEntry(
        actor=read.person,
        action="evidence.viewed",
        subject=read.evidence_id,
        reason=read.purpose,
        detail={
            "case": case_id,
            "where": read.where.value,
            "exif": read.what is ReadKind.EXIF_VIEWED,
        },
    )


def _read(
    evidence_id: str, access: Access, what: ReadKind, where: SeenWhere, at: datetime
) -> EvidenceRead:
    return EvidenceRead(
        id=derive_id("read", evidence_id, access.person, what, at.isoformat()),
        evidence_id=evidence_id,
        person=access.person,
        purpose=access.purpose,
        what=what,
        where=where,
        at=at,
    )


def _check_kept(evidence: Evidence) -> None:
    if evidence.destroyed_at is not None:
        raise Conflict(
            f"it was destroyed on {evidence.destroyed_at:%Y-%m-%d}",
            hint="`nightlight audit list` has its certificate",
        )
