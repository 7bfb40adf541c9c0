"""Bank entries as rows: sealed on the way in, opened on the way out, found by any condition."""

from array import array
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import BigInteger, ColumnElement, Connection, bindparam, func, select
from sqlalchemy.dialects import postgresql

from nightlight.adapters.sql.rows import (
    Row,
    among,
    from_us_or_none,
    is_postgresql,
    to_json,
    to_us_or_none,
)
from nightlight.adapters.sql.schema import bank_entry
from nightlight.model.bank import BankEntry, EntryState, HashKind, Opinion
from nightlight.preserve.ports import KeyRing

#: Rows handled at a time: a bank of ten million entries is never in memory as a whole.
CHUNK = 5_000
_Item = TypeVar("_Item")


class Wanted(Struct, frozen=True, kw_only=True):
    """Which entries are asked for: those that fulfil every condition that is not None."""

    bank: str | None = None
    ids: Collection[str] | None = None
    numbers: Collection[int] | None = None
    content: int | None = None
    source_refs: Collection[str] | None = None
    changed_after: int | None = None
    changed_in: int | None = None
    states: Collection[EntryState] | None = None
    after_number: int = 0


def chunked(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    """Yield the items in pieces that one statement takes."""
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


def among_numbers(connection: Connection, column: ColumnElement[int], values: Any) -> Any:
    """Return the condition that ``column`` is one of ``values``: one parameter, however many."""
    if is_postgresql(connection):
        bound = bindparam(None, list(values), type_=postgresql.ARRAY(BigInteger))
        return column == func.any(bound)
    listed = func.json_each(to_json(list(values))).table_valued("value")
    return column.in_(select(listed.c.value))


def entry_row(entry: BankEntry, keys: KeyRing) -> Row:
    """Return what is stored of an entry, but for its place and versions; its hash is sealed."""
    withdrawn = entry.state is EntryState.WITHDRAWN
    disabled = entry.state is EntryState.DISABLED
    return {
        "id": entry.id,
        "bank": entry.bank,
        "number": entry.number,
        "content": entry.content,
        "kind": entry.kind.value,
        "sealed_value": b"" if withdrawn else keys.wrap(bytes.fromhex(entry.value)),
        "classification": entry.classification,
        "view": entry.view,
        "quality": entry.quality,
        "opinion": entry.opinion.value,
        "state": entry.state.value,
        "disabled_until_us": to_us_or_none(entry.disabled_until) if disabled else None,
        "note": entry.note,
        "source": entry.source,
        "source_ref": entry.source_ref,
    }


_COLUMNS = tuple(
    bank_entry.c[name]
    for name in (
        *("id", "bank", "number", "content", "kind", "sealed_value", "classification", "view"),
        *("quality", "opinion", "state", "disabled_until_us", "note", "source", "source_ref"),
    )
)
_kinds = {kind.value: kind for kind in HashKind}
_opinions = {opinion.value: opinion for opinion in Opinion}
_states = {state.value: state for state in EntryState}


def read_entries(
    connection: Connection, keys: KeyRing, wanted: Wanted, limit: int | None = None
) -> Iterator[BankEntry]:
    """Yield the entries that are wanted, by number, a few thousand read at a time."""
    found = (
        _by_number(connection, keys, wanted, limit)
        if _is_narrow(wanted)
        else _in_pages(connection, keys, wanted)
    )
    return found if limit is None else islice(found, limit)


def _is_narrow(wanted: Wanted) -> bool:
    """Return whether an index leads to few entries; the rest is read in the order of numbers."""
    named = (
        *(wanted.ids, wanted.numbers, wanted.content),
        *(wanted.source_refs, wanted.changed_in),
    )
    return any(one is not None for one in named) or bool(wanted.changed_after)


def _in_pages(connection: Connection, keys: KeyRing, wanted: Wanted) -> Iterator[BankEntry]:
    conditions = _conditions(wanted)
    after = wanted.after_number
    while True:
        page = connection.execute(
            select(*_COLUMNS)
            .where(bank_entry.c.number > after, *conditions)
            .order_by(bank_entry.c.number)
            .limit(CHUNK)
        ).all()
        for row in page:
            yield _entry(row, keys)
        if len(page) < CHUNK:
            return
        after = page[-1].number


def _by_number(
    connection: Connection, keys: KeyRing, wanted: Wanted, limit: int | None
) -> Iterator[BankEntry]:
    numbers = array("q", sorted(_numbers(connection, wanted, limit)))
    for some in chunked(numbers):
        rows = connection.execute(
            select(*_COLUMNS)
            .where(among_numbers(connection, bank_entry.c.number, some))
            .order_by(bank_entry.c.number)
        ).all()
        for row in rows:
            yield _entry(row, keys)


def _numbers(connection: Connection, wanted: Wanted, limit: int | None) -> Iterator[int]:
    """Yield the numbers of the entries wanted, found by the index that leads to the fewest.

    Among them are the ``limit`` lowest, with others where several statements are needed.
    """
    conditions = [*_conditions(wanted), bank_entry.c.number > wanted.after_number]
    if wanted.changed_after is not None:
        conditions.append(bank_entry.c.changed_version > wanted.changed_after)
    if wanted.changed_in is not None:
        conditions.append(bank_entry.c.changed_version == wanted.changed_in)
    if wanted.content is not None:
        conditions.append(bank_entry.c.content == wanted.content)
    for choice in _choices(connection, wanted):
        found = select(bank_entry.c.number).where(*choice, *conditions)
        if limit is not None:
            found = found.order_by(bank_entry.c.number).limit(limit)
        yield from connection.execute(found).scalars()


def _choices(connection: Connection, wanted: Wanted) -> Iterator[tuple[Any, ...]]:
    """Yield a condition for each piece of the longest list of names that is given, if any."""
    lists: tuple[tuple[Collection[Any] | None, Any, Any], ...] = (
        (wanted.numbers, bank_entry.c.number, among_numbers),
        (wanted.ids, bank_entry.c.id, among),
        (wanted.source_refs, bank_entry.c.source_ref, among),
    )
    given = [
        (sorted(set(values)), column, one_of)
        for values, column, one_of in lists
        if values is not None
    ]
    if not given:
        yield ()
        return
    (values, column, one_of), *others = sorted(given, key=lambda one: -len(one[0]))
    rest = [condition(connection, other, names) for names, other, condition in others]
    for some in chunked(values):
        yield (one_of(connection, column, some), *rest)


def _conditions(wanted: Wanted) -> list[Any]:
    conditions: list[Any] = []
    if wanted.bank is not None:
        conditions.append(bank_entry.c.bank == wanted.bank)
    if wanted.states is not None:
        conditions.append(bank_entry.c.state.in_(sorted(one.value for one in wanted.states)))
    return conditions


def _entry(row: Sequence[Any], keys: KeyRing) -> BankEntry:
    # Taken apart by place: ten million rows are read this way when a process starts.
    (
        entry_id,
        bank,
        number,
        content,
        kind,
        sealed,
        classification,
        view,
        quality,
        opinion,
        state,
        until_us,
        note,
        source,
        source_ref,
    ) = row
    return BankEntry(
        id=entry_id,
        bank=bank,
        kind=_kinds[kind],
        value=keys.unwrap(sealed).hex() if sealed else "",
        classification=classification,
        number=number,
        content=content,
        view=view,
        quality=quality,
        opinion=_opinions[opinion],
        state=_states[state],
        disabled_until=from_us_or_none(until_us),
        note=note,
        source=source,
        source_ref=source_ref,
    )
