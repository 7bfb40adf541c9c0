"""A pool of child processes that decode hostile files: a file that breaks one costs one.

Children are started when they are needed, as many at most as there are processors, and stay warm.
They are new processes, not copies of this one, and know none of its secrets.
"""

import fcntl
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from msgspec.structs import replace

from nightlight.adapters.picture_limits import PictureLimits
from nightlight.adapters.sandbox_crew import Crew
from nightlight.adapters.sandbox_messages import Job
from nightlight.adapters.sandbox_walls import Wall
from nightlight.adapters.sandbox_worker import LostError, Worker
from nightlight.adapters.spool import SharedFile
from nightlight.errors import InvalidInput, Unavailable
from nightlight.ingest.ports import TakesLong
from nightlight.model.media import Scan

DECODER = "nightlight.adapters.sandbox_decoder"
#: A child that is gone before it has the whole file says nothing about the file.
_TRIES = 3
#: One for what takes long, and one for the rest.
_FEWEST = 2
#: With less time left a file is not begun.
_LEAST_LEFT_S = 0.25
#: Nor with less than so often the usual time, up to so much: what is begun and not finished costs
#: the worker with it, just when there is too much to do.
_TIMES_USUAL = 3
_MOST_LEFT_S = 5.0
#: How much the newest file counts in what is usual.
_NEWEST = 0.2
#: How much computing an animation, or a file of pages, gets among pictures.
_BRIEF_S = 0.5
#: More than this would go through the link in many turns of both processes.
_BY_LINK_BYTES = 1 << 16

if hasattr(fcntl, "F_ADD_SEALS"):  # Where there are memory files.
    _NEVER_CHANGED = (
        fcntl.F_SEAL_SEAL | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK
    )


class Sandbox:
    """Decodes files in processes of their own; may be used from several threads."""

    def __init__(
        self,
        *,
        decoder: str = DECODER,
        limits: PictureLimits | None = None,
        is_fast: bool = False,
        memory_mib: int = 1536,
        workers: int | None = None,
        files_per_worker: int = 5000,
        start_s: float = 120.0,
        brief_s: float = _BRIEF_S,
    ) -> None:
        """Keep the limits; no process is started yet.

        Args:
            decoder: a module with ``decode(file, job) -> Scan`` and ``warm_up()``.
            limits: what decoding a picture may cost.
            is_fast: decode only the brightness of JPEGs: faster, and hashes are a few bits off.
            memory_mib: how much memory decoding a file may take.
            workers: how many files are decoded at once, by default one a processor, at least two.
            files_per_worker: after how many files a worker is replaced.
            start_s: how long a worker may take to be ready.
            brief_s: how much computing an animation, or a file of pages, gets among pictures.
        """
        self._brief_s = brief_s
        # What decoding took lately, on average, of what takes long and of the rest.
        self._usual_s = {False: 0.0, True: 0.0}
        self._limits = limits or PictureLimits()
        self._is_fast = is_fast
        self._crew = Crew(
            make=lambda: Worker(decoder=decoder, memory_mib=memory_mib),
            size=workers or max(_FEWEST, _processors()),
            files_per_worker=files_per_worker,
            start_s=start_s,
        )
        self._end = weakref.finalize(self, self._crew.close)

    def start(self) -> None:
        """Return at once; a worker becomes ready in the background."""
        self._crew.prepare()

    def decode(
        self,
        *,
        size: int,
        wall_s: float,
        data: bytes | None = None,
        shared: tuple[int, SharedFile] | None = None,
        for_bank: bool = False,
        is_long: bool = False,
        until_s: float | None = None,
    ) -> Scan:
        """Return what a child makes of a file, given as bytes or as a shared descriptor.

        Args:
            size: the file's.
            wall_s: how long decoding may take.
            data: the file, where it is not shared.
            shared: a descriptor of the file, and how to read it.
            for_bank: whether the views are those of a picture that enters a bank.
            is_long: whether it may take long: some workers are kept for what does not.
            until_s: until when all of it has to be over, by the monotonic clock; None for whenever.

        Raises:
            InvalidInput: the file breaks the decoder, in words for a reviewer.
            Unavailable: no worker can be had, or none in time.
            TakesLong: it is not said to take long, and does.
        """
        descriptor, how = shared or (None, None)
        job = Job(
            size=size,
            wall_s=wall_s,
            limits=self._limits,
            shared=how,
            for_bank=for_bank,
            # What enters a bank stays there: it is worth the time.
            is_fast=self._is_fast and not for_bank,
            brief_s=0.0 if is_long else self._brief_s,
        )
        if data is None or len(data) <= _BY_LINK_BYTES:
            return self._ask(job, data, descriptor, is_long=is_long, until_s=until_s)
        with _memory_file(data) as laid_out:
            sent = data if laid_out is None else None
            return self._ask(job, sent, laid_out, is_long=is_long, until_s=until_s)

    def _ask(
        self,
        job: Job,
        data: bytes | None,
        descriptor: int | None,
        *,
        is_long: bool,
        until_s: float | None,
    ) -> Scan:
        latest_s = self._latest_s(until_s, is_long)
        if latest_s is not None and latest_s <= monotonic():
            raise Unavailable("no time was left to decode it")
        for tries_left in reversed(range(_TRIES)):
            try:
                with self._crew.worker(is_long=is_long, until_s=latest_s) as worker:
                    # What is usual may have become more while this waited.
                    latest_s = self._latest_s(until_s, is_long)
                    is_late = latest_s is not None and latest_s <= monotonic()
                    if not is_late:
                        with self._measured(is_long):
                            bounded = _bounded(job, until_s)
                            scan = worker.ask(bounded, data=data, descriptor=descriptor)
                if is_late:
                    raise Unavailable("no decoder was free in time")
                if scan is None:
                    raise TakesLong
                return scan  # noqa: TRY300  what is raised above is no failure of a worker
            except LostError as error:
                if error.began or not tries_left:
                    raise InvalidInput(str(error)) from error
        raise AssertionError("unreachable: the last try returns or raises")

    @contextmanager
    def _measured(self, is_long: bool) -> Iterator[None]:  # noqa: FBT001  passed on
        began_s = monotonic()
        try:
            yield
        finally:
            # Of two threads at once one may not count: it is an average.
            took_s, usual_s = monotonic() - began_s, self._usual_s[is_long]
            newest = _NEWEST if usual_s else 1.0
            self._usual_s[is_long] = usual_s + newest * (took_s - usual_s)

    def _latest_s(self, until_s: float | None, is_long: bool) -> float | None:  # noqa: FBT001  passed on
        """Return until when a file that has until then is begun."""
        least_s = min(max(_LEAST_LEFT_S, _TIMES_USUAL * self._usual_s[is_long]), _MOST_LEFT_S)
        return None if until_s is None else until_s - least_s

    def walls(self) -> frozenset[Wall]:
        """Return the walls that hold around a worker; starts one if none is ready.

        Raises:
            Unavailable: no worker can be had.
        """
        with self._crew.worker():
            pass
        return frozenset(Wall(one) for one in self._crew.walls)

    def close(self) -> None:
        """End every worker, also those at work; closing twice is harmless."""
        self._end()


def _bounded(job: Job, until_s: float | None) -> Job:
    if until_s is None:
        return job
    return replace(job, wall_s=round(min(job.wall_s, until_s - monotonic()), 1))


@contextmanager
def _memory_file(data: bytes) -> Iterator[int | None]:
    """Lay bytes out where another process can read them; None where the system cannot."""
    try:
        descriptor = os.memfd_create("nightlight", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except (AttributeError, OSError):
        yield None
        return
    with open(descriptor, "wb", buffering=0) as file:  # noqa: PTH123  a descriptor, not a path
        left = memoryview(data)
        while left:
            left = left[file.write(left) :]
        # A child that was taken over must not change what the next one is given.
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _NEVER_CHANGED)
        yield descriptor


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):  # Not everywhere; counts what this process may use.
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
