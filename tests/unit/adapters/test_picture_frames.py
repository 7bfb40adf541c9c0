import pytest
from PIL import Image
from tests.synthetic.picture_files import as_heic, bits_apart, scans_apart, view_of
from tests.synthetic.pictures import as_file, drawn, flat

from nightlight.adapters.image_hasher import hash_bytes
from nightlight.adapters.picture_limits import PictureLimits
from nightlight.ingest.ports import TakesLong
from nightlight.model.media import Scan, ScanState

FRAMES = [drawn(number) for number in (1, 2, 3)]
LOSSY_BITS = 8


def animated(kind: str, frames: list[Image.Image]) -> bytes:
    # Copies, as Pillow leaves one format's options with a picture that it saved.
    first, *others = [frame.copy() for frame in frames]
    options = {} if kind in ("TIFF", "MPO") else {"duration": 100}
    return as_file(first, kind, save_all=True, append_images=others, **options)


def frame_names(scan: Scan) -> list[str]:
    return [view.view for view in scan.hashes.views if view.view.startswith("frame-")]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF", "TIFF", "MPO"])
def test_file_is_hashed_by_its_first_frame_and_every_other_is_a_view(kind: str) -> None:
    found = hash_bytes(animated(kind, FRAMES))
    assert (found.state, frame_names(found)) == (ScanState.SCANNED, ["frame-2", "frame-3"])
    assert scans_apart(found, hash_bytes(as_file(FRAMES[0]))) <= LOSSY_BITS
    for number in (2, 3):
        still = hash_bytes(as_file(FRAMES[number - 1]))
        assert bits_apart(view_of(found, f"frame-{number}"), still.hashes.pdq) <= LOSSY_BITS


@pytest.mark.parametrize("primary", [0, 1, 2])
def test_heic_of_many_pictures_is_hashed_by_its_primary_one(primary: int) -> None:
    found = hash_bytes(as_heic(FRAMES, primary_index=primary))
    others = [picture for place, picture in enumerate(FRAMES) if place != primary]
    assert scans_apart(found, hash_bytes(as_file(FRAMES[primary]))) <= LOSSY_BITS
    for number, picture in enumerate(others, 2):
        still = hash_bytes(as_file(picture))
        assert bits_apart(view_of(found, f"frame-{number}"), still.hashes.pdq) <= LOSSY_BITS


def test_pages_may_be_of_any_size() -> None:
    small = drawn(2, (90, 140))
    found = hash_bytes(animated("TIFF", [FRAMES[0], small]))
    assert bits_apart(view_of(found, "frame-2"), hash_bytes(as_file(small)).hashes.pdq) == 0


def test_frame_that_looks_like_one_before_is_no_view() -> None:
    frames = [FRAMES[0], FRAMES[1], FRAMES[0], FRAMES[1], FRAMES[2]]
    assert frame_names(hash_bytes(animated("WEBP", frames))) == ["frame-2", "frame-5"]


def test_flat_frame_is_no_view_as_it_would_match_nothing() -> None:
    frames = [FRAMES[0], flat(FRAMES[0].size), FRAMES[1]]
    assert frame_names(hash_bytes(animated("PNG", frames))) == ["frame-3"]


def test_picture_behind_a_flat_first_frame_is_found() -> None:
    found = hash_bytes(animated("GIF", [flat(FRAMES[1].size), FRAMES[1]]))
    still = hash_bytes(as_file(FRAMES[1], "GIF"))
    assert found.hashes.pdq_quality == 0
    assert bits_apart(view_of(found, "frame-2"), still.hashes.pdq) <= LOSSY_BITS


def test_animation_over_the_frame_limit_fails_with_the_frames_before() -> None:
    found = hash_bytes(animated("GIF", FRAMES), limits=PictureLimits(max_frames=2))
    assert (found.state, frame_names(found)) == (ScanState.FAILED, ["frame-2"])
    assert "more than 2 frames" in found.reason


def test_animation_at_the_frame_limit_is_scanned() -> None:
    found = hash_bytes(animated("GIF", FRAMES), limits=PictureLimits(max_frames=3))
    assert found.state is ScanState.SCANNED


def test_frames_with_too_many_pixels_together_fail() -> None:
    limits = PictureLimits(max_all_pixels=3 * 256 * 256 - 1)
    found = hash_bytes(animated("GIF", FRAMES), limits=limits)
    assert (found.state, frame_names(found)) == (ScanState.FAILED, ["frame-2"])
    assert "pixels together" in found.reason


def test_page_over_the_pixel_limit_fails_before_it_is_decoded() -> None:
    pages = animated("TIFF", [flat((20, 20)), flat((101, 100))])
    found = hash_bytes(pages, limits=PictureLimits(max_pixels=100 * 100))
    assert (found.state, "too many to decode" in found.reason) == (ScanState.FAILED, True)


def test_animation_cut_short_keeps_the_hash_of_its_first_frame() -> None:
    data = animated("WEBP", FRAMES)
    whole = hash_bytes(data)
    cut = hash_bytes(animated("PNG", FRAMES)[:-3000])
    assert cut.state is ScanState.FAILED
    assert scans_apart(cut, whole) <= LOSSY_BITS


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP"])
def test_a_file_of_several_pictures_is_given_up_between_two_of_them_where_it_takes_long(
    kind: str,
) -> None:
    many = animated(kind, FRAMES)
    with pytest.raises(TakesLong):
        hash_bytes(many, brief_s=1e-9)
    assert hash_bytes(many, brief_s=600).state is ScanState.SCANNED
    assert hash_bytes(as_file(drawn(), "PNG"), brief_s=1e-9).state is ScanState.SCANNED
