"""Hashes as PDQ makes them, from numbers and drawn pictures: alike, flat, turned and unrelated."""

from functools import cache

import numpy as np
import pdqhash
from numpy.typing import NDArray
from tests.synthetic.pictures import drawn

Rows = NDArray[np.uint64]

_SIDE = 16
_BITS = 256


def unrelated(seed: int, count: int) -> Rows:
    """Return hashes of which every bit is a coin toss."""
    return np.random.default_rng(seed).integers(0, 2**64, (count, 4), dtype=np.uint64)


def correlated(seed: int, count: int) -> Rows:
    """Return hashes of which a few hidden causes set most bits, so that buckets are uneven."""
    random = np.random.default_rng(seed)
    causes = random.normal(size=(12, _BITS)) * (random.random((12, _BITS)) < 0.2)
    values = random.normal(size=(count, 12)) @ causes + 0.3 * random.normal(size=(count, _BITS))
    return from_bits(values > np.median(values, axis=1, keepdims=True))


def flat() -> Rows:
    """Return the hashes of pictures of one colour and of regular patterns."""
    full = 2**64 - 1
    words = (0, full, 0xAAAA_AAAA_AAAA_AAAA, 0x5555_5555_5555_5555, 0xFFFF_0000_FFFF_0000, 1, 2**63)
    halves = [[0, 0, full, full], [full, 0, full, 0], [0, 0, 0, 1]]
    return np.array([[word] * 4 for word in words] + halves, np.uint64)


def at_distances(rows: Rows, distances: NDArray[np.int64], seed: int) -> Rows:
    """Return each hash with so many of its bits flipped, which ones being chosen by the seed."""
    random = np.random.default_rng(seed)
    ranks = random.random((len(rows), _BITS)).argsort(axis=1).argsort(axis=1)
    return from_bits(bits_of(rows) ^ (ranks < distances[:, None]))


def crowd(seed: int, count: int) -> Rows:
    """Return near-duplicates of a few hashes, 0 to 40 bits from them, mixed with their turns."""
    centres = np.concatenate([unrelated(seed, 3), flat()[:2]])
    chosen = np.concatenate([centres, turned(centres)])
    own = chosen[np.arange(count) % len(chosen)]
    return at_distances(own, np.arange(count) % 41, seed)


def turned(rows: Rows) -> Rows:
    """Return the seven other dihedral hashes of each, as they are for its picture turned."""
    bits = bits_of(rows).reshape(-1, _SIDE, _SIDE)
    odd = np.arange(_SIDE) % 2 == 1
    found = []
    for square in (bits, bits.transpose(0, 2, 1)):
        found += [
            square,
            square ^ odd[None, :, None],
            square ^ odd[None, None, :],
            square ^ odd[None, :, None] ^ odd[None, None, :],
        ]
    return from_bits(np.concatenate(found[1:]).reshape(-1, _BITS))


@cache
def of_pictures(count: int) -> Rows:
    """Return the hashes of drawn pictures, each in the eight ways it can be turned."""
    found = []
    for seed in range(count):
        vectors, _ = pdqhash.compute_dihedral(np.asarray(drawn(seed, (96, 96))))
        found += [np.asarray(vector, np.bool_) for vector in vectors]
    return from_bits(np.array(found))


def from_bits(bits: NDArray[np.bool_]) -> Rows:
    """Return rows of 256 bits as hashes, the most significant bit first."""
    return np.packbits(bits, axis=1).view(">u8").astype(np.uint64)


def bits_of(rows: Rows) -> NDArray[np.bool_]:
    """Return the bits of each hash, the most significant first."""
    return np.unpackbits(rows.astype(">u8").view(np.uint8), axis=1).astype(np.bool_)
