"""Updates of hash banks come in: from files and exchanges, tried for a flood before they act.

What would match much of recent harmless traffic is stored, held, and shown to a person, who
releases or rejects it. Everything else acts from the moment that the transaction commits.
"""

import hmac
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.errors import NotFound
from nightlight.exchange.bank_file import Line, read_bank
from nightlight.exchange.ports import Put
from nightlight.model.audit import AuditEntry
from nightlight.model.bank import Bank, BankEntry, BankVersion, EntryState
from nightlight.services.bank_update import Taken, Update, check_name, record_of
from nightlight.services.flood import FloodLimits, Gate, Known, Traffic
from nightlight.services.lexicons import Imported
from nightlight.transaction import Transaction, UnitOfWork

#: The note on what a person rejected: a list that goes on naming it does not bring it back.
REJECTED = "rejected by a person"
#: Entries read, stored and tried at a time.
_CHUNK = 20_000
#: So many are stored in a few seconds, for which others can wait.
_AT_ONCE = 100_000
#: Traffic this old still stands for what is posted now.
_FRESH = timedelta(minutes=10)


#: What lines say nothing about, and the entries that they are.
_Piece: TypeAlias = tuple[tuple[str, ...], list[BankEntry]]


class ImportedBank(Imported, frozen=True, kw_only=True):
    """What importing a file into a bank came to; the further counts are those of ``Taken``."""

    changed: int = 0
    held: int = 0
    looked_at: int = 0
    matched_files: int = 0


class HeldUpdate(Struct, frozen=True, kw_only=True):
    """An update of a bank of which entries wait for a person, and why.

    Attributes:
        share: of the recent harmless files looked at, how much it would match.
    """

    version: int
    bank: str
    entries: int
    at: datetime
    actor: str
    reason: str
    matched_files: int
    looked_at: int
    share: float


class Updates:
    """Takes updates in, holds those that are a flood, and lets a person decide about them."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        clock: Clock,
        id_key: bytes,
        known: Known,
        limits: FloodLimits | None = None,
        at_once: int = _AT_ONCE,
    ) -> None:
        """Keep the parts.

        Args:
            unit_of_work: begins transactions.
            clock: tells when entries came in.
            id_key: keys the ids that are made here, so that an id, which may be shown, does not
                tell somebody with a list of their own what stands on ours.
            known: says which entries of known banks other entries match.
            limits: how much of recent harmless traffic an update may match.
            at_once: a file of more entries is stored piece by piece.
        """
        self._at_once = at_once
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._id_key = id_key
        self._known = known
        self._limits = limits or FloodLimits()
        self._traffic: tuple[datetime, Traffic] | None = None

    def import_entries(
        self, name: str, lines: Iterable[str], *, actor: str, reason: str
    ) -> ImportedBank:
        """Return what was added to the bank; processes that run match against it within a second.

        All of a file acts from one moment on or, where this ends early, nothing of it. The lines
        are read as they are needed. What is new in a large file is stored piece by piece, so that
        others can store meanwhile, and held until all of it is there: a process that is killed
        leaves it held, for a person to release or reject.

        Raises:
            InvalidInput: the name is not one that a bank may have.
        """
        self._recent()
        rejected: list[str] = []
        pieces = self._pieces(read_bank(lines, bank=name), rejected)
        first: list[_Piece] = []
        while sum(len(entries) for _, entries in first) <= self._at_once:
            piece = next(pieces, None)
            if piece is None:
                with self._unit_of_work.begin() as tx:
                    done, record = self._import(tx, name, first, rejected, actor, reason)
                    tx.commit(*record)
                return done
            first.append(piece)
        return self._import_large(name, chain(first, pieces), rejected, actor, reason)

    def preview_import(self, name: str, lines: Iterable[str]) -> ImportedBank:
        """Return what importing these lines would come to, and store nothing.

        Raises:
            InvalidInput: the name is not one that a bank may have.
        """
        self._recent()
        rejected: list[str] = []
        pieces = self._pieces(read_bank(lines, bank=name), rejected)
        with self._unit_of_work.begin() as tx:
            done, _ = self._import(tx, name, pieces, rejected, "", "")
        return done

    def _import(  # noqa: PLR0917  what an import is about
        self,
        tx: Transaction,
        name: str,
        pieces: Iterable[_Piece],
        rejected: Sequence[str],
        actor: str,
        reason: str,
    ) -> tuple[ImportedBank, tuple[AuditEntry, ...]]:
        update = self.begin(tx, name)
        for silent, entries in pieces:
            update.put(entries, keeping=silent)
        return _imported(update, name, rejected, actor, reason)

    def _import_large(
        self,
        name: str,
        pieces: Iterable[_Piece],
        rejected: Sequence[str],
        actor: str,
        reason: str,
    ) -> ImportedBank:
        with self._unit_of_work.begin() as tx:
            staged = tx.banks.next_version()
            settings = self._settings(tx, name)
            self.note(tx, staged, name, actor, reason)
            tx.commit(record_of("bank.import_started", name, actor, reason, version=staged))
        gate = self.gate(settings, self._sizes_now)
        try:
            done = list(self._staged(staged, pieces, gate))
            with self._unit_of_work.begin() as tx:
                update = Update(tx=tx, bank=name, at=self._clock.now(), gate=gate)
                for one in done:
                    update.count(one)
                tx.banks.publish(staged)
                imported, record = _imported(update, name, rejected, actor, reason)
                tx.commit(*record)
        except BaseException:
            with self._unit_of_work.begin() as tx:
                tx.banks.discard(staged)
                tx.commit_unrecorded()
            raise
        return imported

    def _staged(self, staged: int, pieces: Iterable[_Piece], gate: Gate) -> Iterator[Put]:
        """Store each piece by itself, held, and yield what it came to."""
        for silent, entries in pieces:
            with self._unit_of_work.begin() as tx:
                at = self._clock.now()
                done = tx.banks.put(entries, at=at, keeping=silent, staged=staged)
                tx.commit_unrecorded()
            gate.attempt(done.arrived)
            yield replace(done, arrived=())

    def put(
        self,
        bank: str,
        entries: Sequence[BankEntry],
        *,
        actor: str,
        reason: str,
        withdrawn_refs: Collection[str] = (),
    ) -> Taken:
        """Return what the entries came to, after those with ``withdrawn_refs`` were withdrawn.

        Where nothing changes, nothing is recorded.
        """
        self._recent()
        with self._unit_of_work.begin() as tx:
            taken, entries_of_record = self.take(
                tx, bank, entries, actor=actor, reason=reason, withdrawn_refs=withdrawn_refs
            )
            if taken.added or taken.changed or taken.withdrawn:
                tx.commit(*entries_of_record)
        return taken

    def take(
        self,
        tx: Transaction,
        bank: str,
        entries: Sequence[BankEntry],
        *,
        actor: str,
        reason: str,
        withdrawn_refs: Collection[str] = (),
    ) -> tuple[Taken, tuple[AuditEntry, ...]]:
        """Return what the entries came to, and what to commit it with: as ``put`` does."""
        update = self.begin(tx, bank)
        update.withdraw(withdrawn_refs)
        update.put(entries)
        return update.end("bank.imported", actor=actor, reason=reason)

    def held_updates(self) -> list[HeldUpdate]:
        """Return the updates of which entries wait for a person, oldest first."""
        with self._unit_of_work.read() as tx:
            return _waiting(tx)

    def held_update(self, version: int) -> HeldUpdate:
        """Return an update of which entries wait for a person.

        Raises:
            NotFound: no entries of this version wait.
        """
        with self._unit_of_work.read() as tx:
            return _held(tx, version)

    def release(self, version: int, *, actor: str, reason: str) -> HeldUpdate:
        """Let the held entries of an update act, and return what it was.

        Raises:
            NotFound: no entries of this version wait.
        """
        return self._decide(version, EntryState.ACTIVE, actor=actor, reason=reason)

    def reject(self, version: int, *, actor: str, reason: str) -> HeldUpdate:
        """Withdraw the held entries of an update, and return what it was.

        Raises:
            NotFound: no entries of this version wait.
        """
        return self._decide(version, EntryState.WITHDRAWN, actor=actor, reason=reason)

    def _decide(self, version: int, state: EntryState, *, actor: str, reason: str) -> HeldUpdate:
        rejected = state is EntryState.WITHDRAWN
        with self._unit_of_work.begin() as tx:
            number = tx.banks.next_version()
            held = _held(tx, version)
            waiting = tx.banks.entries(bank=held.bank, changed_in=version, states=[EntryState.HELD])
            numbers = [entry.number for entry in waiting]
            note = REJECTED if rejected else None
            count = tx.banks.change(numbers, state=state, note=note)
            counts = {"withdrawn" if rejected else "changed": count}
            self.note(tx, number, held.bank, actor, reason, **counts)
            action = "bank.rejected" if rejected else "bank.released"
            detail = {"version": number, "update": version, "entries": count}
            tx.commit(record_of(action, held.bank, actor, reason, **detail))
        return held

    def begin(self, tx: Transaction, name: str) -> Update:
        """Return an update of a bank, to be ended in the same transaction.

        Raises:
            InvalidInput: there is no such bank yet, and the name is not one that it may have.
        """
        gate = self.gate(self._settings(tx, name), lambda: sizes(tx))
        return Update(tx=tx, bank=name, at=self._clock.now(), gate=gate)

    def _settings(self, tx: Transaction, name: str) -> Bank:
        settings = tx.banks.bank(name)
        if settings is None:
            check_name(name)
            settings = Bank(name=name)
        return settings

    def gate(self, settings: Bank, sizes: Callable[[], Mapping[str, int]]) -> Gate:
        """Return what tries entries of a bank with these settings for a flood.

        Args:
            settings: the bank's.
            sizes: says how many active entries each bank has.
        """
        return Gate(
            bank=settings,
            traffic=self._recent(),
            limits=self._limits,
            known=self._known,
            sizes=sizes,
        )

    def _sizes_now(self) -> Mapping[str, int]:
        with self._unit_of_work.read() as tx:
            return sizes(tx)

    def note(
        self,
        tx: Transaction,
        version: int,
        bank: str,
        actor: str,
        reason: str,
        **counts: int,
    ) -> None:
        """Keep what a version was to a bank, with the settings that the bank has now."""
        tx.banks.note_version(
            BankVersion(
                number=version,
                bank=bank,
                at=self._clock.now(),
                actor=actor,
                reason=reason,
                settings=tx.banks.bank(bank),
                **counts,
            )
        )

    def opaque(self, entry: BankEntry) -> BankEntry:
        """Return the entry, its id made of its hash, with one that tells others nothing of it."""
        digest = hmac.digest(self._id_key, entry.id.encode(), "sha256").hex()
        return replace(entry, id=f"be_{digest[:24]}")

    def _pieces(self, lines: Iterator[Line], rejected: list[str]) -> Iterator[_Piece]:
        """Yield good lines in pieces that say equally much, and note why others are left out."""
        while chunk := list(islice(lines, min(_CHUNK, self._at_once))):
            pieces: dict[tuple[str, ...], list[BankEntry]] = {}
            for line in chunk:
                if line.entry is None:
                    rejected.append(line.reason)
                    continue
                entry = self.opaque(line.entry) if line.has_made_id else line.entry
                pieces.setdefault(line.silent, []).append(entry)
            yield from pieces.items()

    def _recent(self) -> Traffic:
        """Return recent traffic, read again once in a while: best before a transaction begins."""
        now = self._clock.now()
        if self._traffic is None or not now - self._traffic[0] < _FRESH:
            with self._unit_of_work.read() as tx:
                traffic = Traffic(tx.context.recent_scans(self._limits.looked_at))
            self._traffic = (now, traffic)
        return self._traffic[1]


def _imported(
    update: Update, name: str, rejected: Sequence[str], actor: str, reason: str
) -> tuple[ImportedBank, tuple[AuditEntry, ...]]:
    """Return what an import came to, and what to commit it with."""
    taken, record = update.end("bank.imported", actor=actor, reason=reason, rejected=len(rejected))
    done = ImportedBank(
        name=name,
        read=taken.added + taken.changed + taken.unchanged,
        added=taken.added,
        rejected=tuple(rejected),
        changed=taken.changed,
        held=taken.held,
        looked_at=taken.looked_at,
        matched_files=taken.matched_files,
    )
    return done, record


def sizes(tx: Transaction) -> Mapping[str, int]:
    """Return how many active entries each bank has."""
    return {one.bank.name: one.entries.get(EntryState.ACTIVE, 0) for one in tx.banks.summaries()}


def _waiting(tx: Transaction) -> list[HeldUpdate]:
    found: list[HeldUpdate] = []
    for held in tx.banks.held():
        noted = tx.banks.noted(held.version, held.bank)
        if noted is not None:
            found.append(_held_update(held.entries, noted))
    return found


def _held(tx: Transaction, version: int) -> HeldUpdate:
    for held in _waiting(tx):
        if held.version == version:
            return held
    raise NotFound(f"no held update {version}", hint="`nightlight bank held`")


def _held_update(entries: int, noted: BankVersion) -> HeldUpdate:
    return HeldUpdate(
        version=noted.number,
        bank=noted.bank,
        entries=entries,
        at=noted.at,
        actor=noted.actor,
        reason=noted.reason,
        matched_files=noted.matched_files,
        looked_at=noted.looked_at,
        share=noted.matched_files / (noted.looked_at or 1),
    )
