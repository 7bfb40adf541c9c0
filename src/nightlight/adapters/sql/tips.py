"""CyberTips and how far their filing came; a tip's content is sealed."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, or_, select, update

from nightlight.adapters.sql.rows import (
    from_us,
    from_us_or_none,
    put_new,
    to_json,
    to_us,
    to_us_or_none,
)
from nightlight.adapters.sql.schema import cybertip
from nightlight.errors import NotFound
from nightlight.model.cybertip import CyberTip, Filing, TipState
from nightlight.model.ids import CaseId, TipId
from nightlight.preserve.ports import KeyRing

_uploaded = msgspec.json.Decoder(tuple[str, ...])
_tip = msgspec.json.Decoder(CyberTip)
_FINISHED = (TipState.FILED.value, TipState.REFUSED.value)


class SqlTips:
    """The cybertip table."""

    def __init__(self, connection: Connection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys

    def draft(self, tip: CyberTip, *, at: datetime) -> None:
        """Store a tip to be filed; one that is already there stays as it is."""
        filing = Filing(tip_id=tip.id, state=TipState.DRAFTED, next_attempt_at=at)
        fixed = {
            "case_id": tip.case_id,
            "sealed_tip": self._keys.wrap(msgspec.json.encode(tip)),
            "drafted_us": to_us(at),
        }
        put_new(self._connection, cybertip, [{**fixed, **_filing_row(filing, at)}])

    def load(self, tip_id: TipId) -> tuple[CyberTip, Filing]:
        """Return a tip and its progress.

        Raises:
            NotFound: there is none with this id.
        """
        row = self._connection.execute(
            select(cybertip).where(cybertip.c.id == tip_id).with_for_update()
        ).one_or_none()
        if row is None:
            raise NotFound(f"no tip {tip_id}", hint="`nightlight report list` shows the tips")
        return _tip.decode(self._keys.unwrap(row.sealed_tip)), _filing(row)

    def save(self, filing: Filing, *, at: datetime) -> None:
        """Store the progress of a tip over its former progress."""
        self._connection.execute(
            update(cybertip).where(cybertip.c.id == filing.tip_id).values(_filing_row(filing, at))
        )

    def due(self, now: datetime, limit: int) -> list[TipId]:
        """Return unfinished tips whose next attempt is due, oldest first."""
        rows = self._connection.execute(
            select(cybertip.c.id)
            .where(
                cybertip.c.state.not_in(_FINISHED),
                or_(cybertip.c.next_us.is_(None), cybertip.c.next_us <= to_us(now)),
            )
            .order_by(cybertip.c.drafted_us, cybertip.c.id)
            .limit(limit)
        )
        return [TipId(one) for one in rows.scalars()]

    def newest(self, limit: int) -> list[tuple[CaseId, datetime, Filing]]:
        """Return (case, drafted at, progress) of the newest tips, newest first."""
        rows = self._connection.execute(
            select(cybertip).order_by(cybertip.c.drafted_us.desc(), cybertip.c.id).limit(limit)
        )
        return [(CaseId(row.case_id), from_us(row.drafted_us), _filing(row)) for row in rows]


def _filing(row: Row[Any]) -> Filing:
    return Filing(
        tip_id=row.id,
        state=TipState(row.state),
        remote_id=row.remote_id,
        uploaded=_uploaded.decode(row.uploaded),
        described=row.described,
        receipt=row.receipt,
        failure=row.failure,
        attempts=row.attempts,
        next_attempt_at=from_us_or_none(row.next_us),
    )


def _filing_row(filing: Filing, at: datetime) -> dict[str, Any]:
    return {
        "id": filing.tip_id,
        "state": filing.state.value,
        "remote_id": filing.remote_id,
        "uploaded": to_json(filing.uploaded),
        "described": filing.described,
        "receipt": filing.receipt,
        "failure": filing.failure,
        "attempts": filing.attempts,
        "next_us": to_us_or_none(filing.next_attempt_at),
        "updated_us": to_us(at),
    }
