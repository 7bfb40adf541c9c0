"""The truth of the sampling behind ``views`` that the compiled backend must equal, in plain NumPy.

A map says where in a picture a view looks: six numbers (a, b, c, d, e, f), by which the point
(u, v) of the view, 0 to 1 from left to right and top to bottom, lies at x = a + b u + c v and
y = d + e u + f v of the picture, 0 to 1 likewise. What lies outside repeats the nearest edge.
"""

import numpy as np
from numpy.typing import NDArray

from nightlight.kernel import _pdq_reference as pdq
from nightlight.kernel._pdq_reference import KEPT, SIDE, Floats

Luma = NDArray[np.uint8] | Floats

#: Views of one picture for each way of turning it: as it is; also flipped; all eight.
AS_IS, ALSO_FLIPPED, ALL_EIGHT = 1, 2, 8
#: How far below the last pixel a sample stays, so that it has a neighbour to the right and below.
_INSIDE = np.float32(1e-3)


def shrink(luma: Luma, height: int, width: int) -> Floats:
    """Return the picture at another size, each new pixel the average of what it covers."""
    down, across = _shares(luma.shape[0], height), _shares(luma.shape[1], width)
    return np.asarray(down @ luma.astype(np.float32) @ across.T, np.float32)


def _shares(length: int, wanted: int) -> Floats:
    """Return how much each of ``length`` pixels counts in each of ``wanted``."""
    edges = np.arange(wanted + 1) * (length / wanted)
    at = np.arange(length)
    covered = np.minimum(edges[1:, None], at + 1) - np.maximum(edges[:-1, None], at)
    return np.asarray(np.maximum(covered, 0) * (wanted / length), np.float32)


def hash_maps(
    base: Floats, maps: Floats, looks: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.int64], Floats]:
    """Return for each map eight hashes, the quality, and how far coefficients lie from the median.

    Args:
        base: the picture, square.
        maps: where each view looks.
        looks: which hashes are wanted of each: ``AS_IS``, ``ALSO_FLIPPED`` or ``ALL_EIGHT``; the
            other rows are 0. Their order is that of ``pdq.dihedral``.
    """
    rows = np.zeros((len(maps), ALL_EIGHT, 4), np.uint64)
    qualities = np.zeros(len(maps), np.int64)
    margins = np.zeros(len(maps), np.float32)
    for at, place in enumerate(maps):
        rows[at], qualities[at], margins[at] = hash_looks(_look(base, place), int(looks[at]))
    return rows, qualities, margins


def hash_looks(samples: Floats, looks: int) -> tuple[NDArray[np.uint64], int, float]:
    """Return eight hashes, the quality, and how far coefficients lie from the median."""
    wanted = {AS_IS: [0], ALSO_FLIPPED: [0, 4], ALL_EIGHT: list(range(ALL_EIGHT))}[looks]
    rows = np.zeros((ALL_EIGHT, 4), np.uint64)
    rows[wanted] = pdq.dihedral(samples)[wanted]
    margin = float(_margin(pdq.coefficients(samples)))
    return rows, min(pdq.gradients(samples) // 90, 100), margin


def _margin(coefficients: Floats) -> np.float32:
    ordered = np.sort(coefficients.ravel())
    away = np.abs(ordered - ordered[KEPT * KEPT // 2 - 1])
    return np.float32(np.sort(away)[KEPT * KEPT // 4])


def _look(base: Floats, place: Floats) -> Floats:
    """Return the 64x64 samples of one view."""
    side = len(base)
    ahead = ((np.arange(SIDE) + 0.5) / SIDE).astype(np.float32)
    u, v = ahead[None, :], ahead[:, None]
    half, last = np.float32(0.5), np.float32(side - 1) - _INSIDE
    x = np.clip((place[0] + place[1] * u + place[2] * v) * np.float32(side) - half, 0, last)
    y = np.clip((place[3] + place[4] * u + place[5] * v) * np.float32(side) - half, 0, last)
    left, top = x.astype(np.int64), y.astype(np.int64)
    right, down = x - left.astype(np.float32), y - top.astype(np.float32)
    upper = base[top, left] + right * (base[top, left + 1] - base[top, left])
    lower = base[top + 1, left] + right * (base[top + 1, left + 1] - base[top + 1, left])
    return np.asarray(upper + down * (lower - upper), np.float32)
