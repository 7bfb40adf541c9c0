"""Perceptual hashes of drawn pictures, and how far apart they lie.

The town checks its own pictures with the reference PDQ, never with Nightlight's own: a fault
there must not hide in the data that is meant to find it.
"""

import io

import numpy as np
import pdqhash
from msgspec import Struct
from numpy.typing import NDArray
from PIL import Image

BITS = 256
LEAST_QUALITY = 50

Bits = NDArray[np.uint8]


class Sketch(Struct, frozen=True, kw_only=True):
    """The PDQ hash of a picture: 256 bits as zeros and ones, and its quality."""

    bits: Bits
    quality: int

    def hex(self) -> str:
        """Return the hash as banks write it."""
        return np.packbits(self.bits).tobytes().hex()


def sketch(picture: Image.Image) -> Sketch:
    """Return the hash of a picture in memory."""
    bits, quality = pdqhash.compute(np.asarray(picture.convert("RGB")))
    return Sketch(bits=bits.astype(np.uint8), quality=int(quality))


def sketch_of_file(content: bytes) -> Sketch:
    """Return the hash of a picture file."""
    with Image.open(io.BytesIO(content)) as picture:
        return sketch(picture)


def turned_and_flipped(picture: Image.Image) -> list[Bits]:
    """Return the hashes of the picture's eight quarter turns and mirror images."""
    hashes, _ = pdqhash.compute_dihedral(np.asarray(picture.convert("RGB")))
    return [bits.astype(np.uint8) for bits in hashes]


class Taken:
    """Hashes that new pictures must keep a distance from."""

    def __init__(self, room: int) -> None:
        self._bits: Bits = np.zeros((room, BITS), dtype=np.uint8)
        self._count = 0

    def add(self, bits: Bits) -> None:
        """Have later pictures keep away from this hash."""
        self._bits[self._count] = bits
        self._count += 1

    def nearest(self, bits: Bits) -> int:
        """Return the distance in bits to the nearest hash, ``BITS`` where there is none."""
        if not self._count:
            return BITS
        return int((self._bits[: self._count] != bits).sum(axis=1).min())
