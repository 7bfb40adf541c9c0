"""Where a frame's even borders end: one loop, which runs compiled where Numba has a build."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: How far a border's pixels may lie from its usual brightness: compression leaves that much.
_TOLERANCE = 14
#: One pixel in this many may lie further off: specks and block noise of a poor encoding.
_SPECKS = 64
_SAMPLES = 256


def _even_lines(lines: NDArray[np.uint8], most: int) -> int:
    """Return how many lines, from the first, have one and the same brightness, up to ``most``."""
    count, length = lines.shape
    # Every pixel where there are few, else evenly spread ones: borders are even everywhere.
    step = max(1, length // _SAMPLES)
    reference = 0
    for at in range(0, length, step):
        reference += int(lines[0, at])
    taken = (length + step - 1) // step
    reference //= taken
    for line in range(min(most, count)):
        off = 0
        for at in range(0, length, step):
            if abs(int(lines[line, at]) - reference) > _TOLERANCE:
                off += 1
        if off * _SPECKS > taken:
            return line
    return most


def _content_box(luma: NDArray[np.uint8], most_share: float) -> tuple[int, int, int, int]:
    """Return top, bottom, left and right of what lies within even borders, ends excluded."""
    height, width = luma.shape
    most_lines, most_columns = int(height * most_share), int(width * most_share)
    top = _even(luma, most_lines)
    bottom = height - _even(luma[::-1], most_lines)
    # Columns are looked at only between the bars above and below, of another brightness perhaps.
    between = luma[top:bottom].T
    left = _even(between, most_columns)
    right = width - _even(between[::-1], most_columns)
    return top, bottom, left, right


def _compile(function: Callable[..., Any]) -> Any:
    try:
        from numba import njit  # noqa: PLC0415  not on every machine
    except ImportError:
        return function
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # a read-only installation and no home directory to write to
        return njit(nogil=True)(function)


_even = _compile(_even_lines)
content_box = _compile(_content_box)
