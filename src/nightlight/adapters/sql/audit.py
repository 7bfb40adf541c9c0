"""Reading the record."""

from collections.abc import Iterator

import msgspec
from sqlalchemy import Connection, Row, select

from nightlight.adapters.sql.rows import from_us
from nightlight.adapters.sql.schema import audit_entry, audit_head
from nightlight.audit.chain import GENESIS
from nightlight.model.audit import AuditEntry, ChainedEntry

_decoder = msgspec.json.Decoder(AuditEntry)
_PAGE = 5000


class SqlAuditLog:
    """The chain as stored."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def entries(self, *, after: int = 0, limit: int | None = None) -> Iterator[ChainedEntry]:
        """Return entries in order, streamed in pages."""
        left = limit
        while left is None or left > 0:
            page = _PAGE if left is None else min(_PAGE, left)
            rows = self._connection.execute(
                select(audit_entry)
                .where(audit_entry.c.seq > after)
                .order_by(audit_entry.c.seq)
                .limit(page)
            ).all()
            if not rows:
                return
            yield from map(_entry, rows)
            after = rows[-1].seq
            left = None if left is None else left - len(rows)

    def newest(self, limit: int) -> list[ChainedEntry]:
        """Return the newest entries, newest first."""
        statement = select(audit_entry).order_by(audit_entry.c.seq.desc()).limit(limit)
        return [_entry(row) for row in self._connection.execute(statement)]

    def head(self) -> tuple[int, str]:
        """Return place and hash of the newest entry; (0, 64 zeros) when there is none."""
        row = self._connection.execute(select(audit_head.c.seq, audit_head.c.hash)).one_or_none()
        return (row.seq, row.hash) if row else (0, GENESIS)


def _entry(row: Row[tuple[object, ...]]) -> ChainedEntry:
    return ChainedEntry(
        seq=row.seq,
        at=from_us(row.at_us),
        entry=_decode(row.entry),
        previous=row.previous,
        hash=row.hash,
    )


def _decode(body: str) -> AuditEntry:
    """Return the entry; one that was made unreadable verifies as changed instead of crashing."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeError):
        return AuditEntry(actor="", action="unreadable", subject="")
