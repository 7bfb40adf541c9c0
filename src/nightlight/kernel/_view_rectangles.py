"""Where in a picture another one may lie: within even borders, or within four straight edges.

Finds letterboxes, borders, caption bars, and pictures shown on a page or in a screenshot. Several
answers come back, the likeliest first; what each is worth is decided by hashing it.
"""

import numpy as np
from numpy.typing import NDArray

from nightlight.kernel._pdq_reference import Floats

#: Top, bottom, left, right; ends excluded.
Box = tuple[int, int, int, int]

#: How far a border's pixels may lie from its usual brightness, for clean and for poor encodings.
_TOLERANCES = (6.0, 20.0)
#: Of a border's line, the share that may lie further off.
_SPECKS = 0.03
_NESTED = 3
#: Lines looked at together: most pictures have no border, and the first few say so.
_CHUNK = 8
#: The least jump in brightness across the edge of a picture.
_JUMP = 2.5
_LINES = 8
#: A line must be an edge over this share of the shorter way across, to be looked at...
_RUN_SHARE = 0.25
_RUN_SUPPORT = 0.6
#: Edges this close together are one.
_ONE_LINE = 2
#: ...and a rectangle's weakest side over this share of its length.
_LEAST_SUPPORT = 0.45
_LEAST_SIDE_SHARE = 0.2
_LEAST_SIDE = 16
_MOST_BOXES = 4
#: Two boxes whose sides all lie this close, as a share, are one.
_SAME = 0.012


def boxes(small: Floats) -> list[tuple[str, Box]]:
    """Return the name and place of each picture that may lie within this one."""
    found: list[tuple[str, Box]] = []
    for tolerance in _TOLERANCES:
        for box in _within_borders(small, tolerance):
            _keep("without-border", box, found, small.shape)
    count = len(found)
    for box in _within_edges(small):
        if len(found) == count + _MOST_BOXES:
            break
        _keep("inner-picture", box, found, small.shape)
    numbers: dict[str, int] = {}
    named = []
    for name, box in found:
        numbers[name] = numbers.get(name, 0) + 1
        named.append((name if numbers[name] == 1 else f"{name}-{numbers[name]}", box))
    return named


def _keep(name: str, box: Box, found: list[tuple[str, Box]], shape: tuple[int, ...]) -> None:
    height, width = shape
    whole = (0, height, 0, width)
    scale = (height, height, width, width)
    for other in (whole, *(box for _, box in found)):
        if all(abs(a - b) <= _SAME * s for a, b, s in zip(box, other, scale, strict=True)):
            return
    if _is_large_enough(box, shape):
        found.append((name, box))


def _is_large_enough(box: Box, shape: tuple[int, ...]) -> bool:
    top, bottom, left, right = box
    return bottom - top >= max(_LEAST_SIDE, _LEAST_SIDE_SHARE * shape[0]) and right - left >= max(
        _LEAST_SIDE, _LEAST_SIDE_SHARE * shape[1]
    )


def _within_borders(small: Floats, tolerance: float) -> list[Box]:
    """Return what lies within even borders, and again within that."""
    top, bottom, left, right = 0, small.shape[0], 0, small.shape[1]
    found: list[Box] = []
    for _ in range(_NESTED):
        inside = small[top:bottom, left:right]
        first = _even_lines(inside, tolerance)
        last = _even_lines(inside[::-1], tolerance)
        between = inside[first : len(inside) - last].T
        start = _even_lines(between, tolerance)
        end = _even_lines(between[::-1], tolerance)
        if first + last + start + end == 0:
            break
        top, bottom, left, right = top + first, bottom - last, left + start, right - end
        if not _is_large_enough((top, bottom, left, right), small.shape):
            break
        found.append((top, bottom, left, right))
    return found


def _even_lines(lines: NDArray[np.float32], tolerance: float) -> int:
    """Return how many lines, from the first, have one and the same brightness."""
    if lines.size == 0:
        return 0
    usual = np.sort(lines[0])[lines.shape[1] // 2]
    for start in range(0, len(lines), _CHUNK):
        away = np.abs(lines[start : start + _CHUNK] - usual) > tolerance
        off = np.count_nonzero(away, axis=1) > _SPECKS * lines.shape[1]
        if off.any():
            return start + int(np.argmax(off))
    return 0  # an even picture has no border


def _within_edges(small: Floats) -> list[Box]:
    """Return rectangles whose sides are straight edges or the picture's own, the clearest first."""
    height, width = small.shape
    rows, row_sums = _lines(small)
    columns, column_sums = _lines(np.ascontiguousarray(small.T))
    tops, bottoms = _pairs(rows, height)
    lefts, rights = _pairs(columns, width)
    down, across = np.meshgrid(np.arange(len(tops)), np.arange(len(lefts)), indexing="ij")
    top, bottom = tops[down.ravel()], bottoms[down.ravel()]
    left, right = lefts[across.ravel()], rights[across.ravel()]
    y0, y1, x0, x1 = rows[top], rows[bottom], columns[left], columns[right]
    sides = np.stack(
        [
            (row_sums[top, x1] - row_sums[top, x0]) / (x1 - x0),
            (row_sums[bottom, x1] - row_sums[bottom, x0]) / (x1 - x0),
            (column_sums[left, y1] - column_sums[left, y0]) / (y1 - y0),
            (column_sums[right, y1] - column_sums[right, y0]) / (y1 - y0),
        ]
    )
    own = np.stack([y0 == 0, y1 == height, x0 == 0, x1 == width])
    # A side of the picture itself speaks neither for nor against.
    sides = np.where(own, 1.0, sides)
    weakest = sides.min(axis=0)
    area = (y1 - y0) * (x1 - x0) / (height * width)
    score = np.where(own, 0.9, sides).prod(axis=0) * area**0.25
    score[(weakest < _LEAST_SUPPORT) | own.all(axis=0)] = 0.0
    best = np.argsort(-score, kind="stable")[: 16 * _MOST_BOXES]
    return [(int(y0[at]), int(y1[at]), int(x0[at]), int(x1[at])) for at in best if score[at] > 0]


def _pairs(places: NDArray[np.int64], length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return all pairs of lines that lie far enough apart, as their positions in ``places``."""
    first, second = np.triu_indices(len(places), 1)
    order = np.argsort(places)
    first, second = order[first], order[second]
    far = places[second] - places[first] >= max(_LEAST_SIDE, _LEAST_SIDE_SHARE * length)
    return first[far], second[far]


def _lines(small: Floats) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the rows before which straight edges run, with running sums of where they do.

    The picture's own first and last edges are among them.
    """
    height, width = small.shape
    edges = np.zeros((height + 1, width), bool)
    step = np.abs(np.diff(small, axis=0))
    if height > 2 * 4:
        # One side of a picture's edge is even (the page, the bar); within a texture neither is.
        apart = np.abs(small[2:] - small[:-2])
        calm = np.minimum(apart[: height - 5], apart[3:])
        edges[3 : height - 2] = (step[2 : height - 3] > _JUMP) & (step[2 : height - 3] > 2 * calm)
    sums = np.zeros((height + 1, width + 1), np.float32)
    np.cumsum(edges, axis=1, out=sums[:, 1:])
    run = max(1, int(_RUN_SHARE * width))
    strength = (sums[:, run:] - sums[:, :-run]).max(axis=1) / run
    # Long edges count more than short ones of the same clearness.
    strength = strength + 0.5 * sums[:, -1] / width
    places = [0, height]
    for at in np.argsort(-strength, kind="stable"):
        if len(places) == _LINES + 2 or strength[at] < _RUN_SUPPORT:
            break
        if all(abs(int(at) - place) > _ONE_LINE for place in places):
            places.append(int(at))
    chosen = np.array(places, np.int64)
    return chosen, sums[chosen]
