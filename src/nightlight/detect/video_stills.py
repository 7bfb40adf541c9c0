"""Which frames of a video are asked about as pictures.

A known picture that comes as a video, alone or among others, is still that picture. A search costs
by the frame, so alike frames are asked about once; none is left out, however long the video is.
Parts of frames are for comparing videos: alone they say too little.
"""

from collections.abc import Sequence
from itertools import chain, repeat
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nightlight.kernel.pdq import DIHEDRAL_NAMES
from nightlight.kernel.video import Frames, turn_rows, unpack_frames
from nightlight.kernel.video_selection import matchable
from nightlight.model.media import VideoHashes

#: What a view of a frame ends with: its time in seconds, or for animations its number.
FRAME = "frame-"
#: A frame this near to the one before it finds nothing that the other does not.
_ALIKE_BITS = 6
#: Of a video that shows no more than this, the frames are asked about turned and flipped as well.
_FEW = 8

Stills: TypeAlias = tuple[tuple[str, ...], NDArray[np.uint64]]


def stills_of(video: VideoHashes, *, most: int | None = None) -> Stills:
    """Return the frames to ask about as pictures: the view, with its time, and hash of each.

    First each frame as it is shown; if there are turned ones, in the same order after that.
    Several frames within a tenth of a second have the same view.

    Args:
        video: the file's.
        most: of more frames the longest shown and others evenly over time; None for all.

    Raises:
        ValueError: the frames are not as ``VideoHashes`` says.
    """
    frames = unpack_frames(video.frames)
    whole = matchable(frames.taken(~frames.is_part), _ALIKE_BITS)
    _, first = np.unique(whole.rows, axis=0, return_index=True)
    asked = whole.taken(np.sort(first))
    if most is not None:
        asked = _at_most(asked, most, video.duration_ms)
    turns = DIHEDRAL_NAMES if len(asked) <= _FEW else ("",)
    rows = [turn_rows(asked.rows, turn) if turn else asked.rows for turn in turns]
    times = [f"{FRAME}{time / 1000:.1f}s" for time in asked.times_ms.tolist()]
    named = chain.from_iterable(zip(repeat(turn), times, strict=False) for turn in turns)
    views = tuple("+".join(filter(None, one)) for one in named)
    return views, np.ascontiguousarray(np.concatenate(rows))


def places_of(views: Sequence[str]) -> list[int]:
    """Return which frame each of the ``stills_of`` a video is of, by place and not by its time."""
    frames = sum(frame_of(view) == view for view in views)
    return [place % frames for place in range(len(views))]


def frame_of(view: str) -> str:
    """Return the frame that a view is of, "" for that of a picture, or the first."""
    last = view.rpartition("+")[2]
    return last if last.startswith(FRAME) else ""


def _at_most(frames: Frames, most: int, duration_ms: int) -> Frames:
    if len(frames) <= most:
        return frames
    moments, moment_of = np.unique(frames.times_ms, return_inverse=True)
    shown_ms = np.diff(moments, append=max(duration_ms, int(moments[-1])))[moment_of]
    longest = np.argsort(-shown_ms, kind="stable")[: most // 2]
    evenly = np.linspace(0, len(frames) - 1, most - len(longest)).astype(np.int64)
    return frames.taken(np.union1d(longest, evenly))
