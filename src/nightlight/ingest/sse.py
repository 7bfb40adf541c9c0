"""Server-sent-event text becomes frames: an event name and its data."""

from typing import Final

from nightlight.ingest.bounds import MAX_LINE_BYTES
from nightlight.model.masked import Masked

_FIELDS: Final = (b":", b"event:", b"data:", b"id:", b"retry:")


def is_sse_line(line: bytes) -> bool:
    """Return whether a line belongs to a server-sent-event stream; JSON never starts like this."""
    return line.startswith(_FIELDS)


class Frame(Masked, frozen=True, kw_only=True):
    """One server-sent event: where it began, its name, or "", and its data."""

    line_number: int
    name: str
    data: bytes


class FrameBuffer:
    """Gathers the lines of one server-sent event until a blank line ends it."""

    def __init__(self) -> None:
        self._name = ""
        self._data: list[bytes] = []
        self._size = 0
        self._started_at = 0

    def add(self, number: int, line: bytes) -> None:
        """Take one line in; comments, ids and retry times say nothing here.

        Data beyond the line limit is cut one byte over it, so that it is refused as too long.
        """
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            self._started_at = self._started_at or number
            self._name = value.decode(errors="replace")
        elif field == b"data":
            self._started_at = self._started_at or number
            room = max(0, MAX_LINE_BYTES + 1 - self._size)
            if room:
                self._data.append(value[:room])
            self._size += len(value) + 1

    def take(self) -> Frame | None:
        """Return the gathered frame and start anew; None when no data came."""
        frame = Frame(line_number=self._started_at, name=self._name, data=b"\n".join(self._data))
        empty = not self._data
        self._name, self._data, self._size, self._started_at = "", [], 0, 0
        return None if empty else frame
