"""All 256-bit hashes within a Hamming distance of others: exact, and the kernel's only door.

A hash is one row of four unsigned 64-bit words, the most significant first. Owns packing and
searching; leaves what a hash means, and which distance is a match, to the caller.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nightlight.kernel import _reference

HASH_BITS = 256
_HASH_BYTES = HASH_BITS // 8
_HASH_DIGITS = HASH_BITS // 4
_WORDS = HASH_BITS // 64

_Pairs: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
_Scan: TypeAlias = Callable[[NDArray[np.uint64], NDArray[np.uint64], int], _Pairs]


@cache
def _scan() -> _Scan:
    """Return the fastest scan that this machine has."""
    try:
        from nightlight.kernel import _numba  # noqa: PLC0415  Numba takes most of a second to load
    except ImportError:  # Numba has no build for this platform: slower, with the same answers
        return _reference.scan
    return _numba.scan


def within(
    queries: NDArray[np.uint64],
    bank: NDArray[np.uint64],
    distance_bits: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return every pair at most ``distance_bits`` apart: query index, bank index, distance.

    The three arrays are as long as there are pairs, ordered by query, distance, bank index.

    Raises:
        ValueError: an array is not of rows of four uint64, or the distance is not in 0 to 256.
    """
    _check_rows("queries", queries)
    _check_rows("bank", bank)
    if not 0 <= distance_bits <= HASH_BITS:
        raise ValueError(f"distance_bits must be 0 to {HASH_BITS}, not {distance_bits}")
    query, entry, distance = _scan()(
        np.ascontiguousarray(queries), np.ascontiguousarray(bank), distance_bits
    )
    order = np.lexsort((entry, distance, query))
    return query[order], entry[order], distance[order]


def pack(hexes: Sequence[str]) -> NDArray[np.uint64]:
    """Return one row of four words for each hash of 64 hex digits, in their order.

    Raises:
        ValueError: one is not 64 hex digits; says which by its position, never what it was.
    """
    try:
        packed = bytes.fromhex("".join(hexes))
    except ValueError:
        packed = b""
    # fromhex skips blanks, so the total length is checked as well as each hash's own.
    if len(packed) != _HASH_BYTES * len(hexes) or any(len(h) != _HASH_DIGITS for h in hexes):
        position = next(n for n, text in enumerate(hexes) if not _is_hash(text))
        raise ValueError(f"the hash at position {position} is not {_HASH_DIGITS} hex digits")
    return np.frombuffer(packed, dtype=">u8").astype(np.uint64).reshape(-1, _WORDS)


def unpack(rows: NDArray[np.uint64]) -> list[str]:
    """Return each row as 64 lower-case hex digits, in order; the reverse of ``pack``.

    Raises:
        ValueError: the array is not of rows of four uint64.
    """
    _check_rows("rows", rows)
    digits = rows.astype(">u8").tobytes().hex()
    return [digits[at : at + _HASH_DIGITS] for at in range(0, len(digits), _HASH_DIGITS)]


def _is_hash(text: str) -> bool:
    return len(text) == _HASH_DIGITS and all(c in "0123456789abcdefABCDEF" for c in text)


def _check_rows(name: str, rows: NDArray[np.uint64]) -> None:
    if rows.dtype != np.uint64 or rows.shape[1:] != (_WORDS,):
        raise ValueError(f"{name} must be rows of {_WORDS} uint64 words")
