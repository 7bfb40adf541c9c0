"""Hash banks and their settings: made, changed, withdrawn, written out, explained.

What is in them is ``services.contents``; how updates come in, ``services.updates``.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import get_args

from msgspec import Struct
from msgspec.structs import replace

from nightlight.errors import Conflict, InvalidInput
from nightlight.exchange.bank_file import format_bank, format_bank_csv
from nightlight.exchange.ports import BankSummary
from nightlight.model.bank import (
    WIDEST_THRESHOLD_BITS,
    Bank,
    BankEntry,
    BankPurpose,
    BankVersion,
    Classification,
    EntryState,
)
from nightlight.services.bank_update import check_name, record_of
from nightlight.services.contents import Contents, found_bank
from nightlight.services.updates import sizes

_HISTORY = 100
#: Entries tried for a flood at a time.
_AT_ONCE = 20_000
_LONGEST_PROVENANCE = 1_000


class Explained(Struct, frozen=True, kw_only=True):
    """An entry and its bank as they were at a version; None for what was not there then."""

    version: int
    entry: BankEntry | None
    bank: Bank | None


class Banks(Contents):
    """Everything that can be asked of hash banks."""

    def create(self, bank: Bank, *, actor: str, reason: str) -> Bank:
        """Return the bank that was made, still empty.

        Raises:
            InvalidInput: a setting is wrong; names the field.
            Conflict: there is a bank of this name.
        """
        _check(bank)
        with self._unit_of_work.begin() as tx:
            number = tx.banks.next_version()
            if tx.banks.bank(bank.name) is not None:
                raise Conflict(f"there is a bank {bank.name!r}", field="name")
            tx.banks.save_bank(bank, at=self._clock.now())
            self.note(tx, number, bank.name, actor, reason)
            tx.commit(record_of("bank.created", bank.name, actor, reason, version=number))
        return bank

    def change(
        self,
        name: str,
        *,
        actor: str,
        reason: str,
        new_name: str | None = None,
        threshold_bits: int | None = None,
        classification: Classification | None = None,
        provenance: str | None = None,
        enabled_ratio: float | None = None,
        purpose: BankPurpose | None = None,
        anyway: bool = False,
    ) -> Bank:
        """Return the bank with its settings changed; None leaves one as it is.

        A bank that is to match further, or to have another purpose, is tried for a flood first.
        ``anyway`` is for a person who knows that it is one.

        Raises:
            InvalidInput: a setting is wrong; names the field.
            NotFound: there is no such bank.
            Conflict: there is a bank of the new name, or it would be a flood.
        """
        wanted: dict[str, object] = {
            "threshold_bits": threshold_bits,
            "classification": classification,
            "provenance": provenance,
            "enabled_ratio": enabled_ratio,
            "purpose": purpose,
            "name": new_name,
        }
        given = {field: value for field, value in wanted.items() if value is not None}
        if not anyway:
            self._check_flood(name, given)
        with self._unit_of_work.begin() as tx:
            number = tx.banks.next_version()
            changed = replace(found_bank(tx, name), **given)
            _check(changed)
            if changed.name != name:
                tx.banks.rename_bank(name, changed.name)
                # Under its old name there is no bank from now on.
                self.note(tx, number, name, actor, reason)
            tx.banks.save_bank(changed, at=self._clock.now())
            self.note(tx, number, changed.name, actor, reason, name)
            told = [f"{field}={value}" for field, value in given.items()]
            told += ["anyway"] if anyway else []
            tx.commit(record_of("bank.changed", name, actor, reason, version=number, settings=told))
        return changed

    def _check_flood(self, name: str, given: Mapping[str, object]) -> None:
        """Return if the bank, with these settings changed, would not be a flood.

        Raises:
            InvalidInput: a setting is wrong; names the field.
            NotFound: there is no such bank.
            Conflict: it would be.
        """
        with self._unit_of_work.read() as tx:
            before = found_bank(tx, name)
            after = replace(before, **given)
            _check(after)
            if not _acts_further(before, after):
                return
            if after.purpose is BankPurpose.NEGATIVE:
                self._known.prepare()
            gate = self.gate(replace(after, name=name), lambda: sizes(tx))
            entries = tx.banks.entries(bank=name, states=[EntryState.ACTIVE])
            while some := list(islice(entries, _AT_ONCE)):
                gate.attempt(some)
            if gate.held():
                raise Conflict(
                    f"it would match {gate.matched_files} of {gate.looked_at} recent harmless"
                    " files, or veto much of a known bank",
                    field="purpose" if after.purpose is not before.purpose else "threshold_bits",
                    hint="look at what it matches; `--anyway` if that is right",
                )

    def remove(self, name: str, *, actor: str, reason: str) -> int:
        """Return how many entries the withdrawn bank held; their hashes are erased.

        Raises:
            NotFound: there is no such bank.
        """
        with self._unit_of_work.begin() as tx:
            number = tx.banks.next_version()
            found_bank(tx, name)
            removed = tx.banks.remove_bank(name)
            self.note(tx, number, name, actor, reason, withdrawn=removed)
            tx.commit(
                record_of("bank.withdrawn", name, actor, reason, version=number, removed=removed)
            )
        return removed

    def get(self, name: str) -> Bank:
        """Return a bank's settings.

        Raises:
            NotFound: there is no such bank.
        """
        with self._unit_of_work.read() as tx:
            return found_bank(tx, name)

    def summaries(self) -> list[BankSummary]:
        """Return what may be shown of each bank, by name."""
        with self._unit_of_work.read() as tx:
            return tx.banks.summaries()

    def history(self, name: str, *, limit: int = _HISTORY) -> list[BankVersion]:
        """Return the newest versions of a bank, newest first, also of one that is no more."""
        with self._unit_of_work.read() as tx:
            return tx.banks.versions(name, limit=limit)

    def explain(self, entry_number: int, version: int) -> Explained:
        """Return what an entry and its bank were at a version, for a decision made then."""
        with self._unit_of_work.read() as tx:
            entry = tx.banks.entry_at(entry_number, version)
            bank = None if entry is None else tx.banks.bank_at(entry.bank, version)
        return Explained(version=version, entry=entry, bank=bank)

    def export(self, name: str, *, actor: str, reason: str, as_csv: bool = False) -> Iterator[str]:
        """Return the lines of a file with the bank's hashes in clear; the record says who asked.

        Withdrawn entries are in it, so that who reads it withdraws them too; they have no hash.

        Raises:
            NotFound: there is no such bank.
        """
        with self._unit_of_work.begin() as tx:
            found_bank(tx, name)
            tx.commit(record_of("bank.exported", name, actor, reason, version=tx.banks.version()))
        return self._exported(name, as_csv=as_csv)

    def _exported(self, name: str, *, as_csv: bool) -> Iterator[str]:
        with self._unit_of_work.read() as tx:
            entries = tx.banks.entries(bank=name)
            yield from format_bank_csv(entries) if as_csv else format_bank(entries)


def _acts_further(before: Bank, after: Bank) -> bool:
    """Return whether the new settings can match or veto what the old ones did not."""
    return after.purpose is not before.purpose or after.threshold_bits > before.threshold_bits


def _check(bank: Bank) -> None:
    """Return if these settings can hold.

    Raises:
        InvalidInput: one cannot; names the field.
    """
    check_name(bank.name)
    if not 0 <= bank.threshold_bits <= WIDEST_THRESHOLD_BITS:
        hint = f"0 to {WIDEST_THRESHOLD_BITS} bits"
        raise InvalidInput("not a distance that is answered", field="threshold_bits", hint=hint)
    if not 0.0 <= bank.enabled_ratio <= 1.0:
        raise InvalidInput("not a share", field="enabled_ratio", hint="0.0 to 1.0")
    if bank.classification not in get_args(Classification):
        raise InvalidInput("not a classification", field="classification", hint="A1, A2, B1 or B2")
    if len(bank.provenance) > _LONGEST_PROVENANCE:
        hint = f"at most {_LONGEST_PROVENANCE} characters"
        raise InvalidInput("too long", field="provenance", hint=hint)
