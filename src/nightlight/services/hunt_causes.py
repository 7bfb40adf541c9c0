"""Why the stored window is searched for files again: what makes hash banks match more.

New entries, and entries that act again; a bank that matches further, or has become one of known
media; and what a negative bank does not take back any more.
"""

from collections.abc import Iterator

from msgspec import Struct

from nightlight.model.bank import Bank, BankPurpose, EntryState
from nightlight.transaction import Transaction

ALL_BANKS = "all banks"
_ACTIVE, _FALLEN = (EntryState.ACTIVE,), (EntryState.DISABLED, EntryState.WITHDRAWN)


class Cause(Struct, frozen=True, kw_only=True):
    """What is to be searched for, and why.

    Attributes:
        name: the bank, or all banks.
        after_version: only entries changed since are looked for; 0 for all.
    """

    name: str
    after_version: int
    reason: str


def cause_since(tx: Transaction, version: int) -> Cause | None:
    """Return why to search since a version of the banks; None if nothing matches that did not."""
    changed = [
        (name, tx.banks.bank_at(name, version), tx.banks.bank(name))
        for name in tx.banks.changed_banks(version)
    ]
    if any(_takes_back_less(tx, *one, version) for one in changed):
        # What it took back may be an entry of any bank, and its own hash may be erased.
        return Cause(name=ALL_BANKS, after_version=0, reason="a negative bank takes back less")
    wider = [name for name, before, now in changed if _matches_further(before, now)]
    new = set(_with_new_entries(tx, [one for one in changed if one[0] not in wider], version))
    if not wider:
        reason = "entries came into hash banks"
        return Cause(name=ALL_BANKS, after_version=version, reason=reason) if new else None
    alone = len(wider) == 1 and not new
    return Cause(
        name=wider[0] if alone else ALL_BANKS, after_version=0, reason="a hash bank matches further"
    )


def _takes_back_less(
    tx: Transaction, name: str, before: Bank | None, now: Bank | None, version: int
) -> bool:
    if before is None or before.purpose is not BankPurpose.NEGATIVE:
        return False
    if now is None or now.purpose is not BankPurpose.NEGATIVE:
        return True
    if now.threshold_bits < before.threshold_bits or now.enabled_ratio < before.enabled_ratio:
        return True
    fallen = tx.banks.entries(bank=name, changed_after=version, states=_FALLEN)
    return any(True for _ in fallen)


def _matches_further(before: Bank | None, now: Bank | None) -> bool:
    if before is None or now is None or now.purpose is not BankPurpose.KNOWN:
        return False
    return (
        before.purpose is not BankPurpose.KNOWN
        or now.threshold_bits > before.threshold_bits
        or now.enabled_ratio > before.enabled_ratio
    )


def _with_new_entries(
    tx: Transaction, banks: list[tuple[str, Bank | None, Bank | None]], version: int
) -> Iterator[str]:
    for name, _, now in banks:
        if now is not None and now.purpose is BankPurpose.KNOWN:
            entries = tx.banks.entries(bank=name, changed_after=version, states=_ACTIVE)
            if any(True for _ in entries):
                yield name
