"""Anchors of the audit chain, one a line, in a file beside the database."""

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from errno import ENOSPC
from io import FileIO
from pathlib import Path

import msgspec
from msgspec import Struct

from nightlight.audit.checkpoint import Anchor, read_note
from nightlight.errors import Unavailable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_LINE = 4096


class _Line(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A line: a signed note, or the fields of an anchor of the former kind."""

    note: str = ""
    seq: int = 0
    hash: str = ""
    at: datetime = _EPOCH
    seal: str = ""


_decoder = msgspec.json.Decoder(_Line)


class FileAnchorStore:
    """Appends anchors to a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, anchor: Anchor) -> None:
        """Keep one more anchor, durably.

        Raises:
            Unavailable: the disk is full or cannot be written; all is as it was.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._path.open("a+b", buffering=0) as file:
                _append(file, _written(anchor))
        except OSError as error:
            raise self._unwritable(error) from error

    def all(self) -> Iterator[Anchor]:
        """Return every anchor, oldest first; an unreadable line is an anchor without a seal."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            for line in file:
                if line.strip():
                    yield _read(line)

    def last(self) -> Anchor | None:
        """Return the newest anchor; None where there is none, or its line cannot be read."""
        if not self._path.exists():
            return None
        with self._path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _LONGEST_LINE))
            lines = file.read().splitlines()
        found = _read(lines[-1]) if lines else None
        return found if found and found.seq else None

    def set_aside(self, keep: Sequence[Anchor], *, at: datetime) -> None:
        """Keep only these from now on; the file before lies beside, under the time.

        Raises:
            Unavailable: the disk is full or cannot be written; all is as it was.
        """
        partial = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        aside = self._path.with_name(f"{self._path.stem}-until-{at:%Y%m%dT%H%M%S.%fZ}.ndjson")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with partial.open("xb") as file:
                file.writelines(map(_written, keep))
                file.flush()
                os.fsync(file.fileno())
            if self._path.exists():
                os.link(self._path, aside)
            partial.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                partial.unlink()
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> Unavailable:
        return Unavailable(
            f"{self._path} cannot be written: {error.strerror}",
            hint="free disk space, or mend it",
        )


def _append(file: FileIO, line: bytes) -> None:
    """Keep one more line, durably and whole, or leave the file as it was."""
    size = file.seek(0, os.SEEK_END)
    if size > 0:
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":  # A crash cut the last line off: it stays a line.
            line = b"\n" + line
    try:
        _write_whole(file, line)
    except OSError:
        with suppress(OSError):
            file.truncate(size)
            os.fsync(file.fileno())
        raise


def _write_whole(file: FileIO, line: bytes) -> None:
    if file.write(line) != len(line):  # A disk that is nearly full takes a part, without an error.
        raise OSError(ENOSPC, os.strerror(ENOSPC))
    os.fsync(file.fileno())


def _written(anchor: Anchor) -> bytes:
    line = _Line(note=anchor.note)
    if not anchor.note:
        line = _Line(seq=anchor.seq, hash=anchor.hash, at=anchor.at, seal=anchor.seal)
    return msgspec.json.encode(line) + b"\n"


def _read(line: bytes) -> Anchor:
    try:
        found = _decoder.decode(line)
        if found.note:
            return read_note(found.note)
    except (msgspec.MsgspecError, ValueError):
        return Anchor(seq=0, hash="", at=_EPOCH)
    return Anchor(seq=found.seq, hash=found.hash, at=found.at, seal=found.seal)
