"""In memory: sealed bytes by name, and keys that are made afresh."""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from nightlight.adapters.keyring_file import FileKeyRing
from nightlight.errors import NotFound, Unavailable
from nightlight.model.custody import Access

#: Somebody who may read what is sealed.
ACCESS = Access(person="ana", purpose="review")


class MemoryBlobs:
    """A ``BlobStore`` over a dictionary; ``full`` makes it refuse to keep more."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.full = False

    def put(self, name: str, data: bytes) -> None:
        if self.full:
            raise Unavailable("the vault is full")
        self.kept.setdefault(name, data)

    def put_parts(self, name: str, parts: Iterable[bytes]) -> None:
        self.put(name, b"".join(parts))

    def open(self, name: str) -> BinaryIO:
        return io.BytesIO(self.get(name))

    def get(self, name: str) -> bytes:
        if name not in self.kept:
            raise NotFound("the vault does not hold this")
        return self.kept[name]

    def names(self) -> Iterator[str]:
        return iter(list(self.kept))

    def replace_parts(
        self, name: str, parts: Iterable[bytes], *, instead_of: BinaryIO | None = None
    ) -> None:
        data = b"".join(parts)
        kept = self.get(name)
        if isinstance(instead_of, io.BytesIO) and instead_of.getvalue() != kept:
            raise NotFound("the vault holds something else by now")
        self.kept[name] = data

    def destroy(self, name: str) -> None:
        if self.full:
            raise Unavailable("the vault does not answer")
        self.kept.pop(name, None)

    def has(self, name: str) -> bool:
        return name in self.kept


def fresh_keys(folder: Path, name: str = "keys.json") -> FileKeyRing:
    """Return keys that nobody else has."""
    return FileKeyRing(folder / name)
