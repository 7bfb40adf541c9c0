"""The compiled sketch is the reference's, for any text and for ever."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nightlight.kernel.minhash import WIDTH, reference_sketch, sketch


def points(values: list[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint32]]:
    return np.array(values, np.uint32)


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.integers(0, 0x10FFFF), max_size=40))
def test_compiled_sketch_equals_the_reference(values: list[int]) -> None:
    assert sketch(points(values)).tolist() == reference_sketch(points(values)).tolist()


def test_sketch_of_stored_posts_stays_comparable() -> None:
    found = reference_sketch(points([ord(char) for char in "zorblefluxkleptic"]))
    assert (found.size, found[:6].tolist()) == (WIDTH, [45, 172, 58, 95, 70, 158])
