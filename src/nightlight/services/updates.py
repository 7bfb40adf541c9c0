"""Updates of hash banks come in, tried for a flood before they act; files are ``bank_import``'s.

What would match much of recent harmless traffic is stored, held, and shown to a person, who
releases or rejects it. Everything else acts from the moment that the transaction commits.
"""

import hmac
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from nightlight.audit.clock import Clock
from nightlight.errors import NotFound
from nightlight.model.audit import AuditEntry
from nightlight.model.bank import Bank, BankEntry, BankPurpose, BankVersion, EntryState
from nightlight.services.bank_update import Taken, Update, check_name, record_of
from nightlight.services.flood import FloodLimits, Gate, Known, LetIn, Traffic
from nightlight.transaction import Transaction, UnitOfWork

#: The note on what a person rejected: a list that goes on naming it does not bring it back.
REJECTED = "rejected by a person"
#: So many entries are stored in a few seconds, for which others can wait.
_AT_ONCE = 100_000
#: Traffic this old still stands for what is posted now.
_FRESH = timedelta(minutes=10)


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
        self.prepare(bank)
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
        """Return what the entries came to, and what to commit it with: as ``put`` does.

        ``prepare`` was called for the bank before the transaction began.
        """
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

        They are not tried again: this is the look of a person that they waited for.

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

        ``prepare`` was called for the bank before the transaction began: what is tried is tried
        while others wait.

        Raises:
            InvalidInput: there is no such bank yet, and the name is not one that it may have.
        """
        tx.banks.next_version()  # from here on no other update of a bank comes between
        before = let_in(tx, name, now=self._clock.now())
        gate = self.gate(self.settings(tx, name), lambda: sizes(tx), before=before)
        return Update(tx=tx, bank=name, at=self._clock.now(), gate=gate)

    def settings(self, tx: Transaction, name: str) -> Bank:
        """Return a bank's settings, or the usual ones where there is none yet.

        Raises:
            InvalidInput: there is none, and the name is not one that it may have.
        """
        settings = tx.banks.bank(name)
        if settings is None:
            check_name(name)
            settings = Bank(name=name)
        return settings

    def gate(
        self,
        settings: Bank,
        sizes: Callable[[], Mapping[str, int]],
        *,
        before: LetIn | None = None,
    ) -> Gate:
        """Return what tries entries of a bank with these settings for a flood.

        Args:
            settings: the bank's.
            sizes: says how many active entries each bank has.
            before: what earlier updates of the bank were let match.
        """
        return Gate(
            bank=settings,
            traffic=self.recent(),
            limits=self._limits,
            known=self._known,
            sizes=sizes,
            before=before,
        )

    def note(  # noqa: PLR0917  what a version is about
        self,
        tx: Transaction,
        version: int,
        bank: str,
        actor: str,
        reason: str,
        before: str = "",
        /,
        **counts: int,
    ) -> None:
        """Keep what a version was to a bank, with the settings that the bank has now.

        ``before`` is the name that the bank had until now, where that is another.
        """
        now = self._clock.now()
        matched = let_in(tx, before or bank, now=now)
        tx.banks.note_version(
            BankVersion(
                number=version,
                bank=bank,
                at=now,
                actor=actor,
                reason=reason,
                settings=tx.banks.bank(bank),
                let_in_files=matched.files,
                let_in_entries=matched.entries,
                **counts,
            )
        )

    def opaque(self, entry: BankEntry) -> BankEntry:
        """Return the entry, its id made of its hash, with one that tells others nothing of it."""
        digest = hmac.digest(self._id_key, entry.id.encode(), "sha256").hex()
        return replace(entry, id=f"be_{digest[:24]}")

    def prepare(self, name: str) -> None:
        """Return once an update of a bank can be tried soon, before a transaction begins.

        For a negative bank all that it may veto is read, which can take minutes.
        """
        self.recent()
        with self._unit_of_work.read() as tx:
            bank = tx.banks.bank(name)
        if bank is not None and bank.purpose is BankPurpose.NEGATIVE:
            self._known.prepare()

    def recent(self) -> Traffic:
        """Return recent traffic, read again once in a while."""
        now = self._clock.now()
        if self._traffic is None or not now - self._traffic[0] < _FRESH:
            with self._unit_of_work.read() as tx:
                traffic = Traffic(tx.context.recent_scans(self._limits.looked_at))
            self._traffic = (now, traffic)
        return self._traffic[1]


def let_in(tx: Transaction, bank: str, *, now: datetime) -> LetIn:
    """Return what the bank's updates of the last day were let match."""
    for newest in tx.banks.versions(bank, limit=1):
        told = LetIn(files=newest.let_in_files, entries=newest.let_in_entries)
        return told.after(now - newest.at)
    return LetIn()


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
