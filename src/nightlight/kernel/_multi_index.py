"""Searches the tables of ``_multi_index_build``: exact to 31 bits, compiled on first use.

A hash's 256 bits are spread into 16 chunks of 16. If two hashes differ by at most 31 bits, then
some chunk differs by at most 1, and it together with the next, round the ring, by at most 3: were
there no such chunk, steps from chunk to chunk would add up to 2 a chunk and so to 32 (Qin, Xiao
2018, "Pigeonring"). So 16 x 17 buckets hold all answers, and the next chunk, kept beside each
entry, rules most of their entries out before any hash is fetched from memory.
"""

from typing import Any, TypeAlias

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]  # it ships no types
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from nightlight.kernel._multi_index_build import (
    BUCKETS,
    CHUNK_BITS,
    CHUNKS,
    LANES,
    Tables,
    chunks_of,
    spread_row,
    spread_table,
)
from nightlight.kernel._numba import _compile, _popcount

Pairs: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

#: Up to this many bits of distance the tables find every pair.
MOST_DISTANCE_BITS = 31

_PROBES_A_CHUNK = CHUNK_BITS + 1
_PROBES = CHUNKS * _PROBES_A_CHUNK
#: How many buckets are asked of memory before they are needed: of 2, 4, 8 and 16 the fastest, both
#: at 10 and at 25 million hashes.
_AHEAD = 8
#: Entries whose hashes are fetched together, so that memory answers them side by side.
_ROOM = 256
#: Queries from which on it is faster to go through the buckets in order, for all of them at once.
_MANY_QUERIES = 6144


def _within(flips: int) -> Any:
    """Return an intrinsic: which of the next 32 signatures are within ``flips`` bits of one."""

    def lanes_within(_typing: Any, signatures: Any, _position: Any, _wanted: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            # Clearing the lowest bit that is set, ``flips`` times, leaves 0 where no more were
            # set. Every processor has that on vectors; few have a vector popcount.
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            lane, number = ir.IntType(CHUNK_BITS), ir.IntType(32)
            vector = ir.VectorType(lane, LANES)
            here = builder.gep(array.data, [arguments[1]])
            read = builder.load(builder.bitcast(here, vector.as_pointer()))
            read.align = CHUNK_BITS // 8
            nothing = ir.Constant(vector, ir.Undefined)
            first = builder.insert_element(nothing, arguments[2], ir.Constant(number, 0))
            everywhere = ir.Constant(ir.VectorType(number, LANES), [0] * LANES)
            different = builder.xor(read, builder.shuffle_vector(first, nothing, everywhere))
            minus_one = ir.Constant(vector, [BUCKETS - 1] * LANES)
            for _ in range(flips):
                different = builder.and_(different, builder.add(different, minus_one))
            near = builder.icmp_unsigned("==", different, ir.Constant(vector, [0] * LANES))
            mask = builder.bitcast(near, ir.IntType(LANES))
            return builder.zext(mask, ir.IntType(64))

        return types.uint64(signatures, types.int64, types.uint16), emit

    lanes_within.__name__ = f"lanes_within_{flips}"
    return intrinsic(lanes_within)


def _emit_lowest(_typing: Any, _mask: Any) -> Any:
    """Tell Numba the position of the lowest bit that is set, of a mask that is not 0."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), emit


def _emit_fetch(_typing: Any, array: Any, _position: Any) -> Any:
    """Tell the processor that the element so far from the first is needed soon."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values = context.make_array(signature.args[0])(context, builder, arguments[0])
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch.p0", (), kind)
        here = builder.bitcast(builder.gep(values.data, [arguments[1]]), byte)
        builder.call(prefetch, [here, *(ir.Constant(number, value) for value in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(array, types.int64), emit


_within_two: Any = _within(2)
_within_three: Any = _within(3)
_lowest: Any = intrinsic(_emit_lowest)
_fetch: Any = intrinsic(_emit_fetch)


def _gather(  # noqa: PLR0917  compiled code takes arrays one by one
    signatures: Any, at: Any, end: Any, wanted: Any, exact: Any, asker: Any, noted: Any, count: Any
) -> Any:
    """Note the entries from ``at`` to ``end`` that may answer, and who asked, while there is room.

    Returns where it stopped, and how many are noted.
    """
    while at < end and count <= _ROOM - LANES:
        if exact:
            near = _within_three(signatures, at, wanted)
        else:
            near = _within_two(signatures, at, wanted)
        if end - at < LANES:
            near &= (np.uint64(1) << np.uint64(end - at)) - np.uint64(1)
        while near != 0:
            noted[count, 0] = at + _lowest(near)
            noted[count, 1] = asker
            count += 1
            near &= near - np.uint64(1)
        at += LANES
    return at, count


def _found_before(  # noqa: PLR0917  compiled code takes arrays one by one
    rows: Any, row: Any, chunks: Any, asker: Any, chunk: Any, table: Any, scratch: Any
) -> Any:
    """Return whether an earlier chunk than this leads from the query to the row."""
    spread_row(rows, row, table, scratch)
    for earlier in range(chunk):
        first = _popcount(np.uint64(scratch[earlier] ^ chunks[asker, earlier]))
        following = (earlier + 1) % CHUNKS
        second = _popcount(np.uint64(scratch[following] ^ chunks[asker, following]))
        if first <= 1 and first + second <= 3:  # noqa: PLR2004  the module docstring says why
            return True
    return False


def _verify(  # noqa: PLR0917  compiled code takes arrays one by one
    noted: Any,
    count: Any,
    queries: Any,
    chunks: Any,
    rows: Any,
    ids: Any,
    table: Any,
    distance_bits: Any,
    found: Any,
    total: Any,
) -> Any:
    """Add to ``found`` those noted that are near; ``total`` is -1 where an entry has no row."""
    entries = rows.shape[0]
    scratch = np.empty(CHUNKS, np.uint16)
    for n in range(count):
        _fetch(ids, noted[n, 0])
    for n in range(count):
        row = np.int64(ids[noted[n, 0]])
        if row >= entries:
            return found, -1
        _fetch(rows, 4 * row)
        noted[n, 2] = row
    for n in range(count):
        asker, row = noted[n, 1], noted[n, 2]
        distance = np.int64(_popcount(queries[asker, 0] ^ rows[row, 0]))
        distance += np.int64(_popcount(queries[asker, 1] ^ rows[row, 1]))
        if distance > distance_bits:
            continue
        distance += np.int64(_popcount(queries[asker, 2] ^ rows[row, 2]))
        distance += np.int64(_popcount(queries[asker, 3] ^ rows[row, 3]))
        if distance > distance_bits:
            continue
        if _found_before(rows, row, chunks, asker, noted[n, 0] // entries, table, scratch):
            continue
        if total == found.shape[0]:
            larger = np.empty((2 * total, 3), np.int64)
            for pair in range(total):  # spelt out: slices take seconds to compile
                for column in range(3):
                    larger[pair, column] = found[pair, column]
            found = larger
        found[total, 0] = asker
        found[total, 1] = row
        found[total, 2] = distance
        total += 1
    return found, total


_gather = _compile(_gather)
_found_before = _compile(_found_before)
_verify = _compile(_verify)


def _search_each(  # noqa: PLR0917  compiled code takes arrays one by one
    queries: Any,
    chunks: Any,
    rows: Any,
    starts: Any,
    ids: Any,
    signatures: Any,
    table: Any,
    distance_bits: Any,
) -> Any:
    """Return (query, row, distance) of every pair, query by query, and how many count."""
    entries = rows.shape[0]
    found, total = np.empty((64, 3), np.int64), 0
    noted = np.empty((_ROOM, 3), np.int64)
    begins, ends = np.zeros(_PROBES + _AHEAD, np.int64), np.zeros(_PROBES + _AHEAD, np.int64)
    for query in range(queries.shape[0]):
        for probe in range(_PROBES):
            chunk, flip = probe // _PROBES_A_CHUNK, probe % _PROBES_A_CHUNK
            bucket = np.int64(chunks[query, chunk])
            if flip:
                bucket ^= 1 << (flip - 1)
            bucket += chunk * (BUCKETS + 1)
            begins[probe] = chunk * entries + np.int64(starts[bucket])
            ends[probe] = chunk * entries + np.int64(starts[bucket + 1])
        count = 0
        for probe in range(-_AHEAD, _PROBES):
            begin, end = begins[probe + _AHEAD], ends[probe + _AHEAD]
            for line in range(begin, end, LANES):
                _fetch(signatures, line)
            if begin < end:
                _fetch(signatures, end - 1)
            if probe < 0:
                continue
            at, end, chunk = begins[probe], ends[probe], probe // _PROBES_A_CHUNK
            wanted = chunks[query, (chunk + 1) % CHUNKS]
            exact = probe % _PROBES_A_CHUNK == 0
            while at < end:
                at, count = _gather(signatures, at, end, wanted, exact, query, noted, count)
                if count > _ROOM - LANES:
                    found, total = _verify(
                        noted, count, queries, chunks, rows, ids, table, distance_bits, found, total
                    )
                    count = 0
                    if total < 0:
                        return found, total
        found, total = _verify(
            noted, count, queries, chunks, rows, ids, table, distance_bits, found, total
        )
        if total < 0:
            return found, total
    return found, total


def _search_many(  # noqa: PLR0917  compiled code takes arrays one by one
    queries: Any,
    chunks: Any,
    rows: Any,
    starts: Any,
    ids: Any,
    signatures: Any,
    table: Any,
    distance_bits: Any,
) -> Any:
    """Return what ``_search_each`` does, in another order: every bucket is read once for all."""
    entries = rows.shape[0]
    found, total = np.empty((64, 3), np.int64), 0
    noted, count = np.empty((_ROOM, 3), np.int64), 0
    askers = np.empty(queries.shape[0], np.int64)
    wants = np.empty(queries.shape[0], np.uint16)
    for chunk in range(CHUNKS):
        following = (chunk + 1) % CHUNKS
        # Queries in the order of this chunk: those of value v are askers[asked[v]:asked[v + 1]].
        asked = np.zeros(BUCKETS + 1, np.int64)
        for query in range(queries.shape[0]):
            asked[np.int64(chunks[query, chunk])] += 1
        for value in range(1, BUCKETS + 1):
            asked[value] += asked[value - 1]
        for query in range(queries.shape[0] - 1, -1, -1):
            own = np.int64(chunks[query, chunk])
            asked[own] -= 1
            askers[asked[own]] = query
            wants[asked[own]] = chunks[query, following]
        for bucket in range(BUCKETS):
            place = chunk * (BUCKETS + 1) + bucket
            begin = chunk * entries + np.int64(starts[place])
            end = chunk * entries + np.int64(starts[place + 1])
            if begin == end:
                continue
            for flip in range(_PROBES_A_CHUNK):
                value = bucket if flip == 0 else bucket ^ (1 << (flip - 1))
                for asker in range(asked[value], asked[value + 1]):
                    at = begin
                    while at < end:
                        at, count = _gather(
                            signatures,
                            at,
                            end,
                            wants[asker],
                            flip == 0,
                            askers[asker],
                            noted,
                            count,
                        )
                        if count > _ROOM - LANES:
                            found, total = _verify(
                                noted,
                                count,
                                queries,
                                chunks,
                                rows,
                                ids,
                                table,
                                distance_bits,
                                found,
                                total,
                            )
                            count = 0
                            if total < 0:
                                return found, total
    return _verify(noted, count, queries, chunks, rows, ids, table, distance_bits, found, total)


_compiled_each = _compile(_search_each)
_compiled_many = _compile(_search_many)


def search(
    queries: NDArray[np.uint64], rows: NDArray[np.uint64], tables: Tables, distance_bits: int
) -> Pairs:
    """Return query number, row number and distance of every pair within at most 31 bits.

    Raises:
        ValueError: the tables name a row that there is not.
    """
    chosen = _compiled_many if len(queries) >= _MANY_QUERIES else _compiled_each
    found, total = chosen(
        queries,
        chunks_of(queries),
        rows,
        tables.starts,
        tables.ids,
        tables.signatures,
        spread_table(),
        distance_bits,
    )
    if total < 0:
        raise ValueError("the index is damaged: it names a hash that is not in it")
    return found[:total, 0], found[:total, 1], found[:total, 2]
