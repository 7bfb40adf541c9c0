"""MinHash: which of two sets of shingles are alike, from a few bytes of each.

``sketch`` is compiled, ``reference_sketch`` is the truth it is tested against. Broder (1997), "On
the resemblance and containment of documents"; b-bit values after Li and Koenig (2010).
"""

from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

CodePoints: TypeAlias = NDArray[np.uint32]
Sketch: TypeAlias = NDArray[np.uint8]

#: Characters of a shingle.
SHINGLE = 4
#: Hash functions, and so bytes, of a sketch.
WIDTH = 63

_MASK = 0xFFFF_FFFF
_BASE = 0x0100_0193
_MIX_FIRST = 0x85EB_CA6B
_MIX_SECOND = 0xC2B2_AE35
_GOLDEN = 0x9E37_79B9


def _mix_int(value: int) -> int:
    """Return murmur3's finaliser of a 32-bit value."""
    value = ((value ^ (value >> 16)) * _MIX_FIRST) & _MASK
    value = ((value ^ (value >> 13)) * _MIX_SECOND) & _MASK
    return value ^ (value >> 16)


#: Fixed for all time: stored sketches are compared with new ones.
_SALTS = [_mix_int((lane + 1) * _GOLDEN & _MASK) for lane in range(WIDTH)]
_FACTORS = [_mix_int((lane + 1) * _GOLDEN + 1 & _MASK) | 1 for lane in range(WIDTH)]
_SALT_ARRAY = np.array(_SALTS, np.uint32)
_FACTOR_ARRAY = np.array(_FACTORS, np.uint32)


def reference_sketch(points: CodePoints) -> Sketch:
    """Return for each hash function eight bits of the least hash among the shingles."""
    text = [int(point) for point in points]
    hashes = []
    for start in range(len(text) - SHINGLE + 1):
        value = 0
        for point in text[start : start + SHINGLE]:
            value = (value * _BASE + point + 1) & _MASK
        hashes.append(_mix_int(value))
    least = [
        min(((each ^ salt) * factor & _MASK for each in hashes), default=_MASK)
        for salt, factor in zip(_SALTS, _FACTORS, strict=True)
    ]
    return np.array([_mix_int(value) & 0xFF for value in least], np.uint8)


def _sketch(points: CodePoints, salts: NDArray[np.uint32], factors: NDArray[np.uint32]) -> Sketch:
    least = np.full(salts.size, np.uint32(_MASK))
    for start in range(points.size - SHINGLE + 1):
        value = np.uint32(0)
        for offset in range(SHINGLE):
            value = np.uint32(value * np.uint32(_BASE) + points[start + offset] + np.uint32(1))
        value = np.uint32((value ^ (value >> np.uint32(16))) * np.uint32(_MIX_FIRST))
        value = np.uint32((value ^ (value >> np.uint32(13))) * np.uint32(_MIX_SECOND))
        value = np.uint32(value ^ (value >> np.uint32(16)))
        for lane in range(salts.size):
            least[lane] = min(least[lane], np.uint32((value ^ salts[lane]) * factors[lane]))
    found = np.empty(salts.size, np.uint8)
    for lane in range(salts.size):
        value = least[lane]
        value = np.uint32((value ^ (value >> np.uint32(16))) * np.uint32(_MIX_FIRST))
        value = np.uint32((value ^ (value >> np.uint32(13))) * np.uint32(_MIX_SECOND))
        found[lane] = np.uint8((value ^ (value >> np.uint32(16))) & np.uint32(0xFF))
    return found


@cache
def _compiled() -> Any:
    """Return ``_sketch`` compiled, kept on disk between runs where a place for that exists."""
    from numba import njit  # noqa: PLC0415  takes most of a second that most commands never need

    try:
        return njit(cache=True, nogil=True)(_sketch)
    except RuntimeError:  # a read-only installation and no home directory to write to
        return njit(nogil=True)(_sketch)


def sketch(points: CodePoints) -> Sketch:
    """Return what ``reference_sketch`` returns, a thousand times faster."""
    found: Sketch = _compiled()(points, _SALT_ARRAY, _FACTOR_ARRAY)
    return found
