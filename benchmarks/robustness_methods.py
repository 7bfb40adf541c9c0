"""What each method sees of a picture, and how near it comes to others; kept between runs."""

import hashlib
import os
import random
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import imagehash  # type: ignore[import-not-found]  # installed where benchmarks run
import msgspec
import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray
from perception.hashers import (  # type: ignore[import-not-found]  # likewise
    PHash,
)
from PIL import Image

from benchmarks import robustness_corpus as corpus
from benchmarks.robustness_edits import EDITS
from nightlight.kernel import pdq, views
from nightlight.kernel.hash_index import HashIndex

#: A distance that is none: nothing is counted from here on, so that searching can stop early.
FAR = 64
_SMALL_BANK = 5000
_PERCEPTION = PHash()
#: What views' names begin with.
_KINDS = (
    *("brightened", "without-border", "inner-picture", "uncropped", "turned-back", "part"),
    *("cropped", "tilted"),
)


class Nearest(Struct, frozen=True, array_like=True):
    """The least distance that one kind of view came to, and the views of both sides."""

    distance: int
    view: str
    bank_view: str = ""


class Seen(Struct, frozen=True, array_like=True):
    """How near one looked-up picture came by each method, ``FAR`` where not near.

    ``hash_only`` and ``media`` hold the nearest for each kind of view, for the two banks.
    """

    plain: int
    hash_only: dict[str, Nearest]
    media: dict[str, Nearest]
    phash: int
    perception: int
    views: int
    took_s: float


class Original(Struct, frozen=True, array_like=True):
    """An original's hashes, and how near its edited copies come to it, in the order of EDITS."""

    rows: bytes
    names: list[str]
    phash: int
    perception: int
    took_s: float
    copies: list[Seen]


class Bank:
    """The originals' hashes as arrays: what is looked up in."""

    def __init__(self, originals: Sequence[Original]) -> None:
        rows = [np.frombuffer(one.rows, np.uint64).reshape(-1, 4) for one in originals]
        self.plain = np.array([one[0] for one in rows])
        self.media = np.concatenate(rows)
        self.index = HashIndex(background=False)
        self.index.add(np.arange(len(self.media)), self.media)
        self.names = [name for one in originals for name in one.names]
        self.phash = np.array([one.phash for one in originals], np.uint64)
        self.perception = np.array([one.perception for one in originals], np.uint64)


def is_matchable(picture: Image.Image) -> bool:
    """Return whether PDQ has enough to hold on to: quality, and detail in two directions."""
    luma = _luma(picture)
    return pdq.hash_luma(luma)[1] >= views.LEAST_QUALITY and views.has_detail(luma)


def look_up(picture: Image.Image, bank: Bank) -> Seen:
    """Return how near the picture comes to a bank's originals."""
    pixels = np.ascontiguousarray(np.asarray(picture))
    start = perf_counter()
    own = pdq.picture_hash(pixels, turns=True)
    found = views.views_of(pixels, own)
    took_s = perf_counter() - start
    row, quality = own.row, own.quality
    if quality >= views.LEAST_QUALITY:
        found.insert(0, ("", row, quality))
    names = [name for name, _, _ in found]
    rows = np.array([one for _, one, _ in found], np.uint64).reshape(-1, 4)
    plain, _ = nearest(rows, bank.plain)
    media, places = _in_media(rows, bank)
    return Seen(
        plain=int(plain[0]) if names[:1] == [""] else FAR,
        hash_only=_by_kind(names, plain, [""] * len(names)),
        media=_by_kind(names, media, [bank.names[at] for at in places]),
        phash=int(np.bitwise_count(bank.phash ^ np.uint64(_phash(picture))).min()),
        perception=int(np.bitwise_count(bank.perception ^ np.uint64(_perception(picture))).min()),
        views=len(names),
        took_s=took_s,
    )


def _in_media(rows: NDArray[np.uint64], bank: Bank) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each row the least distance to the bank's views, and which that is.

    A large bank is searched through the product's own index, so no further than that reaches.
    """
    if len(bank.media) < _SMALL_BANK:
        distances, places = nearest(rows, bank.media)
        return distances, places
    distances = np.full(len(rows), FAR, np.int64)
    places = np.zeros(len(rows), np.int64)
    queries, found, apart = bank.index.search(rows)
    first = np.unique(queries, return_index=True)[1]  # a query's nearest comes first
    distances[queries[first]], places[queries[first]] = apart[first], found[first]
    return distances, places


def kind_of(view: str) -> str:
    """Return which kind of view a name is of."""
    kinds = [kind for kind in _KINDS if view.startswith(kind)]
    return kinds[0] if kinds else "turned-or-flipped" if view else "plain"


def _by_kind(
    names: list[str], distances: NDArray[np.int64], bank_views: list[str]
) -> dict[str, Nearest]:
    best: dict[str, Nearest] = {}
    for name, distance, bank_view in zip(names, distances, bank_views, strict=True):
        kind = f"{kind_of(name)} / {kind_of(bank_view)}"
        if distance < FAR and (kind not in best or distance < best[kind].distance):
            best[kind] = Nearest(int(distance), name, bank_view)
    return best


class Kept:
    """Outcomes kept under a temporary folder, for the code and the pictures that they are of."""

    def __init__(self, folder: Path, code: Sequence[Path], about: str) -> None:
        digest = hashlib.sha256(about.encode())
        for path in code:
            digest.update(path.read_bytes())
        self._folder = folder / digest.hexdigest()[:16]
        self._folder.mkdir(parents=True, exist_ok=True)

    def original(self, number: int, source: corpus.Source) -> Original:
        """Return an original with its edited copies looked up among itself alone."""
        path = self._folder / f"original-{number}"
        if path.exists():
            return msgspec.msgpack.decode(path.read_bytes(), type=Original)
        outcome = _original(number, source)
        self._write(path, outcome)
        return outcome

    def negative(self, number: int, source: corpus.Source, bank: Bank) -> Seen:
        """Return a negative looked up among all originals."""
        path = self._folder / f"negative-{number}-of-{len(bank.plain)}"
        if path.exists():
            return msgspec.msgpack.decode(path.read_bytes(), type=Seen)
        outcome = look_up(corpus.picture_of(source), bank)
        self._write(path, outcome)
        return outcome

    @staticmethod
    def _write(path: Path, outcome: Original | Seen) -> None:
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_bytes(msgspec.msgpack.encode(outcome))
        draft.rename(path)


def _original(number: int, source: corpus.Source) -> Original:
    picture = corpus.picture_of(source)
    pixels = np.ascontiguousarray(np.asarray(picture))
    start = perf_counter()
    own = pdq.picture_hash(pixels, turns=True)
    looks = views.views_of(pixels, own, views=views.bank_views)
    found = [("", own.row, own.quality), *looks]
    took_s = perf_counter() - start
    itself = Original(
        rows=np.array([one for _, one, _ in found]).tobytes(),
        names=[name for name, _, _ in found],
        phash=_phash(picture),
        perception=_perception(picture),
        took_s=took_s,
        copies=[],
    )
    bank = Bank([itself])
    copies = [
        look_up(edit(picture, _dice(number, place)), bank)
        for place, edit in enumerate(EDITS.values())
    ]
    return msgspec.structs.replace(itself, copies=copies)


def _dice(number: int, place: int) -> random.Random:
    return random.Random(1000 * number + place)  # noqa: S311  the same each run; no secret


def _luma(picture: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(picture.convert("L"))


def _phash(picture: Image.Image) -> int:
    return _number(imagehash.phash(picture).hash)


def _perception(picture: Image.Image) -> int:
    return _number(_PERCEPTION.compute(picture, hash_format="vector"))


def _number(bits: Any) -> int:
    return int("".join("1" if bit else "0" for bit in np.asarray(bits).ravel()), 2)


@njit(cache=True, nogil=True)
def _popcount(x: Any) -> Any:
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True, nogil=True)
def nearest(queries: Any, bank: Any) -> Any:
    """Return for each query the least distance to a row of the bank, and which row that is."""
    distances = np.full(len(queries), FAR, np.int64)
    places = np.zeros(len(queries), np.int64)
    for at in range(len(queries)):
        best = np.int64(FAR)
        for row in range(len(bank)):
            distance = _popcount(queries[at, 0] ^ bank[row, 0])
            distance += _popcount(queries[at, 1] ^ bank[row, 1])
            if distance >= best:
                continue
            distance += _popcount(queries[at, 2] ^ bank[row, 2])
            distance += _popcount(queries[at, 3] ^ bank[row, 3])
            if distance < best:
                best = distance
                places[at] = row
        distances[at] = best
    return distances, places
