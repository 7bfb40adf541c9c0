"""Work that takes long, beside the event loop: so much at a time, and so long at most."""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from enum import StrEnum
from functools import partial
from time import monotonic
from typing import TypeVar

from nightlight.errors import Unavailable

T = TypeVar("T")

_THREADS = 4
_WAITING_AT_MOST = 64
_LIMIT_S = 30.0
#: The share of its time that work is told of: the rest is for storing and answering.
_TOLD = 0.9


class Lane(StrEnum):
    """What waits only for its own kind."""

    SHORT = "short"
    """Pictures, and what needs no file."""
    LONG = "long"
    """Videos."""
    ADDRESSES = "addresses"
    """Files that have to be fetched first: how long that takes is another's choice."""


class Work:
    """Runs work in a few threads a lane; what does not get done in time is given up."""

    def __init__(
        self,
        *,
        threads: int = _THREADS,
        waiting_at_most: int = _WAITING_AT_MOST,
        limit_s: float = _LIMIT_S,
    ) -> None:
        self._threads = {
            lane: ThreadPoolExecutor(threads, thread_name_prefix=f"work-{lane}") for lane in Lane
        }
        self._most = threads + waiting_at_most
        self._limit_s = limit_s
        self._under_way: Counter[Lane] = Counter()

    async def do(
        self,
        work: Callable[[float], T],
        *,
        using: AbstractContextManager[object],
        lane: Lane = Lane.SHORT,
    ) -> T:
        """Return what the work returns; what it uses is let go of when the work is over.

        The work is told until when it has, by the monotonic clock.

        Raises:
            Unavailable: there is too much to do already, or it took too long.
        """
        if self._under_way[lane] >= self._most:
            with using:
                raise Unavailable("too many files at once")
        self._under_way[lane] += 1
        until_s = monotonic() + self._limit_s * _TOLD
        future = self._threads[lane].submit(_with, using, partial(work, until_s))
        future.add_done_callback(lambda done: self._over(done, using, lane))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._limit_s)
        except TimeoutError:
            raise Unavailable("the file took too long") from None

    def _over(self, done: "Future[T]", using: AbstractContextManager[object], lane: Lane) -> None:
        self._under_way[lane] -= 1
        if done.cancelled():
            with using:
                pass


def _with(using: AbstractContextManager[object], work: Callable[[], T]) -> T:
    with using:
        return work()
