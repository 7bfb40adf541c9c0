"""Which matches an entry of a negative bank takes back: those that it explains, and no other.

What a person cleared says something of what they saw. So a cleared picture takes back what its own
frame matches; a cleared video what the frames match that are its own; and nothing takes back what
the rest of the file shows. Whatever is in doubt stays a match.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from nightlight.detect.video_index import VideoIndex
from nightlight.kernel.hamming import HASH_BITS
from nightlight.kernel.video import DISTANCE_BITS, MATCHABLE_QUALITY, Frames, unpack_frames
from nightlight.model.bank import BankMatch, HashKind
from nightlight.model.media import VideoHashes

#: The weakest first: only of SHA-256 can nobody make two files that share one.
EXACT_KINDS = (HashKind.MD5, HashKind.SHA1, HashKind.SHA256)
#: A cleared video takes back single frames only of what shows no less than this of it.
_WHOLE_SHARE = 0.8
#: Nearer than this a frame is that of the cleared video, if another is a little nearer or not.
_SAME_BITS = 6
#: A video that matches by its whole course of time has frames this far away in common with it.
_ROUGH_BITS = 56
#: Comparing more pairs of hashes takes longer than a second: the match stays.
_MOST_PAIRS = 12_000 * 12_000

#: Which frame of a file: its place in a video, the name of an animation's, "" for the picture.
Frame: TypeAlias = str | int


class Found(Struct, frozen=True):
    """A match, and what of the file it is of.

    Attributes:
        match: with a bank's entry.
        frame: the one that matched.
        row: the hash of the video's frame as it is shown, None where it is of none.
    """

    match: BankMatch
    frame: Frame = ""
    row: NDArray[np.uint64] | None = None


class Vetoes:
    """The entries of negative banks that a file matches. Each video is compared with it once."""

    def __init__(
        self,
        vetoes: Sequence[Found],
        *,
        found: Sequence[Found],
        videos: VideoIndex,
        asked: VideoHashes | None,
    ) -> None:
        """Keep them.

        Args:
            vetoes: matches with entries of negative banks.
            found: the other matches, those that may be taken back.
            videos: holds the videos among them.
            asked: the file's, None where it is no video.
        """
        self._vetoes = vetoes
        self._videos = videos
        self._asked = asked
        # By what the frames show: many of them can show the same known picture.
        rows = {one.row.tobytes(): one.row for one in found if one.row is not None}
        self._place_of = {row: place for place, row in enumerate(rows)}
        self._rows = np.array([*rows.values()], np.uint64).reshape(-1, 4)
        self._of_frames: dict[tuple[int, str], NDArray[np.int64]] = {}
        self._of_all: dict[tuple[int, str], NDArray[np.int64]] = {}

    def take_back(self, found: Found) -> bool:
        """Return whether one of them says that a match is wrong."""
        return any(self._explains(veto, found) for veto in self._vetoes)

    def _explains(self, veto: Found, found: Found) -> bool:
        """Return whether an entry of a negative bank says that a match is wrong.

        It must lie at least as close to the file as the match: the same bytes as known media stay
        known, however much they look like something else. Files can be made to share an MD5 or
        SHA-1 with a harmless one, so these two take back no more than what is known by them or by
        less.
        """
        by, match = veto.match, found.match
        if by.kind is HashKind.SHA256:
            return True
        if by.kind in EXACT_KINDS:
            strength = EXACT_KINDS.index
            return match.kind in EXACT_KINDS and strength(match.kind) <= strength(by.kind)
        if match.kind in EXACT_KINDS:
            return False
        if by.kind is HashKind.PDQ:
            is_same = match.kind is HashKind.PDQ and veto.frame == found.frame
            return is_same and by.distance_bits <= match.distance_bits
        if match.kind is HashKind.PDQ:
            return found.row is not None and self._shows_frame(by, found.row, match.distance_bits)
        return by.distance_bits <= match.distance_bits and self._covers(by, match)

    def _shows_frame(self, veto: BankMatch, row: NDArray[np.uint64], at_most: int) -> bool:
        """Return whether most of the file is the cleared video, and this very frame is of it."""
        if (veto.query_share or 0.0) < _WHOLE_SHARE:
            return False
        key = veto.number, _turn(veto)
        if key not in self._of_frames:
            self._of_frames[key] = self._distances(veto, self._rows, whole=True)
        return bool(self._of_frames[key][self._place_of[row.tobytes()]] <= at_most)

    def _covers(self, veto: BankMatch, match: BankMatch) -> bool:
        """Return whether all that shows the known video in the file shows the cleared one as well.

        Of a moment of which the whole matches, nothing is asked of its parts.
        """
        frames, known = self._frames, self._of_video(match)
        near = known <= (_ROUGH_BITS if match.view.endswith("aligned") else DISTANCE_BITS)
        by_whole = frames.times_ms[near & ~frames.is_part]
        near &= ~(frames.is_part & np.isin(frames.times_ms, by_whole))
        shown = self._of_video(veto)[near] <= np.maximum(known[near], _SAME_BITS)
        return bool(len(shown) and shown.all())

    @cached_property
    def _frames(self) -> Frames:
        frames = unpack_frames(self._asked.frames if self._asked else b"")
        return frames.taken(frames.quality >= MATCHABLE_QUALITY)

    def _of_video(self, match: BankMatch) -> NDArray[np.int64]:
        key = match.number, _turn(match)
        if key not in self._of_all:
            self._of_all[key] = self._distances(match, self._frames.rows)
        return self._of_all[key]

    def _distances(
        self, match: BankMatch, rows: NDArray[np.uint64], *, whole: bool = False
    ) -> NDArray[np.int64]:
        """Return how far the rows are from the frames of a bank's video, far if that takes long."""
        if len(rows) * self._videos.hashes_of(match.number) > _MOST_PAIRS:
            return np.full(len(rows), HASH_BITS + 1, np.int64)
        return self._videos.distances(match.number, rows, _turn(match), whole=whole)


def _turn(video: BankMatch) -> str:
    """Return how the file's frames have to be turned to be those of a bank's video."""
    return video.view.rpartition("+")[0]
