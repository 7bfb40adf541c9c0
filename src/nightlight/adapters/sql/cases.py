"""Cases and the evidence that belongs to them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, Row, func, literal_column, select, true, update

from nightlight.adapters.sql.custody import viewed_in
from nightlight.adapters.sql.events import SqlEventLog
from nightlight.adapters.sql.rows import (
    among,
    from_us,
    from_us_or_none,
    put_new,
    put_over,
    to_json,
    to_us,
    to_us_or_none,
)
from nightlight.adapters.sql.schema import evidence, review_case
from nightlight.errors import NotFound
from nightlight.model.case import Case, CaseState, Evidence, EvidenceKind
from nightlight.model.custody import ReadKind
from nightlight.model.ids import AccountId, CaseId, DecisionId
from nightlight.preserve.ports import KeyRing
from nightlight.preserve.vault import vault_name

_decision_ids = msgspec.json.Decoder(tuple[DecisionId, ...])


class SqlCaseStore:
    """Cases and their order of urgency."""

    def __init__(self, connection: Connection, *, writable: bool) -> None:
        self._connection = connection
        self._writable = writable

    def get(self, case_id: CaseId) -> Case:
        """Return the case, held until the transaction ends if that may write.

        Raises:
            NotFound: there is none with this id.
        """
        wanted = select(review_case).where(review_case.c.id == case_id)
        # PostgreSQL refuses to hold anything for a transaction that only reads.
        row = self._connection.execute(
            wanted.with_for_update() if self._writable else wanted
        ).one_or_none()
        if row is None:
            raise NotFound(f"no case {case_id}", hint="`nightlight case list` shows the cases")
        return self._cases([row])[0]

    def hold(self, case_ids: Collection[CaseId]) -> None:
        """Hold these cases until the transaction ends, one after another in the order of ids.

        Two who want the same ones wait for each other, and do not block each other for good.
        """
        self._connection.execute(
            select(review_case.c.id)
            .where(among(self._connection, review_case.c.id, case_ids))
            .order_by(review_case.c.id)
            .with_for_update()
        ).all()

    def open_of(self, accounts: Collection[AccountId]) -> dict[AccountId, Case]:
        """Return the open case of each account that has one, held until the transaction ends."""
        rows = self._connection.execute(
            select(review_case)
            .where(
                among(self._connection, review_case.c.account_id, accounts),
                review_case.c.state == CaseState.OPEN.value,
            )
            .with_for_update()
        )
        return {case.account_id: case for case in self._cases(rows.all())}

    def some(self, case_ids: Collection[CaseId]) -> list[Case]:
        """Return those of these cases that there are."""
        rows = self._connection.execute(
            select(review_case).where(among(self._connection, review_case.c.id, case_ids))
        )
        return self._cases(rows.all())

    def of_account(self, account_id: AccountId) -> list[Case]:
        """Return every case of an account, oldest first."""
        rows = self._connection.execute(
            select(review_case)
            .where(review_case.c.account_id == account_id)
            .order_by(review_case.c.opened_us, review_case.c.id)
        )
        return self._cases(rows.all())

    def save(self, case: Case) -> None:
        """Store the case over its former state."""
        put_over(
            self._connection,
            review_case,
            [
                {
                    "id": case.id,
                    "account_id": case.account_id,
                    "state": case.state.value,
                    "category": case.category,
                    "severity": case.severity,
                    "opened_us": to_us(case.opened_at),
                    "decisions": to_json(case.decisions),
                    "decided_by": case.decided_by,
                    "decided_us": to_us_or_none(case.decided_at),
                    "decision_reason": case.decision_reason,
                }
            ],
        )

    def deciders(self) -> set[str]:
        """Return everybody who decided a case."""
        wanted = select(review_case.c.decided_by).distinct().where(review_case.c.decided_by != "")
        return set(self._connection.execute(wanted).scalars())

    def queue(self, state: CaseState | None, limit: int) -> list[Case]:
        """Return cases, most severe first, then oldest first."""
        wanted = select(review_case).order_by(
            review_case.c.severity.desc(), review_case.c.opened_us, review_case.c.id
        )
        if state is not None:
            wanted = wanted.where(review_case.c.state == state.value)
        return self._cases(self._connection.execute(wanted.limit(limit)).all())

    def _cases(self, rows: Sequence[Row[Any]]) -> list[Case]:
        views = viewed_in(self._connection, [row.id for row in rows])
        return [
            replace(
                _case(row),
                viewed=views.get((row.id, ReadKind.VIEWED), ()),
                exif_viewed=views.get((row.id, ReadKind.EXIF_VIEWED), ()),
            )
            for row in rows
        ]


class SqlEvidenceStore:
    """Which evidence belongs to which case."""

    def __init__(self, connection: Connection, keys: KeyRing, events: SqlEventLog) -> None:
        self._connection = connection
        self._keys = keys
        self._events = events

    def add(self, evidence: Iterable[Evidence]) -> None:
        """Store evidence rows; one that is already there stays as it is.

        Raises:
            IntegrityFailure: evidence could be destroyed meanwhile.
        """
        self._events.check_nothing_is_destroyed()
        rows = [
            {
                "id": one.id,
                "case_id": one.case_id,
                "decision_id": one.decision_id,
                "kind": one.kind.value,
                "content_id": one.content_id,
                "sealed_digest": self._keys.wrap(one.digest.encode()),
                "byte_count": one.byte_count,
                "content_type": one.content_type,
                "sealed_us": to_us(one.sealed_at),
                "captured_us": to_us(one.captured_at),
                "blob_name": vault_name(one.digest, self._keys),
                "destroyed_us": to_us_or_none(one.destroyed_at),
            }
            for one in evidence
        ]
        put_new(self._connection, _table, rows)

    def move(self, decision_ids: Collection[DecisionId], case_id: CaseId) -> None:
        """Let the evidence of these findings belong to another case.

        Raises:
            IntegrityFailure: evidence could be destroyed meanwhile.
        """
        self._events.check_nothing_is_destroyed()
        self._connection.execute(
            update(_table)
            .where(among(self._connection, _table.c.decision_id, decision_ids))
            .values(case_id=case_id)
        )

    def get(self, evidence_id: str) -> Evidence:
        """Return evidence, also what was destroyed.

        Raises:
            NotFound: there is none with this id.
        """
        row = self._connection.execute(
            select(_table).where(_table.c.id == evidence_id)
        ).one_or_none()
        if row is None:
            raise NotFound(
                f"no evidence {evidence_id}", hint="`nightlight case show` lists a case's evidence"
            )
        return self._evidence(row)

    def of_case(self, case_id: CaseId, *, destroyed: bool = False) -> list[Evidence]:
        """Return the evidence of a case that is kept, or also what was, oldest first."""
        rows = self._connection.execute(
            select(_table)
            .where(
                _table.c.case_id == case_id,
                true() if destroyed else _table.c.destroyed_us.is_(None),
            )
            .order_by(_table.c.captured_us)
        )
        return [self._evidence(row) for row in rows]

    def of_cases(self, case_ids: Collection[CaseId]) -> list[Evidence]:
        """Return the evidence of these cases that is kept, oldest first."""
        rows = self._connection.execute(
            select(_table)
            .where(
                among(self._connection, _table.c.case_id, case_ids),
                _table.c.destroyed_us.is_(None),
            )
            .order_by(_table.c.captured_us, _table.c.id)
        )
        return [self._evidence(row) for row in rows]

    def of_posts(self, event_keys: Collection[str], media_ids: Collection[str]) -> list[Evidence]:
        """Return the evidence of these versions of posts, also what was destroyed.

        And that of these files, as far as it was sealed beside one of those versions.
        """
        rows = self._connection.execute(
            select(_table).where(
                among(self._connection, _table.c.content_id, event_keys),
                _table.c.kind == literal_column(f"'{EvidenceKind.POST.value}'"),
            )
        ).all()
        found = [self._evidence(row) for row in rows]
        if found and media_ids:
            files = self._connection.execute(
                select(_table).where(
                    among(self._connection, _table.c.case_id, {one.case_id for one in found}),
                    among(self._connection, _table.c.content_id, media_ids),
                    _table.c.kind == EvidenceKind.MEDIA.value,
                )
            )
            found.extend(self._evidence(row) for row in files)
        return found

    def sealed_before(self, at: datetime, *, after: str, limit: int) -> list[CaseId]:
        """Return cases of which something kept was sealed before then, by id, from ``after`` on."""
        rows = self._connection.execute(
            select(_table.c.case_id)
            .distinct()
            .where(
                _table.c.case_id > after,
                _table.c.sealed_us <= to_us(at),
                _table.c.destroyed_us.is_(None),
            )
            .order_by(_table.c.case_id)
            .limit(limit)
        )
        return [CaseId(one) for one in rows.scalars()]

    def others(self, evidence: Evidence) -> int:
        """Return how much other evidence that is kept is the same bytes."""
        self._name_older()
        name = vault_name(evidence.digest, self._keys)
        return self._connection.execute(
            select(func.count()).where(
                _table.c.blob_name == name,
                _table.c.id != evidence.id,
                _table.c.destroyed_us.is_(None),
            )
        ).scalar_one()

    def needless(self, names: Collection[str]) -> list[str]:
        """Return those vault names of which evidence was destroyed, and none that is kept is."""
        rows = self._connection.execute(
            select(_table.c.blob_name)
            .where(among(self._connection, _table.c.blob_name, names))
            .group_by(_table.c.blob_name)
            .having(func.count(_table.c.destroyed_us) == func.count())
        )
        return [str(one) for one in rows.scalars()]

    def destroyed(self, evidence_id: str, *, at: datetime) -> None:
        """Remember that evidence is gone, and forget its digest."""
        self._connection.execute(
            update(_table)
            .where(_table.c.id == evidence_id)
            .values(destroyed_us=to_us(at), sealed_digest=b"")
        )

    def _name_older(self) -> None:
        """Tell the names of what was stored before evidence had any."""
        unnamed = self._connection.execute(
            select(_table.c.id, _table.c.sealed_digest).where(_table.c.blob_name.is_(None))
        ).all()
        for one, sealed in unnamed:
            name = vault_name(self._keys.unwrap(sealed).decode(), self._keys)
            self._connection.execute(
                update(_table).where(_table.c.id == one).values(blob_name=name)
            )

    def _evidence(self, row: Row[Any]) -> Evidence:
        return Evidence(
            id=row.id,
            case_id=row.case_id,
            decision_id=row.decision_id,
            kind=EvidenceKind(row.kind),
            content_id=row.content_id,
            digest=self._keys.unwrap(row.sealed_digest).decode() if row.sealed_digest else "",
            byte_count=row.byte_count,
            content_type=row.content_type,
            sealed_at=from_us(row.sealed_us),
            captured_at=from_us(row.captured_us),
            destroyed_at=from_us_or_none(row.destroyed_us),
        )


_table = evidence


def _case(row: Row[Any]) -> Case:
    return Case(
        id=row.id,
        account_id=row.account_id,
        state=CaseState(row.state),
        category=row.category,
        severity=row.severity,
        opened_at=from_us(row.opened_us),
        decisions=_decision_ids.decode(row.decisions),
        decided_by=row.decided_by,
        decided_at=from_us_or_none(row.decided_us),
        decision_reason=row.decision_reason,
    )
