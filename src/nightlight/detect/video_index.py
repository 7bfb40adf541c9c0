"""Which videos of the banks a video shows, in whole or in part; changed in place.

A bank's video is its list of frame hashes and nothing else. One index over the frames of all of
them names the candidates; each candidate is then compared frame by frame, in both directions and
along time. Owns when that is a match; how alike two videos are is ``kernel.video``'s.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from nightlight.kernel.hash_index import HashIndex
from nightlight.kernel.pdq import DIHEDRAL_NAMES
from nightlight.kernel.video import (
    DISTANCE_BITS,
    FRAME_BYTES,
    MATCHABLE_QUALITY,
    Frames,
    loops,
    turn_rows,
    unpack_frames,
)
from nightlight.kernel.video_likeness import Likeness, compare
from nightlight.kernel.video_selection import every, matchable, near, with_parts_every
from nightlight.model.media import VideoHashes

#: A label of the index is a video's slot and the place of a frame in it.
_PLACE_BITS = 24
#: A frame this near to the one before it adds no candidate: what an edit leaves of either is
#: found by some frame of the shot. It halves what the index holds.
_INDEXED_BITS = 16
_ASKED_BITS = 6
#: Of so many milliseconds of a bank's video the parts of one frame are indexed.
_PARTS_EVERY_MS = 2000
#: Mirrored and turned videos are looked for by two frames a second; one is enough to be compared.
_TURNED_EVERY_MS = 500
#: At most so many candidates are compared, those with the most frames in common first.
_MOST_CANDIDATES = 256
#: A passage that this many bank videos share which are otherwise unlike is common property: an
#: animated logo, a stock clip. It matches nothing on its own.
_COMMON_VIDEOS = 10
_COMPARED_VIDEOS = 12


#: Of videos with more hashes than this, some minutes, only what lies near common frames is
#: compared, and no more than this: shares are then at least what is said.
_MOST_COMPARED = 12_000


class VideoMatch(Struct, frozen=True, kw_only=True):
    """A bank's video and the part of it that was found.

    Attributes:
        number: the bank entry's.
        query_share: how much of the video asked about is found in the bank's, 0 to 1.
        bank_share: how much of the bank's video is found in the one asked about.
        distance_bits: the median distance of the frames found.
        how: "frames" (most of one is in the other), "still" (the same, and little happens),
            "passage" (some seconds, in order) or "aligned" (the whole course of time agrees,
            though single frames are changed); with the turn where there is one, as in
            "flipped+frames".
    """

    number: int
    query_share: float
    bank_share: float
    distance_bits: int
    how: str


class MatchRule(Struct, frozen=True, kw_only=True):
    """From when on likeness is a match; measured in ``benchmarks.video``.

    Attributes:
        least_distinct: different things that must have been found, unless all is one still.
        frames_share: of the query or of the bank's video, found frame by frame.
        still_share: the same where too few different things are shown.
        still_bits: the largest median distance of such a still.
        passage_ms: length of what is found in order, wherever it is.
        aligned_share: of the query or of the bank's video, roughly alike all along one line.
        aligned_bits: the largest median distance along it.
    """

    least_distinct: int = 3
    frames_share: float = 0.3
    still_share: float = 0.8
    still_bits: int = 18
    passage_ms: int = 5000
    aligned_share: float = 0.6
    aligned_bits: int = 48


class _Video(Struct, frozen=True):
    slot: int
    count: int
    frames: bytes
    duration_ms: int


class _Candidate(Struct, frozen=True):
    number: int
    turn: str
    times_ms: NDArray[np.int64]
    places: NDArray[np.int64]


class VideoIndex:
    """Bank videos, ready to be asked. One thread changes it; any number ask meanwhile."""

    def __init__(self, rule: MatchRule | None = None) -> None:
        """Start empty.

        Args:
            rule: when likeness is a match.
        """
        self._rule = rule or MatchRule()
        self._rows = HashIndex()
        self._videos: dict[int, _Video] = {}
        self._numbers: dict[int, int] = {}
        self._next_slot = 0

    def __len__(self) -> int:
        """Return how many videos there are."""
        return len(self._videos)

    def add(self, number: int, video: VideoHashes) -> None:
        """Let this video be found from now on, in place of what had its number before.

        Raises:
            ValueError: its frames are not as ``VideoHashes`` says.
        """
        self.add_all([(number, video)])

    def add_all(self, videos: Iterable[tuple[int, VideoHashes]]) -> None:
        """Let these videos be found from now on, as ``add`` does one by one, but faster.

        Raises:
            ValueError: the frames of one are not as ``VideoHashes`` says; none is added.
        """
        listed = [(number, video, _indexed_rows(video)) for number, video in videos]
        labels: list[NDArray[np.int64]] = []
        for number, video, rows in listed:
            self.remove(number)
            slot = self._next_slot
            self._next_slot += 1
            self._numbers[slot] = number
            self._videos[number] = _Video(slot, len(rows), video.frames, video.duration_ms)
            labels.append(_labels(slot, len(rows)))
        if any(len(one) for one in labels):
            self._rows.add(np.concatenate(labels), np.concatenate([rows for _, _, rows in listed]))

    def remove(self, number: int) -> None:
        """Let this video not be found any more; nothing changes where there is none."""
        video = self._videos.pop(number, None)
        if video is None:
            return
        self._numbers.pop(video.slot, None)
        if video.count:
            self._rows.remove(_labels(video.slot, video.count))

    def match(self, video: VideoHashes) -> list[VideoMatch]:
        """Return the bank videos that this one shows, those with the most in common first.

        Raises:
            ValueError: its frames are not as ``VideoHashes`` says.
        """
        query = unpack_frames(video.frames)
        found: dict[int, tuple[VideoMatch, Likeness]] = {}
        for candidate in self._candidates(query):
            number = candidate.number
            known = self._videos.get(number)
            if known is None:  # removed a moment ago
                continue
            match, likeness = self._judged(candidate, _likeness(query, known, candidate))
            if match and (number not in found or _strength(match) > _strength(found[number][0])):
                found[number] = (match, likeness)
        kept = self._without_common(found)
        return sorted(kept, key=lambda one: (-max(_strength(one)), one.number))

    def distances(
        self, number: int, rows: NDArray[np.uint64], turn: str, *, whole: bool = False
    ) -> NDArray[np.int64]:
        """Return how far each hash is, once turned so, from the nearest frame of a bank's video.

        257 where there is no such video. With ``whole``, parts of frames are passed over.
        """
        known = self._videos.get(number)
        bank = unpack_frames(known.frames if known else b"")
        kept = (bank.quality >= MATCHABLE_QUALITY) & ~(bank.is_part & whole)
        asked = np.ascontiguousarray(turn_rows(rows, turn))
        found: NDArray[np.int64]
        found, _ = loops().nearest(asked, np.ascontiguousarray(bank.rows[kept]))
        return found

    def hashes_of(self, number: int) -> int:
        """Return how many hashes a bank's video has."""
        known = self._videos.get(number)
        return len(known.frames) // FRAME_BYTES if known else 0

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return everything as arrays, for a snapshot."""
        held = list(self._videos.items())
        frames = [np.frombuffer(video.frames, np.uint8) for _, video in held]
        return {
            "numbers": np.array([number for number, _ in held], np.int64),
            "durations": np.array([video.duration_ms for _, video in held], np.int64),
            "lengths": np.array([len(one) for one in frames], np.int64),
            "frames": np.concatenate([np.empty(0, np.uint8), *frames]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "VideoIndex":
        """Return the index that ``arrays`` was taken of.

        Raises:
            ValueError: the arrays do not belong together.
        """
        ends = np.cumsum(arrays["lengths"])
        if len(ends) and ends[-1] != len(arrays["frames"]):
            raise ValueError("the frames of a video index are not as long as it says")
        index = cls()
        index.add_all(
            (
                int(number),
                VideoHashes(
                    frames=arrays["frames"][end - length : end].tobytes(), duration_ms=int(duration)
                ),
            )
            for number, duration, length, end in zip(
                arrays["numbers"], arrays["durations"], arrays["lengths"], ends, strict=True
            )
        )
        return index

    def _candidates(self, query: Frames) -> list[_Candidate]:
        """Return the bank videos of which frames are in the query, by the turn they are found in.

        Those with the most frames in common come first.
        """
        found: list[_Candidate] = []
        frames = matchable(query, _ASKED_BITS)
        few = matchable(every(query, _TURNED_EVERY_MS), _ASKED_BITS)
        for turn in DIHEDRAL_NAMES:
            asked = _turned(few, turn) if turn else frames
            if not len(asked):
                continue
            places, labels, _ = self._rows.search(asked.rows, DISTANCE_BITS)
            if not len(labels):
                continue
            order = np.argsort(labels, kind="stable")
            slots = labels[order] >> _PLACE_BITS
            begins = np.flatnonzero(np.diff(slots, prepend=-1))
            for slot, mine in zip(slots[begins], np.split(order, begins[1:]), strict=True):
                number = self._numbers.get(int(slot))
                if number is not None:
                    times = asked.times_ms[places[mine]]
                    at = labels[mine] & ((1 << _PLACE_BITS) - 1)
                    found.append(_Candidate(number, turn, times, at))
        # A moment of the query counts once for each video, however often that shows it.
        found.sort(key=lambda one: -len(np.unique(one.times_ms)))
        return found[:_MOST_CANDIDATES]

    def _judged(
        self, candidate: _Candidate, likeness: Likeness
    ) -> tuple[VideoMatch | None, Likeness]:
        how, turn = _how(likeness, self._rule), candidate.turn
        if how is None:
            return None, likeness
        query_share, bank_share, bits = _measured(likeness, how)
        match = VideoMatch(
            number=candidate.number,
            query_share=query_share,
            bank_share=bank_share,
            distance_bits=bits,
            how=f"{turn}+{how}" if turn else how,
        )
        return match, likeness

    def _without_common(
        self, found: Mapping[int, tuple[VideoMatch, Likeness]]
    ) -> Iterator[VideoMatch]:
        """Yield the matches but those by a passage that many unlike bank videos share.

        Where most of a bank's video was found the match stands: the question is only asked of
        parts. Entries that are like one another are one video under many numbers.
        """
        parts = [
            number
            for number, (match, _) in found.items()
            if match.bank_share < self._rule.frames_share
        ]
        is_common = len(parts) >= _COMMON_VIDEOS and self._are_unlike(parts)
        for number, (match, _) in found.items():
            if not (is_common and number in parts):
                yield match

    def _are_unlike(self, numbers: list[int]) -> bool:
        """Return whether most of these bank videos have little in common but this passage."""
        step = max(1, len(numbers) // _COMPARED_VIDEOS)
        known = [self._videos.get(number) for number in numbers[::step]]
        lists = [unpack_frames(video.frames) for video in known if video is not None]
        alike = [
            max(likeness.query_share, likeness.bank_share) >= self._rule.frames_share
            for place, one in enumerate(lists)
            for likeness in (compare(one, other) for other in lists[place + 1 :])
        ]
        return sum(alike) * 2 < len(alike)


def _how(likeness: Likeness, rule: MatchRule) -> str | None:
    """Return how two videos are alike, None where they are not enough."""
    share = max(likeness.query_share, likeness.bank_share)
    line = max(likeness.line_share, likeness.line_bank_share)
    if likeness.distinct >= rule.least_distinct:
        if share >= rule.frames_share:
            return "frames"
        if likeness.aligned_ms >= rule.passage_ms:
            return "passage"
        if line >= rule.aligned_share and likeness.line_bits <= rule.aligned_bits:
            return "aligned"
    elif share >= rule.still_share and likeness.distance_bits <= rule.still_bits:
        return "still"
    return None


def _measured(likeness: Likeness, how: str) -> tuple[float, float, int]:
    """Return the shares and the distance by which the videos are alike in this way."""
    match how:
        case "passage":
            aligned = likeness.aligned_share, likeness.aligned_bank_share
            return *aligned, likeness.aligned_bits
        case "aligned":
            return likeness.line_share, likeness.line_bank_share, likeness.line_bits
        case _:
            return likeness.query_share, likeness.bank_share, likeness.distance_bits


def _strength(match: VideoMatch) -> tuple[float, float]:
    return max(match.query_share, match.bank_share), -match.distance_bits


def _likeness(query: Frames, known: _Video, candidate: _Candidate) -> Likeness:
    """Return how alike the query and a bank's video are, of long ones where they meet."""
    asked = _turned(query, candidate.turn) if candidate.turn else query
    bank = unpack_frames(known.frames)
    if max(len(asked), len(bank)) <= _MOST_COMPARED:
        return compare(asked, bank)
    bank_times = _indexed(bank).times_ms[candidate.places]
    asked, part = near(asked, candidate.times_ms, _MOST_COMPARED)
    bank, bank_part = near(
        bank, bank_times[candidate.times_ms <= asked.times_ms[-1]], _MOST_COMPARED
    )
    return _of_whole(compare(asked, bank), part, bank_part)


def _of_whole(likeness: Likeness, part: float, bank_part: float) -> Likeness:
    """Return the likeness of two videos, given that of parts that hold all they have in common."""
    return structs.replace(
        likeness,
        query_share=likeness.query_share * part,
        bank_share=likeness.bank_share * bank_part,
        aligned_share=likeness.aligned_share * part,
        aligned_bank_share=likeness.aligned_bank_share * bank_part,
        line_share=likeness.line_share * part,
        line_bank_share=likeness.line_bank_share * bank_part,
    )


def _indexed(frames: Frames) -> Frames:
    return matchable(with_parts_every(frames, _PARTS_EVERY_MS), _INDEXED_BITS)


def _indexed_rows(video: VideoHashes) -> NDArray[np.uint64]:
    rows = _indexed(unpack_frames(video.frames)).rows
    if len(rows) >= 1 << _PLACE_BITS:
        raise ValueError("a video has too many frames to be indexed")
    return rows


def _turned(frames: Frames, turn: str) -> Frames:
    return structs.replace(frames, rows=turn_rows(frames.rows, turn))


def _labels(slot: int, count: int) -> NDArray[np.int64]:
    return (np.int64(slot) << _PLACE_BITS) + np.arange(count, dtype=np.int64)
