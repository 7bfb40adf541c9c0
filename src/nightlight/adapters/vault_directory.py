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
            if path.exists():
                return
            self._make_folders(path.parent)
            _write_durably(path, data)
        except OSError as error:
            raise Unavailable(
                f"the vault cannot be written: {error.strerror}",
                hint="check space and permissions of the vault directory",
            ) from error

    def get(self, name: str) -> bytes:
        """Return the bytes under ``name``.

        Raises:
            NotFound: nothing is kept under it.
            Unavailable: the disk cannot be read.
        """
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError as error:
            raise NotFound("the vault does not hold this") from error
        except OSError as error:
            raise Unavailable(
                f"the vault cannot be read: {error.strerror}",
                hint="check permissions of the vault directory",
            ) from error

    def has(self, name: str) -> bool:
        """Return whether something is kept under ``name``."""
        return self._path(name).is_file()

    def _path(self, name: str) -> Path:
        return self._root / name[:2] / name[2:4] / name

    def _make_folders(self, folder: Path) -> None:
        if folder.is_dir():
            return
        for one in (self._root, folder.parent, folder):
            one.mkdir(parents=True, exist_ok=True, mode=0o700)
            _sync_directory(one.parent)  # A new folder is durable once the one that names it is.


def _write_durably(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{secrets.token_hex(8)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
