"""Vault files in a directory tree; durable once put."""

import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from fcntl import LOCK_EX, flock
from os.path import samestat
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from nightlight.errors import NotFound, Unavailable

#: Where files are written before they have their name; in the vault, so that they can be renamed.
#: It is made with a vault and stays: a folder without it is no vault, but where one is mounted.
_PARTIAL = "partial"
#: What is being destroyed lies beside them under this and its name. The name itself is free before
#: anything is overwritten: under a name there is a whole file or none, whoever is killed.
_GOING = "going-"
#: More than what a vault file begins with: its version and its wrapped data key.
_BEGINNING = 4096


class DirectoryBlobStore:
    """Keeps each blob in a file of its own, two levels deep by name.

    An empty folder in place of a vault that is in use is never taken for one.
    """

    def __init__(self, root: Path, *, may_be_new: Callable[[], bool] = lambda: True) -> None:
        """Keep the folder; ``may_be_new`` tells whether nothing is known to be kept yet."""
        self._root = root
        self._may_be_new = may_be_new

    def discard_partial(self, *, before: datetime) -> int:
        """Return how many files, begun before then and never finished, are now gone.

        What somebody was killed while destroying is destroyed to the end, however young it is.

        Raises:
            Unavailable: the disk cannot be read or written.
        """
        folder = self._root / _PARTIAL
        gone = 0
        try:
            for path in list(folder.iterdir()) if folder.is_dir() else []:
                # Another process may tidy up, or finish a file, at the same time.
                with suppress(FileNotFoundError):
                    if path.name.startswith(_GOING):
                        _wipe(path)
                    elif path.stat().st_mtime < before.timestamp():
                        path.unlink()
                    else:
                        continue
                    gone += 1
        except OSError as error:
            raise _unwritable(error) from error
        return gone

    def put(self, name: str, data: bytes) -> None:
        """Keep ``data`` under ``name``; what is already there stays.

        Raises:
            Unavailable: the disk is full or cannot be written.
        """
        self.put_parts(name, (data,))

    def put_parts(self, name: str, parts: Iterable[bytes]) -> None:
        """Keep the parts, one after the other, under ``name``; what is already there stays.

        Raises:
            Unavailable: the disk is full or cannot be written.
        """
        path = self._path(name)
        try:
            if path.exists():
                return
            self._check_is_vault()
            self._make_folders(path.parent)
            _write_durably(path, parts, self._root / _PARTIAL)
        except OSError as error:
            raise _unwritable(error) from error

    def get(self, name: str) -> bytes:
        """Return the bytes under ``name``.

        Raises:
            NotFound: nothing is kept under it.
            Unavailable: the disk cannot be read.
        """
        try:
            with self.open(name) as file:
                return file.read()
        except OSError as error:
            raise _unreadable(error) from error

    def open(self, name: str) -> BinaryIO:
        """Return a reader of the bytes under ``name``.

        Raises:
            NotFound: nothing is kept under it.
            Unavailable: the disk cannot be read.
        """
        try:
            return self._path(name).open("rb")
        except FileNotFoundError as error:
            self._check_is_vault()
            raise NotFound("the vault does not hold this") from error
        except OSError as error:
            raise _unreadable(error) from error

    def has(self, name: str) -> bool:
        """Return whether something is kept under ``name``.

        Raises:
            Unavailable: the disk cannot be read, or this is not the vault that is in use.
        """
        try:
            return S_ISREG(self._path(name).stat().st_mode)
        except FileNotFoundError:
            self._check_is_vault()
            return False
        except OSError as error:
            raise _unreadable(error) from error

    def names(self) -> Iterator[str]:
        """Yield every name under which something is kept, each once.

        Raises:
            Unavailable: the disk cannot be read.
        """
        self._check_is_vault()
        try:
            for path in self._files():
                yield path.name
        except OSError as error:
            raise _unreadable(error) from error

    def replace_parts(
        self, name: str, parts: Iterable[bytes], *, instead_of: BinaryIO | None = None
    ) -> None:
        """Keep the parts in place of what is under ``name``: there is the old or the new, whole.

        Raises:
            NotFound: nothing is kept under it, or not any more, or not what ``instead_of`` reads.
            Unavailable: the disk is full or cannot be written.
        """
        path = self._path(name)
        try:
            if not path.exists():
                raise NotFound("the vault does not hold this")
            self._make_folders(path.parent)
            with _written(parts, self._root / _PARTIAL) as partial, self._alone():
                # What was destroyed or mended meanwhile must not come back.
                if not path.exists():
                    raise NotFound("the vault does not hold this")
                if instead_of and not samestat(os.fstat(instead_of.fileno()), path.stat()):
                    raise NotFound("the vault holds something else by now")
                partial.rename(path)
            _sync_directory(path.parent)
        except OSError as error:
            raise _unwritable(error) from error

    def destroy(self, name: str) -> None:
        """Destroy what is kept under ``name``; once back, it is gone.

        First it loses its name, then its beginning, which holds the wrapped data key, is
        overwritten. Whoever is killed in between leaves no broken file under the name. What the
        disk keeps of it elsewhere, in copies of its own or in backups, is beyond reach.

        Raises:
            Unavailable: the disk cannot be written, or this is not the vault that is in use.
        """
        path, partial = self._path(name), self._root / _PARTIAL
        going = partial / f"{_GOING}{name}"
        try:
            if not self.has(name) and not going.exists():
                return
            with self._alone():
                with suppress(FileNotFoundError):
                    _wipe(going)  # somebody was killed before
                with suppress(FileNotFoundError):
                    path.rename(going)
                    _sync_directory(path.parent)
                    _sync_directory(partial)
                with suppress(FileNotFoundError):
                    _wipe(going)
        except OSError as error:
            raise _unwritable(error) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let no other process replace or destroy meanwhile."""
        descriptor = os.open(self._root / _PARTIAL, os.O_RDONLY)
        try:
            flock(descriptor, LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _check_is_vault(self) -> None:
        """Return if this is the vault: made before, with files in it, or all new.

        Raises:
            Unavailable: it is empty, and something is known to be kept: it is not mounted.
        """
        if (self._root / _PARTIAL).is_dir() or next(self._files(), None) or self._may_be_new():
            return
        raise Unavailable(
            "the vault is not there: its folder is empty, and evidence is kept in it",
            field="NIGHTLIGHT_HOME",
            hint="mount the vault's volume, or restore the vault from its backup",
        )

    def _files(self) -> Iterator[Path]:
        return iter(self._root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"))

    def _path(self, name: str) -> Path:
        return self._root / name[:2] / name[2:4] / name

    def _make_folders(self, folder: Path) -> None:
        partial = self._root / _PARTIAL
        if folder.is_dir() and partial.is_dir():
            return
        for one in (self._root, folder.parent, folder, partial):
            one.mkdir(parents=True, exist_ok=True, mode=0o700)
            _sync_directory(one.parent)  # A new folder is durable once the one that names it is.


def _write_durably(path: Path, parts: Iterable[bytes], folder: Path) -> None:
    with _written(parts, folder) as partial:
        partial.rename(path)
    _sync_directory(path.parent)


@contextmanager
def _written(parts: Iterable[bytes], folder: Path) -> Iterator[Path]:
    """Give a file that holds the parts, durably, and is gone afterwards unless it was renamed."""
    partial = folder / secrets.token_hex(8)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        yield partial
    finally:
        partial.unlink(missing_ok=True)


def _wipe(path: Path) -> None:
    """Overwrite the beginning of a file, then let the file go; durably, one after the other."""
    with path.open("r+b") as file:
        file.write(secrets.token_bytes(min(_BEGINNING, path.stat().st_size)))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    _sync_directory(path.parent)


def _unwritable(error: OSError) -> Unavailable:
    return Unavailable(
        f"the vault cannot be written: {error.strerror}",
        hint="check space and permissions of the vault directory",
    )


def _unreadable(error: OSError) -> Unavailable:
    return Unavailable(
        f"the vault cannot be read: {error.strerror}",
        hint="check permissions of the vault directory",
    )


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
