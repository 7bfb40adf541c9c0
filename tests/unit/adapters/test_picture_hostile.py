import struct
import zipfile
import zlib
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.synthetic.picture_files import as_deep_rgb_tiff, as_heic, scans_apart
from tests.synthetic.pictures import as_file, declared_png, drawn, flat

from nightlight.adapters.image_hasher import hash_bytes
from nightlight.adapters.picture_limits import PictureLimits
from nightlight.model.media import ScanState

KINDS = ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000", "HEIC"]
SMALL = PictureLimits(max_pixels=1_000_000, max_frames=20, max_all_pixels=4_000_000)


def small_file(kind: str) -> bytes:
    picture = drawn(3, (48, 48))
    if kind == "HEIC":
        return as_heic([drawn(3, (64, 64))])
    if kind in ("GIF", "PNG", "WEBP"):
        return as_file(picture, kind, save_all=True, append_images=[drawn(4, (48, 48))])
    return as_file(picture, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sixteenths", range(16))
def test_file_cut_short_anywhere_never_raises_and_never_passes_unseen(
    kind: str, sixteenths: int
) -> None:
    data = small_file(kind)
    found = hash_bytes(data[: len(data) * sixteenths // 16])
    # What passes was decoded: the frames up to the cut, or all but what stands behind them.
    assert found.state is ScanState.FAILED or found.hashes.pdq


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_damage_anywhere_in_a_file_never_raises(data: st.DataObject) -> None:
    file = bytearray(small_file(data.draw(st.sampled_from(KINDS))))
    for _ in range(data.draw(st.integers(1, 8))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(file)))
    assert hash_bytes(bytes(file[:cut]), limits=SMALL).state in ScanState


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_behind_a_picture_does_not_change_its_hash(kind: str) -> None:
    data = small_file(kind)
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("zorbleflux.txt", "quibber")
    for behind in (archive.getvalue(), b"<html><script>zorbleflux()</script></html>"):
        found = hash_bytes(data + behind)
        assert (found.state, scans_apart(found, hash_bytes(data))) == (ScanState.SCANNED, 0)


def test_picture_that_is_also_html_is_hashed_as_the_picture() -> None:
    data = as_file(drawn(1), "GIF", comment=b"<html><body onload=zorbleflux()>")
    assert scans_apart(hash_bytes(data), hash_bytes(as_file(drawn(1), "GIF"))) == 0


def bmp_of(width: int, height: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + header


def jpeg_of(width: int, height: int) -> bytes:
    data = as_file(flat((16, 16)), "JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def gif_of(width: int, height: int) -> bytes:
    data = as_file(flat((16, 16)), "GIF")
    return data[:6] + struct.pack("<HH", width, height) + data[10:]


@pytest.mark.parametrize(
    "data",
    [
        declared_png(40_000, 25_000),  # a thousand megapixels
        declared_png(2**31 - 1, 2**31 - 1),
        bmp_of(60_000, 60_000),
        bmp_of(2**31 - 1, 1),
        jpeg_of(65_500, 65_500),
        gif_of(65_535, 65_535),
    ],
)
def test_huge_declared_size_fails_before_anything_is_decoded(data: bytes) -> None:
    found = hash_bytes(data)
    assert found.state is ScanState.FAILED
    assert "too many to decode" in found.reason


@pytest.mark.parametrize(
    "data", [declared_png(0, 0), declared_png(0, 9), jpeg_of(0, 0), bmp_of(0, 0)]
)
def test_picture_of_no_size_fails(data: bytes) -> None:
    assert hash_bytes(data).state is ScanState.FAILED


def test_text_in_a_picture_that_unpacks_to_gigabytes_fails() -> None:
    packed = zlib.compress(bytes(100_000_000), 9)
    text = b"zTXt" + b"zorble\0\0" + packed
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    data = as_file(drawn(1))
    assert hash_bytes(data[:33] + chunk + data[33:]).state is ScanState.FAILED


def test_flat_picture_packed_small_is_decoded_within_the_limit_and_not_beyond() -> None:
    bomb = as_file(Image.new("1", (3_000, 3_000)))
    assert len(bomb) < 20_000
    assert hash_bytes(bomb, limits=PictureLimits(max_pixels=8_999_999)).state is ScanState.FAILED
    assert hash_bytes(bomb).hashes.pdq_quality == 0


@pytest.mark.parametrize(
    "tag",
    [
        (274, 3, 1, 99),  # an orientation that is none
        (274, 2, 4, 0x41414141),  # an orientation in letters
        (34_665, 4, 1, 8),  # EXIF that points at the header
        (330, 4, 1, 8),  # a picture within that is the picture itself
        (700, 7, 2**31 - 1, 20),  # two gigabytes of XMP
        (34_675, 7, 0, 0),  # an empty colour profile
        (65_000, 13, 3, 4_000_000_000),  # a private tag of an odd type, far outside
    ],
)
def test_odd_tags_neither_raise_nor_change_what_is_seen(tag: tuple[int, int, int, int]) -> None:
    found = hash_bytes(as_deep_rgb_tiff(drawn(1), tags=[tag]))
    plain = hash_bytes(as_deep_rgb_tiff(drawn(1)))
    assert found.state is ScanState.FAILED or scans_apart(found, plain) == 0


def test_pages_that_point_at_each_other_end() -> None:
    data = bytearray(as_deep_rgb_tiff(drawn(1)))
    data[-4:] = data[4:8]  # the next page is this one
    assert hash_bytes(bytes(data)).state in ScanState


@pytest.mark.parametrize("kind", KINDS)
def test_reason_says_nothing_of_what_the_file_holds(kind: str) -> None:
    data = small_file(kind)
    reason = hash_bytes(data[: len(data) // 2] + b"zorbleflux" * 20).reason
    assert "zorbleflux" not in reason
