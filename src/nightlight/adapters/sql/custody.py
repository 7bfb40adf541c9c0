"""The view log of sealed evidence."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from nightlight.adapters.sql.rows import among, from_us, put_new, to_us
from nightlight.adapters.sql.schema import evidence, evidence_read
from nightlight.model.custody import EvidenceRead, ReadKind, SeenWhere

#: What counts as viewing: nothing else that may stand in the log does.
_VIEWS = (ReadKind.VIEWED, ReadKind.EXIF_VIEWED)


class SqlViewLog:
    """The evidence_read table; nothing in it is ever changed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, reads: Iterable[EvidenceRead]) -> None:
        """Store lines of the log; what was said before stays as it was said."""
        rows = [
            {
                "id": one.id,
                "evidence_id": one.evidence_id,
                "person": one.person,
                "purpose": one.purpose,
                "what": one.what.value,
                "seen_where": one.where.value,
                "at_us": to_us(one.at),
            }
            for one in reads
        ]
        put_new(self._connection, evidence_read, rows)

    def of(self, evidence_ids: Collection[str]) -> list[EvidenceRead]:
        """Return the log of these files, oldest line first."""
        rows = self._connection.execute(
            select(evidence_read)
            .where(among(self._connection, evidence_read.c.evidence_id, evidence_ids))
            .order_by(evidence_read.c.at_us, evidence_read.c.id)
        )
        return [_read(row) for row in rows]


def viewed_in(
    connection: Connection, case_ids: Sequence[str]
) -> dict[tuple[str, ReadKind], tuple[str, ...]]:
    """Return, by case and kind of view, the evidence that a person viewed."""
    if not case_ids:
        return {}
    rows = connection.execute(
        select(evidence.c.case_id, evidence_read.c.what, evidence_read.c.evidence_id)
        .distinct()
        .join(evidence_read, evidence_read.c.evidence_id == evidence.c.id)
        .where(
            among(connection, evidence.c.case_id, case_ids),
            evidence_read.c.what.in_([one.value for one in _VIEWS]),
        )
        .order_by(evidence_read.c.evidence_id)
    )
    found: dict[tuple[str, ReadKind], tuple[str, ...]] = {}
    for case_id, what, evidence_id in rows:
        key = (case_id, ReadKind(what))
        found[key] = (*found.get(key, ()), evidence_id)
    return found


def _read(row: Row[Any]) -> EvidenceRead:
    return EvidenceRead(
        id=row.id,
        evidence_id=row.evidence_id,
        person=row.person,
        purpose=row.purpose,
        what=ReadKind(row.what),
        where=SeenWhere(row.seen_where),
        at=from_us(row.at_us),
    )
