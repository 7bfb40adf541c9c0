"""Which moments of a video are kept, and their hashes, as its frames come in.

A frame is kept when it differs enough from the last one kept, and once in a while where nothing
moves: whatever is shown is then near a kept frame, without storing thirty hashes a second of a
still. Borders are what stays even during a whole shot. Of some frames parts are hashed too: a logo,
a caption or a person talking in a corner spoils the hash of the whole, never those of all corners.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from nightlight.kernel import pdq
from nightlight.kernel._video_borders import content_box
from nightlight.kernel.video import MATCHABLE_QUALITY, Frames

#: Enough to leave 19 of the 31 bits of a match for what an edit does to the frame.
_MOVED_BITS = 12
#: So often a frame is kept even where nothing moves.
_AT_LEAST_EVERY_MS = 1000
#: Consecutive frames further apart than this belong to different shots.
_CUT_BITS = 90
#: A border is never more than this share of a side, on each end: the content would be too small.
_MOST_BORDER = 0.36
#: Borders that take less than this share of a side altogether change no hash by much.
_LEAST_BORDER = 0.02
#: So far apart are the frames of which parts are hashed.
_PARTS_EVERY_MS = 500
#: Top, left, height and width as shares: the corners, and the middle for what was cut or framed.
_PARTS = (
    (0.0, 0.0, 0.75, 0.75),
    (0.0, 0.25, 0.75, 0.75),
    (0.25, 0.0, 0.75, 0.75),
    (0.25, 0.25, 0.75, 0.75),
    (0.03, 0.03, 0.94, 0.94),
    (0.06, 0.06, 0.88, 0.88),
    (0.10, 0.10, 0.80, 0.80),
)
#: Frames of more lines are thinned out before their parts are hashed.
_PART_LINES = 300

_Box = tuple[int, int, int, int]


class _Kept(Struct, frozen=True):
    row: NDArray[np.uint64]
    quality: int
    time_ms: int


class FrameSampler:
    """Takes a video's frames in order of time and keeps the hashes that stand for all of them."""

    def __init__(self) -> None:
        self._rows: list[NDArray[np.uint64]] = []
        self._quality: list[int] = []
        self._times: list[int] = []
        self._is_part: list[bool] = []
        self._last_parts: _Kept | None = None
        self._last: _Kept | None = None
        self._before: NDArray[np.uint64] | None = None
        self._box: _Box | None = None

    def __len__(self) -> int:
        """Return how many hashes are kept."""
        return len(self._rows)

    def take(
        self, luma: NDArray[np.uint8], time_ms: int, *, is_limited_range: bool = False
    ) -> None:
        """Look at the next frame; keep its hashes if it shows something new.

        Args:
            luma: the brightness of its pixels, as it is shown (turned upright).
            time_ms: when it is shown; not before the frames taken earlier.
            is_limited_range: black is 16 and white 235.
        """
        whole, whole_quality = _hash(luma, is_limited_range=is_limited_range)
        if self._before is None or _distance(whole, self._before) > _CUT_BITS:
            self._box = None
        self._before = whole
        inner = self._without_border(luma)
        row, quality = whole, whole_quality
        if inner is not None:
            row, quality = _hash(inner, is_limited_range=is_limited_range)
        now = _Kept(row, quality, time_ms)
        if not self._is_news(now):
            return
        self._last = now
        self._keep(row, quality, time_ms)
        if inner is not None:
            # A list from elsewhere may hold the same video hashed with its borders.
            self._keep(whole, whole_quality, time_ms)
        parts = self._last_parts
        is_due = parts is None or time_ms - parts.time_ms >= _PARTS_EVERY_MS
        if is_due and (parts is None or _distance(row, parts.row) > _MOVED_BITS):
            self._last_parts = now
            shown = luma if inner is None else inner
            self._keep_parts(shown, time_ms, is_limited_range=is_limited_range)

    def _keep_parts(self, luma: NDArray[np.uint8], time_ms: int, *, is_limited_range: bool) -> None:
        step = max(1, min(luma.shape) // _PART_LINES)
        small = np.ascontiguousarray(luma[::step, ::step])
        height, width = small.shape
        for top, left, tall, wide in _PARTS:
            first_line, first_column = round(top * height), round(left * width)
            part = small[
                first_line : first_line + round(tall * height),
                first_column : first_column + round(wide * width),
            ]
            row, quality = _hash(part, is_limited_range=is_limited_range)
            self._keep(row, quality, time_ms, is_part=True)

    def frames(self) -> Frames:
        """Return what was kept."""
        return Frames(
            np.array(self._rows, np.uint64).reshape(-1, 4),
            np.array(self._quality, np.uint8),
            np.array(self._times, np.int64),
            np.array(self._is_part, np.bool_),
        )

    def _is_news(self, now: _Kept) -> bool:
        last = self._last
        if last is None or now.time_ms - last.time_ms >= _AT_LEAST_EVERY_MS:
            return True
        if max(now.quality, last.quality) < MATCHABLE_QUALITY:
            # What is nearly flat hashes to noise, which never matches: no need to follow it.
            return False
        return _distance(now.row, last.row) > _MOVED_BITS

    def _keep(
        self, row: NDArray[np.uint64], quality: int, time_ms: int, *, is_part: bool = False
    ) -> None:
        self._rows.append(row)
        self._quality.append(quality)
        self._times.append(time_ms)
        self._is_part.append(is_part)

    def _without_border(self, luma: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        """Return the frame within what was even since the shot began, None without borders."""
        height, width = luma.shape
        top, bottom, left, right = content_box(luma, _MOST_BORDER)
        if self._box is not None:
            top, bottom = min(top, self._box[0]), max(bottom, self._box[1])
            left, right = min(left, self._box[2]), max(right, self._box[3])
        self._box = (top, bottom, left, right)
        is_small = height - (bottom - top) < _LEAST_BORDER * height
        if is_small and width - (right - left) < _LEAST_BORDER * width:
            return None
        return luma[top:bottom, left:right]


def _hash(luma: NDArray[np.uint8], *, is_limited_range: bool) -> tuple[NDArray[np.uint64], int]:
    samples = pdq.samples(luma)
    if is_limited_range:
        # The hash is the same; quality measures contrast, as a viewer sees it.
        samples = np.clip((samples - 16) * np.float32(255 / 219), 0, 255).astype(np.float32)
    return pdq.hash_samples(samples)


def _distance(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> int:
    return int(np.bitwise_count(one ^ other).sum())
