"""What plain layouts hash to: a strip, two bands, a corner, a frame, a disc; nothing is in them.

A crop can leave of a picture no more than its layout, such as a dark plane with a bright edge, and
thousands of unrelated pictures have that. Of 10,000 unrelated pictures all eight that matched a
bank made from 1,000 others did so through crops like these.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from nightlight.kernel import pdq
from nightlight.kernel._pdq_reference import SIDE, Floats
from nightlight.kernel.hamming import within

#: A view this close to a layout is kept out of banks: pairs of views match within 24 bits.
NEAR_BITS = 24
_LIGHT = np.float32(200)
#: Edges lie closer together near the rim, where a few samples more or less change the hash.
_EDGES = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 24, 28, 32, 36, 40, 44, 48, 51)
_EDGES_BELOW = (54, 56, 58, 59, 60, 61, 62, 63)
#: How bright the right part, the lower part, and where they meet in addition, are.
_TONES = (
    *((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 1, -1), (1, -1, 0)),
    *((1, 0.4, 0), (0.4, 1, 0), (1, -0.4, 0), (-0.4, 1, 0), (1, 0.4, -0.4), (0.4, 1, -0.4)),
)
_RIMS = (0, 2, 4, 7, 10)
_DISCS = (8.0, 14.0, 20.0, 27.0)


@cache
def layouts() -> NDArray[np.uint64]:
    """Return the hashes of the layouts, light on dark and dark on light, each once."""
    rows = []
    for picture in _pictures():
        for shown in (picture, _LIGHT - picture):
            row, _ = pdq.hash_samples(np.ascontiguousarray(shown, np.float32))
            rows.append(row)
    return np.unique(np.array(rows, np.uint64), axis=0)


def is_layout(rows: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return for each hash whether it comes near that of a layout."""
    found = np.zeros(len(rows), np.bool_)
    found[within(rows, layouts(), NEAR_BITS)[0]] = True
    return found


def _pictures() -> Iterator[Floats]:
    at = np.arange(SIDE, dtype=np.float32)
    x, y = at[None, :], at[:, None]
    edges = (*_EDGES, *_EDGES_BELOW)
    for across in edges:
        for down in edges:
            right, lower = (x >= across).astype(np.float32), (y >= down).astype(np.float32)
            for of_right, of_lower, of_both in _TONES:
                yield _LIGHT * (of_right * right + of_lower * lower + of_both * right * lower)
    for left in _RIMS:
        for top in _RIMS:
            for right_rim in _RIMS:
                for bottom in _RIMS:
                    inside = (x >= left) & (x < SIDE - right_rim) & (y >= top) & (y < SIDE - bottom)
                    yield _LIGHT * inside.astype(np.float32)
    for size in _DISCS:
        for middle_x in range(16, 49, 8):
            for middle_y in range(16, 49, 8):
                yield _LIGHT * (np.hypot(x - middle_x, y - middle_y) < size).astype(np.float32)
