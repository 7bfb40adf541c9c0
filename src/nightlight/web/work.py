"""Work that takes long, beside the event loop: so much at a time, and so long at most."""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from enum import StrEnum
from functools import partial
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import Protocol, TypeVar

from nightlight.errors import Unavailable
from nightlight.ingest.ports import TakesLong

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_THREADS = 4
_WAITING_AT_MOST = 64
_LIMIT_S = 30.0
#: The share of its time that work is told of: the rest is for storing and answering.
_TOLD = 0.9
#: How much the newest work counts in what is usual.
_NEWEST = 0.2


class Lane(StrEnum):
    """What waits only for its own kind."""

    SHORT = "short"
    """Pictures, and what needs no file."""
    LONG = "long"
    """Videos, and pictures that turned out to take long."""
    ADDRESSES = "addresses"
    """Files that have to be fetched first: how long that takes is another's choice."""


class OfFile(Protocol[T_co]):
    """Work on a file."""

    def __call__(self, until_s: float, *, briefly: bool) -> T_co:
        """Return what it comes to.

        Raises:
            TakesLong: it was to be done briefly, and cannot.
        """
        ...


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
        self._at_once = threads
        self._under_way: Counter[Lane] = Counter()
        # How long work took lately, on average.
        self._usual_s = dict.fromkeys(Lane, 0.0)

    async def do(
        self,
        work: Callable[[float], T],
        *,
        using: AbstractContextManager[object],
        lane: Lane = Lane.SHORT,
        limit_s: float | None = None,
    ) -> T:
        """Return what the work returns; what it uses is let go of when the work is over.

        The work is told until when it has, by the monotonic clock. ``limit_s`` is for what has less
        time than usual.

        Raises:
            Unavailable: there is too much to do already, or it took too long.
        """
        limit_s = self._limit_s if limit_s is None else limit_s
        if self._under_way[lane] >= self._most or self._expected_s(lane) > limit_s * _TOLD:
            with using:
                raise Unavailable("too many files at once")
        self._under_way[lane] += 1
        until_s = monotonic() + limit_s * _TOLD
        future = self._threads[lane].submit(self._with, using, partial(work, until_s), lane)
        future.add_done_callback(lambda done: self._over(done, using, lane))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), limit_s)
        except TimeoutError:
            raise Unavailable("the file took too long") from None

    async def do_file(
        self, work: OfFile[T], *, using: AbstractContextManager[object], is_long: bool
    ) -> T:
        """Return what the work on a file returns; among pictures it is tried briefly first.

        Raises:
            Unavailable: as for ``do``; both tries together have the time of one.
        """
        began_s = monotonic()
        if not is_long:
            kept = _Kept(using)
            try:
                return await self.do(partial(work, briefly=True), using=kept)
            except TakesLong:
                using = kept.taken()
            finally:
                kept.let_go()
        left_s = max(0.0, began_s + self._limit_s - monotonic())
        return await self.do(
            partial(work, briefly=False), using=using, lane=Lane.LONG, limit_s=left_s
        )

    def _expected_s(self, lane: Lane) -> float:
        """Return how long what comes now would take, 0 where a thread is free for it."""
        before = self._under_way[lane] + 1 - self._at_once
        if before <= 0:
            return 0.0
        return self._usual_s[lane] * (before / self._at_once + 1)

    def _over(self, done: "Future[T]", using: AbstractContextManager[object], lane: Lane) -> None:
        self._under_way[lane] -= 1
        if done.cancelled():
            with using:
                pass

    def _with(self, using: AbstractContextManager[object], work: Callable[[], T], lane: Lane) -> T:
        began_s = monotonic()
        try:
            with using:
                return work()
        finally:
            # Of two threads at once one may not count: it is an average.
            took_s, usual_s = monotonic() - began_s, self._usual_s[lane]
            newest = _NEWEST if usual_s else 1.0
            self._usual_s[lane] = usual_s + newest * (took_s - usual_s)


class _Kept:
    """What work uses, kept where the work takes long for as long as somebody waits for it."""

    def __init__(self, using: AbstractContextManager[object]) -> None:
        self._using = using
        self._lock = Lock()
        self._is_awaited = True
        self._is_kept = False

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        with self._lock:
            takes_long = kind is not None and issubclass(kind, TakesLong)
            self._is_kept = takes_long and self._is_awaited
            if not self._is_kept:
                self._close()

    def taken(self) -> AbstractContextManager[object]:
        """Return what is used, from now on the caller's."""
        with self._lock:
            self._is_kept = False
            return self._using

    def let_go(self) -> None:
        """Nobody waits any more: what is used is closed, now or when the work is over."""
        with self._lock:
            self._is_awaited = False
            if self._is_kept:
                self._is_kept = False
                self._close()

    def _close(self) -> None:
        with self._using:
            pass
