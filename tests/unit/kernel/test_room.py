"""Large arrays give their memory back; small ones are ordinary."""

import gc
from pathlib import Path

import numpy as np
import pytest

from nightlight.kernel._room import copied, joined, room_for

MIB = 2**20


def resident_bytes() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(each for each in status.splitlines() if each.startswith("RssAnon:"))
    return int(line.split()[1]) * 1024


def test_memory_of_large_arrays_goes_back_as_soon_as_they_are_gone() -> None:
    gc.collect()
    before = resident_bytes()
    made = [room_for((6, MIB), np.uint32) for _ in range(4)]
    for array in made:
        array[...] = 1
    assert resident_bytes() - before > 80 * MIB
    del array
    # One that stays must not keep the memory of those around it.
    del made[0], made[1:]
    assert resident_bytes() - before < 40 * MIB


@pytest.mark.parametrize("count", [0, 3, MIB])
def test_array_of_any_size_can_be_filled_and_copied(count: int) -> None:
    first = room_for((count, 2), np.uint16)
    first[...] = 7
    both = joined(copied(first), first)
    assert both.shape == (2 * count, 2)
    assert both.dtype == np.uint16
    assert (both == 7).all()
