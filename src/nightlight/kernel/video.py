"""A video as the PDQ hashes of its frames: how they are stored, counted and turned.

A video is a list of frames in order of time. One moment may have several hashes: of the picture
without its borders, of the whole of it, and of parts of it. Nothing else of a video is kept, so
that a list of frames from anywhere (vPDQ) can be compared.
"""

from functools import cache
from types import ModuleType

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from nightlight.kernel.pdq import DIHEDRAL_NAMES

FRAME_BYTES = 37
#: vPDQ's and PDQ's own conventions.
MATCHABLE_QUALITY = 50
DISTANCE_BITS = 31
_SIDE = 16
#: Set in the stored quality of the hash of a part.
_PART = 128
_FRAME = np.dtype([("hash", ">u8", (4,)), ("quality", "u1"), ("time_ms", "<u4")])


class Frames(Struct, frozen=True):
    """A video's hashes in order of time.

    Attributes:
        rows: the hashes, as in ``hamming``.
        quality: 0 to 100 each.
        times_ms: ascending; equal where one moment has several hashes.
        is_part: whether the hash is of a part of the frame, not of all that it shows.
    """

    rows: NDArray[np.uint64]
    quality: NDArray[np.uint8]
    times_ms: NDArray[np.int64]
    is_part: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.rows)

    def taken(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "Frames":
        """Return only these, in the order given."""
        return Frames(
            self.rows[chosen], self.quality[chosen], self.times_ms[chosen], self.is_part[chosen]
        )


@cache
def loops() -> ModuleType:
    """Return the fastest loops that this machine has."""
    try:
        from nightlight.kernel import _video_numba  # noqa: PLC0415  Numba takes long to load
    except ImportError:  # Numba has no build for this platform: slower, with the same answers
        from nightlight.kernel import _video_reference  # noqa: PLC0415

        return _video_reference
    return _video_numba


def pack_frames(frames: Frames) -> bytes:
    """Return 37 bytes a hash: as its hex reads; its quality, 128 more for a part; its time."""
    packed = np.empty(len(frames), _FRAME)
    packed["hash"] = frames.rows
    packed["quality"] = frames.quality | np.where(frames.is_part, _PART, 0).astype(np.uint8)
    packed["time_ms"] = np.clip(frames.times_ms, 0, 2**32 - 1)
    return packed.tobytes()


def unpack_frames(packed: bytes) -> Frames:
    """Return the frames in order of time; the reverse of ``pack_frames``.

    Raises:
        ValueError: the length is not a multiple of 37, or a quality is over 100.
    """
    if len(packed) % FRAME_BYTES:
        raise ValueError(f"frames are not of {FRAME_BYTES} bytes each")
    read = np.frombuffer(packed, _FRAME)
    quality = (read["quality"] % _PART).astype(np.uint8)
    if len(read) and quality.max() > 100:  # noqa: PLR2004  PDQ's own scale
        raise ValueError("a frame's quality is over 100")
    times = read["time_ms"].astype(np.int64)
    rows = read["hash"].astype(np.uint64).reshape(-1, 4)
    frames = Frames(rows, quality, times, read["quality"] >= _PART)
    return frames.taken(np.argsort(times, kind="stable"))


def vpdq_shares(
    query: Frames,
    bank: Frames,
    *,
    distance_bits: int = DISTANCE_BITS,
    quality: int = MATCHABLE_QUALITY,
) -> tuple[float, float]:
    """Return the shares (0 to 1) of query and bank frames found in the other, as vPDQ counts.

    Every different hash of enough quality counts once, however long it is shown. A side without
    any has the share 0, where vPDQ itself divides by zero.
    """
    sides = [_unique(one, quality) for one in (query, bank)]
    of_query, of_bank = loops().nearest(*sides)
    return _mean(of_query <= distance_bits), _mean(of_bank <= distance_bits)


def turn_rows(rows: NDArray[np.uint64], name: str) -> NDArray[np.uint64]:
    """Return about what PDQ gives for the pictures turned or flipped, from their hashes alone.

    A turn negates or transposes the coefficients whose signs, nearly, the bits are: a few bits
    differ from the hash of the turned picture.

    Args:
        rows: hashes, as in ``hamming``.
        name: one of DIHEDRAL_NAMES.

    Raises:
        ValueError: there is no such turn.
    """
    if name not in DIHEDRAL_NAMES:
        raise ValueError("there is no such turn")
    octets = np.ascontiguousarray(rows.astype(">u8")).view(np.uint8).reshape(len(rows), 32)
    # Most significant first in the hash; here the lowest frequency comes first.
    bits = np.unpackbits(octets, axis=1).reshape(-1, _SIDE, _SIDE)[:, ::-1, ::-1]
    down, across, is_transposed = _TURNS[name]
    if is_transposed:
        bits = bits.transpose(0, 2, 1)
    # The first frequency is odd: what is mirrored negates it, and every second one after it.
    odd = (np.arange(_SIDE) % 2 == 0).astype(np.uint8)
    flips = (odd[:, None] * down) ^ (odd[None, :] * across)
    turned = np.packbits((bits ^ flips)[:, ::-1, ::-1].reshape(len(rows), 256), axis=1)
    found: NDArray[np.uint64] = turned.view(">u8").astype(np.uint64).reshape(-1, 4)
    return found


#: Whether a turn negates the odd frequencies down and across the picture, after transposing it.
_TURNS = {
    "": (0, 0, False),
    "turned-90": (0, 1, True),
    "turned-180": (1, 1, False),
    "turned-270": (1, 0, True),
    "flipped": (0, 1, False),
    "flipped-upside-down": (1, 0, False),
    "transposed": (0, 0, True),
    "anti-transposed": (1, 1, True),
}


def _unique(frames: Frames, quality: int) -> NDArray[np.uint64]:
    frames = frames.taken(~frames.is_part)
    # vPDQ keeps the first of equal hashes and then asks for its quality.
    _, first = np.unique(frames.rows, axis=0, return_index=True)
    first.sort()
    kept: NDArray[np.uint64] = frames.rows[first][frames.quality[first] >= quality]
    return np.ascontiguousarray(kept)


def _mean(found: NDArray[np.bool_]) -> float:
    return float(found.mean()) if len(found) else 0.0
