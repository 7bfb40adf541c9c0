"""The index of all hash banks, kept up with what is stored: a change counts within a second.

The lists at rest are encrypted. So that processes need not each decrypt millions of hashes, one of
them leaves a snapshot in shared memory, which the others map; without such a place each process
reads the lists for itself. What changed since a snapshot is read from the lists in any case. How
changes are taken in is ``services.following``'s.
"""

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from stat import S_ISDIR
from threading import Lock

from numpy import uint64
from numpy.typing import NDArray

from nightlight.audit.clock import Clock
from nightlight.detect.bank_index import BankIndex, Looked
from nightlight.kernel.arrays_file import discard_parts, open_arrays
from nightlight.model.bank import BankMatch
from nightlight.model.media import MediaHashes
from nightlight.services.following import PIECE, Following
from nightlight.transaction import Transaction, UnitOfWork

#: Fewer entries are read from the lists faster than a snapshot is worth.
_WORTH_A_SNAPSHOT = 200_000
#: Changes since the newest snapshot past which a new one is left.
_CHANGES_AT_MOST = 100_000
_SUFFIX = ".banks"


class Matcher:
    """Answers which bank entries a file matches, as of the newest ``refresh`` or ``advance``."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        clock: Clock,
        snapshots: Path | None = None,
        worth_a_snapshot: int = _WORTH_A_SNAPSHOT,
        piece: int = PIECE,
    ) -> None:
        """Keep the parts; nothing is read yet.

        Args:
            unit_of_work: begins transactions.
            clock: tells when disabled entries count again.
            snapshots: a folder in shared memory, made with the first snapshot for this user
                alone; nothing is read from or left in one that others may enter. None for none.
            worth_a_snapshot: from how many entries on a snapshot is left.
            piece: entries taken in at a time.
        """
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._snapshots = snapshots
        self._worth = worth_a_snapshot
        self._piece = piece
        self._lock = Lock()
        self._following: Following | None = None
        self._at_snapshot = 0
        self._passed_over: set[Path] = set()

    @property
    def index(self) -> BankIndex:
        """The index as of the newest ``refresh`` or ``advance``, read now if there was none."""
        # An index of nothing is false, and an index all the same.
        following = self._following
        return self.refresh() if following is None else following.index

    @property
    def version(self) -> int:
        """The version of the banks up to which everything is in the index."""
        return self.index.version

    @property
    def is_whole(self) -> bool:
        """Whether the index holds all that it has seen to be there, and lacks no piece of it."""
        following = self._following
        return following is None or following.is_whole

    def refresh(self) -> BankIndex:
        """Return the index with everything in it that is stored now."""
        while True:
            with self._unit_of_work.read() as tx:
                index = self.advance(tx)
            # A new transaction for each piece, so that what is disabled meanwhile is so at once.
            if self.is_whole:
                return index

    def follow(self, tx: Transaction) -> BankIndex:
        """Return the index with everything in it that this transaction sees."""
        index = self.advance(tx)
        return index if self.is_whole else self.refresh()

    def advance(self, tx: Transaction) -> BankIndex:
        """Return the index with every small change in it that this transaction sees.

        Of large ones a piece more is in it than before; ``is_whole`` says whether that was all. The
        first time, everything is taken in.
        """
        with self._lock:
            following = self._following
            if following is None or not following.is_ahead_of(tx):
                return self._advanced(tx)
            # Another thread was faster. If what is stored now is older still, it was restored.
            with self._unit_of_work.read() as now:
                return self._advanced(now)

    def _advanced(self, tx: Transaction) -> BankIndex:
        following = self._following
        known = following is not None and following.is_of(tx)
        if following is None or not known:
            following = self._opened(tx) or Following(BankIndex(), piece=self._piece)
        try:
            if known:
                following.step(tx)
            else:
                following.begin(tx)
                self._following, self._at_snapshot = following, 0
        finally:
            if following.is_torn:  # nobody knows what is in it: who asks next reads all anew
                self._following = None
        following.wake(self._clock.now())
        return following.index

    def forget(self) -> None:
        """Let the next question be answered from the lists alone, read anew."""
        with self._lock:
            self._following = None

    def match(
        self, hashes: MediaHashes, *, banks: Collection[str] | None = None
    ) -> tuple[BankMatch, ...]:
        """Return every bank entry that the file matches, as of the newest ``refresh``.

        Raises:
            InvalidInput: a hash is not hex of the right length; names the field.
        """
        return self.index.match(hashes, banks=banks)

    def look(self, hashes: MediaHashes, *, banks: Collection[str] | None = None) -> Looked:
        """Return what the file matches, and what a negative bank took back.

        Raises:
            InvalidInput: a hash is not hex of the right length; names the field.
        """
        return self.index.look(hashes, banks=banks)

    def near(self, rows: NDArray[uint64]) -> list[list[BankMatch]]:
        """Return the matches of plain PDQ hashes, a list each."""
        return self.index.near(rows)

    def leave_snapshot(self) -> Path | None:
        """Return the snapshot left for other processes, None where none is wanted or fits."""
        if self._snapshots is None:
            return None
        with self._lock:
            following = self._following
            if following is None or not following.is_whole or len(following.index) < self._worth:
                return None
            index = following.index
            path = self._snapshots / f"{index.version:020d}-{index.mark:016x}{_SUFFIX}"
            self._at_snapshot = following.taken_in
            if path.exists() and not self._is_torn(path):
                return None
            try:
                self._snapshots.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not _is_private(self._snapshots):
                    return None
                discard_parts(self._snapshots, _SUFFIX)
                index.save(path)
                self._passed_over.discard(path)
            except OSError:  # shared memory is full: each process goes on with an index of its own
                return None
        for other in self._snapshots.glob(f"*{_SUFFIX}"):
            if other != path:
                other.unlink(missing_ok=True)  # who has it mapped keeps it until they let go
        return path

    def wants_snapshot(self) -> bool:
        """Return whether enough changed for a new snapshot to be worth its while."""
        return self.changes > _CHANGES_AT_MOST

    @property
    def changes(self) -> int:
        """How many changes of entries were taken in since a snapshot was opened or left."""
        following = self._following
        return following.taken_in - self._at_snapshot if following else 0

    def _opened(self, tx: Transaction) -> Following | None:
        """Return the newest snapshot of this database as it once was, None where there is none."""
        if self._snapshots is None or not _is_private(self._snapshots):
            return None
        with suppress(OSError):
            discard_parts(self._snapshots, _SUFFIX)
        for path in sorted(self._snapshots.glob(f"*{_SUFFIX}"), reverse=True):
            # A snapshot that is torn, of another kind, of another database, or of lists that were
            # since restored from a backup, is passed over: the lists themselves are the truth.
            try:
                index = BankIndex.open(path)
            except (ValueError, KeyError, OSError):
                self._passed_over.add(path)
                continue
            following = Following(index, piece=self._piece)
            if index.mark and following.is_of(tx):
                return following
        return None

    def _is_torn(self, path: Path) -> bool:
        """Return whether no process can open a snapshot, so that it has to be written again."""
        try:
            open_arrays(path)
        except (ValueError, OSError):
            return True
        return path in self._passed_over


def _is_private(folder: Path) -> bool:
    """Return whether a folder is there, is no link, and only this user may enter it."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
