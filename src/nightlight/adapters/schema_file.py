"""The CyberTipline's schema in a file, with when it was fetched."""

from datetime import datetime
from pathlib import Path

from msgspec import Struct

from nightlight.adapters.state_file import StateFile


class _Kept(Struct, frozen=True, kw_only=True):
    fetched_at: datetime
    schema: bytes


class FileSchemaCache:
    """One schema in one file; what cannot be read counts as none."""

    def __init__(self, path: Path) -> None:
        self._file = StateFile(path, _Kept)

    def load(self) -> tuple[bytes, datetime] | None:
        """Return the schema and when it was fetched, None where none was."""
        kept = self._file.load()
        return None if kept is None else (kept.schema, kept.fetched_at)

    def save(self, schema: bytes, *, at: datetime) -> None:
        """Keep a schema that was fetched just now."""
        self._file.save(_Kept(fetched_at=at, schema=schema))
