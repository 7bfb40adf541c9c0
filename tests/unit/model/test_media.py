"""What the hashes of a video's frames look like."""

import pytest

from nightlight.model.media import are_frames


def frame(quality: int) -> bytes:
    return bytes(32) + bytes([quality]) + (40).to_bytes(4, "little")


@pytest.mark.parametrize("quality", [0, 100, 128, 228])
def test_whole_frames_and_parts_of_frames_are_frames(quality: int) -> None:
    assert are_frames(frame(100) + frame(quality))


@pytest.mark.parametrize(
    "frames",
    [frame(100)[:-1], frame(100) + b"\0", frame(100) + frame(101), frame(127), frame(229)],
)
def test_what_is_cut_off_or_of_impossible_quality_is_none(frames: bytes) -> None:
    assert not are_frames(frames)
