"""Turns a picture's bytes into its hashes; keeps none of the bytes.

``hash_bytes`` is a plain function that may run in a process of its own, and should: decoders are
where hostile files do harm.
"""

import hashlib
from collections.abc import Iterable
from time import process_time

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from nightlight.adapters.picture_decode import Frame, frames
from nightlight.adapters.picture_limits import PictureLimits
from nightlight.errors import InvalidInput
from nightlight.ingest.ports import TakesLong
from nightlight.kernel import pdq
from nightlight.kernel.hamming import unpack
from nightlight.kernel.views import ViewHash as ViewRow
from nightlight.kernel.views import Views, picture_views, views_of
from nightlight.model.media import MediaHashes, Scan, ScanState, ViewHash

#: Hashes under this are not matched (PDQ's own convention), so only a picture's own is kept.
_LEAST_QUALITY = 50
_LIMITS = PictureLimits()


def no_views(_luma: NDArray[np.float32]) -> Iterable[ViewRow]:
    """Stand for no other looks than turns and flips, for which no brightness is needed."""
    return ()


def hash_bytes(
    data: bytes,
    *,
    limits: PictureLimits = _LIMITS,
    is_fast: bool = False,
    views: Views = picture_views,
    exact: MediaHashes | None = None,
    brief_s: float = 0.0,
) -> Scan:
    """Return the file's hashes; the exact ones also where it could not be decoded.

    A file that is certainly no picture has no PDQ hash; a flat picture has one of quality 0. A
    failed scan keeps the hashes of what could be decoded, so that known media is still found.

    Args:
        data: the file.
        limits: what decoding may cost.
        is_fast: decode only the brightness of JPEGs: faster, and hashes are a few bits off.
        views: gives the looks at the picture that are kept.
        exact: the exact hashes where they are known; without, they are computed.
        brief_s: after how much computing there must not be another frame; 0 for no such limit.

    Raises:
        TakesLong: there was another.
    """
    began_s = process_time()
    hashes = exact_hashes(data) if exact is None else exact
    state, reason = ScanState.SCANNED, ""
    seen: set[bytes] = set()
    try:
        for frame in frames(data, limits=limits, is_fast=is_fast):
            if brief_s and frame.number > 1 and process_time() - began_s > brief_s:
                raise TakesLong
            if frame.number == 1:
                hashes = _with_picture(hashes, frame, views, seen)
            else:
                hashes = _with_other_frame(hashes, frame, seen)
    except InvalidInput as error:
        state, reason = ScanState.FAILED, str(error)
    return Scan(state=state, hashes=hashes, byte_count=len(data), reason=reason)


def exact_hashes(data: bytes) -> MediaHashes:
    """Return the hashes by which a file is byte for byte a known one."""
    return MediaHashes(
        md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
        sha1=hashlib.sha1(data, usedforsecurity=False).hexdigest(),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _with_picture(hashes: MediaHashes, frame: Frame, views: Views, seen: set[bytes]) -> MediaHashes:
    """Return the hashes with those of the picture that stands for the file, in all its views."""
    pixels = frame.looks[0][1]
    found = pdq.picture_hash(pixels, shown=frame.shown, turns=True)
    seen.add(found.row.tobytes())
    # A dull picture may still have views that tell it from others; its turns are as dull as it is.
    has_views = found.quality >= _LEAST_QUALITY or views is not no_views
    others = _views(frame, found, views) if has_views else []
    others += _other_looks(frame, seen)
    return replace(
        hashes,
        pdq=unpack(found.row[None])[0],
        pdq_quality=found.quality,
        views=_view_hashes(others),
    )


def _views(frame: Frame, found: pdq.PictureHash, views: Views) -> list[ViewRow]:
    """Return the picture's turns and the other looks at it."""
    if views is not no_views:
        return views_of(frame.looks[0][1], found, shown=frame.shown, views=views)
    rows = pdq.dihedral(found.samples)
    named = zip(pdq.DIHEDRAL_NAMES, rows, strict=True)
    return [(name, row, found.quality) for name, row in named if name]


def _other_looks(frame: Frame, seen: set[bytes]) -> list[ViewRow]:
    looks = []
    for name, pixels in frame.looks[1:]:
        found = pdq.picture_hash(pixels, shown=frame.shown)
        if found.row.tobytes() not in seen:
            seen.add(found.row.tobytes())
            looks.append((name, found.row, found.quality))
    return looks


def _with_other_frame(hashes: MediaHashes, frame: Frame, seen: set[bytes]) -> MediaHashes:
    """Return the hashes with the frame's own, unless it looks like one before."""
    found = pdq.picture_hash(frame.looks[0][1], shown=frame.shown)
    if found.row.tobytes() in seen:
        return hashes
    seen.add(found.row.tobytes())
    view = _view_hashes([(f"frame-{frame.number}", found.row, found.quality)])
    return replace(hashes, views=hashes.views + view)


def _view_hashes(views: Iterable[ViewRow]) -> tuple[ViewHash, ...]:
    return tuple(
        ViewHash(view=name, pdq=unpack(row[None])[0], quality=quality)
        for name, row, quality in views
        if quality >= _LEAST_QUALITY
    )
