"""Legal holds: placed, extended and released by people, each time with a word in the record."""

from datetime import datetime

from nightlight.audit.clock import Clock
from nightlight.errors import Conflict, InvalidInput
from nightlight.model.audit import AuditEntry
from nightlight.model.custody import check_is_person
from nightlight.model.hold import Hold, HoldAct, HoldEvent, check_extension
from nightlight.model.ids import CaseId, derive_id
from nightlight.transaction import Transaction, UnitOfWork, let_nothing_be_destroyed


class Holds:
    """Places, extends and releases holds on the evidence of cases."""

    def __init__(self, *, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    def place(
        self, case_id: CaseId, *, reference: str, until: datetime | None, person: str, reason: str
    ) -> Hold:
        """Return the hold that now keeps a case's evidence, all of it alike.

        Args:
            case_id: the case.
            reference: the request it follows, such as a preservation letter's number.
            until: up to when; None for until somebody releases it.
            person: who places it.
            reason: why.

        Raises:
            NotFound: there is no such case.
            InvalidInput: a word is missing, or it would end in the past.
            Conflict: all that was sealed for it is destroyed: it would keep nothing.
        """
        _check_said(reference=reference, by=person, reason=reason)
        self._check_ahead(until)
        with self._unit_of_work.begin() as tx:
            let_nothing_be_destroyed(tx)
            now = self._clock.now()
            hold_id = derive_id("hold", case_id, reference, now.isoformat())
            if not tx.kept_posts.some([case_id]):
                tx.cases.get(case_id)
            _check_keeps_something(tx, case_id)
            return _say(
                tx,
                HoldEvent(
                    id=derive_id("said", hold_id, HoldAct.PLACED),
                    hold_id=hold_id,
                    case_id=case_id,
                    what=HoldAct.PLACED,
                    reference=reference,
                    until=until,
                    person=person,
                    reason=reason,
                    at=now,
                ),
            )

    def extend(self, hold_id: str, *, until: datetime | None, person: str, reason: str) -> Hold:
        """Return the hold, which now holds longer.

        Raises:
            NotFound: there is no such hold.
            InvalidInput: a word is missing, or it would end in the past.
            Conflict: it was released, would hold shorter than it does, or keeps nothing any more.
        """
        _check_said(by=person, reason=reason)
        self._check_ahead(until)
        with self._unit_of_work.begin() as tx:
            let_nothing_be_destroyed(tx)
            hold = tx.custody.hold(hold_id)
            check_extension(hold, until)
            _check_keeps_something(tx, hold.case_id)
            return self._say_of(tx, hold, HoldAct.EXTENDED, until, person=person, reason=reason)

    def release(self, hold_id: str, *, person: str, reason: str) -> Hold:
        """Return the hold, which keeps nothing any more.

        Raises:
            NotFound: there is no such hold.
            InvalidInput: a word is missing.
            Conflict: it was released before.
        """
        _check_said(by=person, reason=reason)
        with self._unit_of_work.begin() as tx:
            let_nothing_be_destroyed(tx)
            hold = tx.custody.hold(hold_id)
            if hold.released_at is not None:
                raise Conflict("the hold was released before")
            return self._say_of(
                tx, hold, HoldAct.RELEASED, hold.until, person=person, reason=reason
            )

    def of_case(self, case_id: CaseId) -> list[Hold]:
        """Return every hold of a case, oldest first."""
        with self._unit_of_work.read() as tx:
            return tx.custody.holds(case_id)

    def _check_ahead(self, until: datetime | None) -> None:
        if until is not None and until <= self._clock.now():
            raise InvalidInput("a hold ends in the future", field="until")

    def _say_of(
        self,
        tx: Transaction,
        hold: Hold,
        what: HoldAct,
        until: datetime | None,
        *,
        person: str,
        reason: str,
    ) -> Hold:
        now = self._clock.now()
        return _say(
            tx,
            HoldEvent(
                id=derive_id("said", hold.id, what, now.isoformat(), reason),
                hold_id=hold.id,
                case_id=hold.case_id,
                what=what,
                reference=hold.reference,
                until=until,
                person=person,
                reason=reason,
                at=now,
            ),
        )


def _check_keeps_something(tx: Transaction, case_id: CaseId) -> None:
    """Return only if evidence of a case is kept, or none of it was ever destroyed.

    Raises:
        Conflict: nothing is left that could be held; who asked for the hold must know.
    """
    sealed = tx.evidence.of_case(case_id, destroyed=True)
    gone = [one.destroyed_at for one in sealed if one.destroyed_at is not None]
    if gone and len(gone) == len(sealed):
        raise Conflict(
            f"all that was sealed for {case_id} was destroyed by {max(gone):%Y-%m-%d}: there is"
            " nothing to hold",
            hint="`nightlight evidence list` says when; `nightlight audit list` has certificates",
        )


def _say(tx: Transaction, event: HoldEvent) -> Hold:
    tx.custody.say(event)
    hold = tx.custody.hold(event.hold_id)
    tx.commit(_entry(event))
    return hold


def _entry(event: HoldEvent) -> AuditEntry:
    return AuditEntry(
        actor=event.person,
        action=_ACTIONS[event.what],
        subject=event.hold_id,
        reason=event.reason,
        detail={
            "case": event.case_id,
            "reference": event.reference,
            "until": event.until.isoformat() if event.until else "",
        },
    )


def follow(tx: Transaction, case_id: CaseId, other: CaseId, *, at: datetime) -> list[AuditEntry]:
    """Let every hold of a case keep a case that was split off from it too; return what to record.

    The caller commits.
    """
    entries: list[AuditEntry] = []
    for hold in tx.custody.holds(case_id):
        if hold.holds(at):
            hold_id = derive_id("hold", hold.id, other)
            event = HoldEvent(
                id=derive_id("said", hold_id, HoldAct.PLACED),
                hold_id=hold_id,
                case_id=other,
                what=HoldAct.PLACED,
                reference=hold.reference,
                until=hold.until,
                person=hold.placed_by,
                reason=f"split off from {case_id}",
                at=at,
            )
            tx.custody.say(event)
            entries.append(_entry(event))
    return entries


_ACTIONS = {
    HoldAct.PLACED: "hold.placed",
    HoldAct.EXTENDED: "hold.extended",
    HoldAct.RELEASED: "hold.released",
}


def _check_said(**said: str) -> None:
    for field, text in said.items():
        if not text.strip():
            raise InvalidInput("a hold needs a reference, a person and a reason", field=field)
    check_is_person(said["by"], field="by")
