import hashlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.synthetic.pictures import as_file, declared_png, drawn, flat

from nightlight.adapters import image_hasher
from nightlight.adapters.image_hasher import ImageHasher, hash_bytes
from nightlight.kernel.hamming import pack
from nightlight.model.media import Scan, ScanState

#: Different decoders and light compression stay well inside this; unlike pictures do not.
SAME_PICTURE_BITS = 10
JPEG = as_file(drawn(), "JPEG", quality=90)


def bits_apart(one: Scan, other: Scan) -> int:
    rows = pack([one.hashes.pdq, other.hashes.pdq])
    return int(np.bitwise_count(rows[0] ^ rows[1]).sum())


def sixteen_bit_png() -> bytes:
    grey = np.asarray(drawn().convert("L")).astype(np.uint16) * 257
    return as_file(Image.fromarray(grey))


def float_tiff() -> bytes:
    grey = np.asarray(drawn().convert("L")).astype(np.float32) / 255
    return as_file(Image.fromarray(grey), "TIFF")


def palette_png_with_transparency() -> bytes:
    picture = drawn().quantize(256)
    return as_file(picture, transparency=bytes([255] * 255))


def rotated_by_exif(orientation: Image.Transpose, tag: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = tag
    return as_file(drawn().transpose(orientation), "JPEG", quality=90, exif=exif)


@pytest.mark.parametrize(
    "make",
    [
        lambda: as_file(drawn(), "JPEG", quality=80),
        lambda: as_file(drawn(), "WEBP", quality=90),
        lambda: as_file(drawn(), "AVIF", quality=90),
        lambda: as_file(drawn(), "TIFF"),
        lambda: as_file(drawn(), "BMP"),
        lambda: as_file(drawn(), "JPEG2000"),
        lambda: as_file(drawn(), "GIF"),
        lambda: as_file(drawn().convert("L")),
        lambda: as_file(drawn().convert("LA")),
        lambda: as_file(drawn().convert("RGBA")),
        lambda: as_file(drawn().convert("CMYK"), "JPEG", quality=90),
        lambda: as_file(drawn().quantize(256)),
        palette_png_with_transparency,
        sixteen_bit_png,
        float_tiff,
    ],
)
def test_same_picture_in_any_format_and_mode_has_nearly_the_same_hash(
    make: Callable[[], bytes],
) -> None:
    found = hash_bytes(make())
    assert found.state is ScanState.SCANNED
    assert bits_apart(found, hash_bytes(as_file(drawn()))) <= SAME_PICTURE_BITS


def test_unlike_pictures_are_far_apart() -> None:
    assert bits_apart(hash_bytes(as_file(drawn(1))), hash_bytes(as_file(drawn(2)))) > 60


@pytest.mark.parametrize(
    ("turn", "tag"),
    [
        (Image.Transpose.FLIP_LEFT_RIGHT, 2),
        (Image.Transpose.ROTATE_180, 3),
        (Image.Transpose.ROTATE_90, 6),
        (Image.Transpose.ROTATE_270, 8),
    ],
)
def test_picture_turned_by_its_exif_orientation_hashes_as_it_is_shown(
    turn: Image.Transpose, tag: int
) -> None:
    shown = hash_bytes(rotated_by_exif(turn, tag))
    assert bits_apart(shown, hash_bytes(as_file(drawn()))) <= SAME_PICTURE_BITS


def test_colours_hidden_under_full_transparency_do_not_count() -> None:
    part = drawn(1).crop((0, 0, 256, 200))
    hidden = drawn(2).convert("RGBA")
    hidden.putalpha(0)
    hidden.paste(part, (0, 0))
    seen = Image.new("RGB", (256, 256), "white")
    seen.paste(part, (0, 0))
    assert bits_apart(hash_bytes(as_file(hidden)), hash_bytes(as_file(seen))) == 0


def test_picture_averaged_down_for_its_size_hashes_nearly_as_in_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = as_file(drawn(1, (1200, 900)))
    in_full = hash_bytes(file)
    monkeypatch.setattr(image_hasher, "_EXACT_PIXELS", 300_000)
    averaged = hash_bytes(file)
    assert 0 < bits_apart(averaged, in_full) <= SAME_PICTURE_BITS


def test_animation_is_hashed_by_its_first_frame() -> None:
    animated = as_file(drawn(1), "GIF", save_all=True, append_images=[drawn(2)], duration=100)
    still = as_file(drawn(1), "GIF")
    assert bits_apart(hash_bytes(animated), hash_bytes(still)) <= SAME_PICTURE_BITS


def test_jpeg_with_html_behind_it_hashes_as_the_jpeg() -> None:
    polyglot = hash_bytes(JPEG + b"<html><script>zorbleflux()</script></html>")
    assert polyglot.state is ScanState.SCANNED
    assert bits_apart(polyglot, hash_bytes(JPEG)) == 0


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
        (JPEG[: len(JPEG) // 2], "cut short"),
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
    found = hash_bytes(JPEG, max_bytes=len(JPEG) - 1)
    assert (found.state, found.byte_count) == (ScanState.FAILED, len(JPEG))
    assert "bytes, too many" in found.reason
    assert found.hashes.md5 == hashlib.md5(JPEG).hexdigest()  # noqa: S324  lists hold MD5


def test_file_at_the_byte_limit_is_scanned() -> None:
    assert hash_bytes(JPEG, max_bytes=len(JPEG)).state is ScanState.SCANNED


def test_picture_over_the_pixel_limit_fails_before_it_is_decoded() -> None:
    found = hash_bytes(declared_png(100, 101), max_pixels=100 * 100)
    assert (found.state, "pixels, too many" in found.reason) == (ScanState.FAILED, True)


def test_picture_at_the_pixel_limit_is_scanned() -> None:
    assert hash_bytes(JPEG, max_pixels=256 * 256).state is ScanState.SCANNED


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


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_damage_anywhere_in_a_file_never_raises(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "JPEG2000"]))
    file = bytearray(as_file(drawn(3, (48, 48)), kind))
    for _ in range(data.draw(st.integers(1, 8))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(file)))
    assert hash_bytes(bytes(file[:cut]), max_pixels=1_000_000).state in ScanState


def test_repeated_file_is_not_decoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = ImageHasher()
    first = hasher.scan(JPEG)
    monkeypatch.setattr(image_hasher, "hash_bytes", None)
    assert hasher.scan(JPEG) is first


def test_failed_file_is_tried_again() -> None:
    hasher = ImageHasher()
    assert hasher.scan(JPEG[:200]) is not hasher.scan(JPEG[:200])


def test_file_not_asked_for_lately_is_forgotten() -> None:
    hasher = ImageHasher(remembered=2)
    files = [as_file(flat((n, n))) for n in (8, 9, 10)]
    old, kept = hasher.scan(files[0]), hasher.scan(files[1])
    assert hasher.scan(files[0]) is old
    hasher.scan(files[2])
    assert hasher.scan(files[0]) is old
    assert hasher.scan(files[1]) is not kept


def test_hasher_remembers_no_bytes() -> None:
    hasher = ImageHasher()
    hasher.scan(JPEG)
    assert all(isinstance(scan, Scan) for scan in hasher._scans.values())
    assert all(len(digest) == 64 for digest in hasher._scans)


def test_hasher_keeps_its_own_limits() -> None:
    assert ImageHasher(max_bytes=10).scan(JPEG).state is ScanState.FAILED
    assert ImageHasher(max_pixels=10).scan(JPEG).state is ScanState.FAILED
