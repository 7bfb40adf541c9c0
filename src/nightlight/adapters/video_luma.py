"""The brightness of a decoded frame's pixels, as a viewer sees the frame."""

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

_FULL_RANGE = 2
_QUARTER = 90
_BYTE_BITS = 8
#: PDQ's own weights of red, green and blue, in 1/65536.
_WEIGHTS = np.array([19595, 38470, 7471], np.uint32)
#: Formats whose first plane is nothing but brightness, by their first letters; the others are
#: converted. Little-endian ones only, of which 8 to 16 bits are used.
_LUMA_FIRST = ("yuv4", "yuvj4", "yuva4", "nv12", "nv16", "nv21", "nv24", "gray")
#: Formats that keep their bits at the upper end of two bytes.
_HIGH_BITS = ("p010", "p016", "p210", "p216", "p410", "p416")


def luma_of(frame: VideoFrame) -> tuple[NDArray[np.uint8], bool]:
    """Return the upright frame's brightness, and whether black is 16 and white 235."""
    name = frame.format.name
    if name.endswith("be") or not name.startswith((*_LUMA_FIRST, *_HIGH_BITS)):
        luma, is_full = _converted(frame)
    else:
        luma = _first_plane(frame, name)
        is_full = int(frame.color_range) == _FULL_RANGE or name.startswith(("yuvj", "gray"))
    turns = round(frame.rotation / _QUARTER) % 4
    return np.rot90(luma, turns) if turns else luma, not is_full


def _first_plane(frame: VideoFrame, name: str) -> NDArray[np.uint8]:
    plane = frame.planes[0]
    bits = frame.format.components[0].bits
    if bits <= _BYTE_BITS:
        lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        return lines[: frame.height, : frame.width]
    wide = np.frombuffer(memoryview(plane), np.dtype("<u2")).reshape(-1, plane.line_size // 2)
    shift = _BYTE_BITS if name.startswith(_HIGH_BITS) else bits - _BYTE_BITS
    return np.asarray(wide[: frame.height, : frame.width] >> shift, np.uint8)


def _converted(frame: VideoFrame) -> tuple[NDArray[np.uint8], bool]:
    """Return the brightness of a frame of another format, and whether its range is full."""
    if not (frame.format.is_rgb or frame.format.has_palette):
        turned = frame.reformat(format="yuv420p")
        return _first_plane(turned, "yuv420p"), int(frame.color_range) == _FULL_RANGE
    rgba = frame.to_ndarray(format="rgba").astype(np.uint32)
    opacity = rgba[..., 3]
    shown = (rgba[..., :3] @ _WEIGHTS) >> 16
    # What can be seen through is on white, as in pictures.
    return ((shown * opacity + 255 * (255 - opacity)) // 255).astype(np.uint8), True
