"""Holds, orders to destroy evidence, and what two people ask for together."""

from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, delete, func, select, union, update

from nightlight.adapters.sql.cases import SqlCaseStore
from nightlight.adapters.sql.events import SqlEventLog
from nightlight.adapters.sql.kept_posts import SqlKeptPostStore
from nightlight.adapters.sql.rows import (
    add_all,
    among,
    from_us,
    from_us_or_none,
    put_new,
    put_over,
    to_json,
    to_us,
    to_us_or_none,
)
from nightlight.adapters.sql.schema import (
    account_action,
    custody_item,
    custody_request,
    cybertip,
    destruction,
    evidence,
    hold_event,
    report_decision,
    review_case,
    tip_case,
)
from nightlight.errors import NotFound
from nightlight.model.custody import CustodyRequest, Destruction, RequestState
from nightlight.model.filing import Filing, TipState
from nightlight.model.hold import Hold, HoldAct, HoldEvent, holds_in
from nightlight.model.ids import CaseId
from nightlight.model.report_decision import ReportState
from nightlight.preserve.retention import UNSETTLED, CaseStanding, ExportStanding, TipStanding

_STANDING = [RequestState.PROPOSED.value, RequestState.APPROVED.value]
_filing = msgspec.json.Decoder(Filing)
_request = msgspec.json.Decoder(CustodyRequest)


class SqlCustodyStore:
    """The hold_event, destruction, custody_request and custody_item tables."""

    def __init__(
        self,
        connection: Connection,
        cases: SqlCaseStore,
        kept_posts: SqlKeptPostStore,
        events: SqlEventLog,
    ) -> None:
        self._connection = connection
        self._events = events
        self._cases = cases
        self._kept_posts = kept_posts

    def standing(self, case_id: CaseId) -> CaseStanding:
        """Return what decides for how long a case's evidence is kept, held until the end."""
        with suppress(NotFound):
            self._cases.get(case_id)
        return self.standings([case_id])[case_id]

    def standings(self, case_ids: Collection[CaseId]) -> dict[CaseId, CaseStanding]:
        """Return what decides for how long evidence is kept, for each of these cases.

        The tips are those of all cases of its account: a report may name several, and what is
        commingled with reported content is kept as long. What was found in a deleted post has no
        case; its account's cases say whether something is still to be settled.
        """
        cases = {case.id: case for case in self._cases.some(case_ids)}
        alone = [one for one in case_ids if one not in cases]
        kept = self._kept_posts.some(alone) if alone else {}
        account_of = {one: case.account_id for one, case in cases.items()}
        account_of.update((one, post.account_id) for one, post in kept.items())
        accounts = {one for one in account_of.values() if one}
        unsettled = self._unsettled({post.account_id for post in kept.values()} - {""})
        tips = self._tips(case_ids, accounts)
        undecided = self._undecided(accounts)
        held: dict[CaseId, list[Hold]] = {}
        for hold in self._holds(among(self._connection, hold_event.c.case_id, case_ids)):
            held.setdefault(hold.case_id, []).append(hold)
        exports = self._exports(case_ids)
        return {
            one: CaseStanding(
                case=cases.get(one),
                tips=tuple(
                    tip
                    for of_case, account_id, tip in tips
                    if of_case == one or (one in account_of and account_id == account_of[one])
                ),
                holds=tuple(held.get(one, ())),
                exports=tuple(exports.get(one, ())),
                undecided=account_of.get(one) in undecided,
                deleted_post=one in kept,
                unsettled=one in kept and kept[one].account_id in unsettled,
            )
            for one in case_ids
        }

    def _exports(self, case_ids: Collection[CaseId]) -> dict[CaseId, list[ExportStanding]]:
        """Return what is to be exported of these cases' evidence, wherever it came from."""
        rows = self._connection.execute(
            select(evidence.c.case_id, custody_request.c.body)
            .distinct()
            .join(custody_item, custody_item.c.evidence_id == evidence.c.id)
            .join(custody_request, custody_request.c.id == custody_item.c.request_id)
            .where(
                among(self._connection, evidence.c.case_id, case_ids),
                custody_request.c.state.in_(_STANDING),
            )
        )
        found: dict[CaseId, list[ExportStanding]] = {}
        for case_id, body in rows:
            request = _request.decode(body)
            if request.keeps_until is not None:
                one = ExportStanding(reference=request.reference, until=request.keeps_until)
                found.setdefault(CaseId(case_id), []).append(one)
        return found

    def _unsettled(self, accounts: Collection[str]) -> set[str]:
        """Return those of these accounts of which a case is open or appealed."""
        if not accounts:
            return set()
        rows = self._connection.execute(
            select(review_case.c.account_id).where(
                among(self._connection, review_case.c.account_id, accounts),
                review_case.c.state.in_([one.value for one in UNSETTLED]),
            )
        )
        return set(rows.scalars())

    def _undecided(self, accounts: Collection[str]) -> set[str]:
        """Return those of these accounts that were acted on, and nobody decided about reporting."""
        rows = self._connection.execute(
            select(account_action.c.account_id)
            .join(
                report_decision,
                and_(
                    report_decision.c.action_id == account_action.c.id,
                    report_decision.c.version == account_action.c.report_version,
                ),
            )
            .where(
                among(self._connection, account_action.c.account_id, accounts),
                report_decision.c.state == ReportState.UNDECIDED.value,
            )
        )
        return set(rows.scalars())

    def _tips(
        self, case_ids: Collection[CaseId], accounts: Collection[str]
    ) -> list[tuple[str, str | None, TipStanding]]:
        """Return case, account and standing of tips of these cases or accounts."""
        # Each by its own index: the number of all tips is not looked through.
        reporting = union(
            select(tip_case.c.tip_id).where(among(self._connection, tip_case.c.case_id, case_ids)),
            select(tip_case.c.tip_id)
            .join(review_case, review_case.c.id == tip_case.c.case_id)
            .where(among(self._connection, review_case.c.account_id, accounts)),
        )
        rows = self._connection.execute(
            select(cybertip.c.case_id, review_case.c.account_id, cybertip.c.filing)
            .join(review_case, review_case.c.id == cybertip.c.case_id, isouter=True)
            .where(cybertip.c.id.in_(reporting))
        )
        return [
            (case_id, account_id or None, _standing(body)) for case_id, account_id, body in rows
        ]

    def say(self, event: HoldEvent) -> None:
        """Store what is said of a hold; what was said before stays.

        Raises:
            IntegrityFailure: evidence could be destroyed meanwhile.
        """
        self._events.check_nothing_is_destroyed()
        row = {
            "id": event.id,
            "hold_id": event.hold_id,
            "case_id": event.case_id,
            "what": event.what.value,
            "reference": event.reference,
            "until_us": to_us_or_none(event.until),
            "person": event.person,
            "reason": event.reason,
            "at_us": to_us(event.at),
        }
        add_all(self._connection, hold_event, [row])

    def hold(self, hold_id: str) -> Hold:
        """Return a hold.

        Raises:
            NotFound: there is none with this id.
        """
        found = self._holds(hold_event.c.hold_id == hold_id)
        if not found:
            raise NotFound(f"no hold {hold_id}", hint="`nightlight evidence holds` lists them")
        return found[0]

    def holds(self, case_id: CaseId) -> list[Hold]:
        """Return every hold of a case, oldest first."""
        return self._holds(hold_event.c.case_id == case_id)

    def _holds(self, wanted: Any) -> list[Hold]:
        rows = self._connection.execute(select(hold_event).where(wanted)).all()
        return holds_in(_event(row) for row in rows)

    def order(self, destructions: Iterable[Destruction]) -> None:
        """Store that evidence is to be destroyed."""
        rows = [
            {
                "evidence_id": one.evidence_id,
                "case_id": one.case_id,
                "rule": one.rule,
                "due_us": to_us(one.due_at),
                "proposed_by": one.proposed_by,
                "approved_by": one.approved_by,
                "ordered_us": to_us(one.ordered_at),
                "done_us": to_us_or_none(one.done_at),
                "found_us": to_us_or_none(one.found_at),
                "missing_us": to_us_or_none(one.missing_at),
                "tried_us": to_us_or_none(one.tried_at),
                "failed_us": to_us_or_none(one.failed_at),
            }
            for one in destructions
        ]
        put_new(self._connection, destruction, rows)

    def ordered(self, limit: int) -> list[Destruction]:
        """Return what is to be destroyed and was not yet: what was never tried, oldest order first.

        Then follows what was tried, longest ago first: no order is passed over for ever.
        """
        return self._standing(limit, first=func.coalesce(destruction.c.tried_us, 0))

    def missed(self, limit: int) -> list[Destruction]:
        """Return what is to be destroyed and was not in the vault, oldest order first."""
        return self._standing(limit, destruction.c.missing_us.is_not(None))

    def late(self, before: datetime, limit: int) -> list[Destruction]:
        """Return what was ordered before a time, is not missing, and was not destroyed yet."""
        is_late = destruction.c.ordered_us < to_us(before)
        return self._standing(limit, is_late, destruction.c.missing_us.is_(None))

    def _standing(self, limit: int, *wanted: Any, first: Any = None) -> list[Destruction]:
        order = (destruction.c.ordered_us, destruction.c.evidence_id)
        rows = self._connection.execute(
            select(destruction)
            .where(destruction.c.done_us.is_(None), *wanted)
            .order_by(*(order if first is None else (first, *order)))
            .limit(limit)
        )
        return [_destruction(row) for row in rows]

    def order_of(self, evidence_id: str) -> Destruction | None:
        """Return the order to destroy evidence, None where there is none."""
        row = self._connection.execute(
            select(destruction).where(destruction.c.evidence_id == evidence_id)
        ).one_or_none()
        return None if row is None else _destruction(row)

    def found(self, evidence_id: str, *, at: datetime) -> None:
        """Remember that what an order is about was in the vault, before it is destroyed."""
        self._change(evidence_id, found_us=to_us(at), missing_us=None, failed_us=None)

    def missing(self, evidence_id: str, *, at: datetime) -> None:
        """Remember that what an order is about was not in the vault."""
        self._change(evidence_id, found_us=None, missing_us=to_us(at))

    def tried(self, evidence_id: str, *, at: datetime) -> None:
        """Remember that an order was tried and stands."""
        self._change(evidence_id, tried_us=to_us(at))

    def failed(self, evidence_id: str, *, at: datetime) -> None:
        """Remember that the vault failed to destroy what an order is about: is it there?"""
        self._change(evidence_id, found_us=None, failed_us=to_us(at))

    def carried_out(self, evidence_id: str, *, at: datetime) -> None:
        """Remember that an order was carried out."""
        self._change(evidence_id, done_us=to_us(at))

    def _change(self, evidence_id: str, **values: int | None) -> None:
        self._connection.execute(
            update(destruction).where(destruction.c.evidence_id == evidence_id).values(**values)
        )

    def take_back(self, evidence_id: str) -> None:
        """Forget an order that was not carried out."""
        self._connection.execute(
            delete(destruction).where(
                destruction.c.evidence_id == evidence_id, destruction.c.done_us.is_(None)
            )
        )

    def save_request(self, request: CustodyRequest) -> None:
        """Store a request over its former state.

        Raises:
            IntegrityFailure: evidence could be destroyed meanwhile.
        """
        self._events.check_nothing_is_destroyed()
        row = {
            "id": request.id,
            "state": request.state.value,
            "proposed_us": to_us(request.proposed_at),
            "body": to_json(request),
        }
        put_over(self._connection, custody_request, [row])
        items = [{"request_id": request.id, "evidence_id": one} for one in request.evidence_ids]
        put_new(self._connection, custody_item, items)

    def request(self, request_id: str) -> CustodyRequest:
        """Return a request, held until the transaction ends.

        Raises:
            NotFound: there is none with this id.
        """
        body = self._connection.execute(
            select(custody_request.c.body)
            .where(custody_request.c.id == request_id)
            .with_for_update()
        ).scalar_one_or_none()
        if body is None:
            raise NotFound(
                f"no request {request_id}", hint="`nightlight evidence requests` lists them"
            )
        return _request.decode(body)

    def requests(self, limit: int) -> list[CustodyRequest]:
        """Return the newest requests, newest first."""
        rows = self._connection.execute(
            select(custody_request.c.body)
            .order_by(custody_request.c.proposed_us.desc(), custody_request.c.id)
            .limit(limit)
        )
        return [_request.decode(one) for one in rows.scalars()]


def _standing(body: str) -> TipStanding:
    """Return how far a tip came; one of which that cannot be read is not done, and keeps."""
    try:
        filing = _filing.decode(body)
    except msgspec.DecodeError:
        return TipStanding(state=TipState.DRAFTED, filed_at=None)
    return TipStanding(state=filing.state, filed_at=filing.filed_at)


def _event(row: Row[Any]) -> HoldEvent:
    return HoldEvent(
        id=row.id,
        hold_id=row.hold_id,
        case_id=row.case_id,
        what=HoldAct(row.what),
        reference=row.reference,
        until=from_us_or_none(row.until_us),
        person=row.person,
        reason=row.reason,
        at=from_us(row.at_us),
    )


def _destruction(row: Row[Any]) -> Destruction:
    return Destruction(
        evidence_id=row.evidence_id,
        case_id=row.case_id,
        rule=row.rule,
        due_at=from_us(row.due_us),
        ordered_at=from_us(row.ordered_us),
        proposed_by=row.proposed_by,
        approved_by=row.approved_by,
        done_at=from_us_or_none(row.done_us),
        found_at=from_us_or_none(row.found_us),
        missing_at=from_us_or_none(row.missing_us),
        tried_at=from_us_or_none(row.tried_us),
        failed_at=from_us_or_none(row.failed_us),
    )
