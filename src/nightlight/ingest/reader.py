"""Lines of any known format become events, and what cannot be read becomes a rejection.

Nothing in here raises for bad content and nothing is left out: every line yields its events or a
``Rejected`` that says why, so that a person can look at it. Lines that hold nothing Nightlight
judges (a keep-alive, a foreign record of another kind) yield nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Final

import msgspec

from nightlight.errors import InvalidInput
from nightlight.ingest.bounds import MAX_LINE_BYTES
from nightlight.ingest.decode import DECODE_FAULTS, decode_json
from nightlight.ingest.envelope import parse_event
from nightlight.ingest.formats import Format, parse_line
from nightlight.ingest.lines import Oversize, Rejected, reject
from nightlight.ingest.mastodon import STREAM_EVENTS, parse_stream_event
from nightlight.ingest.sse import Frame, FrameBuffer, is_sse_line
from nightlight.model.event import Event

MAX_ARRAY_BYTES: Final = 64 << 20

_BOM: Final = b"\xef\xbb\xbf"
_BLANK: Final = b" \t\r\n"
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_TOO_LONG = InvalidInput(
    f"longer than {MAX_LINE_BYTES} bytes", hint="one event a line, each 1 MiB at most"
)


class EventReader:
    """Reads events from files, pipes and request bodies."""

    def __init__(
        self,
        *,
        received_at: Callable[[], datetime] | None = None,
        array_limit_bytes: int = MAX_ARRAY_BYTES,
    ) -> None:
        """Keep the settings.

        Args:
            received_at: dates what its sender did not date (Mastodon's deletions).
            array_limit_bytes: how much of a file that is one JSON array is held in memory.
        """
        self._received_at = received_at
        self._array_limit_bytes = array_limit_bytes

    def read_lines(
        self, lines: Iterable[bytes | Oversize], *, source_format: Format = Format.AUTO
    ) -> Iterator[Event | Rejected]:
        """Yield each line's events, or its rejection.

        A file that starts with ``[`` is read as one JSON array. One that does not end as one, or
        is larger than the limit, is read line by line instead, so that nothing of it is lost.
        """
        numbered = enumerate(lines, 1)
        for number, line in numbered:
            text = line.removeprefix(_BOM) if number == 1 and isinstance(line, bytes) else line
            if isinstance(text, bytes) and not text.strip(_BLANK):
                continue
            start = chain([(number, text)], numbered)
            if isinstance(text, bytes) and text.lstrip(_BLANK).startswith(b"["):
                yield from self._read_array(start, source_format)
            else:
                yield from self._read_numbered(start, source_format)

    def read_document(
        self, document: bytes, *, source_format: Format = Format.AUTO
    ) -> Iterator[Event | Rejected]:
        """Yield the events and rejections of the elements of a JSON array.

        Raises:
            InvalidInput: the document is no JSON array.
        """
        elements = decode_json(_ARRAY, document)
        return self._read_elements(1, elements, source_format)

    def _read_numbered(
        self, numbered: Iterable[tuple[int, bytes | Oversize]], source_format: Format
    ) -> Iterator[Event | Rejected]:
        frames = FrameBuffer()
        for number, line in numbered:
            if isinstance(line, bytes) and line.startswith(b"{"):
                # The hot path, and so no generator of its own.
                try:
                    yield from parse_line(line, source_format, received_at=self._now())
                except InvalidInput as fault:
                    yield reject(number, line, fault)
            elif isinstance(line, Oversize):
                yield Rejected(
                    line_number=number,
                    reason=str(_TOO_LONG),
                    raw=line.head,
                    byte_count=line.byte_count,
                )
            elif is_sse_line(line):
                frames.add(number, line.rstrip(b"\r\n"))
            elif not line.strip(_BLANK):
                yield from self._read_frame(frames.take(), source_format)
            else:
                yield from self._read_other(number, line, source_format)
        yield from self._read_frame(frames.take(), source_format)

    def _read_one(
        self, number: int, raw: bytes, source_format: Format, *, prefix: str = ""
    ) -> Iterator[Event | Rejected]:
        try:
            yield from parse_line(raw, source_format, received_at=self._now())
        except InvalidInput as fault:
            yield reject(number, raw, fault, prefix=prefix)

    def _read_other(
        self, number: int, line: bytes, source_format: Format
    ) -> Iterator[Event | Rejected]:
        """Read a line that starts like no object: an array of its own, or a fault."""
        if line.lstrip(_BLANK).startswith(b"["):
            elements = _elements(line)
            if elements is not None:
                yield from self._read_elements(number, elements, source_format)
                return
        yield from self._read_one(number, line, source_format)

    def _read_frame(self, frame: Frame | None, source_format: Format) -> Iterator[Event | Rejected]:
        if frame is None:
            return
        foreign = source_format in (Format.AUTO, Format.MASTODON)
        if not foreign or frame.name not in STREAM_EVENTS:
            yield from self._read_one(frame.line_number, frame.data, source_format)
            return
        try:
            yield from parse_stream_event(frame.name, frame.data, received_at=self._now())
        except InvalidInput as fault:
            yield reject(frame.line_number, frame.data, fault)

    def _read_array(
        self, numbered: Iterator[tuple[int, bytes | Oversize]], source_format: Format
    ) -> Iterator[Event | Rejected]:
        held: list[tuple[int, bytes | Oversize]] = []
        size = 0
        for number, line in numbered:
            held.append((number, line))
            size += len(line) if isinstance(line, bytes) else line.byte_count
            if isinstance(line, Oversize) or size > self._array_limit_bytes:
                break
            if len(held) == 1 and (elements := _elements(line)) is not None:
                yield from self._read_elements(number, elements, source_format)
                yield from self._read_numbered(numbered, source_format)
                return
        document = b"\n".join(line for _, line in held if isinstance(line, bytes))
        whole = None if isinstance(held[-1][1], Oversize) else _elements(document)
        if whole is None:
            yield from self._read_numbered(chain(held, numbered), source_format)
        else:
            yield from self._read_elements(held[0][0], whole, source_format)
            yield from self._read_numbered(numbered, source_format)

    def _read_elements(
        self, number: int, elements: list[msgspec.Raw], source_format: Format
    ) -> Iterator[Event | Rejected]:
        for index, element in enumerate(elements, 1):
            yield from self._read_one(
                number, bytes(element), source_format, prefix=f"element {index} of the array: "
            )

    def _now(self) -> datetime | None:
        return None if self._received_at is None else self._received_at()


def parse_batch(body: bytes, content_type: str) -> list[Event | Rejected]:
    """Return the events and rejections of one HTTP body, in its order.

    Raises:
        InvalidInput: the media type is not read here, or a batch is no JSON array.
    """
    reader = EventReader()
    match content_type.partition(";")[0].strip().lower():
        case "application/cloudevents-batch+json":
            return list(reader.read_document(body, source_format=Format.CLOUDEVENTS))
        case "application/cloudevents+json":
            return [_read_event(body)]
        case "application/x-ndjson":
            return list(reader.read_lines(body.split(b"\n")))
        case _:
            raise InvalidInput(
                "this media type is not read",
                field="content-type",
                hint="application/cloudevents+json, application/cloudevents-batch+json"
                " or application/x-ndjson",
            )


def _read_event(body: bytes) -> Event | Rejected:
    try:
        return parse_event(body)
    except InvalidInput as fault:
        return reject(1, body, fault)


def _elements(document: bytes) -> list[msgspec.Raw] | None:
    """Return the elements of a JSON array, or None when the document is not a whole one."""
    try:
        return _ARRAY.decode(document)
    except DECODE_FAULTS:
        return None
