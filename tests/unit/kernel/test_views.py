"""Edited copies of drawn pictures are found by the view that undoes the edit; others are not."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from nightlight.kernel import (
    _view_layouts,
    _view_maps,
    _view_rectangles,
    _views_numba,
    _views_reference,
    pdq,
)
from nightlight.kernel.views import (
    bank_views,
    has_detail,
    pair_threshold_bits,
    picture_views,
    views_of,
)

_NAME = re.compile(r"[a-z][a-z0-9.-]*(\+[a-z][a-z0-9.-]*)*")


def _drawn(seed: int, width: int = 400, height: int = 300) -> Image.Image:
    """Return soft shapes of all sizes over one another, as photographs have."""
    rng = np.random.default_rng(seed)
    page = Image.new("L", (width, height), 128)
    draw = ImageDraw.Draw(page)
    for size in np.sort(rng.uniform(8, 90, 160))[::-1]:
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        draw.ellipse(
            (x - size, y - size / 2, x + size, y + size / 2), fill=int(rng.integers(20, 236))
        )
    return page.filter(ImageFilter.GaussianBlur(1.5))


def _luma(picture: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(picture.convert("L"))


def _plain(picture: Image.Image) -> NDArray[np.uint64]:
    return pdq.hash_luma(_luma(picture))[0]


def _views_within(picture: Image.Image, row: NDArray[np.uint64], distance: int = 31) -> list[str]:
    return [
        name
        for name, other, _ in picture_views(_luma(picture))
        if int(np.bitwise_count(row ^ other).sum()) <= distance
    ]


def _share(picture: Image.Image, share: float) -> Image.Image:
    width, height = picture.size
    x, y = round(width * share), round(height * share)
    return picture.crop((x, y, width - x, height - y))


def _framed(picture: Image.Image) -> Image.Image:
    page = Image.new("L", (picture.width + 120, picture.height + 90), 255)
    page.paste(picture, (60, 45))
    return page


def _captioned(picture: Image.Image) -> Image.Image:
    page = Image.new("L", (picture.width, picture.height + 70), 255)
    page.paste(picture, (0, 70))
    ImageDraw.Draw(page).text((40, 14), "ZORBLEFLUX AND DRELM", fill=0, font_size=28)
    return page


def _screenshot(picture: Image.Image) -> Image.Image:
    page = Image.new("L", (620, 560), 246)
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, 620, 40), fill=210)
    for line in range(430, 540, 24):
        draw.text((30, line), "quib drelm zorble flux veen morda tesp", fill=30, font_size=16)
    page.paste(picture, (90, 90))
    return page


_UNDONE: list[tuple[str, Callable[[Image.Image], Image.Image], str]] = [
    ("mirrored", lambda p: p.transpose(Image.Transpose.FLIP_LEFT_RIGHT), "flipped"),
    ("quarter turn", lambda p: p.transpose(Image.Transpose.ROTATE_270), "turned-270"),
    ("border", _framed, "without-border"),
    ("caption", _captioned, "inner-picture"),
    ("screenshot", _screenshot, "inner-picture"),
    ("crop", lambda p: _share(p, 0.02), "uncropped"),
    ("rotation", lambda p: p.rotate(4, Image.Resampling.BICUBIC), "turned-back"),
    ("whole rotation", lambda p: p.rotate(6, expand=True, fillcolor=255), "turned-back"),
]


@pytest.mark.parametrize(("edit", "view"), [pytest.param(e, v, id=n) for n, e, v in _UNDONE])
def test_edit_is_undone_by_the_view_named_for_it(
    edit: Callable[[Image.Image], Image.Image], view: str
) -> None:
    for seed in (1, 2, 3):
        picture = _drawn(seed)
        found = _views_within(edit(picture), _plain(picture))
        assert any(name.startswith(view) for name in found), (seed, found)


def test_quarter_turn_is_named_for_what_brings_the_original_back() -> None:
    picture = _drawn(5)
    turned = picture.transpose(Image.Transpose.ROTATE_90)
    assert _views_within(turned, _plain(picture), 8) == ["turned-90"]


def test_flipped_and_framed_copy_is_found_by_both_steps() -> None:
    picture = _drawn(6)
    copy = _framed(picture).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert "without-border+flipped" in _views_within(copy, _plain(picture))


def test_plain_hash_does_not_find_what_the_views_find() -> None:
    picture = _drawn(1)
    for _, edit, _ in _UNDONE:
        assert int(np.bitwise_count(_plain(edit(picture)) ^ _plain(picture)).sum()) > 31


@pytest.mark.parametrize("percent", [5, 10, 15, 20, 30])
def test_crop_is_found_by_the_banks_own_crop(percent: int) -> None:
    picture = _drawn(7)
    row = _plain(_share(picture, percent / 100))
    found = {
        name
        for name, other, _ in bank_views(_luma(picture))
        if int(np.bitwise_count(row ^ other).sum()) <= 31
    }
    assert f"cropped-{percent}" in found


def test_covered_corner_leaves_a_part_that_matches_the_banks_part() -> None:
    picture = _drawn(8)
    covered = picture.copy()
    ImageDraw.Draw(covered).ellipse((240, 20, 390, 150), fill=250)
    own = {name: row for name, row, _ in bank_views(_luma(picture))}
    found = [
        name
        for name, row, _ in picture_views(_luma(covered))
        if name in own and int(np.bitwise_count(row ^ own[name]).sum()) <= 31
    ]
    assert "part-lower-left" in found


def test_other_pictures_are_not_found_by_any_view() -> None:
    bank = np.array([_plain(_drawn(seed)) for seed in range(40)])
    for seed in range(100, 108):
        for edit in (_framed, _captioned, _screenshot):
            rows = np.array([row for _, row, _ in picture_views(_luma(edit(_drawn(seed))))])
            assert np.bitwise_count(rows[:, None] ^ bank[None]).sum(axis=2).min() > 31


def test_other_picture_in_the_same_screenshot_is_not_found_by_the_screenshots_views() -> None:
    banked = [row for _, row, _ in bank_views(_luma(_drawn(9)))]
    rows = np.array([row for _, row, _ in picture_views(_luma(_screenshot(_drawn(10))))])
    assert np.bitwise_count(rows[:, None] ^ np.array(banked)[None]).sum(axis=2).min() > 31


def _dot() -> NDArray[np.uint8]:
    page = np.zeros((200, 300), np.uint8)
    page[100, 150] = 255
    return page


_NOTHING_TO_TELL = {
    "flat": np.full((240, 320), 90, np.uint8),
    "line": np.arange(1000, dtype=np.uint8).reshape(1, 1000),
    "strip": np.random.default_rng(1).integers(0, 255, (20, 600), np.uint8),
    "tiny": np.random.default_rng(1).integers(0, 255, (6, 7), np.uint8),
    "one pixel": np.zeros((1, 1), np.uint8),
    "dot": _dot(),
    "ramp": np.tile(np.linspace(0, 255, 400, dtype=np.float32), (300, 1)),
    "not numbers": np.full((200, 300), np.nan, np.float32),
    "one not a number": np.where(_dot() == 255, np.float32(np.nan), np.float32(9)),
    "endless": np.full((200, 300), np.inf, np.float32),
}


@pytest.mark.parametrize("name", _NOTHING_TO_TELL)
@pytest.mark.filterwarnings("error")
def test_picture_that_cannot_be_told_from_others_has_no_views(name: str) -> None:
    assert picture_views(_NOTHING_TO_TELL[name]) == []
    assert bank_views(_NOTHING_TO_TELL[name]) == []


def test_ramp_has_no_detail_though_a_drawing_has() -> None:
    assert has_detail(_luma(_drawn(1)))
    assert not has_detail(np.asarray(_NOTHING_TO_TELL["ramp"], np.float32))


def test_same_picture_always_has_the_same_views() -> None:
    luma = _luma(_screenshot(_drawn(11)))
    first, second = picture_views(luma), picture_views(luma.copy())
    assert [(n, r.tolist(), q) for n, r, q in first] == [(n, r.tolist(), q) for n, r, q in second]


def test_every_view_has_a_readable_name_of_its_own_and_good_quality() -> None:
    luma = _luma(_screenshot(_drawn(12)))
    for views in (picture_views(luma), bank_views(luma)):
        names = [name for name, _, _ in views]
        assert len(set(names)) == len(names)
        assert all(_NAME.fullmatch(name) for name in names)
        assert all(50 <= quality <= 100 for _, _, quality in views)
        assert all(row.shape == (4,) and row.dtype == np.uint64 for _, row, _ in views)


def test_plain_hash_is_not_among_the_views() -> None:
    assert "" not in [name for name, _, _ in picture_views(_luma(_drawn(13)))]


def test_given_samples_are_those_that_are_turned() -> None:
    luma = _luma(_drawn(14))
    turned = dict(zip(pdq.DIHEDRAL_NAMES, pdq.dihedral(pdq.samples(luma)), strict=True))
    views = {name: row for name, row, _ in picture_views(luma, pdq.samples(luma))}
    for name in pdq.DIHEDRAL_NAMES[1:]:
        assert np.bitwise_count(views[name] ^ turned[name]).sum() <= 2


def test_compiled_sampling_equals_the_reference() -> None:
    luma = _luma(_drawn(15, 311, 207))
    for size in ((100, 150), (128, 128), (300, 330)):
        ours, truth = (b.shrink(luma, *size) for b in (_views_numba, _views_reference))
        np.testing.assert_allclose(ours, truth, atol=0.01)


def test_compiled_views_equal_the_reference() -> None:
    base = _views_reference.shrink(_luma(_drawn(16)), 128, 128)
    views = [*_view_maps.uncropped(), *_view_maps.turned_back((400, 300), framed=True)]
    places = np.array([place for _, place, _ in views], np.float32)
    looks = np.array([(1, 2, 8)[at % 3] for at in range(len(views))], np.int64)
    ours = _views_numba.hash_maps(base, places, looks)
    truth = _views_reference.hash_maps(base, places, looks)
    # Where two coefficients nearly tie at the median, the order of a sum decides a bit or two.
    assert np.bitwise_count(ours[0] ^ truth[0]).sum(axis=2).max() <= 2
    np.testing.assert_array_equal(ours[0].any(axis=2), truth[0].any(axis=2))
    assert np.abs(ours[1] - truth[1]).max() <= 1
    np.testing.assert_allclose(ours[2], truth[2], rtol=0.01)


def test_rectangle_of_a_screenshot_is_found_to_the_pixel() -> None:
    page = _luma(_screenshot(_drawn(17))).astype(np.float32)
    boxes = [box for _, box in _view_rectangles.boxes(page)]
    assert any(
        max(abs(a - b) for a, b in zip(box, (90, 390, 90, 490), strict=True)) <= 1 for box in boxes
    )


def test_nested_borders_are_taken_off_one_after_the_other() -> None:
    page = _framed(_framed(_drawn(18)).point(lambda value: 0 if value == 255 else value))
    names = [name for name, _ in _view_rectangles.boxes(_luma(page).astype(np.float32))]
    assert names[:2] == ["without-border", "without-border-2"]


def test_dark_copy_too_dull_for_a_plain_match_is_found_once_brightened() -> None:
    picture = _drawn(19)
    dark = picture.point(lambda value: value // 10)
    assert pdq.hash_luma(_luma(dark))[1] < 50
    assert "brightened" in _views_within(dark, _plain(picture))


@pytest.mark.parametrize(
    ("view", "bank_view", "bits"),
    [
        ("", "", 31),
        ("uncropped-5", "", 31),
        ("brightened+turned-90", "", 31),
        ("", "cropped-5", 24),
        ("turned-90", "tilted-left-3", 24),
        ("uncropped-5", "cropped-5", 20),
        ("turned-back-left-5+part-middle", "cropped-5", 20),
        ("part-left-half", "part-left-half", 16),
        ("", "part-left-half", 16),
        ("inner-picture-2+flipped", "cropped-5", 16),
        ("brightened", "cropped-5", -1),
    ],
)
def test_views_of_both_sides_must_be_closer_than_a_view_of_one(
    view: str, bank_view: str, bits: int
) -> None:
    assert pair_threshold_bits(view, bank_view, 31) == bits
    assert pair_threshold_bits(view, bank_view, 10) == min(bits, 10)


def _blackboard() -> Image.Image:
    """Return a dark plane, with a little chalk dust, in a bright frame."""
    rng = np.random.default_rng(3)
    page = Image.new("L", (320, 220), 200)
    page.paste(40, (12, 12, 308, 208))
    dust = Image.fromarray(rng.integers(0, 4, (28, 40), dtype=np.uint8)).resize(page.size)
    return ImageChops.add(page, dust)


def test_crops_that_leave_only_a_layout_are_kept_out_of_banks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    picture = _luma(_blackboard())
    kept = {name for name, _, _ in bank_views(picture)}
    monkeypatch.setattr(
        "nightlight.kernel.views.is_layout", lambda rows: np.zeros(len(rows), np.bool_)
    )
    every = {name: row for name, row, _ in bank_views(picture)}
    left_out = [every[name] for name in every.keys() - kept]
    assert len(left_out) > 50
    assert _view_layouts.is_layout(np.array(left_out)).all()


def test_pictures_with_something_in_them_lose_no_view_to_layouts() -> None:
    for seed in range(4):
        picture = _luma(_drawn(seed))
        rows = np.array([_plain(_drawn(seed)), *(row for _, row, _ in bank_views(picture))])
        assert not _view_layouts.is_layout(rows).any()
        assert len(rows) > 150


def test_turns_of_a_picture_are_hashed_as_of_the_picture_turned_first() -> None:
    pixels = np.ascontiguousarray(np.asarray(_drawn(5, 401, 299).convert("RGB")))
    found = pdq.picture_hash(pixels, turns=True)
    looks = {name: row for name, row, _ in views_of(pixels, found)}
    for name in pdq.DIHEDRAL_NAMES[1:]:
        turned = np.ascontiguousarray(pdq.turn_pixels(pixels, name))
        assert (
            int(np.bitwise_count(looks[name] ^ pdq.hash_rgb(turned.astype(np.uint8))[0]).sum()) <= 2
        )
