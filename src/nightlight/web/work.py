"""Work that takes long, beside the event loop: so much at a time, and so long at most."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TypeVar

from nightlight.errors import Unavailable

T = TypeVar("T")

_THREADS = 4
_WAITING_AT_MOST = 64
_LIMIT_S = 30.0


class Work:
    """Runs work in a few threads; what does not get done in time is given up."""

    def __init__(
        self,
        *,
        threads: int = _THREADS,
        waiting_at_most: int = _WAITING_AT_MOST,
        limit_s: float = _LIMIT_S,
    ) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="work")
        self._most = threads + waiting_at_most
        self._limit_s = limit_s
        self._under_way = 0

    async def do(self, work: Callable[[], T], *, using: AbstractContextManager[object]) -> T:
        """Return what the work returns; what it uses is let go of when the work is over.

        Raises:
            Unavailable: there is too much to do already, or it took too long.
        """
        if self._under_way >= self._most:
            with using:
                raise Unavailable("too many files at once")
        self._under_way += 1
        future = self._threads.submit(_with, using, work)
        future.add_done_callback(lambda done: self._over(done, using))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._limit_s)
        except TimeoutError:
            raise Unavailable("the file took too long") from None

    def _over(self, done: "Future[T]", using: AbstractContextManager[object]) -> None:
        self._under_way -= 1
        if done.cancelled():
            with using:
                pass


def _with(using: AbstractContextManager[object], work: Callable[[], T]) -> T:
    with using:
        return work()
