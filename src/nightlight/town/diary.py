"""What happens when: writes down events as they happen and keeps what is still to come.

Also delivers as a platform does: a few lines arrive late, and a few twice.
"""

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from random import Random

from nightlight.model.event import EventData
from nightlight.town.plan import TownPlan
from nightlight.town.rhythm import MINUTE_MS
from nightlight.town.wire import LineWriter

_LATE_SHARE = 0.005
_TWICE_SHARE = 0.002
_LEAST_DELAY_MS = 20_000
_LONGEST_DELAY_MS = 30 * MINUTE_MS


class Diary:
    """The events of one town, in the order in which they happen."""

    def __init__(self, *, plan: TownPlan, rng: Random) -> None:
        self._rng = rng
        self._writer = LineWriter(seed=plan.seed)
        self._seed = f"{plan.seed:x}"
        self._pending: list[tuple[int, int, Callable[[int], None]]] = []
        self._held: list[tuple[int, int, bytes]] = []
        self._ready: list[bytes] = []
        self._order = 0
        self._reports = 0
        self.posts = 0
        self.media = 0
        self.delivered = 0

    def post_id(self) -> str:
        """Return an id that no post has yet."""
        self.posts += 1
        return f"p{self._seed}-{self.posts:x}"

    def media_id(self) -> str:
        """Return an id that no upload has yet."""
        self.media += 1
        return f"m{self._seed}-{self.media:x}"

    def user_report_id(self) -> str:
        """Return an id that no user report has yet."""
        self._reports += 1
        return f"u{self._seed}-{self._reports:x}"

    def write(self, at_ms: int, data: EventData) -> None:
        """Write the event down, to be delivered now, late or twice."""
        line = self._writer.line(at_ms, data)
        chance = self._rng.random()
        if chance < _LATE_SHARE + _TWICE_SHARE:
            delay_ms = self._rng.randint(_LEAST_DELAY_MS, _LONGEST_DELAY_MS)
            self._order += 1
            heappush(self._held, (at_ms + delay_ms, self._order, line))
            if chance < _LATE_SHARE:
                return
        self._ready.append(line)

    def later(self, at_ms: int, act: Callable[[int], None]) -> None:
        """Remember to do this at that time."""
        self._order += 1
        heappush(self._pending, (at_ms, self._order, act))

    def run(self, moments: Iterator[tuple[int, int, Callable[[int], None]]]) -> Iterator[bytes]:
        """Yield every line: of the moments' acts, and of what these left for later."""
        for at_ms, _, act in moments:
            while self._pending and self._pending[0][0] <= at_ms:
                pending_ms, _, pending = heappop(self._pending)
                pending(pending_ms)
                if self._ready:
                    yield from self._deliver(pending_ms)
            act(at_ms)
            if self._ready:
                yield from self._deliver(at_ms)
        while self._pending:
            pending_ms, _, pending = heappop(self._pending)
            pending(pending_ms)
            yield from self._deliver(pending_ms)
        while self._held:
            yield from self._deliver(self._held[0][0])

    def _deliver(self, at_ms: int) -> Iterator[bytes]:
        while self._held and self._held[0][0] <= at_ms:
            self.delivered += 1
            yield heappop(self._held)[2]
        for line in self._ready:
            self.delivered += 1
            yield line
        self._ready.clear()
