"""Measures look-ups over HTTP: ``python -m benchmarks.http --n 100000 --json``.

A real ``nightlight serve`` on loopback, asked over keep-alive connections by a client of its own
process, both on the same cores. The list does not come through SQL but as the snapshot that
processes leave each other, which the server maps as it would in operation.
"""

import argparse
import asyncio
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from PIL import Image

from benchmarks.machine import describe_machine
from benchmarks.published import HMA_LOOKUPS_PER_S
from nightlight.bootstrap import build_services
from nightlight.detect.bank_index import BankIndex
from nightlight.detect.bank_settings import NUMBERED
from nightlight.detect.entry_table import _ROW, EntryTable
from nightlight.kernel.hamming import unpack
from nightlight.model.bank import HashKind, Opinion
from nightlight.settings import read_settings

_TOKEN = "a-token-of-the-benchmark"  # noqa: S105  of a server that lives for a minute
_BANK = "BENCH"
_SEED = 20
_NEAR_BITS = 12
_ID_BYTES = 11
_START_LIMIT_S = 600
_PICTURES = 24
_PICTURE_SIZE = (1600, 1004)


class Measured(Struct, frozen=True, kw_only=True):
    """What one kind of question came to."""

    hashes: int
    question: str
    clients: int
    answers: int
    per_s: float
    p50_ms: float
    p99_ms: float
    server_cpu_us: float
    matched: float
    times_hma: float | None


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the arguments name, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100_000, help="hashes on the list")
    parser.add_argument("--clients", type=int, default=4, help="connections that ask")
    parser.add_argument("--seconds", type=float, default=8.0, help="for each kind of question")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    machine = describe_machine()
    with tempfile.TemporaryDirectory() as folder, _shared_memory() as shared:
        rows = _rows(asked.n)
        environment = _prepared(Path(folder), shared, rows)
        with _Server(environment) as server:
            measured = asyncio.run(_measure(server, rows, asked.clients, asked.seconds))
            memory = server.memory_mib()
    if asked.json:
        told = {"machine": machine, "server_mib": memory, "measured": measured}
        print(json.dumps(msgspec.to_builtins(told)))
        return
    print(machine, f"; the server has {memory[0]:,.0f} MiB of its own, {memory[1]:,.0f} mapped")
    for one in measured:
        times = f"{one.times_hma:.1f} x HMA" if one.times_hma else ""
        print(
            f"{one.hashes:>11,}  {one.question:<28} {one.clients} clients {one.per_s:>8,.0f}/s"
            f"  p50 {one.p50_ms:6.2f} ms  p99 {one.p99_ms:6.2f} ms"
            f"  server {one.server_cpu_us:,.0f} us  {one.matched:5.1%} matched  {times}"
        )


def _rows(count: int) -> NDArray[np.uint64]:
    random = np.random.default_rng(_SEED)
    return random.integers(0, 1 << 64, (count, 4), np.uint64)


def _near(row: NDArray[np.uint64], random: np.random.Generator) -> str:
    """Return a hash a dozen bits away."""
    bits = int(unpack(row[None])[0], 16)
    for place in random.choice(256, _NEAR_BITS, replace=False).tolist():
        bits ^= 1 << place
    return f"{bits:064x}"


def _prepared(folder: Path, shared: Path, rows: NDArray[np.uint64]) -> dict[str, str]:
    """Return the environment of a home whose list lies in shared memory."""
    own = {
        "NIGHTLIGHT_HOME": str(folder / "home"),
        "NIGHTLIGHT_API_TOKEN": _TOKEN,
        "NIGHTLIGHT_HMA_API": "true",
        "NIGHTLIGHT_INDEX_DIRECTORY": str(shared),
    }
    services = build_services(read_settings(own))
    line = json.dumps({"kind": "md5", "value": "0" * 32})
    services.banks.import_entries(_BANK, [line], actor="benchmark", reason="to have a version")
    index = BankIndex(banks=[services.banks.get(_BANK)])
    began_s = time.monotonic()
    with services.unit_of_work.read() as tx:
        index.version = tx.banks.version()
        index.mark = tx.banks.mark(index.version)
        _fill(index, rows, f"{NUMBERED}{tx.banks.numbers()[_BANK]}")
    index.save(shared / f"{index.version:020d}.banks")
    print(f"list of {len(rows):,} made in {time.monotonic() - began_s:.0f} s", file=sys.stderr)
    return {**os.environ, **own}


def _fill(index: BankIndex, rows: NDArray[np.uint64], bank: str) -> None:
    """Put the hashes in as columns: as entries, one by one, ten million take minutes to make."""
    table = np.zeros(len(rows), _ROW)
    table["number"] = table["content"] = np.arange(2, len(rows) + 2)
    table["value"] = rows[:, 0]
    table["id_start"] = np.arange(len(rows)) * _ID_BYTES
    table["id_length"] = _ID_BYTES
    names = [bank, "", Opinion.POSITIVE.value]
    table["classification"] = table["view"] = names.index("")
    table["opinion"] = names.index(Opinion.POSITIVE.value)
    table["kind"] = list(HashKind).index(HashKind.PDQ)
    ids = b"".join(b"be_%08x" % number for number in range(len(rows)))
    index._table = EntryTable.from_arrays(  # noqa: SLF001  a snapshot is read in the same way
        {
            "rows": table.view(np.uint8),
            "ids": np.frombuffer(ids, np.uint8),
            "names": np.frombuffer(msgspec.json.encode(names), np.uint8),
        }
    )
    index._pdq.add(np.arange(2, len(rows) + 2), rows)  # noqa: SLF001


class _Server:
    """``nightlight serve`` in a process of its own."""

    def __init__(self, environment: dict[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "nightlight", "serve", "--no-worker", "--port", str(self.port)],
            env=environment,
            stderr=None if os.environ.get("BENCH_DEBUG") else subprocess.DEVNULL,
        )

    def __enter__(self) -> Self:
        until_s = time.monotonic() + _START_LIMIT_S
        while time.monotonic() < until_s and self._process.poll() is None:
            if asyncio.run(self._is_ready()):
                return self
            time.sleep(0.2)
        self._process.kill()
        raise RuntimeError("the server did not start")

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=30)

    async def _is_ready(self) -> bool:
        try:
            connection = await _Connection.open(self.port)
        except OSError:
            return False
        status, _ = await connection.ask(_get("/status"))
        connection.close()
        return status == 200

    def cpu_s(self) -> float:
        """Return the processor time that the server and its decoders used."""
        used = 0.0
        for pid in (self._process.pid, *_children(self._process.pid)):
            fields = (
                Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            )
            used += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
        return used

    def memory_mib(self) -> tuple[float, float]:
        """Return the server's own and its mapped memory."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii").splitlines()
        found = dict(line.split(":", 1) for line in lines)
        own, mapped = (
            sum(int(found[name].split()[0]) for name in names) / 1024
            for names in (("RssAnon",), ("RssFile", "RssShmem"))
        )
        return own, mapped


def _children(pid: int) -> list[int]:
    """Return the processes that a process started, and that those started."""
    own: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        own.extend(map(int, (task / "children").read_text(encoding="ascii").split()))
    return [*own, *(found for child in own for found in _children(child))]


class _Connection:
    """One keep-alive connection that asks and waits for each answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "_Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Return the status and body of the answer."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        place = lower.index(b"content-length:") + 15
        length = int(lower[place : lower.index(b"\r\n", place)])
        return int(head[9:12]), await self._reader.readexactly(length)

    def close(self) -> None:
        self._writer.close()


def _get(path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {_TOKEN}\r\n\r\n"
    ).encode()


def _post(path: str, kind: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {_TOKEN}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _questions(rows: NDArray[np.uint64]) -> dict[str, tuple[Callable[[int], bytes], bytes]]:
    """Return by name how the requests are made, and what an answer without a match holds."""
    random = np.random.default_rng(_SEED + 1)
    known = rows[random.integers(0, len(rows), 2000)]
    # Every second hash is a dozen bits from one on the list; the others are near none.
    asked = [
        _near(row, random)
        if place % 2
        else unpack(random.integers(0, 1 << 64, (1, 4), np.uint64))[0]
        for place, row in enumerate(known)
    ]
    pictures = [_jpeg(number) for number in range(_PICTURES)]

    def hashed(number: int) -> bytes:
        body = {"hashes": {"pdq": asked[number % len(asked)], "quality": 100}}
        return _post("/v1/screen", "application/json", msgspec.json.encode(body))

    def picture(number: int) -> bytes:
        # What follows a picture's end makes it another file, that no memory of files knows.
        body = pictures[number % len(pictures)] + hashlib.sha256(b"%d" % number).digest()
        return _post("/v1/screen", "image/jpeg", body)

    return {
        "GET /m/lookup": (
            lambda n: _get(f"/m/lookup?signal_type=pdq&signal={asked[n % len(asked)]}"),
            b"{}",
        ),
        "GET /m/raw_lookup": (
            lambda n: _get(f"/m/raw_lookup?signal_type=pdq&signal={asked[n % len(asked)]}"),
            b'"matches":[]',
        ),
        "POST /v1/screen, hashes": (hashed, b'"matches":[]'),
        "POST /v1/screen, 1.6 MP JPEG": (picture, b'"matches":[]'),
    }


def _jpeg(number: int) -> bytes:
    random = np.random.default_rng(number)
    small = random.integers(0, 256, (20, 32, 3), np.uint8)
    out = BytesIO()
    Image.fromarray(small).resize(_PICTURE_SIZE, Image.Resampling.BICUBIC).save(
        out, "JPEG", quality=88
    )
    return out.getvalue()


async def _measure(
    server: _Server, rows: NDArray[np.uint64], clients: int, seconds: float
) -> list[Measured]:
    measured = []
    for name, (request, sign) in _questions(rows).items():
        await _asked(server.port, request, sign, clients, seconds / 4)
        before_s = server.cpu_s()
        times, matched = await _asked(server.port, request, sign, clients, seconds)
        used_s = server.cpu_s() - before_s
        per_s = len(times) / seconds
        compared = name == "GET /m/lookup"
        measured.append(
            Measured(
                hashes=len(rows),
                question=name,
                clients=clients,
                answers=len(times),
                per_s=round(per_s, 1),
                p50_ms=round(float(np.percentile(times, 50)) * 1e3, 3),
                p99_ms=round(float(np.percentile(times, 99)) * 1e3, 3),
                server_cpu_us=round(used_s / max(1, len(times)) * 1e6, 1),
                matched=matched / max(1, len(times)),
                times_hma=round(per_s / HMA_LOOKUPS_PER_S, 1) if compared else None,
            )
        )
    return measured


async def _asked(
    port: int, request: Callable[[int], bytes], sign: bytes, clients: int, seconds: float
) -> tuple[list[float], int]:
    """Return how long each answer took, and how many told of a match."""
    times: list[float] = []
    matched = 0
    until_s = time.perf_counter() + seconds
    count = 0

    async def client() -> None:
        nonlocal matched, count
        connection = await _Connection.open(port)
        while time.perf_counter() < until_s:
            count += 1
            asked = request(count)
            began_s = time.perf_counter()
            status, body = await connection.ask(asked)
            times.append(time.perf_counter() - began_s)
            if status != 200:
                raise RuntimeError(f"the server answers {status}: {body[:200]!r}")
            matched += sign not in body
        connection.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return times, matched


class _shared_memory(tempfile.TemporaryDirectory[str]):  # noqa: N801  used as a function
    """A private folder in memory, where there is one."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")  # noqa: S108
        super().__init__(dir=memory if memory.is_dir() else None)

    def __enter__(self) -> Path:  # type: ignore[override]  # a path is what it is
        return Path(super().__enter__())


if __name__ == "__main__":
    main()
