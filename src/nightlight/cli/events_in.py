"""Where ``run`` reads events from: files, and pipes that may pause."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from time import monotonic
from typing import BinaryIO

from nightlight.errors import InvalidInput
from nightlight.ingest.formats import Format
from nightlight.ingest.lines import Oversize, Rejected, bounded_lines
from nightlight.ingest.reader import EventReader
from nightlight.model.event import Event

_READ_BYTES = 1 << 20
#: How long an event may wait for others to be judged with it while the pipe says nothing new.
_PAUSE_S = 0.25
_WAITING_LINES = 10_000


class Source:
    """One file or pipe of events."""

    def __init__(self, *, origin: str, stream: BinaryIO, source_format: Format) -> None:
        self.origin = origin
        self.bytes_read = 0
        self._stream = stream
        self._format = source_format
        mode = _mode(stream)
        self._pauses = not stat.S_ISREG(mode)
        self.size = None if self._pauses else _size(stream)

    def batches(self, limit: int) -> Iterator[list[Event | Rejected]]:
        """Yield what is read, up to ``limit`` at once, and sooner where a pipe pauses."""
        return self._live_batches(limit) if self._pauses else self._file_batches(limit)

    def _read(self) -> Iterator[Event | Rejected]:
        reader = EventReader()
        return reader.read_lines(self._counted(), source_format=self._format)

    def _counted(self) -> Iterator[bytes | Oversize]:
        for line in bounded_lines(self._stream):
            self.bytes_read += (line.byte_count if isinstance(line, Oversize) else len(line)) + 1
            yield line

    def _file_batches(self, limit: int) -> Iterator[list[Event | Rejected]]:
        batch: list[Event | Rejected] = []
        for one in self._read():
            batch.append(one)
            if len(batch) >= limit:
                yield batch
                batch = []
        if batch:
            yield batch

    def _live_batches(self, limit: int) -> Iterator[list[Event | Rejected]]:
        waiting: Queue[Event | Rejected | BaseException | None] = Queue(_WAITING_LINES)

        def read() -> None:
            try:
                for one in self._read():
                    waiting.put(one)
            except (OSError, ValueError) as error:
                waiting.put(error)
            waiting.put(None)

        Thread(target=read, name="events-in", daemon=True).start()
        batch: list[Event | Rejected] = []
        due = 0.0
        while True:
            try:
                # Once due, a batch still takes what waits already, but waits for nothing more.
                one = waiting.get(timeout=max(0.0, due - monotonic())) if batch else waiting.get()
            except Empty:
                yield batch
                batch = []
                continue
            if one is None:
                break
            if isinstance(one, BaseException):
                raise InvalidInput(f"cannot be read further: {one}", field=self.origin) from one
            if not batch:
                due = monotonic() + _PAUSE_S
            batch.append(one)
            if len(batch) >= limit:
                yield batch
                batch = []
        if batch:
            yield batch


def open_sources(names: list[str], source_format: Format) -> list[Source]:
    """Return a source for each name; ``-`` is standard input.

    Raises:
        InvalidInput: a file cannot be opened; none was read then.
    """
    sources: list[Source] = []
    for name in names:
        if name == "-":
            # A stream of its own: at Ctrl-C a thread may still be reading it, and Python ends
            # with an abort if that thread holds the lock of sys.stdin.
            pipe = os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=_READ_BYTES)
            sources.append(Source(origin="stdin", stream=pipe, source_format=source_format))
            continue
        try:
            stream = Path(name).open("rb", buffering=_READ_BYTES)  # noqa: SIM115  read to its end
        except OSError as error:
            raise InvalidInput(f"cannot be opened: {error.strerror}", field=name) from error
        sources.append(
            Source(
                origin=f"file:{Path(name).resolve()}", stream=stream, source_format=source_format
            )
        )
    return sources


def _mode(stream: BinaryIO) -> int:
    return os.fstat(stream.fileno()).st_mode


def _size(stream: BinaryIO) -> int:
    return os.fstat(stream.fileno()).st_size
