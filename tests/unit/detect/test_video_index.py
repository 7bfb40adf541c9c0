from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.synthetic import videos

from nightlight.detect import video_index
from nightlight.detect.video_index import VideoIndex, VideoMatch
from nightlight.kernel.video import Frames, pack_frames, unpack_frames
from nightlight.kernel.video_frames import FrameSampler
from nightlight.model.media import VideoHashes

FILM = (1, 2, 3, 4, 5, 6)


def hashed(pictures: NDArray[np.uint8], *, step_ms: int = 100) -> VideoHashes:
    sampler = FrameSampler()
    for number, picture in enumerate(pictures):
        sampler.take(picture.mean(axis=2).astype(np.uint8), number * step_ms)
    return VideoHashes(frames=pack_frames(sampler.frames()), duration_ms=len(pictures) * step_ms)


def bank_of(*pictures: NDArray[np.uint8]) -> VideoIndex:
    index = VideoIndex()
    index.add_all((number, hashed(one)) for number, one in enumerate(pictures, start=1))
    return index


def numbers(found: list[VideoMatch]) -> list[int]:
    return [match.number for match in found]


def slideshow(drawn: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(drawn[::8], 15, axis=0)


def reordered(drawn: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return videos.joined(np.split(drawn, 6)[::-1])


def noisy(drawn: NDArray[np.uint8]) -> NDArray[np.uint8]:
    noise = np.random.default_rng(1).normal(0, 12, drawn.shape)
    return np.clip(drawn + noise, 0, 255).astype(np.uint8)


EDITS: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "same": lambda drawn: drawn,
    "noise": noisy,
    "darker": lambda drawn: (drawn // 2 + 10).astype(np.uint8),
    "first second gone": lambda drawn: drawn[10:],
    "clip": lambda drawn: drawn[37:70],
    "slideshow": slideshow,
    "twice as fast": lambda drawn: drawn[::2],
    "slower": lambda drawn: np.repeat(drawn, 2, axis=0)[: len(drawn)],
    "bars above and below": lambda drawn: videos.letterboxed(drawn, above=14),
    "bars beside": lambda drawn: videos.letterboxed(drawn, beside=40),
    "white border": lambda drawn: videos.letterboxed(drawn, above=10, beside=14, grey=255),
    "small logo": lambda drawn: videos.with_logo(drawn, 20),
    "large logo": lambda drawn: videos.with_logo(drawn, 36),
    "mirrored": lambda drawn: drawn[:, :, ::-1],
    "upside down": lambda drawn: drawn[:, ::-1, ::-1],
    "lying": lambda drawn: np.rot90(drawn, 1, axes=(1, 2)),
    "reordered": reordered,
    "inside a longer one": lambda drawn: videos.joined(
        [videos.film(30, 31, 32), drawn[:70], videos.film(33, 34, 35)]
    ),
}


@pytest.fixture(scope="module")
def known() -> VideoIndex:
    others = [videos.film(seed, seed + 1) for seed in range(50, 60, 2)]
    return bank_of(videos.film(*FILM), *others)


@pytest.mark.parametrize("edit", EDITS)
def test_edited_video_matches_its_original_and_nothing_else(edit: str, known: VideoIndex) -> None:
    found = known.match(hashed(EDITS[edit](videos.film(*FILM))))
    assert numbers(found) == [1]


@pytest.mark.parametrize("edit", EDITS)
def test_original_matches_an_edited_video_in_the_bank(edit: str) -> None:
    index = bank_of(EDITS[edit](videos.film(*FILM)))
    assert numbers(index.match(hashed(videos.film(*FILM)))) == [1]


def test_other_video_does_not_match(known: VideoIndex) -> None:
    assert known.match(hashed(videos.film(80, 81, 82))) == []


def test_match_says_how_much_of_both_was_found(known: VideoIndex) -> None:
    (match,) = known.match(hashed(videos.film(*FILM)[40:80]))
    assert match.query_share > 0.95
    assert 0.25 < match.bank_share < 0.45
    assert match.how == "frames"


def test_turned_video_says_so(known: VideoIndex) -> None:
    (match,) = known.match(hashed(videos.film(*FILM)[:, :, ::-1]))
    assert match.how == "flipped+frames"


def test_short_piece_of_one_shot_matches() -> None:
    index = bank_of(videos.film(*FILM))
    (match,) = index.match(hashed(videos.walk(3)[:6]))
    assert match.query_share == 1.0


def test_shared_title_card_is_no_match() -> None:
    card = videos.held(videos.walk(90, 0.1)[0], 4)
    index = bank_of(videos.joined([card, videos.film(1, 2, 3, 4)]))
    assert index.match(hashed(videos.joined([card, videos.film(5, 6, 7, 8)]))) == []


def test_shared_intro_and_outro_of_three_seconds_are_no_match() -> None:
    intro = videos.film(91, seconds=3)
    index = bank_of(videos.joined([intro, videos.film(1, 2, 3, 4, seconds=3)]))
    assert index.match(hashed(videos.joined([intro, videos.film(5, 6, 7, 8, seconds=3)]))) == []


def test_other_things_in_the_same_room_are_no_match() -> None:
    room = videos.walk(92, 0.1)[0]

    def visited(seed: int) -> NDArray[np.uint8]:
        made = videos.held(room, 6).copy()
        for place, frame in enumerate(made):
            at = 10 + (seed * 31 + place) % 90
            frame[20:80, at : at + 45] = videos.walk(seed, 0.1)[0][20:80, at : at + 45]
        return made

    assert bank_of(visited(3)).match(hashed(visited(4))) == []


@pytest.mark.parametrize("grey", [0, 16, 255])
def test_flat_videos_do_not_match_one_another(grey: int) -> None:
    flat = np.full((30, 96, 160, 3), grey, np.uint8)
    assert bank_of(flat).match(hashed(flat)) == []


def test_black_parts_in_both_are_no_match() -> None:
    black = np.zeros((60, 96, 160, 3), np.uint8)
    index = bank_of(videos.joined([black, videos.film(1, 2)]))
    assert index.match(hashed(videos.joined([black, videos.film(3, 4)]))) == []


def test_passage_that_many_unlike_bank_videos_share_is_no_match() -> None:
    stock = videos.film(93, 94, 95)
    unlike = [videos.joined([stock, videos.film(*range(s, s + 8))]) for s in range(100, 220, 10)]
    query = hashed(videos.joined([stock, videos.film(*range(400, 409))]))
    assert numbers(bank_of(*unlike[:3]).match(query)) == [1, 2, 3]
    assert bank_of(*unlike).match(query) == []


def test_video_that_is_in_the_bank_many_times_matches_every_time() -> None:
    copies = [videos.film(*range(1, 11))] * 12
    query = hashed(videos.joined([videos.film(2, 3, 4), videos.film(*range(400, 409))]))
    assert len(bank_of(*copies).match(query)) == 12


def test_removed_video_is_not_found() -> None:
    index = bank_of(videos.film(1, 2, 3), videos.film(1, 2, 3))
    index.remove(1)
    index.remove(77)
    assert numbers(index.match(hashed(videos.film(1, 2, 3)))) == [2]
    assert len(index) == 1


def test_video_added_again_replaces_what_had_its_number() -> None:
    index = bank_of(videos.film(1, 2, 3))
    index.add(1, hashed(videos.film(4, 5, 6)))
    assert index.match(hashed(videos.film(1, 2, 3))) == []
    assert numbers(index.match(hashed(videos.film(4, 5, 6)))) == [1]
    assert len(index) == 1


def test_index_comes_back_from_its_arrays() -> None:
    index = bank_of(videos.film(1, 2, 3), videos.film(4, 5, 6))
    index.add(9, VideoHashes(frames=b"", duration_ms=0))
    query = hashed(videos.film(4, 5, 6)[:, :, ::-1])
    back = VideoIndex.from_arrays(index.arrays())
    assert back.match(query) == index.match(query) != []
    assert len(back) == 3


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    arrays = dict(bank_of(videos.film(1)).arrays())
    with pytest.raises(ValueError, match="video index"):
        VideoIndex.from_arrays(arrays | {"frames": arrays["frames"][:-1]})


def test_empty_index_and_empty_video_match_nothing() -> None:
    assert VideoIndex().match(hashed(videos.walk(1))) == []
    assert bank_of(videos.walk(1)).match(VideoHashes(frames=b"", duration_ms=0)) == []


def test_list_of_whole_frames_from_elsewhere_matches() -> None:
    frames = unpack_frames(hashed(videos.film(*FILM)).frames)
    plain = frames.taken(~frames.is_part)
    each_second = np.unique(plain.times_ms // 1000, return_index=True)[1]
    partner: Frames = plain.taken(each_second)
    index = VideoIndex()
    index.add(1, VideoHashes(frames=pack_frames(partner), duration_ms=12_000))
    assert numbers(index.match(hashed(videos.film(*FILM)))) == [1]


def test_passage_in_a_long_video_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    # As if some minutes were too long to be compared from end to end.
    monkeypatch.setattr(video_index, "_MOST_COMPARED", 400)
    shared = videos.film(*FILM)
    index = bank_of(videos.joined([videos.film(*range(200, 208)), shared]))
    asked = videos.joined([shared, videos.film(*range(300, 308))])
    (match,) = index.match(hashed(asked))
    assert 0.2 < match.bank_share < 0.5
    assert 0.2 < match.query_share < 0.5
    assert index.match(hashed(videos.film(*range(300, 312)))) == []
