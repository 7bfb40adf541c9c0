"""A byte stream becomes lines of bounded size, and a line that cannot be read is kept as such."""

from collections.abc import Iterator
from typing import BinaryIO, Final

from nightlight.errors import InvalidInput
from nightlight.ingest.bounds import MAX_LINE_BYTES
from nightlight.model.masked import Masked

KEPT_BYTES: Final = 64 << 10
_SKIP_BYTES: Final = 1 << 16


class Oversize(Masked, frozen=True, kw_only=True):
    """A line that was longer than the limit: its first 64 KiB, and how long it was."""

    head: bytes
    byte_count: int


class Rejected(Masked, frozen=True, kw_only=True):
    """A line that is no event, kept so that a person can look at it.

    Attributes:
        line_number: where it began, from 1.
        reason: what is wrong and what to do, without content.
        raw: the first 64 KiB of what was read.
        byte_count: how many bytes were read.
    """

    line_number: int
    reason: str
    raw: bytes
    byte_count: int

    def __repr__(self) -> str:
        return f"<Rejected: line {self.line_number}, {self.reason}>"

    __str__ = __repr__


def reject(line_number: int, raw: bytes, fault: InvalidInput, *, prefix: str = "") -> Rejected:
    """Return the rejection of ``raw``, cut to what is kept."""
    return Rejected(
        line_number=line_number,
        reason=f"{prefix}{fault}",
        raw=raw[:KEPT_BYTES],
        byte_count=len(raw),
    )


def bounded_lines(stream: BinaryIO, limit: int = MAX_LINE_BYTES) -> Iterator[bytes | Oversize]:
    """Yield each line without its line end, never holding more than about ``limit`` bytes."""
    window = limit + len(b"\r\n")
    while chunk := stream.readline(window):
        line = chunk.rstrip(b"\r\n")
        ended = len(chunk) < window or chunk.endswith(b"\n")
        if ended and len(line) <= limit:
            yield line
        else:
            rest = 0 if ended else _skip_line(stream)
            yield Oversize(head=line[:KEPT_BYTES], byte_count=len(chunk) + rest)


def _skip_line(stream: BinaryIO) -> int:
    skipped = 0
    while chunk := stream.readline(_SKIP_BYTES):
        skipped += len(chunk)
        if chunk.endswith(b"\n"):
            break
    return skipped
