"""Reading the record."""

from collections.abc import Iterator
from contextlib import suppress

from sqlalchemy import Connection, select, true

from nightlight.adapters.sql.rows import from_us
from nightlight.adapters.sql.schema import audit_entry, audit_head
from nightlight.audit.chain import GENESIS, UNREADABLE, StoredEntry, read_entry
from nightlight.model.audit import AuditEntry, ChainedEntry

_EPOCH = from_us(0)
_UNREADABLE = AuditEntry(actor="", action="unreadable", subject="")
_PAGE = 5000
_COLUMNS = select(
    audit_entry.c.seq,
    audit_entry.c.at_us,
    audit_entry.c.entry,
    audit_entry.c.private,
    audit_entry.c.salt,
    audit_entry.c.previous,
    audit_entry.c.hash,
)


class SqlAuditLog:
    """The chain as stored."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def stored(self, *, after: int = 0, limit: int | None = None) -> Iterator[StoredEntry]:
        """Return entries in order as they are stored, streamed in pages."""
        left = limit
        # From the start means from the lowest number: nothing hides below the first entry.
        wanted = audit_entry.c.seq > after if after else true()
        while left is None or left > 0:
            page = _PAGE if left is None else min(_PAGE, left)
            statement = _COLUMNS.where(wanted).order_by(audit_entry.c.seq).limit(page)
            rows = [StoredEntry._make(row) for row in self._connection.execute(statement)]
            if not rows:
                return
            yield from rows
            wanted = audit_entry.c.seq > rows[-1].seq
            left = None if left is None else left - len(rows)

    def entries(self, *, after: int = 0, limit: int | None = None) -> Iterator[ChainedEntry]:
        """Return entries in order, streamed in pages."""
        return map(_entry, self.stored(after=after, limit=limit))

    def newest(self, limit: int) -> list[ChainedEntry]:
        """Return the newest entries, newest first."""
        statement = _COLUMNS.order_by(audit_entry.c.seq.desc()).limit(limit)
        return [_entry(StoredEntry._make(row)) for row in self._connection.execute(statement)]

    def head(self) -> tuple[int, str]:
        """Return place and hash of the newest entry; (0, 64 zeros) when there is none."""
        rows = self._connection.execute(select(audit_head.c.seq, audit_head.c.hash)).all()
        return (rows[0].seq, rows[0].hash) if len(rows) == 1 else (0, GENESIS)


def _entry(stored: StoredEntry) -> ChainedEntry:
    """Return the entry; one that was made unreadable verifies as changed instead of crashing."""
    at, entry = _EPOCH, _UNREADABLE
    with suppress(*UNREADABLE):
        at, entry = from_us(stored.at_us), read_entry(stored)
    return ChainedEntry(
        seq=stored.seq, at=at, entry=entry, previous=stored.previous, hash=stored.hash
    )
