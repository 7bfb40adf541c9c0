import importlib
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nightlight.kernel import _numba, _reference, hamming

WORD = st.integers(0, 2**64 - 1)
ROWS = st.lists(st.tuples(WORD, WORD, WORD, WORD), max_size=12)
HEXES = st.text("0123456789abcdef", min_size=64, max_size=64)


def rows_of(values: list[tuple[int, int, int, int]]) -> NDArray[np.uint64]:
    return np.array(values, dtype=np.uint64).reshape(-1, 4)


def with_bits_flipped(row: NDArray[np.uint64], bits: list[int]) -> NDArray[np.uint64]:
    changed = row.copy()
    for bit in bits:
        changed[bit // 64] ^= np.uint64(1 << (bit % 64))
    return changed


def pairs(
    found: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
) -> list[tuple[int, int, int]]:
    query, entry, distance = (column.tolist() for column in found)
    return list(zip(query, entry, distance, strict=True))


@settings(deadline=None)
@given(ROWS, ROWS, st.integers(0, 256))
def test_compiled_scan_equals_the_reference(
    queries: list[tuple[int, int, int, int]],
    bank: list[tuple[int, int, int, int]],
    distance_bits: int,
) -> None:
    arrays = rows_of(queries), rows_of(bank)
    assert sorted(pairs(_numba.scan(*arrays, distance_bits))) == sorted(
        pairs(_reference.scan(*arrays, distance_bits))
    )


@settings(deadline=None)
@given(
    st.tuples(WORD, WORD, WORD, WORD),
    st.integers(0, 255),
    st.permutations(range(256)),
)
def test_neighbour_at_the_threshold_is_found_and_one_bit_beyond_is_not(
    value: tuple[int, int, int, int], threshold: int, bits: list[int]
) -> None:
    query = rows_of([value])
    at_threshold = with_bits_flipped(query[0], bits[:threshold])
    beyond = with_bits_flipped(query[0], bits[: threshold + 1])
    found = hamming.within(query, np.stack([beyond, at_threshold]), threshold)
    assert pairs(found) == [(0, 1, threshold)]


@settings(deadline=None)
@given(st.integers(0, 64), st.integers(0, 2**32))
def test_every_neighbour_planted_in_a_large_bank_is_found(distance: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    bank = random.integers(0, 2**64, (300, 4), dtype=np.uint64)
    queries = np.stack(
        [
            with_bits_flipped(bank[n], random.choice(256, distance, replace=False).tolist())
            for n in (0, 150, 299)
        ]
    )
    found = pairs(hamming.within(queries, bank, distance))
    assert {(0, 0, distance), (1, 150, distance), (2, 299, distance)} <= set(found)


def test_pairs_come_by_query_then_distance_then_bank_index() -> None:
    bank = rows_of([(7, 0, 0, 0), (1, 0, 0, 0), (2, 0, 0, 0), (0, 0, 0, 0)])
    found = hamming.within(rows_of([(0, 0, 0, 0), (1, 0, 0, 0)]), bank, 3)
    assert pairs(found) == [
        (0, 3, 0),
        (0, 1, 1),
        (0, 2, 1),
        (0, 0, 3),
        (1, 1, 0),
        (1, 3, 1),
        (1, 0, 2),
        (1, 2, 2),
    ]


def test_more_pairs_than_fit_at_first_are_all_returned() -> None:
    bank = np.zeros((1000, 4), np.uint64)
    _, entry, distance = hamming.within(bank[:2], bank, 0)
    assert entry.tolist() == [*range(1000), *range(1000)]
    assert not distance.any()


@pytest.mark.parametrize(("queries", "entries"), [(0, 3), (3, 0), (0, 0)])
def test_nothing_is_near_where_one_side_is_empty(queries: int, entries: int) -> None:
    found = hamming.within(np.zeros((queries, 4), np.uint64), np.zeros((entries, 4), np.uint64), 31)
    assert pairs(found) == []


def test_rows_that_are_not_contiguous_in_memory_are_searched_alike() -> None:
    wide = np.arange(80, dtype=np.uint64).reshape(10, 8)
    found = hamming.within(wide[:, :4], wide[::2, :4], 0)
    assert pairs(found) == [(2 * n, n, 0) for n in range(5)]


@pytest.mark.parametrize("distance_bits", [-1, 257])
def test_distance_that_no_pair_can_have_is_refused(distance_bits: int) -> None:
    rows = np.zeros((1, 4), np.uint64)
    with pytest.raises(ValueError, match="0 to 256"):
        hamming.within(rows, rows, distance_bits)


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((1, 3), np.uint64), np.zeros(4, np.uint64), np.zeros((1, 4), np.int64)],
)
def test_array_that_is_not_of_hashes_is_refused(wrong: NDArray[np.uint64]) -> None:
    with pytest.raises(ValueError, match="rows of 4 uint64"):
        hamming.within(np.zeros((1, 4), np.uint64), wrong, 31)


@given(st.lists(HEXES, max_size=5))
def test_packed_hashes_unpack_to_themselves(hexes: list[str]) -> None:
    assert hamming.unpack(hamming.pack(hexes)) == hexes


def test_first_digits_are_the_most_significant_of_the_first_word() -> None:
    packed = hamming.pack(["8" + "0" * 62 + "1"])
    assert packed.tolist() == [[2**63, 0, 0, 1]]


@pytest.mark.parametrize("wrong", ["", "0" * 63, "0" * 65, "z" * 64, " " * 64, "0" * 62 + "  "])
def test_text_that_is_no_hash_is_refused_by_position_and_not_shown(wrong: str) -> None:
    with pytest.raises(ValueError, match="position 1 is not 64 hex digits"):
        hamming.pack(["0" * 64, wrong])


def test_two_wrong_lengths_that_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="position 0"):
        hamming.pack(["0" * 62, "0" * 66])


def test_search_works_where_numba_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nightlight.kernel._numba", None)
    monkeypatch.delattr("nightlight.kernel._numba", raising=False)
    monkeypatch.delitem(sys.modules, "nightlight.kernel.hamming")
    door = importlib.import_module("nightlight.kernel.hamming")
    rows = rows_of([(1, 2, 3, 4)])
    assert door._scan() is _reference.scan
    assert pairs(door.within(rows, rows, 0)) == [(0, 0, 0)]
