"""How alike two videos are, frame by frame and along time: arrays in, numbers out.

Frame by frame, only hashes of whole frames within the distance of a PDQ match count. Along time,
parts of frames and larger distances count as well, because many moments that agree on one line,
an offset and a speed, say what no single frame does.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from nightlight.kernel.video import DISTANCE_BITS, MATCHABLE_QUALITY, Frames, loops

#: Frames further apart than this show different things; moments of one shot mostly do not.
_APART_BITS = 80
_MOST_DISTINCT = 16
#: The speeds tried: how much faster the bank's video runs than the query.
_SPEEDS = np.array([0.4, 0.5, 0.57, 0.67, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5])
_BIN_MS = 500
_WINDOW_MS = 500.0
#: Unrelated frames lie 128 +- 8 bits apart, other moments of the same shot rarely under 60.
_LINE_BITS = 56
_NO_BITS = 256
#: A frame of which parts are hashed stands for the time until the next such, but not for more.
_PARTS_LAST_MS = 2000


class Likeness(Struct, frozen=True, kw_only=True):
    """What two videos have in common; shares are of the time shown in matchable frames.

    Attributes:
        query_share: how much of the query is found in the bank's video, frame by frame.
        bank_share: how much of the bank's video is found in the query.
        distance_bits: the median distance of the query's moments that are found, 256 if none.
        distinct: how many different things (up to 16) the found hashes show, in both videos.
        aligned_ms: how long the query's moments last that are found on the line, by whole frames
            or by parts, whichever is longer.
        aligned_share: how much of the query that is.
        aligned_bank_share: how much of the bank's video is found on the line.
        aligned_bits: the median distance of the query's moments found there, 256 if none.
        line_share: how much of the query lies near the bank's video, on the line.
        line_bank_share: how much of the bank's video that is.
        line_bits: the median distance on that line, 256 if there is none.
    """

    query_share: float = 0.0
    bank_share: float = 0.0
    distance_bits: int = _NO_BITS
    distinct: int = 0
    aligned_ms: int = 0
    aligned_share: float = 0.0
    aligned_bank_share: float = 0.0
    aligned_bits: int = _NO_BITS
    line_share: float = 0.0
    line_bank_share: float = 0.0
    line_bits: int = _NO_BITS


class _Moments(Struct, frozen=True):
    """The matchable hashes of a video by moment: where in the rows each starts, how long it lasts.

    Every moment is kept that has a matchable hash of any kind, so that shares are of the same
    time whichever hashes are compared. Kinds tell apart what of a frame was hashed: all of it,
    with and without borders, and its parts, each.
    """

    rows: NDArray[np.uint64]
    times: NDArray[np.int64]
    is_part: NDArray[np.bool_]
    kinds: NDArray[np.int64]
    starts: NDArray[np.int64]
    lasts: NDArray[np.int64]

    def best(self, distances: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the least distance of each moment's hashes."""
        return np.asarray(np.minimum.reduceat(distances, self.starts), np.int64)

    def share(self, is_found: NDArray[np.bool_]) -> float:
        """Return how much of the time these moments take."""
        return float(self.lasts[is_found].sum() / self.lasts.sum())


class _Line(Struct, frozen=True):
    speed: float
    offset_ms: float


def compare(query: Frames, bank: Frames) -> Likeness:
    """Return what two videos have in common; nothing where either has no matchable frame."""
    asked, known = _moments(query), _moments(bank)
    if not len(asked.rows) or not len(known.rows):
        return Likeness()
    of_query, of_bank = loops().nearest(asked.rows, known.rows)
    if not (of_query <= DISTANCE_BITS).any():
        return Likeness()
    whole, bank_whole = _nearest_whole(asked, known)
    line = _agreed_line(asked, known, of_query)
    on_line, bank_on_line = _distances_on_line(asked, known, line)
    near = on_line <= _LINE_BITS
    found = on_line <= DISTANCE_BITS
    aligned_ms, aligned_share = _aligned(asked, found)
    return Likeness(
        query_share=asked.share(whole <= DISTANCE_BITS),
        bank_share=known.share(bank_whole <= DISTANCE_BITS),
        distance_bits=_median(whole[whole <= DISTANCE_BITS]),
        distinct=min(_distinct(asked, of_query), _distinct(known, of_bank)),
        aligned_ms=aligned_ms,
        aligned_share=aligned_share,
        aligned_bank_share=_aligned(known, bank_on_line <= DISTANCE_BITS)[1],
        aligned_bits=_median(on_line[found]),
        line_share=asked.share(near),
        line_bank_share=known.share(bank_on_line <= _LINE_BITS),
        line_bits=_median(on_line[near]),
    )


def _moments(frames: Frames) -> _Moments:
    times, first = np.unique(frames.times_ms, return_index=True)
    # The last moment lasts as long as is usual; how long it is really shown hardly matters.
    usual = int(np.median(np.diff(times))) if len(times) > 1 else 1000
    lasts = np.diff(times, append=times[-1:] + usual)
    good = frames.quality >= MATCHABLE_QUALITY
    moment_of = np.searchsorted(first, np.arange(len(frames)), side="right") - 1
    kept, starts = np.unique(moment_of[good], return_index=True)
    return _Moments(
        np.ascontiguousarray(frames.rows[good]),
        np.ascontiguousarray(frames.times_ms[good]),
        frames.is_part[good],
        _kinds(frames, first[moment_of])[good],
        starts,
        lasts[kept],
    )


def _nearest_whole(asked: _Moments, known: _Moments) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each moment's distance to the nearest of the other side, by whole frames alone."""
    of_query, of_bank = loops().nearest(asked.rows[~asked.is_part], known.rows[~known.is_part])
    found = []
    for side, distances in ((asked, of_query), (known, of_bank)):
        every = np.full(len(side.rows), _NO_BITS + 1, np.int64)
        every[~side.is_part] = distances
        found.append(side.best(every))
    return found[0], found[1]


def _kinds(frames: Frames, begins: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each hash's place among those of its moment; parts count from 16 on."""
    places = np.arange(len(frames)) - begins
    # A moment's whole frames come first, so a part's place among parts is that after them.
    wholes = np.zeros(len(frames) + 1, np.int64)
    np.cumsum(~frames.is_part, out=wholes[1:])
    before = wholes[:-1] - wholes[begins]
    return np.asarray(np.where(frames.is_part, 16 + places - before, places), np.int64)


def _distinct(side: _Moments, distances: NDArray[np.int64]) -> int:
    """Return how many different things the found hashes show, of one kind: the most of any.

    Parts of one frame differ as much as frames of other shots do, so kinds are not mixed; and
    where only a part is found, what moves beside it does not make it different.
    """
    found = distances <= DISTANCE_BITS
    kinds = np.unique(side.kinds[found])
    return max(
        int(
            loops().count_distinct(
                side.rows[found & (side.kinds == kind)], _APART_BITS, _MOST_DISTINCT
            )
        )
        for kind in kinds
    )


def _agreed_line(asked: _Moments, known: _Moments, of_query: NDArray[np.int64]) -> _Line:
    """Return the line that most of the query's time agrees on."""
    near = of_query <= DISTANCE_BITS
    # Several hashes of one moment share its time, so that the moment counts about once.
    counts = np.diff(asked.starts, append=len(asked.rows))
    stands = np.repeat(np.maximum(asked.lasts // counts, 1), counts)
    times = asked.times[near]
    votes = loops().line_votes(
        (asked.rows[near], times, stands[near]),
        (known.rows, known.times),
        DISTANCE_BITS,
        _SPEEDS,
        _BIN_MS,
    )
    # Among equals the speed nearest to 1, as it claims least.
    order = np.argsort(np.abs(np.log(_SPEEDS)), kind="stable")
    place, column = np.unravel_index(np.argmax(votes[order]), votes.shape)
    first, _ = loops().offset_bins(times, known.times, _SPEEDS, _BIN_MS)
    return _Line(float(_SPEEDS[order[place]]), float((first + int(column)) * _BIN_MS))


def _distances_on_line(
    asked: _Moments, known: _Moments, line: _Line
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the moments' distances to what the other side shows at their place on the line."""
    forth = loops().line_nearest(
        (asked.rows, asked.times),
        (known.rows, known.times),
        line.speed,
        line.offset_ms,
        _WINDOW_MS,
    )
    back = loops().line_nearest(
        (known.rows, known.times),
        (asked.rows, asked.times),
        1 / line.speed,
        -line.offset_ms / line.speed,
        _WINDOW_MS / line.speed,
    )
    return asked.best(forth), known.best(back)


def _aligned(side: _Moments, found: NDArray[np.bool_]) -> tuple[int, float]:
    """Return how long the found moments last, and how much of the video that is.

    Parts are hashed of few frames, and where only parts can be found, only those frames can.
    """
    by_frames = int(side.lasts[found].sum()), side.share(found)
    has_parts = np.logical_or.reduceat(side.is_part, side.starts)
    times = side.times[side.starts][has_parts]
    if not len(times):
        return by_frames
    ends = np.append(times[1:], times[-1] + _BIN_MS)
    lasts = np.minimum(ends - times, _PARTS_LAST_MS)
    by_parts = int(lasts[found[has_parts]].sum())
    return max(by_frames, (by_parts, by_parts / float(lasts.sum())))


def _median(distances: NDArray[np.int64]) -> int:
    return int(np.median(distances)) if len(distances) else _NO_BITS
