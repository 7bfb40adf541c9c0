"""Which of a video's hashes are indexed, asked about and compared: few that still find it."""

import numpy as np
from numpy.typing import NDArray

from nightlight.kernel.video import MATCHABLE_QUALITY, Frames, loops

#: Of two videos that have only some moments in common, what lies this near to those is compared.
_NEAR_MS = 4000


def matchable(frames: Frames, still_bits: int) -> Frames:
    """Return the hashes that can be matched; of whole frames none so near the one kept before."""
    good = frames.taken(frames.quality >= MATCHABLE_QUALITY)
    whole, parts = good.taken(~good.is_part), good.taken(good.is_part)
    kept = whole.taken(loops().places_of_news(np.ascontiguousarray(whole.rows), still_bits))
    return joined([kept, parts])


def every(frames: Frames, interval_ms: int) -> Frames:
    """Return the first hash of one moment in each interval."""
    times, first = np.unique(frames.times_ms, return_index=True)
    _, chosen = np.unique(times // interval_ms, return_index=True)
    return frames.taken(first[chosen])


def with_parts_every(frames: Frames, interval_ms: int) -> Frames:
    """Return all whole frames, and the parts of one moment in each interval."""
    seldom = every(frames.taken(frames.is_part), interval_ms)
    return frames.taken(~frames.is_part | np.isin(frames.times_ms, seldom.times_ms))


def near(frames: Frames, times_ms: NDArray[np.int64], at_most: int) -> tuple[Frames, float]:
    """Return what is shown around these times, and how much of the video that is.

    Args:
        frames: in order of time.
        times_ms: one or more.
        at_most: as many hashes as are returned, the first ones.
    """
    marks = np.unique(times_ms)
    after = np.minimum(np.searchsorted(marks, frames.times_ms), len(marks) - 1)
    before = np.maximum(after - 1, 0)
    away = np.minimum(
        np.abs(marks[after] - frames.times_ms), np.abs(marks[before] - frames.times_ms)
    )
    kept = np.flatnonzero(away <= _NEAR_MS)[:at_most]
    moments, first = np.unique(frames.times_ms, return_index=True)
    lasts = np.diff(moments, append=moments[-1:] + 1)
    total = float(lasts.sum())
    return frames.taken(kept), float(lasts[np.isin(first, kept)].sum()) / total


def joined(parts: list[Frames]) -> Frames:
    """Return frames after one another, in the order given."""
    return Frames(
        np.concatenate([one.rows for one in parts]),
        np.concatenate([one.quality for one in parts]),
        np.concatenate([one.times_ms for one in parts]),
        np.concatenate([one.is_part for one in parts]),
    )
