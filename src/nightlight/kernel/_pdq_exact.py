"""PDQ's samples with every rounding of the published running sums, compiled.

Several times slower than the tents of ``_pdq_numba``, and needed only where those roundings decide
a bit.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nightlight.kernel._pdq_reference import SIDE, Floats


def compiled(function: Callable[..., Any], *, fast: bool = False) -> Any:
    """Return ``function`` compiled, kept on disk between runs where a place for that exists."""
    # Only what need not repeat the published roundings may reorder its sums.
    try:
        return njit(cache=True, nogil=True, fastmath=fast)(function)
    except RuntimeError:  # a read-only installation and no home directory to write to
        return njit(nogil=True, fastmath=fast)(function)


def _box(values: Floats, averaged: Floats, width: int) -> None:
    """Leave in ``averaged`` each value averaged with its neighbours, by a running sum."""
    length = values.size
    ahead = width // 2
    behind = width - 1 - ahead
    total = np.float32(0.0)
    for at in range(ahead):
        total += values[at]
    for at in range(length):
        if at + ahead < length:
            total += values[at + ahead]
        if at > behind:
            total -= values[at - behind - 1]
        count = min(at + ahead, length - 1) - max(at - behind, 0) + 1
        averaged[at] = total / np.float32(count)


_compiled_box = compiled(_box)


def _luma_row(values: Any, bands: int, found: Floats) -> None:
    """Leave in ``found`` the brightness of a row's pixels."""
    if bands == 1:
        for at in range(found.size):
            found[at] = values[at]
        return
    for at in range(found.size):
        red, green, blue = values[3 * at], values[3 * at + 1], values[3 * at + 2]
        found[at] = np.float32(red * 0.299 + green * 0.587 + blue * 0.114)


_compiled_luma_row = compiled(_luma_row)


def _exact_samples(values: Any, bands: int) -> Floats:
    """Return the samples with every rounding of the published running sums.

    One pass over the rows, holding only as many as the filter reaches.
    """
    height, across = values.shape[0], values.shape[1] // bands
    luma = np.empty(across, np.float32)
    found = np.empty((SIDE, SIDE), np.float32)
    if height == SIDE and across == SIDE:
        for row in range(height):
            _compiled_luma_row(values[row], bands, luma)
            found[row] = luma
        return found
    width = (across + 2 * SIDE - 1) // (2 * SIDE)
    down_width = (height + 2 * SIDE - 1) // (2 * SIDE)
    ahead = down_width // 2
    behind = down_width - 1 - ahead
    window = np.empty((down_width + 1, across), np.float32)
    total = np.zeros(across, np.float32)
    column = np.empty(across, np.float32)
    # Of the last row filter only the sampled pixels are kept, one line for each.
    kept = np.empty((SIDE, height), np.float32)
    for entering in range(height + ahead):
        if entering < height:
            _compiled_luma_row(values[entering], bands, luma)
            line = window[entering % (down_width + 1)]
            _compiled_box(luma, line, width)
            for k in range(across):
                total[k] += line[k]
        row = entering - ahead
        if row < 0:
            continue
        if row > behind:
            line = window[(row - behind - 1) % (down_width + 1)]
            for k in range(across):
                total[k] -= line[k]
        count = np.float32(min(row + ahead, height - 1) - max(row - behind, 0) + 1)
        for k in range(across):
            column[k] = total[k] / count
        _compiled_box(column, luma, width)
        for j in range(SIDE):
            kept[j, row] = luma[int((j + 0.5) * across / SIDE)]
    averaged = np.empty(height, np.float32)
    for j in range(SIDE):
        _compiled_box(kept[j], averaged, down_width)
        for i in range(SIDE):
            found[i, j] = averaged[int((i + 0.5) * height / SIDE)]
    return found


_compiled_exact_samples = compiled(_exact_samples)


def exact_samples(values: NDArray[Any], bands: int) -> Floats:
    """Return the 64x64 samples with every rounding of the published running sums."""
    found: Floats = _compiled_exact_samples(values, bands)
    return found
