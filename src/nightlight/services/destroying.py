"""Evidence that was ordered to be destroyed is destroyed, and the record certifies it.

An order is carried out in a transaction of its own, in which no batch is judged and everything that
could keep the evidence is looked at again.
"""

from datetime import datetime

from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.errors import Conflict, InvalidInput, NightlightError, NotFound
from nightlight.model.case import Evidence
from nightlight.model.custody import Destruction, check_is_person
from nightlight.preserve.retention import Kept
from nightlight.preserve.vault import Vault
from nightlight.services.destruction_entries import (
    ABSENT,
    CUT_OFF,
    GONE,
    MISSING,
    MISSING_SINCE,
    TIME,
    certificate,
    last_known,
    missed_entry,
    spared_entry,
)
from nightlight.services.keeping import kept_of
from nightlight.transaction import Transaction, UnitOfWork, let_nothing_be_destroyed


class Missing(NotFound):
    """What was to be destroyed is not in the vault."""


class Destroying:
    """Carries out orders to destroy, one at a time."""

    def __init__(self, *, unit_of_work: UnitOfWork, vault: Vault, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._vault = vault
        self._clock = clock

    def carry_out(self, evidence_id: str) -> int | None:
        """Return how much other evidence is the same bytes, which stay; None if it is kept.

        Killed anywhere within, it is done again from the start, and finds what is gone gone.

        Raises:
            Missing: it is not in the vault, and nothing was done; the order stands.
            Unavailable: the vault does not answer; the order stands.
        """
        if not self._look(evidence_id):
            return None
        with self._unit_of_work.begin() as tx:
            looked = self._still_to_go(tx, evidence_id)
            if looked is None:
                return None
            evidence, order, found = looked
            others = tx.evidence.others(evidence)
            was_there = self._vault.has(evidence.digest)
            if not others:
                self._destroy_bytes(tx, evidence)
            gone = GONE if was_there else ABSENT
            gone_entry = certificate(
                evidence,
                order,
                found,
                name=self._vault.name_of(evidence.digest),
                vault=f"kept for {others} other(s)" if others else gone,
                before=f"found there {order.found_at:{TIME}}{'' if was_there else CUT_OFF}",
            )
            now = self._clock.now()
            tx.evidence.destroyed(evidence_id, at=now)
            tx.custody.carried_out(evidence_id, at=now)
            tx.commit(gone_entry)
        return others

    def missing(self, limit: int) -> list[Destruction]:
        """Return what is to be destroyed and was not in the vault, oldest order first."""
        with self._unit_of_work.read() as tx:
            return tx.custody.missed(limit)

    def give_up(self, evidence_id: str, *, person: str, reason: str) -> None:
        """Let evidence that is due and missing count as gone, as a person says.

        The certificate says that it was missing: that nothing was destroyed, or that this is not
        known, where the vault had failed to destroy it.

        Raises:
            NotFound: there is no such evidence.
            InvalidInput: person or reason is missing.
            Conflict: it was not found missing, is in the vault now, or is kept after all.
        """
        if not person.strip() or not reason.strip():
            raise InvalidInput("needs a person and a reason", field="evidence")
        check_is_person(person, field="by")
        with self._unit_of_work.begin() as tx:
            let_nothing_be_destroyed(tx)
            now = self._clock.now()
            evidence, order = tx.evidence.get(evidence_id), tx.custody.order_of(evidence_id)
            if order is None or order.done_at is not None or order.missing_at is None:
                raise Conflict(f"{evidence_id} was not found missing")
            if self._vault.has(evidence.digest):
                raise Conflict(
                    f"{evidence_id} is there again", hint="`nightlight evidence destroy`"
                )
            found = kept_of(tx, evidence)
            if not _may_go(order, found, now):
                raise Conflict(f"{evidence_id} is kept: {'; '.join(found.because) or found.rule}")
            gone_entry = certificate(
                evidence,
                order,
                found,
                name=self._vault.name_of(evidence.digest),
                vault=MISSING if order.failed_at is None else MISSING_SINCE,
                before=last_known(tx, evidence, order),
            )
            tx.evidence.destroyed(evidence_id, at=now)
            tx.custody.carried_out(evidence_id, at=now)
            tx.commit(replace(gone_entry, actor=person, reason=reason))

    def _destroy_bytes(self, tx: Transaction, evidence: Evidence) -> None:
        """Destroy evidence in the vault; if that fails, what was found before explains nothing.

        Raises:
            NightlightError: the vault failed, which is stored: it may be there or not.
        """
        try:
            self._vault.destroy(evidence.digest)
        except NightlightError:
            tx.custody.failed(evidence.id, at=self._clock.now())
            tx.commit_unrecorded()
            raise

    def _look(self, evidence_id: str) -> bool:
        """Return whether evidence is to go, and note that the vault has it, before it is destroyed.

        Raises:
            Missing: the vault does not have it; the record and the order say so.
            Unavailable: the vault does not answer.
        """
        with self._unit_of_work.begin() as tx:
            looked = self._still_to_go(tx, evidence_id)
            if looked is None:
                return False
            evidence, order, _ = looked
            is_there = self._vault.has(evidence.digest)
            if is_there:
                tx.custody.found(evidence_id, at=self._clock.now())
                tx.commit_unrecorded()
                return True
            # What an attempt that was cut off may have destroyed is no alarm. One that the vault
            # said had failed explains nothing, and bytes that others need were never touched.
            if order.found_at is not None and not tx.evidence.others(evidence):
                return True
            raise self._missed(tx, evidence, order, last_known(tx, evidence, order))

    def _missed(
        self, tx: Transaction, evidence: Evidence, order: Destruction, before: str
    ) -> Missing:
        """Record once that evidence is missing; return what says so."""
        if order.missing_at is None:
            tx.custody.missing(evidence.id, at=self._clock.now())
            tx.commit(missed_entry(evidence, before))
        return Missing(f"{evidence.id} is not in the vault")

    def _still_to_go(
        self, tx: Transaction, evidence_id: str
    ) -> tuple[Evidence, Destruction, Kept] | None:
        """Return evidence that is still to be destroyed; what is kept after all is spared.

        Raises:
            Missing: it is kept after all and was destroyed before, or went otherwise: not spared.
            Unavailable: the vault does not answer.
        """
        let_nothing_be_destroyed(tx)
        order = tx.custody.order_of(evidence_id)
        evidence = tx.evidence.get(evidence_id)
        if order is None or order.done_at is not None or evidence.destroyed_at is not None:
            return None
        found = kept_of(tx, evidence)
        if _may_go(order, found, self._clock.now()):
            return evidence, order, found
        if _is_gone(self._vault, evidence, order):
            before = last_known(tx, evidence, order)
            if order.found_at is not None:
                # An attempt was cut off: that nothing was destroyed is never certified of it.
                tx.custody.failed(evidence_id, at=order.found_at)
                before = f"found there {order.found_at:{TIME}}{CUT_OFF}"
            raise self._missed(tx, evidence, order, before)
        tx.custody.take_back(evidence_id)
        tx.commit(spared_entry(evidence, found))
        return None


def _is_gone(vault: Vault, evidence: Evidence, order: Destruction) -> bool:
    """Return whether evidence that an order was tried on is not in the vault any more.

    Raises:
        Unavailable: the vault does not answer.
    """
    tried = (order.found_at, order.failed_at, order.missing_at)
    return any(at is not None for at in tried) and not vault.has(evidence.digest)


def _may_go(order: Destruction, found: Kept, now: datetime) -> bool:
    """Return whether an order may be carried out now."""
    if not order.is_early:
        return found.is_due(now)
    return found.due_at is not None and found.floor_at is not None and found.floor_at <= now
