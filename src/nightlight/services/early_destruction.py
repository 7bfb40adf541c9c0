"""Two people have evidence destroyed before it is due, where nothing forbids that."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from nightlight.audit.clock import Clock
from nightlight.errors import Conflict, InvalidInput, NotPermitted
from nightlight.model.case import Evidence
from nightlight.model.custody import (
    CustodyRequest,
    Destruction,
    RequestKind,
    RequestState,
    check_is_person,
)
from nightlight.model.ids import derive_id
from nightlight.services.destroying import Destroying, Missing
from nightlight.services.keeping import kept_of
from nightlight.services.requests import request_entry
from nightlight.services.retention import Destroyed
from nightlight.transaction import Transaction, UnitOfWork, let_nothing_be_destroyed


class EarlyDestruction:
    """Lets one person propose and another approve what is destroyed early."""

    def __init__(self, *, unit_of_work: UnitOfWork, destroying: Destroying, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._destroying = destroying
        self._clock = clock

    def propose(
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
        check_is_person(person, field="by")
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

    def approve(self, request_id: str, *, person: str, reason: str) -> Destroyed:
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
            with suppress(Missing):
                done.append(self._destroying.carry_out(one))
        gone = [others for others in done if others is not None]
        return Destroyed(
            ordered=len(request.evidence_ids),
            destroyed=len(gone),
            shared=sum(others > 0 for others in gone),
            spared=len(done) - len(gone),
            missing=len(request.evidence_ids) - len(done),
        )


def _check_early(tx: Transaction, evidence: Evidence, now: datetime) -> datetime:
    """Return when it would be due, if two people may have it destroyed before.

    Raises:
        Conflict: it is gone, or the law, a hold, its case, a tip or an open decision keeps it.
    """
    if evidence.destroyed_at is not None:
        raise Conflict(f"{evidence.id} was destroyed before")
    found = kept_of(tx, evidence)
    if found.due_at is None or found.floor_at is None:
        raise Conflict(f"{evidence.id} is kept: {'; '.join(found.because)}")
    if found.floor_at > now:
        raise NotPermitted(
            f"{evidence.id} is kept until {found.floor_at:%Y-%m-%d} by law, a hold or an export",
            hint="two people cannot shorten that",
        )
    return found.due_at
