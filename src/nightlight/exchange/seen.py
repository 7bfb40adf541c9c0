"""Which ids a file named before, and on which line, in sixteen bytes an id.

A file may name ten million hashes; a dictionary of their ids would take gigabytes.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

_RECENT = 100_000


class Seen:
    """Ids by the line that named them first.

    Ids are told apart by 64 bits of their digest: among ten million, two that are not the same
    are taken for the same once in three hundred thousand files, and then one line is left out and
    told, as a repeated one is.
    """

    def __init__(self) -> None:
        self._recent: dict[int, int] = {}
        self._older: list[tuple[NDArray[np.uint64], NDArray[np.int64]]] = []

    def before(self, name: str, line: int) -> int | None:
        """Return the line that named it first, None where this one does."""
        digest = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())
        for digests, lines in self._older:
            place = int(np.searchsorted(digests, np.uint64(digest)))
            if place < len(digests) and digests[place] == digest:
                return int(lines[place])
        earlier = self._recent.setdefault(digest, line)
        if len(self._recent) >= _RECENT:
            self._put_away()
        return None if earlier == line else earlier

    def _put_away(self) -> None:
        digests = np.fromiter(self._recent.keys(), np.uint64, len(self._recent))
        lines = np.fromiter(self._recent.values(), np.int64, len(self._recent))
        self._recent = {}
        # Runs of like size are merged, so a handful of them holds any number of ids.
        while self._older and len(self._older[-1][0]) <= 2 * len(digests):
            others, other_lines = self._older.pop()
            digests = np.concatenate([others, digests])
            lines = np.concatenate([other_lines, lines])
        order = np.argsort(digests, kind="stable")
        self._older.append((digests[order], lines[order]))
