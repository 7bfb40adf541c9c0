"""A small value in a file of its own, replaced whole."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from nightlight.errors import Unavailable

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
        """Keep this value, durably, in place of the one before.

        Raises:
            Unavailable: the disk is full or cannot be written; the one before is still kept.
        """
        partial = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with partial.open("xb") as file:
                file.write(msgspec.json.encode(value) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                partial.unlink()
            raise self._unwritable(error) from error

    def forget(self) -> None:
        """Keep no value any more.

        Raises:
            Unavailable: the disk cannot be written; the value is still kept.
        """
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> Unavailable:
        return Unavailable(
            f"{self._path} cannot be written: {error.strerror}", hint="free disk space, or mend it"
        )
