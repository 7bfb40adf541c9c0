"""What a hash index answers, whatever is added, removed, merged or saved meanwhile."""

import sys
import threading
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from numpy.typing import NDArray
from tests.synthetic import hashes

from nightlight.kernel import _hash_segment, _reference
from nightlight.kernel._hash_version import Part, merged
from nightlight.kernel.hash_index import HashIndex

Labels = NDArray[np.int64]
Rows = NDArray[np.uint64]

NONE: Labels = np.empty(0, np.int64)


def labels_of(*ranges: range) -> Labels:
    return np.array([label for one in ranges for label in one], np.int64)


def answers(index: HashIndex, queries: Rows, distance_bits: int = 31) -> list[list[int]]:
    return [column.tolist() for column in index.search(queries, distance_bits)]


def truth(labels: Labels, rows: Rows, queries: Rows, distance_bits: int = 31) -> list[list[int]]:
    query, row, distance = _reference.scan(queries, rows, distance_bits)
    order = np.lexsort((labels[row], distance, query))
    return [column[order].tolist() for column in (query, labels[row], distance)]


def filled(count: int, *, seed: int = 1, first: int = 0) -> tuple[HashIndex, Labels, Rows]:
    index = HashIndex(background=False)
    labels, rows = labels_of(range(first, first + count)), hashes.correlated(seed, count)
    index.add(labels, rows)
    return index, labels, rows


@cache
def related() -> Rows:
    return np.concatenate([hashes.crowd(1, 3000), hashes.correlated(2, 30_000)])


class ChangingIndex(RuleBasedStateMachine):
    """Any order of changes leaves an index that answers as brute force over a dict does."""

    def __init__(self) -> None:
        super().__init__()
        self.index = HashIndex(background=False)
        self.held: dict[int, Rows] = {}
        self.gone: list[Rows] = [hashes.flat()[0]]
        self.next_label = 0
        # Related, so that what was removed has neighbours that were not.
        self.supply = related()

    def fresh(self, count: int) -> tuple[Labels, Rows]:
        labels = labels_of(range(self.next_label, self.next_label + count))
        rows = self.supply[labels % len(self.supply)]
        self.next_label += count
        return np.ascontiguousarray(labels[::-1]), rows[::-1]

    def some_held(self, share: int) -> Labels:
        return np.array(sorted(self.held)[::share], np.int64)

    @rule(count=st.sampled_from([1, 3, 500, 3000, 9000]))
    def add(self, count: int) -> None:
        labels, rows = self.fresh(count)
        self.index.add(labels, rows)
        self.held.update(zip(labels.tolist(), rows, strict=True))

    @rule(share=st.sampled_from([1, 2, 7, 100, 3000]))
    def remove(self, share: int) -> None:
        labels = self.some_held(share)
        unknown = labels_of(range(self.next_label, self.next_label + 2))
        assert self.index.remove(np.concatenate([labels, unknown, labels])) == len(labels)
        self.gone += [self.held.pop(label) for label in labels.tolist()][:5]

    @precondition(lambda self: self.held)
    @rule(share=st.sampled_from([5, 200]))
    def replace(self, share: int) -> None:
        labels = self.some_held(share)
        rows = hashes.unrelated(self.next_label, len(labels))
        self.gone += [self.held[label] for label in labels.tolist()][:5]
        self.index.update(labels, rows, removed=labels)
        self.held.update(zip(labels.tolist(), rows, strict=True))

    @precondition(lambda self: self.held)
    @rule()
    def add_what_is_held(self) -> None:
        labels, rows = self.fresh(2)
        labels[0] = min(self.held)
        with pytest.raises(ValueError, match="1 of the labels are already held"):
            self.index.add(labels, rows)

    @rule()
    def compact(self) -> None:
        self.index.compact()
        assert self.index.status.removed == 0
        assert self.index.status.segments <= 1

    @invariant()
    def answers_as_brute_force(self) -> None:
        labels = np.array(list(self.held), np.int64)
        rows = np.array(list(self.held.values()), np.uint64).reshape(-1, 4)
        known = rows[:: max(1, len(rows) // 6)][:6]
        asked = np.concatenate([known, np.array(self.gone[-6:])])
        queries = hashes.at_distances(asked, np.arange(len(asked)) * 13 % 34, seed=3)
        assert len(self.index) == len(self.held) == self.index.status.hashes
        assert answers(self.index, queries) == truth(labels, rows, queries)
        assert self.index.labels().tolist() == sorted(self.held)
        assert (self.index.rows(labels[:9]) == rows[:9]).all()


TestChangingIndex = ChangingIndex.TestCase
TestChangingIndex.settings = settings(deadline=None, max_examples=10, stateful_step_count=10)


@pytest.mark.parametrize("distance_bits", [0, 7, 31, 32, 64, 256])
@pytest.mark.parametrize("count", [1, 4096, 4097, 9000])
def test_any_distance_is_exact(count: int, distance_bits: int) -> None:
    index, labels, rows = filled(count)
    queries = hashes.at_distances(rows[:8], np.array([0, 7, 8, 31, 32, 33, 64, 65])[:count], 4)
    assert answers(index, queries, distance_bits) == truth(labels, rows, queries, distance_bits)


def test_hashes_of_drawn_pictures_and_their_turns_are_found() -> None:
    rows = np.concatenate([hashes.of_pictures(40)] * 15)
    labels = np.random.default_rng(5).permutation(len(rows)).astype(np.int64) * 10**12
    index = HashIndex()
    index.add(labels, rows)
    queries = hashes.at_distances(rows[:82], np.arange(82) % 41, seed=6)
    assert answers(index, queries) == truth(labels, rows, queries)


def test_nothing_is_found_in_an_empty_index() -> None:
    index = HashIndex()
    assert (len(index), index.memory_bytes) == (0, 0)
    assert answers(index, hashes.flat()) == [[], [], []]
    index.compact()
    assert (len(index), index.labels().tolist()) == (0, [])


def test_no_queries_find_nothing() -> None:
    index, _, _ = filled(5000)
    assert answers(index, np.empty((0, 4), np.uint64)) == [[], [], []]


def test_rows_in_any_order_of_memory_are_taken_and_left_alone() -> None:
    rows = hashes.unrelated(7, 10_000)
    wide = np.asfortranarray(rows)
    index = HashIndex()
    index.add(labels_of(range(10_000)), wide)
    wide[0] = 0
    asked = rows[::500]
    asked.setflags(write=False)
    assert answers(index, asked)[1] == list(range(0, 10_000, 500))


def test_large_share_of_new_hashes_is_merged_by_itself() -> None:
    index, _, _ = filled(70_000)
    assert index.status.segments == 1
    for first in range(70_000, 140_000, 10_000):
        index.add(labels_of(range(first, first + 10_000)), hashes.unrelated(first, 10_000))
    assert index.status.merged >= 120_000
    assert index.status.segments <= 3
    index.remove(labels_of(range(66_000)))
    assert (index.status.removed, len(index)) == (0, 74_000)


def test_many_updates_leave_few_segments_and_no_more_memory() -> None:
    index, _, _ = filled(20_000)
    held, segments = [], []
    for number in range(1, 61):
        removed = labels_of(range((number - 1) * 2000, number * 2000))
        index.update(removed + 20_000, hashes.unrelated(number, 2000), removed=removed)
        held.append(index.memory_bytes)
        segments.append(index.status.segments)
    assert len(index) == 20_000
    assert max(segments) <= 5
    assert max(held[30:]) <= max(held[:30])


def test_small_additions_to_a_large_index_leave_it_alone() -> None:
    index, _, _ = filled(60_000)
    for first in range(60_000, 70_000, 500):
        index.add(labels_of(range(first, first + 500)), hashes.unrelated(first, 500))
    assert index.status.merged == 60_000
    assert 2 <= index.status.segments <= 4


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (np.array([5, 6, 5]), "comes twice"),
        (np.array([5, 0, 6]), "1 of the labels are already held"),
        (np.array([5, 6]), "one label for each"),
        (np.array([5, 6, 7], np.int32), "int64"),
        (np.array([[5, 6, 7]]), "int64"),
    ],
)
def test_wrong_labels_are_refused_and_nothing_is_added(labels: Labels, reason: str) -> None:
    index, _, _ = filled(1)
    with pytest.raises(ValueError, match=reason):
        index.add(labels, hashes.unrelated(8, 3))
    assert index.labels().tolist() == [0]


def test_failed_update_removes_nothing() -> None:
    index, _, _ = filled(2)
    with pytest.raises(ValueError, match="already held"):
        index.update(np.array([1]), hashes.unrelated(8, 1), removed=np.array([0]))
    assert index.labels().tolist() == [0, 1]


@pytest.mark.parametrize("wrong", [np.zeros((1, 3), np.uint64), np.zeros((1, 4), np.int64)])
def test_arrays_that_are_not_of_hashes_are_refused(wrong: Rows) -> None:
    index = HashIndex()
    with pytest.raises(ValueError, match="rows of 4 uint64"):
        index.search(wrong)
    with pytest.raises(ValueError, match="rows of 4 uint64"):
        index.add(np.array([1]), wrong)


@pytest.mark.parametrize("distance_bits", [-1, 257])
def test_distance_that_no_pair_can_have_is_refused(distance_bits: int) -> None:
    with pytest.raises(ValueError, match="0 to 256"):
        HashIndex().search(hashes.flat(), distance_bits)


def test_hash_of_a_label_that_is_not_held_is_refused() -> None:
    index, _, rows = filled(5)
    index.remove(np.array([3]))
    assert (index.rows(np.array([4, 0])) == rows[[4, 0]]).all()
    with pytest.raises(ValueError, match="2 of the labels are not held"):
        index.rows(np.array([3, 4, 9]))


def test_what_changes_during_a_merge_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    index, _, rows = filled(9001)
    index.remove(np.array([9000]))  # something for the merge to do
    later = hashes.unrelated(9, 6002)

    def meanwhile(parts: tuple[Part, ...]) -> Part:
        index.remove(labels_of(range(100)))
        index.add(labels_of(range(9000, 15_000), range(5, 7)), later)
        index.remove(labels_of(range(6, 7), range(9000, 9010)))
        index.update(np.array([200]), hashes.flat()[:1], removed=np.array([200]))
        seen.append(answers(index, queries))
        return merged(parts)

    kept = [label for label in [5, *range(100, 9000), *range(9010, 15_000)] if label != 200]
    all_rows = np.concatenate([rows[:9000], later[:6000]])
    held = all_rows[kept]
    held[0] = later[6000]
    all_labels = np.array([*kept, 200], np.int64)
    held = np.concatenate([held, hashes.flat()[:1]])
    queries = np.concatenate([rows[:210:3], rows[-1:], later[::500], later[-2:], hashes.flat()[:1]])
    seen: list[list[list[int]]] = []
    with monkeypatch.context() as patched:
        patched.setattr("nightlight.kernel.hash_index.merged", meanwhile)
        index.compact()
    seen.append(answers(index, queries))
    index.compact()
    seen.append(answers(index, queries))
    assert seen == [truth(all_labels, held, queries)] * 3
    assert index.labels().tolist() == sorted(all_labels.tolist())


def test_index_answers_in_full_where_a_merge_found_no_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index = HashIndex()
    rows = hashes.unrelated(10, 70_000)
    index.add(labels_of(range(70_000)), rows)

    def fail(_parts: tuple[Part, ...]) -> Part:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr("nightlight.kernel.hash_index.merged", fail)
        index.remove(labels_of(range(66_000)))
        with pytest.raises(MemoryError):
            index.wait()
    failed = index.status
    assert failed.merge_failed
    assert answers(index, rows[65_999:66_002])[1] == [66_000, 66_001]
    index.add(np.array([1]), rows[1:2])
    index.wait()
    assert not index.status.merge_failed
    assert (index.status.removed, len(index)) == (0, 4001)


def test_readers_see_every_kept_hash_while_the_index_changes_and_merges() -> None:
    kept = hashes.correlated(11, 30_000)
    index = HashIndex()
    index.add(labels_of(range(30_000)), kept)
    queries = hashes.at_distances(kept[::1500], np.arange(20) % 8, seed=12)
    expected = set(zip(*truth(labels_of(range(30_000)), kept, queries), strict=True))
    done, wrong, rounds = threading.Event(), list[str](), [0, 0, 0]

    def read(number: int) -> None:
        while not done.is_set() or rounds[number] == 0:
            found = set(zip(*answers(index, queries), strict=True))
            # What comes and goes is far from all queries, so the answer is always the same.
            if found != expected:
                wrong.append(f"{len(found)} found, {len(expected)} expected")
            rounds[number] += 1

    readers = [threading.Thread(target=read, args=(number,)) for number in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(6):
        first = 30_000 + 6000 * turn
        index.add(labels_of(range(first, first + 6000)), hashes.unrelated(first, 6000))
        index.compact()
        index.remove(labels_of(range(first, first + 3000)))
    done.set()
    for reader in readers:
        reader.join()
    assert not wrong
    assert min(rounds) > 0
    assert len(index) == 30_000 + 6 * 3000


def test_replaced_hash_is_never_missing_to_a_reader() -> None:
    index, _, rows = filled(100)
    done, missing = threading.Event(), [0]

    def read() -> None:
        while not done.is_set():
            missing[0] += 50 not in answers(index, rows[50:51], 0)[1]

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(300):
        index.update(np.array([50]), rows[50:51], removed=np.array([50]))
    done.set()
    reader.join()
    assert missing == [0]


def test_search_works_where_numba_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_tables, labels, rows = filled(6000)
    with_tables.save(tmp_path / "with.nl")
    queries = hashes.at_distances(rows[:82], np.arange(82) % 41, seed=13)
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "nightlight.kernel._multi_index", None)
        patched.delattr("nightlight.kernel._multi_index", raising=False)
        _hash_segment._engine.cache_clear()
        assert _hash_segment._engine() is None
        index, _, _ = filled(6000)
        index.save(tmp_path / "without.nl")
        found = [answers(one, queries) for one in (index, HashIndex.open(tmp_path / "with.nl"))]
    _hash_segment._engine.cache_clear()
    assert found == [truth(labels, rows, queries)] * 2
    opened = HashIndex.open(tmp_path / "without.nl")
    assert answers(opened, queries) == truth(labels, rows, queries)
    assert opened.memory_bytes > index.memory_bytes
