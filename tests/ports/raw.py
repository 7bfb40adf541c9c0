"""What lies in a database as a thief would read it: every byte of the file or of the tables."""

from pathlib import Path

from sqlalchemy import Engine, text

from nightlight.adapters.sql.schema import metadata


def raw_bytes(engine: Engine) -> bytes:
    """Return the SQLite file with its log, or every PostgreSQL table as text, binaries decoded."""
    if engine.dialect.name == "sqlite":
        path = Path(engine.url.database or "")
        return b"".join(part.read_bytes() for part in sorted(path.parent.glob(f"{path.name}*")))
    parts: list[bytes] = []
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(text(f'SELECT * FROM "{table.name}"')):
                parts += [_bytes(value) for value in row]
    return b"\0".join(parts)


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
