"""The process in which hostile files are decoded: ``python -m nightlight.adapters.sandbox_child``.

It loads a decoder, puts up walls around itself, says that it is ready and then decodes one file
after the other until its parent is gone. Whatever breaks it, breaks only it.
"""

import io
import os
import socket
import sys
from collections.abc import Callable
from importlib import import_module
from typing import BinaryIO

from nightlight.adapters.sandbox_messages import (
    BEGUN,
    Answer,
    Broken,
    Hello,
    Job,
    receive_bytes,
    receive_with_descriptor,
    send_message,
)
from nightlight.adapters.sandbox_walls import Wall, allow_cpu, end_with_parent, put_up_walls
from nightlight.adapters.spool import open_shared
from nightlight.ingest.ports import TakesLong
from nightlight.model.media import Scan

_MAX_JOB_BYTES = 1 << 16

Decode = Callable[[BinaryIO, Job], Scan]


def main(*, descriptor: int, parent: int, decoder: str, memory_mib: int) -> None:
    """Decode until the parent is gone.

    Args:
        descriptor: the socket to the parent.
        parent: the parent's process id.
        decoder: a module with ``decode`` and ``warm_up``.
        memory_mib: how much memory decoding may take.
    """
    with_parent = end_with_parent(parent)
    link = socket.socket(fileno=descriptor)
    try:
        module = import_module(decoder)
        module.warm_up()
    except (ImportError, AttributeError, OSError, MemoryError) as error:
        send_message(link, Hello(fault=f"the decoder cannot be loaded: {type(error).__name__}"))
        return
    walls = put_up_walls(memory_mib=memory_mib)
    if with_parent:
        walls |= {Wall.PARENT}
    send_message(link, Hello(walls=tuple(sorted(walls))))
    while _serve(link, module.decode):
        pass


def _serve(link: socket.socket, decode: Decode) -> bool:
    """Decode one file; return whether the parent is still there."""
    try:
        job, descriptor = receive_with_descriptor(link, Job, max_bytes=_MAX_JOB_BYTES)
        allow_cpu(job.wall_s)
        try:
            answer = Answer(scan=_decoded(link, job, descriptor, decode))
        except TakesLong:
            answer = Answer(scan=None, takes_long=True)
        send_message(link, answer)
    except (Broken, ConnectionError):
        return False
    return True


def _decoded(link: socket.socket, job: Job, descriptor: int | None, decode: Decode) -> Scan | None:
    """Return the outcome, None where memory ran out."""
    try:
        file = _file(link, job, descriptor)
        link.sendall(BEGUN)
        return decode(file, job)
    except MemoryError:
        return None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _file(link: socket.socket, job: Job, descriptor: int | None) -> BinaryIO:
    """Return the file: what follows on the link, what the descriptor holds, or is a key to."""
    if descriptor is None:
        return io.BytesIO(receive_bytes(link, job.size))
    if job.shared is not None:
        return open_shared(descriptor, job.shared)
    os.lseek(descriptor, 0, os.SEEK_SET)  # Where it was written to, or read by another child.
    return io.BytesIO(os.read(descriptor, job.size))


if __name__ == "__main__":
    _, given_descriptor, given_parent, given_decoder, given_memory = sys.argv
    main(
        descriptor=int(given_descriptor),
        parent=int(given_parent),
        decoder=given_decoder,
        memory_mib=int(given_memory),
    )
