"""When things happen: days and nights, weekends and bursts."""

import math
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from random import Random

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

_STEP_MS = 10 * MINUTE_MS
_STEPS_A_DAY = DAY_MS // _STEP_MS
_NIGHT = 0.15
_WEEKEND = 1.2
_WEEKEND_DAYS = (0, 6)
_LONGEST_BURST = 12


class Rhythm:
    """The share of all activity that has happened by each moment of the plan's days."""

    def __init__(self, *, start_ms: int, days: int, rng: Random) -> None:
        self.start_ms = start_ms
        weights = [_weight(step) for step in range(days * _STEPS_A_DAY)]
        for _ in range(max(1, days // 2)):
            first = rng.randrange(len(weights))
            for step in range(first, min(len(weights), first + rng.randint(2, _LONGEST_BURST))):
                weights[step] *= rng.uniform(1.5, 4)
        total = sum(weights)
        self._shares = [share / total for share in accumulate(weights)]

    def moment(self, share: float) -> int:
        """Return the time in ms by which this share (0 to 1) of all activity has happened."""
        step = min(bisect_right(self._shares, share), len(self._shares) - 1)
        before = self._shares[step - 1] if step else 0.0
        part = (share - before) / (self._shares[step] - before)
        return self.start_ms + int((step + min(part, 1.0)) * _STEP_MS)

    def moments(self, count: int, rng: Random) -> Iterator[int]:
        """Yield ``count`` moments in order, spread as activity is, without holding them."""
        for index in range(count):
            yield self.moment((index + rng.random()) / count)


def _weight(step: int) -> float:
    """Return how busy a step is: quiet at four at night, busiest at four in the afternoon."""
    day, of_day = divmod(step, _STEPS_A_DAY)
    wave = 0.5 - 0.5 * math.cos(2 * math.pi * (of_day / _STEPS_A_DAY - 4 / 24))
    return (_NIGHT + wave) * (_WEEKEND if day % 7 in _WEEKEND_DAYS else 1.0)
