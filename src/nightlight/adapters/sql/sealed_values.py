"""Every value in the database that the key ring wrapped, whatever it is."""

from typing import Any

import msgspec
from sqlalchemy import Column, Connection, LargeBinary, Table, func, literal, select, tuple_, update

from nightlight.adapters.sql.rows import put_over
from nightlight.adapters.sql.schema import counter, metadata
from nightlight.preserve.ports import KeyRing

#: The counter that holds the id of the newest master key.
NEWEST_KEY = "newest master key"
#: How a wrapped value begins: the id of its master key.
_ID_BYTES = 4
_place = msgspec.json.Decoder(tuple[int, list[Any]])


def sealed_columns() -> list[tuple[Table, Column[bytes]]]:
    """Return the columns that hold wrapped values: those whose names say so."""
    return [
        (table, column)
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary) and column.name.startswith("sealed")
    ]


class SqlSealedValues:
    """The sealed columns of all tables."""

    def __init__(self, connection: Connection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys

    def count(self) -> dict[str, int]:
        """Return how many there are under each master key, by its id."""
        found: dict[str, int] = {}
        for _, column in sealed_columns():
            begins = func.substr(column, 1, _ID_BYTES)
            rows = self._connection.execute(
                select(begins, func.count()).where(func.length(column) > 0).group_by(begins)
            )
            for begin, count in rows:
                key_id = self._keys.key_of(bytes(begin))
                found[key_id] = found.get(key_id, 0) + count
        return found

    def remember_newest(self, key_id: str) -> None:
        """Remember the newest master key: nothing starts with keys that lack it."""
        put_over(self._connection, counter, [{"name": NEWEST_KEY, "value": int(key_id, 16)}])

    def rewrap(self, after: str, limit: int) -> tuple[int, str]:
        """Wrap up to so many again under the newest key, from a place on ("" is the start).

        Returns:
            How many were wrapped again, and the next place; "" once everything was looked at.
        """
        number, last = _place.decode(after) if after else (0, [])
        columns = sealed_columns()
        table, column = columns[number]
        keys = list(table.primary_key.columns)
        wanted = select(*keys, column).where(column.is_not(None)).order_by(*keys).limit(limit)
        if last:
            wanted = wanted.where(tuple_(*keys) > tuple_(*(literal(one) for one in last)))
        rows = self._connection.execute(wanted).all()
        newest = self._keys.master_keys()[-1].id
        changed = 0
        for *key, sealed in rows:
            if sealed and self._keys.key_of(bytes(sealed)) != newest:
                again = self._keys.wrap(self._keys.unwrap(bytes(sealed)))
                self._connection.execute(
                    update(table)
                    # What was written meanwhile is under the newest key already.
                    .where(*(one == value for one, value in zip(keys, key, strict=True)))
                    .where(column == sealed)
                    .values({column.name: again})
                )
                changed += 1
        if len(rows) == limit:
            return changed, msgspec.json.encode((number, list(rows[-1][:-1]))).decode()
        if number + 1 < len(columns):
            return changed, msgspec.json.encode((number + 1, [])).decode()
        return changed, ""
