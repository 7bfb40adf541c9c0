"""Writes a file whole or not at all, and durably."""

import os
from collections.abc import Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile

from nightlight.errors import Unavailable


def write_whole(path: Path, parts: bytes | Iterable[bytes]) -> None:
    """Leave ``path`` with exactly these bytes, readable by this user alone.

    Raises:
        Unavailable: it cannot be written; what was there before stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
            try:
                for part in (parts,) if isinstance(parts, bytes) else parts:
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).rename(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        _sync(path.parent)
    except OSError as error:
        raise Unavailable(f"a file cannot be written: {error.strerror}") from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
