"""The truth that the compiled loops over video frames must equal: plain NumPy."""

import numpy as np
from numpy.typing import NDArray

_NOTHING = 257


def nearest(
    queries: NDArray[np.uint64], bank: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distance of each row to the nearest of the other side, 257 where it is empty."""
    of_queries = np.full(len(queries), _NOTHING, np.int64)
    of_bank = np.full(len(bank), _NOTHING, np.int64)
    for number, query in enumerate(queries):
        if len(bank):
            distances = np.bitwise_count(bank ^ query).sum(axis=1, dtype=np.int64)
            of_queries[number] = distances.min()
            np.minimum(of_bank, distances, out=of_bank)
    return of_queries, of_bank


def line_votes(
    queries: tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]],
    bank: tuple[NDArray[np.uint64], NDArray[np.int64]],
    distance_bits: int,
    speeds: NDArray[np.float64],
    bin_ms: int,
) -> NDArray[np.int64]:
    """Return the query time, in ms, on each line: rows are speeds, columns offsets in bins.

    A query is rows, times and the time each stands for; the bank is rows and times. A row votes
    once for each line that leads from it to a bank row within ``distance_bits``. Column 0 is the
    line on which the query's end meets the bank's beginning, at the highest speed.
    """
    rows, times, stands = queries
    bank_rows, bank_times = bank
    first, bins = offset_bins(times, bank_times, speeds, bin_ms)
    votes = np.zeros((len(speeds), bins), np.int64)
    for query, time, weight in zip(rows, times, stands, strict=True):
        near = np.bitwise_count(bank_rows ^ query).sum(axis=1, dtype=np.int64) <= distance_bits
        for number, speed in enumerate(speeds):
            offsets = bank_times[near] - speed * time
            # A bin overlaps half of the next, so that a line between two is not cut apart.
            bins_of = np.floor(offsets / bin_ms).astype(np.int64) - first
            votes[number, np.union1d(bins_of, bins_of + 1)] += weight
    return votes


def offset_bins(
    times: NDArray[np.int64],
    bank_times: NDArray[np.int64],
    speeds: NDArray[np.float64],
    bin_ms: int,
) -> tuple[int, int]:
    """Return the number of the first bin of offsets, and how many there are."""
    last_query = float(times.max(initial=0))
    last_bank = float(bank_times.max(initial=0))
    first = int(np.floor(-speeds.max() * last_query / bin_ms))
    last = int(np.floor(last_bank / bin_ms)) + 1
    return first, last - first + 1


def line_nearest(
    queries: tuple[NDArray[np.uint64], NDArray[np.int64]],
    bank: tuple[NDArray[np.uint64], NDArray[np.int64]],
    speed: float,
    offset_ms: float,
    window_ms: float,
) -> NDArray[np.int64]:
    """Return each query row's distance to the nearest bank row around its place on the line.

    The bank's times ascend. 257 where the bank shows nothing within ``window_ms`` of that place.
    """
    rows, times = queries
    bank_rows, bank_times = bank
    found = np.full(len(rows), _NOTHING, np.int64)
    for number, (query, time) in enumerate(zip(rows, times, strict=True)):
        place = speed * time + offset_ms
        begin = np.searchsorted(bank_times, place - window_ms, side="left")
        end = np.searchsorted(bank_times, place + window_ms, side="right")
        if end > begin:
            near = bank_rows[begin:end]
            found[number] = np.bitwise_count(near ^ query).sum(axis=1, dtype=np.int64).min()
    return found


def count_distinct(rows: NDArray[np.uint64], apart_bits: int, at_most: int) -> int:
    """Return how many rows, taken in order, lie further than this from all those taken before."""
    taken: list[NDArray[np.uint64]] = []
    for row in rows:
        if len(taken) == at_most:
            break
        if all(int(np.bitwise_count(row ^ one).sum()) > apart_bits for one in taken):
            taken.append(row)
    return len(taken)


def places_of_news(rows: NDArray[np.uint64], still_bits: int) -> NDArray[np.int64]:
    """Return the places of the rows that lie further than this from the last such row."""
    places: list[int] = []
    for place, row in enumerate(rows):
        if not places or int(np.bitwise_count(row ^ rows[places[-1]]).sum()) > still_bits:
            places.append(place)
    return np.array(places, np.int64)
