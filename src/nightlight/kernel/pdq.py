"""PDQ: a 256-bit hash of how a picture looks, bit for bit that of Meta's published C++.

A hash is one row of four unsigned 64-bit words, the most significant first, as in ``hamming``.
``samples`` reduces a picture to the 64x64 numbers that all of its hashes are made from; from those
another look at the same picture costs microseconds. The compiled functions hold no interpreter
lock.
"""

from functools import cache
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from nightlight.kernel import _pdq_reference as reference

#: How a view comes about: whether the sides change places at the end, and which of the mirrored
#: pictures (1: flipped, 2: upside down, 3: both) it is before that.
_TURNED = {
    "": (False, 0),
    "turned-90": (True, 2),
    "turned-180": (False, 3),
    "turned-270": (True, 1),
    "flipped": (False, 1),
    "flipped-upside-down": (False, 2),
    "transposed": (True, 0),
    "anti-transposed": (True, 3),
}
#: The eight turns (clockwise) and flips in the order of ``dihedral``; "" is the picture as it is.
DIHEDRAL_NAMES = tuple(_TURNED)

_LUMA_AXES = 2
_BANDS = 3
_SETS = 4
_SETS_AXES = 3
_GRADIENTS_A_POINT = 90
_BEST_QUALITY = 100
#: Up to this many pixels the published sums are repeated right away: it takes under a millisecond.
_SMALL_PIXELS = 128 * 128
#: Larger pictures are reduced the short way. Of 523 pictures of 0.02 to 12 megapixels that moved
#: two coefficients near the median by at most 0.0013 against each other, and the sum of gradients
#: by at most 3. Where so much could decide a bit or a point of quality, as in 7 of 100, the
#: published sums are repeated after all.
_NEAR_TIE = 0.005
_NEAR_POINT = 4

Pixels: TypeAlias = NDArray[np.uint8] | NDArray[np.float32]


class PictureHash(Struct, frozen=True):
    """What a picture's own hash is made from and is.

    Attributes:
        samples: what its other hashes are made from: 64x64 or, with mirrored copies, 4x64x64.
        row: the hash, bit for bit the published one.
        quality: 0 to 100.
    """

    samples: NDArray[np.float32]
    row: NDArray[np.uint64]
    quality: int

    def __repr__(self) -> str:
        """Hashes are sensitive: printing shows none."""
        return f"<PictureHash of quality {self.quality}: masked>"


@cache
def _backend() -> ModuleType:
    """Return the fastest functions that this machine has."""
    try:
        from nightlight.kernel import _pdq_numba  # noqa: PLC0415  takes most of a second to load
    except ImportError:  # Numba has no build for this platform: slower, with the same answers
        return reference
    return _pdq_numba


def samples(luma: Pixels) -> NDArray[np.float32]:
    """Return the 64x64 samples of a picture's brightness, a row of values for each row of pixels.

    Raises:
        ValueError: the array is not two-dimensional, of bytes or 32-bit floats, with a pixel.
    """
    found: NDArray[np.float32] = _backend().samples(_luma_rows(luma), 1)
    return found


def samples_rgb(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the 64x64 samples of the brightness of a picture of height x width x 3 bytes.

    Raises:
        ValueError: the array is not of that kind.
    """
    found: NDArray[np.float32] = _backend().samples(_rgb_rows(rgb), _BANDS)
    return found


def mirrored_samples(picture: Pixels) -> NDArray[np.float32]:
    """Return 4x64x64 samples: of the picture, of it flipped, upside down, and both.

    Raises:
        ValueError: the array is neither height x width x 3 bytes nor two-dimensional brightness.
    """
    found: NDArray[np.float32] = _backend().mirrored_samples(*_rows(picture))
    return found


def hash_samples(samples: NDArray[np.float32]) -> tuple[NDArray[np.uint64], int]:
    """Return the hash made from 64x64 samples, and its quality, 0 to 100.

    Raises:
        ValueError: the array is not 64x64 32-bit floats.
    """
    if samples.ndim != _LUMA_AXES:
        raise ValueError("there must be one set of samples")
    row, gradients, _ = _hash(samples)
    return row, _quality(gradients)


def dihedral(samples: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Return eight rows: the hashes of the picture turned and flipped as DIHEDRAL_NAMES says.

    PDQ takes its samples from a little beside the middle, so a picture turned first has slightly
    other samples. From all four of ``mirrored_samples`` the hashes are those of pictures turned
    first. From the plain ones alone they are up to 10 bits off where sides have 1,000 pixels or
    more, and up to 60 in small pictures.

    Args:
        samples: 64x64 or, mirrored, 4x64x64.

    Raises:
        ValueError: the array is neither.
    """
    sets = samples if samples.ndim == _SETS_AXES else samples[None]
    if len(sets) not in (1, _SETS):
        raise ValueError(f"there must be one or {_SETS} sets of samples")
    rows: NDArray[np.uint64] = _backend().dihedral(_checked_samples(sets))
    return rows


def hash_rgb(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], int]:
    """Return the hash of a picture of height x width x 3 bytes, and its quality.

    A picture with a side under five pixels has the hash 0 of quality 0.

    Raises:
        ValueError: the array is not of that kind.
    """
    _rgb_rows(rgb)
    found = picture_hash(rgb)
    return found.row, found.quality


def hash_luma(luma: Pixels) -> tuple[NDArray[np.uint64], int]:
    """Return the hash of a picture given by the brightness of its pixels, and its quality.

    Raises:
        ValueError: the array is not two-dimensional, of bytes or 32-bit floats, with a pixel.
    """
    _luma_rows(luma)
    found = picture_hash(luma)
    return found.row, found.quality


def reduced_luma(picture: Pixels, *, least_side: int) -> NDArray[np.float32]:
    """Return the brightness averaged over whole squares, the longer side no less than this.

    Raises:
        ValueError: the array is neither height x width x 3 bytes nor two-dimensional brightness.
    """
    values, bands = _rows(picture)
    height, width = len(values), values.shape[1] // bands
    # A long and narrow picture keeps at least the pixels that its samples are taken at.
    factor = max(1, min(max(height, width) // least_side, min(height, width) // reference.SIDE))
    found: NDArray[np.float32] = _backend().reduced_luma(values, bands, factor)
    return found


def picture_hash(picture: Pixels, *, shown: str = "", turns: bool = False) -> PictureHash:
    """Return the hash of a picture, and the samples that its other hashes are made from.

    Args:
        picture: height x width x 3 bytes, or two-dimensional brightness.
        shown: one of DIHEDRAL_NAMES: how the picture is turned before it is shown. The hash is
            that of the picture as it is shown; turning its pixels is dearer than hashing it.
        turns: whether to take the samples of its mirrored copies too, for ``dihedral``.

    Raises:
        ValueError: the array is neither.
    """
    values, bands = _rows(picture)
    backend = _backend()
    if shown or turns:
        sets = shown_samples(backend.mirrored_samples(values, bands), shown)
    else:
        sets = backend.samples(values, bands)[None]
    row, gradients, gap = _hash(sets[0])
    height, width = len(values), values.shape[1] // bands
    if min(height, width) < reference.LEAST_SIDE:
        row, gradients = np.zeros_like(row), 0
    elif height * width <= _SMALL_PIXELS or gap <= _NEAR_TIE or not _is_clear(gradients):
        sets[0] = backend.exact_samples(*_rows(turn_pixels(picture, shown)))
        row, gradients, _ = _hash(sets[0])
    return PictureHash(sets if turns else sets[0], row, _quality(gradients))


def shown_samples(mirrored: NDArray[np.float32], shown: str) -> NDArray[np.float32]:
    """Return the mirrored samples of the picture turned as ``shown`` says, from those before."""
    is_turned, first = _TURNED[shown]
    # Once the sides have changed places, flipping is what turning upside down was before.
    order = [first, first ^ 2, first ^ 1, first ^ 3] if is_turned else [first ^ n for n in range(4)]
    sets = mirrored[order]
    return np.ascontiguousarray(sets.transpose(0, 2, 1)) if is_turned else sets


def turn_pixels(picture: Pixels, shown: str) -> Pixels:
    """Return the picture's pixels as they are shown; nothing is copied."""
    is_turned, first = _TURNED[shown]
    picture = picture[:, ::-1] if first & 1 else picture
    picture = picture[::-1] if first & 2 else picture
    return picture.swapaxes(0, 1) if is_turned else picture


def _is_clear(gradients: int) -> bool:
    return _quality(gradients - _NEAR_POINT) == _quality(gradients + _NEAR_POINT)


def _hash(samples: NDArray[np.float32]) -> tuple[NDArray[np.uint64], int, float]:
    found: tuple[NDArray[np.uint64], int, float] = _backend().hash_samples(
        _checked_samples(samples)
    )
    return found


def _quality(gradients: int) -> int:
    return min(max(gradients, 0) // _GRADIENTS_A_POINT, _BEST_QUALITY)


def _rows(picture: Pixels) -> tuple[NDArray[Any], int]:
    """Return the picture as rows of values, and how many values a pixel has."""
    if picture.ndim == _LUMA_AXES:
        return _luma_rows(picture), 1
    return _rgb_rows(picture), _BANDS


def _luma_rows(luma: NDArray[Any]) -> NDArray[Any]:
    if luma.ndim != _LUMA_AXES or luma.size == 0 or luma.dtype not in (np.uint8, np.float32):
        raise ValueError("the picture must be two-dimensional bytes or 32-bit floats, not empty")
    return np.ascontiguousarray(luma)


def _rgb_rows(rgb: NDArray[Any]) -> NDArray[Any]:
    if rgb.shape[2:] != (_BANDS,) or rgb.size == 0 or rgb.dtype != np.uint8:
        raise ValueError("the picture must be height x width x 3 bytes, not empty")
    return np.ascontiguousarray(rgb).reshape(len(rgb), -1)


def _checked_samples(samples: NDArray[Any]) -> NDArray[np.float32]:
    if samples.shape[-2:] != (reference.SIDE, reference.SIDE) or samples.dtype != np.float32:
        raise ValueError(f"samples must be {reference.SIDE}x{reference.SIDE} 32-bit floats")
    return np.ascontiguousarray(samples)
