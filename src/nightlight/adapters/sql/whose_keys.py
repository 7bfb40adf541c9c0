"""Under which keys a database was sealed: it is opened with those, no others and none of them less.

It remembers two things: a mark of the key that never changes, and which master key is the newest,
so that a key file from before the last rotation is known for what it is.

Nothing here writes before it is certain: a start that is refused leaves everything as it was.
"""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, func, inspect, select, update
from sqlalchemy.exc import OperationalError

from nightlight.adapters.sql.rows import put_new
from nightlight.adapters.sql.schema import audit_entry, counter
from nightlight.adapters.sql.sealed_values import NEWEST_KEY, sealed_columns
from nightlight.errors import InvalidInput, Unavailable
from nightlight.preserve.ports import KeyRing

#: The counter that holds which keys the database is sealed under.
_KEYS = "keys"
_known = select(counter.c.value).where(counter.c.name == _KEYS)
_newest = select(counter.c.value).where(counter.c.name == NEWEST_KEY)


def check_unsealed(engine: Engine) -> None:
    """Return if a database may be opened under keys that are still to be made: it holds nothing.

    Raises:
        InvalidInput: it was opened under keys before; new ones would hide that those are gone.
        Unavailable: the database does not answer.
    """
    with _reading(engine) as connection:
        if connection is None:
            return
        tables = set(inspect(connection).get_table_names())
        is_known = counter.name in tables and connection.execute(_known).first()
        has_record = (
            audit_entry.name in tables
            and connection.execute(select(audit_entry.c.seq).limit(1)).first()
        )
        if is_known or has_record or any(True for _ in _samples(connection)):
            raise InvalidInput(
                "the keys of this home are missing, and the database was sealed under some",
                field="NIGHTLIGHT_HOME",
                hint="restore the key file from its backup, or name the right home",
            )


def check_keys(engine: Engine, keys: KeyRing) -> None:
    """Return if nothing in the database says that it was sealed under other keys.

    A database that does not remember its keys, since an older version wrote it, is asked for what
    is sealed in it.

    Raises:
        InvalidInput: it was sealed under other keys, or under a newer one that these lack.
        Unavailable: the database does not answer.
    """
    with _reading(engine) as connection:
        if connection is None:
            return
        if inspect(connection).has_table(counter.name):
            found = connection.execute(_known).scalar()
            if found is not None:
                _check(found, keys)
            _check_newest(connection.execute(_newest).scalar(), keys)
            if found is not None:
                return
        known = {one.id for one in keys.master_keys()}
        if any(keys.key_of(sample) not in known for sample in _samples(connection)):
            raise _others()


def remember_keys(engine: Engine, keys: KeyRing) -> None:
    """Remember under which keys the database is sealed, and which of them is the newest.

    Raises:
        InvalidInput: another process that has other keys, or a newer one, was first.
    """
    newest = int(keys.master_keys()[-1].id, 16)
    with engine.connect() as connection:
        connection.execution_options(nightlight_write=False)  # begun on most starts, waits for none
        found, before = connection.execute(_known).scalar(), connection.execute(_newest).scalar()
    if found is None or before != newest:
        with engine.begin() as connection:
            rows = [{"name": _KEYS, "value": _mark(keys)}, {"name": NEWEST_KEY, "value": newest}]
            put_new(connection, counter, rows)
            found, before = (
                connection.execute(_known).scalar(),
                connection.execute(_newest).scalar(),
            )
            _check(found, keys)
            _check_newest(before, keys)
            connection.execute(
                update(counter)
                .where(counter.c.name == NEWEST_KEY, counter.c.value == before)
                .values(value=newest)
            )
    _check(found, keys)


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection | None]:
    """Give a connection that only reads; None where there is no database yet."""
    file = engine.url.database
    if engine.dialect.name == "sqlite" and not (file and Path(file).exists()):
        yield None
        return
    try:
        with engine.connect() as connection:
            connection.execution_options(nightlight_write=False)
            yield connection
    except OperationalError as error:
        raise Unavailable(
            "the database does not answer",
            hint="check NIGHTLIGHT_DATABASE_URL, then `nightlight doctor`",
        ) from error


def _samples(connection: Connection) -> Iterator[bytes]:
    """Yield a sealed value of each column of the schema that the database has."""
    tables = inspect(connection)
    present = set(tables.get_table_names())
    for table, column in sealed_columns():
        if table.name not in present:
            continue
        if column.name not in {one["name"] for one in tables.get_columns(table.name)}:
            continue
        statement = select(column).where(func.length(column) > 0).limit(1)
        found = connection.execute(statement).scalar()
        if found is not None:
            yield bytes(found)


def _mark(keys: KeyRing) -> int:
    digest = hmac.digest(keys.naming_key(), b"nightlight: these keys", "sha256")
    return int.from_bytes(digest[:7], "big")


def _check(found: int | None, keys: KeyRing) -> None:
    if found != _mark(keys):
        raise _others()


def _check_newest(found: int | None, keys: KeyRing) -> None:
    if found is not None and found not in {int(one.id, 16) for one in keys.master_keys()}:
        raise InvalidInput(
            f"the key file is outdated: it lacks master key {found:08x}, which this database uses",
            field="NIGHTLIGHT_HOME",
            hint="restore the newest key file; docs/operations/keys-and-backups.md",
        )


def _others() -> InvalidInput:
    return InvalidInput(
        "this database was sealed under other keys than those of this home",
        field="NIGHTLIGHT_DATABASE_URL",
        hint="restore the key file from its backup",
    )
