"""The same PDQ as ``_pdq_reference``, compiled on first use; without the interpreter's lock.

Every pixel is weighed once, with the tent that two box filters make; ``_pdq_exact`` repeats the
published running sums instead.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nightlight.kernel import _pdq_exact
from nightlight.kernel import _pdq_reference as reference
from nightlight.kernel._pdq_exact import compiled as _compile
from nightlight.kernel._pdq_reference import KEPT, SIDE, Floats

#: With this, all that ``pdq`` asks for stands here as it does in the reference.
exact_samples = _pdq_exact.exact_samples

_MEDIAN = KEPT * KEPT // 2 - 1
_COSINES = reference.frequencies()
_COSINES_DOWN = np.ascontiguousarray(_COSINES.T)


def _tents(length: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Return where each sample's tent starts, how wide it is, and its weights."""
    width = (length + 2 * SIDE - 1) // (2 * SIDE)
    ahead = width // 2
    behind = width - 1 - ahead
    starts = np.empty(SIDE, np.int64)
    widths = np.empty(SIDE, np.int64)
    weights = np.zeros((SIDE, 2 * width), np.float32)
    for sample in range(SIDE):
        centre = int((sample + 0.5) * length / SIDE)
        first, last = max(centre - behind, 0), min(centre + ahead, length - 1)
        start = max(first - behind, 0)
        starts[sample] = start
        widths[sample] = min(last + ahead, length - 1) + 1 - start
        # Each box adds a level stretch: note where it rises and falls, then sum up.
        rises = np.zeros(2 * width + 1, np.float64)
        for at in range(first, last + 1):
            left, right = max(at - behind, 0), min(at + ahead, length - 1)
            share = 1.0 / ((last + 1 - first) * (right + 1 - left))
            rises[left - start] += share
            rises[right + 1 - start] -= share
        height = 0.0
        for at in range(widths[sample]):
            height += rises[at]
            weights[sample, at] = height
    return starts, widths, weights


_compiled_tents = _compile(_tents)


def _mirrored_tents(
    length: int, starts: NDArray[np.int64], widths: NDArray[np.int64], weights: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Return the tents of the side read from its other end, ordered from this one."""
    other = np.zeros_like(weights)
    for sample in range(SIDE):
        width = widths[SIDE - 1 - sample]
        for at in range(width):
            other[sample, at] = weights[SIDE - 1 - sample, width - 1 - at]
    return length - starts[::-1] - widths[::-1], widths[::-1].copy(), other


_compiled_mirrored_tents = _compile(_mirrored_tents)


def _weigh_rows(values: Any, start: int, width: int, tent: Floats, column: Floats) -> None:
    """Leave in ``column`` the sum of ``width`` rows, each as often as the tent says."""
    column[:] = 0.0
    across = column.size
    # Four rows at once, so that the sums are read and written a quarter as often.
    at = 0
    while at + 4 <= width:
        row = start + at
        for k in range(across):
            column[k] += (
                tent[at] * np.float32(values[row, k])
                + tent[at + 1] * np.float32(values[row + 1, k])
                + tent[at + 2] * np.float32(values[row + 2, k])
                + tent[at + 3] * np.float32(values[row + 3, k])
            )
        at += 4
    while at < width:
        for k in range(across):
            column[k] += tent[at] * np.float32(values[start + at, k])
        at += 1


_compiled_weigh_rows = _compile(_weigh_rows, fast=True)


def _weigh_pixels(column: Floats, bands: int, start: int, width: int, tent: Floats) -> Any:
    """Return the brightness of a line of pixels, each counted as often as the tent says."""
    if bands == 1:
        total = np.float32(0.0)
        for k in range(width):
            total += tent[k] * column[start + k]
        return total
    red, green, blue = np.float32(0.0), np.float32(0.0), np.float32(0.0)
    for k in range(width):
        pixel = 3 * (start + k)
        red += tent[k] * column[pixel]
        green += tent[k] * column[pixel + 1]
        blue += tent[k] * column[pixel + 2]
    return np.float32(0.299) * red + np.float32(0.587) * green + np.float32(0.114) * blue


_compiled_weigh_pixels = _compile(_weigh_pixels, fast=True)


def _samples(values: Any, bands: int, ways: int) -> Floats:
    """Return the samples and, with two ways, those flipped, upside down, and both.

    Mirrored samples need tents of their own: PDQ's stand a little beside the middle.
    """
    height, across = values.shape[0], values.shape[1] // bands
    down = _compiled_tents(height)
    side = _compiled_tents(across)
    down_back = _compiled_mirrored_tents(height, down[0], down[1], down[2])
    side_back = _compiled_mirrored_tents(across, side[0], side[1], side[2])
    column = np.empty(values.shape[1], np.float32)
    found = np.empty((ways * ways, SIDE, SIDE), np.float32)
    for i in range(SIDE):
        for upside_down in range(ways):
            starts, widths, weights = down_back if upside_down else down
            _compiled_weigh_rows(values, starts[i], widths[i], weights[i], column)
            row = SIDE - 1 - i if upside_down else i
            for flipped in range(ways):
                starts, widths, weights = side_back if flipped else side
                for j in range(SIDE):
                    at = SIDE - 1 - j if flipped else j
                    found[2 * upside_down + flipped, row, at] = _compiled_weigh_pixels(
                        column, bands, starts[j], widths[j], weights[j]
                    )
    return found


def _reduced_luma(values: Any, bands: int, factor: int) -> Floats:
    """Return the brightness averaged over squares; a rest at the far ends is left out."""
    tent = np.full(factor, 1.0 / (factor * factor), np.float32)
    column = np.empty(values.shape[1], np.float32)
    bright = np.empty(values.shape[1] // bands, np.float32)
    found = np.zeros((values.shape[0] // factor, bright.size // factor), np.float32)
    for i in range(found.shape[0]):
        _compiled_weigh_rows(values, i * factor, factor, tent, column)
        for k in range(bright.size):
            if bands == 1:
                bright[k] = column[k]
            else:
                bright[k] = (
                    np.float32(0.299) * column[3 * k]
                    + np.float32(0.587) * column[3 * k + 1]
                    + np.float32(0.114) * column[3 * k + 2]
                )
        for j in range(found.shape[1]):
            for k in range(factor):
                found[i, j] += bright[j * factor + k]
    return found


def _coefficients(samples: Floats, cosines: Floats, cosines_down: Floats) -> Floats:
    half = np.zeros((KEPT, SIDE), np.float32)
    whole = np.zeros((KEPT, KEPT), np.float32)
    for i in range(KEPT):
        for k in range(SIDE):
            for j in range(SIDE):
                half[i, j] += cosines[i, k] * samples[k, j]
        for k in range(SIDE):
            for j in range(KEPT):
                whole[i, j] += half[i, k] * cosines_down[k, j]
    return whole


_compiled_coefficients = _compile(_coefficients)


def _gradients(samples: Floats) -> int:
    steps = 0
    for i in range(SIDE):
        for j in range(SIDE):
            if i + 1 < SIDE:
                down = (samples[i, j] - samples[i + 1, j]) * np.float32(100) / np.float32(255)
                steps += abs(int(down))
            if j + 1 < SIDE:
                across = (samples[i, j] - samples[i, j + 1]) * np.float32(100) / np.float32(255)
                steps += abs(int(across))
    return steps


_compiled_gradients = _compile(_gradients)


def _bits(coefficients: Floats, row: NDArray[np.uint64]) -> float:
    """Leave the hash in ``row`` and return the gap at the median."""
    ordered = np.sort(coefficients.ravel())
    median = ordered[_MEDIAN]
    for word in range(4):
        bits = np.uint64(0)
        for place in range(64):
            # The last coefficient is the hash's first bit.
            at = KEPT * KEPT - 1 - 64 * word - place
            larger = coefficients[at // KEPT, at % KEPT] > median
            bits = (bits << np.uint64(1)) | np.uint64(larger)
        row[word] = bits
    return float(ordered[_MEDIAN + 1] - median)


_compiled_bits = _compile(_bits)


def _hash_samples(
    samples: Floats, cosines: Floats, cosines_down: Floats
) -> tuple[NDArray[np.uint64], int, float]:
    row = np.empty(4, np.uint64)
    gap = _compiled_bits(_compiled_coefficients(samples, cosines, cosines_down), row)
    return row, _compiled_gradients(samples), gap


def _dihedral(samples: Floats, cosines: Floats, cosines_down: Floats) -> NDArray[np.uint64]:
    plain = _compiled_coefficients(samples[0], cosines, cosines_down)
    if len(samples) == 1:
        across = plain.copy()
        across[:, ::2] *= np.float32(-1)
        down = plain.copy()
        down[::2] *= np.float32(-1)
        both = across.copy()
        both[::2] *= np.float32(-1)
    else:
        across = _compiled_coefficients(samples[1], cosines, cosines_down)
        down = _compiled_coefficients(samples[2], cosines, cosines_down)
        both = _compiled_coefficients(samples[3], cosines, cosines_down)
    rows = np.empty((8, 4), np.uint64)
    _compiled_bits(plain, rows[0])
    _compiled_bits(np.ascontiguousarray(down.T), rows[1])
    _compiled_bits(both, rows[2])
    _compiled_bits(np.ascontiguousarray(across.T), rows[3])
    _compiled_bits(across, rows[4])
    _compiled_bits(down, rows[5])
    _compiled_bits(np.ascontiguousarray(plain.T), rows[6])
    _compiled_bits(np.ascontiguousarray(both.T), rows[7])
    return rows


_compiled_samples = _compile(_samples)
_compiled_reduced_luma = _compile(_reduced_luma)
_compiled_hash_samples = _compile(_hash_samples)
_compiled_dihedral = _compile(_dihedral)


def samples(values: NDArray[Any], bands: int) -> Floats:
    """Return the 64x64 samples of rows that hold ``bands`` values a pixel."""
    found: Floats = _compiled_samples(values, bands, 1)[0]
    return found


def mirrored_samples(values: NDArray[Any], bands: int) -> Floats:
    """Return four sets of samples: the picture's, flipped, upside down, and both."""
    found: Floats = _compiled_samples(values, bands, 2)
    return found


def reduced_luma(values: NDArray[Any], bands: int, factor: int) -> Floats:
    """Return the brightness averaged over squares of ``factor`` pixels a side."""
    found: Floats = _compiled_reduced_luma(values, bands, factor)
    return found


def hash_samples(samples: Floats) -> tuple[NDArray[np.uint64], int, float]:
    """Return the hash, the sum of gradients, and the gap at the median."""
    row, gradients, gap = _compiled_hash_samples(samples, _COSINES, _COSINES_DOWN)
    return row, int(gradients), float(gap)


def dihedral(samples: Floats) -> NDArray[np.uint64]:
    """Return the hashes of the picture's eight turns and flips."""
    sets = samples.reshape(-1, SIDE, SIDE)
    rows: NDArray[np.uint64] = _compiled_dihedral(sets, _COSINES, _COSINES_DOWN)
    return rows
