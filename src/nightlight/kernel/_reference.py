"""The truth that every faster backend must equal: plain NumPy, one query at a time."""

import numpy as np
from numpy.typing import NDArray


def scan(
    queries: NDArray[np.uint64],
    bank: NDArray[np.uint64],
    distance_bits: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return query index, bank index and distance of every pair within ``distance_bits``."""
    found_queries: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    found_entries: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    found_distances: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    for number, query in enumerate(queries):
        distances = np.bitwise_count(bank ^ query).sum(axis=1, dtype=np.int64)
        near = np.flatnonzero(distances <= distance_bits)
        found_queries.append(np.full(len(near), number, np.int64))
        found_entries.append(near)
        found_distances.append(distances[near])
    return (
        np.concatenate(found_queries),
        np.concatenate(found_entries),
        np.concatenate(found_distances),
    )
