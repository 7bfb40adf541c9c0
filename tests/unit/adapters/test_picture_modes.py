from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from tests.synthetic.picture_files import (
    as_deep_grey,
    as_deep_rgb_tiff,
    as_float,
    as_heic,
    as_lab,
    as_ycck,
    bits_apart,
    scans_apart,
    view_of,
)
from tests.synthetic.pictures import as_file, drawn

from nightlight.adapters.image_hasher import hash_bytes
from nightlight.model.media import Scan, ScanState

PICTURE = drawn()
#: Colours are kept exactly, so all that differs is rounding on the way to 8-bit RGB.
EXACT_BITS = 4
#: Compression and conversion of colours stay well inside this.
LOSSY_BITS = 8
#: Black and white dots stand for grey.
DITHERED_BITS = 20


def plain() -> Scan:
    return hash_bytes(as_file(PICTURE))


@pytest.mark.parametrize(
    ("mode", "kinds"),
    [
        ("RGB", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000"]),
        ("L", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000"]),
        ("RGBA", ["PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000"]),
        ("LA", ["PNG", "GIF", "WEBP", "AVIF", "TIFF", "JPEG2000"]),
        ("CMYK", ["JPEG", "TIFF"]),
        ("YCbCr", ["JPEG", "TIFF", "JPEG2000"]),
        ("PA", ["TIFF"]),
    ],
)
def test_every_mode_in_every_format_hashes_as_the_rgb_picture(mode: str, kinds: list[str]) -> None:
    for kind in kinds:
        found = hash_bytes(as_file(PICTURE.convert(mode), kind))
        assert (found.state, found.reason) == (ScanState.SCANNED, "")
        assert scans_apart(found, plain()) <= LOSSY_BITS, kind


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF"])
def test_palette_hashes_as_the_rgb_picture(kind: str) -> None:
    assert scans_apart(hash_bytes(as_file(PICTURE.quantize(256), kind)), plain()) <= LOSSY_BITS


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF"])
def test_black_and_white_dots_hash_nearly_as_the_grey_picture(kind: str) -> None:
    assert scans_apart(hash_bytes(as_file(PICTURE.convert("1"), kind)), plain()) <= DITHERED_BITS


@pytest.mark.parametrize(
    "make",
    [
        lambda: as_deep_grey(PICTURE, "PNG"),
        lambda: as_deep_grey(PICTURE, "TIFF"),
        lambda: as_deep_grey(PICTURE, "JPEG2000"),
        lambda: as_deep_rgb_tiff(PICTURE),
        lambda: as_float(PICTURE),
        lambda: as_file(PICTURE.convert("L").convert("I"), "TIFF"),
    ],
)
def test_deep_colours_hash_as_the_rgb_picture(make: Callable[[], bytes]) -> None:
    assert scans_apart(hash_bytes(make()), plain()) <= EXACT_BITS


def test_lab_and_ycck_hash_as_the_rgb_picture() -> None:
    assert scans_apart(hash_bytes(as_lab(PICTURE)), plain()) <= LOSSY_BITS
    assert scans_apart(hash_bytes(as_ycck(PICTURE)), plain()) <= LOSSY_BITS


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
def test_heic_hashes_as_the_rgb_picture(mode: str) -> None:
    assert scans_apart(hash_bytes(as_heic([PICTURE.convert(mode)])), plain()) <= LOSSY_BITS


def test_infinite_and_missing_samples_do_not_hide_a_picture() -> None:
    grey = np.asarray(PICTURE.convert("L")).astype(np.float32)
    grey[0, :3] = np.nan, np.inf, -np.inf
    found = hash_bytes(as_file(Image.fromarray(grey), "TIFF"))
    assert scans_apart(found, plain()) <= LOSSY_BITS


def partly_hidden() -> Image.Image:
    picture = PICTURE.convert("RGBA")
    alpha = Image.new("L", picture.size, 255)
    alpha.paste(0, (20, 30, 128, 200))
    picture.putalpha(alpha)
    return picture


def shown_on(colour: str) -> str:
    seen = Image.new("RGB", PICTURE.size, colour)
    seen.paste(partly_hidden(), mask=partly_hidden().getchannel("A"))
    return hash_bytes(as_file(seen)).hashes.pdq


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_transparent_picture_hashes_as_it_is_seen_on_a_white_page(kind: str) -> None:
    assert bits_apart(hash_bytes(as_file(partly_hidden(), kind)).hashes.pdq, shown_on("white")) == 0


def test_transparent_picture_has_views_on_black_and_without_transparency() -> None:
    found = hash_bytes(as_file(partly_hidden()))
    assert bits_apart(view_of(found, "on-black"), shown_on("black")) == 0
    assert bits_apart(view_of(found, "opaque"), plain().hashes.pdq) == 0


def test_colours_under_a_palette_s_transparent_place_are_not_seen() -> None:
    data = as_file(PICTURE.quantize(256), transparency=bytes([0] * 128 + [255] * 128))
    with Image.open(BytesIO(data)) as opened:
        layered = opened.convert("RGBA")
    white = Image.new("RGBA", layered.size, "white")
    seen = hash_bytes(as_file(Image.alpha_composite(white, layered).convert("RGB")))
    assert scans_apart(hash_bytes(data), seen) == 0


def test_picture_with_opaque_alpha_has_no_views_of_transparency() -> None:
    names = {view.view for view in hash_bytes(as_file(PICTURE.convert("RGBA"))).hashes.views}
    assert not names & {"on-black", "opaque"}
