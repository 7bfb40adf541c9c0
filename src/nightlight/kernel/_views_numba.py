"""The same as ``_views_reference``, compiled on first use; without the interpreter's lock."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nightlight.kernel._pdq_exact import compiled as _compile
from nightlight.kernel._pdq_numba import (
    _COSINES,
    _COSINES_DOWN,
    _coefficients,
    _compiled_bits,
    _compiled_gradients,
)
from nightlight.kernel._pdq_reference import KEPT, SIDE, Floats
from nightlight.kernel._views_reference import ALL_EIGHT, ALSO_FLIPPED, Luma

_INSIDE = np.float32(1e-3)
_QUARTER = KEPT * KEPT // 4
_MEDIAN = KEPT * KEPT // 2 - 1


def _shares(length: int, wanted: int) -> tuple[NDArray[np.int64], Floats]:
    """Return the first pixel that each new one covers, and its share of each from there."""
    step = length / wanted
    starts = np.empty(wanted, np.int64)
    shares = np.zeros((wanted, int(step) + 3), np.float32)
    for at in range(wanted):
        first, end = at * step, (at + 1) * step
        starts[at] = int(first)
        for place in range(shares.shape[1]):
            pixel = starts[at] + place
            covered = min(end, pixel + 1) - max(first, pixel)
            if covered > 0 and pixel < length:
                shares[at, place] = covered / step
    return starts, shares


_compiled_shares = _compile(_shares)


def _shrink(luma: Any, height: int, width: int) -> Floats:
    tall, wide = luma.shape
    tops, downs = _compiled_shares(tall, height)
    lefts, rights = _compiled_shares(wide, width)
    found = np.empty((height, width), np.float32)
    column = np.empty(wide, np.float32)
    for i in range(height):
        column[:] = 0.0
        for place in range(downs.shape[1]):
            share = downs[i, place]
            if share == 0:
                continue
            row = luma[tops[i] + place]
            for k in range(wide):
                column[k] += share * np.float32(row[k])
        for j in range(width):
            total = np.float32(0.0)
            for place in range(min(rights.shape[1], wide - lefts[j])):
                total += rights[j, place] * column[lefts[j] + place]
            found[i, j] = total
    return found


def _look(base: Floats, place: Floats, samples: Floats) -> None:
    side = base.shape[0]
    flat = base.ravel()
    half, last = np.float32(0.5), np.float32(side - 1) - _INSIDE
    scale, none = np.float32(side), np.float32(0)
    corners = np.empty(SIDE, np.int32)
    rights = np.empty(SIDE, np.float32)
    downs = np.empty(SIDE, np.float32)
    for i in range(SIDE):
        v = np.float32((i + 0.5) / SIDE)
        from_x, from_y = place[0] + place[2] * v, place[3] + place[5] * v
        # Apart from the loop that fetches, so that this one runs on vectors.
        for j in range(SIDE):
            u = np.float32((j + 0.5) / SIDE)
            x = min(max((from_x + place[1] * u) * scale - half, none), last)
            y = min(max((from_y + place[4] * u) * scale - half, none), last)
            left, top = np.int32(x), np.int32(y)
            corners[j] = top * np.int32(side) + left
            rights[j] = x - np.float32(left)
            downs[j] = y - np.float32(top)
        for j in range(SIDE):
            at = corners[j]
            upper = flat[at] + rights[j] * (flat[at + 1] - flat[at])
            lower = flat[at + side] + rights[j] * (flat[at + side + 1] - flat[at + side])
            samples[i, j] = upper + downs[j] * (lower - upper)


_compiled_look = _compile(_look, fast=True)


#: The transform of PDQ, free to reorder its sums; by loops, since a BLAS starts threads of its own.
_compiled_coefficients = _compile(_coefficients, fast=True)


def _margin(coefficients: Floats) -> np.float32:
    ordered = np.sort(coefficients.ravel())
    away = np.abs(ordered - ordered[_MEDIAN])
    return np.float32(np.sort(away)[_QUARTER])


_compiled_margin = _compile(_margin)


def _hash_looks(
    samples: Floats,
    looks: int,
    rows: NDArray[np.uint64],
    cosines: Floats,
    cosines_down: Floats,
) -> tuple[int, np.float32]:
    plain = _compiled_coefficients(samples, cosines, cosines_down)
    _compiled_bits(plain, rows[0])
    if looks >= ALSO_FLIPPED:
        across = plain.copy()
        across[:, ::2] *= np.float32(-1)
        _compiled_bits(across, rows[4])
        if looks >= ALL_EIGHT:
            down = plain.copy()
            down[::2] *= np.float32(-1)
            both = across.copy()
            both[::2] *= np.float32(-1)
            _compiled_bits(np.ascontiguousarray(down.T), rows[1])
            _compiled_bits(both, rows[2])
            _compiled_bits(np.ascontiguousarray(across.T), rows[3])
            _compiled_bits(down, rows[5])
            _compiled_bits(np.ascontiguousarray(plain.T), rows[6])
            _compiled_bits(np.ascontiguousarray(both.T), rows[7])
    return min(_compiled_gradients(samples) // 90, 100), _compiled_margin(plain)


_compiled_hash_looks = _compile(_hash_looks)


def _hash_maps(
    base: Floats,
    maps: Floats,
    looks: NDArray[np.int64],
    cosines: Floats,
    cosines_down: Floats,
) -> tuple[NDArray[np.uint64], NDArray[np.int64], Floats]:
    rows = np.zeros((len(maps), ALL_EIGHT, 4), np.uint64)
    qualities = np.zeros(len(maps), np.int64)
    margins = np.zeros(len(maps), np.float32)
    samples = np.empty((SIDE, SIDE), np.float32)
    for at in range(len(maps)):
        _compiled_look(base, maps[at], samples)
        qualities[at], margins[at] = _compiled_hash_looks(
            samples, looks[at], rows[at], cosines, cosines_down
        )
    return rows, qualities, margins


_compiled_shrink = _compile(_shrink, fast=True)
_compiled_hash_maps = _compile(_hash_maps)


def shrink(luma: Luma, height: int, width: int) -> Floats:
    """Return the picture at another size, each new pixel the average of what it covers."""
    found: Floats = _compiled_shrink(luma, height, width)
    return found


def hash_maps(
    base: Floats, maps: Floats, looks: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.int64], Floats]:
    """Return for each map eight hashes, the quality, and the margin at the median."""
    rows, qualities, margins = _compiled_hash_maps(base, maps, looks, _COSINES, _COSINES_DOWN)
    return rows, qualities, margins


def hash_looks(samples: Floats, looks: int) -> tuple[NDArray[np.uint64], int, float]:
    """Return eight hashes, the quality, and how far coefficients lie from the median."""
    rows = np.zeros((ALL_EIGHT, 4), np.uint64)
    quality, margin = _compiled_hash_looks(samples, looks, rows, _COSINES, _COSINES_DOWN)
    return rows, int(quality), float(margin)
