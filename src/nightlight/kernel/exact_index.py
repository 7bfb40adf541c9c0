"""Which labels carry exactly this digest: for MD5, SHA-1 and SHA-256 sets of any size.

Arrays in, labels out. Most digests lie in arrays sorted by their first eight bytes; what came
since the last merge lies in a dictionary, so that it is found at once.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

_KEY_BYTES = 8
#: Fresh digests are merged into the sorted arrays past this many, or this share of them.
_MERGE_AT = 65_536
_MERGE_SHARE = 20


class ExactIndex:
    """Finds equal digests of one length. One thread changes it; any number may search meanwhile."""

    def __init__(self, width: int) -> None:
        """Start empty.

        Args:
            width: the length of a digest in bytes, 8 or more.
        """
        self._width = width
        empty = np.empty((0, width), np.uint8)
        # Replaced as one, so that a search sees keys, labels and digests that belong together.
        self._sorted = (np.empty(0, np.uint64), np.empty(0, np.int64), empty)
        self._fresh: dict[bytes, tuple[int, ...]] = {}
        self._fresh_count = 0
        self._gone: set[int] = set()

    def add(self, digests: Iterable[tuple[int, bytes]]) -> None:
        """Let each label carry its digest; a label carries one.

        Raises:
            ValueError: a digest is not of this index's length.
        """
        for label, digest in digests:
            if len(digest) != self._width:
                raise ValueError(f"a digest is not {self._width} bytes long")
            if label in self._gone:
                self._merge()  # its old digest must not come back with the label
            self._fresh[digest] = (*self._fresh.get(digest, ()), label)
            self._fresh_count += 1
        if self._fresh_count > max(_MERGE_AT, len(self._sorted[0]) // _MERGE_SHARE):
            self._merge()

    def remove(self, labels: Iterable[int]) -> None:
        """Let these labels carry no digest any more; one that carries none stays so."""
        self._gone.update(labels)
        if len(self._gone) > max(_MERGE_AT, len(self._sorted[0]) // _MERGE_SHARE):
            self._merge()

    def search(self, digest: bytes) -> list[int]:
        """Return the labels that carry this digest, in the order in which they came."""
        # The fresh ones first: a merge in another thread moves labels from here to there.
        fresh = self._fresh.get(digest, ())
        found = self._search_sorted(digest)
        found += [label for label in fresh if label not in found]
        if self._gone:
            return [label for label in found if label not in self._gone]
        return found

    def __len__(self) -> int:
        """Return how many labels carry a digest; those removed count until the next merge."""
        return len(self._sorted[0]) + self._fresh_count

    def arrays(self) -> Mapping[str, NDArray[np.generic]]:
        """Return everything as arrays, for a snapshot."""
        self._merge()
        _, labels, digests = self._sorted
        return {"labels": labels, "digests": digests}

    @classmethod
    def from_arrays(cls, width: int, arrays: Mapping[str, NDArray[np.generic]]) -> "ExactIndex":
        """Return the index that ``arrays`` was taken of; the arrays may be memory-mapped."""
        index = cls(width)
        digests = np.asarray(arrays["digests"], np.uint8).reshape(-1, width)
        labels = np.asarray(arrays["labels"], np.int64)
        index._sorted = (_keys(digests), labels, digests)
        return index

    def _search_sorted(self, digest: bytes) -> list[int]:
        keys, labels, digests = self._sorted
        if len(keys) == 0:
            return []
        key = np.uint64(int.from_bytes(digest[:_KEY_BYTES]))
        first = int(np.searchsorted(keys, key, side="left"))
        found: list[int] = []
        while first < len(keys) and keys[first] == key:
            if digests[first].tobytes() == digest:
                found.append(int(labels[first]))
            first += 1
        return found

    def _merge(self) -> None:
        """Move what is fresh into the sorted arrays and leave out what is gone."""
        _, labels, digests = self._sorted
        if self._gone:
            stays = ~np.isin(labels, np.fromiter(self._gone, np.int64, len(self._gone)))
            labels, digests = labels[stays], digests[stays]
        if self._fresh:
            pairs = [
                (one, digest)
                for digest, own in self._fresh.items()
                for one in own
                if one not in self._gone
            ]
            new_labels = np.array([label for label, _ in pairs], np.int64)
            joined = b"".join(digest for _, digest in pairs)
            new_digests = np.frombuffer(joined, np.uint8).reshape(-1, self._width)
            labels = np.concatenate([labels, new_labels])
            digests = np.concatenate([digests, new_digests])
        keys = _keys(digests)
        order = np.lexsort((labels, keys))
        self._sorted = (keys[order], labels[order], np.ascontiguousarray(digests[order]))
        # Only now: a search in another thread finds each label in one place or in both.
        self._fresh, self._fresh_count, self._gone = {}, 0, set()


def _keys(digests: NDArray[np.uint8]) -> NDArray[np.uint64]:
    first = np.ascontiguousarray(digests[:, :_KEY_BYTES])
    return first.view(">u8").reshape(-1).astype(np.uint64)
