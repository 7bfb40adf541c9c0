"""What one person proposes to do with evidence and another decides."""

from nightlight.audit.clock import Clock
from nightlight.model.audit import AuditEntry
from nightlight.model.custody import CustodyRequest, RequestState
from nightlight.transaction import UnitOfWork, let_nothing_be_destroyed


class Requests:
    """Tells and rejects requests; who carries them out approves them."""

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    def get(self, request_id: str) -> CustodyRequest:
        """Return a request.

        Raises:
            NotFound: there is none with this id.
        """
        with self._unit_of_work.begin() as tx:
            return tx.custody.request(request_id)

    def newest(self, limit: int) -> list[CustodyRequest]:
        """Return the newest requests, newest first."""
        with self._unit_of_work.read() as tx:
            return tx.custody.requests(limit)

    def reject(self, request_id: str, *, person: str, reason: str) -> CustodyRequest:
        """Return the request, which is never carried out; also who proposed it may reject it.

        Raises:
            NotFound: there is none with this id.
            InvalidInput: a person or a reason is missing.
            Conflict: it was decided before.
        """
        with self._unit_of_work.begin() as tx:
            let_nothing_be_destroyed(tx)
            request = tx.custody.request(request_id).decided(
                RequestState.REJECTED, person=person, reason=reason, at=self._clock.now()
            )
            tx.custody.save_request(request)
            tx.commit(request_entry("custody.rejected", request, person, reason))
        return request

    def revoke(self, request_id: str, *, person: str, reason: str) -> CustodyRequest:
        """Return the request, by which nothing is done any more, approved or not.

        Raises:
            NotFound: there is none with this id.
            InvalidInput: a person or a reason is missing.
            Conflict: it was rejected or revoked before, or is an order to destroy by now.
        """
        with self._unit_of_work.begin() as tx:
            let_nothing_be_destroyed(tx)
            request = tx.custody.request(request_id).revoked(
                person=person, reason=reason, at=self._clock.now()
            )
            tx.custody.save_request(request)
            tx.commit(request_entry("custody.revoked", request, person, reason))
        return request


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
