"""The index of all hash banks, kept up with what is stored: a change counts within a second.

The lists at rest are encrypted. So that processes need not each decrypt millions of hashes, one of
them leaves a snapshot in shared memory, which the others map; without such a place each process
reads the lists for itself. What changed since a snapshot is read from the lists in any case.
"""

from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Lock

from numpy import uint64
from numpy.typing import NDArray

from nightlight.audit.clock import Clock
from nightlight.detect.bank_index import BankIndex, Looked
from nightlight.model.bank import BankEntry, BankMatch, EntryState
from nightlight.model.media import MediaHashes
from nightlight.transaction import Transaction, UnitOfWork

#: Fewer entries are read from the lists faster than a snapshot is worth.
_WORTH_A_SNAPSHOT = 200_000
#: Changes since the newest snapshot past which a new one is left.
_CHANGES_AT_MOST = 100_000
_SUFFIX = ".banks"


class Matcher:
    """Answers which bank entries a file matches, as of the newest ``refresh``."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        clock: Clock,
        snapshots: Path | None = None,
        worth_a_snapshot: int = _WORTH_A_SNAPSHOT,
    ) -> None:
        """Keep the parts; nothing is read yet.

        Args:
            unit_of_work: begins transactions.
            clock: tells when disabled entries count again.
            snapshots: a folder in shared memory, which only this user may read; None for none.
            worth_a_snapshot: from how many entries on a snapshot is left.
        """
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._snapshots = snapshots
        self._worth = worth_a_snapshot
        self._lock = Lock()
        self._index: BankIndex | None = None
        self._since_snapshot = 0
        self._waking: dict[int, datetime] = {}

    @property
    def index(self) -> BankIndex:
        """The index as of the newest ``refresh``, read now if there was none."""
        # An index of nothing is false, and an index all the same.
        index = self._index
        return self.refresh() if index is None else index

    @property
    def version(self) -> int:
        """The version of the banks that the index answers by."""
        return self.index.version

    def refresh(self) -> BankIndex:
        """Return the index brought up to what is stored now."""
        with self._unit_of_work.read() as tx:
            return self.follow(tx)

    def follow(self, tx: Transaction) -> BankIndex:
        """Return the index brought up to what this transaction sees."""
        newest = tx.banks.version()
        with self._lock:
            index = self._index
            if index is not None and index.version < newest and index.version < tx.banks.emptied():
                index = None  # numbers began anew: what is held is of other entries
                self._waking.clear()
            if index is None:
                index = self._opened(newest, emptied=tx.banks.emptied()) or BankIndex()
                self._take_in(index, tx, newest)
                self._note_disabled(index, tx)
                self._index = index
            elif index.version < newest:
                self._take_in(index, tx, newest)
            self._wake(index)
            return index

    def forget(self) -> None:
        """Let the next question be answered from the lists alone, read anew."""
        with self._lock:
            self._index = None
            self._waking.clear()

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
            index = self._index
            if index is None or len(index) < self._worth:
                return None
            path = self._snapshots / f"{index.version:020d}{_SUFFIX}"
            if path.exists():
                return None
            self._since_snapshot = 0
            try:
                index.save(path)
            except OSError:  # shared memory is full: each process goes on with an index of its own
                return None
        for older in sorted(self._snapshots.glob(f"*{_SUFFIX}"))[:-1]:
            older.unlink(missing_ok=True)  # who has it mapped keeps it until they let go
        return path

    def wants_snapshot(self) -> bool:
        """Return whether enough changed for a new snapshot to be worth its while."""
        return self._since_snapshot > _CHANGES_AT_MOST

    def _opened(self, newest: int, *, emptied: int) -> BankIndex | None:
        if self._snapshots is None:
            return None
        for path in sorted(self._snapshots.glob(f"*{_SUFFIX}"), reverse=True):
            # A snapshot that is torn, of another kind, or of lists that were since restored from
            # a backup, is passed over: the lists themselves are the truth.
            with suppress(ValueError, OSError):
                index = BankIndex.open(path)
                if emptied <= index.version <= newest:
                    return index
        return None

    def _take_in(self, index: BankIndex, tx: Transaction, newest: int) -> None:
        index.set_banks(tx.banks.banks())
        states = None if index.version else [s for s in EntryState if s is not EntryState.WITHDRAWN]
        changed = tx.banks.entries(changed_after=index.version, states=states)
        index.apply(self._counted(changed))
        index.version = newest

    def _counted(self, entries: Iterator[BankEntry]) -> Iterator[BankEntry]:
        for entry in entries:
            self._since_snapshot += 1
            self._waking.pop(entry.number, None)
            if entry.state is EntryState.DISABLED and entry.disabled_until is not None:
                self._waking[entry.number] = entry.disabled_until
            yield entry

    def _note_disabled(self, index: BankIndex, tx: Transaction) -> None:
        """Learn when the disabled entries of a snapshot count again."""
        if index.version:
            for entry in tx.banks.entries(states=[EntryState.DISABLED]):
                if entry.disabled_until is not None:
                    self._waking[entry.number] = entry.disabled_until

    def _wake(self, index: BankIndex) -> None:
        if not self._waking:
            return
        now = self._clock.now()
        due = [number for number, until in self._waking.items() if until <= now]
        index.enable(due)
        for number in due:
            del self._waking[number]
