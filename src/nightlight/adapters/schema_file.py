"""The CyberTipline's schema in a file, with when it was fetched."""

from datetime import datetime
from pathlib import Path

from msgspec import Struct

from nightlight.adapters.state_file import StateFile


class _Kept(Struct, frozen=True, kw_only=True):
    fetched_at: datetime
    schema: bytes
    line: str = ""


class FileSchemaCache:
    """The schema of one line in a file; what cannot be read, or is another's, counts as none."""

    def __init__(self, path: Path, *, line: str) -> None:
        self._file = StateFile(path, _Kept)
        self._line = line

    def load(self) -> tuple[bytes, datetime] | None:
        """Return the schema and when it was fetched, None where none was."""
        kept = self._file.load()
        if kept is None or kept.line != self._line:
            return None
        return kept.schema, kept.fetched_at

    def save(self, schema: bytes, *, at: datetime) -> None:
        """Keep a schema that was fetched just now."""
        self._file.save(_Kept(fetched_at=at, schema=schema, line=self._line))
