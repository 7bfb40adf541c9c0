"""Other looks at a picture, so that an edited copy is found: turned, cropped, framed, captioned.

``picture_views`` undoes what may have been done to a picture that is looked up; they find it in a
bank that holds only PDQ hashes. ``bank_views`` does to a picture that enters a bank what others may
do to it; where a bank is made from media, both together find far more. A view is a name, a hash (a
row as in ``hamming``) and its quality. ``benchmarks.robustness`` measures what each is worth.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from types import MappingProxyType, ModuleType

import numpy as np
from numpy.typing import NDArray

from nightlight.kernel import _view_maps as maps
from nightlight.kernel import _view_rectangles as rectangles
from nightlight.kernel import _views_reference as reference
from nightlight.kernel import pdq
from nightlight.kernel._pdq_reference import Floats
from nightlight.kernel._view_layouts import is_layout
from nightlight.kernel._view_maps import View
from nightlight.kernel._view_rectangles import Box
from nightlight.kernel._views_reference import Luma

ViewHash = tuple[str, NDArray[np.uint64], int]
#: Gives looks at a picture from its brightness.
Views = Callable[[NDArray[np.float32]], Iterable[ViewHash]]

#: Hashes of less are not matched; PDQ's own convention.
LEAST_QUALITY = 50
#: A quarter of the coefficients may lie closer than this to the median, which decides bits. A plain
#: ramp, stripes or a blurred backdrop can have quality 100 with most bits decided by noise: of the
#: benchmark's pictures, those below came 12 to 60 bits off after any edit, all others under 31.
LEAST_MARGIN = 2.0
#: The greatest distance between a view of the file and a view of the known picture, for each kind
#: of view of the file, and for all others: where both sides were changed there are thousands of
#: pairs. Of 10,000 unrelated and near-miss pictures, 43 matched something among 1,000 originals at
#: 31 bits everywhere and 8 at these, which cost none to 9 of a hundred copies of most edits.
PAIR_THRESHOLDS: Mapping[str, int] = MappingProxyType(
    {"uncropped": 20, "turned-back": 20, "part": 16, "inner-picture": 16}
)
_OTHER_PAIRS = 24
#: A dull picture has noise where others have detail: it is compared with whole pictures only.
_BRIGHTENED = "brightened"
#: Views are made from the picture at this size: more would not change 16 by 16 frequencies.
_LONG_SIDE = 512
#: A larger picture is reduced to this first, with all its pixels.
_VIEWS_SIDE = 1024
_BASE_SIDE = 128
_LEAST_SIDE = 16
_LONGEST_FORM = 16
#: Corners are even where their brightness differs by less; they are looked at this large.
_EVEN = 10.0
_CORNERS_A_SIDE = 50
#: A dull picture is brightened until it spans this, by at most so much.
_FULL_RANGE, _MOST_GAIN = 240.0, 4.0
_PLACES = {
    reference.AS_IS: (0,),
    reference.ALSO_FLIPPED: (0, pdq.DIHEDRAL_NAMES.index("flipped")),
    reference.ALL_EIGHT: tuple(range(reference.ALL_EIGHT)),
}


@cache
def _backend() -> ModuleType:
    """Return the fastest functions that this machine has."""
    try:
        from nightlight.kernel import _views_numba  # noqa: PLC0415  takes most of a second to load
    except ImportError:  # Numba has no build for this platform: slower, with the same answers
        return reference
    return _views_numba


def picture_views(luma: Luma, samples: Floats | None = None) -> list[ViewHash]:
    """Return the views under which a picture is looked up, besides its plain hash.

    None come of what cannot be told from others: flat, tiny or very long pictures.

    Args:
        luma: the picture's brightness, 0 to 255.
        samples: what ``pdq.samples`` makes of it, where the caller has that already.
    """
    small = _small(luma)
    if small is None:
        return []
    plain = pdq.samples(luma) if samples is None else samples
    gain = _gain(small, plain)
    if gain == 1:
        return _hash("", plain, reference.ALL_EIGHT)[1:] + _undone(small)
    # The bits of a dull picture are those of a bright one; only its quality is not.
    bright = _hash("", plain * gain, reference.ALL_EIGHT) + _undone(small * gain)
    return [
        ("+".join(filter(None, ("brightened", view))), row, quality)
        for view, row, quality in bright
    ]


def _undone(small: Floats) -> list[ViewHash]:
    """Return the views that undo an edit other than a flip or quarter turn alone."""
    height, width = small.shape
    turns = maps.turned_back((width, height), framed=_has_even_corners(small))
    found = _hash_maps(small, [*maps.uncropped(), *turns])
    found += _hash_windows(small, maps.parts())
    for name, box in rectangles.boxes(small):
        framed = name.startswith("without-border")
        looks = reference.ALL_EIGHT if framed else reference.ALSO_FLIPPED
        found += _hash(name, _samples(small, box), looks)
    return found


def _gain(small: Floats, plain: Floats) -> np.float32:
    """Return what to brighten a picture by whose quality is too low only because it is dull."""
    if _backend().hash_looks(plain, reference.AS_IS)[1] >= LEAST_QUALITY:
        return np.float32(1)
    low, high = np.percentile(small, (1, 99))
    if high <= low:
        return np.float32(1)
    return np.float32(min(max(_FULL_RANGE / (high - low), 1), _MOST_GAIN))


def bank_views(luma: Luma) -> list[ViewHash]:
    """Return the views that a bank made from media holds of a picture, besides its plain hash.

    Args:
        luma: the picture's brightness, 0 to 255.
    """
    small = _small(luma)
    if small is None:
        return []
    shape = (small.shape[1], small.shape[0])
    found = _hash_windows(small, [*maps.parts(), *maps.bank_crops(shape)])
    found += _hash_maps(small, maps.bank_tilts(shape))
    if not found:
        return []
    plain = is_layout(np.array([row for _, row, _ in found]))
    return [view for view, is_plain in zip(found, plain, strict=True) if not is_plain]


def views_of(
    picture: pdq.Pixels, found: pdq.PictureHash, *, shown: str = "", views: Views = picture_views
) -> list[ViewHash]:
    """Return a picture's turns and the other looks at it, as they are matched.

    Args:
        picture: height x width x 3 bytes, or two-dimensional brightness.
        found: ``pdq.picture_hash`` of it, shown alike, with its turns.
        shown: one of ``pdq.DIHEDRAL_NAMES``: how it is turned before it is shown.
        views: gives the looks besides.
    """
    turned = dict(zip(pdq.DIHEDRAL_NAMES, pdq.dihedral(found.samples), strict=True))
    luma = pdq.reduced_luma(picture, least_side=_VIEWS_SIDE)
    looks = views(np.ascontiguousarray(pdq.turn_pixels(luma, shown)))
    # Which turns are worth a look is for the views to say; made from all pixels they are closer.
    return [
        (name, turned[name], found.quality) if name in turned else (name, row, quality)
        for name, row, quality in looks
    ]


@lru_cache(maxsize=1 << 16)
def pair_threshold_bits(view: str, bank_view: str, bank_threshold: int) -> int:
    """Return the greatest distance that is a match between these views, less than 0 for none.

    Args:
        view: of the file, "" for the file as it is.
        bank_view: of the known picture, "" for the picture as it is.
        bank_threshold: the bank's own.
    """
    if not bank_view:
        return bank_threshold
    if view.startswith(_BRIGHTENED):
        return -1
    both = [bits for kind, bits in PAIR_THRESHOLDS.items() if view.startswith(kind)]
    if bank_view.startswith("part"):
        both.append(PAIR_THRESHOLDS["part"])
    return min(bank_threshold, *(both or [_OTHER_PAIRS]))


def has_detail(luma: Luma) -> bool:
    """Return whether the picture varies in more than one direction, so that its hash is its own."""
    plain = pdq.samples(luma)
    margin: float = _backend().hash_looks(plain, reference.AS_IS)[2]
    return margin >= LEAST_MARGIN


def _small(luma: Luma) -> Floats | None:
    """Return the picture at working size, None where no view of it could be told from others."""
    height, width = luma.shape
    if min(luma.shape) < _LEAST_SIDE or max(luma.shape) > _LONGEST_FORM * min(luma.shape):
        return None
    scale = min(1.0, _LONG_SIDE / max(height, width))
    size = (max(_LEAST_SIDE, round(side * scale)) for side in (height, width))
    small: Floats = _backend().shrink(np.ascontiguousarray(luma), *size)
    return small if bool(np.isfinite(small).all()) else None


def _has_even_corners(small: Floats) -> bool:
    side = max(2, min(small.shape) // _CORNERS_A_SIDE)
    rims = (slice(None, side), slice(-side, None))
    return all(float(np.ptp(small[rows, columns])) < _EVEN for rows in rims for columns in rims)


def _hash_maps(small: Floats, views: list[View]) -> list[ViewHash]:
    base = _backend().shrink(small, _BASE_SIDE, _BASE_SIDE)
    places = np.array([place for _, place, _ in views], np.float32)
    looks = np.array([look for _, _, look in views], np.int64)
    rows, qualities, margins = _backend().hash_maps(base, places, looks)
    found: list[ViewHash] = []
    for at, (name, _, look) in enumerate(views):
        found += _named(name, rows[at], int(qualities[at]), float(margins[at]), look)
    return found


def _hash_windows(small: Floats, views: list[View]) -> list[ViewHash]:
    """Return the hashes of upright parts, sampled as PDQ samples a picture of that part."""
    height, width = small.shape
    found: list[ViewHash] = []
    for name, (left, across, _, top, _, down), look in views:
        rows = round(top * height), round((top + down) * height)
        columns = round(left * width), round((left + across) * width)
        found += _hash(name, _samples(small, (*rows, *columns)), look)
    return found


def _samples(small: Floats, box: Box) -> Floats:
    top, bottom, left, right = box
    return pdq.samples(np.ascontiguousarray(small[top:bottom, left:right]))


def _hash(name: str, samples: Floats, looks: int) -> list[ViewHash]:
    rows, quality, margin = _backend().hash_looks(samples, looks)
    return _named(name, rows, quality, margin, looks)


def _named(
    name: str, rows: NDArray[np.uint64], quality: int, margin: float, looks: int
) -> list[ViewHash]:
    """Return the view and the wanted turns of it, none where it could not be told from others."""
    if quality < LEAST_QUALITY or margin < LEAST_MARGIN:
        return []
    found: list[ViewHash] = []
    for place in _PLACES[looks]:
        steps = [step for step in (name, pdq.DIHEDRAL_NAMES[place]) if step]
        found.append(("+".join(steps), rows[place].copy(), quality))
    return found
