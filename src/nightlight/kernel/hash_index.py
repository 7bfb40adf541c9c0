"""An exact index of 256-bit hashes that grows, shrinks and is searched at the same time.

Hashes are kept under labels, whole numbers that the caller gives. A search sees one version of
the index, all of it: what was added and removed before it began, nothing of what came later.

New hashes are searched from end to end until there are a few thousand, then in small segments of
their own, and once those and the removed ones are past a share they are merged with the rest.
Owns that; leaves what a hash means, and which distance is a match, to the caller.
"""

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from nightlight.kernel import hamming
from nightlight.kernel._hash_segment import (
    NO_LABELS,
    NO_ROWS,
    Labels,
    Pairs,
    Rows,
    Segment,
    read_segment,
)
from nightlight.kernel._hash_version import Version, merged, part_of
from nightlight.kernel.arrays_file import Meta, open_arrays, write_arrays

#: What a search looks for unless told otherwise, and up to which the tables answer it.
DISTANCE_BITS = 31

Arrays: TypeAlias = Mapping[str, NDArray[Any]]

_EXTRA = "extra."
_KIND = "hash index"


class IndexStatus(Struct, frozen=True, kw_only=True):
    """How an index is.

    Attributes:
        hashes: how many hashes a search looks through.
        merged: how many of them are in the one large segment.
        removed: removed hashes that still take room until the next merge.
        segments: how many segments a search goes through.
        merging: whether a merge is going on.
        merge_failed: whether the last merge that began by itself failed; searches are complete
            nonetheless, and ``compact`` tells why.
        memory_bytes: what the hashes take, tables included, mapped files included.
        mapped_bytes: what of that belongs to a mapped file, which other processes share.
    """

    hashes: int
    merged: int
    removed: int
    segments: int
    merging: bool
    merge_failed: bool
    memory_bytes: int
    mapped_bytes: int


class HashIndex:
    """Hashes under labels of which a search finds every one within a distance.

    Any number of threads may search while one or more change it; changes wait for one another.
    """

    def __init__(self, *, background: bool = True) -> None:
        """An empty index; merges that are due run in a thread of their own, or else at once."""
        #: What the writer of the opened snapshot kept with it; empty for a new index.
        self.extra: Arrays = MappingProxyType({})
        self.meta: Meta = MappingProxyType({})
        self._background = background
        self._version = Version()
        self._writing = threading.Lock()
        self._merging = threading.Lock()
        self._merge: Future[object] | None = None
        #: How many of the first parts a merge works on, and what was removed meanwhile.
        self._captured = 0
        self._removed_meanwhile: list[Labels] = []

    @classmethod
    def open(cls, path: Path, *, background: bool = True, check_content: bool = False) -> Self:
        """Return the index of a snapshot, mapped into memory; changes to it stay in this process.

        ``check_content`` reads all of the file and compares it with its checksums.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is no snapshot of an index, or a damaged one.
        """
        file = open_arrays(path)
        if file.meta.get("kind") != _KIND:
            raise ValueError("the file is not of an index of hashes")
        if check_content:
            file.check_content()
        segment = read_segment(file.arrays)
        index = cls(background=background)
        index.extra, index.meta = _extra(file.arrays), _extra(file.meta)
        if len(segment.labels):
            index._version = Version(parts=(part_of(segment),))
        return index

    def save(
        self,
        path: Path,
        extra: Arrays = MappingProxyType({}),
        meta: Meta = MappingProxyType({}),
    ) -> None:
        """Replace ``path`` by a snapshot of the index as it is now, merged; durable, owner only.

        Until the new file is whole the old one stays. ``extra`` and ``meta`` are kept with it.

        Raises:
            ValueError: an array of ``extra`` is not of numbers.
        """
        segment = self._compacted()
        named = {f"{_EXTRA}{name}": array for name, array in extra.items()}
        kept: Meta = {f"{_EXTRA}{name}": value for name, value in meta.items()}
        write_arrays(path, {**segment.arrays, **named}, {"kind": _KIND, **kept})

    def add(self, labels: Labels, rows: Rows) -> None:
        """Hold these hashes under these labels: the next search finds them.

        Raises:
            ValueError: a label is already held or comes twice; then none is added.
        """
        self.update(labels, rows)

    def remove(self, labels: Labels) -> int:
        """Hold nothing under these labels and return how many there were: no search finds them."""
        return self.update(NO_LABELS, NO_ROWS, removed=labels)

    def update(self, labels: Labels, rows: Rows, *, removed: Labels = NO_LABELS) -> int:
        """Remove and then add in one step, and return how many there were to remove.

        No search sees the one without the other, so a hash can be replaced without a gap.

        Raises:
            ValueError: a label is already held and not among the removed, or comes twice; then
                nothing changes.
        """
        _check_labels(labels, removed)
        _check_rows(rows)
        if len(labels) != len(rows):
            raise ValueError("there must be one label for each hash")
        with self._writing:
            version = self._version.without(removed) if len(removed) else self._version
            gone = self._version.count - version.count
            if len(labels):
                _check_new(version, labels)
                version = version.plus(labels, rows, untouched=self._captured)
            self._version = version
            if self._captured:
                self._removed_meanwhile.append(removed.copy())
        self._merge_if_due()
        return gone

    def search(self, queries: Rows, distance_bits: int = DISTANCE_BITS) -> Pairs:
        """Return every pair at most so far apart: query number, label, distance.

        The three arrays are ordered by query, distance, label. Up to 31 bits the tables answer;
        beyond, every hash is looked at, which is hundreds of times slower and as exact.

        Raises:
            ValueError: the queries are not rows of four uint64, the distance is not in 0 to 256,
                or the index was opened from a damaged file.
        """
        _check_rows(queries)
        if not 0 <= distance_bits <= hamming.HASH_BITS:
            raise ValueError(f"distance_bits must be 0 to {hamming.HASH_BITS}, not {distance_bits}")
        if not (queries.flags.c_contiguous and queries.flags.writeable):
            queries = queries.copy()  # one kind of array, so that one kind of search is compiled
        return self._version.search(queries, distance_bits)

    def compact(self) -> None:
        """Merge everything into one segment, while searches and changes go on.

        Takes as much memory again as the index, and up to 42 bytes a hash, while it works.
        """
        self._compacted()

    def wait(self) -> None:
        """Return once no merge that began by itself is going on.

        Raises:
            MemoryError: the last one found no memory; the index is as complete as before.
        """
        merge = self._merge
        if merge is not None:
            merge.result()

    def labels(self) -> Labels:
        """Return all labels, ascending."""
        return np.sort(
            np.concatenate([NO_LABELS, *(part.labels() for part in self._version.sealed().parts)])
        )

    def rows(self, labels: Labels) -> Rows:
        """Return the hash of each label.

        Raises:
            ValueError: one is not held.
        """
        rows, missing = np.zeros((len(labels), 4), np.uint64), np.ones(len(labels), np.bool_)
        for part in self._version.sealed().parts:
            here = part.has(labels)
            rows[here] = part.segment.rows[part.segment.places(labels[here])]
            missing &= ~here
        if missing.any():
            raise ValueError(f"{missing.sum()} of the labels are not held")
        return rows

    def __len__(self) -> int:
        return self._version.count

    @property
    def memory_bytes(self) -> int:
        """What the hashes take, tables and mapped files included."""
        return self.status.memory_bytes

    @property
    def status(self) -> IndexStatus:
        """How the index is at this moment."""
        version, merge = self._version, self._merge
        return IndexStatus(
            hashes=version.count,
            merged=version.parts[0].count if version.parts else 0,
            removed=version.removed,
            segments=len(version.parts) + bool(len(version.labels)),
            merging=self._merging.locked(),
            merge_failed=merge is not None and merge.done() and merge.exception() is not None,
            memory_bytes=version.size,
            mapped_bytes=version.mapped,
        )

    def _merge_if_due(self) -> None:
        if not self._version.is_due:
            return
        if not self._background:
            self.compact()
            return
        with self._writing:
            if self._merge is None or self._merge.done():
                pool = ThreadPoolExecutor(1, thread_name_prefix="hash-index")
                self._merge = pool.submit(self.compact)
                pool.shutdown(wait=False)

    def _compacted(self) -> Segment:
        """Merge, and return all that was held when the merge began, as one segment."""
        with self._merging:
            with self._writing:
                self._version = version = self._version.sealed()
                if version.is_merged:
                    return version.parts[0].segment
                self._captured, self._removed_meanwhile = len(version.parts), []
            try:
                whole = merged(version.parts)
                with self._writing:
                    part = whole.without(np.concatenate([NO_LABELS, *self._removed_meanwhile]))
                    self._version = self._version.with_merged(self._captured, part)
                    self._captured = 0
            finally:
                # Also where memory ran out: then the parts stay, and all are searched.
                with self._writing:
                    self._captured = 0
            return whole.segment


def _check_new(version: Version, labels: Labels) -> None:
    """Return if no label is held or comes twice.

    Raises:
        ValueError: one is, or does.
    """
    ascending = labels if (labels[:-1] < labels[1:]).all() else np.sort(labels)
    if (ascending[:-1] == ascending[1:]).any():
        raise ValueError("a label comes twice")
    held = int(version.has(labels).sum())
    if held:
        raise ValueError(f"{held} of the labels are already held: remove them first")


def _check_labels(*several: Labels) -> None:
    if any(labels.dtype != np.int64 or labels.ndim != 1 for labels in several):
        raise ValueError("labels must be one row of int64")


def _check_rows(rows: Rows) -> None:
    if rows.dtype != np.uint64 or rows.shape[1:] != (hamming.HASH_BITS // 64,):
        raise ValueError("hashes must be rows of 4 uint64 words")


def _extra(named: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the writer of a snapshot kept with it."""
    return MappingProxyType(
        {name.removeprefix(_EXTRA): kept for name, kept in named.items() if name.startswith(_EXTRA)}
    )
