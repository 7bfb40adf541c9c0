"""What the simulated CyberTipline remembers: reports and files, never a file's bytes."""

import sqlite3
from enum import StrEnum
from hashlib import md5

from msgspec import Struct

_TABLES = """
CREATE TABLE IF NOT EXISTS report (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL,
    opened_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    finished_at TEXT NOT NULL DEFAULT '',
    xml TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS file (
    id TEXT PRIMARY KEY,
    report_id INTEGER NOT NULL REFERENCES report (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    md5 TEXT NOT NULL,
    byte_count INTEGER NOT NULL,
    details TEXT NOT NULL DEFAULT ''
);
"""
#: Ids look unlike anything else that a test may compare them with.
_FIRST_ID = 7000001


class ReportState(StrEnum):
    """Where a report is."""

    OPEN = "open"
    FINISHED = "finished"
    RETRACTED = "retracted"


class StoredFile(Struct, frozen=True, kw_only=True):
    """One uploaded file; ``details`` is its fileDetails document, "" until described."""

    id: str
    name: str
    content_type: str
    md5: str
    byte_count: int
    details: str


class StoredReport(Struct, frozen=True, kw_only=True):
    """One report; ``xml`` is the document as it arrived."""

    id: str
    state: ReportState
    opened_at: str
    finished_at: str
    xml: str
    files: tuple[StoredFile, ...]


class ReportStore:
    """Reports in a SQLite database; each change is on disk before its function returns."""

    def __init__(self, path: str) -> None:
        """Open the database at ``path``, ":memory:" for none; tables are made if missing."""
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_TABLES)

    def open(self, xml: str) -> str:
        """Store a new report and return its id; ids are never used again."""
        inserted = self._db.execute(
            "INSERT INTO report (id, state, xml) VALUES (coalesce("
            "(SELECT seq + 1 FROM sqlite_sequence WHERE name = 'report'), ?), ?, ?)",
            (_FIRST_ID, ReportState.OPEN, xml),
        )
        return str(inserted.lastrowid)

    def report(self, report_id: str) -> StoredReport | None:
        """Return a report, None if there is none."""
        if not report_id.isdecimal():
            return None
        row = self._db.execute(
            "SELECT id, state, opened_at, finished_at, xml FROM report WHERE id = ?",
            (int(report_id),),
        ).fetchone()
        return self._read(row) if row else None

    def reports(self) -> list[StoredReport]:
        """Return every report, oldest first."""
        rows = self._db.execute(
            "SELECT id, state, opened_at, finished_at, xml FROM report ORDER BY id"
        )
        return [self._read(row) for row in rows.fetchall()]

    def _read(self, row: tuple[int, str, str, str, str]) -> StoredReport:
        report_id, state, opened_at, finished_at, xml = row
        files = self._db.execute(
            "SELECT id, name, content_type, md5, byte_count, details FROM file"
            " WHERE report_id = ? ORDER BY place",
            (report_id,),
        )
        names = StoredFile.__struct_fields__
        return StoredReport(
            id=str(report_id),
            state=ReportState(state),
            opened_at=opened_at,
            finished_at=finished_at,
            xml=xml,
            files=tuple(StoredFile(**dict(zip(names, file, strict=True))) for file in files),
        )

    def add_file(
        self, report: StoredReport, *, name: str, content_type: str, data: bytes
    ) -> StoredFile:
        """Store what arrived of a file, not the file itself."""
        place = len(report.files)
        file = StoredFile(
            id=md5(f"{report.id}/{place}".encode(), usedforsecurity=False).hexdigest(),
            name=name,
            content_type=content_type,
            md5=md5(data, usedforsecurity=False).hexdigest(),
            byte_count=len(data),
            details="",
        )
        self._db.execute(
            "INSERT INTO file (id, report_id, place, name, content_type, md5, byte_count)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (file.id, int(report.id), place, name, content_type, file.md5, file.byte_count),
        )
        return file

    def describe(self, file: StoredFile, details: str) -> None:
        """Store a file's details."""
        self._db.execute("UPDATE file SET details = ? WHERE id = ?", (details, file.id))

    def finish(self, report: StoredReport) -> None:
        """Make a report final."""
        self._db.execute(
            "UPDATE report SET state = ?, finished_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
            " WHERE id = ?",
            (ReportState.FINISHED, int(report.id)),
        )

    def retract(self, report: StoredReport) -> None:
        """Withdraw a report."""
        self._db.execute(
            "UPDATE report SET state = ? WHERE id = ?", (ReportState.RETRACTED, int(report.id))
        )

    def expire(self) -> list[str]:
        """Delete every open report, as NCMEC does after a day, and return their ids."""
        expired = [report.id for report in self.reports() if report.state is ReportState.OPEN]
        self._db.execute("DELETE FROM report WHERE state = ?", (ReportState.OPEN,))
        return expired
