"""Evidence is kept for as long as anything needs it, then destroyed, and the record certifies it.

An order to destroy is committed before anything is done. It is carried out in a transaction of its
own, in which no batch is judged and everything that could keep the evidence is looked at again.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.decide.policy import LEGAL_DAYS
from nightlight.errors import Conflict, InvalidInput, NightlightError, NotFound, NotPermitted
from nightlight.model.audit import AuditEntry
from nightlight.model.case import Evidence
from nightlight.model.custody import (
    CustodyRequest,
    Destruction,
    ReadKind,
    RequestKind,
    RequestState,
    SeenWhere,
)
from nightlight.model.ids import CaseId, derive_id
from nightlight.preserve.retention import Kept, Periods, kept
from nightlight.preserve.vault import Vault
from nightlight.services.rules import active_policy
from nightlight.transaction import Transaction, UnitOfWork, let_nothing_be_destroyed

#: Cases looked at in one transaction.
_PAGE = 200
#: So many destructions that fail one after the other end a round.
_FAILURES = 10
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_GONE = "destroyed, and found absent"
_ABSENT = "found absent"
_MISSING = "nothing was destroyed: it was missing"
_MISSING_SINCE = "it was missing; whether it was destroyed here is not known"
_CUT_OFF = "; an attempt was cut off, and it is gone since: whether by that is not known"


class Retained(Struct, frozen=True, kw_only=True):
    """Evidence and for how long it is kept."""

    evidence: Evidence
    kept: Kept


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


class _Missing(NotFound):
    """What was to be destroyed is not in the vault."""


class Retention:
    """Says for how long evidence is kept, and destroys what is due."""

    def __init__(self, *, unit_of_work: UnitOfWork, vault: Vault, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._vault = vault
        self._clock = clock

    def of_case(self, case_id: CaseId) -> list[Retained]:
        """Return a case's evidence that is kept, and for how long."""
        with self._unit_of_work.begin() as tx:
            return _retained(tx, [case_id], _periods(tx))

    def due(self, *, at: datetime | None = None) -> list[Retained]:
        """Return everything that is due now, or at another time."""
        now = at or self._clock.now()
        found: list[Retained] = []
        after = ""
        while True:
            with self._unit_of_work.begin() as tx:
                periods = _periods(tx)
                cases = _cases(tx, periods, now, after)
                retained = _retained(tx, cases, periods)
                found.extend(one for one in retained if one.kept.is_due(now))
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
                others = self._carry_out(order.evidence_id)
            except NightlightError as error:
                self._tried(order.evidence_id)
                if isinstance(error, _Missing):
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

    def propose_early(
        self, evidence_ids: Sequence[str], *, person: str, reference: str, reason: str
    ) -> CustodyRequest:
        """Return the request that waits for a second person to have evidence destroyed early.

        Raises:
            InvalidInput: nothing is named, evidence of several cases is, or a word is missing.
            NotFound: there is no such evidence.
            Conflict: something keeps it that two people cannot overrule.
        """
        if not person.strip() or not reason.strip() or not evidence_ids:
            raise InvalidInput("needs a person, a reason and what is to go", field="evidence")
        now = self._clock.now()
        with self._unit_of_work.begin() as tx:
            let_nothing_be_destroyed(tx)
            found = [tx.evidence.get(one) for one in sorted(set(evidence_ids))]
            if len({one.case_id for one in found}) > 1:
                raise InvalidInput("these belong to several cases", field="evidence")
            case_id = found[0].case_id
            for one in found:
                _check_early(tx, one, now)
            request = CustodyRequest(
                id=derive_id("req", "destroy", case_id, person, reason, now.isoformat()),
                what=RequestKind.DESTROY,
                case_id=case_id,
                evidence_ids=tuple(one.id for one in found),
                reference=reference,
                reason=reason,
                proposed_by=person,
                proposed_at=now,
            )
            tx.custody.save_request(request)
            tx.commit(request_entry("custody.proposed", request, person, reason))
        return request

    def approve_early(self, request_id: str, *, person: str, reason: str) -> Destroyed:
        """Return what came of destroying what another person proposed to.

        Raises:
            NotFound: there is no such request.
            NotPermitted: the person who proposed it approves it.
            Conflict: it was decided before, or something keeps the evidence now.
        """
        now = self._clock.now()
        with self._unit_of_work.begin() as tx:
            let_nothing_be_destroyed(tx)
            request = tx.custody.request(request_id)
            if request.what is not RequestKind.DESTROY:
                raise InvalidInput("that is no request to destroy", field="request")
            request = request.decided(RequestState.APPROVED, person=person, reason=reason, at=now)
            for one in request.evidence_ids:
                evidence = tx.evidence.get(one)
                due = _check_early(tx, evidence, now)
                tx.custody.order(
                    [
                        Destruction(
                            evidence_id=one,
                            case_id=evidence.case_id,
                            rule=f"before it was due: {request.reason}",
                            due_at=due,
                            ordered_at=now,
                            proposed_by=request.proposed_by,
                            approved_by=person,
                        )
                    ]
                )
            tx.custody.save_request(request)
            tx.commit(request_entry("custody.approved", request, person, reason))
        done: list[int | None] = []
        for one in request.evidence_ids:
            with suppress(_Missing):
                done.append(self._carry_out(one))
        gone = [others for others in done if others is not None]
        return Destroyed(
            ordered=len(request.evidence_ids),
            destroyed=len(gone),
            shared=sum(others > 0 for others in gone),
            spared=len(done) - len(gone),
            missing=len(request.evidence_ids) - len(done),
        )

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
            found = kept(evidence, tx.custody.standing(evidence.case_id), _periods(tx))
            if not _may_go(order, found, now):
                raise Conflict(f"{evidence_id} is kept: {'; '.join(found.because) or found.rule}")
            certificate = _certificate(
                evidence,
                order,
                found,
                name=self._vault.name_of(evidence.digest),
                vault=_MISSING if order.failed_at is None else _MISSING_SINCE,
                before=_last_known(tx, evidence, order),
            )
            tx.evidence.destroyed(evidence_id, at=now)
            tx.custody.carried_out(evidence_id, at=now)
            tx.commit(replace(certificate, actor=person, reason=reason))

    def _order_due(self, limit: int) -> int:
        """Return how much evidence was newly ordered to be destroyed."""
        count, after = 0, ""
        while count < limit:
            now = self._clock.now()
            with self._unit_of_work.begin() as tx:
                let_nothing_be_destroyed(tx)
                periods = _periods(tx)
                cases = _cases(tx, periods, now, after)
                orders = _orders(tx, cases, periods, now)
                if orders:
                    tx.custody.order(orders)
                    count += len(orders)
                    tx.commit(*_ordered_entries(orders))
            if len(cases) < _PAGE:
                break
            after = cases[-1]
        return count

    def _carry_out(self, evidence_id: str) -> int | None:
        """Return how much other evidence is the same bytes, which stay; None if it is kept.

        Killed anywhere within, it is done again from the start, and finds what is gone gone.

        Raises:
            _Missing: it is not in the vault, and nothing was done; the order stands.
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
            gone = _GONE if was_there else _ABSENT
            certificate = _certificate(
                evidence,
                order,
                found,
                name=self._vault.name_of(evidence.digest),
                vault=f"kept for {others} other(s)" if others else gone,
                before=f"found there {order.found_at:{_TIME}}{'' if was_there else _CUT_OFF}",
            )
            now = self._clock.now()
            tx.evidence.destroyed(evidence_id, at=now)
            tx.custody.carried_out(evidence_id, at=now)
            tx.commit(certificate)
        return others

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
            _Missing: the vault does not have it; the record and the order say so.
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
            if order.missing_at is None:
                tx.custody.missing(evidence_id, at=self._clock.now())
                tx.commit(_missing(evidence, _last_known(tx, evidence, order)))
        raise _Missing(f"{evidence_id} is not in the vault")

    def _still_to_go(
        self, tx: Transaction, evidence_id: str
    ) -> tuple[Evidence, Destruction, Kept] | None:
        """Return evidence that is still to be destroyed; what is kept after all is spared."""
        let_nothing_be_destroyed(tx)
        order = tx.custody.order_of(evidence_id)
        evidence = tx.evidence.get(evidence_id)
        if order is None or order.done_at is not None or evidence.destroyed_at is not None:
            return None
        found = kept(evidence, tx.custody.standing(evidence.case_id), _periods(tx))
        if _may_go(order, found, self._clock.now()):
            return evidence, order, found
        tx.custody.take_back(evidence_id)
        tx.commit(_spared(evidence, found))
        return None


def _cases(tx: Transaction, periods: Periods, now: datetime, after: str) -> list[CaseId]:
    return tx.evidence.sealed_before(now - periods.shortest, after=after, limit=_PAGE)


def _periods(tx: Transaction) -> Periods:
    retention = active_policy(tx).retention
    return Periods(
        reported_days=retention.reported_days,
        unreported_days=retention.unreported_days,
        legal_days=LEGAL_DAYS,
    )


def _retained(tx: Transaction, case_ids: Sequence[CaseId], periods: Periods) -> list[Retained]:
    standings = tx.custody.standings(case_ids)
    return [
        Retained(evidence=one, kept=kept(one, standings[one.case_id], periods))
        for one in tx.evidence.of_cases(case_ids)
    ]


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
        for one in _retained(tx, case_ids, periods)
        if one.kept.due_at is not None
        and one.kept.is_due(now)
        and tx.custody.order_of(one.evidence.id) is None
    ]


def _may_go(order: Destruction, found: Kept, now: datetime) -> bool:
    """Return whether an order may be carried out now."""
    if not order.is_early:
        return found.is_due(now)
    return found.due_at is not None and found.floor_at is not None and found.floor_at <= now


def _last_known(tx: Transaction, evidence: Evidence, order: Destruction) -> str:
    """Return in words when it was last known that the vault has it."""
    opened = [
        one.at
        for one in tx.views.of([evidence.id])
        if one.what is ReadKind.OPENED and one.where is SeenWhere.VAULT
    ]
    last = max(opened, default=evidence.sealed_at)
    known = "last opened" if opened else "last known there when sealed"
    failed = order.failed_at
    since = (
        "" if failed is None else f"; to destroy it failed {failed:{_TIME}}, and it is gone since"
    )
    return f"{known} {last:{_TIME}}{since}"


def _missing(evidence: Evidence, before: str) -> AuditEntry:
    return AuditEntry(
        actor="nightlight",
        action="evidence.missed",
        subject=evidence.id,
        reason="it was to be destroyed and is not in the vault",
        detail={"case": evidence.case_id, "kind": evidence.kind.value, "before": before},
    )


def _check_early(tx: Transaction, evidence: Evidence, now: datetime) -> datetime:
    """Return when it would be due, if two people may have it destroyed before.

    Raises:
        Conflict: it is gone, or the law, a hold, its case, a tip or an open decision keeps it.
    """
    if evidence.destroyed_at is not None:
        raise Conflict(f"{evidence.id} was destroyed before")
    found = kept(evidence, tx.custody.standing(evidence.case_id), _periods(tx))
    if found.due_at is None or found.floor_at is None:
        raise Conflict(f"{evidence.id} is kept: {'; '.join(found.because)}")
    if found.floor_at > now:
        raise NotPermitted(
            f"{evidence.id} is kept until {found.floor_at:%Y-%m-%d} by law or by a hold",
            hint="two people cannot shorten that",
        )
    return found.due_at


def _ordered_entries(orders: Sequence[Destruction]) -> list[AuditEntry]:
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


def _spared(evidence: Evidence, found: Kept) -> AuditEntry:
    return AuditEntry(
        actor="nightlight",
        action="evidence.spared",
        subject=evidence.id,
        reason="; ".join(found.because) or f"kept: {found.rule}",
        detail={"case": evidence.case_id, "due": found.due_at.isoformat() if found.due_at else ""},
    )


def _certificate(
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


def request_entry(action: str, request: CustodyRequest, person: str, reason: str) -> AuditEntry:
    """Return what the record says of a request that two people decide."""
    return AuditEntry(
        actor=person,
        action=action,
        subject=request.id,
        reason=reason,
        detail={
            "what": request.what.value,
            "case": request.case_id,
            "evidence": list(request.evidence_ids),
            "reference": request.reference,
            "recipient": request.recipient,
            "proposed_by": request.proposed_by,
        },
    )
