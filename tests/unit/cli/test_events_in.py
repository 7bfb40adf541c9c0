"""Where `run` reads from: what a pipe says is judged soon, however slowly it goes on."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event as Flag
from threading import Thread
from typing import BinaryIO

from nightlight.cli.events_in import Source
from nightlight.ingest.formats import Format

LINE = (
    b'{"specversion":"1.0","id":"%d","source":"https://zorbleflux.example.test",'
    b'"type":"views.counted","time":"2026-03-01T12:00:00Z","data":{"post_id":"p","views":1}}\n'
)


@contextmanager
def trickle() -> Iterator[BinaryIO]:
    """A pipe that says something a hundred times a second and never pauses for longer."""
    reading, writing = os.pipe()
    enough = Flag()

    def write() -> None:
        number = 0
        with suppress(BrokenPipeError), os.fdopen(writing, "wb", buffering=0) as sink:
            while not enough.is_set():
                sink.write(LINE % number)
                number += 1
                time.sleep(0.01)

    writer = Thread(target=write)
    writer.start()
    with os.fdopen(reading, "rb", buffering=0) as stream:
        yield stream
        enough.set()
        writer.join()


def test_a_pipe_that_never_pauses_is_judged_before_a_batch_is_full() -> None:
    with trickle() as pipe:
        source = Source(origin="pipe", stream=pipe, source_format=Format.AUTO)
        first = next(source.batches(1_000))
    assert 0 < len(first) < 1_000
