"""A fetched file on its way through: small ones in memory, large ones on disk, unreadable there.

What goes to disk is encrypted under a key that only this process's memory holds, in a file that
has no name: after a crash there is nothing to read and nothing to clean up. Each piece is
authenticated, so that what is hashed, sealed and decoded is what was fetched.
"""

import hashlib
import io
import os
import tempfile
from pathlib import Path
from typing import BinaryIO, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from nightlight.errors import InvalidInput, Unavailable
from nightlight.model.masked import Masked
from nightlight.model.media import MediaHashes

MEMORY_BYTES = 8 << 20
_PIECE = 1 << 18
_TAG = 16
_NONCE_BYTES = 12


class SharedFile(Masked, frozen=True, kw_only=True):
    """What another process needs to read a spooled file, besides the descriptor it is given."""

    key: bytes
    size: int


class Spool:
    """Takes the bytes of one file in order and becomes a ``SpooledFile``.

    Leaving the block without ``finish`` lets go of what was written.
    """

    def __init__(
        self, *, max_bytes: int, folder: Path | None = None, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        """Begin an empty file.

        Args:
            max_bytes: the largest file that is taken.
            folder: where a large file lies, encrypted; the system's temporary folder by default.
            memory_bytes: up to this size nothing is written to disk.
        """
        self._max_bytes = max_bytes
        self._folder = folder
        self._memory_bytes = memory_bytes
        self._waiting = bytearray()
        self._hashes = [
            hashlib.md5(usedforsecurity=False),
            hashlib.sha1(usedforsecurity=False),
            hashlib.sha256(),
        ]
        self._size = 0
        self._disk: _Disk | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._disk is not None:
            self._disk.close()

    def write(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            InvalidInput: the file is larger than allowed.
            Unavailable: the temporary folder is full or cannot be written.
        """
        self._size += len(data)
        if self._size > self._max_bytes:
            raise InvalidInput("the file is larger than allowed", field="media.url")
        for one in self._hashes:
            one.update(data)
        self._waiting += data
        if self._size > self._memory_bytes:
            self._store(last=False)

    def finish(self) -> "SpooledFile":
        """Return the whole file, to be closed by its reader.

        Raises:
            Unavailable: the temporary folder is full or cannot be written.
        """
        if self._disk is not None:
            self._store(last=True)
        md5, sha1, sha256 = (one.hexdigest() for one in self._hashes)
        hashes = MediaHashes(md5=md5, sha1=sha1, sha256=sha256)
        data = bytes(self._waiting)
        self._waiting.clear()
        disk, self._disk = self._disk, None
        return SpooledFile(size=self._size, hashes=hashes, data=data, disk=disk)

    def _store(self, *, last: bool) -> None:
        try:
            if self._disk is None:
                self._disk = _Disk(self._folder)
            whole = len(self._waiting) - len(self._waiting) % _PIECE
            end = len(self._waiting) if last else whole
            for start in range(0, end, _PIECE):
                self._disk.append(bytes(self._waiting[start : min(start + _PIECE, end)]))
        except OSError as error:
            raise Unavailable(
                f"the temporary folder cannot be written: {error.strerror}",
                hint="check its space and permissions",
            ) from error
        del self._waiting[:end]


class SpooledFile:
    """A file that was fetched; a ``MediaFile``. May be read from several threads."""

    def __init__(
        self, *, size: int, hashes: MediaHashes, data: bytes, disk: "_Disk | None"
    ) -> None:
        self._size = size
        self._hashes = hashes
        self._data = data
        self._disk = disk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SpooledFile of {self._size} bytes: masked>"

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self._size

    @property
    def hashes(self) -> MediaHashes:
        """The exact hashes, computed while the file came in."""
        return self._hashes

    @property
    def sha256(self) -> str:
        """The SHA-256 in hex, computed while the file came in."""
        return self._hashes.sha256

    def head(self, count: int) -> bytes:
        """Return the first ``count`` bytes, or all where there are fewer."""
        if self._disk is None:
            return self._data[:count]
        with self.open() as file:
            return file.read(count)

    def open(self) -> BinaryIO:
        """Return a reader of its own position, from the start."""
        if self._disk is None:
            return io.BytesIO(self._data)
        return open_shared(self._disk.descriptor, SharedFile(key=self._disk.key, size=self._size))

    def read_all(self) -> bytes:
        """Return the whole file."""
        if self._disk is None:
            return self._data
        with self.open() as file:
            return file.read()

    def shared(self) -> tuple[int, SharedFile] | None:
        """Return a read-only descriptor and what it takes to read it; None for a small file."""
        if self._disk is None:
            return None
        return self._disk.descriptor, SharedFile(key=self._disk.key, size=self._size)

    def close(self) -> None:
        """Let the bytes go; closing twice is harmless."""
        self._data = b""
        if self._disk is not None:
            self._disk.close()


class _Disk:
    """An encrypted file without a name; gone from the disk when it is closed or we are killed."""

    def __init__(self, folder: Path | None) -> None:
        self.key = AESGCM.generate_key(256)
        self._cipher = AESGCM(self.key)
        self._pieces = 0
        self._writing, path = tempfile.mkstemp(prefix=".nightlight-", dir=folder)
        try:
            # Who only reads gets a descriptor that cannot write: a decoder that was taken over
            # must not reach the evidence.
            self.descriptor = os.open(path, os.O_RDONLY)
        except OSError:
            os.close(self._writing)
            raise
        finally:
            Path(path).unlink()
        self._open = True

    def append(self, piece: bytes) -> None:
        """Write the next piece; every one but the last is whole."""
        sealed = memoryview(self._cipher.encrypt(_nonce(self._pieces), piece, None))
        while sealed:
            sealed = sealed[os.write(self._writing, sealed) :]
        self._pieces += 1

    def close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._writing)
            os.close(self.descriptor)


def open_shared(descriptor: int, shared: SharedFile) -> BinaryIO:
    """Return a reader of a spooled file; the descriptor stays its owner's to close."""
    return io.BufferedReader(_Pieces(descriptor, shared), buffer_size=_PIECE)


class _Pieces(io.RawIOBase):
    """Reads the plain bytes behind a spooled file's descriptor."""

    def __init__(self, descriptor: int, shared: SharedFile) -> None:
        self._descriptor = descriptor
        self._cipher = AESGCM(shared.key)
        self._size = shared.size
        self._at = 0
        self._held = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError("a place before the file")
        self._at = start + offset
        return self._at

    def readinto(self, into: memoryview, /) -> int:  # type: ignore[override]  # what C passes
        number, within = divmod(self._at, _PIECE)
        count = max(0, min(len(into), _PIECE - within, self._size - self._at))
        if count:
            into[:count] = self._piece(number)[within : within + count]
            self._at += count
        return count

    def _piece(self, number: int) -> bytes:
        if self._held[0] != number:
            length = min(_PIECE, self._size - number * _PIECE) + _TAG
            try:
                sealed = os.pread(self._descriptor, length, number * (_PIECE + _TAG))
                self._held = (number, self._cipher.decrypt(_nonce(number), sealed, None))
            except (OSError, InvalidTag, ValueError) as error:
                raise Unavailable("a temporary file was changed or cannot be read") from error
        return self._held[1]


def _nonce(number: int) -> bytes:
    """Return the nonce of a piece: each key is one file's, and each piece is written once."""
    return number.to_bytes(_NONCE_BYTES, "big")
