"""Turns a picture's bytes into its hashes; keeps none of the bytes.

``hash_bytes`` is a plain function that may run in a process of its own, and should: decoders are
where hostile files do harm. ``ImageHasher`` is for where no such process can be had.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from threading import Lock
from typing import TypeAlias

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from nightlight.adapters.picture_decode import Frame, frames
from nightlight.adapters.picture_limits import PictureLimits
from nightlight.errors import InvalidInput, Unavailable
from nightlight.ingest.ports import MediaFile
from nightlight.kernel import pdq
from nightlight.kernel.hamming import unpack
from nightlight.kernel.views import picture_views
from nightlight.model.media import MediaHashes, Scan, ScanState, ViewHash

_Row: TypeAlias = NDArray[np.uint64]
#: Takes a picture's brightness and returns other looks at it: name, hash, quality.
Views: TypeAlias = Callable[[NDArray[np.float32]], Iterable[tuple[str, _Row, int]]]

#: Hashes under this are not matched (PDQ's own convention), so only a picture's own is kept.
_LEAST_QUALITY = 50
#: Other views need no more detail than this many pixels on the longer side.
_VIEWS_SIDE = 1024
_LIMITS = PictureLimits()


def no_views(_luma: NDArray[np.float32]) -> Iterable[tuple[str, _Row, int]]:
    """Stand for no other looks than turns and flips, for which no brightness is needed."""
    return ()


def hash_bytes(
    data: bytes,
    *,
    limits: PictureLimits = _LIMITS,
    is_fast: bool = False,
    views: Views = picture_views,
    exact: MediaHashes | None = None,
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
    """
    hashes = exact_hashes(data) if exact is None else exact
    state, reason = ScanState.SCANNED, ""
    seen: set[bytes] = set()
    try:
        for frame in frames(data, limits=limits, is_fast=is_fast):
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


def _views(frame: Frame, found: pdq.PictureHash, views: Views) -> list[tuple[str, _Row, int]]:
    """Return the picture's turns and the other looks at it."""
    rows = pdq.dihedral(found.samples)
    turned = {
        name: (name, row, found.quality)
        for name, row in zip(pdq.DIHEDRAL_NAMES, rows, strict=True)
        if name
    }
    if views is no_views:
        return list(turned.values())
    luma = pdq.reduced_luma(frame.looks[0][1], least_side=_VIEWS_SIDE)
    looks = views(np.ascontiguousarray(pdq.turn_pixels(luma, frame.shown)))
    # Which turns are worth a look is for the views to say; made from all pixels they are closer.
    return [turned.get(look[0], look) for look in looks]


def _other_looks(frame: Frame, seen: set[bytes]) -> list[tuple[str, _Row, int]]:
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


def _view_hashes(views: Iterable[tuple[str, _Row, int]]) -> tuple[ViewHash, ...]:
    return tuple(
        ViewHash(view=name, pdq=unpack(row[None])[0], quality=quality)
        for name, row, quality in views
        if quality >= _LEAST_QUALITY
    )


class ImageHasher:
    """Scans files; remembers the outcome by SHA-256, so a repeated file is decoded once.

    May be called from several threads.
    """

    def __init__(
        self,
        *,
        limits: PictureLimits = _LIMITS,
        is_fast: bool = False,
        views: Views = picture_views,
        remembered: int = 4096,
    ) -> None:
        """Keep how to hash.

        Args:
            limits: what decoding a picture may cost.
            is_fast: decode only the brightness of JPEGs: faster, and hashes are a few bits off.
            views: gives the looks at a picture that are kept.
            remembered: of how many files, the latest asked for, the outcome is kept.
        """
        self._limits = limits
        self._is_fast = is_fast
        self._views = views
        self._remembered = remembered
        self._scans: OrderedDict[str, Scan] = OrderedDict()
        self._lock = Lock()

    def scan(self, data: bytes) -> Scan:
        """Return the outcome; a file that cannot be decoded is a failed scan, never an error."""
        digest = hashlib.sha256(data).hexdigest()
        return self._known(digest) or self._scan(data, exact_hashes(data))

    def scan_file(self, file: MediaFile) -> Scan:
        """Return the outcome as ``scan`` does, without holding a large file in memory."""
        known = self._known(file.sha256)
        if known is not None:
            return known
        try:
            # One byte more than may be decoded is enough to see that there are too many.
            with file.open() as opened:
                data = opened.read(self._limits.max_bytes + 1)
        except Unavailable as error:
            return Scan(
                state=ScanState.FAILED,
                hashes=file.hashes,
                byte_count=file.size,
                reason=str(error),
            )
        scan = self._scan(data, file.hashes)
        return scan if scan.byte_count == file.size else replace(scan, byte_count=file.size)

    def _scan(self, data: bytes, exact: MediaHashes) -> Scan:
        scan = hash_bytes(
            data, limits=self._limits, is_fast=self._is_fast, views=self._views, exact=exact
        )
        # A failure may be passing (memory ran short), so only success is remembered.
        if scan.state is ScanState.SCANNED:
            self._remember(exact.sha256, scan)
        return scan

    def _known(self, digest: str) -> Scan | None:
        with self._lock:
            known = self._scans.get(digest)
            if known is not None:
                self._scans.move_to_end(digest)
            return known

    def _remember(self, digest: str, scan: Scan) -> None:
        with self._lock:
            self._scans[digest] = scan
            while len(self._scans) > self._remembered:
                self._scans.popitem(last=False)
