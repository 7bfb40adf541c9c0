"""The machines that were sealed with a finding, read for the tips that name them.

The event log forgets machines after the policy's time; evidence keeps its own copy. It is read
while no transaction is open, and the record says so before. No person sees any of it: it is no
line of the view log, and nothing counts as viewed by it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from nightlight.errors import IntegrityFailure, NightlightError, NotFound
from nightlight.model.audit import AuditEntry
from nightlight.model.case import Evidence
from nightlight.model.custody import Access
from nightlight.model.masked import Masked
from nightlight.preserve.surroundings import Seen
from nightlight.preserve.vault import Vault
from nightlight.transaction import UnitOfWork

_T = TypeVar("_T")
_ACCESS = Access(person="nightlight", purpose="to name in a tip from which machines it was sent")


class _Part(Masked, frozen=True, kw_only=True):
    """What is read of sealed surroundings; the rest of them is passed over."""

    seen: tuple[Seen, ...]


_part = msgspec.json.Decoder(_Part)


class _NotReadYet(Exception):  # noqa: N818  says what it is about
    """Evidence is needed that was not read; whoever began begins anew once it is."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        super().__init__(f"{len(evidence)} not read yet")
        self.evidence = evidence


class Told:
    """What was read so far; None stands for what cannot be read."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[Seen, ...] | None] = {}

    def of(self, evidence: Iterable[Evidence]) -> tuple[list[Seen], tuple[str, ...]]:
        """Return the machines that this evidence tells, and what of it cannot be read, by id.

        Only within what ``SealedMachines.given`` calls, which reads what is missing.
        """
        wanted = list(evidence)
        missing = [one for one in wanted if one.id not in self._read]
        if missing:
            raise _NotReadYet(missing)
        found = {one.id: self._read[one.id] for one in wanted}
        seen = [each for some in found.values() for each in some or ()]
        return seen, tuple(name for name, some in found.items() if some is None)

    def add(self, evidence_id: str, seen: tuple[Seen, ...] | None) -> None:
        """Remember what evidence tells; None where it cannot be read."""
        self._read[evidence_id] = seen


class SealedMachines:
    """Reads the machines that were sealed with findings."""

    def __init__(self, *, unit_of_work: UnitOfWork, vault: Vault) -> None:
        self._unit_of_work = unit_of_work
        self._vault = vault

    def given(self, act: Callable[[Told], _T]) -> _T:
        """Return what ``act`` does, once everything was read that it asks for.

        It is begun anew after each reading: what it did in its transaction until then is undone.
        """
        told = Told()
        while True:
            try:
                return act(told)
            except _NotReadYet as wanted:
                missing = wanted.evidence
            self._read(missing, told)

    def _read(self, wanted: Sequence[Evidence], told: Told) -> None:
        there, faults = [], []
        for one in wanted:
            try:
                if not self._vault.has(one.digest):
                    raise NotFound("nothing is sealed under this digest")
                there.append(one)
            except NightlightError as fault:
                faults.append((one, fault))
        self._record([_opened(one) for one in there])
        for one in there:
            try:
                told.add(one.id, self._machines(one))
            except NightlightError as fault:
                faults.append((one, fault))
        for one, _ in faults:
            told.add(one.id, None)
        self._record([_unread(one, fault) for one, fault in faults])

    def _machines(self, evidence: Evidence) -> tuple[Seen, ...]:
        try:
            return _part.decode(self._vault.open(evidence.digest, _ACCESS)).seen
        except msgspec.MsgspecError:
            # The library's message can quote a value.
            raise IntegrityFailure("sealed surroundings are not as they are written") from None

    def _record(self, entries: Sequence[AuditEntry]) -> None:
        if entries:
            with self._unit_of_work.begin() as tx:
                tx.commit(*entries)


def _opened(evidence: Evidence) -> AuditEntry:
    return AuditEntry(
        actor=_ACCESS.person,
        action="evidence.opened",
        subject=evidence.id,
        reason=_ACCESS.purpose,
        detail={"case": evidence.case_id, "bytes": evidence.byte_count},
    )


def _unread(evidence: Evidence, fault: NightlightError) -> AuditEntry:
    return AuditEntry(
        actor=_ACCESS.person,
        action="evidence.open_failed",
        subject=evidence.id,
        reason=f"{_ACCESS.purpose}: {fault.code}",
        detail={"case": evidence.case_id},
    )
