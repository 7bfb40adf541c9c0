"""Files of hashes are imported into banks: whole or not at all, and in few seconds for others."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TypeAlias

from msgspec.structs import replace

from nightlight.exchange.bank_file import Line, read_bank
from nightlight.exchange.ports import Put
from nightlight.model.audit import AuditEntry
from nightlight.model.bank import BankEntry
from nightlight.services.bank_update import Update, record_of
from nightlight.services.flood import Gate
from nightlight.services.lexicons import Imported
from nightlight.services.updates import Updates, let_in, sizes
from nightlight.transaction import Transaction

#: Entries read, stored and tried at a time.
_CHUNK = 20_000

#: What lines say nothing about, and the entries that they are.
_Piece: TypeAlias = tuple[tuple[str, ...], list[BankEntry]]


class ImportedBank(Imported, frozen=True, kw_only=True):
    """What importing a file into a bank came to; the further counts are those of ``Taken``."""

    changed: int = 0
    held: int = 0
    looked_at: int = 0
    matched_files: int = 0


class BankImports(Updates):
    """Takes in files."""

    def import_entries(
        self, name: str, lines: Iterable[str], *, actor: str, reason: str
    ) -> ImportedBank:
        """Return what was added to the bank; processes that run match against it within a second.

        A large file they take in piece by piece, see ``services.following``.
        All of a file acts from one moment on or, where this ends early, nothing of it. The lines
        are read as they are needed. What is new in a large file is stored piece by piece, so that
        others can store meanwhile, and held until all of it is there: a process that is killed
        leaves it held, for a person to release or reject.

        Raises:
            InvalidInput: the name is not one that a bank may have.
        """
        self.prepare(name)
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
        self.prepare(name)
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
            settings = self.settings(tx, name)
            before = let_in(tx, name, now=self._clock.now())
            self.note(tx, staged, name, actor, reason)
            tx.commit(record_of("bank.import_started", name, actor, reason, version=staged))
        gate = self.gate(settings, self._sizes_now, before=before)
        try:
            done = list(self._staged(name, staged, pieces, gate))
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

    def _staged(
        self, name: str, staged: int, pieces: Iterable[_Piece], gate: Gate
    ) -> Iterator[Put]:
        """Store each piece by itself, held, and yield what it came to."""
        for silent, entries in pieces:
            with self._unit_of_work.begin() as tx:
                at = self._clock.now()
                done = tx.banks.put(entries, at=at, keeping=silent, staged=staged)
                tx.commit_unrecorded()
            self.prepare(name)
            gate.attempt(done.arrived)
            yield replace(done, arrived=())

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

    def _sizes_now(self) -> Mapping[str, int]:
        with self._unit_of_work.read() as tx:
            return sizes(tx)


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
