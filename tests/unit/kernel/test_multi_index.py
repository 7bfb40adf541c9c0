import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from numpy.typing import NDArray
from tests.synthetic import hashes

from nightlight.kernel import _multi_index, _reference, hamming
from nightlight.kernel._multi_index_build import (
    CHUNK_BITS,
    CHUNKS,
    bit_order,
    build,
    chunks_of,
    spread_table,
)

Rows = NDArray[np.uint64]

BANKS: dict[str, Callable[[], Rows]] = {
    "unrelated": lambda: hashes.unrelated(1, 9000),
    "correlated": lambda: hashes.correlated(2, 9000),
    "alike": lambda: hashes.crowd(3, 3000),
    "flat": lambda: np.repeat(hashes.flat(), 60, axis=0),
    "drawn": lambda: hashes.of_pictures(40),
    "one": lambda: hashes.unrelated(4, 1),
    "the same": lambda: np.zeros((200, 4), np.uint64),
}


def frozen(rows: Rows) -> Rows:
    rows = rows.copy()
    rows.setflags(write=False)
    return rows


def found(queries: Rows, rows: Rows, distance_bits: int) -> list[tuple[int, int, int]]:
    bank = frozen(rows)
    return as_pairs(_multi_index.search(queries, bank, build(bank), distance_bits))


def as_pairs(found: _multi_index.Pairs) -> list[tuple[int, int, int]]:
    query, row, distance = (column.tolist() for column in found)
    return sorted(zip(query, row, distance, strict=True))


def asked_of(rows: Rows) -> Rows:
    """Return queries 0 to 40 bits from hashes of the bank, 31 and 32 among them, and others."""
    chosen = rows[np.linspace(0, len(rows) - 1, 82).astype(np.int64)]
    near = hashes.at_distances(chosen, np.arange(82) % 41, seed=5)
    return np.concatenate([near, rows[:5], hashes.flat(), hashes.unrelated(6, 20)])


@pytest.mark.parametrize("distance_bits", [0, 1, 15, 30, 31])
@pytest.mark.parametrize("bank", BANKS)
def test_every_pair_within_the_distance_is_found_once(bank: str, distance_bits: int) -> None:
    rows = BANKS[bank]()
    queries = asked_of(rows)
    assert found(queries, rows, distance_bits) == as_pairs(
        _reference.scan(queries, rows, distance_bits)
    )


@pytest.mark.parametrize("bank", BANKS)
def test_many_queries_at_a_time_find_what_each_finds_alone(
    bank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = BANKS[bank]()
    queries = np.concatenate([asked_of(rows)] * 3)
    monkeypatch.setattr(_multi_index, "_MANY_QUERIES", 1)
    assert found(queries, rows, 31) == as_pairs(_reference.scan(queries, rows, 31))


def differing_by(counts: list[int], seed: int) -> Rows:
    """Return a mask of bits of which each chunk gets so many."""
    random = np.random.default_rng(seed)
    bits_of_chunk = np.argsort(bit_order()).reshape(CHUNKS, CHUNK_BITS)
    mask = np.zeros(4, np.uint64)
    for chunk, count in enumerate(counts):
        for bit in random.choice(bits_of_chunk[chunk], count, replace=False).tolist():
            mask[bit // 64] ^= np.uint64(1 << (bit % 64))
    return mask


def spread_counts(bits: int) -> st.SearchStrategy[list[int]]:
    """Return ways to spread so many bits over the chunks: evenly, in lumps, and all between."""

    def counted(places: list[int]) -> list[int]:
        counts = [0] * CHUNKS
        for place in places:
            free = next(n for n in range(CHUNKS) if counts[(place + n) % CHUNKS] < CHUNK_BITS)
            counts[(place + free) % CHUNKS] += 1
        return counts

    return st.lists(st.integers(0, CHUNKS - 1), min_size=bits, max_size=bits).map(counted)


HARDEST = [
    *([2] * n + [1] + [2] * (15 - n) for n in range(16)),
    *([*([0, 4] * 8)[:n], 3 if n % 2 else 0, *([0, 4] * 8)[n + 1 :]] for n in range(1, 16, 2)),
    *([0] * n + [16, 15] + [0] * (14 - n) for n in range(15)),
    [15, *[0] * 14, 16],
    [1, 3] * 7 + [1, 2],
    [3, 1] * 7 + [2, 1],
    [2, 1, 3] * 5 + [1],
]


@pytest.mark.parametrize("counts", HARDEST, ids=str)
def test_31_bits_in_the_least_convenient_chunks_are_found(counts: list[int]) -> None:
    assert sum(counts) == 31
    rows = hashes.unrelated(7, 200)
    masks = np.stack([differing_by(counts, seed) for seed in range(len(rows))])
    assert as_pairs(_reference.scan(rows ^ masks, rows, 31)) == found(rows ^ masks, rows, 31)
    assert len(found(rows ^ masks, rows, 31)) == len(rows)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 31).flatmap(spread_counts), st.integers(0, 2**32))
def test_bits_spread_in_any_way_are_found(counts: list[int], seed: int) -> None:
    rows = hashes.unrelated(8, 50)
    query = rows[7] ^ differing_by(counts, seed)
    assert (0, 7, sum(counts)) in found(query[None], rows, 31)


def test_32_bits_are_one_too_many() -> None:
    rows = hashes.unrelated(9, 50)
    queries = hashes.at_distances(rows, np.full(50, 32), seed=10)
    assert found(queries, rows, 31) == []


def test_bits_go_to_their_places_in_the_order_that_files_depend_on() -> None:
    assert sorted(bit_order().tolist()) == list(range(256))
    assert bit_order()[:8].tolist() == FIRST_OF_ORDER
    one_bit = np.zeros((256, 4), np.uint64)
    one_bit[np.arange(256), np.arange(256) // 64] = np.uint64(1) << (np.arange(256) % 64).astype(
        np.uint64
    )
    chunks = chunks_of(one_bit)
    chunk, bit = bit_order() // CHUNK_BITS, bit_order() % CHUNK_BITS
    assert (chunks[np.arange(256), chunk] == 1 << bit.astype(np.int64)).all()
    assert (chunks != 0).sum() == 256


FIRST_OF_ORDER = [99, 179, 124, 78, 196, 203, 221, 113]


def test_regular_patterns_do_not_share_buckets() -> None:
    # Unspread, half of these chunks would be 0 or all ones for every one of them.
    chunks = chunks_of(hashes.flat()[2:])
    assert ((chunks == 0) | (chunks == 2**16 - 1)).mean() < 0.35


def test_tables_that_name_a_hash_there_is_not_are_refused() -> None:
    rows = frozen(hashes.unrelated(11, 10))
    tables = build(rows)
    ids = frozen_ids(tables.ids + np.uint32(10))
    with pytest.raises(ValueError, match="damaged"):
        _multi_index.search(rows.copy(), rows, structs.replace(tables, ids=ids), 31)


def frozen_ids(ids: NDArray[np.uint32]) -> NDArray[np.uint32]:
    ids.setflags(write=False)
    return ids


@pytest.mark.parametrize("threads", [1, 5])
def test_number_of_threads_does_not_change_the_tables(threads: int) -> None:
    rows = frozen(hashes.correlated(12, 5000))
    one, other = build(rows), build(rows, threads=threads)
    assert (one.starts == other.starts).all()
    assert (one.ids == other.ids).all()
    assert (one.signatures == other.signatures).all()


def test_other_threads_run_during_a_search() -> None:
    rows = frozen(hashes.unrelated(13, 200_000))
    tables, queries = build(rows), hashes.unrelated(14, 30_000)
    _multi_index.search(queries[:1].copy(), rows, tables, 31)
    stop, ticks = threading.Event(), [0]

    def tick() -> None:
        while not stop.is_set():
            time.sleep(0.001)
            ticks[0] += 1

    thread = threading.Thread(target=tick)
    thread.start()
    before = ticks[0]
    chunks = chunks_of(queries)
    _multi_index._compiled_each(
        queries, chunks, rows, tables.starts, tables.ids, tables.signatures,
        spread_table(), 31,
    )  # fmt: skip
    during = ticks[0] - before
    stop.set()
    thread.join()
    assert during > 10


GENERIC = """
import sys, numpy as np
sys.path.insert(0, ".")
from nightlight.kernel import _multi_index, _reference
from nightlight.kernel._multi_index_build import build
from tests.synthetic import hashes
rows = np.concatenate([hashes.correlated(2, 3000), hashes.crowd(3, 800)])
rows.setflags(write=False)
queries = hashes.at_distances(rows[::40], np.arange(95) % 41, seed=5)
tables = build(rows)
def pairs(found):
    return sorted(zip(*(column.tolist() for column in found)))
truth = pairs(_reference.scan(queries, rows, 31))
assert pairs(_multi_index.search(queries, rows, tables, 31)) == truth
_multi_index._MANY_QUERIES = 1
assert pairs(_multi_index.search(queries, rows, tables, 31)) == truth

from numba.core import config
print(config.CPU_NAME, len(truth) > 60)
"""


def test_processor_without_wide_vectors_finds_the_same() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", GENERIC],
        env={
            **os.environ,
            "NUMBA_CPU_NAME": "generic",
            "NUMBA_CPU_FEATURES": "",
            "PYTHONPATH": "src",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.stderr, answer.stdout.split()) == ("", ["generic", "True"])


def test_answers_are_those_of_the_kernel_that_scans() -> None:
    rows = hashes.correlated(15, 6000)
    queries = asked_of(rows)
    assert found(queries, rows, 31) == as_pairs(hamming.within(queries, rows, 31))
