"""A value that is read from the store again and again, but not for every request.

Whoever asks gets it as of less than a second before they asked, or waits. A read that fails is told
to everybody who asks, at once: nothing is answered from what could no longer be checked.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from time import monotonic
from typing import Generic, TypeVar

from msgspec import Struct

from nightlight.errors import NightlightError, Unavailable

#: From this age on a new read begins, from that one on whoever asks waits for it.
_SOFT_S = 0.2
_HARD_S = 0.7
#: How old, when somebody asks, what they get may be.
_OLDEST_S = 1.0
#: How long somebody waits: the first time for all there is, later for what changed.
_WAIT_S = 5.0
_FIRST_WAIT_S = 20.0
#: How long a value is given while a large change is taken into it piece by piece: what changed
#: besides is in it, the large change itself is not.
_IN_PIECES_S = 60.0

T = TypeVar("T")


class _Read(Struct, Generic[T], frozen=True):
    value: T
    began_s: float


class Fresh(Generic[T]):
    """Reads a value when it is asked for, in a thread of its own, one read at a time."""

    def __init__(
        self,
        read: Callable[[], T],
        *,
        what: str,
        is_whole: Callable[[], bool] = lambda: True,
        in_pieces_s: float = _IN_PIECES_S,
    ) -> None:
        """Keep the parts; nothing is read yet.

        Args:
            read: reads the value.
            what: what it is, for the message that says it cannot be had.
            is_whole: whether the newest read took in all there is. As long as it did not, another
                follows at once, asked for or not.
            in_pieces_s: for how long what is read meanwhile is given.
        """
        self._reads = read
        self._what = what
        self._is_whole = is_whole
        self._in_pieces_s = in_pieces_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fresh")
        self._last: _Read[T] | None = None
        self._error: NightlightError | None = None
        self._flight: Future[None] | None = None
        self._began_s = 0.0
        # When the first read began since which something was missing.
        self._lacking_since_s: float | None = None

    @property
    def is_read(self) -> bool:
        """Whether it was ever read."""
        return self._last is not None

    @property
    def is_failing(self) -> bool:
        """Whether the newest read failed, takes too long, or a large change does."""
        takes_long = self._is_reading() and monotonic() - self._began_s > _WAIT_S
        return self._error is not None or (self.is_read and (takes_long or self._is_late()))

    async def get(self) -> T:
        """Return the value.

        Raises:
            Unavailable: it cannot be read now, or not in time.
        """
        asked_s = monotonic()
        last = self._last
        if last is not None and self._error is None and asked_s - last.began_s < _HARD_S:
            if asked_s - last.began_s >= _SOFT_S:
                self._begin()
            return self._given(last)
        return await self._read_since(asked_s - _OLDEST_S)

    async def renewed(self) -> T:
        """Return the value as of now, for whoever has just changed it.

        Raises:
            Unavailable: it cannot be read now, or not in time.
        """
        return await self._read_since(monotonic(), at_once=True)

    async def _read_since(self, since_s: float, *, at_once: bool = False) -> T:
        """Return the value of a read that began no earlier, waiting for it as long as may be."""
        until_s = monotonic() + (_WAIT_S if self.is_read else _FIRST_WAIT_S)
        if at_once and self._flight is not None:
            await self._finished(self._flight, until_s)
        while True:
            await self._finished(self._begin(at_once=at_once), until_s)
            if self._error is not None:
                raise Unavailable(f"{self._what} cannot be read: {self._error}") from self._error
            last = self._last
            if last is not None and last.began_s >= since_s:
                return self._given(last)
            if monotonic() >= until_s:
                raise Unavailable(f"{self._what}: still being read")

    def _given(self, last: _Read[T]) -> T:
        if self._is_late():
            raise Unavailable(f"{self._what}: a large change is still being read")
        return last.value

    def _is_late(self) -> bool:
        since_s = self._lacking_since_s
        is_long = since_s is not None and monotonic() - since_s > self._in_pieces_s
        return is_long and not self._is_whole()

    def _is_reading(self) -> bool:
        return self._flight is not None and not self._flight.done()

    def _begin(self, *, at_once: bool = False) -> "Future[None]":
        """Return the read that is under way, or a new one; after a failure not at once."""
        flight = self._flight
        if flight is not None and not flight.done():
            return flight
        if flight is None or at_once or monotonic() - self._began_s >= _SOFT_S:
            flight = self._submit()
        return flight

    def _submit(self) -> "Future[None]":
        self._began_s = monotonic()
        flight = self._flight = self._thread.submit(self._read)
        return flight

    async def _finished(self, flight: "Future[None]", until_s: float) -> None:
        wait_s = max(0.0, until_s - monotonic())
        done, _ = await asyncio.wait([asyncio.wrap_future(flight)], timeout=wait_s)
        for one in done:
            one.result()

    def _read(self) -> None:
        began_s = monotonic()
        try:
            value = self._reads()
        except NightlightError as error:
            self._error = error
            return
        is_whole = self._is_whole()
        if is_whole:
            self._lacking_since_s = None
        elif self._lacking_since_s is None:
            self._lacking_since_s = began_s
        self._last, self._error = _Read(value, began_s), None
        if not is_whole:
            with suppress(RuntimeError):  # the program is ending
                self._submit()
