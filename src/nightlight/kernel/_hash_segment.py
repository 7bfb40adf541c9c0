"""A part of a hash index that never changes: sorted labels, their hashes, tables to find them.

Without tables (few hashes, or a machine without Numba) a segment is searched from end to end.
"""

from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from nightlight.kernel import hamming
from nightlight.kernel._room import room_for

Labels: TypeAlias = NDArray[np.int64]
Rows: TypeAlias = NDArray[np.uint64]
Pairs: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

#: So many hashes are searched from end to end in the time that tables take.
FEW_HASHES = 4096
NO_LABELS: Labels = np.empty(0, np.int64)
NO_ROWS: Rows = np.empty((0, 4), np.uint64)


class Segment(Struct, frozen=True, kw_only=True):
    """Hashes under labels that ascend and are all different; every array is read-only.

    ``tables`` is a ``Tables`` of ``_multi_index_build``, or None; ``mapped`` says whether the
    arrays are of a mapped file.
    """

    labels: Labels
    rows: Rows
    tables: Any = None
    mapped: bool = False

    def places(self, labels: Labels) -> NDArray[np.int64]:
        """Return the place of each label, or -1 for those that are not here."""
        if not len(self.labels):
            return np.full(len(labels), -1, np.int64)
        near = np.searchsorted(self.labels, labels).clip(max=len(self.labels) - 1)
        return np.where(self.labels[near] == labels, near, -1)

    def search(self, queries: Rows, distance_bits: int) -> Pairs:
        """Return query number, place and distance of every pair, in no order that counts."""
        engine = _engine()
        if self.tables is None or engine is None or distance_bits > engine.MOST_DISTANCE_BITS:
            return hamming.within(queries, self.rows, distance_bits)
        found: Pairs = engine.search(queries, self.rows, self.tables, distance_bits)
        return found

    @property
    def size(self) -> int:
        """Bytes of all its arrays."""
        return sum(array.nbytes for array in self.arrays.values())

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that it is, by name."""
        named: dict[str, NDArray[Any]] = {"labels": self.labels, "rows": self.rows}
        if self.tables is not None:
            named["starts"], named["ids"] = self.tables.starts, self.tables.ids
            named["signatures"] = self.tables.signatures
            named["bit_order"] = _build().bit_order()
        return named


def make_segment(labels: Labels, rows: Rows) -> Segment:
    """Return a segment of these hashes; takes over the arrays if they are in order."""
    if len(labels) > 1 and not (labels[:-1] < labels[1:]).all():
        # Stable: what is merged comes in runs that ascend, which this sort is fast at.
        order = np.argsort(labels, kind="stable")
        unordered, rows = rows, room_for(rows.shape, np.uint64)
        np.take(unordered, order, axis=0, out=rows, mode="clip")
        labels = labels[order]
    labels.setflags(write=False)
    rows.setflags(write=False)
    tables = None
    if len(labels) > FEW_HASHES and _engine() is not None:
        tables = _build().build(rows)
    return Segment(labels=labels, rows=rows, tables=tables)


def read_segment(arrays: Mapping[str, NDArray[Any]]) -> Segment:
    """Return the segment whose ``arrays`` these were, and build tables if they came without.

    Raises:
        ValueError: the arrays contradict one another, or are of another version.
    """
    labels, rows = _array(arrays, "labels", np.int64), _array(arrays, "rows", np.uint64)
    if labels.ndim != 1 or rows.shape != (len(labels), 4):
        raise ValueError("the index is damaged: it has not one label for each hash")
    if len(labels) > 1 and not (labels[:-1] < labels[1:]).all():
        raise ValueError("the index is damaged: its labels are not in order")
    if "starts" not in arrays or _engine() is None:
        made = make_segment(labels, rows)
        return structs.replace(made, mapped=made.tables is None)
    if not np.array_equal(_array(arrays, "bit_order", np.uint8), _build().bit_order()):
        raise ValueError("the index was written by another version: build it anew")
    tables = _build().Tables(
        starts=_array(arrays, "starts", np.uint32),
        ids=_array(arrays, "ids", np.uint32),
        signatures=_array(arrays, "signatures", np.uint16),
    )
    tables.check(len(labels))
    return Segment(labels=labels, rows=rows, tables=tables, mapped=True)


def _array(arrays: Mapping[str, NDArray[Any]], name: str, kind: type[np.generic]) -> NDArray[Any]:
    found = arrays.get(name)
    if found is None or found.dtype != kind:
        raise ValueError(f"the index is damaged: it has no {name}")
    return found


@cache
def _engine() -> ModuleType | None:
    """Return the compiled search, or None where this machine has no Numba."""
    try:
        from nightlight.kernel import _multi_index  # noqa: PLC0415  Numba takes a second to load
    except ImportError:  # no build for this platform: slower, with the same answers
        return None
    return _multi_index


def _build() -> ModuleType:
    from nightlight.kernel import _multi_index_build  # noqa: PLC0415  as above

    return _multi_index_build
