"""Turns a video file into the hashes of its frames, with PyAV; reads it as a stream.

Hostile files are expected: only common containers and codecs are opened, no file can name another,
limits come first, and whatever goes wrong is an error with a reason, never a video that looks
clean. What could be read of a damaged file comes with the error, so that it is matched as well.
Meant to run in the sandbox, on one thread.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from msgspec import Struct, structs

from nightlight.adapters.video_luma import luma_of
from nightlight.adapters.video_whole import declared_ms, ends_within_box
from nightlight.errors import InvalidInput
from nightlight.kernel.video import Frames, pack_frames
from nightlight.kernel.video_frames import FrameSampler
from nightlight.kernel.video_selection import joined
from nightlight.model.media import VideoHashes

#: FFmpeg's names. Playlists (HLS, DASH, concat) are missing on purpose: they open other files.
_CONTAINERS = (
    "3g2,3gp,asf,avi,flv,gif,h264,hevc,ivf,m4a,m4v,matroska,mj2,mov,mp3,mp4,mpeg,mpegts,mpegvideo,"
    "aac,flac,ogg,wav,webm"
)
_CODECS = frozenset(
    {"av1", "libdav1d", "flv", "gif", "h263", "h264", "hevc", "libvpx", "libvpx-vp9", "mjpeg"}
    | {"mpeg1video", "mpeg2video", "mpeg4", "mpegvideo", "msmpeg4", "msmpeg4v1", "msmpeg4v2"}
    | {"png", "prores", "svq3", "theora", "vc1", "vp6", "vp6f", "vp8", "vp9", "webp", "wmv1"}
    | {"bmp", "wmv2", "wmv3", "dnxhd", "ffv1", "huffyuv", "rawvideo", "dvvideo", "libaom-av1"}
)
#: A file may hold less than it says by this share, and by this much: sound often ends later.
_MISSING_SHARE = 0.05
_MISSING_MS = 1500
_USUAL_RATE = 25.0
_DAMAGED_SHARE = 0.1
_READ_BYTES = 256 * 1024
#: What PyAV has been seen to raise on damaged files beside its own errors.
_DECODER_FAULTS = (av.error.FFmpegError, ArithmeticError, LookupError, MemoryError, ValueError)


class VideoLimits(Struct, frozen=True, kw_only=True):
    """What a video may cost; beyond it the file is not hashed to its end, and held.

    Attributes:
        max_duration_s: from the first frame to the last.
        max_frames: decoded, of all tracks together.
        max_pixels: of one frame.
        max_hashes: kept, of all tracks together; 37 bytes each.
        max_tracks: moving pictures and attached ones together.
        max_wall_s: time spent on the file.
    """

    max_duration_s: float = 4 * 3600.0
    max_frames: int = 1_000_000
    max_pixels: int = 40_000_000
    max_hashes: int = 400_000
    max_tracks: int = 4
    max_wall_s: float = 600.0


class UnfinishedVideo(InvalidInput):
    """The video could not be looked at to its end.

    Attributes:
        partial: the hashes of what could be read.
    """

    def __init__(self, message: str, *, partial: VideoHashes) -> None:
        super().__init__(message)
        self.partial = partial


class _Track:
    """One stream of frames and what is kept of it."""

    def __init__(self, stream: VideoStream) -> None:
        self.sampler = FrameSampler()
        self.end_ms = 0
        self.count = 0
        self.damaged = 0
        self._step_ms = 1000.0 / float(stream.average_rate or _USUAL_RATE)
        self._first: float | None = None
        self._last_ms = 0

    def take(self, frame: VideoFrame) -> None:
        """Hash the frame at the time at which it is shown."""
        now_ms = self._time_ms(frame)
        luma, is_limited_range = luma_of(frame)
        self.sampler.take(luma, now_ms, is_limited_range=is_limited_range)
        self._last_ms = now_ms
        self.end_ms = round(now_ms + self._step_ms)
        self.count += 1
        self.damaged += bool(frame.is_corrupt)

    def _time_ms(self, frame: VideoFrame) -> int:
        """Return when the frame is shown, from the first frame on; never before the last one."""
        if frame.pts is None:
            return round(self._last_ms + self._step_ms) if self.count else 0
        if self._first is None:
            self._first = frame.time
        return max(self._last_ms, round((frame.time - self._first) * 1000))


def hash_video(
    file: BinaryIO,
    *,
    limits: VideoLimits | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> VideoHashes:
    """Return the hashes of a video's frames; of none where the file has sound only.

    The pictures of several tracks follow one another, as do pictures attached to a song: whatever
    can be shown is hashed.

    Args:
        file: read from its beginning in small pieces; must be able to seek.
        limits: what the file may cost.
        monotonic: seconds, from whenever.

    Raises:
        UnfinishedVideo: it is damaged, cut short or larger than allowed; carries what was read.
        InvalidInput: it is no file that can be read, or holds neither pictures nor sound.
    """
    limits = limits or VideoLimits()
    deadline = monotonic() + limits.max_wall_s
    file.seek(0)
    with _open(file) as container:
        streams = _streams(container, limits)
        tracks = {stream.index: _Track(stream) for stream in streams}
        try:
            _read(container, streams, tracks, limits=limits, is_late=lambda: monotonic() > deadline)
            _check_whole(container, streams, tracks)
            _check_end(file, streams)
        except InvalidInput as error:
            raise UnfinishedVideo(str(error), partial=_hashes(tracks)) from error
        return _hashes(tracks)


def _open(file: BinaryIO) -> InputContainer:
    try:
        return av.open(
            file,
            mode="r",
            metadata_errors="replace",
            buffer_size=_READ_BYTES,
            container_options={"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"},
        )
    except _DECODER_FAULTS as error:
        raise InvalidInput("the file is damaged or of a kind that cannot be read") from error


def _streams(container: InputContainer, limits: VideoLimits) -> list[VideoStream]:
    """Return the streams of pictures, ready to be decoded on one thread.

    Raises:
        InvalidInput: there are too many, or none and no sound either; or one is too large or of a
            codec that is not read.
    """
    streams = list(container.streams.video)
    if len(streams) > limits.max_tracks:
        raise InvalidInput(f"the video has more than {limits.max_tracks} tracks")
    if not streams and not container.streams.audio:
        raise InvalidInput("the file holds neither pictures nor sound")
    for stream in streams:
        if stream.codec_context is None or stream.codec_context.name not in _CODECS:
            raise InvalidInput("the video is in a format that cannot be read")
        if stream.width * stream.height > limits.max_pixels:
            raise InvalidInput(f"the video's frames have more than {limits.max_pixels} pixels")
        stream.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        # Also for frames that turn out larger than the header says.
        stream.codec_context.options = {"max_pixels": str(limits.max_pixels)}
    return streams


def _read(
    container: InputContainer,
    streams: list[VideoStream],
    tracks: dict[int, _Track],
    *,
    limits: VideoLimits,
    is_late: Callable[[], bool],
) -> None:
    """Take every frame of the streams.

    Raises:
        InvalidInput: a limit is reached, or the file ends in damage.
    """
    if not streams:
        return
    for count, (index, frame) in enumerate(_frames(container, streams, tracks), start=1):
        tracks[index].take(frame)
        if count > limits.max_frames:
            raise InvalidInput(f"the video has more than {limits.max_frames} frames")
        if tracks[index].end_ms > limits.max_duration_s * 1000:
            raise InvalidInput(f"the video lasts more than {limits.max_duration_s:g} seconds")
        if sum(len(track.sampler) for track in tracks.values()) > limits.max_hashes:
            raise InvalidInput("the video shows more than can be kept of it")
        if is_late():
            raise InvalidInput(f"the video took more than {limits.max_wall_s:g} seconds to read")


def _frames(
    container: InputContainer, streams: list[VideoStream], tracks: dict[int, _Track]
) -> Iterator[tuple[int, VideoFrame]]:
    """Yield the frames with their stream's index; go on after a damaged packet, as viewers do."""
    try:
        for packet in container.demux(streams):
            index = packet.stream.index
            try:
                decoded: list[Any] = packet.decode()
            except av.error.EOFError:
                continue
            except _DECODER_FAULTS:
                # Before the first frame a player shows nothing either: a recording that starts
                # in the middle of things is not damaged.
                tracks[index].damaged += tracks[index].count > 0
                continue
            for frame in decoded:
                yield index, frame
    except _DECODER_FAULTS as error:
        raise InvalidInput("the video is damaged: it cannot be read to its end") from error


def _check_whole(
    container: InputContainer, streams: list[VideoStream], tracks: dict[int, _Track]
) -> None:
    """Leave only if every track was read to its end.

    Raises:
        InvalidInput: one was not.
    """
    for stream in streams:
        track = tracks[stream.index]
        if not track.count:
            raise InvalidInput("the video is damaged: none of its frames can be read")
        if track.damaged > track.count * _DAMAGED_SHARE:
            raise InvalidInput("the video is damaged: many of its frames cannot be read")
        expected_ms = declared_ms(container, stream)
        missing_ms = expected_ms - track.end_ms
        if missing_ms > max(_MISSING_MS, expected_ms * _MISSING_SHARE):
            raise InvalidInput(
                f"the video is cut short: {track.end_ms / 1000:.1f} of the"
                f" {expected_ms / 1000:.1f} seconds that it declares could be read"
            )


def _check_end(file: BinaryIO, streams: list[VideoStream]) -> None:
    """Leave only if the file does not end in the middle of something.

    Raises:
        InvalidInput: it does.
    """
    if streams and ends_within_box(file):
        raise InvalidInput("the video is cut short: the file ends in the middle of it")


def _hashes(tracks: dict[int, _Track]) -> VideoHashes:
    """Return the tracks' hashes, one track after the other."""
    parts: list[Frames] = []
    begin_ms = 0
    for track in tracks.values():
        frames = track.sampler.frames()
        parts.append(structs.replace(frames, times_ms=frames.times_ms + begin_ms))
        begin_ms += track.end_ms
    if not parts:
        return VideoHashes(frames=b"", duration_ms=0)
    return VideoHashes(frames=pack_frames(joined(parts)), duration_ms=begin_ms)
