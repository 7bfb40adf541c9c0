"""The record for others: without what may be personal, and single parts of it on request."""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from nightlight.audit.chain import (
    GENESIS,
    PRIVATE,
    UNREADABLE,
    StoredEntry,
    commitments,
    field_salts,
    hash_of,
)
from nightlight.audit.checkpoint import EXPORT_FORMAT, Export
from nightlight.errors import InvalidInput, NotFound
from nightlight.model.audit import AuditEntry
from nightlight.model.custody import check_is_person
from nightlight.services.record import Record
from nightlight.transaction import Transaction, UnitOfWork


class ExportedEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of an export; ``public`` and ``withheld`` are missing in the former form."""

    seq: int
    at_us: int
    public: str = ""
    withheld: tuple[str, ...] = ()
    previous: str
    hash: str


class Disclosed(Struct, frozen=True, kw_only=True):
    """A withheld part of an entry, as JSON, with the salt that proves it."""

    seq: int
    field: str
    value: str
    salt: str


def export(
    record: Record, unit_of_work: UnitOfWork, *, after: int = 0, former_names: bool = False
) -> Iterator[bytes]:
    """Yield an export, line by line: what proves the chain, and nothing that may be personal.

    Its manifest is signed, so that nobody can pass it off as another kind of export: with texts
    taken out, from another entry on, or up to another.

    Args:
        record: what is exported.
        unit_of_work: where it is stored.
        after: the entry after which the export begins; 0 for the whole record.
        former_names: export account actions from before record names too, whose ids tell whoever
            knows an account's public posts that it was acted on.

    Raises:
        NotFound: there is no entry ``after``.
        InvalidInput: there are such account actions, and they were not asked for.
    """
    record.anchor()
    checkpoint = record.last_checkpoint()
    with unit_of_work.read() as tx:
        if tx.report_decisions.has_former_names() and not former_names:
            raise InvalidInput(
                "this record holds account actions under names that can be traced to accounts",
                hint="see docs/operations/record.md; --with-former-names exports them all the same",
            )
        seq, head = tx.audit.head()
        held = Export(
            after=after,
            previous=_stored(tx, after).hash if after else GENESIS,
            seq=seq,
            head=head,
            former=_former(tx),
        )
        top = {
            "format": EXPORT_FORMAT,
            "after": held.after,
            "previous": held.previous,
            "head": {"seq": seq, "hash": head},
            "former": held.former,
            "checkpoint": checkpoint.note if checkpoint and checkpoint.seq <= seq else "",
            "manifest": record.manifest(held),
        }
        encode = msgspec.json.Encoder().encode
        yield encode(top) + b"\n"
        for one in tx.audit.stored(after=after):
            yield encode(_exported(one)) + b"\n"


def disclose(
    unit_of_work: UnitOfWork, seq: int, fields: Sequence[str], *, actor: str, reason: str
) -> list[Disclosed]:
    """Return withheld parts of an entry with what proves them; the record says who had them.

    Raises:
        NotFound: there is no such entry.
        InvalidInput: it has no such part, or is of the former form, which cannot be taken apart.
    """
    check_is_person(actor, field="by")
    unknown = [one for one in fields if one not in PRIVATE]
    if unknown or not fields:
        raise InvalidInput(f"name some of: {', '.join(PRIVATE)}", field="field")
    with unit_of_work.begin() as tx:
        stored = _stored(tx, seq)
        if stored.private is None or stored.salt is None:
            raise InvalidInput("this entry is of the former form: it is shown whole or not at all")
        values = dict(zip(PRIVATE, stored.private.split("\n"), strict=True))
        salts = dict(zip(PRIVATE, field_salts(bytes.fromhex(stored.salt)), strict=True))
        tx.commit(
            AuditEntry(
                actor=actor,
                action="record.disclosed",
                subject=f"entry {seq}",
                reason=reason,
                detail={"fields": list(fields)},
            )
        )
    return [
        Disclosed(seq=seq, field=one, value=values[one], salt=salts[one].hex()) for one in fields
    ]


def _former(tx: Transaction) -> int:
    """Return up to which entry the record truly is of the former form.

    One whose text was taken out in the database does not count: its hash does not fit.
    """
    count = 0
    for one in tx.audit.stored():
        try:
            if one.private is not None or one.salt is not None or hash_of(one) != one.hash:
                break
        except UNREADABLE:
            break
        count = one.seq
    return count


def _stored(tx: Transaction, seq: int) -> StoredEntry:
    found = list(tx.audit.stored(after=seq - 1, limit=1))
    if not found or found[0].seq != seq or seq < 1:
        raise NotFound(f"the record has no entry {seq}")
    return found[0]


def _exported(stored: StoredEntry) -> ExportedEntry:
    """Return an entry as it is exported; one that was made unreadable shows as such."""
    withheld: tuple[str, ...] = ()
    try:
        withheld = commitments(stored)
    except UNREADABLE:
        withheld = ("unreadable",)
    return ExportedEntry(
        seq=stored.seq,
        at_us=stored.at_us,
        public=stored.entry if withheld else "",
        withheld=withheld,
        previous=stored.previous,
        hash=stored.hash,
    )
