"""Turns a file's bytes into its hashes, with Pillow and PDQ; keeps none of the bytes.

Hostile files are expected: limits come first, only common web formats are read, and whatever goes
wrong is a failed scan with a reason. An animation is hashed by its first frame. Decoding still
runs inside this process; moving it into a sandboxed one of its own is a later step.
"""

import hashlib
import struct
import zlib
from collections import OrderedDict
from io import BytesIO
from math import ceil, sqrt
from threading import Lock

import numpy as np
import pdqhash
from msgspec.structs import replace
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from nightlight.adapters.file_kind import is_known_non_picture
from nightlight.errors import InvalidInput
from nightlight.model.media import MediaHashes, Scan, ScanState

MAX_BYTES = 64 * 1024 * 1024
MAX_PIXELS = 100_000_000
#: Named, so that Pillow never hands a file to a decoder that starts other programs (EPS).
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000")
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
#: Larger pictures are averaged down first. Of 98 megapixels PDQ alone took 14 s and 2.9 GB; drawn
#: and noisy pictures of 19 to 25 megapixels came 0 to 4 bits off their full-size hash.
_EXACT_PIXELS = 16_000_000
_UPRIGHT = 1
_NO_PICTURE = ("", 0)


class ImageHasher:
    """Scans files; remembers the outcome by SHA-256, so a repeated file is decoded once.

    May be called from several threads.
    """

    def __init__(
        self,
        *,
        max_bytes: int = MAX_BYTES,
        max_pixels: int = MAX_PIXELS,
        remembered: int = 4096,
    ) -> None:
        """Keep the limits.

        Args:
            max_bytes: the largest file that is decoded.
            max_pixels: the largest picture, width times height, that is decoded.
            remembered: of how many files, the latest asked for, the outcome is kept.
        """
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels
        self._remembered = remembered
        self._scans: OrderedDict[str, Scan] = OrderedDict()
        self._lock = Lock()

    def scan(self, data: bytes) -> Scan:
        """Return the outcome; a file that cannot be decoded is a failed scan, never an error."""
        digest = hashlib.sha256(data).hexdigest()
        with self._lock:
            known = self._scans.get(digest)
            if known is not None:
                self._scans.move_to_end(digest)
                return known
        scan = hash_bytes(data, max_bytes=self._max_bytes, max_pixels=self._max_pixels)
        # A failure may be passing (memory ran short), so only success is remembered.
        if scan.state is ScanState.SCANNED:
            self._remember(digest, scan)
        return scan

    def _remember(self, digest: str, scan: Scan) -> None:
        with self._lock:
            self._scans[digest] = scan
            while len(self._scans) > self._remembered:
                self._scans.popitem(last=False)


def hash_bytes(data: bytes, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS) -> Scan:
    """Return the file's hashes; the exact ones also where it could not be decoded.

    A file that is certainly no picture has no PDQ hash; a flat picture has one of quality 0.
    """
    hashes = MediaHashes(
        md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
        sha1=hashlib.sha1(data, usedforsecurity=False).hexdigest(),
        sha256=hashlib.sha256(data).hexdigest(),
    )
    try:
        pdq, quality = _pdq_of_file(data, max_bytes, max_pixels)
    except InvalidInput as error:
        return Scan(state=ScanState.FAILED, hashes=hashes, byte_count=len(data), reason=str(error))
    hashes = replace(hashes, pdq=pdq, pdq_quality=quality)
    return Scan(state=ScanState.SCANNED, hashes=hashes, byte_count=len(data))


def _pdq_of_file(data: bytes, max_bytes: int, max_pixels: int) -> tuple[str, int]:
    if not data:
        raise InvalidInput("the file is empty")
    if len(data) > max_bytes:
        raise InvalidInput(f"the file has more than {max_bytes} bytes, too many to decode")
    too_large = f"the picture has more than {max_pixels} pixels, too many to decode"
    try:
        picture = Image.open(BytesIO(data), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidInput(too_large) from error
    except UnidentifiedImageError as error:
        if is_known_non_picture(data):
            return _NO_PICTURE
        raise InvalidInput("the file is damaged or of a kind that cannot be read") from error
    except _DECODER_FAULTS as error:
        raise InvalidInput("the file is damaged: its beginning cannot be read") from error
    with picture:
        if picture.width * picture.height > max_pixels:
            raise InvalidInput(too_large)
        try:
            return _pdq(_rgb(_upright(picture)))
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise InvalidInput(too_large) from error
        except _DECODER_FAULTS as error:
            raise InvalidInput("the picture is damaged or cut short") from error


def _upright(picture: Image.Image) -> Image.Image:
    """Return the decoded picture turned the way a viewer shows it."""
    picture.load()
    if picture.getexif().get(ExifTags.Base.Orientation, _UPRIGHT) == _UPRIGHT:
        return picture
    return ImageOps.exif_transpose(picture)


def _rgb(picture: Image.Image) -> Image.Image:
    """Return the picture in 8-bit RGB as a viewer sees it, transparent parts on white."""
    if picture.mode.startswith("I;16"):
        # Pillow's own conversion cuts off at 255 instead of scaling.
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)).convert("RGB")
    if picture.mode in ("I", "F"):
        return Image.fromarray(_stretched(np.asarray(picture, np.float32))).convert("RGB")
    if picture.has_transparency_data:
        ground = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _stretched(samples: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return samples of unknown range as 0 to 255; PDQ looks at contrast, not at brightness."""
    samples = np.nan_to_num(samples, posinf=0.0, neginf=0.0)
    low, high = samples.min(), samples.max()
    span = high - low or np.float32(1)
    return np.asarray((samples - low) / span * 255, np.uint8)


def _pdq(picture: Image.Image) -> tuple[str, int]:
    excess = picture.width * picture.height / _EXACT_PIXELS
    if excess > 1:
        picture = picture.reduce(ceil(sqrt(excess)))
    bits, quality = pdqhash.compute(np.asarray(picture))
    return np.packbits(bits.astype(np.uint8)).tobytes().hex(), int(quality)
