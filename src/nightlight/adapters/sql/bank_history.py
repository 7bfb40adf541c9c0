"""What banks and entries were: settings by version, and each entry before each change."""

from collections.abc import Collection
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import BigInteger, ColumnElement, Connection, func, literal, select

from nightlight.adapters.sql.bank_rows import among_numbers, chunked
from nightlight.adapters.sql.rows import from_us, insert_into, put_over, to_json, to_us
from nightlight.adapters.sql.schema import bank_entry, bank_entry_past, bank_version
from nightlight.model.bank import Bank, BankVersion, Classification, EntryState, Opinion

#: Stands between the name of a withdrawn bank and the version in which another took that name; no
#: bank's name has it.
VACATED = "~"
_version = msgspec.json.Decoder(BankVersion)


class Past(Struct, frozen=True, kw_only=True):
    """What an entry was."""

    classification: Classification
    opinion: Opinion
    state: EntryState


class SqlBankHistory:
    """Keeps and answers what was before."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, version: BankVersion) -> None:
        """Keep what a change of a bank came to."""
        row = {
            "version": version.number,
            "bank": version.bank,
            "at_us": to_us(version.at),
            "body": to_json(version),
        }
        put_over(self._connection, bank_version, [row])

    def newest(self, bank: str, limit: int) -> list[BankVersion]:
        """Return a bank's newest versions, newest first."""
        bodies = self._connection.execute(
            select(bank_version.c.body)
            .where(bank_version.c.bank == bank)
            .order_by(bank_version.c.version.desc())
            .limit(limit)
        )
        return [_version.decode(body) for body in bodies.scalars()]

    def one(self, number: int, bank: str) -> BankVersion | None:
        """Return what one version was to one bank, None where it was not about it."""
        body = self._connection.execute(
            select(bank_version.c.body).where(
                bank_version.c.version == number, bank_version.c.bank == bank
            )
        ).scalar_one_or_none()
        return None if body is None else _version.decode(body)

    def changed_after(self, version: int) -> list[str]:
        """Return the names of the banks that versions after this one were about."""
        rows = self._connection.execute(
            select(bank_version.c.bank)
            .distinct()
            .where(bank_version.c.version > version)
            .order_by(bank_version.c.bank)
        )
        return list(rows.scalars())

    def bank_at(self, name: str, version: int) -> Bank | None:
        """Return a bank's settings as they were at a version, None where it was not there."""
        body = self._connection.execute(
            select(bank_version.c.body)
            .where(bank_version.c.bank == name, bank_version.c.version <= version)
            .order_by(bank_version.c.version.desc())
            .limit(1)
        ).scalar_one_or_none()
        return None if body is None else _version.decode(body).settings

    def name_at(self, name: str, version: int) -> str:
        """Return the name that a bank, or a withdrawn one whose name was taken, had at a version.

        In a version that renames a bank two are noted: the old name, with no settings from then
        on, and the new one.
        """
        own, _, taken = name.partition(VACATED)
        before = int(taken) if taken else None
        if before is not None and version >= before:
            return name
        name = own
        while (renamed := self._renamed(name, version, before)) is not None:
            name, before = renamed
        return name

    def _renamed(self, name: str, after: int, before: int | None) -> tuple[str, int] | None:
        """Return from which name a bank last got this one between two versions, and in which."""
        other = bank_version.alias()
        noted = (
            select(bank_version.c.version, bank_version.c.body, other.c.bank, other.c.body)
            .join(other, other.c.version == bank_version.c.version)
            .where(bank_version.c.bank == name, other.c.bank != name)
            .where(bank_version.c.version > after)
            .order_by(bank_version.c.version.desc())
        )
        if before is not None:
            noted = noted.where(bank_version.c.version < before)
        for number, body, old_name, old_body in self._connection.execute(noted):
            if _version.decode(body).settings and not _version.decode(old_body).settings:
                return old_name, number
        return None

    def changes(self) -> dict[str, tuple[datetime, int]]:
        """Return when each bank was last changed, and in which version."""
        rows = self._connection.execute(
            select(
                bank_version.c.bank,
                func.max(bank_version.c.at_us),
                func.max(bank_version.c.version),
            ).group_by(bank_version.c.bank)
        )
        return {bank: (from_us(at_us), version) for bank, at_us, version in rows}

    def keep_entries(self, numbers: Collection[int], *, version: int) -> None:
        """Keep what these entries are, before this version changes them.

        What came in with this version was nothing before it, and what it changes twice is kept
        once.
        """
        for some in chunked(sorted(numbers)):
            self._keep(among_numbers(self._connection, bank_entry.c.number, some), version)

    def keep_bank(self, bank: str, *, version: int) -> None:
        """Keep what every entry of a bank is, before this version withdraws it."""
        self._keep(
            (bank_entry.c.bank == bank) & (bank_entry.c.state != EntryState.WITHDRAWN.value),
            version,
        )

    def _keep(self, which: ColumnElement[bool], version: int) -> None:
        columns = ["number", "until_version", "classification", "opinion", "state"]
        found = select(
            bank_entry.c.number,
            literal(version, BigInteger),
            bank_entry.c.classification,
            bank_entry.c.opinion,
            bank_entry.c.state,
        ).where(which, bank_entry.c.added_version < version)
        insert = insert_into(self._connection, bank_entry_past)
        self._connection.execute(insert.from_select(columns, found).on_conflict_do_nothing())

    def entry_at(self, number: int, version: int) -> Past | None:
        """Return what an entry was at a version, where it has changed since; else None."""
        row = self._connection.execute(
            select(bank_entry_past)
            .where(bank_entry_past.c.number == number, bank_entry_past.c.until_version > version)
            .order_by(bank_entry_past.c.until_version)
            .limit(1)
        ).one_or_none()
        if row is None:
            return None
        return Past(
            classification=row.classification,
            opinion=Opinion(row.opinion),
            state=EntryState(row.state),
        )
