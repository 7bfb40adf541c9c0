"""How entries come in and change: what is new gets a number, what differs a past."""

from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, func, select, update

from nightlight.adapters.sql.bank_history import VACATED, SqlBankHistory
from nightlight.adapters.sql.bank_rows import Wanted, chunked, entry_row, read_entries
from nightlight.adapters.sql.rows import Row, add_all, is_postgresql, put_new, put_over, to_us
from nightlight.adapters.sql.schema import bank_entry, counter
from nightlight.exchange.ports import Put
from nightlight.model.bank import BankEntry, EntryState, Opinion
from nightlight.preserve.ports import KeyRing

_NUMBERS = "bank_numbers"
#: Pictures and videos are counted apart from the many hashes that each may have.
_CONTENTS = "bank_contents"
ID_LENGTH = 128
#: A list that names these again does not undo what a person decided, or has yet to decide.
_A_PERSONS = (EntryState.DISABLED, EntryState.HELD)


class Change(Struct, frozen=True, kw_only=True):
    """What entries become; None leaves a part as it is."""

    state: EntryState | None = None
    opinion: Opinion | None = None
    disabled_until: datetime | None = None
    note: str | None = None

    def of(self, entry: BankEntry) -> BankEntry:
        """Return the entry, changed; one that is withdrawn has nothing left to change."""
        if entry.state is EntryState.WITHDRAWN:
            return entry
        state = entry.state if self.state is None else self.state
        until = entry.disabled_until if self.state is None else self.disabled_until
        return replace(
            entry,
            state=state,
            value="" if state is EntryState.WITHDRAWN else entry.value,
            disabled_until=until if state is EntryState.DISABLED else None,
            opinion=entry.opinion if self.opinion is None else self.opinion,
            note=entry.note if self.note is None else self.note,
        )


class Arrivals:
    """Puts entries in, chunk by chunk, as one version."""

    def __init__(
        self,
        *,
        connection: Connection,
        keys: KeyRing,
        version: int,
        at: datetime,
        keeping: frozenset[str],
        staged: int | None = None,
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._history = SqlBankHistory(connection)
        self._version = version
        self._added_us = to_us(at)
        self._keeping = keeping
        self._staged = staged
        self._contents: dict[int, int] = {}

    def take(self, entries: Sequence[BankEntry]) -> Put:
        """Add what is new, bring the rest up to date, and say what it came to."""
        done = [self._take(some) for some in chunked(entries)]
        return Put(
            added=sum(one.added for one in done),
            changed=sum(one.changed for one in done),
            unchanged=sum(one.unchanged for one in done),
            arrived=tuple(entry for one in done for entry in one.arrived),
        )

    def _take(self, entries: Sequence[BankEntry]) -> Put:
        own = {(entry.bank, entry.id): entry for entry in entries}
        found = {(entry.bank, entry.id): entry for entry in self._known(own)}
        known = {place: one for place, one in found.items() if _is_same_hash(one, own[place])}
        new = [entry for place, entry in own.items() if place not in known]
        fresh: list[BankEntry] = []
        changed: list[BankEntry] = []
        for place, stored in known.items():
            # What comes in together with a known hash of the same picture joins it.
            self._contents.setdefault(own[place].content, stored.content)
        numbers = self._drawn(_NUMBERS, len(new))
        contents = self._drawn(_CONTENTS, self._new_contents(new))
        for place, entry in own.items():
            before = known.get(place)
            if before is None:
                content = self._content_of(entry, contents)
                fresh.append(replace(entry, number=next(numbers), content=content))
                continue
            brought = _brought_up_to_date(before, entry, self._keeping)
            after = replace(brought, number=before.number)
            if after != before:
                changed.append(after)
        self._retire([one for place, one in found.items() if place not in known])
        self._store(fresh, changed)
        return Put(
            added=len(fresh),
            changed=len(changed),
            unchanged=len(own) - len(fresh) - len(changed),
            arrived=tuple(one for one in fresh if one.state is EntryState.ACTIVE),
        )

    def _known(self, own: Iterable[tuple[str, str]]) -> Iterator[BankEntry]:
        ids: dict[str, list[str]] = {}
        for bank, entry_id in own:
            ids.setdefault(bank, []).append(entry_id)
        for bank, named in ids.items():
            wanted = Wanted(bank=bank, ids=named)
            yield from read_entries(self._connection, self._keys, wanted)

    def _drawn(self, name: str, count: int) -> Iterator[int]:
        """Return the next numbers of a counter."""
        if not count:
            return iter(())
        self._begin_counting(name)
        last = self._connection.execute(
            update(counter)
            .where(counter.c.name == name)
            .values(value=counter.c.value + count)
            .returning(counter.c.value)
        ).scalar_one()
        return iter(range(last - count + 1, last + 1))

    def _begin_counting(self, name: str) -> None:
        known = select(counter.c.value).where(counter.c.name == name)
        if self._connection.execute(known).scalar_one_or_none() is None:
            # Contents had the numbers of their first entries before they were counted.
            highest = select(func.coalesce(func.max(bank_entry.c.content), 0))
            first = self._connection.execute(highest).scalar_one() if name == _CONTENTS else 0
            put_new(self._connection, counter, [{"name": name, "value": first}])

    def _new_contents(self, entries: Sequence[BankEntry]) -> int:
        """Return how many pictures and videos come in that have no number yet."""
        together = {entry.content for entry in entries if entry.content < 0}
        return len(together - self._contents.keys()) + sum(not one.content for one in entries)

    def _content_of(self, entry: BankEntry, numbers: Iterator[int]) -> int:
        """Return the number of the picture or video that the entry is of."""
        content = entry.content
        if content < 0 and content not in self._contents:
            self._contents[content] = next(numbers)
        return self._contents[content] if content < 0 else content or next(numbers)

    def _retire(self, entries: Sequence[BankEntry]) -> None:
        """Let rows make way for others with their ids, and keep them as withdrawn.

        Under a number the hash never changes, so whoever follows the changes need not compare.
        """
        gone = Change(state=EntryState.WITHDRAWN)
        numbers = [entry.number for entry in entries]
        change_entries(self._connection, self._keys, numbers, gone, version=self._version)
        for entry in entries:
            mark = f"~{entry.number}"
            self._connection.execute(
                update(bank_entry)
                .where(bank_entry.c.number == entry.number)
                .values(id=entry.id[: ID_LENGTH - len(mark)] + mark)
            )

    def _store(self, fresh: Sequence[BankEntry], changed: Sequence[BankEntry]) -> None:
        add_all(self._connection, bank_entry, [self._new_row(one) for one in fresh])
        self._history.keep_entries([one.number for one in changed], version=self._version)
        _update(self._connection, [self._row(one) for one in changed])

    def _new_row(self, entry: BankEntry) -> Row:
        row = self._row(entry) | {"added_us": self._added_us, "added_version": self._version}
        if self._staged is None or entry.state is not EntryState.ACTIVE:
            return row
        staged = {"added_version": self._staged, "changed_version": self._staged}
        return row | staged | {"state": EntryState.HELD.value}

    def _row(self, entry: BankEntry) -> Row:
        return entry_row(entry, self._keys) | {"changed_version": self._version}


def _brought_up_to_date(before: BankEntry, entry: BankEntry, keeping: frozenset[str]) -> BankEntry:
    """Return a known entry as a list now gives it.

    A list that says nothing of note or source, or of which picture it is, takes nothing away.
    """
    kept = before.state in _A_PERSONS and entry.state is EntryState.ACTIVE
    gone = entry.state is EntryState.WITHDRAWN
    return replace(
        entry,
        value="" if gone else entry.value,
        content=entry.content if entry.content > 0 else before.content,
        state=before.state if kept else entry.state,
        disabled_until=before.disabled_until if kept else entry.disabled_until,
        note=entry.note or before.note,
        source=entry.source or before.source,
        source_ref=entry.source_ref or before.source_ref,
        classification=before.classification
        if "classification" in keeping
        else entry.classification,
        opinion=before.opinion if "opinion" in keeping else entry.opinion,
    )


def _is_same_hash(before: BankEntry, entry: BankEntry) -> bool:
    """Return whether a known entry is the one that is given, and not another under its id."""
    if before.state is EntryState.WITHDRAWN or entry.state is EntryState.WITHDRAWN:
        # Of one that was withdrawn the hash is gone: who gives it anew gives a new entry.
        return entry.state is EntryState.WITHDRAWN
    return (before.kind, before.value) == (entry.kind, entry.value)


def change_entries(
    connection: Connection,
    keys: KeyRing,
    numbers: Collection[int],
    change: Change,
    *,
    version: int,
) -> int:
    """Return how many of the entries differ now."""
    count = 0
    history = SqlBankHistory(connection)
    # Ten million numbers of a held update are eighty megabytes this way, and a gigabyte as a set.
    unique = np.unique(np.fromiter(numbers, np.int64, len(numbers)))
    for some in chunked(array("q", unique.tobytes())):
        found = read_entries(connection, keys, Wanted(numbers=some))
        differ = [after for before in found if (after := change.of(before)) != before]
        history.keep_entries([one.number for one in differ], version=version)
        rows = [entry_row(one, keys) | {"changed_version": version} for one in differ]
        _update(connection, rows)
        count += len(differ)
    return count


def _update(connection: Connection, rows: Sequence[Row]) -> None:
    # Upserts over rows that are there: one statement, however many.
    fixed = {"added_us": 0, "added_version": 0}
    put_over(connection, bank_entry, [row | fixed for row in rows], keep=("number", *fixed))


def retired_numbers(connection: Connection, entry_id: str) -> list[int]:
    """Return the numbers of entries that gave up this id, by number."""
    column: ColumnElement[str] = bank_entry.c.id
    if is_postgresql(connection):
        column = column.collate("C")  # by bytes, as the mark was made
    # The mark is followed by digits, and ":" is what comes after the digits.
    marked = (column > f"{entry_id}~") & (column < f"{entry_id}~:")
    numbers = connection.execute(select(bank_entry.c.number).where(marked)).scalars()
    return sorted(numbers)


def withdraw_bank(connection: Connection, name: str, *, version: int) -> int:
    """Return how many entries of a bank were withdrawn, their hashes erased."""
    SqlBankHistory(connection).keep_bank(name, version=version)
    withdrawn = connection.execute(
        update(bank_entry)
        .where(bank_entry.c.bank == name, bank_entry.c.state != EntryState.WITHDRAWN.value)
        .values(
            state=EntryState.WITHDRAWN.value,
            sealed_value=b"",
            disabled_until_us=None,
            changed_version=version,
        )
    )
    return withdrawn.rowcount


def vacate_name(connection: Connection, name: str, *, version: int) -> None:
    """Let what a withdrawn bank held stay under its name and a mark, so that the name is free."""
    connection.execute(
        update(bank_entry).where(bank_entry.c.bank == name).values(bank=f"{name}{VACATED}{version}")
    )
