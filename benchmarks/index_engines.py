"""The indexes that are asked the same: Nightlight's, FAISS's and those of ``threatexchange``."""

import ctypes
import gc
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from msgspec import Struct, structs

from benchmarks.index_hashes import Rows
from nightlight.kernel import hamming
from nightlight.kernel.hash_index import HashIndex

#: Takes queries and returns how many pairs it found.
Search: TypeAlias = Callable[[Rows], int]
Say: TypeAlias = Callable[[str], None]

#: The indexes of threatexchange hold text and Python objects, PDQIndex2 256 numbers a hash.
MOST_FOR_OBJECTS = 1_000_000


class Engine(Struct, frozen=True, kw_only=True):
    """A filled index, and what it took to fill it; ``open_s`` is until a first answer."""

    name: str
    search: Search
    batches: bool
    build_s: float
    build_cpu_s: float
    bytes_per_hash: float
    save_s: float | None = None
    open_s: float | None = None
    file_bytes: int | None = None


def own_engine(rows: Rows, folder: Path | None) -> tuple[Engine, HashIndex]:
    """Return Nightlight's index and the one that was opened from its snapshot."""
    compile_all()
    index = HashIndex()
    with _measured(len(rows)) as took:
        index.add(np.arange(len(rows), dtype=np.int64), rows)
    with tempfile.TemporaryDirectory(prefix="nightlight-bench-", dir=folder) as within:
        path = Path(within) / "index.nl"
        started = time.perf_counter()
        index.save(path)
        save_s = time.perf_counter() - started
        started = time.perf_counter()
        opened = HashIndex.open(path)
        opened.search(rows[:1])
        open_s = time.perf_counter() - started
        file_bytes = path.stat().st_size
    engine = Engine(
        name="Nightlight HashIndex",
        search=lambda queries: len(index.search(queries)[0]),
        batches=True,
        build_s=took["build_s"],
        build_cpu_s=took["build_cpu_s"],
        bytes_per_hash=took["bytes_per_hash"],
        save_s=save_s,
        open_s=open_s,
        file_bytes=file_bytes,
    )
    return engine, opened


def mapped_engine(opened: HashIndex, own: Engine) -> Engine:
    """Return the index that was opened from the snapshot, as an engine of its own."""
    return structs.replace(
        own,
        name="Nightlight, mapped snapshot",
        search=lambda queries: len(opened.search(queries)[0]),
    )


def compile_all() -> None:
    """Return once everything that an index needs has been compiled."""
    index = HashIndex(background=False)
    rows = np.random.default_rng(0).integers(0, 2**64, (10_000, 4), dtype=np.uint64)
    index.add(np.arange(10_000, dtype=np.int64), rows)
    index.search(rows[:1])
    index.search(rows)


def peer_engines(rows: Rows, say: Say) -> Iterator[Engine]:
    """Yield the peers that are installed, filled one after the other."""
    for name, fill in _PEERS.items():
        if len(rows) > MOST_FOR_OBJECTS and name.startswith("threatexchange"):
            say(f"{name} not run above {MOST_FOR_OBJECTS:,} hashes: it holds Python objects")
            continue
        say(f"filling {name}")
        try:
            with _measured(len(rows)) as took:
                search, batches = fill(rows)
        except ImportError:
            say(f"{name} is not installed")
            continue
        package = name.split()[0]
        named = f"{name} ({version('faiss-cpu' if package == 'FAISS' else package)})"
        yield Engine(
            name=named,
            search=search,
            batches=batches,
            build_s=took["build_s"],
            build_cpu_s=took["build_cpu_s"],
            bytes_per_hash=took["bytes_per_hash"],
        )


def flat_truth(rows: Rows, queries: Rows, distance_bits: int) -> set[tuple[int, int, int]]:
    """Return every pair within the distance, by FAISS's exhaustive search."""
    found = range_search(flat_index(rows), queries, distance_bits)
    return set(zip(*(column.tolist() for column in found), strict=True))


def flat_index(rows: Rows) -> Any:
    """Return FAISS's exhaustive index, which one thread searches."""
    faiss = import_module("faiss")
    faiss.omp_set_num_threads(1)
    index = faiss.IndexBinaryFlat(256)
    index.add(rows.view(np.uint8))
    return index


def range_search(index: Any, queries: Rows, distance_bits: int) -> tuple[Any, Any, Any]:
    limits, distances, labels = index.range_search(queries.view(np.uint8), distance_bits + 1)
    query = np.repeat(np.arange(len(queries)), np.diff(limits.astype(np.int64)))
    return query, labels, distances.astype(np.int64)


def _fill_flat(rows: Rows) -> tuple[Search, bool]:
    index = flat_index(rows)
    return lambda queries: len(range_search(index, queries, 31)[0]), True


def _fill_multi(rows: Rows) -> tuple[Search, bool]:
    faiss = import_module("faiss")
    faiss.omp_set_num_threads(1)
    index = faiss.IndexBinaryMultiHash(256, 16, 16)
    index.nflip = 1
    index.add(rows.view(np.uint8))
    return lambda queries: len(range_search(index, queries, 31)[0]), True


def _fill_pdq_index(rows: Rows) -> tuple[Search, bool]:
    module = import_module("threatexchange.signal_type.pdq.pdq_index")
    index = module.PDQIndex(list(zip(hamming.unpack(rows), range(len(rows)), strict=True)))
    return lambda queries: sum(len(index.query(each)) for each in hamming.unpack(queries)), False


def _fill_pdq_index2(rows: Rows) -> tuple[Search, bool]:
    module = import_module("threatexchange.signal_type.pdq.pdq_index2")
    index = module.PDQIndex2(entries=zip(hamming.unpack(rows), range(len(rows)), strict=True))
    return lambda queries: sum(len(index.query(each)) for each in hamming.unpack(queries)), False


_PEERS: Mapping[str, Callable[[Rows], tuple[Search, bool]]] = {
    "FAISS BinaryFlat": _fill_flat,
    "FAISS MultiHash 16x16 nflip 1": _fill_multi,
    "threatexchange PDQIndex": _fill_pdq_index,
    "threatexchange PDQIndex2": _fill_pdq_index2,
}


def resident_bytes() -> int:
    """Return the memory that this process holds now."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(each for each in status.splitlines() if each.startswith("RssAnon:"))
    return int(line.split()[1]) * 1024


@contextmanager
def _measured(hashes: int) -> Iterator[dict[str, float]]:
    """Fill in how long the block took, and how much memory a hash it left behind."""
    _give_back()
    took: dict[str, float] = {}
    before, started, started_cpu = resident_bytes(), time.perf_counter(), time.process_time()
    yield took
    took["build_s"] = time.perf_counter() - started
    took["build_cpu_s"] = time.process_time() - started_cpu
    _give_back()
    took["bytes_per_hash"] = (resident_bytes() - before) / hashes


def _give_back() -> None:
    """Return what is free to the system, so that resident memory is what is held."""
    gc.collect()
    with suppress(AttributeError):  # another C library: then it decides for itself
        ctypes.CDLL(None).malloc_trim(0)
