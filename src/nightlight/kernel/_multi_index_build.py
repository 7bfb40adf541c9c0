"""Builds the tables that ``_multi_index`` searches: for each chunk, which hashes have which value.

The bits of a hash are spread over the chunks in a fixed order that looks random: flat and
structured pictures have long runs of equal neighbours, which would make a few buckets huge.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from nightlight.kernel._numba import _compile

CHUNK_BITS = 16
CHUNKS = 16
BUCKETS = 1 << CHUNK_BITS
#: Signatures that are compared at once; so many more are kept behind the last.
LANES = 32

_BITS = 256
_BYTES = _BITS // 8
_WORDS = _BITS // 64
_MOST_HASHES = 2**32 - 1
_MASK = 2**64 - 1


class Tables(Struct, frozen=True, kw_only=True):
    """Where the hashes of each chunk's value are; all read-only, so that files serve as well.

    Attributes:
        starts: for each chunk 65,537 numbers: the hashes whose chunk has value v are from place
            starts[v] to before starts[v + 1].
        ids: for each chunk the row numbers of all hashes, in the order of that chunk's value.
        signatures: for each of ``ids`` the value of its next chunk; and 32 more.
    """

    starts: NDArray[np.uint32]
    ids: NDArray[np.uint32]
    signatures: NDArray[np.uint16]

    def check(self, hashes: int) -> None:
        """Return if a search in these tables reads only what they hold.

        Raises:
            ValueError: they are not tables of so many hashes.
        """
        right = self.starts.shape == (CHUNKS * (BUCKETS + 1),)
        right = right and self.ids.shape == (CHUNKS * hashes,)
        right = right and self.signatures.shape == (CHUNKS * hashes + LANES,)
        if right:
            starts = self.starts.reshape(CHUNKS, -1)
            ascending = bool((starts[:, 1:] >= starts[:, :-1]).all())
            right = ascending and not starts[:, 0].any() and bool((starts[:, -1] == hashes).all())
        if not right:
            raise ValueError("the index is damaged: its tables are not of its hashes")


@cache
def bit_order() -> NDArray[np.uint8]:
    """Return where each bit goes: bit n of a hash (0 the least of its first word) to order[n]."""
    # Fisher-Yates with splitmix64, spelt out because files depend on it: it may never change.
    order, state = list(range(_BITS)), 0
    for last in range(_BITS - 1, 0, -1):
        state = (state + 0x9E3779B97F4A7C15) & _MASK
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        other = (mixed ^ (mixed >> 31)) % (last + 1)
        order[last], order[other] = order[other], order[last]
    return np.array(order, np.uint8)


@cache
def spread_table() -> NDArray[np.uint64]:
    """Return for each byte of a hash and each of its values the words that its bits spread to."""
    table = np.zeros((_BYTES, 256, _WORDS), np.uint64)
    for bit, goes_to in enumerate(bit_order().tolist()):
        values = [value for value in range(256) if value >> (bit % 8) & 1]
        table[bit // 8, values, goes_to // 64] |= np.uint64(1 << (goes_to % 64))
    return table


def _spread_row(rows: Any, row: Any, table: Any, chunks: Any) -> None:
    """Write the 16 chunks of one of the hashes."""
    for word in range(_WORDS):
        bits = np.uint64(0)
        for place in range(_BYTES):
            value = np.int64((rows[row, place // 8] >> np.uint64(8 * (place % 8))) & np.uint64(255))
            bits |= table[place, value, word]
        for part in range(CHUNKS // _WORDS):
            chunks[CHUNKS // _WORDS * word + part] = np.uint16(bits & np.uint64(BUCKETS - 1))
            bits >>= np.uint64(CHUNK_BITS)


spread_row = _compile(_spread_row)


def _spread(rows: Any, table: Any, chunks: Any) -> None:
    for row in range(rows.shape[0]):
        spread_row(rows, row, table, chunks[row])


def _sort_chunk(keys: Any, following: Any, starts: Any, ids: Any, signatures: Any) -> None:
    """Fill one chunk's part of the tables by counting."""
    for row in range(keys.shape[0]):
        starts[np.int64(keys[row]) + 1] += np.uint32(1)
    places = np.empty(BUCKETS, np.int64)
    for bucket in range(BUCKETS):
        places[bucket] = starts[bucket]
        starts[bucket + 1] += starts[bucket]
    for row in range(keys.shape[0]):
        own = np.int64(keys[row])
        place = places[own]
        places[own] = place + 1
        ids[place] = row
        signatures[place] = following[row]


_compiled_spread = _compile(_spread)
_compiled_sort = _compile(_sort_chunk)


def chunks_of(rows: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Return the 16 chunks of every hash."""
    chunks = np.empty((len(rows), CHUNKS), np.uint16)
    _compiled_spread(rows, spread_table(), chunks)
    return chunks


def build(rows: NDArray[np.uint64], *, threads: int | None = None) -> Tables:
    """Return the tables of these hashes, built by as many threads as there are processors.

    Besides the result it takes 32 bytes a hash while it builds.

    Raises:
        ValueError: there are more than 2^32 - 1 hashes.
    """
    hashes = len(rows)
    if hashes > _MOST_HASHES:
        raise ValueError(f"one index holds at most {_MOST_HASHES} hashes")
    chunks = np.empty((hashes, CHUNKS), np.uint16, order="F")
    starts = np.zeros((CHUNKS, BUCKETS + 1), np.uint32)
    ids = np.empty((CHUNKS, hashes), np.uint32)
    signatures = np.empty(CHUNKS * hashes + LANES, np.uint16)
    signatures[CHUNKS * hashes :] = 0
    by_chunk = signatures[: CHUNKS * hashes].reshape(CHUNKS, hashes)

    def spread(part: int) -> None:
        rows_of_part = slice(part * hashes // CHUNKS, (part + 1) * hashes // CHUNKS)
        _compiled_spread(rows[rows_of_part], spread_table(), chunks[rows_of_part])

    def sort(chunk: int) -> None:
        keys, following = chunks[:, chunk], chunks[:, (chunk + 1) % CHUNKS]
        _compiled_sort(keys, following, starts[chunk], ids[chunk], by_chunk[chunk])

    # Threads of our own: Numba's parallel loops may not be entered by two threads at a time.
    with ThreadPoolExecutor(threads or min(CHUNKS, os.cpu_count() or 1)) as pool:
        list(pool.map(spread, range(CHUNKS)))
        list(pool.map(sort, range(CHUNKS)))
    tables = Tables(starts=starts.reshape(-1), ids=ids.reshape(-1), signatures=signatures)
    for array in (tables.starts, tables.ids, tables.signatures):
        array.setflags(write=False)
    return tables
