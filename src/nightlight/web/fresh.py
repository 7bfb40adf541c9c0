"""A value that is read from the store again and again, but not for every request.

Whoever asks gets it as of less than a second ago. A read that fails is told to everybody who asks,
at once: nothing is answered from what could no longer be checked.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from typing import Generic, TypeVar

from msgspec import Struct

from nightlight.errors import NightlightError, Unavailable

#: From this age on a new read begins, from that one on whoever asks waits for it.
_SOFT_S = 0.2
_HARD_S = 0.7
#: How long somebody waits: the first time for all there is, later for what changed. A read that
#: takes longer takes in a large change, piece by piece.
_WAIT_S = 2.0
_FIRST_WAIT_S = 20.0
_OLDEST_S = 60.0

T = TypeVar("T")


class _Read(Struct, Generic[T], frozen=True):
    value: T
    began_s: float


class Fresh(Generic[T]):
    """Reads a value when it is asked for, in a thread of its own, one read at a time."""

    def __init__(self, read: Callable[[], T], *, what: str) -> None:
        """Keep the parts; nothing is read yet.

        Args:
            read: reads the value.
            what: what it is, for the message that says it cannot be had.
        """
        self._reads = read
        self._what = what
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fresh")
        self._last: _Read[T] | None = None
        self._error: NightlightError | None = None
        self._flight: Future[None] | None = None
        self._began_s = 0.0

    @property
    def is_read(self) -> bool:
        """Whether it was ever read."""
        return self._last is not None

    @property
    def is_failing(self) -> bool:
        """Whether the newest read failed, or the value is older than anything may be."""
        too_old = self._last is not None and monotonic() - self._last.began_s > _OLDEST_S
        return self._error is not None or (too_old and self._is_reading())

    async def get(self) -> T:
        """Return the value.

        Raises:
            Unavailable: it cannot be read now, or not in time.
        """
        last, now_s = self._last, monotonic()
        if last is not None and self._error is None:
            if now_s - last.began_s < _SOFT_S:
                return last.value
            self._begin()
            if now_s - last.began_s < _HARD_S:
                return last.value
        await self._finished(self._begin())
        return self._value()

    async def renewed(self) -> T:
        """Return the value as of now, for whoever has just changed it.

        Raises:
            Unavailable: it cannot be read now, or not in time.
        """
        if self._flight is not None:
            await self._finished(self._flight)
        await self._finished(self._begin(at_once=True))
        return self._value()

    def _value(self) -> T:
        if self._error is not None:
            raise Unavailable(f"{self._what} cannot be read: {self._error}") from self._error
        last = self._last
        if last is None or monotonic() - last.began_s > _OLDEST_S:
            raise Unavailable(f"{self._what}: still being read")
        return last.value

    def _is_reading(self) -> bool:
        return self._flight is not None and not self._flight.done()

    def _begin(self, *, at_once: bool = False) -> "Future[None]":
        """Return the read that is under way, or a new one; after a failure not at once."""
        flight = self._flight
        if flight is not None and not flight.done():
            return flight
        if flight is None or at_once or monotonic() - self._began_s >= _SOFT_S:
            self._began_s = monotonic()
            flight = self._flight = self._thread.submit(self._read)
        return flight

    async def _finished(self, flight: "Future[None]") -> None:
        wait_s = _WAIT_S if self.is_read else _FIRST_WAIT_S
        done, _ = await asyncio.wait([asyncio.wrap_future(flight)], timeout=wait_s)
        for one in done:
            one.result()

    def _read(self) -> None:
        began_s = monotonic()
        try:
            value = self._reads()
        except NightlightError as error:
            self._error = error
        else:
            self._last, self._error = _Read(value, began_s), None
