"""Files of drawn pictures in many formats and colour modes, and hashes to compare them by."""

import struct
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pillow_heif
import simplejpeg  # type: ignore[import-untyped] # the library tells no types
from PIL import Image, ImageCms
from tests.synthetic.pictures import as_file

from nightlight.kernel.hamming import pack
from nightlight.model.media import Scan

_TIFF_SHORT, _TIFF_LONG = 3, 4


def bits_apart(one: str, other: str) -> int:
    """Return how many bits two hashes differ by."""
    rows = pack([one, other])
    return int(np.bitwise_count(rows[0] ^ rows[1]).sum())


def scans_apart(one: Scan, other: Scan) -> int:
    """Return how many bits the hashes of two pictures differ by."""
    return bits_apart(one.hashes.pdq, other.hashes.pdq)


def view_of(scan: Scan, name: str) -> str:
    """Return the hash of a view."""
    return next(view.pdq for view in scan.hashes.views if view.view == name)


def as_heic(pictures: Sequence[Image.Image], **options: Any) -> bytes:
    """Return the pictures as the bytes of one HEIC file, turned as ``exif`` (bytes) says."""
    file = BytesIO()
    heif = pillow_heif.HeifFile()  # type: ignore[no-untyped-call] # the library tells no types
    for picture in pictures:
        heif.add_from_pillow(picture)
    heif.save(file, quality=90, **options)
    return file.getvalue()


def as_ycck(picture: Image.Image) -> bytes:
    """Return the picture as a JPEG of four inks kept as YCCK, inverted as Adobe does."""
    inks = 255 - np.asarray(picture.convert("CMYK"))
    data: bytes = simplejpeg.encode_jpeg(np.ascontiguousarray(inks), 95, "CMYK")
    return data


def as_lab(picture: Image.Image) -> bytes:
    """Return the picture as a TIFF of CIELAB colours."""
    rgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    made = ImageCms.applyTransform(picture, ImageCms.buildTransform(rgb, lab, "RGB", "LAB"))
    assert made is not None
    return as_file(made, "TIFF")


def as_deep_grey(picture: Image.Image, kind: str) -> bytes:
    """Return the picture in 16-bit grey."""
    grey = np.asarray(picture.convert("L")).astype(np.uint16) * 257
    return as_file(Image.fromarray(grey), kind)


def as_float(picture: Image.Image) -> bytes:
    """Return the picture as a TIFF of 32-bit floats from 0 to 1."""
    grey = np.asarray(picture.convert("L")).astype(np.float32) / 255
    return as_file(Image.fromarray(grey), "TIFF")


def as_deep_rgb_tiff(
    picture: Image.Image, *, tags: Sequence[tuple[int, int, int, int]] = ()
) -> bytes:
    """Return the picture as a TIFF of 16-bit RGB, which Pillow cannot write.

    Args:
        picture: in RGB.
        tags: others to put into the file: tag, type, count, value.
    """
    strip = (np.asarray(picture).astype("<u2") * 257).tobytes()
    entries = [
        (256, _TIFF_LONG, 1, picture.width),
        (257, _TIFF_LONG, 1, picture.height),
        (258, _TIFF_SHORT, 3, 8),  # bits of each band: three shorts, kept after the header
        (259, _TIFF_SHORT, 1, 1),
        (262, _TIFF_SHORT, 1, 2),
        (273, _TIFF_LONG, 1, 14),
        (277, _TIFF_SHORT, 1, 3),
        (278, _TIFF_LONG, 1, picture.height),
        (279, _TIFF_LONG, 1, len(strip)),
        *tags,
    ]
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries)) + bytes(4)
    header = b"II*\0" + struct.pack("<I", 14 + len(strip)) + struct.pack("<HHH", 16, 16, 16)
    return header + strip + directory
