from types import ModuleType

import numpy as np
import pdqhash
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from tests.synthetic.pictures import drawn

from nightlight.kernel import _pdq_numba, pdq
from nightlight.kernel import _pdq_reference as reference
from nightlight.kernel.hamming import unpack

Pixels = NDArray[np.uint8]

#: What a turned copy may differ by: samples are not taken quite symmetrically.
TURNED_BITS = 8
SIZES = [(64, 64), (64, 65), (65, 64), (70, 67), (127, 129), (300, 400), (777, 501)]
SMALL_SIZES = [(5, 5), (5, 200), (63, 63), (20, 90), (64, 40), (33, 64)]
LONG_SIZES = [(6, 3000), (3000, 6), (64, 2500), (2500, 70)]


def soft(seed: int, height: int, width: int) -> Pixels:
    """Return colours that run into each other, with some noise, as a photograph has."""
    choose = np.random.default_rng(seed)
    total = np.zeros((height, width, 3))
    for cells in (3, 9, 27, 80):
        patch = choose.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        grown = Image.fromarray(patch).resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(grown) / cells**0.6
    total += choose.normal(0, 4, total.shape)
    total -= total.min()
    return np.asarray(total * (255 / total.max()), np.uint8)


def published(rgb: Pixels) -> tuple[str, int]:
    bits, quality = pdqhash.compute(np.ascontiguousarray(rgb))
    return np.packbits(bits.astype(np.uint8)).tobytes().hex(), quality


def ours(rgb: Pixels) -> tuple[str, int]:
    row, quality = pdq.hash_rgb(rgb)
    return unpack(row[None])[0], quality


def bits_apart(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> int:
    return int(np.bitwise_count(one ^ other).sum())


@pytest.mark.parametrize("size", SIZES + SMALL_SIZES + LONG_SIZES)
@pytest.mark.parametrize("seed", [1, 2])
def test_hash_and_quality_are_the_published_ones(size: tuple[int, int], seed: int) -> None:
    assert ours(soft(seed, *size)) == published(soft(seed, *size))


@pytest.mark.parametrize("seed", range(12))
def test_drawn_picture_of_hard_edges_has_the_published_hash(seed: int) -> None:
    rgb = np.asarray(drawn(seed, (200 + 31 * seed, 260 - 17 * seed)))
    assert ours(rgb) == published(rgb)


@settings(deadline=None, max_examples=40)
@given(
    height=st.integers(5, 300),
    width=st.integers(5, 300),
    seed=st.integers(0, 2**32 - 1),
    levels=st.integers(1, 256),
)
def test_noise_of_any_size_has_the_published_hash(
    height: int, width: int, seed: int, levels: int
) -> None:
    choose = np.random.default_rng(seed)
    rgb = choose.integers(0, levels, (height, width, 3), dtype=np.uint8)
    assert ours(rgb) == published(rgb)


@pytest.mark.parametrize("size", [(200, 300), (512, 512), (90, 1000)])
@pytest.mark.parametrize("period", [1, 7, 64])
def test_symmetric_picture_whose_coefficients_tie_has_the_published_hash(
    size: tuple[int, int], period: int
) -> None:
    rows, columns = np.indices(size)
    board = ((rows // period + columns // period) % 2 * 255).astype(np.uint8)
    rgb = np.repeat(board[:, :, None], 3, axis=2)
    assert ours(rgb) == published(rgb)


@pytest.mark.parametrize("value", [0, 90, 255])
def test_flat_picture_has_quality_zero(value: int) -> None:
    rgb = np.full((150, 170, 3), value, np.uint8)
    assert ours(rgb) == published(rgb)
    assert ours(rgb)[1] == 0


@pytest.mark.parametrize("size", [(1, 1), (4, 500), (500, 4), (1, 5)])
def test_picture_with_a_side_under_five_pixels_has_no_hash(size: tuple[int, int]) -> None:
    assert ours(soft(1, *size)) == ("0" * 64, 0)


def test_brightness_alone_hashes_as_the_grey_picture() -> None:
    grey = soft(3, 400, 300)[:, :, 1]
    assert bits_apart(pdq.hash_luma(grey)[0], pdq.hash_rgb(np.dstack([grey] * 3))[0]) <= 2


def test_brightness_as_floats_hashes_as_bytes() -> None:
    grey = soft(3, 400, 300)[:, :, 1]
    floats, whole = pdq.hash_luma(grey.astype(np.float32)), pdq.hash_luma(grey)
    assert (bits_apart(floats[0], whole[0]), floats[1]) == (0, whole[1])


def test_picture_that_is_part_of_a_larger_array_hashes_as_its_copy() -> None:
    part = soft(4, 500, 600)[40:440:1, 50:450]
    assert ours(part) == ours(part.copy())


@pytest.mark.parametrize("size", SIZES + SMALL_SIZES + LONG_SIZES)
def test_compiled_samples_equal_the_reference(size: tuple[int, int]) -> None:
    rows = soft(5, *size).reshape(size[0], -1)
    exact = reference.exact_samples(rows, 3)
    assert np.array_equal(_pdq_numba.exact_samples(rows, 3), exact)
    assert np.abs(_pdq_numba.samples(rows, 3) - reference.samples(rows, 3)).max() < 0.001
    assert np.abs(_pdq_numba.samples(rows, 3) - exact).max() < 0.05
    mirrored = _pdq_numba.mirrored_samples(rows, 3)
    assert np.abs(mirrored - reference.mirrored_samples(rows, 3)).max() < 0.001


def test_compiled_hashes_equal_the_reference() -> None:
    for seed in range(20):
        found = reference.samples(soft(seed, 90, 80).reshape(90, -1), 3)
        ours, truth = _pdq_numba.hash_samples(found), reference.hash_samples(found)
        assert (ours[0].tolist(), ours[1:]) == (truth[0].tolist(), truth[1:])
        assert np.array_equal(_pdq_numba.dihedral(found), reference.dihedral(found))
        sets = np.stack([found, found[::-1], found[:, ::-1], found.T])
        assert np.array_equal(_pdq_numba.dihedral(sets), reference.dihedral(sets))


def test_machine_without_compiled_functions_gives_the_same_hashes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rgb = soft(6, 301, 411)
    compiled = ours(rgb)
    monkeypatch.setattr(pdq, "_backend", lambda: reference)
    assert ours(rgb) == compiled


TURNS = {
    "": lambda p: p,
    "turned-90": lambda p: np.rot90(p, -1),
    "turned-180": lambda p: np.rot90(p, 2),
    "turned-270": lambda p: np.rot90(p, 1),
    "flipped": np.fliplr,
    "flipped-upside-down": np.flipud,
    "transposed": lambda p: p.transpose(1, 0, 2),
    "anti-transposed": lambda p: np.rot90(p, 2).transpose(1, 0, 2),
}


@pytest.mark.parametrize("size", [(300, 330), (600, 800), (1500, 1100)])
@pytest.mark.parametrize("number", range(8))
def test_dihedral_hashes_of_plain_samples_are_nearly_those_of_the_turned_picture(
    size: tuple[int, int], number: int
) -> None:
    rgb = soft(7, *size)
    turned = TURNS[pdq.DIHEDRAL_NAMES[number]](rgb)
    found = pdq.dihedral(pdq.samples_rgb(rgb))
    assert bits_apart(found[number], pdq.hash_rgb(turned)[0]) <= TURNED_BITS


@pytest.mark.parametrize("size", [(64, 64), (128, 256), (129, 300), (512, 512), (90, 1500), (5, 7)])
@pytest.mark.parametrize("number", range(8))
def test_dihedral_hashes_of_mirrored_samples_are_those_of_the_turned_picture(
    size: tuple[int, int], number: int
) -> None:
    rgb = soft(10, *size)
    turned = TURNS[pdq.DIHEDRAL_NAMES[number]](rgb)
    found = pdq.dihedral(pdq.mirrored_samples(rgb))
    assert bits_apart(found[number], pdq.hash_rgb(turned)[0]) <= 2  # two that tie at the median


@pytest.mark.parametrize("size", [(100, 100), (301, 400), (700, 700), (20, 30)])
@pytest.mark.parametrize("backend", [_pdq_numba, reference])
def test_hash_is_the_same_whether_or_not_turns_are_asked_for(
    size: tuple[int, int], backend: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdq, "_backend", lambda: backend)
    plain, turned = (pdq.picture_hash(soft(11, *size), turns=turns) for turns in (False, True))
    assert (plain.row.tolist(), plain.quality) == (turned.row.tolist(), turned.quality)
    assert pdq.dihedral(turned.samples)[0].tolist() == plain.row.tolist()


@pytest.mark.parametrize("size", [(300, 330), (100, 128), (512, 500)])
@pytest.mark.parametrize("shown", pdq.DIHEDRAL_NAMES)
def test_picture_shown_turned_hashes_as_its_turned_pixels(
    size: tuple[int, int], shown: str
) -> None:
    rgb = soft(12, *size)
    turned = TURNS[shown](rgb)
    found = pdq.picture_hash(rgb, shown=shown, turns=True)
    assert np.array_equal(pdq.turn_pixels(rgb, shown), turned)
    assert unpack(found.row[None])[0] == published(turned)[0]
    assert np.abs(found.samples - pdq.mirrored_samples(turned)).max() < 0.05


def test_tie_of_a_picture_shown_turned_is_decided_as_in_its_turned_pixels() -> None:
    rgb = np.asarray(drawn(1, (300, 300)).resize((30, 30)).resize((301, 256)))
    found = pdq.picture_hash(rgb, shown="turned-90")
    assert unpack(found.row[None])[0] == published(np.rot90(rgb, -1))[0]


@pytest.mark.parametrize("backend", [_pdq_numba, reference])
def test_reduced_brightness_is_the_average_of_squares(
    backend: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdq, "_backend", lambda: backend)
    rgb = soft(13, 401, 302)
    truth = reference.luma(rgb.reshape(401, -1), 3)[:399, :300].reshape(133, 3, 100, 3)
    reduced = pdq.reduced_luma(rgb, least_side=128)
    assert np.abs(reduced - truth.mean(axis=(1, 3))).max() < 0.001


@pytest.mark.parametrize(
    ("size", "kept"),
    [((50, 60), (50, 60)), ((2048, 1024), (1024, 512)), ((64, 4000), (64, 4000))],
)
def test_reduced_brightness_keeps_what_hashes_need(
    size: tuple[int, int], kept: tuple[int, int]
) -> None:
    assert pdq.reduced_luma(np.zeros(size, np.uint8), least_side=1024).shape == kept


def test_every_turn_is_a_hash_of_its_own() -> None:
    found = pdq.dihedral(pdq.samples_rgb(soft(8, 300, 300)))
    apart = [bits_apart(found[a], found[b]) for a in range(8) for b in range(a)]
    assert min(apart) > 60


def test_picture_hash_hands_out_the_samples_its_hash_is_made_from() -> None:
    found = pdq.picture_hash(soft(9, 300, 200))
    row, quality = pdq.hash_samples(found.samples)
    assert (row.tolist(), quality) == (found.row.tolist(), found.quality)
    assert str(found.row[0]) not in repr(found)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((0, 10, 3), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((10,), np.uint8),
    ],
)
def test_array_that_is_no_colour_picture_is_refused(wrong: Pixels) -> None:
    with pytest.raises(ValueError, match="picture must be"):
        pdq.hash_rgb(wrong)


@pytest.mark.parametrize("wrong", [np.zeros((0, 10), np.uint8), np.zeros((10, 10), np.float64)])
def test_array_that_is_no_brightness_is_refused(wrong: Pixels) -> None:
    with pytest.raises(ValueError, match="picture must be"):
        pdq.hash_luma(wrong)


def test_samples_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="64x64"):
        pdq.hash_samples(np.zeros((64, 63), np.float32))
    with pytest.raises(ValueError, match="one set"):
        pdq.hash_samples(np.zeros((4, 64, 64), np.float32))
    with pytest.raises(ValueError, match="sets"):
        pdq.dihedral(np.zeros((3, 64, 64), np.float32))
    with pytest.raises(ValueError, match="64x64"):
        pdq.dihedral(np.zeros((64, 64), np.float64))
