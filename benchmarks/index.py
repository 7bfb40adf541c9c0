"""Measures the hash index beside its peers, in one run: ``python -m benchmarks.index``.

Every engine has the same list and is asked the same queries for all hashes within 31 bits, by one
thread. Rates and latencies are in that thread's processor time, which a busy machine disturbs
less than the clock; saving and opening are by the clock, building by both.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from benchmarks.index_engines import (
    Engine,
    Search,
    flat_truth,
    mapped_engine,
    own_engine,
    peer_engines,
)
from benchmarks.index_growth import grow, update
from benchmarks.index_hashes import (
    DESCRIPTIONS,
    LikeThese,
    PdqLike,
    Rows,
    planted,
    random_rows,
    read_rows,
    spread,
)
from benchmarks.machine import describe_machine
from nightlight.kernel.hash_index import HashIndex

_ROUNDS = 3
_BATCH = 1000
_BULK = 100_000
_SAMPLE = 200
_DISTANCE_BITS = 31
_SEED = 20


class Measured(Struct, kw_only=True):
    """What one engine did on one list; a rate is the median of three goes, per second."""

    data: str
    hashes: int
    engine: str
    build_s: float
    build_cpu_s: float
    bytes_per_hash: float
    save_s: float | None
    open_s: float | None
    single_planted_per_s: float = 0.0
    single_unrelated_per_s: float = 0.0
    p50_us: float = 0.0
    p99_us: float = 0.0
    batch_per_s: float | None = None
    bulk_per_s: float | None = None
    recall: float | None = None
    answers: float | None = None


class Queries(Struct, frozen=True, kw_only=True):
    """Queries with a hash within 31 bits on the list, and queries that have none as a rule."""

    planted: Rows
    unrelated: Rows

    @property
    def mixed(self) -> Rows:
        """Both, in turn."""
        return np.stack([self.planted, self.unrelated], axis=1).reshape(-1, 4)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the arguments name, and print it."""
    options = _parser().parse_args(arguments)
    if not options.json:
        print(describe_machine())
    if options.growth:
        _print_each(grow(options.growth, _say), as_json=options.json)
        return
    if options.updates:
        _print_each(update(options.n, options.updates, _say), as_json=options.json)
        return
    names = ["file"] if options.data else options.kinds.split(",")
    if options.like:
        names.append("like")
    if not options.json:
        print(_HEADER)
    for name in names:
        random = np.random.default_rng(_SEED)
        rows, queries = _made(name, options.n, options.data or options.like, random)
        done = compare(name, rows, queries, options)
        for one in done:
            built = msgspec.to_builtins(one)
            print(json.dumps({**built, "load": os.getloadavg()[0]}) if options.json else _row(one))
        if not options.json:
            apart = f"Distances of different pictures deviate by {spread(rows, random):.2f} bits."
            print(*_ratios(done), f"{name}: {DESCRIPTIONS[name]}. {apart}", sep="\n")
        sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure the hash index beside its peers.")
    parser.add_argument("--n", type=int, default=1_000_000, help="how many hashes")
    parser.add_argument("--kinds", default="random,pdq", help="kinds of list: random, pdq, copies")
    parser.add_argument("--like", type=Path, help="a list of real hashes: adds made ones like them")
    parser.add_argument("--data", type=Path, help="a list of real hashes (hex lines, or .npy)")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each rate and go")
    parser.add_argument("--growth", help="sizes to measure Nightlight's alone at: 1000000,...")
    parser.add_argument("--updates", type=int, help="how many list updates under load")
    parser.add_argument("--folder", type=Path, help="where snapshots go; must have room")
    parser.add_argument("--json", action="store_true", help="print one JSON object an engine")
    return parser


def _made(
    name: str, count: int, data: Path | None, random: np.random.Generator
) -> tuple[Rows, Queries]:
    _say(f"making {count:,} hashes: {DESCRIPTIONS[name]}")
    made: PdqLike | LikeThese | None = None
    if name in {"pdq", "copies"}:
        made = PdqLike(random, name)
    elif data and name == "like":
        made = LikeThese(read_rows(data), random)
    if made:
        rows, unrelated = made.rows(count), made.unlike(_BULK // 2)
    else:
        rows = read_rows(data) if data and name == "file" else random_rows(count, random)
        unrelated = random_rows(_BULK // 2, random)
    return rows, Queries(planted=planted(rows, _BULK // 2, random), unrelated=unrelated)


def compare(name: str, rows: Rows, queries: Queries, options: argparse.Namespace) -> list[Measured]:
    """Return what each engine did, Nightlight's first.

    Raises:
        RuntimeError: an engine that should find every pair does not.
    """
    _say("filling Nightlight HashIndex")
    own, opened = own_engine(rows, options.folder)
    engines = [own, mapped_engine(opened, own), *peer_engines(rows, _say)]
    done = [
        Measured(
            data=name,
            hashes=len(rows),
            engine=one.name,
            build_s=one.build_s,
            build_cpu_s=one.build_cpu_s,
            bytes_per_hash=one.bytes_per_hash,
            save_s=one.save_s,
            open_s=one.open_s,
        )
        for one in engines
    ]
    done[0].recall = done[1].recall = _recall(opened, rows, queries)
    done[0].answers = len(opened.search(queries.planted[:_BATCH])[0]) / len(
        queries.planted[:_BATCH]
    )
    goes: list[dict[str, list[float]]] = [{} for _ in engines]
    for number in range(_ROUNDS):
        for engine, taken in zip(engines, goes, strict=True):
            _say(f"go {number + 1} of {_ROUNDS}: {engine.name}")
            _go(engine, queries, options.seconds, taken)
    for one, taken in zip(done, goes, strict=True):
        for field, values in taken.items():
            setattr(one, field, float(np.median(values)))
    return done


def _recall(opened: HashIndex, rows: Rows, queries: Queries) -> float:
    asked = queries.mixed[:_SAMPLE]
    _say(f"comparing the answers to {len(asked)} queries with FAISS BinaryFlat's")
    expected = flat_truth(rows, asked, _DISTANCE_BITS)
    found = set(zip(*(column.tolist() for column in opened.search(asked)), strict=True))
    if found - expected:
        raise RuntimeError("the index found what the exhaustive search did not")
    return len(found) / max(1, len(expected))


def _go(engine: Engine, queries: Queries, seconds: float, taken: dict[str, list[float]]) -> None:
    """Measure each rate once."""
    engine.search(queries.mixed[:2])
    unrelated = _singles(engine.search, queries.unrelated, seconds)
    planted_s = _singles(engine.search, queries.planted, seconds)
    both = np.array(unrelated + planted_s) * 1e6
    rates = {
        "single_unrelated_per_s": len(unrelated) / sum(unrelated),
        "single_planted_per_s": len(planted_s) / sum(planted_s),
        "p50_us": float(np.percentile(both, 50)),
        "p99_us": float(np.percentile(both, 99)),
    }
    if engine.batches:
        per_s = rates["single_unrelated_per_s"]
        for field, size in (("batch_per_s", _BATCH), ("bulk_per_s", _BULK)):
            # What takes an engine half a minute is not asked of it whole: it has no bulk mode.
            asked = queries.mixed[: max(2, min(size, round(per_s * seconds * 4)))]
            started = time.thread_time()
            engine.search(asked)
            rates[field] = len(asked) / (time.thread_time() - started)
    for field, rate in rates.items():
        taken.setdefault(field, []).append(rate)


def _singles(search: Search, queries: Rows, seconds: float) -> list[float]:
    """Return how long each query took, asked one by one."""
    took: list[float] = []
    ends = time.perf_counter() + seconds
    for number in range(len(queries)):
        started = time.thread_time_ns()
        search(queries[number : number + 1])
        took.append((time.thread_time_ns() - started) / 1e9)
        if time.perf_counter() > ends and len(took) >= 10:
            break
    return took


_COLUMNS = (
    ("hashes", lambda one: f"{one.data} {one.hashes:,}"),
    ("engine", lambda one: one.engine),
    ("single, unrelated /s", lambda one: _number(one.single_unrelated_per_s)),
    ("single, planted /s", lambda one: _number(one.single_planted_per_s)),
    ("p50 us", lambda one: _number(one.p50_us)),
    ("p99 us", lambda one: _number(one.p99_us)),
    ("batch /s", lambda one: _number(one.batch_per_s)),
    ("bulk /s", lambda one: _number(one.bulk_per_s)),
    ("bytes a hash", lambda one: _number(one.bytes_per_hash)),
    ("build s", lambda one: _number(one.build_s)),
    ("build CPU s", lambda one: _number(one.build_cpu_s)),
    ("save s", lambda one: _number(one.save_s)),
    ("open s", lambda one: _number(one.open_s)),
    ("answers a planted query", lambda one: _number(one.answers)),
    ("recall", lambda one: "" if one.recall is None else f"{one.recall:.4f}"),
)
_HEADER = (
    f"| {' | '.join(name for name, _ in _COLUMNS)} |\n"
    f"| --- | --- |{' ---: |' * (len(_COLUMNS) - 2)}"
)


def _row(one: Measured) -> str:
    return f"| {' | '.join(show(one) for _, show in _COLUMNS)} |"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _ratios(done: Sequence[Measured]) -> list[str]:
    own = done[0]
    lines = [""]
    for peer in done[2:]:
        single = own.single_unrelated_per_s / peer.single_unrelated_per_s
        bulk = (own.bulk_per_s or 0.0) / (peer.bulk_per_s or peer.single_unrelated_per_s)
        lines.append(f"- {single:,.0f} x {peer.engine} one by one, {bulk:,.0f} x in bulk")
    return lines


def _print_each(measured: Sequence[dict[str, float]], *, as_json: bool) -> None:
    if as_json:
        for one in measured:
            print(json.dumps(one))
        return
    print(f"| {' | '.join(measured[0])} |\n|{' ---: |' * len(measured[0])}")
    for one in measured:
        print(f"| {' | '.join(_number(value) for value in one.values())} |")


def _say(what: str) -> None:
    """Tell a person at a terminal what is going on."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
