"""What decoding one picture may cost."""

from msgspec import Struct


class PictureLimits(Struct, frozen=True, kw_only=True):
    """What is decoded at most; a file beyond is a failed scan, with the hashes found before.

    Attributes:
        max_bytes: of the file.
        max_pixels: width times height of one frame.
        max_frames: of an animation, or pages.
        max_all_pixels: of all frames together.
    """

    max_bytes: int = 64 * 1024 * 1024
    max_pixels: int = 100_000_000
    max_frames: int = 1000
    max_all_pixels: int = 1_000_000_000
