"""Single pictures, videos and entries of a hash bank: added, switched, withdrawn by a person."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import TypeAlias

from msgspec.structs import replace

from nightlight.errors import InvalidInput, NotFound
from nightlight.model.bank import Bank, BankEntry, EntryState, HashKind, Opinion
from nightlight.model.ids import derive_id
from nightlight.model.masked import Masked
from nightlight.model.media import MediaHashes
from nightlight.services.bank_import import BankImports
from nightlight.services.bank_update import record_of
from nightlight.transaction import Transaction

#: What a person may switch off and on; the rest waits, or is gone.
_SWITCHED = (EntryState.ACTIVE, EntryState.DISABLED)
#: The quality of what has none.
_BEST = 100
_WOKEN_AT_ONCE = 1_000
_WOKEN = "it was disabled until now"
_KEPT = (*_SWITCHED, EntryState.HELD)

#: One hash of a picture or video: kind, value, view, quality.
Hash: TypeAlias = tuple[HashKind, str, str, int]


class Content(Masked, frozen=True, kw_only=True):
    """A picture or video in a bank: all its entries that were not withdrawn.

    Attributes:
        metadata: what whoever added it says of it, as JSON; b"" for nothing.
    """

    bank: str
    number: int
    entries: tuple[BankEntry, ...]
    metadata: bytes = b""

    @property
    def note(self) -> str:
        """What a person or list noted of it, "" for nothing."""
        return next((entry.note for entry in self.entries if entry.note), "")

    @property
    def disabled_until(self) -> datetime | None:
        """When a disabled one becomes active again; None where none will, or none is disabled."""
        return self.entries[0].disabled_until

    @property
    def is_disabled(self) -> bool:
        """Whether every entry is disabled."""
        return all(entry.state is EntryState.DISABLED for entry in self.entries)


class Contents(BankImports):
    """Changes what banks hold, one picture, video or entry at a time."""

    def add_content(
        self,
        bank: str,
        hashes: Sequence[Hash],
        *,
        actor: str,
        reason: str,
        note: str = "",
        metadata: bytes = b"",
    ) -> int:
        """Return the number of the picture or video whose hashes these are, now in the bank.

        What is in the bank already stays as it is, but for ``metadata`` (JSON) where it is given.
        Tried like any update: a hash that would match much of recent harmless traffic waits for a
        person.

        Raises:
            InvalidInput: there is no hash.
            NotFound: there is no such bank.
        """
        if not hashes:
            raise InvalidInput("no hash", field="hashes", hint="give at least one")
        entries: dict[str, BankEntry] = {}
        for kind, value, view, quality in hashes:
            made = BankEntry(
                id=derive_id("be", bank, kind.value, value),
                bank=bank,
                kind=kind,
                value=value,
                content=-1,
                view=view,
                quality=quality,
                note=note,
            )
            # A picture that is its own mirror image has the same hash twice: the plainer stays.
            entries.setdefault(made.id, self.opaque(made))
        self.prepare(bank)
        with self._unit_of_work.begin() as tx:
            found_bank(tx, bank)
            update = self.begin(tx, bank)
            update.put(list(entries.values()), keeping=("classification", "opinion"))
            _, record = update.end("bank.entry_added", actor=actor, reason=reason)
            first, *_ = entries.values()
            [stored] = tx.banks.entries(bank=bank, ids=[first.id])
            if metadata:
                tx.banks.describe(stored.content, metadata)
            tx.commit(*record)
        return stored.content

    def content(self, bank: str, number: int) -> Content:
        """Return a picture or video of a bank.

        Raises:
            NotFound: this bank has none of this number.
        """
        with self._unit_of_work.read() as tx:
            return _content(tx, bank, number)

    def disable_content(
        self, bank: str, number: int, until: datetime | None, *, actor: str, reason: str
    ) -> int:
        """Return how many entries no longer act, until then or, for None, until enabled.

        Where they did not act before, this lets them act in time: they are tried as by
        ``enable_content``.

        Raises:
            NotFound: this bank has no picture or video of this number.
        """
        if until is not None:
            self.prepare(bank)
        with self._unit_of_work.begin() as tx:
            found = _content(tx, bank, number).entries
            return self._switch(tx, found, EntryState.DISABLED, actor, reason, until=until)

    def enable_content(self, bank: str, number: int, *, actor: str, reason: str) -> int:
        """Return how many entries act again.

        Tried like any update, since what came in disabled never was: what would match much of
        recent harmless traffic waits for a person instead.

        Raises:
            NotFound: this bank has no picture or video of this number.
        """
        self.prepare(bank)
        with self._unit_of_work.begin() as tx:
            found = _content(tx, bank, number).entries
            return self._switch(tx, found, EntryState.ACTIVE, actor, reason)

    def withdraw_content(self, bank: str, number: int, *, actor: str, reason: str) -> int:
        """Return how many entries were withdrawn, their hashes erased.

        Raises:
            NotFound: this bank has no picture or video of this number.
        """
        with self._unit_of_work.begin() as tx:
            found = _content(tx, bank, number).entries
            return self._switch(tx, found, EntryState.WITHDRAWN, actor, reason)

    def note_content(self, bank: str, number: int, note: str, *, actor: str, reason: str) -> int:
        """Return how many entries have another note now; "" takes it away.

        Raises:
            NotFound: this bank has no picture or video of this number.
        """
        with self._unit_of_work.begin() as tx:
            version = tx.banks.next_version()
            entries = _content(tx, bank, number).entries
            count = tx.banks.change([one.number for one in entries], note=note)
            if not count:
                return 0
            self.note(tx, version, bank, actor, reason, changed=count)
            tx.commit(
                record_of(
                    "bank.entry_changed",
                    bank,
                    actor,
                    reason,
                    version=version,
                    content=number,
                    entries=[one.id for one in entries],
                    noted=bool(note),
                )
            )
        return count

    def entry(self, entry_id: str, *, bank: str | None = None) -> BankEntry:
        """Return an entry by its id.

        Raises:
            NotFound: there is none of this id.
            InvalidInput: several banks have one, and the bank is not said.
        """
        with self._unit_of_work.read() as tx:
            return _entry(tx, bank, entry_id)

    def entries_of(self, entry_id: str) -> list[BankEntry]:
        """Return the entries of every bank that have or had this id or number, withdrawn or not."""
        with self._unit_of_work.read() as tx:
            found = list(tx.banks.entries(ids=[entry_id]))
            found += tx.banks.entries(numbers=tx.banks.retired(entry_id))
            if not found and entry_id.isascii() and entry_id.isdigit():
                found = list(tx.banks.entries(numbers=[int(entry_id[:18])]))
            return found

    def set_opinion(
        self, bank: str, entry_id: str, opinion: Opinion, *, actor: str, reason: str
    ) -> BankEntry:
        """Return the entry with this opinion: a negative one makes no match any more.

        Raises:
            NotFound: the bank has no such entry.
        """
        with self._unit_of_work.begin() as tx:
            number = tx.banks.next_version()
            entry = _entry(tx, bank, entry_id)
            changed = tx.banks.change([entry.number], opinion=opinion)
            self.note(tx, number, bank, actor, reason, changed=changed)
            tx.commit(
                record_of(
                    "bank.entry_changed",
                    bank,
                    actor,
                    reason,
                    version=number,
                    entry=entry_id,
                    opinion=opinion.value,
                )
            )
        return replace(entry, opinion=opinion)

    def disable_entry(
        self, bank: str, entry_id: str, until: datetime | None, *, actor: str, reason: str
    ) -> int:
        """Return 1 if the entry no longer acts, until then or, for None, until enabled.

        Tried as by ``disable_content``.

        Raises:
            NotFound: the bank has no such entry.
        """
        if until is not None:
            self.prepare(bank)
        with self._unit_of_work.begin() as tx:
            found = [_entry(tx, bank, entry_id)]
            return self._switch(tx, found, EntryState.DISABLED, actor, reason, until=until)

    def enable_entry(self, bank: str, entry_id: str, *, actor: str, reason: str) -> int:
        """Return 1 if the entry, disabled before, acts again; tried as by ``enable_content``.

        Raises:
            NotFound: the bank has no such entry.
        """
        self.prepare(bank)
        with self._unit_of_work.begin() as tx:
            found = [_entry(tx, bank, entry_id)]
            return self._switch(tx, found, EntryState.ACTIVE, actor, reason)

    def wake_due(self, *, limit: int = _WOKEN_AT_ONCE) -> int:
        """Return how many disabled entries whose time has come are active, and hunted for, now.

        Tried as by ``enable_content``.
        """
        with self._unit_of_work.read() as tx:
            due = tx.banks.waking(self._clock.now(), limit)
        woken = 0
        for bank, entries in groupby(due, key=lambda one: one.bank):
            some = list(entries)
            self.prepare(bank)
            with self._unit_of_work.begin() as tx:
                now = tx.banks.entries(numbers=[one.number for one in some])
                still = [one for one in now if one.acts_at(self._clock.now())]
                still = [one for one in still if one.bank == bank and one.disabled_until]
                if still:
                    woken += self._switch(tx, still, EntryState.ACTIVE, "nightlight", _WOKEN)
        return woken

    def withdraw_entry(self, bank: str, entry_id: str, *, actor: str, reason: str) -> int:
        """Return 1 if the entry was withdrawn, its hash erased.

        Raises:
            NotFound: the bank has no such entry.
        """
        with self._unit_of_work.begin() as tx:
            found = [_entry(tx, bank, entry_id)]
            return self._switch(tx, found, EntryState.WITHDRAWN, actor, reason)

    def _switch(
        self,
        tx: Transaction,
        entries: Sequence[BankEntry],
        state: EntryState,
        actor: str,
        reason: str,
        *,
        until: datetime | None = None,
    ) -> int:
        """Commit the entries in their new state and return how many are in it that were not."""
        asleep = [one for one in entries if one.state is EntryState.DISABLED]
        if asleep and (state is EntryState.ACTIVE or until is not None):
            return self._let_act(tx, entries, actor, reason, until)
        number = tx.banks.next_version()
        gone = state is EntryState.WITHDRAWN
        numbers = [one.number for one in entries if gone or one.state in _SWITCHED]
        count = tx.banks.change(numbers, state=state, disabled_until=until)
        if not count:
            return 0
        first = entries[0]
        counts = {"withdrawn" if gone else "changed": count}
        self.note(tx, number, first.bank, actor, reason, **counts)
        tx.commit(
            record_of(
                "bank.entry_withdrawn" if gone else "bank.entry_changed",
                first.bank,
                actor,
                reason,
                version=number,
                content=first.content,
                entries=[one.id for one in entries],
                state=state.value,
                until=until.isoformat() if until else "",
            )
        )
        return count

    def _let_act(
        self,
        tx: Transaction,
        entries: Sequence[BankEntry],
        actor: str,
        reason: str,
        until: datetime | None,
    ) -> int:
        """Commit that disabled entries act, at once or after a time, unless they are a flood."""
        first = entries[0]
        update = self.begin(tx, first.bank)
        if not update.let_act([one for one in entries if one.state in _SWITCHED], after=until):
            return 0
        state = EntryState.ACTIVE if until is None else EntryState.DISABLED
        taken, record = update.end(
            "bank.entry_changed",
            actor=actor,
            reason=reason,
            content=first.content,
            entries=[one.id for one in entries],
            state=state.value,
            until=until.isoformat() if until else "",
        )
        tx.commit(*record)
        return taken.changed - taken.held


def found_bank(tx: Transaction, name: str) -> Bank:
    """Return a bank's settings.

    Raises:
        NotFound: there is no such bank.
    """
    bank = tx.banks.bank(name)
    if bank is None:
        raise NotFound(f"no hash bank {name!r}", hint="`nightlight bank list`")
    return bank


def _content(tx: Transaction, bank: str, number: int) -> Content:
    found = tuple(tx.banks.entries(bank=bank, content=number, states=_KEPT))
    if not found:
        raise NotFound(f"no picture or video {number} in the hash bank {bank!r}")
    said = tx.banks.described(number)
    return Content(bank=bank, number=number, entries=found, metadata=said)


def _entry(tx: Transaction, bank: str | None, entry_id: str) -> BankEntry:
    found = list(tx.banks.entries(bank=bank, ids=[entry_id], states=_KEPT))
    if not found:
        raise NotFound(f"no entry {entry_id!r} in {bank or 'any hash bank'}")
    if len(found) > 1:
        banks = ", ".join(entry.bank for entry in found)
        raise InvalidInput("several banks have this entry", field="bank", hint=f"one of {banks}")
    return found[0]


def hashes_of(hashes: MediaHashes) -> list[Hash]:
    """Return every hash by which a file may be known from now on, its views included."""
    exact = ((HashKind.MD5, hashes.md5), (HashKind.SHA1, hashes.sha1))
    found: list[Hash] = [(kind, value, "", _BEST) for kind, value in exact if value]
    if hashes.sha256:
        found.append((HashKind.SHA256, hashes.sha256, "", _BEST))
    if hashes.pdq:
        found.append((HashKind.PDQ, hashes.pdq, "", hashes.pdq_quality))
    found += [(HashKind.PDQ, one.pdq, one.view, one.quality) for one in hashes.views]
    if hashes.video is not None and hashes.video.frames:
        found.append((HashKind.VPDQ, hashes.video.frames.hex(), "", _BEST))
    return found
