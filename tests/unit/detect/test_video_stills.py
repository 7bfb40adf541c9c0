"""A known picture that comes as a video is known, and nothing is cleared by another frame."""

from collections.abc import Sequence

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from tests.synthetic.known_media import MD5, PDQ, entry, near, pdq_at

from nightlight.detect.bank_index import BankIndex
from nightlight.detect.video_stills import MOST, frame_of, stills_of
from nightlight.kernel.hamming import pack, unpack
from nightlight.kernel.video import Frames, pack_frames, turn_rows
from nightlight.model.bank import Bank, BankEntry, BankMatch, BankPurpose, HashKind
from nightlight.model.media import MediaHashes, VideoHashes, ViewHash

OTHER = "f" * 64
HALF = "f" * 32 + "0" * 32
CLEARED = Bank(name="cleared", purpose=BankPurpose.NEGATIVE)


def video(
    *shown: str, step_ms: int = 1000, quality: int = 90, parts: Sequence[int] = ()
) -> VideoHashes:
    """Return a video that shows pictures of these hashes one after the other."""
    frames = Frames(
        pack(list(shown)),
        np.full(len(shown), quality, np.uint8),
        np.arange(len(shown), dtype=np.int64) * step_ms,
        np.isin(np.arange(len(shown)), parts),
    )
    return VideoHashes(frames=pack_frames(frames), duration_ms=len(shown) * step_ms)


def found(known: Sequence[BankEntry], asked: VideoHashes) -> list[tuple[str, str, int]]:
    numbered = [replace(one, number=place) for place, one in enumerate(known, 1)]
    matches = BankIndex(numbered, banks=[CLEARED]).match(MediaHashes(video=asked))
    return [(one.entry_id, one.view, one.distance_bits) for one in matches]


def test_a_known_picture_that_comes_as_a_still_video_is_known() -> None:
    assert found([near(0)], video(*[pdq_at(3)] * 5)) == [("be-local-0", "frame-0.0s", 3)]


def test_a_known_picture_among_others_is_known_and_told_with_its_time() -> None:
    shown = video(OTHER, HALF, pdq_at(4), pdq_at(2), OTHER, step_ms=1500)
    assert found([near(0)], shown) == [("be-local-0", "frame-3.0s", 4)]


def test_a_known_picture_is_known_once_by_the_frame_that_is_closest() -> None:
    shown = video(pdq_at(20), OTHER, pdq_at(9), OTHER, pdq_at(15))
    assert found([near(0)], shown) == [("be-local-0", "frame-2.0s", 9)]


@pytest.mark.parametrize(
    "asked",
    [
        video(PDQ, quality=49),
        video(pdq_at(32)),
        video(OTHER, PDQ, parts=[1]),
        VideoHashes(frames=b"", duration_ms=0),
    ],
    ids=["quality too low", "too far", "part of a frame", "sound only"],
)
def test_what_is_not_the_picture_is_no_match(asked: VideoHashes) -> None:
    assert found([near(0)], asked) == []


def test_a_still_video_that_is_mirrored_is_known() -> None:
    row = np.random.default_rng(5).integers(0, 2**64, (1, 4), np.uint64)
    known = entry(HashKind.PDQ, unpack(row)[0])
    ((_, view, _),) = found([known], video(*unpack(turn_rows(row, "flipped"))))
    assert view == "flipped+frame-0.0s"


def rows(count: int) -> NDArray[np.uint64]:
    return np.random.default_rng(7).integers(0, 2**64, (count, 4), np.uint64)


def test_of_very_many_frames_the_longest_shown_are_asked_about() -> None:
    shown = unpack(rows(4 * MOST))
    still = [pdq_at(1)] * 3
    asked = video(*shown[:901], *still, *shown[901:], step_ms=100)
    views, asked_rows = stills_of(asked)
    assert len(views) == len(asked_rows) <= MOST
    assert ("be-local-0", "frame-90.1s", 1) in found([near(0)], asked)


def test_alike_frames_are_asked_about_once() -> None:
    flicker = unpack(rows(20))[:2] * 300
    views, _ = stills_of(video(*flicker, step_ms=40))
    assert sum("+" not in view for view in views) == 2


def cleared(known: BankEntry) -> BankEntry:
    return replace(known, bank="cleared", id=f"{known.id}-cleared")


def look(known: Sequence[BankEntry], asked: MediaHashes) -> list[tuple[HashKind, str]]:
    numbered = [replace(one, number=place) for place, one in enumerate(known, 1)]
    matches: Sequence[BankMatch] = BankIndex(numbered, banks=[CLEARED]).match(asked)
    return [(one.kind, one.view) for one in matches]


def test_a_cleared_picture_takes_back_its_own_frame_and_no_other() -> None:
    known = [near(3), entry(HashKind.PDQ, OTHER), cleared(near(0))]
    asked = MediaHashes(video=video(PDQ, OTHER))
    assert look(known, asked) == [(HashKind.PDQ, "frame-1.0s")]


def test_a_cleared_frame_of_an_animation_takes_back_no_other() -> None:
    views = (ViewHash(view="frame-2", pdq=PDQ, quality=90),)
    asked = MediaHashes(pdq=OTHER, pdq_quality=90, views=views)
    assert look([entry(HashKind.PDQ, OTHER), cleared(near(0))], asked) == [(HashKind.PDQ, "")]
    assert look([near(0), cleared(entry(HashKind.PDQ, OTHER))], asked) == [
        (HashKind.PDQ, "frame-2")
    ]


def film(count: int) -> list[str]:
    return unpack(rows(count))


def test_a_cleared_picture_does_not_take_back_a_known_video_that_shows_it() -> None:
    shown = video(PDQ, *film(9))
    known = replace(near(0), id="film", kind=HashKind.VPDQ, value=shown.frames.hex())
    assert look([known, cleared(near(0))], MediaHashes(video=shown)) == [(HashKind.VPDQ, "frames")]


@pytest.mark.parametrize(("more", "left"), [(0, []), (30, [(HashKind.PDQ, "frame-0.0s")])])
def test_a_cleared_video_takes_back_its_frames_where_it_is_most_of_the_file(
    more: int, left: list[tuple[HashKind, str]]
) -> None:
    harmless = video(PDQ, *film(9))
    known = cleared(replace(near(0), id="film", kind=HashKind.VPDQ, value=harmless.frames.hex()))
    asked = video(PDQ, *film(9 + more))
    assert look([near(0), known], MediaHashes(video=asked)) == left


def test_the_same_bytes_are_known_whatever_a_frame_is_cleared_as() -> None:
    asked = MediaHashes(md5=MD5, video=video(PDQ))
    assert look([entry(HashKind.MD5, MD5), cleared(near(0))], asked) == [(HashKind.MD5, "")]


@pytest.mark.parametrize(
    ("view", "frame"),
    [("", ""), ("turned-90", ""), ("frame-12", "frame-12"), ("flipped+frame-1.5s", "frame-1.5s")],
)
def test_a_view_tells_its_frame(view: str, frame: str) -> None:
    assert frame_of(view) == frame
