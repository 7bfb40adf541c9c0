"""One version of a hash index: segments, what was removed from them, and the newest hashes.

Every function returns a new version and leaves the old one to the searches that are reading it.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from nightlight.kernel import hamming
from nightlight.kernel._hash_segment import (
    FEW_HASHES,
    NO_LABELS,
    NO_ROWS,
    Labels,
    Pairs,
    Rows,
    Segment,
    make_segment,
)
from nightlight.kernel._room import joined, room_for

#: A merge is due when more than this many hashes, and more than this share, are not merged.
_LEAST_MERGED = 65_536
_SHARE_MERGED = 50
#: A segment is folded into a newer one unless it is this many times as large: so there are few
#: segments to search, and each hash is moved a few times only.
_STEP = 4


class Part(Struct, frozen=True, kw_only=True):
    """A segment, and which of its places have been removed: one bit each, or None for none."""

    segment: Segment
    removed: NDArray[np.uint8] | None = None
    count: int

    def live(self, places: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of these places have not been removed."""
        if self.removed is None:
            return np.ones(len(places), np.bool_)
        bits: NDArray[np.int64] = (self.removed[places >> 3] >> (places & 7)) & 1
        kept: NDArray[np.bool_] = bits == 0
        return kept

    def without(self, labels: Labels) -> Self:
        """Return this part without these labels, as far as it has them."""
        places = self.segment.places(labels)
        places = places[places >= 0]
        places = np.unique(places[self.live(places)])
        if not len(places):
            return self
        size = -(-len(self.segment.labels) // 8)
        removed = np.zeros(size, np.uint8) if self.removed is None else self.removed.copy()
        np.bitwise_or.at(removed, places >> 3, (1 << (places & 7)).astype(np.uint8))
        return structs.replace(self, removed=removed, count=self.count - len(places))

    def has(self, labels: Labels) -> NDArray[np.bool_]:
        """Return which of the labels are here and not removed."""
        places = self.segment.places(labels)
        return (places >= 0) & self.live(places.clip(min=0))

    def search(self, queries: Rows, distance_bits: int) -> Pairs:
        """Return query number, label and distance of every pair, in no order that counts."""
        query, place, distance = self.segment.search(queries, distance_bits)
        if self.removed is not None and len(place):
            live = self.live(place)
            query, place, distance = query[live], place[live], distance[live]
        return query, self.segment.labels[place], distance

    def copy_to(self, labels: Labels, rows: Rows) -> None:
        """Write there the labels and hashes that have not been removed."""
        if self.removed is None:
            labels[:], rows[:] = self.segment.labels, self.segment.rows
            return
        kept = _places_kept(self.removed, len(self.segment.labels))
        # Clipping clips nothing here: it only spares NumPy a copy of what it writes to.
        np.take(self.segment.labels, kept, out=labels, mode="clip")
        np.take(self.segment.rows, kept, axis=0, out=rows, mode="clip")

    def labels(self) -> Labels:
        """Return the labels that have not been removed."""
        if self.removed is None:
            return self.segment.labels
        return self.segment.labels[_places_kept(self.removed, len(self.segment.labels))]

    @property
    def size(self) -> int:
        """Bytes of all its arrays."""
        return self.segment.size + (0 if self.removed is None else self.removed.nbytes)


class Version(Struct, frozen=True, kw_only=True):
    """All that a search looks at; the largest part first, the newest hashes in no order."""

    parts: tuple[Part, ...] = ()
    labels: Labels = NO_LABELS
    rows: Rows = NO_ROWS

    @property
    def count(self) -> int:
        """How many hashes are held."""
        return sum(part.count for part in self.parts) + len(self.labels)

    @property
    def removed(self) -> int:
        """How many removed hashes still take room."""
        return sum(len(part.segment.labels) - part.count for part in self.parts)

    @property
    def size(self) -> int:
        """Bytes of all arrays."""
        return sum(part.size for part in self.parts) + self.labels.nbytes + self.rows.nbytes

    @property
    def mapped(self) -> int:
        """How many of them belong to a mapped file."""
        return sum(part.segment.size for part in self.parts if part.segment.mapped)

    @property
    def is_merged(self) -> bool:
        """Whether a merge would change nothing."""
        return len(self.parts) == 1 and not len(self.labels) and not self.removed

    @property
    def is_due(self) -> bool:
        """Whether so much is not merged that a merge pays."""
        largest = self.parts[0].count if self.parts else 0
        apart = self.count - largest + self.removed
        return apart > max(_LEAST_MERGED, largest // _SHARE_MERGED)

    def search(self, queries: Rows, distance_bits: int) -> Pairs:
        """Return query number, label and distance of every pair, by query, distance, label."""
        found = [part.search(queries, distance_bits) for part in self.parts]
        if len(self.labels) or not found:
            query, place, distance = hamming.within(queries, self.rows, distance_bits)
            found.append((query, self.labels[place], distance))
        query, label, distance = (
            found[0] if len(found) == 1 else map(np.concatenate, zip(*found, strict=True))
        )
        if len(query) <= 1:
            return query, label, distance
        order = np.lexsort((label, distance, query))
        return query[order], label[order], distance[order]

    def has(self, labels: Labels) -> NDArray[np.bool_]:
        """Return which of the labels are held."""
        held = np.isin(labels, self.labels)
        for part in self.parts:
            held |= part.has(labels)
        return held

    def without(self, labels: Labels) -> Self:
        """Return this version without these labels, as far as it has them."""
        kept = ~np.isin(self.labels, labels)
        parts = (part.without(labels) for part in self.parts)
        return structs.replace(
            self, parts=tuple(parts), labels=self.labels[kept], rows=self.rows[kept]
        )

    def plus(self, labels: Labels, rows: Rows, *, untouched: int) -> Self:
        """Return this version and these hashes, of labels that it has not.

        The first ``untouched`` parts stay as they are.
        """
        labels, rows = joined(self.labels, labels), joined(self.rows, rows)
        if len(labels) <= FEW_HASHES:
            return structs.replace(self, labels=labels, rows=rows)
        first, size = len(self.parts), len(labels)
        while first > untouched and self.parts[first - 1].count < _STEP * size:
            first -= 1
            size += self.parts[first].count
        folded = merged((*self.parts[first:], part_of(Segment(labels=labels, rows=rows))))
        parts = (*self.parts[:first], folded)
        return structs.replace(self, parts=parts, labels=NO_LABELS, rows=NO_ROWS)

    def sealed(self) -> Self:
        """Return this version with its newest hashes as its last part."""
        if not len(self.labels):
            return self
        parts = (*self.parts, part_of(make_segment(self.labels.copy(), self.rows.copy())))
        return structs.replace(self, parts=parts, labels=NO_LABELS, rows=NO_ROWS)

    def with_merged(self, count: int, part: Part) -> Self:
        """Return this version with one part in the place of the first ``count``."""
        later = self.parts[count:]
        return structs.replace(self, parts=(part, *later) if part.count else later)


def part_of(segment: Segment) -> Part:
    """Return a part of which nothing has been removed."""
    return Part(segment=segment, count=len(segment.labels))


def merged(parts: Sequence[Part]) -> Part:
    """Return one part of all that has not been removed from these."""
    if len(parts) == 1 and parts[0].removed is None:  # no copy: it may be most of the memory
        return part_of(make_segment(parts[0].segment.labels, parts[0].segment.rows))
    count, at = sum(part.count for part in parts), 0
    labels, rows = room_for((count,), np.int64), room_for((count, 4), np.uint64)
    for part in parts:
        here = slice(at, at + part.count)
        part.copy_to(labels[here], rows[here])
        at += part.count
    return part_of(make_segment(labels, rows))


def _places_kept(removed: NDArray[np.uint8], count: int) -> NDArray[np.int64]:
    return np.flatnonzero(np.unpackbits(removed, bitorder="little", count=count) == 0)
