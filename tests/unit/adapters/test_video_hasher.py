from contextlib import suppress
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.synthetic import videos

from nightlight.adapters.image_hasher import hash_bytes
from nightlight.adapters.video_hasher import UnfinishedVideo, VideoLimits, hash_video
from nightlight.detect.bank_index import BankIndex
from nightlight.errors import InvalidInput
from nightlight.kernel import pdq
from nightlight.kernel.video import Frames, unpack_frames
from nightlight.model.bank import BankEntry, HashKind
from nightlight.model.media import MediaHashes, VideoHashes

LOSSLESS = {"qp": "0"}


class CountingFile(BytesIO):
    """A file that remembers how it was read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.most = 0
        self.total = 0
        self.unbounded = 0

    def read(self, size: int | None = -1, /) -> bytes:
        taken = super().read(size)
        self.unbounded += size is None or size < 0
        self.most = max(self.most, len(taken))
        self.total += len(taken)
        return taken


def frames_of(data: bytes, limits: VideoLimits | None = None) -> Frames:
    return unpack_frames(hash_video(BytesIO(data), limits=limits).frames)


def whole(frames: Frames) -> Frames:
    return frames.taken(~frames.is_part)


def hash_of(picture: NDArray[np.uint8]) -> NDArray[np.uint64]:
    return pdq.hash_rgb(np.ascontiguousarray(picture))[0]


def bits_apart(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> int:
    return int(np.bitwise_count(one ^ other).sum())


def least_apart(frames: Frames, row: NDArray[np.uint64]) -> int:
    return min(bits_apart(one, row) for one in frames.rows)


def test_first_frame_has_the_hash_of_its_picture() -> None:
    drawn = videos.walk(3)
    kept = frames_of(videos.encoded(drawn, options=LOSSLESS))
    assert kept.times_ms[0] == 0
    assert bits_apart(kept.rows[0], hash_of(drawn[0])) <= 4


def test_every_frame_shown_is_near_one_that_is_kept() -> None:
    drawn = videos.film(5, 6, seconds=3)
    kept = whole(frames_of(videos.encoded(drawn)))
    assert all(least_apart(kept, hash_of(one)) <= 20 for one in drawn)


def test_still_video_keeps_about_one_frame_a_second() -> None:
    kept = frames_of(videos.encoded(videos.held(videos.walk(7, 0.1)[0], 8)))
    assert list(np.unique(kept.times_ms)) == list(range(0, 8000, 1000))
    assert len(kept) <= 24


def test_a_known_picture_encoded_as_a_video_is_known() -> None:
    picture = videos.drawn_scene(3)
    out = BytesIO()
    picture.save(out, "PNG")
    known = hash_bytes(out.getvalue()).hashes.pdq
    index = BankIndex([BankEntry(id="known", bank="local", kind=HashKind.PDQ, value=known)])
    asked = hash_video(BytesIO(videos.encoded(videos.held(picture, 2.0))))
    (match,) = index.match(MediaHashes(video=asked))
    assert (match.entry_id, match.view) == ("known", "frame-0.0s")
    assert match.distance_bits < 16
    other = hash_video(BytesIO(videos.encoded(videos.held(videos.drawn_scene(4), 2.0))))
    assert index.match(MediaHashes(video=other)) == ()


def test_slideshow_keeps_every_slide() -> None:
    slides = [videos.walk(seed, 0.1)[0] for seed in (11, 12, 13)]
    data = videos.encoded(videos.joined([videos.held(one, 2) for one in slides]))
    kept = whole(frames_of(data))
    assert all(least_apart(kept, hash_of(one)) <= 12 for one in slides)
    assert len(np.unique(kept.times_ms)) <= 9


@pytest.mark.parametrize(("above", "beside", "grey"), [(16, 0, 0), (0, 30, 0), (10, 16, 255)])
def test_video_between_bars_has_the_hashes_of_the_video_without(
    above: int, beside: int, grey: int
) -> None:
    drawn = videos.walk(17)
    boxed = videos.letterboxed(drawn, above=above, beside=beside, grey=grey)
    kept = frames_of(videos.encoded(boxed))
    assert all(least_apart(kept, hash_of(one)) <= 24 for one in drawn)


def test_video_between_bars_also_keeps_the_hashes_of_the_whole_picture() -> None:
    boxed = videos.letterboxed(videos.walk(17), above=16)
    assert least_apart(frames_of(videos.encoded(boxed)), hash_of(boxed[0])) <= 8


def test_dark_moment_does_not_move_the_borders_of_its_shot() -> None:
    drawn = videos.walk(19)
    dark = drawn.copy()
    dark[8:12, :40] = 0
    kept = frames_of(videos.encoded(dark))
    assert least_apart(kept, hash_of(dark[9])) <= 20


@pytest.mark.parametrize(
    ("codec", "container", "pixels"),
    [
        ("libx264", "mp4", "yuv444p"),
        ("libx264", "matroska", "yuv422p"),
        ("libx264", "mpegts", "nv12"),
        ("libx264", "mov", "yuv420p10le"),
        ("libx264", "avi", "gray"),
        ("libvpx", "webm", "yuv420p"),
        ("mjpeg", "avi", "yuvj420p"),
        ("ffv1", "matroska", "bgr0"),
        ("ffv1", "matroska", "gray16le"),
        ("ffv1", "matroska", "yuv420p16le"),
    ],
)
def test_pixel_formats_and_containers_have_the_same_hashes(
    codec: str, container: str, pixels: str
) -> None:
    drawn = videos.walk(23, 1)
    kept = frames_of(videos.encoded(drawn, codec=codec, container=container, pixels=pixels))
    assert bits_apart(kept.rows[0], hash_of(drawn[0])) <= 16
    assert kept.quality[0] >= 50


def test_animated_gif_is_a_video() -> None:
    drawn = videos.walk(29, 1)
    data = videos.encoded(drawn, codec="gif", container="gif", pixels="rgb8")
    kept = whole(frames_of(data))
    assert len(kept) >= 2
    assert bits_apart(kept.rows[0], hash_of(drawn[0])) <= 24


def test_quality_is_that_of_the_full_range() -> None:
    # Of so little contrast that its quality is not cut off at 100, and limited range would show.
    drawn = (videos.walk(31, 1) // 2 + 100).astype(np.uint8)
    kept = frames_of(videos.encoded(drawn, options=LOSSLESS))
    assert abs(int(kept.quality[0]) - pdq.hash_rgb(drawn[0])[1]) <= 3


def test_video_stored_lying_is_hashed_upright() -> None:
    drawn = videos.walk(37, 1)
    lying = np.rot90(drawn, 1, axes=(1, 2))
    kept = frames_of(with_display_turn(videos.encoded(lying, options=LOSSLESS)))
    assert bits_apart(kept.rows[0], hash_of(drawn[0])) <= 10


def with_display_turn(data: bytes) -> bytes:
    """Return an MP4 whose track says: turn a quarter clockwise to show."""
    at = data.index(b"tkhd") + 4 + 40
    upright = b"\0\1\0\0" + b"\0" * 12 + b"\0\1\0\0"
    assert data[at : at + 20] == upright
    clockwise = b"\0\0\0\0" + b"\0\1\0\0" + b"\0" * 4 + b"\xff\xff\0\0" + b"\0" * 4
    return data[:at] + clockwise + data[at + 20 :]


def test_times_follow_the_video_not_the_count_of_frames() -> None:
    found = hash_video(BytesIO(videos.encoded(videos.film(41, 42), rate=5)))
    assert found.duration_ms == 8000
    assert unpack_frames(found.frames).times_ms.max() >= 7000


def test_file_with_sound_only_has_no_frames() -> None:
    assert hash_video(BytesIO(videos.sound_only())) == VideoHashes(frames=b"", duration_ms=0)


def test_longer_sound_is_no_damage() -> None:
    data = videos.encoded(videos.walk(43, 1), sound_s=4)
    assert len(frames_of(data))


def test_picture_attached_to_sound_is_hashed() -> None:
    picture = videos.walk(47, 0.1)[0]
    kept = frames_of(with_cover(picture))
    assert bits_apart(kept.rows[0], hash_of(picture)) <= 4


def with_cover(picture: NDArray[np.uint8]) -> bytes:
    sink = BytesIO()
    with av.open(sink, "w", format="mp4") as output:
        stream = output.add_stream("png", rate=Fraction(1))
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = "rgb24"
        stream.disposition = av.stream.Disposition.attached_pic
        sound = output.add_stream("aac", rate=8000)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode()]:
            output.mux(packet)
        videos._mux_silence(output, sound, 1)
    return sink.getvalue()


def test_second_track_is_hashed_after_the_first() -> None:
    first, second = videos.walk(53, 1), videos.walk(59, 1)
    sink = BytesIO()
    with av.open(sink, "w", format="matroska") as output:
        for drawn in (first, second):
            stream = output.add_stream("libx264", rate=Fraction(10))
            stream.height, stream.width = drawn.shape[1:3]
            stream.pix_fmt = "yuv420p"
        for stream, drawn in zip(output.streams.video, (first, second), strict=True):
            for one in drawn:
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(one), format="rgb24")
                output.mux(stream.encode(frame))
            output.mux(stream.encode())
    kept = frames_of(sink.getvalue())
    assert least_apart(kept, hash_of(first[0])) <= 12
    assert least_apart(kept, hash_of(second[0])) <= 12


@pytest.mark.parametrize("data", [b"", b"zorbleflux" * 100, b"\0" * 5000])
def test_what_is_no_video_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        hash_video(BytesIO(data))


@pytest.mark.parametrize(
    "data",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    ],
)
def test_list_that_names_other_files_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        hash_video(BytesIO(data))


@pytest.mark.parametrize(
    ("container", "flags"),
    [
        ("mp4", {"movflags": "faststart"}),
        ("mp4", {"movflags": "default_base_moof+frag_keyframe+empty_moov"}),
        ("matroska", {}),
    ],
)
def test_truncated_video_is_held_with_what_was_read(
    container: str, flags: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "video"
    videos.write(
        str(path),
        videos.film(61, 62, 63, 64),
        container=container,
        container_options=flags,
        options={"g": "10"},
        sound_s=8,
    )
    data = path.read_bytes()
    assert hash_video(BytesIO(data)).frames
    with pytest.raises(UnfinishedVideo) as caught:
        hash_video(BytesIO(data[: len(data) * 3 // 5]))
    kept = unpack_frames(caught.value.partial.frames)
    assert least_apart(kept, hash_of(videos.walk(61)[0])) <= 16


def test_video_that_lost_its_index_is_refused() -> None:
    data = videos.encoded(videos.walk(67))
    with pytest.raises(InvalidInput):
        hash_video(BytesIO(data[: len(data) // 2]))


def test_video_with_damaged_middle_is_held() -> None:
    data = bytearray(videos.encoded(videos.film(71, 72), options={"g": "5"}))
    begin, end = len(data) // 8, len(data) * 5 // 8
    data[begin:end] = b"\xa5" * (end - begin)
    with pytest.raises(UnfinishedVideo):
        hash_video(BytesIO(data))


def test_no_byte_of_a_damaged_video_is_an_error_of_another_kind() -> None:
    data = videos.encoded(videos.walk(73, 1), options={"crf": "40"})
    random = np.random.default_rng(73)
    outcomes = 0
    for _ in range(40):
        hostile = bytearray(data)
        for place in random.integers(0, len(data), 12):
            hostile[place] = random.integers(0, 256)
        with suppress(InvalidInput):
            hash_video(BytesIO(hostile))
        outcomes += 1
    assert outcomes == 40


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (VideoLimits(max_duration_s=1), "seconds"),
        (VideoLimits(max_frames=5), "frames"),
        (VideoLimits(max_pixels=100), "pixels"),
        (VideoLimits(max_hashes=3), "kept"),
        (VideoLimits(max_tracks=0), "tracks"),
        (VideoLimits(max_wall_s=-1), "took more"),
    ],
)
def test_limit_reached_is_an_error_that_says_which(limits: VideoLimits, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        frames_of(videos.encoded(videos.walk(79)), limits)


def test_time_that_runs_out_is_noticed_between_frames() -> None:
    clock = iter(range(1000))
    with pytest.raises(UnfinishedVideo) as caught:
        hash_video(
            BytesIO(videos.encoded(videos.walk(83))),
            limits=VideoLimits(max_wall_s=5),
            monotonic=lambda: float(next(clock)),
        )
    assert caught.value.partial.frames


def test_header_that_declares_more_than_there_is_holds_the_video() -> None:
    data = videos.encoded(videos.walk(89), container="matroska")
    with pytest.raises(UnfinishedVideo, match="cut short"):
        hash_video(BytesIO(data.replace(b"00:00:02.0", b"00:01:02.0")))


def test_header_that_declares_nothing_is_no_damage() -> None:
    data = videos.encoded(videos.walk(89), container="matroska")
    assert frames_of(data.replace(b"00:00:02.0", b"zorbleflux"))


def test_file_is_read_once_and_in_pieces() -> None:
    # The index of an MP4 lies at its end, unless it was moved.
    noise = np.random.default_rng(97).integers(0, 256, (60, 96, 160, 3), np.uint8)
    data = videos.encoded(noise, options={"qp": "4", "preset": "ultrafast"})
    assert len(data) > 1_000_000
    file = CountingFile(data)
    hash_video(file)
    assert file.unbounded == 0
    assert file.most <= 256 * 1024
    # What FFmpeg looks at to know the kind, and the piece around the index, is read twice.
    assert file.total <= len(data) * 1.5 + 512 * 1024


def test_errors_and_hashes_show_nothing_of_the_video() -> None:
    with pytest.raises(UnfinishedVideo) as caught:
        frames_of(videos.encoded(videos.walk(101)), VideoLimits(max_frames=5))
    assert caught.value.partial.frames[:8].hex() not in repr(caught.value) + str(caught.value)
    assert "masked" in repr(caught.value.partial)
