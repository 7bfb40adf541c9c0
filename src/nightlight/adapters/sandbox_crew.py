"""Who works in a sandbox: workers are started when somebody waits, lent, replaced and ended."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Condition, Thread
from time import monotonic

from msgspec import Struct

from nightlight.adapters.sandbox_worker import Worker
from nightlight.errors import Unavailable

#: Of how many workers one is kept for what does not take long.
_KEPT_OF = 4


class _Order(Struct, frozen=True, kw_only=True):
    """A worker to start, in the place of another if one is named."""

    instead_of: Worker | None = None


class Crew:
    """Lends each worker to one thread at a time, and never all of them to what takes long.

    One thread of its own starts every process and lives as long as the crew: the kernel ends a
    child when the thread that started it ends, not when the process does.
    """

    def __init__(
        self, *, make: Callable[[], Worker], size: int, files_per_worker: int, start_s: float
    ) -> None:
        """Keep how; nothing is started yet."""
        self._make = make
        self._size = size
        self._files_per_worker = files_per_worker
        self._start_s = start_s
        self._changed = Condition()
        self._orders: SimpleQueue[_Order | None] = SimpleQueue()
        self._starter: Thread | None = None
        self._all: set[Worker] = set()
        self._idle: list[Worker] = []
        # With one worker alone there is nothing to share.
        self._most_long = max(1, size - max(1, size // _KEPT_OF))
        self._long: set[Worker] = set()
        self._ordered = self._waiting = self._failures = 0
        self._why = ""
        self._closed = False
        self.walls: frozenset[str] = frozenset()

    def prepare(self) -> None:
        """Return at once; if there is no worker, one becomes ready in the background."""
        with self._changed:
            if not self._closed and not self._all and not self._ordered:
                self._order(_Order())

    @contextmanager
    def worker(self, *, is_long: bool = False, until_s: float | None = None) -> Iterator[Worker]:
        """Lend a worker; if the block is left by an error, the worker is ended and replaced.

        Args:
            is_long: it is for what may take long, of which some workers are kept free.
            until_s: how long to wait for one at the most, by the monotonic clock.

        Raises:
            Unavailable: none can be started, or none is free in time.
        """
        worker = self._borrow(is_long=is_long, until_s=until_s)
        whole = False
        try:
            yield worker
            whole = True
        finally:
            if whole:
                self._take_back(worker)
            else:
                self._lose(worker)

    def close(self) -> None:
        """End every worker; who waits for one is refused."""
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = self._all.difference(idle)
            self._changed.notify_all()
        for worker in busy:
            worker.kill()  # Whoever holds it notices, and ends it.
        for worker in idle:
            worker.end()
        self._orders.put(None)

    def _borrow(self, *, is_long: bool, until_s: float | None) -> Worker:
        with self._changed:
            failures = self._failures
            self._waiting += 1
            try:
                while True:
                    if self._closed:
                        raise Unavailable("no decoder can be had: the sandbox is closed")
                    may_have_one = not is_long or len(self._long) < self._most_long
                    worker = self._idle_and_well() if may_have_one else None
                    if worker is not None:
                        if is_long:
                            self._long.add(worker)
                        return worker
                    if self._failures == failures:
                        self._order_for_who_waits()
                    elif not self._all and not self._ordered:
                        raise Unavailable(f"no decoder can be had: {self._why}")
                    left_s = None if until_s is None else until_s - monotonic()
                    if left_s is not None and left_s <= 0:
                        raise Unavailable("no decoder was free in time")
                    self._changed.wait(left_s)
            finally:
                self._waiting -= 1

    def _idle_and_well(self) -> Worker | None:
        """Return the worker that worked last, so that what it knows is still in the caches."""
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            self._all.discard(worker)
            worker.end()
        return None

    def _take_back(self, worker: Worker) -> None:
        with self._changed:
            self._long.discard(worker)
            # All of them: the one that waited longest may wait for something that takes long.
            self._changed.notify_all()
            if not worker.leaving and not self._closed:
                self._idle.append(worker)
                if worker.files == self._files_per_worker:
                    self._order(_Order(instead_of=worker))
                return
            self._all.discard(worker)
        worker.end()

    def _lose(self, worker: Worker) -> None:
        worker.end()
        with self._changed:
            self._all.discard(worker)
            self._long.discard(worker)
            # The next file need not wait for all of a start.
            if not self._closed and not self._idle:
                self._order_for_who_waits(at_least=1)
            self._changed.notify_all()

    def _order_for_who_waits(self, *, at_least: int = 0) -> None:
        wanted = min(max(self._waiting, at_least), self._size - len(self._all))
        for _ in range(wanted - self._ordered):
            self._order(_Order())

    def _order(self, order: _Order) -> None:
        self._ordered += 1
        if self._starter is None:
            self._starter = Thread(target=self._start_all, name="sandbox", daemon=True)
            self._starter.start()
        self._orders.put(order)

    def _start_all(self) -> None:
        while (order := self._orders.get()) is not None:
            try:
                worker = self._make()
            except Unavailable as error:
                self._failed(str(error))
                continue
            Thread(target=self._welcome, args=(worker, order), daemon=True).start()

    def _welcome(self, worker: Worker, order: _Order) -> None:
        try:
            walls = worker.greet(within_s=self._start_s)
        except Unavailable as error:
            worker.end()
            self._failed(str(error))
            return
        retired: Worker | None = None
        with self._changed:
            self._ordered -= 1
            closed = self._closed
            if not closed:
                self.walls = walls
                self._all.add(worker)
                self._idle.append(worker)
                retired = self._retire(order.instead_of)
            self._changed.notify_all()
        if closed:
            worker.end()
        if retired is not None:
            retired.end()

    def _retire(self, worker: Worker | None) -> Worker | None:
        """Let a worker go; return it if nobody holds it, else it goes when it is given back."""
        if worker is None:
            return None
        worker.leaving = True
        if worker not in self._idle:
            return None
        self._idle.remove(worker)
        self._all.discard(worker)
        return worker

    def _failed(self, why: str) -> None:
        with self._changed:
            self._ordered -= 1
            self._failures += 1
            self._why = why
            self._changed.notify_all()
