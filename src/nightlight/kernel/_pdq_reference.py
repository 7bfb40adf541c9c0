"""The truth of PDQ that every faster backend must equal, in plain NumPy.

Follows Meta's published C++ operation by operation in 32-bit floats: its running sums round on the
way, and where two coefficients nearly tie at the median those roundings decide a bit.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Values = NDArray[np.uint8] | Floats

#: Samples along each side of the picture that the transform sees.
SIDE = 64
#: Frequencies kept along each side.
KEPT = 16
#: The smallest side that PDQ hashes at all.
LEAST_SIDE = 5
#: The box filter is 1/128 of a side wide and passes twice, which makes a tent of 1/64.
_BOXES = 2 * SIDE
_MEDIAN = KEPT * KEPT // 2 - 1
_RED, _GREEN, _BLUE = 0.299, 0.587, 0.114


def window(length: int) -> tuple[int, int, int]:
    """Return the box filter's width on a side this long, and its reach to either end."""
    width = (length + _BOXES - 1) // _BOXES
    ahead = width // 2
    return width, width - 1 - ahead, ahead


def centres(length: int) -> NDArray[np.int64]:
    """Return which pixel of a side this long each sample is taken at."""
    return ((np.arange(SIDE) + 0.5) * length / SIDE).astype(np.int64)


def frequencies() -> Floats:
    """Return the cosine transform's rows for frequencies 1 to 16; the mean is left out."""
    row = np.arange(1, KEPT + 1)[:, None]
    column = 2 * np.arange(SIDE)[None, :] + 1
    scale = np.float64(np.float32(np.sqrt(2.0 / SIDE)))
    return np.asarray(scale * np.cos((np.pi / 2.0 / SIDE) * row * column), np.float32)


def luma(values: Values, bands: int) -> Floats:
    """Return the brightness of each pixel, of rows that hold one (luma) or three values (RGB)."""
    if bands == 1:
        return values.astype(np.float32)
    red, green, blue = (values[:, band::bands].astype(np.float64) for band in range(bands))
    return (red * _RED + green * _GREEN + blue * _BLUE).astype(np.float32)


def exact_samples(values: Values, bands: int) -> Floats:
    """Return the 64x64 samples with every rounding of the published running sums."""
    filtered = luma(values, bands)
    rows, columns = (centres(length) for length in filtered.shape)
    if filtered.shape != (SIDE, SIDE):
        for _ in range(2):
            filtered = _box(_box(filtered).T).T
    return np.ascontiguousarray(filtered[np.ix_(rows, columns)])


def _box(rows: Floats) -> Floats:
    """Return each value averaged with its neighbours in the row, by a running sum."""
    length = rows.shape[1]
    width, behind, ahead = window(length)
    at = np.arange(length)
    # Adding and taking away alternate, as in a running sum; what lies outside counts nothing.
    steps = np.zeros((rows.shape[0], 2 * (length + ahead)), np.float32)
    steps[:, 0 : 2 * length : 2] = rows
    steps[:, 2 * width + 1 :: 2] = -rows[:, : length + ahead - width]
    sums = np.add.accumulate(steps, axis=1)[:, 2 * ahead + 1 :: 2]
    count = np.minimum(at + ahead, length - 1) - np.maximum(at - behind, 0) + 1
    return np.asarray(sums / count.astype(np.float32), np.float32)


def samples(values: Values, bands: int) -> Floats:
    """Return the same samples without running sums: closer to the mathematics, and faster."""
    bright = luma(values, bands)
    rows, columns = (_tents(length) for length in bright.shape)
    return np.asarray(rows @ bright @ columns.T, np.float32)


def _tents(length: int) -> Floats:
    """Return what each pixel of a side counts in each sample."""
    _, behind, ahead = window(length)
    at = np.arange(length)
    first, last = np.maximum(at - behind, 0), np.minimum(at + ahead, length - 1)
    near = (at >= first[:, None]) & (at <= last[:, None])
    box = near / near.sum(axis=1, keepdims=True)
    return np.asarray(box[centres(length)] @ box, np.float32)


def coefficients(samples: Floats) -> Floats:
    """Return the 16x16 lowest frequencies, each summed in the published order."""
    cosines = frequencies()
    half = np.zeros((KEPT, SIDE), np.float32)
    for k in range(SIDE):
        half += cosines[:, k, None] * samples[k]
    whole = np.zeros((KEPT, KEPT), np.float32)
    for k in range(SIDE):
        whole += half[:, k, None] * cosines[:, k]
    return whole


def gradients(samples: Floats) -> int:
    """Return how much the picture has to hold on to, as the sum of its clear steps."""
    steps = 0
    for axis in (0, 1):
        difference = np.diff(samples, axis=axis) * np.float32(100) / np.float32(255)
        steps += int(np.abs(difference.astype(np.int64)).sum())
    return steps


def bits(coefficients: Floats) -> tuple[NDArray[np.uint64], float]:
    """Return the hash, and how far the two coefficients around the median lie apart."""
    flat = coefficients.ravel()
    ordered = np.sort(flat)
    larger = flat > ordered[_MEDIAN]
    # The last coefficient is the hash's first bit.
    row = np.packbits(larger[::-1]).view(">u8").astype(np.uint64)
    return row, float(ordered[_MEDIAN + 1] - ordered[_MEDIAN])


def hash_samples(samples: Floats) -> tuple[NDArray[np.uint64], int, float]:
    """Return the hash, the sum of gradients, and the gap at the median."""
    row, gap = bits(coefficients(samples))
    return row, gradients(samples), gap


def reduced_luma(values: Values, bands: int, factor: int) -> Floats:
    """Return the brightness averaged over squares of ``factor`` pixels a side."""
    bright = luma(values, bands)
    height, width = (length // factor for length in bright.shape)
    squares = bright[: height * factor, : width * factor].reshape(height, factor, width, factor)
    return np.asarray(squares.mean(axis=(1, 3)), np.float32)


def mirrored_samples(values: Values, bands: int) -> Floats:
    """Return four sets of samples: the picture's, flipped, upside down, and both."""
    bright = luma(values, bands)
    both = bright[:, ::-1], bright[::-1], bright[::-1, ::-1]
    return np.stack([samples(np.ascontiguousarray(turned), 1) for turned in (bright, *both)])


def mirrored_coefficients(samples: Floats) -> Floats:
    """Return the four sets of coefficients of the picture mirrored as in ``mirrored_samples``."""
    if samples.ndim == 3:  # noqa: PLR2004  four sets of samples were taken
        return np.stack([coefficients(each) for each in samples])
    plain = coefficients(samples)
    # Mirroring a side changes the sign of its odd frequencies: here those at even places.
    mirror = np.where(np.arange(KEPT) % 2, np.float32(1), np.float32(-1))
    across, down = plain * mirror, plain * mirror[:, None]
    return np.stack([plain, across, down, across * mirror[:, None]])


def dihedral(samples: Floats) -> NDArray[np.uint64]:
    """Return the hashes of the picture's eight turns and flips."""
    plain, across, down, both = mirrored_coefficients(samples)
    views = [plain, down.T, both, across.T, across, down, plain.T, both.T]
    return np.stack([bits(np.ascontiguousarray(view))[0] for view in views])
