"""Memory for large arrays that goes back to the system as soon as they are gone.

What the C library hands out it keeps for later, in as many heaps as there are threads, and large
arrays that come and go leave holes there: an index that is merged every minute grew to four times
its size that way. Owns where an array lies; leaves what is in it to the caller.
"""

import math
import mmap
from contextlib import suppress
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

#: Below this an array is left to the C library: its holes do not matter.
_SMALL_BYTES = 1 << 20

_Kind = TypeVar("_Kind", bound=np.generic)


def room_for(shape: tuple[int, ...], kind: type[_Kind]) -> NDArray[_Kind]:
    """Return an array to be filled, with memory of its own if it is large."""
    size = math.prod(shape) * np.dtype(kind).itemsize
    if size < _SMALL_BYTES:
        return np.empty(shape, kind)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(AttributeError, OSError):  # a system without large pages: a little slower
        memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, kind).reshape(shape)


def copied(array: NDArray[_Kind]) -> NDArray[_Kind]:
    """Return a copy in memory of its own."""
    made = room_for(array.shape, array.dtype.type)
    made[...] = array
    return made


def joined(first: NDArray[_Kind], second: NDArray[_Kind]) -> NDArray[_Kind]:
    """Return one array of both, the second after the first, in memory of its own."""
    made = room_for((len(first) + len(second), *first.shape[1:]), first.dtype.type)
    np.concatenate([first, second], out=made)
    return made
