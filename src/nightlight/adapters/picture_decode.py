"""Turns a file's bytes into frames: arrays of pixels, and how they are turned when shown.

Hostile files are expected: limits come first, only common formats are read, and whatever goes
wrong is an ``InvalidInput`` with a reason, after the frames that could be read.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import count

import pillow_heif
import simplejpeg  # type: ignore[import-untyped] # the library tells no types
from msgspec import Struct
from PIL import ExifTags, Image, UnidentifiedImageError

from nightlight.adapters.file_kind import is_known_non_picture
from nightlight.adapters.picture_colours import Pixels, rgb_looks
from nightlight.adapters.picture_limits import PictureLimits
from nightlight.errors import InvalidInput

#: Named, so that Pillow never hands a file to a decoder that starts other programs (EPS).
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000")
_HEIF_BRANDS = (b"heic", b"heim", b"heis", b"heix", b"hevc", b"hevm", b"hevs", b"hevx", b"mif1")
#: What Pillow and its decoders have been seen to raise on damaged files.
_DECODER_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
#: What EXIF's orientation says is done to the pixels to show them.
_SHOWN = {
    2: "flipped",
    3: "turned-180",
    4: "flipped-upside-down",
    5: "transposed",
    6: "turned-90",
    7: "anti-transposed",
    8: "turned-270",
}


class Frame(Struct, frozen=True, kw_only=True):
    """One picture of a file.

    Attributes:
        number: 1 for the one that is shown first, or stands for the file.
        looks: height x width x 3 bytes of colours or, decoded the fast way, height x width of
            brightness; the first as a viewer shows them, others named by what is different.
        shown: the name of how pixels are turned when shown, "" for as they are.
        fault: why the pixels are not all there, "" when they are.
    """

    number: int
    looks: tuple[tuple[str, Pixels], ...]
    shown: str = ""
    fault: str = ""


def frames(data: bytes, *, limits: PictureLimits, is_fast: bool = False) -> Iterator[Frame]:
    """Yield the frames of a picture's file; none where it certainly is no picture.

    Args:
        data: the file.
        limits: what it may cost.
        is_fast: decode only the brightness of a JPEG: hashes are a few bits off.

    Raises:
        InvalidInput: the file is damaged, of an unknown kind, or over a limit.
    """
    if not data:
        raise InvalidInput("the file is empty")
    if len(data) > limits.max_bytes:
        raise InvalidInput(f"the file has more than {limits.max_bytes} bytes, too many to decode")
    with _faults(limits, "the file is damaged: its beginning cannot be read"):
        picture = _opened(data)
    if picture is None:
        return
    with picture:
        pixels = 0
        for number in _seek(picture, limits):
            pixels += picture.width * picture.height
            if picture.width * picture.height > limits.max_pixels:
                raise InvalidInput(_too_large(limits))
            if pixels > limits.max_all_pixels:
                raise InvalidInput(
                    f"the frames have more than {limits.max_all_pixels} pixels together,"
                    " too many to decode"
                )
            with _faults(limits, "the picture is damaged or cut short"):
                frame = _frame(picture, number, data, is_fast=is_fast)
            yield frame
            if frame.fault:
                raise InvalidInput(frame.fault)


@contextmanager
def _faults(limits: PictureLimits, message: str) -> Iterator[None]:
    """Turn what decoders raise into ``InvalidInput``."""
    try:
        yield
    except _BOMBS as error:
        raise InvalidInput(_too_large(limits)) from error
    except MemoryError as error:
        raise InvalidInput("decoding the picture takes more memory than is allowed") from error
    except _DECODER_FAULTS as error:
        raise InvalidInput(message) from error


def _too_large(limits: PictureLimits) -> str:
    return f"the picture has more than {limits.max_pixels} pixels, too many to decode"


def _opened(data: bytes) -> Image.Image | None:
    """Return the picture, not decoded yet; None where the file certainly is none."""
    try:
        return Image.open(BytesIO(data), formats=_FORMATS)
    except UnidentifiedImageError as error:
        if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
            with _faults(PictureLimits(), "the file is damaged or of a kind that cannot be read"):
                return pillow_heif.HeifImageFile(BytesIO(data))  # type: ignore[no-untyped-call] # as above
        if is_known_non_picture(data):
            return None
        raise InvalidInput("the file is damaged or of a kind that cannot be read") from error


def _seek(picture: Image.Image, limits: PictureLimits) -> Iterator[int]:
    """Yield 1, 2, ... with the picture at one frame after another, the one it opens at first."""
    first = picture.tell()
    yield 1
    number = 1
    for place in count():
        if place == first:
            continue
        with _faults(limits, "the picture's other frames are damaged"):
            try:
                picture.seek(place)
            except EOFError:
                return
        number += 1
        if number > limits.max_frames:
            raise InvalidInput(f"the picture has more than {limits.max_frames} frames")
        yield number


def _frame(picture: Image.Image, number: int, data: bytes, *, is_fast: bool) -> Frame:
    if number == 1 and picture.format in ("JPEG", "MPO") and picture.mode in ("RGB", "L"):
        return _jpeg_frame(picture, data, is_fast=is_fast)
    picture.load()
    return Frame(number=number, looks=rgb_looks(picture), shown=_shown(picture))


def _jpeg_frame(picture: Image.Image, data: bytes, *, is_fast: bool) -> Frame:
    """Return a JPEG's frame by way of the faster decoder, which gives the very same pixels."""
    shown = _shown(picture)
    colours = "GRAY" if is_fast else "RGB"
    try:
        # A file that the two decoders read differently is not one to hurry with.
        if simplejpeg.decode_jpeg_header(data)[:2] == (picture.height, picture.width):
            return _one_look(simplejpeg.decode_jpeg(data, colours), shown)
    except ValueError:
        pass
    try:
        picture.load()
    except _DECODER_FAULTS:
        # Viewers show what is there, so it is hashed, too.
        fault = "the picture is damaged or cut short"
        return _one_look(simplejpeg.decode_jpeg(data, colours, strict=False), shown, fault)
    return Frame(number=1, looks=rgb_looks(picture), shown=shown)


def _one_look(pixels: Pixels, shown: str, fault: str = "") -> Frame:
    # Brightness alone comes with an axis for its one band.
    flat = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels
    return Frame(number=1, looks=(("", flat),), shown=shown, fault=fault)


def _shown(picture: Image.Image) -> str:
    """Return how the pixels are turned to be shown; unreadable EXIF turns nothing."""
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation)
    except _DECODER_FAULTS:
        return ""
    return _SHOWN.get(orientation, "") if isinstance(orientation, int) else ""
