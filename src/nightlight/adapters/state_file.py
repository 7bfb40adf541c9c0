"""A small value in a file of its own, replaced whole."""

import os
import secrets
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

T = TypeVar("T", bound=Struct)


class StateFile(Generic[T]):
    """Keeps one value; what cannot be read is as good as nothing."""

    def __init__(self, path: Path, kind: type[T]) -> None:
        self._path = path
        self._kind = kind

    def load(self) -> T | None:
        """Return the value, None where none was kept or it is damaged."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=self._kind)
        except (OSError, msgspec.MsgspecError, ValueError):
            return None

    def save(self, value: T) -> None:
        """Keep this value, durably, in place of the one before."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        with partial.open("xb") as file:
            file.write(msgspec.json.encode(value) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path)
