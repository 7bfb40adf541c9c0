"""The same scan as ``_reference``, compiled on first use; without the interpreter's lock."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray


def _emit_popcount(_typing_context: Any, _value: Any) -> Any:
    """Tell Numba to count the set bits of a 64-bit word with the processor's own instruction."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), emit


_popcount: Any = intrinsic(_emit_popcount)


def _scan(
    queries: NDArray[np.uint64],
    bank: NDArray[np.uint64],
    distance_bits: int,
) -> tuple[NDArray[np.int64], int]:
    """Return rows of (query, entry, distance), of which the second value says how many count."""
    rows = np.empty((64, 3), np.int64)
    count = 0
    for query in range(queries.shape[0]):
        first, second = queries[query, 0], queries[query, 1]
        third, fourth = queries[query, 2], queries[query, 3]
        for entry in range(bank.shape[0]):
            # Two words before the first exit: unrelated hashes differ by about 64 of their 128
            # bits, so the branch is foreseeable; after one word it is a coin toss.
            distance = np.int64(_popcount(first ^ bank[entry, 0]))
            distance += np.int64(_popcount(second ^ bank[entry, 1]))
            if distance > distance_bits:
                continue
            distance += np.int64(_popcount(third ^ bank[entry, 2]))
            if distance > distance_bits:
                continue
            distance += np.int64(_popcount(fourth ^ bank[entry, 3]))
            if distance > distance_bits:
                continue
            if count == rows.shape[0]:
                larger = np.empty((2 * count, 3), np.int64)
                larger[:count] = rows
                rows = larger
            rows[count, 0] = query
            rows[count, 1] = entry
            rows[count, 2] = distance
            count += 1
    return rows, count


def _compile(function: Callable[..., Any]) -> Any:
    """Return ``function`` compiled, kept on disk between runs where a place for that exists."""
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # a read-only installation and no home directory to write to
        return njit(nogil=True)(function)


_compiled_scan = _compile(_scan)


def scan(
    queries: NDArray[np.uint64],
    bank: NDArray[np.uint64],
    distance_bits: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return query index, bank index and distance of every pair within ``distance_bits``."""
    rows, count = _compiled_scan(queries, bank, distance_bits)
    return rows[:count, 0], rows[:count, 1], rows[:count, 2]
