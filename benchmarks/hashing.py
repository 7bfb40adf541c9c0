"""Measures picture files -> PDQ beside Pillow with Meta's code: ``python -m benchmarks.hashing``.

Every way has the same files in memory, one after another on one thread; rates are in the process's
own processor time, which a busy machine disturbs less than the clock. ``--data`` names a folder of
Meta's sample pictures (``bridge-mods`` and ``dih``), which are then compared, too.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TypeAlias

import msgspec
import numpy as np
import pdqhash
from msgspec import Struct
from PIL import Image

from benchmarks.machine import describe_machine
from nightlight.adapters.image_hasher import hash_bytes, no_views
from nightlight.adapters.picture_decode import frames
from nightlight.adapters.picture_limits import PictureLimits
from nightlight.kernel import pdq
from nightlight.kernel.hamming import pack, unpack
from nightlight.model.media import MediaHashes

#: Takes a file, returns 64 hex digits and the quality.
Way: TypeAlias = Callable[[bytes], tuple[str, int]]

_LIMITS = PictureLimits()
_KINDS = {
    "JPEG": {"quality": 85},
    "progressive JPEG": {"quality": 85, "progressive": True},
    "PNG": {},
    "WEBP": {"quality": 80},
}
_PLAIN = "Pillow + pdqhash"


class Measured(Struct, frozen=True, kw_only=True):
    """What one way did with the files of one kind and size.

    Attributes:
        ratio: how many times the rate of the plain way, the median over the files.
        bits_off: the distance to the plain way's hash: mean, 99th percentile, largest.
        quality_off: the largest difference in quality.
    """

    kind: str
    megapixels: float
    way: str
    files: int
    bytes_per_file: int
    pictures_per_s: float
    ratio: float
    bits_off: tuple[float, float, int]
    quality_off: int


def plain(data: bytes) -> tuple[str, int]:
    """Return the hash by Pillow and Meta's code."""
    with Image.open(BytesIO(data)) as picture:
        bits, quality = pdqhash.compute(np.asarray(picture.convert("RGB")))
    return np.packbits(bits.astype(np.uint8)).tobytes().hex(), int(quality)


def strict(data: bytes) -> tuple[str, int]:
    """Return the hash alone, of all pixels in colour."""
    return _hash_only(data, is_fast=False)


def fast(data: bytes) -> tuple[str, int]:
    """Return the hash alone, of a JPEG's brightness."""
    return _hash_only(data, is_fast=True)


def strict_with_turns(data: bytes) -> tuple[str, int]:
    """Return the hash, after its seven turns and the exact hashes were made as well."""
    hashes = hash_bytes(data, views=no_views).hashes
    return hashes.pdq, hashes.pdq_quality


def strict_with_views(data: bytes) -> tuple[str, int]:
    """Return the hash, after every view of the picture was hashed as well."""
    hashes = hash_bytes(data).hashes
    return hashes.pdq, hashes.pdq_quality


def _hash_only(data: bytes, *, is_fast: bool) -> tuple[str, int]:
    frame = next(frames(data, limits=_LIMITS, is_fast=is_fast))
    found = pdq.picture_hash(frame.looks[0][1], shown=frame.shown)
    return unpack(found.row[None])[0], found.quality


WAYS: dict[str, Way] = {
    _PLAIN: plain,
    "strict": strict,
    "strict, turns and exact hashes": strict_with_turns,
    "strict, all views and exact hashes": strict_with_views,
    "fast": fast,
}


def photo_like(seed: int, megapixels: float) -> Image.Image:
    """Return soft shapes, edges, texture and a camera's noise."""
    choose = np.random.default_rng(seed)
    height = round((megapixels * 1e6 / choose.uniform(1.2, 1.8)) ** 0.5)
    width = round(megapixels * 1e6 / height)
    total = np.zeros((height, width, 3), np.float32)
    roughness = choose.uniform(0.7, 1.3)
    cells = 3
    while cells < width // 4:
        patch = choose.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        how = choose.choice((Image.Resampling.BICUBIC, Image.Resampling.NEAREST), p=(0.8, 0.2))
        total += np.asarray(Image.fromarray(patch).resize((width, height), how)) / cells**roughness
        cells *= 3
    total -= total.min()
    total *= 255 / total.max()
    total += choose.standard_normal((height, width, 1), np.float32) * choose.uniform(1, 4)
    return Image.fromarray(np.clip(total, 0, 255).astype(np.uint8))


def make_files(kind: str, megapixels: float, count: int) -> list[bytes]:
    """Return pictures of one size as files of one kind."""
    files = []
    for seed in range(count):
        file = BytesIO()
        photo_like(seed, megapixels).save(file, kind.rsplit(maxsplit=1)[-1], **_KINDS[kind])
        files.append(file.getvalue())
    return files


def measure(kind: str, megapixels: float, files: Sequence[bytes]) -> list[Measured]:
    """Return what each way did; the ways take turns at each file."""
    ways = {name: way for name, way in WAYS.items() if name != "fast" or "JPEG" in kind}
    for way in ways.values():
        way(files[0])
    took: dict[str, list[float]] = {name: [] for name in ways}
    hashes: dict[str, list[tuple[str, int]]] = {name: [] for name in ways}
    for file in files:
        for name, way in ways.items():
            started = time.process_time()
            hashes[name].append(way(file))
            took[name].append(time.process_time() - started)
    return [
        Measured(
            kind=kind,
            megapixels=megapixels,
            way=name,
            files=len(files),
            bytes_per_file=round(sum(map(len, files)) / len(files)),
            pictures_per_s=round(len(files) / sum(took[name]), 2),
            ratio=round(median(a / b for a, b in zip(took[_PLAIN], took[name], strict=True)), 2),
            bits_off=_spread(hashes[_PLAIN], hashes[name]),
            quality_off=max(
                abs(a[1] - b[1]) for a, b in zip(hashes[_PLAIN], hashes[name], strict=True)
            ),
        )
        for name in ways
    ]


def _spread(
    truth: Sequence[tuple[str, int]], found: Sequence[tuple[str, int]]
) -> tuple[float, float, int]:
    rows = pack([pdq_hash for pdq_hash, _ in truth]) ^ pack([pdq_hash for pdq_hash, _ in found])
    apart = np.bitwise_count(rows).sum(axis=1)
    return round(float(apart.mean()), 3), float(np.percentile(apart, 99)), int(apart.max())


def peak_bytes(way: str, file: Path) -> int:
    """Return by how much hashing the file raises the most memory a fresh process holds."""
    command = [sys.executable, "-m", "benchmarks.hashing", "--peak", way, str(file)]
    return int(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)


def _print_peak(way: str, file: Path) -> None:
    small = BytesIO()
    photo_like(1, 0.1).save(small, "JPEG")
    WAYS[way](small.getvalue())
    data = file.read_bytes()
    before = _most_held()
    WAYS[way](data)
    print(_most_held() - before)


def _most_held() -> int:
    # Not what getrusage says: there a process inherits its parent's peak.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0]) * 1024


def compare_samples(folder: Path) -> dict[str, int]:
    """Return how far our hashes of Meta's pictures are from those of Meta's code, at most."""
    plainly = [file.read_bytes() for file in sorted((folder / "bridge-mods").glob("*.jpg"))]
    turned = [file.read_bytes() for file in sorted((folder / "dih").glob("*.jpg"))]
    first = hash_bytes(turned[0], exact=MediaHashes(), views=no_views).hashes
    ours = [first.pdq, *(view.pdq for view in first.views)]
    return {
        "pictures": len(plainly),
        "bits_off": max(_spread([plain(data)], [strict(data)])[2] for data in plainly),
        # Each turned file is some view of the first; which, its name says in other words.
        "turned_bits_off": max(
            min(_spread([plain(data)], [(view, 0)])[2] for view in ours) for data in turned
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.hashing", description=__doc__)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 4, 12])
    parser.add_argument("--kinds", nargs="+", choices=_KINDS, default=list(_KINDS))
    parser.add_argument("--files", type=int, default=24, help="of each kind at one megapixel")
    parser.add_argument("--data", type=Path, help="folder of Meta's sample pictures")
    parser.add_argument("--out", type=Path, help="write JSON here")
    parser.add_argument("--peak", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        _print_peak(options.peak[0], Path(options.peak[1]))
        return
    machine = describe_machine()
    print(machine, file=sys.stderr)
    results: list[Measured] = []
    for kind in options.kinds:
        for megapixels in options.megapixels:
            count = max(3, round(options.files / megapixels**0.7))
            for one in measure(kind, megapixels, make_files(kind, megapixels, count)):
                results.append(one)
                print(json.dumps(msgspec.to_builtins(one)), file=sys.stderr)
    found = {
        "machine": machine,
        "measured": msgspec.to_builtins(results),
        "peak_bytes": _peaks(max(options.megapixels)),
        "samples": compare_samples(options.data) if options.data else None,
    }
    text = json.dumps(found, indent=1)
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    print(text)


def _peaks(megapixels: float) -> dict[str, int]:
    with TemporaryDirectory() as folder:
        file = Path(folder, "picture.jpg")
        file.write_bytes(make_files("JPEG", megapixels, 1)[0])
        return {way: peak_bytes(way, file) for way in WAYS}


if __name__ == "__main__":
    main()
