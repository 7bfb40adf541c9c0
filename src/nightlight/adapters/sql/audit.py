"""Reading the record."""

from collections.abc import Iterator
from contextlib import suppress

import msgspec
from sqlalchemy import Connection, Row, select, true

from nightlight.adapters.sql.rows import from_us, to_json
from nightlight.adapters.sql.schema import audit_entry, audit_head
from nightlight.audit.chain import GENESIS
from nightlight.model.audit import AuditEntry, ChainedEntry

_decoder = msgspec.json.Decoder(AuditEntry)
_EPOCH = from_us(0)
_UNREADABLE = AuditEntry(actor="", action="unreadable", subject="")
_PAGE = 5000


class SqlAuditLog:
    """The chain as stored."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def entries(self, *, after: int = 0, limit: int | None = None) -> Iterator[ChainedEntry]:
        """Return entries in order, streamed in pages."""
        left = limit
        # From the start means from the lowest number: nothing hides below the first entry.
        wanted = audit_entry.c.seq > after if after else true()
        while left is None or left > 0:
            page = _PAGE if left is None else min(_PAGE, left)
            rows = self._connection.execute(
                select(audit_entry).where(wanted).order_by(audit_entry.c.seq).limit(page)
            ).all()
            if not rows:
                return
            yield from map(_entry, rows)
            wanted = audit_entry.c.seq > rows[-1].seq
            left = None if left is None else left - len(rows)

    def newest(self, limit: int) -> list[ChainedEntry]:
        """Return the newest entries, newest first."""
        statement = select(audit_entry).order_by(audit_entry.c.seq.desc()).limit(limit)
        return [_entry(row) for row in self._connection.execute(statement)]

    def head(self) -> tuple[int, str]:
        """Return place and hash of the newest entry; (0, 64 zeros) when there is none."""
        rows = self._connection.execute(select(audit_head.c.seq, audit_head.c.hash)).all()
        return (rows[0].seq, rows[0].hash) if len(rows) == 1 else (0, GENESIS)


def _entry(row: Row[tuple[object, ...]]) -> ChainedEntry:
    """Return the entry; one that was made unreadable verifies as changed instead of crashing."""
    at, entry = _EPOCH, _UNREADABLE
    with suppress(msgspec.DecodeError, UnicodeError, TypeError, OverflowError):
        found = _decoder.decode(row.entry)
        # The hash covers what an entry means; words that mean nothing may not be added either.
        if to_json(found) == row.entry:
            at, entry = from_us(row.at_us), found
    return ChainedEntry(seq=row.seq, at=at, entry=entry, previous=row.previous, hash=row.hash)
