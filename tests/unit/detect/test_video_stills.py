"""A known picture that comes as a video is known, and nothing is cleared by another frame."""

from collections.abc import Sequence

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from tests.synthetic.known_media import MD5, PDQ, entry, near, pdq_at

from nightlight.detect import vetoes
from nightlight.detect.bank_index import BankIndex
from nightlight.detect.video_stills import frame_of, stills_of
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


def timed(*shown: tuple[str, int]) -> VideoHashes:
    """Return a video of pictures of these hashes, each shown for so many milliseconds."""
    ends = np.cumsum([lasts for _, lasts in shown])
    frames = Frames(
        pack([one for one, _ in shown]),
        np.full(len(shown), 90, np.uint8),
        np.concatenate([[0], ends[:-1]]),
        np.zeros(len(shown), np.bool_),
    )
    return VideoHashes(frames=pack_frames(frames), duration_ms=int(ends[-1]))


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


@pytest.mark.parametrize("at", [0, 1, 299, 577, 600])
def test_a_known_picture_is_known_however_short_among_however_many(at: int) -> None:
    others = unpack(rows(600))
    shown = timed(
        *[(one, 1100) for one in others[:at]], (PDQ, 1000), *[(one, 1100) for one in others[at:]]
    )
    assert found([near(0)], shown) == [("be-local-0", f"frame-{1.1 * at:.1f}s", 0)]


def test_where_few_are_wanted_the_longest_shown_are_among_them() -> None:
    shown = unpack(rows(1024))
    asked = video(*shown[:901], *[pdq_at(1)] * 3, *shown[901:], step_ms=100)
    views, asked_rows = stills_of(asked, most=256)
    assert len(views) == len(asked_rows) <= 256
    assert "frame-90.1s" in views


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


@pytest.mark.parametrize("apart_ms", [0, 40, 200])
def test_a_cleared_picture_takes_back_no_frame_that_follows_at_once(apart_ms: int) -> None:
    known = [near(0), cleared(entry(HashKind.PDQ, OTHER))]
    asked = timed((HALF, 1010), (OTHER, apart_ms), (pdq_at(3), 1000))
    assert [kind for kind, _ in look(known, MediaHashes(video=asked))] == [HashKind.PDQ]


def of_video(shown: VideoHashes, name: str) -> BankEntry:
    return replace(near(0), id=name, kind=HashKind.VPDQ, value=shown.frames.hex())


@pytest.mark.parametrize(("more", "left"), [(0, []), (30, [(HashKind.PDQ, "frame-0.0s")])])
def test_a_cleared_video_takes_back_its_frames_where_it_is_most_of_the_file(
    more: int, left: list[tuple[HashKind, str]]
) -> None:
    known = cleared(of_video(video(PDQ, *film(9)), "film"))
    asked = video(PDQ, *film(9 + more))
    assert look([near(0), known], MediaHashes(video=asked)) == left


def test_a_cleared_video_that_is_mirrored_takes_back_its_frames() -> None:
    shown = rows(12)
    known = entry(HashKind.PDQ, unpack(turn_rows(shown[3:4], "flipped"))[0])
    asked = video(*unpack(turn_rows(shown, "flipped")))
    assert look([known, cleared(of_video(video(*unpack(shown)), "film"))], at(asked)) == []
    assert len(look([known], at(asked))) == 1


def at(shown: VideoHashes) -> MediaHashes:
    return MediaHashes(video=shown)


@pytest.mark.parametrize("frames", [1, 5, 19])
@pytest.mark.parametrize("bits", [0, 4])
def test_a_cleared_video_takes_back_nothing_that_was_put_after_it(frames: int, bits: int) -> None:
    shown = [*film(80), *[pdq_at(bits + n % 9) for n in range(frames)]]
    known = [near(0), cleared(of_video(video(*film(80)), "film"))]
    assert look(known, at(video(*shown))) == [(HashKind.PDQ, "frame-80.0s")]


@pytest.mark.parametrize(("cleared_bits", "left"), [(3, 0), (4, 0), (5, 1)])
def test_a_frame_of_a_cleared_video_is_cleared_only_where_it_is_no_further_from_it(
    cleared_bits: int, left: int
) -> None:
    theirs = f"{((1 << cleared_bits) - 1) << 64:064x}"
    known = [near(4), cleared(of_video(video(theirs, *film(30)), "film"))]
    assert len(look(known, at(video(PDQ, *film(30))))) == left


@pytest.mark.parametrize("bits", [0, 2, 4])
def test_a_cleared_passage_takes_back_no_known_video_that_it_is_put_before(bits: int) -> None:
    harmless, bad = film(68)[:8], film(68)[8:]
    known = of_video(video(*bad), "bad")
    asked = video(*harmless, *[moved(one, bits) for one in bad])
    assert look([known, cleared(of_video(video(*harmless), "intro"))], at(asked)) == [
        (HashKind.VPDQ, "frames")
    ]


def moved(one: str, bits: int) -> str:
    return f"{int(one, 16) ^ ((1 << bits) - 1):064x}"


@pytest.mark.parametrize(("cleared_frames", "left"), [(40, 0), (39, 1), (0, 1)])
def test_a_cleared_video_takes_back_a_known_one_only_if_it_shows_all_that_matched(
    cleared_frames: int, left: int
) -> None:
    shown = film(60)
    known = of_video(video(*[moved(one, 9) for one in shown[:40]]), "known")
    theirs = of_video(video(*shown[:cleared_frames], *film(90)[60:]), "theirs")
    assert len(look([known, cleared(theirs)], at(video(*shown, *film(90)[60:])))) == left


def test_what_would_take_too_long_to_compare_is_not_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = video(PDQ, *film(9))
    known = [near(0), of_video(shown, "film"), cleared(of_video(shown, "film"))]
    assert look(known, at(shown)) == []
    monkeypatch.setattr(vetoes, "_MOST_PAIRS", 9)
    assert len(look(known, at(shown))) == 2


def test_a_cleared_video_that_is_nearer_in_most_moments_takes_back_no_other_moment() -> None:
    shown = film(30)
    theirs = [*shown[:20], *[moved(one, 20) for one in shown[20:]]]
    ours = [*[moved(one, 20) for one in shown[:20]], *shown[20:]]
    known = [of_video(video(*ours), "ours"), cleared(of_video(video(*theirs), "theirs"))]
    assert look(known, at(video(*shown))) == [(HashKind.VPDQ, "frames")]


def test_the_same_bytes_are_known_whatever_a_frame_is_cleared_as() -> None:
    asked = MediaHashes(md5=MD5, video=video(PDQ))
    assert look([entry(HashKind.MD5, MD5), cleared(near(0))], asked) == [(HashKind.MD5, "")]


@pytest.mark.parametrize(
    ("view", "frame"),
    [("", ""), ("turned-90", ""), ("frame-12", "frame-12"), ("flipped+frame-1.5s", "frame-1.5s")],
)
def test_a_view_tells_its_frame(view: str, frame: str) -> None:
    assert frame_of(view) == frame
