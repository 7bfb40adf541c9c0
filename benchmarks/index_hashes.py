"""Hashes to fill an index with, and hashes to look up in it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
import pdqhash
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from nightlight.kernel import hamming

Rows: TypeAlias = NDArray[np.uint64]

_BITS = 256
_AT_ONCE = 50_000
_DRAWN = 1500
_SIDE = 96
_FURTHEST = 31
_COMPARED = 1_000
_COPIES = 80

DESCRIPTIONS = {
    "random": "every bit a coin toss",
    "pdq": (
        "PDQ of blends of two of 1,500 drawn pictures in a random turn, 30 to 70 % of each, blended"
        " in PDQ's own coefficients, where blending is exact; every fifth a near-duplicate, 0-40"
        " bits off, of an earlier one; one in 10,000 of a flat picture"
    ),
    "copies": (
        "the same, but blends of any share: one in five is nearly one of the 12,000 turned"
        " pictures, so that a query has dozens of answers"
    ),
    "file": "the hashes of the file",
    "like": (
        "hashes whose bits lean and depend on one another, two by two, as those of the file's"
        " different pictures do; every fifth a near-duplicate, 0-40 bits off, of an earlier one"
    ),
}
#: How much of the first of two blended pictures there is, at least and at most, by kind of list.
_SHARES = {"pdq": (0.3, 0.7), "copies": (0.0, 1.0)}


def random_rows(count: int, random: np.random.Generator) -> Rows:
    """Return hashes that have nothing to do with one another."""
    return random.integers(0, 2**64, (count, 4), dtype=np.uint64)


class PdqLike:
    """Makes hashes that are distributed as PDQ's are on structured pictures."""

    def __init__(self, random: np.random.Generator, kind: str = "pdq") -> None:
        self._random = random
        self._least, self._most = _SHARES[kind]
        self._drawn = np.stack([_coefficients(picture) for picture in _pictures(random)])

    def rows(self, count: int) -> Rows:
        """Return unlike, alike and flat hashes in the shares that the description names."""
        made = with_copies(self.unlike, count, self._random)
        made[:: 2 * 10_000] = 0
        made[10_000 :: 2 * 10_000] = np.uint64(2**64 - 1)
        return made

    def unlike(self, count: int) -> Rows:
        """Return hashes of blends of two drawn pictures."""
        random = self._random
        first, second = random.integers(0, len(self._drawn), (2, count))
        share = self._least + (self._most - self._least) * random.random((count, 1), np.float32)
        values = share * self._turned(first) + (1 - share) * self._turned(second)
        return from_bits(values > np.median(values, axis=1, keepdims=True))

    def _turned(self, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
        squares = self._drawn[chosen].reshape(-1, 16, 16)
        odd = np.where(np.arange(16) % 2 == 1, np.float32(-1), np.float32(1))
        over = self._random.random((len(chosen), 3)) < 0.5
        signs = np.where(over[:, 0, None], odd, 1)[:, :, None]
        signs = signs * np.where(over[:, 1, None], odd, 1)[:, None, :]
        across = np.where(over[:, 2, None, None], squares.transpose(0, 2, 1), squares)
        turned: NDArray[np.float32] = (across * signs).reshape(-1, _BITS)
        return turned


class LikeThese:
    """Makes any number of hashes whose bits depend on one another as those of given ones do.

    A hash is the signs of 256 normal numbers, correlated so that any two bits agree as often as
    in the given ones (van Vleck's arcsine law), less what chance adds to the correlations of a few
    hundred: all are shrunk by one factor, so that their squares add up to what they should.
    """

    def __init__(self, given: Rows, random: np.random.Generator) -> None:
        self._random = random
        bits = _bits(_different(given))
        agree = np.asarray(np.corrcoef(bits.T))
        squares = float((agree[np.triu_indices(_BITS, 1)] ** 2).mean())
        share = np.sqrt(max(0.0, 1 - 1 / (len(bits) - 1) / squares))
        agree = share * agree + (1 - share) * np.eye(_BITS)
        values, vectors = np.linalg.eigh(np.sin(np.pi / 2 * agree))
        self._mix = (vectors * np.sqrt(np.clip(values, 0, None))).T.astype(np.float32)
        self._mix /= np.linalg.norm(self._mix, axis=0)
        self._lean = np.array(
            [NormalDist().inv_cdf(float(mean)) for mean in bits.mean(axis=0)], np.float32
        )

    def rows(self, count: int) -> Rows:
        """Return hashes of different pictures and, every fifth, of a copy."""
        return with_copies(self.unlike, count, self._random)

    def unlike(self, count: int) -> Rows:
        """Return hashes of different pictures."""
        values = self._random.standard_normal((count, _BITS), np.float32) @ self._mix
        return from_bits(values < self._lean)


def with_copies(unlike: Callable[[int], Rows], count: int, random: np.random.Generator) -> Rows:
    """Return hashes of which the last fifth are near-duplicates, 0-40 bits off, of others."""
    first = count - count // 5
    made = np.empty((count, 4), np.uint64)
    for start in range(0, first, _AT_ONCE):
        size = min(_AT_ONCE, first - start)
        made[start : start + size] = unlike(size)
    for start in range(first, count, _AT_ONCE):
        size = min(_AT_ONCE, count - start)
        chosen = made[random.integers(0, first, size)]
        made[start : start + size] = flipped(chosen, random.integers(0, 41, size), random)
    return made


def read_rows(path: Path) -> Rows:
    """Return the hashes of a file: one hash of 64 hex digits a line, or a NumPy array of rows."""
    if path.suffix == ".npy":
        return np.ascontiguousarray(np.load(path, allow_pickle=False), np.uint64)
    return hamming.pack(path.read_text(encoding="ascii").split())


def spread(rows: Rows, random: np.random.Generator) -> float:
    """Return by how many bits the distances of hashes of different pictures deviate (root mean).

    Of 1,000 of the hashes; those within 80 bits are taken for copies. Tossed coins have 8.0; the
    more the bits of a hash depend on one another, the more.
    """
    some = rows[random.permutation(len(rows))[:_COMPARED]]
    _, _, bits = hamming.within(some, some, hamming.HASH_BITS)
    return float(np.std(bits[bits > _COPIES]))


def planted(rows: Rows, count: int, random: np.random.Generator) -> Rows:
    """Return queries that each have a hash of the list 0 to 31 bits away."""
    chosen = rows[random.integers(0, len(rows), count)]
    return flipped(chosen, random.integers(0, _FURTHEST + 1, count), random)


def flipped(rows: Rows, bits: NDArray[np.int64], random: np.random.Generator) -> Rows:
    """Return each hash with so many of its bits flipped."""
    made = []
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        keys = random.random((len(part), _BITS))
        ordered = np.sort(keys, axis=1)
        wanted = bits[start : start + _AT_ONCE]
        least = ordered[np.arange(len(part)), wanted][:, None]
        made.append(part ^ from_bits(keys < least))
    return np.concatenate(made)


def from_bits(bits: NDArray[np.bool_]) -> Rows:
    """Return rows of 256 bits as hashes."""
    return np.packbits(bits, axis=1).view(">u8").astype(np.uint64)


def _bits(rows: Rows) -> NDArray[np.uint8]:
    return np.unpackbits(rows.astype(">u8").view(np.uint8), axis=1)


def _different(rows: Rows) -> Rows:
    """Return the hashes that have no earlier one within 80 bits."""
    query, entry, _ = hamming.within(rows, rows, _COPIES)
    return rows[np.setdiff1d(np.arange(len(rows)), query[entry < query])]


def _pictures(random: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    for _ in range(_DRAWN):
        picture = Image.new("RGB", (_SIDE, _SIDE), _colour(random))
        pen = ImageDraw.Draw(picture)
        for shape in random.integers(0, 2, 18).tolist():
            left, top = random.integers(0, _SIDE, 2).tolist()
            wide, tall = random.integers(_SIDE // 8, _SIDE // 2, 2).tolist()
            draw = pen.ellipse if shape else pen.rectangle
            draw((left, top, left + wide, top + tall), fill=_colour(random))
        yield np.asarray(picture)


def _coefficients(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    values, _ = pdqhash.compute_float(picture)
    return np.asarray(values, np.float32)


def _colour(random: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = random.integers(0, 256, 3).tolist()
    return red, green, blue
