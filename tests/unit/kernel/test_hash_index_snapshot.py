"""Snapshots of a hash index: shared by processes, whole or absent, refused where damaged."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.synthetic import hashes

from nightlight.kernel.arrays_file import open_arrays, write_arrays
from nightlight.kernel.hash_index import HashIndex

COUNT = 6000
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(["src", "."])}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.nl"


def saved(path: Path, count: int = COUNT) -> NDArray[np.uint64]:
    rows = hashes.correlated(1, count)
    index = HashIndex()
    index.add(np.arange(count), rows)
    index.save(path)
    return rows


def answers(index: HashIndex, queries: NDArray[np.uint64]) -> list[list[int]]:
    return [column.tolist() for column in index.search(queries)]


@pytest.mark.parametrize("count", [0, 1, COUNT])
def test_opened_index_answers_as_the_one_that_was_saved(path: Path, count: int) -> None:
    rows = hashes.correlated(1, COUNT)
    index = HashIndex()
    index.add(np.arange(COUNT), rows)
    index.remove(np.arange(count, COUNT))
    index.save(path)
    opened = HashIndex.open(path, check_content=True)
    queries = hashes.at_distances(rows[::100], np.arange(60) % 41, seed=2)
    assert answers(opened, queries) == answers(index, queries)
    assert opened.labels().tolist() == list(range(count))
    assert opened.status.mapped_bytes == opened.memory_bytes


def test_what_the_caller_keeps_with_a_snapshot_comes_back(path: Path) -> None:
    index = HashIndex()
    index.save(path, extra={"rows": np.arange(3)}, meta={"kind": "sync", "version": 7})
    opened = HashIndex.open(path)
    assert {name: kept.tolist() for name, kept in opened.extra.items()} == {"rows": [0, 1, 2]}
    assert opened.meta == {"kind": "sync", "version": 7}
    assert (index.extra, index.meta) == ({}, {})


def test_changes_to_an_opened_index_do_not_reach_the_file(path: Path) -> None:
    rows = saved(path)
    before = path.read_bytes()
    opened = HashIndex.open(path)
    opened.remove(np.arange(100))
    opened.update(np.arange(COUNT, 2 * COUNT), ~rows, removed=np.array([200]))
    assert answers(opened, rows[[99, 200]]) == [[], [], []]
    opened.compact()
    assert len(opened) == 2 * COUNT - 101
    assert path.read_bytes() == before
    assert len(HashIndex.open(path)) == COUNT


def test_index_can_be_saved_over_the_file_it_is_mapped_from(path: Path) -> None:
    rows = saved(path)
    opened = HashIndex.open(path)
    opened.remove(np.arange(10))
    opened.save(path)
    opened.save(path)
    again = HashIndex.open(path, check_content=True)
    assert again.labels().tolist() == list(range(10, COUNT))
    assert answers(opened, rows[:50]) == answers(again, rows[:50])


SEARCH = """
import sys
from pathlib import Path
import numpy as np
from nightlight.kernel.hash_index import HashIndex
from tests.synthetic import hashes
index = HashIndex.open(Path(sys.argv[1]))
rows = hashes.correlated(1, 6000)
if sys.argv[2] == "changing":
    index.remove(np.arange(3000))
    index.add(np.arange(6000, 12000), ~rows)
index.search(rows[:1])
print("ready", flush=True)
sys.stdin.readline()
print([column.tolist() for column in index.search(rows[::50])])
print(sum("index.nl" in line and "r--s" in line for line in open("/proc/self/maps")))
"""


def test_processes_share_a_snapshot_and_not_their_changes(path: Path) -> None:
    rows = saved(path)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SEARCH, str(path), kind],
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for kind in ("reading", "reading", "changing")
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    own = HashIndex.open(path)
    expected = answers(own, rows[::50])
    said = [process.communicate("\n")[0].splitlines() for process in processes]
    assert [lines[0] for lines in said[:2]] == [str(expected)] * 2
    assert said[2][0] != said[0][0]
    # One shared read-only mapping each: the system keeps one copy for all of them.
    assert [lines[1] for lines in said[:2]] == ["1", "1"]


SAVE = """
import sys
from pathlib import Path
import numpy as np
from nightlight.kernel.hash_index import HashIndex
index = HashIndex.open(Path(sys.argv[1]))
index.search(np.zeros((1, 4), np.uint64))
for turn in range(10_000):
    index.update(np.array([-1 - turn]), np.zeros((1, 4), np.uint64))
    index.save(Path(sys.argv[1]), meta={"turn": turn})
"""


def test_process_killed_while_it_saves_leaves_a_whole_snapshot(path: Path) -> None:
    rows = saved(path, 60_000)
    part = path.with_name("index.nl.part")
    for after_s in (0, 0.003, 0.01):
        process = subprocess.Popen([sys.executable, "-c", SAVE, str(path)], env=ENVIRONMENT)
        while process.poll() is None and not part.exists():
            time.sleep(0.0005)
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        opened = HashIndex.open(path, check_content=True)
        assert len(opened) >= 60_000
        assert set(opened.search(rows[:3], 0)[1].tolist()) >= {0, 1, 2}
        # The next writer is not in the way of what the killed one left.
        opened.remove(opened.labels()[:-60_000])
        opened.save(path)
        assert not part.exists()


def test_file_of_other_arrays_is_refused(path: Path) -> None:
    write_arrays(path, {"labels": np.arange(3)}, {})
    with pytest.raises(ValueError, match="not of an index"):
        HashIndex.open(path)


def test_missing_file_is_told(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        HashIndex.open(path)


def test_torn_file_is_refused(path: Path) -> None:
    saved(path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 4096)
    with pytest.raises(ValueError, match="damaged"):
        HashIndex.open(path)


def test_changed_content_is_found_when_asked_to_check(path: Path) -> None:
    saved(path)
    with path.open("r+b") as file:
        file.seek(-100, os.SEEK_END)
        file.write(b"zorbleflux")
    with pytest.raises(ValueError, match="has changed"):
        HashIndex.open(path, check_content=True)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("labels", np.arange(COUNT - 1)),
        ("labels", np.arange(COUNT)[::-1]),
        ("labels", np.arange(COUNT, dtype=np.int32)),
        ("rows", np.zeros((COUNT, 3), np.uint64)),
        ("starts", np.zeros(16 * 65537, np.uint32)),
        ("starts", np.arange(16 * 65537, dtype=np.uint32)),
        ("starts", np.zeros(7, np.uint32)),
        ("ids", np.zeros(16 * COUNT - 1, np.uint32)),
        ("signatures", np.zeros(16 * COUNT, np.uint16)),
        ("bit_order", np.arange(256, dtype=np.uint8)),
    ],
)
def test_arrays_that_contradict_one_another_are_refused(
    path: Path, name: str, array: NDArray[np.generic]
) -> None:
    saved(path)
    file = open_arrays(path)
    write_arrays(path, {**file.arrays, name: array}, file.meta)
    with pytest.raises(ValueError, match=r"damaged|another version"):
        HashIndex.open(path)
