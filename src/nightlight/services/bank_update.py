"""One update of a hash bank under way, in one transaction, and what the record says of it."""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from nightlight.errors import InvalidInput
from nightlight.exchange.ports import Put
from nightlight.model.audit import AuditEntry
from nightlight.model.bank import BankEntry, BankVersion, EntryState
from nightlight.services.flood import Gate, LetIn
from nightlight.transaction import Transaction

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


def check_name(name: str, *, field: str = "name") -> None:
    """Return if a bank may have this name.

    Raises:
        InvalidInput: it may not.
    """
    if not _NAME.fullmatch(name):
        hint = "1 to 64 letters, digits, _ and -, not beginning with a digit or -"
        raise InvalidInput("not a name that a bank may have", field=field, hint=hint)


class Taken(Struct, frozen=True, kw_only=True):
    """What an update came to.

    Attributes:
        version: the version of the banks that it made.
        held: of those added, how many wait for a person.
        looked_at: against how many recent harmless files it was tried.
        matched_files: how many of them it would match.
    """

    bank: str
    version: int
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    held: int = 0
    looked_at: int = 0
    matched_files: int = 0


class Update:
    """An update of one bank under way, in one transaction."""

    def __init__(self, *, tx: Transaction, bank: str, at: datetime, gate: Gate) -> None:
        self._tx = tx
        self._bank = bank
        self._at = at
        self._gate = gate
        self._version = tx.banks.next_version()
        self._added = self._changed = self._unchanged = self._withdrawn = 0

    def put(self, entries: Sequence[BankEntry], *, keeping: Collection[str] = ()) -> None:
        """Store a piece of the update and try it."""
        if any(entry.bank != self._bank for entry in entries):
            entries = [replace(entry, bank=self._bank) for entry in entries]
        done = self._tx.banks.put(entries, at=self._at, keeping=keeping)
        self._gate.attempt(done.arrived)
        self.count(done)

    def count(self, done: Put) -> None:
        """Take into account what was stored and tried."""
        self._added += done.added
        self._changed += done.changed
        self._unchanged += done.unchanged

    def let_act(self, entries: Sequence[BankEntry], *, after: datetime | None = None) -> int:
        """Let entries act, at once or after a time; try those that did not; return how many."""
        numbers = [entry.number for entry in entries]
        state = EntryState.ACTIVE if after is None else EntryState.DISABLED
        changed = self._tx.banks.change(numbers, state=state, disabled_until=after)
        self._changed += changed
        self._gate.attempt([one for one in entries if one.state is EntryState.DISABLED])
        return changed

    def withdraw(self, source_refs: Collection[str]) -> None:
        """Withdraw the entries that came under these references."""
        if source_refs:
            found = self._tx.banks.entries(bank=self._bank, source_refs=source_refs)
            numbers = [entry.number for entry in found]
            self._withdrawn += self._tx.banks.change(numbers, state=EntryState.WITHDRAWN)

    def end(
        self, action: str, *, actor: str, reason: str, **detail: str | int | list[str]
    ) -> tuple[Taken, tuple[AuditEntry, ...]]:
        """Hold what has to wait; return what the update came to, and its record to commit."""
        held = self._gate.held()
        let_in = self._gate.let_in()
        self._tx.banks.change(held, state=EntryState.HELD)
        taken = Taken(
            bank=self._bank,
            version=self._version,
            added=self._added,
            changed=self._changed,
            unchanged=self._unchanged,
            withdrawn=self._withdrawn,
            held=len(held),
            looked_at=self._gate.looked_at,
            matched_files=self._gate.matched_files,
        )
        self._tx.banks.note_version(self._noted(taken, let_in, actor, reason))
        first = record_of(
            action,
            self._bank,
            actor,
            reason,
            version=taken.version,
            read=taken.added + taken.changed + taken.unchanged,
            added=taken.added,
            changed=taken.changed,
            withdrawn=taken.withdrawn,
            **detail,
        )
        return taken, (first, *_record_of_held(taken, reason))

    def _noted(self, taken: Taken, let_in: LetIn, actor: str, reason: str) -> BankVersion:
        return BankVersion(
            number=taken.version,
            bank=self._bank,
            at=self._at,
            actor=actor,
            reason=reason,
            settings=self._tx.banks.bank(self._bank),
            added=taken.added,
            held=taken.held,
            changed=taken.changed,
            withdrawn=taken.withdrawn,
            looked_at=taken.looked_at,
            matched_files=taken.matched_files,
            let_in_files=let_in.files,
            let_in_entries=let_in.entries,
        )


def record_of(
    action: str, bank: str, actor: str, reason: str, **detail: str | int | list[str]
) -> AuditEntry:
    """Return what the record says of a change of a bank."""
    return AuditEntry(actor=actor, action=action, subject=bank, reason=reason, detail=detail)


def _record_of_held(taken: Taken, reason: str) -> Iterator[AuditEntry]:
    if taken.held:
        yield record_of(
            "bank.held",
            taken.bank,
            "nightlight",
            reason,
            version=taken.version,
            entries=taken.held,
            matched_files=taken.matched_files,
            looked_at=taken.looked_at,
        )
