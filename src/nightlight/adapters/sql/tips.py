"""CyberTips and how far their filing came; a tip's content is sealed."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, select, update

from nightlight.adapters.sql.rows import from_us, put_new, to_json, to_us
from nightlight.adapters.sql.schema import cybertip, review_case
from nightlight.adapters.sql.tip_format import decode_tip, encode_tip
from nightlight.errors import Conflict, NotFound
from nightlight.model.case import STANDING
from nightlight.model.cybertip import CyberTip
from nightlight.model.filing import SETTLED, Filing, TipState
from nightlight.model.ids import CaseId, TipId
from nightlight.preserve.ports import KeyRing
from nightlight.transaction import StoredTip

_filing = msgspec.json.Decoder(Filing)


class SqlTips:
    """The cybertip table."""

    def __init__(self, connection: Connection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys

    def draft(self, tip: CyberTip, *, at: datetime) -> None:
        """Store a tip to be filed; a case that has one keeps it."""
        filing = Filing(tip_id=tip.id, state=TipState.DRAFTED, next_attempt_at=at)
        put_new(
            self._connection,
            cybertip,
            [
                {
                    "id": tip.id,
                    "case_id": tip.case_id,
                    "sealed_tip": self._keys.wrap(encode_tip(tip)),
                    "state": filing.state.value,
                    "revision": filing.revision,
                    "filing": to_json(filing),
                    "next_us": to_us(at),
                    "drafted_us": to_us(at),
                    "updated_us": to_us(at),
                }
            ],
        )

    def load(self, tip_id: TipId) -> tuple[CyberTip, Filing]:
        """Return a tip and its progress.

        Raises:
            NotFound: there is none with this id.
        """
        row = self._connection.execute(
            select(cybertip).where(cybertip.c.id == tip_id)
        ).one_or_none()
        if row is None:
            raise NotFound(f"no tip {tip_id}", hint="`nightlight report list` shows the tips")
        return decode_tip(self._keys.unwrap(row.sealed_tip)), _filing.decode(row.filing)

    def save(self, filing: Filing, *, at: datetime) -> None:
        """Store the progress of a tip over the progress before it.

        Raises:
            Conflict: another filer went on with this tip meanwhile.
        """
        changed = self._connection.execute(
            update(cybertip)
            .where(cybertip.c.id == filing.tip_id, cybertip.c.revision == filing.revision - 1)
            .values(
                state=filing.state.value,
                revision=filing.revision,
                filing=to_json(filing),
                next_us=to_us(filing.next_attempt_at or at),
                updated_us=to_us(at),
            )
        )
        if changed.rowcount != 1:
            raise Conflict("another filer went on with this tip")

    def due(self, now: datetime, limit: int) -> list[TipId]:
        """Return tips that are not settled and need not wait, longest due first.

        A tip waits while its case is under appeal, and for good once that was overturned.
        """
        rows = self._connection.execute(
            select(cybertip.c.id)
            .join(review_case, review_case.c.id == cybertip.c.case_id)
            .where(
                review_case.c.state.in_([state.value for state in STANDING]),
                cybertip.c.state.not_in([state.value for state in SETTLED]),
                cybertip.c.next_us <= to_us(now),
            )
            .order_by(cybertip.c.next_us, cybertip.c.id)
            .limit(limit)
        )
        return [TipId(one) for one in rows.scalars()]

    def newest(self, limit: int) -> list[StoredTip]:
        """Return the newest tips, newest first."""
        rows = self._connection.execute(
            select(cybertip).order_by(cybertip.c.drafted_us.desc(), cybertip.c.id).limit(limit)
        )
        return [
            StoredTip(
                tip_id=row.id,
                case_id=CaseId(row.case_id),
                drafted_at=from_us(row.drafted_us),
                filing=_filing.decode(row.filing),
            )
            for row in rows
        ]
