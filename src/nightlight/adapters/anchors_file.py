"""Anchors of the audit chain, one a line, in a file beside the database."""

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from nightlight.audit.chain import Anchor

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_decoder = msgspec.json.Decoder(Anchor)


class FileAnchorStore:
    """Appends anchors to a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, anchor: Anchor) -> None:
        """Keep one more anchor, durably."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._path.open("a+b") as file:
            if file.tell() > 0:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # A crash cut the last line off: it stays a line.
                    file.write(b"\n")
            file.write(msgspec.json.encode(anchor) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def all(self) -> list[Anchor]:
        """Return every anchor, oldest first; an unreadable line is an anchor without a seal."""
        if not self._path.exists():
            return []
        return [_read(line) for line in self._path.read_bytes().splitlines() if line.strip()]


def _read(line: bytes) -> Anchor:
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeError):
        return Anchor(seq=0, hash="", at=_EPOCH, seal="")
