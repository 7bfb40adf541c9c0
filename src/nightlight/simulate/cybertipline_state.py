"""What the simulated CyberTipline remembers: reports and files, never a file's bytes."""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import md5

from msgspec import Struct

from nightlight.errors import InvalidInput
from nightlight.simulate.state_file import open_state

_TABLES = """
CREATE TABLE IF NOT EXISTS report (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    changed_at TEXT NOT NULL,
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
CREATE TABLE IF NOT EXISTS clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    ahead_s REAL NOT NULL
);
INSERT OR IGNORE INTO clock (id, ahead_s) VALUES (1, 0);
"""
#: An unfinished report is deleted at the later of the two.
_AFTER_OPENING, _AFTER_CHANGE = timedelta(hours=24), timedelta(hours=1)
#: How far ahead of the real time its own may be: a thousand years.
LONGEST_AHEAD_S = 31_557_600_000
#: What an id is; a longer number, or one written otherwise, is that of no report.
_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
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
    changed_at: str
    finished_at: str
    xml: str
    files: tuple[StoredFile, ...]


class ReportStore:
    """Reports in a SQLite database; each change is on disk before its function returns."""

    def __init__(self, path: str) -> None:
        """Open the database at ``path``, ":memory:" for none; tables are made if missing.

        Raises:
            InvalidInput: nothing can be kept there.
        """
        self._db = open_state(path, _TABLES)

    def now(self) -> datetime:
        """Return the simulator's own time."""
        now, ahead_s = self._db.execute(
            "SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'), ahead_s FROM clock"
        ).fetchone()
        return datetime.fromisoformat(now) + timedelta(seconds=min(ahead_s, LONGEST_AHEAD_S))

    def put_ahead(self, seconds: float) -> None:
        """Let so much time pass at once; reports that are unfinished too long are gone then.

        Raises:
            InvalidInput: its time would be further ahead than dates go.
        """
        ahead = self._db.execute(
            "UPDATE clock SET ahead_s = ahead_s + ? WHERE ahead_s + ? <= ?",
            (seconds, seconds, LONGEST_AHEAD_S),
        )
        if not ahead.rowcount:
            raise InvalidInput(f"at most {LONGEST_AHEAD_S:,} seconds in all", field="seconds")
        self.drop_expired()

    def drop_expired(self) -> list[str]:
        """Delete the reports that were left unfinished for too long, and return their ids."""
        now = self.now()
        gone = [
            report.id
            for report in self.reports()
            if report.state is ReportState.OPEN and expires_at(report) <= now
        ]
        self._db.executemany("DELETE FROM report WHERE id = ?", [(int(one),) for one in gone])
        return gone

    def open(self, xml: str) -> str:
        """Store a new report and return its id; ids are never used again."""
        now = self.now().isoformat()
        inserted = self._db.execute(
            "INSERT INTO report (id, state, opened_at, changed_at, xml) VALUES (coalesce("
            "(SELECT seq + 1 FROM sqlite_sequence WHERE name = 'report'), ?), ?, ?, ?, ?)",
            (_FIRST_ID, ReportState.OPEN, now, now, xml),
        )
        return str(inserted.lastrowid)

    def report(self, report_id: str) -> StoredReport | None:
        """Return a report, None if there is none."""
        if not _ID.fullmatch(report_id):
            return None
        row = self._db.execute(
            "SELECT id, state, opened_at, changed_at, finished_at, xml FROM report WHERE id = ?",
            (int(report_id),),
        ).fetchone()
        return self._read(row) if row else None

    def reports(self) -> list[StoredReport]:
        """Return every report, oldest first."""
        rows = self._db.execute(
            "SELECT id, state, opened_at, changed_at, finished_at, xml FROM report ORDER BY id"
        )
        return [self._read(row) for row in rows.fetchall()]

    def _read(self, row: tuple[int, str, str, str, str, str]) -> StoredReport:
        report_id, state, opened_at, changed_at, finished_at, xml = row
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
            changed_at=changed_at,
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
        self._touch(report)
        return file

    def describe(self, report: StoredReport, file: StoredFile, details: str) -> None:
        """Store a file's details."""
        self._db.execute("UPDATE file SET details = ? WHERE id = ?", (details, file.id))
        self._touch(report)

    def finish(self, report: StoredReport) -> None:
        """Make a report final."""
        self._db.execute(
            "UPDATE report SET state = ?, finished_at = ? WHERE id = ?",
            (ReportState.FINISHED, self.now().isoformat(), int(report.id)),
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

    def _touch(self, report: StoredReport) -> None:
        self._db.execute(
            "UPDATE report SET changed_at = ? WHERE id = ?",
            (self.now().isoformat(), int(report.id)),
        )


def expires_at(report: StoredReport) -> datetime:
    """Return when a report that stays unfinished is deleted."""
    opened = datetime.fromisoformat(report.opened_at)
    changed = datetime.fromisoformat(report.changed_at)
    return max(opened + _AFTER_OPENING, changed + _AFTER_CHANGE)
