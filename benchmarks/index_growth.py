"""How the hash index grows, and how its memory is while its list changes."""

import gc
import os
import threading
import time

import numpy as np
from numpy.typing import NDArray

from benchmarks.index_engines import Say, compile_all, flat_index, range_search, resident_bytes
from benchmarks.index_hashes import Rows, planted, random_rows
from nightlight.kernel.hash_index import HashIndex

_SINGLES = 4000
_GOES = 3
_BULK = 100_000
_FLAT_QUERIES = 6
_CHANGED = 5000
_TOLD_EVERY = 10
#: So that merges take turns with updates, as they do when lists change once in a while.
_PAUSE_S = 0.05


def grow(sizes: str, say: Say) -> list[dict[str, float]]:
    """Return what each size takes and answers, beside FAISS BinaryFlat on a few queries."""
    compile_all()
    return [_grown(int(size), say) for size in sizes.split(",")]


def _grown(count: int, say: Say) -> dict[str, float]:
    random = np.random.default_rng(count)
    say(f"making {count:,} hashes")
    rows = random_rows(count, random)
    queries = np.stack(
        [planted(rows, _BULK // 2, random), random_rows(_BULK // 2, random)], axis=1
    ).reshape(-1, 4)
    say(f"filling with {count:,} hashes")
    index = HashIndex()
    gc.collect()
    before, started, started_cpu = resident_bytes(), time.perf_counter(), time.process_time()
    index.add(np.arange(count, dtype=np.int64), rows)
    build_s, build_cpu_s = time.perf_counter() - started, time.process_time() - started_cpu
    bytes_per_hash = (resident_bytes() - before) / count
    say(f"searching {count:,} hashes")
    goes = [_singles(index, queries) for _ in range(_GOES)]
    took = sorted(goes, key=sum)[_GOES // 2]
    started = time.thread_time()
    index.search(queries)
    bulk_s = time.thread_time() - started
    say(f"comparing with FAISS BinaryFlat at {count:,} hashes")
    asked = queries[:_FLAT_QUERIES]
    flat = flat_index(rows)
    started = time.thread_time()
    expected = range_search(flat, asked, 31)
    flat_s = time.thread_time() - started
    same = _pairs(expected) == _pairs(index.search(asked))
    singles = np.array(took) * 1e6
    return {
        "hashes": count,
        "build_s": build_s,
        "build_cpu_s": build_cpu_s,
        "bytes_per_hash": bytes_per_hash,
        "single_per_s": _SINGLES / sum(took),
        "p50_us": float(np.percentile(singles, 50)),
        "p99_us": float(np.percentile(singles, 99)),
        "bulk_per_s": len(queries) / bulk_s,
        "flat_per_s": len(asked) / flat_s,
        "times_flat_single": _SINGLES / sum(took) * flat_s / len(asked),
        "times_flat_bulk": len(queries) / bulk_s * flat_s / len(asked),
        "same_answers": float(same),
        "load": os.getloadavg()[0],
    }


def _singles(index: HashIndex, queries: Rows) -> list[float]:
    """Return how long each of some queries took, asked one by one."""
    took = []
    for number in range(_SINGLES):
        started = time.thread_time_ns()
        index.search(queries[number : number + 1])
        took.append((time.thread_time_ns() - started) / 1e9)
    return took


def _pairs(found: tuple[NDArray[np.int64], ...]) -> set[tuple[int, ...]]:
    return set(zip(*(column.tolist() for column in found), strict=True))


def update(count: int, updates: int, say: Say) -> list[dict[str, float]]:
    """Return the memory after every few updates of 5,000 removed and 5,000 added hashes.

    One thread searches all the while; merges run in a thread of their own, as in the product.
    """
    compile_all()
    random = np.random.default_rng(count)
    index = HashIndex()
    index.add(np.arange(count, dtype=np.int64), random_rows(count, random))
    done, answered = threading.Event(), [0]
    queries = random_rows(1000, random)

    def ask() -> None:
        while not done.is_set():
            index.search(queries[answered[0] % 1000 :][:1])
            answered[0] += 1

    asking = threading.Thread(target=ask)
    asking.start()
    told, peak, merged = [], 0, 0
    for number in range(1, updates + 1):
        say(f"update {number} of {updates}")
        removed = np.arange(_CHANGED, dtype=np.int64) + (number - 1) * _CHANGED
        index.update(removed + count, random_rows(_CHANGED, random), removed=removed)
        peak = max(peak, resident_bytes())
        merged += index.status.merging
        if number % _TOLD_EVERY == 0:
            status = index.status
            told.append(
                {
                    "update": number,
                    "hashes": status.hashes,
                    "resident_mib": resident_bytes() / 2**20,
                    "peak_mib": peak / 2**20,
                    "index_mib": status.memory_bytes / 2**20,
                    "segments": status.segments,
                    "seen_merging": merged,
                    "queries_answered": answered[0],
                }
            )
        time.sleep(_PAUSE_S)
    done.set()
    asking.join()
    index.wait()
    return told
