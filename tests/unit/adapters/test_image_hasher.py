import hashlib
from io import BytesIO
from typing import Any

import numpy as np
import pdqhash
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.synthetic.picture_files import bits_apart, scans_apart, view_of
from tests.synthetic.pictures import as_file, declared_png, drawn, flat

from nightlight.adapters.image_hasher import hash_bytes, no_views
from nightlight.adapters.picture_limits import PictureLimits
from nightlight.kernel.pdq import DIHEDRAL_NAMES
from nightlight.model.media import MediaHashes, ScanState

JPEG = as_file(drawn(), "JPEG", quality=90)


def plain_hash(data: bytes) -> tuple[str, int]:
    """Return the hash by Pillow and Meta's code, at full size."""
    with Image.open(BytesIO(data)) as picture:
        bits, quality = pdqhash.compute(np.asarray(picture.convert("RGB")))
    return np.packbits(bits.astype(np.uint8)).tobytes().hex(), quality


def photo_like(seed: int, size: tuple[int, int]) -> Image.Image:
    """Return a drawn picture with the noise of a camera, so that no two pixels are alike."""
    pixels = np.asarray(drawn(seed, size)).astype(np.int16)
    noise = np.random.default_rng(seed).normal(0, 12, pixels.shape).astype(np.int16)
    return Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 92}),
        ("JPEG", {"quality": 40, "subsampling": 2}),
        ("JPEG", {"quality": 85, "subsampling": 1, "progressive": True}),
        ("JPEG", {"quality": 75, "subsampling": 0}),
        ("PNG", {}),
        ("WEBP", {"quality": 80}),
        ("AVIF", {"quality": 70}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("JPEG2000", {}),
    ],
)
@pytest.mark.parametrize("size", [(801, 603), (200, 1000), (57, 40)])
def test_hash_and_quality_are_those_of_the_plain_way_bit_for_bit(
    kind: str, options: dict[str, Any], size: tuple[int, int]
) -> None:
    data = as_file(photo_like(1, size), kind, **options)
    found = hash_bytes(data).hashes
    assert (found.pdq, found.pdq_quality) == plain_hash(data)


def test_grey_jpeg_has_the_plain_hash() -> None:
    data = as_file(photo_like(2, (500, 400)).convert("L"), "JPEG", quality=80)
    assert hash_bytes(data).hashes.pdq == plain_hash(data)[0]


def test_picture_over_sixteen_megapixels_has_the_plain_hash() -> None:
    picture = Image.effect_noise((4100, 4000), 90).convert("RGB")
    data = as_file(picture, "JPEG", quality=80)
    assert hash_bytes(data).hashes.pdq == plain_hash(data)[0]


@pytest.mark.parametrize("seed", range(1, 6))
def test_fast_way_is_a_few_bits_off(seed: int) -> None:
    data = as_file(photo_like(seed, (640, 480)), "JPEG", quality=85)
    assert scans_apart(hash_bytes(data, is_fast=True), hash_bytes(data)) <= 6


def test_picture_has_its_seven_turns_as_views() -> None:
    views = hash_bytes(JPEG, views=no_views).hashes.views
    assert tuple(view.view for view in views) == DIHEDRAL_NAMES[1:]
    assert {view.quality for view in views} == {hash_bytes(JPEG).hashes.pdq_quality}


def test_turned_copy_of_a_picture_is_found_by_a_view() -> None:
    turned = hash_bytes(as_file(drawn().transpose(Image.Transpose.ROTATE_90)))
    assert bits_apart(view_of(turned, "turned-90"), hash_bytes(as_file(drawn())).hashes.pdq) <= 2


def test_views_are_given_the_brightness_and_say_which_looks_are_kept() -> None:
    given: list[NDArray[np.float32]] = []

    def look(luma: NDArray[np.float32]) -> list[tuple[str, NDArray[np.uint64], int]]:
        given.append(luma)
        row = np.arange(4, dtype=np.uint64)
        return [("flipped", row, 90), ("without-border", row, 80), ("uncropped-5", row, 49)]

    data = as_file(drawn(1, (300, 200)))
    found = hash_bytes(data, views=look)
    assert [view.view for view in found.hashes.views] == ["flipped", "without-border"]
    assert view_of(found, "flipped") == view_of(hash_bytes(data), "flipped")
    grey = np.asarray(drawn(1, (300, 200)).convert("L"))
    assert np.abs(given[0] - grey).max() <= 1


def test_picture_is_looked_at_in_other_ways_unless_told_not_to() -> None:
    names = {view.view for view in hash_bytes(JPEG).hashes.views}
    assert names > set(DIHEDRAL_NAMES[1:])


def test_views_are_given_the_picture_as_it_is_shown() -> None:
    shapes: list[tuple[int, ...]] = []

    def look(luma: NDArray[np.float32]) -> list[tuple[str, NDArray[np.uint64], int]]:
        shapes.append(luma.shape)
        return []

    exif = Image.Exif()
    exif[0x0112] = 6
    hash_bytes(as_file(drawn(1, (300, 200)), "JPEG", exif=exif), views=look)
    assert shapes == [(300, 200)]


def test_jpeg_cut_short_fails_and_what_is_left_of_it_is_still_hashed() -> None:
    cut = hash_bytes(JPEG[:-300])
    assert (cut.state, cut.reason) == (ScanState.FAILED, "the picture is damaged or cut short")
    assert scans_apart(cut, hash_bytes(JPEG)) <= 31


def test_unlike_pictures_are_far_apart() -> None:
    assert scans_apart(hash_bytes(as_file(drawn(1))), hash_bytes(as_file(drawn(2)))) > 60


def test_jpeg_with_html_behind_it_hashes_as_the_jpeg() -> None:
    polyglot = hash_bytes(JPEG + b"<html><script>zorbleflux()</script></html>")
    assert polyglot.state is ScanState.SCANNED
    assert scans_apart(polyglot, hash_bytes(JPEG)) == 0


def test_flat_picture_is_scanned_with_quality_zero() -> None:
    found = hash_bytes(as_file(flat()))
    assert (found.state, found.hashes.pdq_quality) == (ScanState.SCANNED, 0)


def test_picture_with_contrast_has_quality_enough_to_match() -> None:
    assert hash_bytes(JPEG).hashes.pdq_quality >= 50


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 3)])
def test_tiny_picture_is_scanned(size: tuple[int, int]) -> None:
    found = hash_bytes(as_file(Image.new("RGB", size, "red")))
    assert (found.state, len(found.hashes.pdq)) == (ScanState.SCANNED, 64)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "empty"),
        (JPEG[:20], "damaged"),
        (declared_png(60_000, 60_000), "too many to decode"),
        (declared_png(256, 256), "cut short"),
        (bytes(range(256)) * 4, "cannot be read"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "cannot be read"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomavif", "cannot be read"),
        (b"PK\x03\x04" + bytes(60), "cannot be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", "cannot be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n\x00\x01", "cannot be read"),
    ],
)
def test_file_that_cannot_be_decoded_fails_with_a_reason_and_its_exact_hashes(
    data: bytes, told: str
) -> None:
    found = hash_bytes(data)
    assert found.state is ScanState.FAILED
    assert told in found.reason
    assert found.hashes.sha256 == hashlib.sha256(data).hexdigest()
    assert found.hashes.pdq == ""


def test_file_over_the_byte_limit_fails_with_its_exact_hashes() -> None:
    found = hash_bytes(JPEG, limits=PictureLimits(max_bytes=len(JPEG) - 1))
    assert (found.state, found.byte_count) == (ScanState.FAILED, len(JPEG))
    assert "bytes, too many" in found.reason
    assert found.hashes.md5 == hashlib.md5(JPEG).hexdigest()  # noqa: S324  lists hold MD5


def test_file_at_the_byte_limit_is_scanned() -> None:
    assert hash_bytes(JPEG, limits=PictureLimits(max_bytes=len(JPEG))).state is ScanState.SCANNED


def test_picture_over_the_pixel_limit_fails_before_it_is_decoded() -> None:
    found = hash_bytes(declared_png(100, 101), limits=PictureLimits(max_pixels=100 * 100))
    assert (found.state, "pixels, too many" in found.reason) == (ScanState.FAILED, True)


def test_picture_at_the_pixel_limit_is_scanned() -> None:
    assert hash_bytes(JPEG, limits=PictureLimits(max_pixels=256 * 256)).state is ScanState.SCANNED


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2",
        b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  ",
        b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        b"RIFF\x00\x00\x00\x00AVI LIST",
        b"ID3\x04\x00\x00",
        (b"G" + bytes(187)) * 4,
        b"zorbleflux was here\n",
    ],
)
def test_file_that_is_certainly_no_picture_is_scanned_without_a_picture_hash(data: bytes) -> None:
    found = hash_bytes(data)
    assert (found.state, found.hashes.pdq, found.reason) == (ScanState.SCANNED, "", "")
    assert found.hashes.sha1 == hashlib.sha1(data).hexdigest()  # noqa: S324  lists hold SHA-1


def test_exact_hashes_that_are_known_are_kept() -> None:
    found = hash_bytes(JPEG, exact=MediaHashes(md5="0" * 32)).hashes
    assert (found.md5, found.sha256) == ("0" * 32, "")
