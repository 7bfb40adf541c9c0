"""The same loops over video frames as ``_video_reference``, compiled; without the lock."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nightlight.kernel._numba import _compile, _popcount
from nightlight.kernel._video_reference import offset_bins

_NOTHING = 257


def _distance(first: Any, second: Any) -> Any:
    return (
        np.int64(_popcount(first[0] ^ second[0]))
        + np.int64(_popcount(first[1] ^ second[1]))
        + np.int64(_popcount(first[2] ^ second[2]))
        + np.int64(_popcount(first[3] ^ second[3]))
    )


_distance = _compile(_distance)


def _nearest(
    queries: NDArray[np.uint64], bank: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    of_queries = np.full(queries.shape[0], _NOTHING, np.int64)
    of_bank = np.full(bank.shape[0], _NOTHING, np.int64)
    for query in range(queries.shape[0]):
        for entry in range(bank.shape[0]):
            distance = _distance(queries[query], bank[entry])
            of_queries[query] = min(of_queries[query], distance)
            of_bank[entry] = min(of_bank[entry], distance)
    return of_queries, of_bank


def _line_votes(  # noqa: PLR0917  compiled code takes plain arrays
    rows: NDArray[np.uint64],
    times: NDArray[np.int64],
    stands: NDArray[np.int64],
    bank_rows: NDArray[np.uint64],
    bank_times: NDArray[np.int64],
    distance_bits: int,
    speeds: NDArray[np.float64],
    bin_ms: int,
    first: int,
    bins: int,
) -> NDArray[np.int64]:
    votes = np.zeros((speeds.shape[0], bins), np.int64)
    voted = np.full((speeds.shape[0], bins), -1, np.int64)
    for query in range(rows.shape[0]):
        for entry in range(bank_rows.shape[0]):
            if _distance(rows[query], bank_rows[entry]) > distance_bits:
                continue
            for number in range(speeds.shape[0]):
                offset = bank_times[entry] - speeds[number] * times[query]
                begin = np.int64(np.floor(offset / bin_ms)) - first
                for column in range(begin, begin + 2):
                    if voted[number, column] != query:
                        voted[number, column] = query
                        votes[number, column] += stands[query]
    return votes


def _line_nearest(  # noqa: PLR0917  compiled code takes plain arrays
    rows: NDArray[np.uint64],
    times: NDArray[np.int64],
    bank_rows: NDArray[np.uint64],
    bank_times: NDArray[np.int64],
    speed: float,
    offset_ms: float,
    window_ms: float,
) -> NDArray[np.int64]:
    found = np.full(rows.shape[0], _NOTHING, np.int64)
    for query in range(rows.shape[0]):
        place = speed * times[query] + offset_ms
        entry = np.searchsorted(bank_times, place - window_ms)
        while entry < bank_rows.shape[0] and bank_times[entry] <= place + window_ms:
            found[query] = min(found[query], _distance(rows[query], bank_rows[entry]))
            entry += 1
    return found


def _count_distinct(rows: NDArray[np.uint64], apart_bits: int, at_most: int) -> int:
    taken = np.empty(at_most, np.int64)
    count = 0
    for row in range(rows.shape[0]):
        if count == at_most:
            break
        is_new = True
        for one in range(count):
            if _distance(rows[row], rows[taken[one]]) <= apart_bits:
                is_new = False
                break
        if is_new:
            taken[count] = row
            count += 1
    return count


def _places_of_news(rows: NDArray[np.uint64], still_bits: int) -> NDArray[np.int64]:
    places = np.empty(rows.shape[0], np.int64)
    count = 0
    for place in range(rows.shape[0]):
        if count == 0 or _distance(rows[place], rows[places[count - 1]]) > still_bits:
            places[count] = place
            count += 1
    return places[:count]


nearest = _compile(_nearest)
places_of_news = _compile(_places_of_news)
count_distinct = _compile(_count_distinct)
_compiled_votes = _compile(_line_votes)
_compiled_line_nearest = _compile(_line_nearest)


def line_votes(
    queries: tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]],
    bank: tuple[NDArray[np.uint64], NDArray[np.int64]],
    distance_bits: int,
    speeds: NDArray[np.float64],
    bin_ms: int,
) -> NDArray[np.int64]:
    """Return the query time, in ms, on each line: rows are speeds, columns offsets in bins."""
    first, bins = offset_bins(queries[1], bank[1], speeds, bin_ms)
    votes: NDArray[np.int64] = _compiled_votes(
        *queries, *bank, distance_bits, speeds, bin_ms, first, bins
    )
    return votes


def line_nearest(
    queries: tuple[NDArray[np.uint64], NDArray[np.int64]],
    bank: tuple[NDArray[np.uint64], NDArray[np.int64]],
    speed: float,
    offset_ms: float,
    window_ms: float,
) -> NDArray[np.int64]:
    """Return each query row's distance to the nearest bank row around its place on the line."""
    found: NDArray[np.int64] = _compiled_line_nearest(
        *queries, *bank, float(speed), float(offset_ms), float(window_ms)
    )
    return found
