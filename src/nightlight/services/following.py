"""What is stored of hash banks is taken into an index: small changes at once, large ones in pieces.

A list of millions takes minutes to take in. Whatever is disabled, withdrawn, vetoed or added in the
meantime must not wait for that, so it overtakes.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

import structlog

from nightlight.detect.bank_index import BankIndex
from nightlight.detect.entry_hashes import is_hash
from nightlight.model.bank import BankEntry, EntryState, HashKind
from nightlight.transaction import Transaction

_log = structlog.get_logger("nightlight.following")

#: Entries taken in at a time, in well under a second. A version that changed as many is large.
PIECE = 5_000
#: Hex digits of hashes taken in at a time, in about as long: 100,000 frames of videos.
PIECE_DIGITS = 7_400_000


class Following:
    """An index, and how far it is. Not for several threads at once."""

    def __init__(
        self, index: BankIndex, *, piece: int = PIECE, piece_digits: int = PIECE_DIGITS
    ) -> None:
        """Go on from where the index is.

        Args:
            index: of nothing, or of everything up to a version.
            piece: entries taken in at a time.
            piece_digits: hex digits of their hashes past which no more are taken in at a time.
        """
        self.index = index
        #: How many changes were taken in.
        self.taken_in = 0
        #: Whether taking something in failed midway: what is in the index then is not known.
        self.is_torn = False
        self._piece = piece
        self._piece_digits = piece_digits
        self._seen, self._seen_mark = index.version, index.mark
        # Large versions, and the number of the last entry that was taken in of each.
        self._large: dict[int, int] = {}
        # Long videos that came with little else: they wait, so that others need not.
        self._heavy: dict[int, None] = {}
        self._waking: dict[int, datetime] = {}

    @property
    def is_whole(self) -> bool:
        """Whether everything that was seen is in the index."""
        return not self._large and not self._heavy

    def is_ahead_of(self, tx: Transaction) -> bool:
        """Return whether something was taken in that this transaction does not see."""
        return tx.banks.version() < self._seen

    def is_of(self, tx: Transaction) -> bool:
        """Return whether the index is of this database, and of what its numbers stand for now."""
        banks, version = tx.banks, self.index.version
        is_known = not self.is_ahead_of(tx) and version >= banks.emptied()
        # What was seen can be far past what is in: neither may be of what a backup took back.
        is_same = self._seen_mark == banks.mark(self._seen)
        return is_known and is_same and self.index.mark == banks.mark(version)

    def begin(self, tx: Transaction) -> None:
        """Take in all that there is, but for entries that are no hash: each is told in the log."""
        index, newest = self.index, tx.banks.version()
        self._note_banks(tx)
        if index.version:
            self._note_disabled(tx)
        states = None if index.version else [s for s in EntryState if s is not EntryState.WITHDRAWN]
        self._apply(tx.banks.entries(changed_after=index.version, states=states))
        self._is_up_to(tx, newest)

    def step(self, tx: Transaction) -> None:
        """Take in what is new: every small change, and a piece of a large one.

        New videos that are too long for one piece together are a large change, however few.

        In what order changes are taken in does not matter: an entry is what its newest change made
        it. But the index must not be ahead of the transaction, which would take that back.
        """
        newest = tx.banks.version()
        if newest > self._seen:
            self._note_banks(tx)
            self._take_small(tx)
            self._seen, self._seen_mark = newest, tx.banks.mark(newest)
        if self._large:
            self._take_piece(tx, min(self._large))
        elif self._heavy:
            self._take_heavy(tx)
        if self.is_whole:
            self._is_up_to(tx, newest)

    def wake(self, now: datetime) -> None:
        """Let entries that are disabled until now count again."""
        due = [number for number, until in self._waking.items() if until <= now]
        self.index.enable(due)
        for number in due:
            del self._waking[number]

    def _is_up_to(self, tx: Transaction, newest: int) -> None:
        self._seen, self._seen_mark = newest, tx.banks.mark(newest)
        self.index.version, self.index.mark = newest, self._seen_mark

    def _note_banks(self, tx: Transaction) -> None:
        self.index.set_banks(tx.banks.banks(), tx.banks.numbers())

    def _take_small(self, tx: Transaction) -> None:
        """Take in the versions that changed few entries, and note those that changed many."""
        after, room = self._seen, self._piece_digits
        while found := tx.banks.changed(after=after, limit=self._piece):
            after = found[-1].version
            if len(found) == self._piece:
                if found[0].version == after:
                    self._large.setdefault(after, 0)
                    continue
                # The last version may be cut off: it begins the next page.
                found = [one for one in found if one.version < after]
                after = found[-1].version
            room = self._take_light(tx.banks.entries(numbers=[one.number for one in found]), room)

    def _take_light(self, entries: Iterable[BankEntry], room: int) -> int:
        """Take in what is known already, or no long video; return for how many digits is room."""
        taken: list[BankEntry] = []
        for entry in entries:
            if room <= 0 and entry.kind is HashKind.VPDQ and entry.number not in self.index:
                self._heavy[entry.number] = None
                continue
            taken.append(entry)
            room -= len(entry.value)
        self._apply(taken)
        return room

    def _take_heavy(self, tx: Transaction) -> None:
        """Take in a piece of the long videos; what became of them meanwhile is known now."""
        asked = list(islice(self._heavy, self._piece))
        taken, is_all = self._take(tx.banks.entries(numbers=asked))
        for number in asked if is_all else taken:
            self._heavy.pop(number, None)

    def _take_piece(self, tx: Transaction, version: int) -> None:
        taken = tx.banks.entries(
            changed_in=version, after_number=self._large[version], limit=self._piece
        )
        numbers, is_all = self._take(taken)
        if is_all and len(numbers) < self._piece:
            del self._large[version]
        else:
            self._large[version] = numbers[-1]

    def _take(self, entries: Iterable[BankEntry]) -> tuple[list[int], bool]:
        """Take in as many as a piece may be long; return their numbers, and whether it was all."""
        taken: list[BankEntry] = []
        digits, is_all = 0, True
        for entry in entries:
            if digits > self._piece_digits:
                is_all = False
                break
            taken.append(entry)
            digits += len(entry.value)
        self._apply(taken)
        return [entry.number for entry in taken], is_all

    def _apply(self, entries: Iterable[BankEntry]) -> None:
        self.is_torn = True
        self.index.apply(self._noted(entries))
        self.is_torn = False

    def _noted(self, entries: Iterable[BankEntry]) -> Iterator[BankEntry]:
        for entry in entries:
            self.taken_in += 1
            self._waking.pop(entry.number, None)
            if entry.state is EntryState.DISABLED and entry.disabled_until is not None:
                self._waking[entry.number] = entry.disabled_until
            if entry.state is EntryState.WITHDRAWN or is_hash(entry):
                yield entry
            else:
                # One bad entry must not keep all others from counting.
                _log.error("bank.entry_is_no_hash", entry=entry.id, bank=entry.bank)

    def _note_disabled(self, tx: Transaction) -> None:
        """Learn when the disabled entries of a snapshot count again."""
        for entry in tx.banks.entries(states=[EntryState.DISABLED]):
            if entry.disabled_until is not None:
                self._waking[entry.number] = entry.disabled_until
