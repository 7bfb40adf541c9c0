"""Vault files in a directory tree; durable once put."""

import os
import secrets
from pathlib import Path

from nightlight.errors import NotFound, Unavailable


class DirectoryBlobStore:
    """Keeps each blob in a file of its own, two levels deep by name."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, name: str, data: bytes) -> None:
        """Keep ``data`` under ``name``; what is already there stays.

        Raises:
            Unavailable: the disk is full or cannot be written.
        """
        path = self._path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            partial = path.with_name(f".{secrets.token_hex(8)}.partial")
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(path)
            _sync_directory(path.parent)
        except OSError as error:
            raise Unavailable(
                f"the vault cannot be written: {error.strerror}",
                hint="check space and permissions of the vault directory",
            ) from error

    def get(self, name: str) -> bytes:
        """Return the bytes under ``name``.

        Raises:
            NotFound: nothing is kept under it.
        """
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError as error:
            raise NotFound("the vault does not hold this") from error

    def has(self, name: str) -> bool:
        """Return whether something is kept under ``name``."""
        return self._path(name).is_file()

    def _path(self, name: str) -> Path:
        return self._root / name[:2] / name[2:4] / name


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
