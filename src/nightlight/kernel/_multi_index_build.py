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
from nightlight.kernel._room import copied, room_for

CHUNK_BITS = 16
CHUNKS = 16
BUCKETS = 1 << CHUNK_BITS
#: Signatures that are compared at once; so many more are kept behind the last.
LANES = 32

_BITS = 256
_BYTES = _BITS // 8
_WORDS = _BITS // 64
_MOST_HASHES = 2**32 - 1
#: Sorting takes the upper half of a value first and then the lower one: so it writes to a few
#: hundred places at a time, which the processor's cache holds, and not to 65,536.
_HALF_BITS = CHUNK_BITS // 2
_HALVES = 1 << _HALF_BITS
#: More threads would take more memory, and memory is what they would wait for.
_MOST_THREADS = 4
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


def _spread_words(rows: Any, row: Any, table: Any) -> Any:
    """Return one of the hashes with its bits in their places: four words of four chunks each."""
    first = second = third = fourth = np.uint64(0)
    for word in range(_WORDS):
        bits = rows[row, word]
        for place in range(_BYTES // _WORDS * word, _BYTES // _WORDS * (word + 1)):
            # Unsigned, so that nothing asks whether it counts from the end.
            value = bits & np.uint64(255)
            bits >>= np.uint64(8)
            first |= table[np.uint64(place), value, 0]
            second |= table[np.uint64(place), value, 1]
            third |= table[np.uint64(place), value, 2]
            fourth |= table[np.uint64(place), value, 3]
    return first, second, third, fourth


_spread_words = _compile(_spread_words)


def _spread_row(rows: Any, row: Any, table: Any, chunks: Any) -> None:
    """Write the 16 chunks of one of the hashes."""
    words = _spread_words(rows, row, table)
    for word in range(_WORDS):
        for part in range(CHUNKS // _WORDS):
            bits = words[word] >> np.uint64(CHUNK_BITS * part)
            chunks[CHUNKS // _WORDS * word + part] = np.uint16(bits)


spread_row = _compile(_spread_row)


def _spread(rows: Any, table: Any, chunks: Any) -> None:
    for row in range(rows.shape[0]):
        spread_row(rows, row, table, chunks[row])


def _spread_columns(rows: Any, begin: Any, end: Any, table: Any, following: Any) -> None:
    """Write for each of these hashes and each chunk, chunk by chunk, the value of the next one."""
    for row in range(begin, end):
        words = _spread_words(rows, row, table)
        for word in range(_WORDS):
            for part in range(CHUNKS // _WORDS):
                bits = words[word] >> np.uint64(CHUNK_BITS * part)
                before = (CHUNKS // _WORDS * word + part + CHUNKS - 1) % CHUNKS
                following[before, row] = np.uint16(bits)


def _sort_roughly(keys: Any, following: Any, entries: Any, begins: Any) -> None:
    """Write one chunk's entries (value, next value, row number) in the order of the upper bits.

    Those whose upper bits are b come from begins[b] to before begins[b + 1].
    """
    for row in range(keys.shape[0]):
        begins[np.uint64(keys[row] >> _HALF_BITS) + np.uint64(1)] += 1
    places = np.empty(_HALVES, np.int64)
    for value in range(_HALVES):
        places[value] = begins[value]
        begins[value + 1] += begins[value]
    for row in range(keys.shape[0]):
        own = np.uint64(keys[row])
        upper = own >> np.uint64(_HALF_BITS)
        place = np.uint64(places[upper])
        places[upper] += 1
        entry = (own << np.uint64(48)) | (np.uint64(following[row]) << np.uint64(32))
        entries[place] = entry | np.uint64(row)


def _sort_finely(entries: Any, begins: Any, starts: Any, ids: Any, signatures: Any) -> None:
    """Fill one chunk's part of the tables: each share of the entries fits the processor's cache."""
    places = np.empty(_HALVES, np.int64)
    for upper in range(_HALVES):
        begin, end = begins[upper], begins[upper + 1]
        places[:] = 0
        for n in range(begin, end):
            places[(entries[n] >> np.uint64(48)) & np.uint64(_HALVES - 1)] += 1
        place = begin
        for value in range(_HALVES):
            count = places[value]
            places[value] = place
            starts[upper * _HALVES + value] = place
            place += count
        for n in range(begin, end):
            entry = entries[n]
            lower = (entry >> np.uint64(48)) & np.uint64(_HALVES - 1)
            to = np.uint64(places[lower])
            places[lower] += 1
            ids[to] = np.uint32(entry)
            signatures[to] = np.uint16(entry >> np.uint64(32))
    starts[BUCKETS] = ids.shape[0]


_compiled_spread = _compile(_spread)
_compiled_columns = _compile(_spread_columns)
_compiled_roughly = _compile(_sort_roughly)
_compiled_finely = _compile(_sort_finely)


def chunks_of(rows: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Return the 16 chunks of every hash."""
    chunks = np.empty((len(rows), CHUNKS), np.uint16)
    _compiled_spread(rows, spread_table(), chunks)
    return chunks


def build(rows: NDArray[np.uint64], *, threads: int | None = None) -> Tables:
    """Return the tables of these hashes, built by as many threads as there are processors, up to 4.

    Besides the result it takes 2 bytes a hash while it builds, and 8 for each thread.

    Raises:
        ValueError: there are more than 2^32 - 1 hashes.
    """
    hashes = len(rows)
    if hashes > _MOST_HASHES:
        raise ValueError(f"one index holds at most {_MOST_HASHES} hashes")
    side_by_side = threads or min(_MOST_THREADS, os.cpu_count() or 1)
    starts = room_for((CHUNKS, BUCKETS + 1), np.uint32)
    ids = room_for((CHUNKS, hashes), np.uint32)
    signatures = room_for((CHUNKS * hashes + LANES,), np.uint16)
    signatures[CHUNKS * hashes :] = 0
    following = signatures[: CHUNKS * hashes].reshape(CHUNKS, hashes)
    entries = room_for((side_by_side, hashes), np.uint64)
    begins = np.empty((side_by_side, _HALVES + 1), np.int64)

    def spread(part: int) -> None:
        begin, end = part * hashes // CHUNKS, (part + 1) * hashes // CHUNKS
        _compiled_columns(rows, begin, end, spread_table(), following)

    def roughly(chunk: int) -> None:
        own, keys = chunk % side_by_side, following[chunk - 1] if chunk else first
        begins[own] = 0
        _compiled_roughly(keys, following[chunk], entries[own], begins[own])

    def finely(chunk: int) -> None:
        own = chunk % side_by_side
        _compiled_finely(entries[own], begins[own], starts[chunk], ids[chunk], following[chunk])

    # Threads of our own: Numba's parallel loops may not be entered by two threads at a time.
    with ThreadPoolExecutor(side_by_side) as pool:
        list(pool.map(spread, range(CHUNKS)))
        first = copied(following[-1])
        # The values of a chunk lie where the chunk before it will put its own next values, so
        # that one reads before the other writes: from the last chunk to the first.
        for end in range(CHUNKS, 0, -side_by_side):
            group = range(max(0, end - side_by_side), end)
            list(pool.map(roughly, group))
            list(pool.map(finely, group))
    tables = Tables(starts=starts.reshape(-1), ids=ids.reshape(-1), signatures=signatures)
    for array in (tables.starts, tables.ids, tables.signatures):
        array.setflags(write=False)
    return tables
