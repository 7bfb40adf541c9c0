from typing import Any

import pytest
from PIL import Image
from tests.synthetic.picture_files import as_heic, bits_apart, scans_apart, view_of
from tests.synthetic.pictures import as_file, drawn

from nightlight.adapters.image_hasher import hash_bytes
from nightlight.model.media import Scan

PICTURE = drawn(1, (400, 300))
LOSSY_BITS = 8
#: What a camera held otherwise makes of the picture, by the orientation that undoes it.
HELD = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def held(tag: int) -> Image.Image:
    return PICTURE.transpose(HELD[tag]) if tag in HELD else PICTURE


def exif(tag: int) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = tag
    return found


def turned_file(kind: str, tag: int) -> bytes:
    options: dict[str, Any] = {"exif": exif(tag)}
    if kind == "TIFF":
        options = {"tiffinfo": {0x0112: tag}}
    if kind in ("JPEG", "AVIF", "WEBP"):
        options["quality"] = 90
    if kind == "HEIC":
        return as_heic([held(tag)], exif=exif(tag).tobytes())
    return as_file(held(tag), kind, **options)


def upright() -> Scan:
    return hash_bytes(as_file(PICTURE))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "HEIC"])
@pytest.mark.parametrize("tag", range(1, 9))
def test_picture_hashes_as_it_is_shown(kind: str, tag: int) -> None:
    assert scans_apart(hash_bytes(turned_file(kind, tag)), upright()) <= LOSSY_BITS


def test_heic_is_turned_by_its_own_boxes_and_never_by_exif() -> None:
    data = as_heic([PICTURE], exif=exif(6).tobytes())
    turning, at = b"irot", data.index(b"irot")
    plain = data[:at] + b"free" + data[at + len(turning) :]
    assert scans_apart(hash_bytes(plain), upright()) <= LOSSY_BITS


@pytest.mark.parametrize("tag", [0, 9, 60_000])
def test_unknown_orientation_turns_nothing(tag: int) -> None:
    data = as_file(PICTURE, "JPEG", quality=90, exif=exif(tag))
    assert scans_apart(hash_bytes(data), upright()) <= LOSSY_BITS


@pytest.mark.parametrize(
    "junk", [b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0II*\0" * 9]
)
def test_exif_that_cannot_be_read_turns_nothing(junk: bytes) -> None:
    data = as_file(PICTURE, "JPEG", quality=90, exif=junk)
    assert scans_apart(hash_bytes(data), upright()) <= LOSSY_BITS


@pytest.mark.parametrize("tag", range(1, 9))
def test_fast_way_hashes_as_it_is_shown(tag: int) -> None:
    found = hash_bytes(turned_file("JPEG", tag), is_fast=True)
    assert scans_apart(found, upright()) <= LOSSY_BITS


@pytest.mark.parametrize("tag", [1, 6])
def test_views_are_those_of_the_picture_as_it_is_shown(tag: int) -> None:
    found = hash_bytes(turned_file("PNG", tag))
    flipped = PICTURE.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    clockwise = PICTURE.transpose(Image.Transpose.ROTATE_270)
    for name, picture in (("flipped", flipped), ("turned-90", clockwise)):
        truth = hash_bytes(as_file(picture)).hashes.pdq
        assert bits_apart(view_of(found, name), truth) <= 2
