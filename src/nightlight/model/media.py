"""Media as the core knows it: hashes and the outcome of scanning, never bytes."""

from enum import StrEnum

from nightlight.model.masked import Masked

#: What one frame takes in ``VideoHashes.frames``.
FRAME_BYTES = 37
_QUALITY_AT = 32
_BEST_QUALITY = 100
#: In the quality of the hash of a part.
_PART = 128
#: A file of so many frames would be months long; the index counts no further.
_MOST_FRAMES = 1 << 24


class ViewHash(Masked, frozen=True, kw_only=True, array_like=True):
    """The PDQ hash of a picture looked at in another way, or of another of its frames.

    Attributes:
        view: what was done to the picture before hashing, such as "turned-90", "without-border" or
            "frame-12"; several steps are joined by "+".
        pdq: 64 lower-case hex digits.
        quality: PDQ's own, 0 to 100.
    """

    view: str
    pdq: str
    quality: int


class VideoHashes(Masked, frozen=True, kw_only=True):
    """The PDQ hashes of a video's frames, in order of time.

    Attributes:
        frames: 37 bytes a hash: the hash (32, as its hex digits read), its quality (1; 128 more
            where it is of a part of the frame), and the frame's time in milliseconds (4,
            little-endian). A frame may have several hashes.
        duration_ms: from the first frame's time to the end of the last.
    """

    frames: bytes
    duration_ms: int


def are_frames(frames: bytes) -> bool:
    """Return whether these are the hashes of a video's frames as ``VideoHashes`` says."""
    return (
        len(frames) % FRAME_BYTES == 0
        and len(frames) < FRAME_BYTES * _MOST_FRAMES
        and all(one % _PART <= _BEST_QUALITY for one in frames[_QUALITY_AT::FRAME_BYTES])
    )


class MediaHashes(Masked, frozen=True, kw_only=True):
    """The hashes of one file, lower-case hex; "" where a hash is not known.

    Attributes:
        pdq: 64 hex digits, "" where the file is no picture.
        pdq_quality: 0 to 100; hashes under 50 are not matched (PDQ's own convention).
        views: the picture's other hashes; `pdq` is that of the picture as it is shown.
        video: the frames' hashes, None where the file is no video.
    """

    md5: str = ""
    sha1: str = ""
    sha256: str = ""
    pdq: str = ""
    pdq_quality: int = 0
    views: tuple[ViewHash, ...] = ()
    video: VideoHashes | None = None

    def __repr__(self) -> str:
        """Hashes of suspected media are sensitive: printing shows only which kinds are known."""
        known = [name for name in self.__struct_fields__ if getattr(self, name)]
        return f"<MediaHashes: {', '.join(known) or 'none'}>"


class ScanState(StrEnum):
    """How far scanning of a media file came."""

    SCANNED = "scanned"
    FAILED = "failed"
    UNREACHABLE = "unreachable"


class Scan(Masked, frozen=True, kw_only=True):
    """The outcome of fetching and hashing one file.

    Attributes:
        reason: why it was not scanned, in words for a reviewer; "" when it was.
        byte_count: size of the file, 0 when unknown.
        sealed_digest: SHA-256 under which the vault holds the file, "" where it was not sealed.
    """

    state: ScanState
    hashes: MediaHashes = MediaHashes()
    byte_count: int = 0
    reason: str = ""
    sealed_digest: str = ""

    def __repr__(self) -> str:
        return f"<Scan {self.state}: masked>"
