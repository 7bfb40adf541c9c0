"""CyberTips and how far their filing came; a tip's content is sealed."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace
from sqlalchemy import (
    Connection,
    Row,
    ScalarSelect,
    Select,
    and_,
    delete,
    func,
    not_,
    or_,
    select,
    update,
)

from nightlight.adapters.sql.rows import from_us, put_new, put_over, to_json, to_us
from nightlight.adapters.sql.schema import cybertip, review_case, sent_document, tip_case
from nightlight.adapters.sql.tip_format import decode_tip, encode_tip
from nightlight.errors import Conflict, IntegrityFailure, NotFound
from nightlight.model.case import STANDING, CaseState
from nightlight.model.cybertip import CyberTip, Destination
from nightlight.model.filing import SETTLED, UNFINISHED, Filing, Line, TipState
from nightlight.model.ids import AccountId, CaseId, TipId
from nightlight.preserve.ports import KeyRing
from nightlight.report.ports import Sent
from nightlight.transaction import StoredTip

_filing = msgspec.json.Decoder(Filing)
#: Where among what was sent the tip is kept as it was then.
_TIP_ITSELF = -1
_Kind = TypeVar("_Kind", bound=StrEnum)


class SqlTips:
    """The cybertip table."""

    def __init__(self, connection: Connection, keys: KeyRing, line: Line) -> None:
        self._line = line
        self._connection = connection
        self._keys = keys

    def draft(self, tip: CyberTip, *, at: datetime, deadline_at: datetime | None = None) -> None:
        """Store a tip to be filed from ``at`` on; one that is there stays as it is."""
        filing = Filing(tip_id=tip.id, state=TipState.DRAFTED, next_attempt_at=at)
        row = {
            "id": tip.id,
            "case_id": tip.case_id,
            "destination": tip.destination,
            "sealed_tip": self._keys.wrap(encode_tip(tip)),
            "state": filing.state.value,
            "revision": filing.revision,
            "filing": to_json(filing),
            "next_us": to_us(at),
            "drafted_us": to_us(at),
            "updated_us": to_us(at),
            "alarmed_us": None,
            "trouble": None,
            "line": None,
            "deadline_us": None if deadline_at is None else to_us(deadline_at),
        }
        put_new(self._connection, cybertip, [row])
        self._report_cases(tip)

    def load(self, tip_id: TipId) -> tuple[CyberTip, Filing]:
        """Return a tip and its progress.

        Raises:
            NotFound: there is none with this id.
            IntegrityFailure: what is stored of it cannot be read.
        """
        row = self._connection.execute(
            select(cybertip).where(cybertip.c.id == tip_id)
        ).one_or_none()
        if row is None:
            raise _unknown(tip_id)
        return decode_tip(self._keys.unwrap(row.sealed_tip)), _filing_in(row)

    def cases(self, tip_id: TipId) -> list[CaseId]:
        """Return the cases that a tip reports, also of one that cannot be read."""
        rows = self._connection.execute(
            select(tip_case.c.case_id)
            .where(tip_case.c.tip_id == tip_id)
            .order_by(tip_case.c.case_id)
        )
        return [CaseId(one) for one in rows.scalars()]

    def save(self, filing: Filing, *, at: datetime) -> None:
        """Store the progress of a tip over the progress before it.

        Raises:
            Conflict: another filer went on with this tip meanwhile.
            IntegrityFailure: the progress before cannot be read: it may hold the only receipt.
        """
        before = self._connection.execute(
            select(cybertip).where(cybertip.c.id == filing.tip_id)
        ).one_or_none()
        if before is not None:
            _filing_in(before)
        changed = self._connection.execute(
            update(cybertip)
            .where(cybertip.c.id == filing.tip_id, cybertip.c.revision == filing.revision - 1)
            .values(
                state=filing.state.value,
                revision=filing.revision,
                filing=to_json(filing),
                next_us=to_us(filing.next_attempt_at or at),
                updated_us=to_us(at),
                trouble=None,
                line=filing.line or None,
            )
        )
        if changed.rowcount != 1:
            raise Conflict("another filer went on with this tip")

    def rewrite(
        self, tip: CyberTip, filing: Filing, *, at: datetime, deadline_at: datetime | None = None
    ) -> None:
        """Store a tip over itself, with its progress; its deadline may only come nearer.

        Raises:
            Conflict: a filer went on with this tip meanwhile.
        """
        self.save(filing, at=at)
        self._connection.execute(
            update(cybertip)
            .where(cybertip.c.id == tip.id)
            .values(sealed_tip=self._keys.wrap(encode_tip(tip)))
        )
        if deadline_at is not None:
            nearer = or_(
                cybertip.c.deadline_us.is_(None), cybertip.c.deadline_us > to_us(deadline_at)
            )
            self._connection.execute(
                update(cybertip)
                .where(cybertip.c.id == tip.id, nearer)
                .values(deadline_us=to_us(deadline_at))
            )
        self._connection.execute(delete(tip_case).where(tip_case.c.tip_id == tip.id))
        self._report_cases(tip)

    def _report_cases(self, tip: CyberTip) -> None:
        rows = [{"tip_id": tip.id, "case_id": case_id} for case_id in tip.cases]
        put_new(self._connection, tip_case, rows)

    def due(self, now: datetime, limit: int, *, destination: str) -> list[TipId]:
        """Return a destination's tips that are not settled and need not wait, longest due first.

        A tip waits while one of its cases does not stand, but where a report may be open.
        """
        contested = _contested()
        rows = self._connection.execute(
            select(cybertip.c.id)
            .where(
                cybertip.c.destination == destination,
                cybertip.c.state.not_in([state.value for state in SETTLED]),
                cybertip.c.next_us <= to_us(now),
                or_(
                    cybertip.c.state.in_([state.value for state in UNFINISHED]),
                    cybertip.c.id.not_in(contested),
                ),
            )
            .order_by(cybertip.c.next_us, cybertip.c.id)
            .limit(limit)
        )
        return [TipId(one) for one in rows.scalars()]

    def set_aside(self, tip_id: TipId, trouble: str, *, until: datetime) -> bool:
        """Let a tip that cannot be read wait; return whether it could be until now.

        Nothing of it is changed; saving it takes the trouble away.
        """
        here = cybertip.c.id == tip_id
        known = select(cybertip.c.trouble).where(here).with_for_update()
        before = self._connection.execute(known).scalar_one()
        self._connection.execute(
            update(cybertip).where(here).values(trouble=trouble, next_us=to_us(until))
        )
        return before is None

    def listed(self, tip_id: TipId) -> StoredTip:
        """Return a tip as it may be listed.

        Raises:
            NotFound: there is none with this id.
        """
        found = self._stored(select(cybertip).where(cybertip.c.id == tip_id))
        if not found:
            raise _unknown(tip_id)
        return found[0]

    def keep_sent(self, tip: CyberTip, documents: Sequence[bytes], *, first: int) -> None:
        """Keep documents as they are about to be sent, from a place on.

        0 is the report: what was kept of a report before is kept no more, as it is gone.
        """
        kept = list(enumerate(documents, start=first))
        if first == 0:
            gone = delete(sent_document).where(sent_document.c.tip_id == tip.id)
            self._connection.execute(gone)
            kept.insert(0, (_TIP_ITSELF, encode_tip(tip)))
        rows = [
            {"tip_id": tip.id, "place": place, "sealed_document": self._keys.wrap(one)}
            for place, one in kept
        ]
        put_over(self._connection, sent_document, rows)

    def sent(self, tip_id: TipId) -> Sent | None:
        """Return what was sent last of a tip: the report, then each file's details; None for none.

        Raises:
            IntegrityFailure: it cannot be read.
        """
        rows = self._connection.execute(
            select(sent_document.c.place, sent_document.c.sealed_document)
            .where(sent_document.c.tip_id == tip_id)
            .order_by(sent_document.c.place)
        ).all()
        # Of a report that was opened before this was kept, there are only later files.
        if not rows or rows[0].place != _TIP_ITSELF:
            return None
        kept = [self._keys.unwrap(bytes(one.sealed_document)) for one in rows]
        return Sent(tip=decode_tip(kept[0]), documents=tuple(kept[1:]))

    def note_line(self) -> int:
        """Note the line in force for reports from before lines were kept; return of how many."""
        if not self._line.address:
            return 0
        begun = (*UNFINISHED, TipState.OPENING, TipState.FILED)
        without = cybertip.c.line.is_(None)
        # A refused tip was at a line only if it was given a report there.
        opened = [
            one.tip_id
            for one in self._stored(
                select(cybertip).where(without, cybertip.c.state == TipState.REFUSED.value)
            )
            if one.filing.remote_id
        ]
        noted = self._connection.execute(
            update(cybertip)
            .where(
                without,
                cybertip.c.destination == Destination.NCMEC.value,
                or_(
                    cybertip.c.state.in_([state.value for state in begun]),
                    cybertip.c.id.in_(opened),
                ),
            )
            .values(line=self._line.address)
        )
        return noted.rowcount

    def filed(self) -> list[StoredTip]:
        """Return every tip that is filed, oldest first."""
        return self._stored(
            select(cybertip)
            .where(cybertip.c.state == TipState.FILED.value)
            .order_by(cybertip.c.drafted_us, cybertip.c.id)
        )

    def filed_elsewhere(self) -> list[StoredTip]:
        """Return the tips of which a case is reported only at another line, oldest first."""
        if not self._line.address:
            return []
        found = self._stored(
            select(cybertip)
            .where(
                cybertip.c.state == TipState.FILED.value,
                cybertip.c.destination == Destination.NCMEC.value,
                cybertip.c.line.not_in(sorted(self._line.addresses)),
            )
            .order_by(cybertip.c.drafted_us, cybertip.c.id)
        )
        return [one for one in found if one.undrafted]

    def unreadable(self) -> list[StoredTip]:
        """Return the tips that were set aside since they cannot be read, oldest first."""
        return self._stored(
            select(cybertip)
            .where(cybertip.c.trouble.is_not(None))
            .order_by(cybertip.c.drafted_us, cybertip.c.id)
        )

    def stands(self, tip_id: TipId) -> bool:
        """Return whether every case of a tip stands."""
        found = self._connection.execute(_contested().where(tip_case.c.tip_id == tip_id).limit(1))
        return found.first() is None

    def unfinished(self, opened_before: datetime) -> list[StoredTip]:
        """Return the tips whose report was opened before then and may be open, oldest first."""
        found = self._stored(
            select(cybertip)
            .where(cybertip.c.state.in_([state.value for state in UNFINISHED]))
            .order_by(cybertip.c.drafted_us, cybertip.c.id)
        )
        return [
            one
            for one in found
            if one.filing.opened_at is not None and one.filing.opened_at < opened_before
        ]

    def waiting_for_appeals(self) -> list[StoredTip]:
        """Return the tips that are not settled and wait for the end of an appeal, oldest first."""
        return self._stored(
            select(cybertip)
            .where(
                cybertip.c.state.not_in([state.value for state in SETTLED]),
                cybertip.c.id.in_(_with_a_case(CaseState.APPEALED)),
            )
            .order_by(cybertip.c.drafted_us, cybertip.c.id)
        )

    def filed_in_vain(self, since: datetime) -> list[StoredTip]:
        """Return the filed tips of overturned cases that changed since then, oldest first."""
        return self._stored(
            select(cybertip)
            .where(
                cybertip.c.state == TipState.FILED.value,
                cybertip.c.updated_us >= to_us(since),
                cybertip.c.id.in_(_with_a_case(CaseState.OVERTURNED)),
            )
            .order_by(cybertip.c.drafted_us, cybertip.c.id)
        )

    def of_case(self, case_id: CaseId) -> list[StoredTip]:
        """Return the tips that report a case, oldest first."""
        reporting = select(tip_case.c.tip_id).where(tip_case.c.case_id == case_id)
        return self._stored(
            select(cybertip)
            .where(cybertip.c.id.in_(reporting))
            .order_by(cybertip.c.drafted_us, cybertip.c.id)
        )

    def of_account(self, account_id: AccountId) -> list[StoredTip]:
        """Return the tips that report an account's cases, oldest first."""
        # By way of the account's cases: their number does not grow with that of all tips.
        reporting = (
            select(tip_case.c.tip_id)
            .join(review_case, review_case.c.id == tip_case.c.case_id)
            .where(review_case.c.account_id == account_id)
        )
        return self._stored(
            select(cybertip)
            .where(cybertip.c.id.in_(reporting))
            .order_by(cybertip.c.drafted_us, cybertip.c.id)
        )

    def newest(self, limit: int, state: TipState | None = None) -> list[StoredTip]:
        """Return the newest tips, newest first; with ``state``, only those in it."""
        wanted = select(cybertip).order_by(cybertip.c.drafted_us.desc(), cybertip.c.id)
        if state is not None:
            wanted = wanted.where(cybertip.c.state == state.value)
        return self._stored(wanted.limit(limit))

    def refused(self) -> list[StoredTip]:
        """Return the tips that wait for a person, oldest first."""
        return self._stored(
            select(cybertip)
            .where(cybertip.c.state == TipState.REFUSED.value)
            .order_by(cybertip.c.drafted_us, cybertip.c.id)
        )

    def overdue(self, now: datetime, *, unalarmed: bool = False) -> list[StoredTip]:
        """Return tips past their deadline and not filed; with ``unalarmed`` those not told of."""
        done = [TipState.FILED.value, TipState.WITHDRAWN.value]
        query = select(cybertip).where(
            cybertip.c.state.not_in(done), cybertip.c.deadline_us <= to_us(now)
        )
        if unalarmed:
            query = query.where(cybertip.c.alarmed_us.is_(None))
        return self._stored(query.order_by(cybertip.c.deadline_us, cybertip.c.id))

    def alarmed(self, tip_id: TipId, *, at: datetime) -> None:
        """Remember that a tip past its deadline was told of."""
        self._connection.execute(
            update(cybertip).where(cybertip.c.id == tip_id).values(alarmed_us=to_us(at))
        )

    def _stored(self, query: Select[Any]) -> list[StoredTip]:
        query = query.add_columns(
            _case_in(CaseState.APPEALED).label("appealed"),
            _case_in(CaseState.OVERTURNED).label("overturned"),
            _undrafted(self._line).label("undrafted"),
        )
        return [_stored_in(row, self._line) for row in self._connection.execute(query)]


def _unknown(tip_id: TipId) -> NotFound:
    return NotFound(f"no tip {tip_id}", hint="`nightlight report list` shows the tips")


def _filing_in(row: Row[Any]) -> Filing:
    """Return how far a tip came.

    Raises:
        IntegrityFailure: that cannot be read.
    """
    try:
        filing = _filing.decode(row.filing)
    except msgspec.DecodeError as error:
        raise IntegrityFailure("how far the tip came is stored, and cannot be read") from error
    # Of what was filed before that was kept, the line is noted beside it.
    return filing if filing.line else replace(filing, line=row.line or "")


def _stored_in(row: Row[Any], line: Line) -> StoredTip:
    """Return a tip as it may be listed, also one that cannot be read: the list has others."""
    trouble = row.trouble or ""
    try:
        filing = _filing_in(row)
    except IntegrityFailure as failure:
        trouble = trouble or str(failure)
        state = _known(TipState, row.state, TipState.REFUSED)
        filing = Filing(tip_id=row.id, state=state, revision=row.revision)
    destination = _known(Destination, row.destination, Destination.NCMEC)
    is_elsewhere = (
        destination is Destination.NCMEC
        and filing.state is TipState.FILED
        and not line.has(filing.line)
    )
    return StoredTip(
        tip_id=row.id,
        case_id=CaseId(row.case_id),
        destination=destination,
        drafted_at=from_us(row.drafted_us),
        deadline_at=None if row.deadline_us is None else from_us(row.deadline_us),
        filing=filing,
        appealed=None if row.appealed is None else CaseId(row.appealed),
        overturned=None if row.overturned is None else CaseId(row.overturned),
        trouble=trouble,
        elsewhere=filing.line if is_elsewhere else "",
        undrafted=CaseId(row.undrafted) if is_elsewhere and row.undrafted else None,
    )


def _known(kind: type[_Kind], value: str, otherwise: _Kind) -> _Kind:
    return kind(value) if value in set(kind) else otherwise


def _contested() -> Select[Any]:
    """Return which tips have a case that does not stand."""
    return (
        select(tip_case.c.tip_id)
        .join(review_case, review_case.c.id == tip_case.c.case_id)
        .where(review_case.c.state.not_in([state.value for state in STANDING]))
    )


def _with_a_case(state: CaseState) -> Select[Any]:
    return (
        select(tip_case.c.tip_id)
        .join(review_case, review_case.c.id == tip_case.c.case_id)
        .where(review_case.c.state == state.value)
    )


def _case_in(state: CaseState) -> ScalarSelect[Any]:
    """Return the first case in a state of the tip in the query around it."""
    return (
        select(func.min(tip_case.c.case_id))
        .join(review_case, review_case.c.id == tip_case.c.case_id)
        .where(tip_case.c.tip_id == cybertip.c.id, review_case.c.state == state.value)
        .correlate(cybertip)
        .scalar_subquery()
    )


def _undrafted(line: Line) -> ScalarSelect[Any]:
    """Return the first standing case of the tip in the query around it without a live tip."""
    other, reported = cybertip.alias(), tip_case.alias()
    elsewhere = and_(
        other.c.state == TipState.FILED.value,
        other.c.destination == Destination.NCMEC.value,
        other.c.line.not_in(sorted(line.addresses)),
    )
    live = (
        select(other.c.id)
        .join(reported, reported.c.tip_id == other.c.id)
        .where(
            reported.c.case_id == tip_case.c.case_id,
            other.c.destination == cybertip.c.destination,
            other.c.state != TipState.WITHDRAWN.value,
            or_(other.c.line.is_(None), not_(elsewhere)),
        )
        .correlate(tip_case, cybertip)
    )
    return (
        select(func.min(tip_case.c.case_id))
        .join(review_case, review_case.c.id == tip_case.c.case_id)
        .where(
            tip_case.c.tip_id == cybertip.c.id,
            # Asked only of what may be elsewhere: it is the longest of what is asked of a tip.
            cybertip.c.state == TipState.FILED.value,
            cybertip.c.line.not_in(sorted(line.addresses)),
            review_case.c.state.in_([state.value for state in STANDING]),
            ~live.exists(),
        )
        .correlate(cybertip)
        .scalar_subquery()
    )
