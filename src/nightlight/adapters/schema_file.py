"""The CyberTipline's schema in a file, with when it was fetched; whole or not at all."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from nightlight.adapters.whole_file import write_whole


class _Kept(Struct, frozen=True, kw_only=True):
    fetched_at: datetime
    schema: bytes


class FileSchemaCache:
    """One schema in one file; what cannot be read counts as none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> tuple[bytes, datetime] | None:
        """Return the schema and when it was fetched, None where none was."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except (OSError, msgspec.DecodeError):
            return None
        return kept.schema, kept.fetched_at

    def save(self, schema: bytes, *, at: datetime) -> None:
        """Keep a schema that was fetched just now."""
        body = msgspec.json.encode(_Kept(fetched_at=at.astimezone(UTC), schema=schema))
        write_whole(self._path, body)
