import importlib
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.synthetic import videos

from nightlight.kernel import _video_numba, _video_reference, pdq, video
from nightlight.kernel.video import (
    Frames,
    pack_frames,
    turn_rows,
    unpack_frames,
    vpdq_shares,
)
from nightlight.kernel.video_frames import FrameSampler
from nightlight.kernel.video_likeness import Likeness, compare
from nightlight.kernel.video_selection import matchable, near

WORD = st.integers(0, 2**64 - 1)
ROW = st.tuples(WORD, WORD, WORD, WORD)
FRAME = st.tuples(ROW, st.integers(0, 100), st.integers(0, 2**32 - 1), st.booleans())
FRAMES = st.lists(FRAME, max_size=20)
# Few bits differ, so that distances lie on both sides of every threshold.
NEAR_ROW = st.tuples(
    st.integers(0, 2**12 - 1), st.just(0), st.integers(0, 2**20 - 1), st.integers(0, 2**40 - 1)
)
SPEEDS = np.array([0.5, 1.0, 2.0])


def frames_of(listed: list[tuple[tuple[int, int, int, int], int, int, bool]]) -> Frames:
    return Frames(
        np.array([one[0] for one in listed], np.uint64).reshape(-1, 4),
        np.array([one[1] for one in listed], np.uint8),
        np.array([one[2] for one in listed], np.int64),
        np.array([one[3] for one in listed], np.bool_),
    )


def hashed(pictures: NDArray[np.uint8], *, step_ms: int = 100) -> Frames:
    sampler = FrameSampler()
    for number, picture in enumerate(pictures):
        luma = picture.mean(axis=2).astype(np.uint8)
        sampler.take(luma, number * step_ms)
    return sampler.frames()


def rows_of(listed: list[tuple[int, int, int, int]]) -> NDArray[np.uint64]:
    return np.array(listed, np.uint64).reshape(-1, 4)


@settings(deadline=None, max_examples=50)
@given(FRAMES)
def test_frames_come_back_as_they_were_packed(
    listed: list[tuple[tuple[int, int, int, int], int, int, bool]],
) -> None:
    frames = frames_of(sorted(listed, key=lambda one: one[2]))
    packed = pack_frames(frames)
    assert len(packed) == 37 * len(frames)
    back = unpack_frames(packed)
    assert (back.rows == frames.rows).all()
    assert (back.quality == frames.quality).all()
    assert (back.times_ms == frames.times_ms).all()
    assert (back.is_part == frames.is_part).all()


def test_packed_hash_reads_as_its_hex() -> None:
    packed = pack_frames(frames_of([((1, 2, 3, 0xFE), 77, 258, False)]))
    assert packed.hex() == f"{1:016x}{2:016x}{3:016x}{0xFE:016x}" + "4d" + "02010000"


def test_frames_out_of_order_are_put_in_order() -> None:
    packed = pack_frames(frames_of([((1, 0, 0, 0), 60, 900, False), ((2, 0, 0, 0), 60, 5, False)]))
    assert unpack_frames(packed).times_ms.tolist() == [5, 900]


@pytest.mark.parametrize("packed", [b"x", b"\xff" * 36, b"\xff" * 38])
def test_packed_frames_of_another_length_are_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="37"):
        unpack_frames(packed)


def test_quality_over_100_is_refused() -> None:
    with pytest.raises(ValueError, match="quality"):
        unpack_frames(b"\0" * 32 + bytes([101]) + b"\0" * 4)


@settings(deadline=None, max_examples=40)
@given(st.lists(NEAR_ROW, max_size=12), st.lists(NEAR_ROW, max_size=12), st.integers(0, 60))
def test_compiled_loops_equal_the_reference(
    first: list[tuple[int, int, int, int]], second: list[tuple[int, int, int, int]], bits: int
) -> None:
    a, b = rows_of(first), rows_of(second)
    at = np.arange(len(a), dtype=np.int64) * 700
    bt = np.arange(len(b), dtype=np.int64) * 450
    stands = np.arange(1, len(a) + 1, dtype=np.int64)
    for ours, truth in zip(_video_numba.nearest(a, b), _video_reference.nearest(a, b), strict=True):
        assert ours.tolist() == truth.tolist()
    assert (
        _video_numba.line_votes((a, at, stands), (b, bt), bits, SPEEDS, 500).tolist()
        == _video_reference.line_votes((a, at, stands), (b, bt), bits, SPEEDS, 500).tolist()
    )
    line = (1.25, -300.0, 500.0)
    assert (
        _video_numba.line_nearest((a, at), (b, bt), *line).tolist()
        == _video_reference.line_nearest((a, at), (b, bt), *line).tolist()
    )
    assert _video_numba.count_distinct(a, bits, 6) == _video_reference.count_distinct(a, bits, 6)
    assert (
        _video_numba.places_of_news(a, bits).tolist()
        == _video_reference.places_of_news(a, bits).tolist()
    )


def test_videos_are_compared_without_numba_too(monkeypatch: pytest.MonkeyPatch) -> None:
    query, bank = hashed(videos.film(1, 2, seconds=1)), hashed(videos.film(2, 3, seconds=1))
    expected = compare(query, bank)
    monkeypatch.setitem(sys.modules, "nightlight.kernel._video_numba", None)
    monkeypatch.delattr(importlib.import_module("nightlight.kernel"), "_video_numba")
    video.loops.cache_clear()
    try:
        assert compare(query, bank) == expected
    finally:
        video.loops.cache_clear()


def brute_shares(query: Frames, bank: Frames) -> tuple[float, float]:
    """Return the shares as vPDQ defines them, one frame at a time."""
    sides = []
    for side in (query, bank):
        seen: dict[tuple[int, ...], int] = {}
        for row, quality, is_part in zip(side.rows, side.quality, side.is_part, strict=True):
            if not is_part:
                seen.setdefault(tuple(int(word) for word in row), int(quality))
        sides.append([row for row, quality in seen.items() if quality >= 50])
    found = []
    for one, other in (sides, sides[::-1]):
        near = [
            any(
                sum((a ^ b).bit_count() for a, b in zip(row, entry, strict=True)) <= 31
                for entry in other
            )
            for row in one
        ]
        found.append(sum(near) / len(near) if near else 0.0)
    return found[0], found[1]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(NEAR_ROW, st.integers(40, 60), st.just(0), st.booleans()), max_size=12),
    st.lists(st.tuples(NEAR_ROW, st.integers(40, 60), st.just(0), st.booleans()), max_size=12),
)
def test_shares_are_those_of_vpdq(
    first: list[tuple[tuple[int, int, int, int], int, int, bool]],
    second: list[tuple[tuple[int, int, int, int], int, int, bool]],
) -> None:
    query, bank = frames_of(first), frames_of(second)
    assert vpdq_shares(query, bank) == pytest.approx(brute_shares(query, bank))


def test_shares_change_places_with_the_videos() -> None:
    query, bank = hashed(videos.film(1, 2, seconds=1)), hashed(videos.film(2, 3, 4, seconds=1))
    assert vpdq_shares(query, bank) == vpdq_shares(bank, query)[::-1]


@pytest.mark.parametrize("place", range(8))
def test_turned_hash_is_near_that_made_from_the_turned_samples(place: int) -> None:
    samples = pdq.samples(np.asarray(videos.drawn_scene(5, 256, 256).convert("L")))
    row, _ = pdq.hash_samples(samples)
    turned = turn_rows(row[None], pdq.DIHEDRAL_NAMES[place])[0]
    assert int(np.bitwise_count(turned ^ pdq.dihedral(samples)[place]).sum()) <= 12


def test_turn_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="turn"):
        turn_rows(np.zeros((1, 4), np.uint64), "sideways")


def test_selected_frames_leave_out_what_repeats_the_last_one_kept_and_what_is_flat() -> None:
    values = (0, 1, 0xFF, 0xFE, 0)
    frames = frames_of([((one, 0, 0, 0), 50, at, False) for at, one in enumerate(values)])
    assert matchable(frames, 3).times_ms.tolist() == [0, 2, 4]
    flat = frames_of([((7, 7, 7, 7), 49, 0, False)])
    assert len(matchable(flat, 3)) == 0


def test_frames_near_some_times_are_those_shares_of_the_video() -> None:
    frames = frames_of([((0, 0, 0, 0), 50, 1000 * at, False) for at in range(100)])
    kept, share = near(frames, np.array([10_000, 50_000, 51_000]), 1000)
    assert kept.times_ms.tolist() == [*range(6000, 15_000, 1000), *range(46_000, 56_000, 1000)]
    assert share == pytest.approx(0.19, abs=0.01)
    assert len(near(frames, np.array([10_000]), 3)[0]) == 3


def test_video_is_wholly_like_itself() -> None:
    frames = hashed(videos.film(1, 2, 3, 4, seconds=1))
    likeness = compare(frames, frames)
    assert (likeness.query_share, likeness.bank_share, likeness.distance_bits) == (1.0, 1.0, 0)
    assert (likeness.line_share, likeness.aligned_share) == (1.0, 1.0)
    assert likeness.distinct >= 4


def test_clip_is_wholly_found_and_finds_its_part() -> None:
    bank = hashed(videos.film(1, 2, 3, 4, seconds=1))
    likeness = compare(hashed(videos.film(2, 3, seconds=1)), bank)
    assert likeness.query_share > 0.95
    assert 0.4 < likeness.bank_share < 0.6


def test_shares_are_of_time_not_of_frames_kept() -> None:
    # Nine seconds of a still and one of movement, of which many more frames are kept.
    still = videos.held(videos.walk(1, 0.1)[0], 9)
    bank = hashed(videos.joined([still, videos.walk(2, 1)]))
    likeness = compare(hashed(still), bank)
    assert 0.85 < likeness.bank_share < 0.95


def test_videos_of_other_things_have_nothing_in_common() -> None:
    query, bank = hashed(videos.film(1, 2, seconds=1)), hashed(videos.film(3, 4, seconds=1))
    assert compare(query, bank) == Likeness()


def test_video_without_matchable_frames_has_nothing_in_common() -> None:
    black = hashed(np.zeros((20, 96, 160, 3), np.uint8))
    assert len(black)
    assert compare(black, black) == Likeness()
    assert compare(frames_of([]), black) == Likeness()


@pytest.mark.parametrize("speed", [0.5, 0.8, 1.25, 2.0])
def test_line_is_found_at_another_speed(speed: float) -> None:
    drawn = videos.film(1, 2, 3, 4, seconds=2)
    faster = drawn[np.minimum(np.arange(0, len(drawn), speed).astype(int), len(drawn) - 1)]
    likeness = compare(hashed(faster), hashed(drawn))
    assert likeness.line_share > 0.9
    assert likeness.aligned_share > 0.8


def test_reordered_pieces_do_not_lie_on_one_line() -> None:
    drawn = videos.film(1, 2, 3, 4, seconds=2)
    pieces = np.split(drawn, 4)
    likeness = compare(hashed(videos.joined(pieces[::-1])), hashed(drawn))
    assert likeness.query_share > 0.95
    assert likeness.line_share < 0.6


def test_logo_that_spoils_every_frame_leaves_the_line() -> None:
    drawn = videos.film(1, 2, 3, 4, 5, seconds=2)
    likeness = compare(hashed(videos.with_logo(drawn, 36)), hashed(drawn))
    assert likeness.query_share < 0.5
    assert likeness.aligned_ms > 2000


def test_parts_of_one_frame_are_not_different_things() -> None:
    still = hashed(videos.held(videos.walk(1, 0.1)[0], 3))
    assert still.is_part.any()
    assert compare(still, still).distinct == 1
