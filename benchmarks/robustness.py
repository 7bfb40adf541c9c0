"""Edited pictures found, and others matched wrongly: ``python -m benchmarks.robustness``.

Every original is edited in every way and looked up; every negative is looked up among all
originals. Two banks: of plain PDQ hashes only, as a partner's list is (A), and of the originals'
own views too, as a bank made from media is (B). Beside them PDQ alone, ``imagehash``'s and
``perception``'s pHash, these two at the largest distance that keeps false positives as rare.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count, islice
from math import sqrt
from pathlib import Path
from statistics import median
from typing import Any

import cv2  # type: ignore[import-not-found]  # installed where benchmarks run
import msgspec

import nightlight.kernel
from benchmarks import robustness_corpus as corpus
from benchmarks import robustness_methods as methods
from benchmarks.machine import describe_machine
from benchmarks.robustness_edits import EDITS
from benchmarks.robustness_methods import Bank, Kept, Nearest, Original, Seen
from benchmarks.robustness_plot import plot
from nightlight.kernel.views import LEAST_QUALITY, pair_threshold_bits

PDQ_BITS = 31
#: Pictures in a million that may be matched wrongly.
FALSE_A_MILLION = 100
_FARTHEST_PHASH = 24
_METHODS = ("PDQ", "pHash", "perception", "hash-only", "media")

_Chosen = tuple[list[corpus.Source], list[corpus.Source]]

_WORK: dict[str, Any] = {}


def chosen(
    kept: Path, pictures: int, negatives: int, folder: Path | None, others: Path | None
) -> tuple[list[corpus.Source], list[corpus.Source]]:
    """Return sources of originals and negatives, as chosen in an earlier run if there was one."""
    about = repr((pictures, negatives, folder, others)).encode()
    path = kept / f"chosen-{hashlib.sha256(about).hexdigest()[:16]}"
    if path.exists():
        earlier: _Chosen = msgspec.json.decode(path.read_bytes(), type=_Chosen)
        return earlier
    sources = choose(pictures, negatives, folder, others)
    kept.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(sources))
    return sources


def choose(
    pictures: int, negatives: int, folder: Path | None, others: Path | None
) -> tuple[list[corpus.Source], list[corpus.Source]]:
    """Return sources of originals and negatives; no negative is a version of an original."""
    same = corpus.Sameness()
    originals: list[corpus.Source] = []
    spare: list[str] = []
    from_files = pictures - pictures // 4 if folder else 0
    for path in corpus.file_pictures(folder) if folder else []:
        picture = corpus.load(path)
        if picture is None or same.is_known(picture):
            continue
        if len(originals) < from_files and methods.is_matchable(picture):
            originals.append(str(path))
            same.remember(picture)
        elif len(spare) < negatives // 4:
            spare.append(str(path))
    seeds = (seed for seed in count() if methods.is_matchable(corpus.drawn(seed)))
    originals += islice(seeds, pictures - len(originals))
    for path in corpus.file_pictures(others) if others else []:
        if len(spare) >= 0.7 * negatives:
            break
        picture = corpus.load(path)
        if picture is not None and not same.is_known(picture):
            spare.append(str(path))
    return originals, [*spare, *_made_up(negatives - len(spare), spare)]


def _made_up(wanted: int, spare: Sequence[str]) -> Iterator[corpus.Source]:
    """Yield drawings with other seeds, and near misses made from them and from files."""
    rng = random.Random(7)  # noqa: S311  the same each run; no secret
    for seed in range(1_000_000, 1_000_000 + wanted):
        inner = rng.choice(spare) if spare and rng.random() < 0.7 else seed
        yield (seed, inner) if rng.random() < 0.7 else seed


def measure(
    originals: Sequence[corpus.Source],
    negatives: Sequence[corpus.Source],
    kept: Kept,
    processes: int,
) -> tuple[list[Original], list[Seen]]:
    """Return what was seen of every original and of every negative."""
    # Each process keeps to one thread: two fill the machine, and BLAS would start one a core.
    cv2.setNumThreads(1)
    context = multiprocessing.get_context("fork")
    _WORK["kept"] = kept
    with context.Pool(processes) as pool:
        tasks = list(enumerate(originals))
        seen = list(_told(pool.imap(_original, tasks, 2), len(tasks)))
    _WORK["bank"] = Bank(seen)
    with context.Pool(processes) as pool:
        tasks = list(enumerate(negatives))
        missed = list(_told(pool.imap(_negative, tasks, 8), len(tasks)))
    return seen, missed


def _original(task: tuple[int, corpus.Source]) -> Original:
    kept: Kept = _WORK["kept"]
    return kept.original(*task)


def _negative(task: tuple[int, corpus.Source]) -> Seen:
    kept: Kept = _WORK["kept"]
    return kept.negative(*task, _WORK["bank"])


def _told(results: Iterable[Any], total: int) -> Iterator[Any]:
    for number, result in enumerate(results, 1):
        if number % 100 == 0:
            print(f"{number} of {total}", file=sys.stderr, flush=True)
        yield result


def wilson(found: int, of: int) -> tuple[float, float]:
    """Return the interval that holds the true share with 95 % confidence."""
    z, share = 1.96, found / of
    middle = share + z * z / (2 * of)
    reach = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(0.0, (middle - reach) / (1 + z * z / of)), (middle + reach) / (1 + z * z / of)


def matched(nearest: dict[str, Nearest], bits: int = PDQ_BITS) -> Nearest | None:
    """Return the nearest match, None where no view comes within its own distance."""
    near = [
        one
        for one in nearest.values()
        if one.distance <= pair_threshold_bits(one.view, one.bank_view, bits)
    ]
    return min(near, key=lambda one: one.distance, default=None)


def report(originals: Sequence[Original], negatives: Sequence[Seen]) -> dict[str, Any]:
    """Return the table: for each edit and method the share found; false positives; cost."""
    limit = FALSE_A_MILLION * len(negatives) // 1_000_000
    bits = {name: _farthest([getattr(one, name) for one in negatives], limit) for name in _PHASHES}
    finds: dict[str, Callable[[Seen], bool]] = {
        "PDQ": lambda one: one.plain <= PDQ_BITS,
        "pHash": lambda one: one.phash <= bits["phash"],
        "perception": lambda one: one.perception <= bits["perception"],
        "hash-only": lambda one: matched(one.hash_only) is not None,
        # Only each view's nearest was kept, which may be too far for its kind where the whole
        # picture, a little farther, is not.
        "media": lambda one: (matched(one.media) or matched(one.hash_only)) is not None,
    }
    table = []
    for place, edit in enumerate(EDITS):
        copies = [one.copies[place] for one in originals]
        row: dict[str, Any] = {"edit": edit, "pictures": len(copies)}
        for name, is_found in finds.items():
            row[name] = _share(sum(map(is_found, copies)), len(copies))
        row["views"] = _usual_views(copies)
        table.append(row)
    wrong = {
        name: _share(sum(map(is_found, negatives)), len(negatives))
        for name, is_found in finds.items()
    }
    copies = [copy for one in originals for copy in one.copies]
    return {
        "originals": len(originals),
        "negatives": len(negatives),
        "bits": {"PDQ": PDQ_BITS, "views": PDQ_BITS, **bits},
        "recall": table,
        "false positives": wrong,
        "false positives at": _curve(negatives),
        "recall at": _recall_curve(originals),
        "views a look-up": round(median(one.views for one in copies)),
        "views an original": round(median(len(one.names) for one in originals)),
        "look-up ms": round(1000 * median(one.took_s for one in copies), 1),
        "bank entry ms": round(1000 * median(one.took_s for one in originals), 1),
    }


_PHASHES = ("phash", "perception")


def _farthest(distances: Sequence[int], limit: int) -> int:
    """Return the largest distance within which at most ``limit`` negatives lie."""
    within = [bits for bits in range(_FARTHEST_PHASH) if sum(d <= bits for d in distances) <= limit]
    return max(within, default=-1)


def _share(found: int, of: int) -> dict[str, Any]:
    low, high = wilson(found, of)
    return {"found": found, "share": found / of, "low": low, "high": high}


def _usual_views(copies: Sequence[Seen]) -> dict[str, int]:
    matches = (matched(one.hash_only) or matched(one.media) for one in copies)
    return dict(Counter(one.view or "plain" for one in matches if one).most_common(3))


def _curve(negatives: Sequence[Seen]) -> dict[str, dict[str, int]]:
    """Return how many negatives would be matched at other distances."""
    return {
        str(bits): {
            "PDQ": sum(one.plain <= bits for one in negatives),
            "hash-only": sum(_least(one.hash_only) <= bits for one in negatives),
            # The large bank was searched through the index, which reaches no further than 31.
            "media": sum(_least(one.media) <= min(bits, PDQ_BITS) for one in negatives),
        }
        for bits in (16, 24, 31, 35, 39, 43, 47, 51, 55, 59, 63)
    }


def _recall_curve(originals: Sequence[Original]) -> dict[str, dict[str, float]]:
    """Return what hash-only banks would find if distances beyond 31 counted."""
    return {
        edit: {
            str(bits): sum(_least(one.copies[place].hash_only) <= bits for one in originals)
            / len(originals)
            for bits in (24, 31, 39, 47, 55)
        }
        for place, edit in enumerate(EDITS)
    }


def _least(nearest: dict[str, Nearest]) -> int:
    return min((one.distance for one in nearest.values()), default=methods.FAR)


def _print(found: dict[str, Any]) -> None:
    print(
        f"{found['originals']} originals, {found['negatives']} negatives; distances {found['bits']}"
    )
    print(f"{'edit':<30}" + "".join(f"{name:>12}" for name in _METHODS) + "   found by")
    for row in found["recall"]:
        shares = "".join(f"{100 * row[name]['share']:>12.1f}" for name in _METHODS)
        print(f"{row['edit']:<30}{shares}   {', '.join(row['views'])}")
    wrong = found["false positives"]
    print(f"{'matched wrongly':<30}" + "".join(f"{wrong[name]['found']:>12}" for name in _METHODS))
    print(f"of {found['negatives']}; 95 % below", end=" ")
    print(", ".join(f"{name} {wrong[name]['high']:.5f}" for name in _METHODS))
    print(f"views a look-up {found['views a look-up']}, in {found['look-up ms']} ms; ", end="")
    print(f"an original {found['views an original']}, in {found['bank entry ms']} ms")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1000, help="originals")
    parser.add_argument("--negatives", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, help="photographs: originals, then negatives")
    parser.add_argument("--others", type=Path, help="other pictures, for negatives only")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--plot", type=Path, help="where to write the picture (SVG)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    folder = Path(tempfile.gettempdir()) / "nightlight-robustness"
    originals, negatives = chosen(
        folder, options.pictures, options.negatives, options.folder, options.others
    )
    code = [*sorted(Path(nightlight.kernel.__file__).parent.glob("*view*.py"))]
    code += sorted(Path(__file__).parent.glob("robustness_[cem]*.py"))
    kept = Kept(folder, code, repr(originals))
    machine = describe_machine()
    seen, missed = measure(originals, negatives, kept, options.processes)
    found = {"machine": machine, "least quality": LEAST_QUALITY, **report(seen, missed)}
    if options.plot:
        options.plot.write_text(plot(found), encoding="utf-8")
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        _print(found)


if __name__ == "__main__":
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    main()
