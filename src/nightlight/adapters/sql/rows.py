"""How values become columns and back, and the statements that both dialects share."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, Self

import msgspec
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Dialect,
    FromClause,
    String,
    Table,
    bindparam,
    func,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.sql.visitors import InternalTraversal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

#: A row on its way to the database.
Row = dict[str, Any]


def to_us(time: datetime) -> int:
    """Return microseconds since 1970."""
    return (time - _EPOCH) // _MICROSECOND


def to_us_or_none(time: datetime | None) -> int | None:
    """Return microseconds since 1970, None for None."""
    return None if time is None else (time - _EPOCH) // _MICROSECOND


def from_us(value: int) -> datetime:
    """Return the time that is this many microseconds after 1970, UTC."""
    return _EPOCH + timedelta(0, 0, value)


def from_us_or_none(value: int | None) -> datetime | None:
    """Return the time, None for None."""
    return None if value is None else _EPOCH + timedelta(0, 0, value)


def to_json(value: object) -> str:
    """Return a value as JSON text."""
    return msgspec.json.encode(value).decode()


def is_postgresql(connection: Connection) -> bool:
    """Return whether this connection speaks to PostgreSQL."""
    return connection.dialect.name == "postgresql"


class _InJson(ColumnElement[bool]):
    """A column's value is one of a JSON list's, for SQLite.

    The same made of ``in_`` and ``select`` takes a good part of a short statement's time to put
    together, and a case asks some sixty times.
    """

    inherit_cache = True
    type = Boolean()
    _traverse_internals = [  # noqa: RUF012  typed so by SQLAlchemy
        ("column", InternalTraversal.dp_clauseelement),
        ("listed", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: ColumnElement[str], listed: str) -> None:
        self.column = column
        self.listed = bindparam(None, listed, String(), unique=True)

    def self_group(self, against: OperatorType | None = None) -> Self:
        """Return the condition as it is: compared with 1, no index would be used."""
        del against
        return self

    @property
    def _from_objects(self) -> list[FromClause]:
        return self.column._from_objects  # noqa: SLF001  as every element of SQLAlchemy's does


@compiles(_InJson)
def _compile_in_json(element: _InJson, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.column, **options)
    listed = compiler.process(element.listed, **options)
    return f"{column} IN (SELECT value FROM json_each({listed}))"


def among(connection: Connection, column: ColumnElement[str], ids: Collection[str]) -> Any:
    """Return the condition that ``column`` is one of ``ids``: one parameter, however many ids."""
    if is_postgresql(connection):
        values = bindparam(None, list(ids), type_=postgresql.ARRAY(postgresql.TEXT))
        return column == func.any(values)
    return _InJson(column, to_json(list(ids)))


def insert_into(connection: Connection, table: Table) -> Any:
    """Return the dialect's INSERT, which knows ON CONFLICT."""
    if is_postgresql(connection):
        return postgresql.insert(table)
    return sqlite.insert(table)


def add_all(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows that are known to be new."""
    if rows:
        _execute_many(connection, table, "add", (), rows)


def put_new(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; one whose primary key is there already stays as it is."""
    if rows:
        _execute_many(connection, table, "new", (), rows)


def put_over(
    connection: Connection, table: Table, rows: Sequence[Row], *, keep: tuple[str, ...] = ()
) -> None:
    """Insert rows over those with the same primary key, leaving the columns in ``keep`` alone."""
    if rows:
        _execute_many(connection, table, "over", keep, rows)


def _execute_many(
    connection: Connection, table: Table, how: str, keep: tuple[str, ...], rows: Sequence[Row]
) -> None:
    """Hand the rows to the driver as they are.

    SQLAlchemy's own parameter processing costs several times what SQLite takes to store a row,
    and these columns need none of it.
    """
    key = (connection.dialect.name, table.name, how, keep)
    prepared = _prepared.get(key)
    if prepared is None:
        prepared = _prepared[key] = _prepare(connection, table, how, keep)
    sql, order = prepared
    pick = itemgetter(*order)
    connection.exec_driver_sql(sql, [pick(row) for row in rows])


_prepared: dict[tuple[str, str, str, tuple[str, ...]], tuple[str, tuple[str, ...]]] = {}


def _prepare(
    connection: Connection, table: Table, how: str, keep: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    """Return the driver's SQL and the order in which it takes the columns."""
    statement = insert_into(connection, table)
    keys = [column.name for column in table.primary_key]
    if how == "new":
        statement = statement.on_conflict_do_nothing()
    elif how == "over":
        fixed = {*keys, *keep}
        changed = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in fixed}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=changed)
    compiled = statement.compile(dialect=_positional(connection.dialect))
    return str(compiled), tuple(compiled.positiontup or ())


def _positional(dialect: Dialect) -> Dialect:
    """Return the dialect in its positional form, so that rows are plain tuples."""
    if dialect.positional:
        return dialect
    return type(dialect)(paramstyle="format")  # type: ignore[call-arg]  # every dialect takes it
