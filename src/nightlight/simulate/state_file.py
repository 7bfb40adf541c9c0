"""Where a simulator keeps what survives its restart: a SQLite file, or memory."""

import sqlite3
from contextlib import closing

from nightlight.errors import InvalidInput

_HINT = "name a file that is not there yet, or one that this simulator made"


def open_state(path: str, tables: str) -> sqlite3.Connection:
    """Return the database at ``path``, ":memory:" for none; tables are made if missing.

    Raises:
        InvalidInput: there can be no file, it is no SQLite file, or one of something else, which
            is left as it is.
    """
    try:
        database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("PRAGMA synchronous = FULL")
        ours = _wanted(tables)
        there = _tables(database).items()
        if any(name not in ours or ours[name] - columns for name, columns in there):
            database.close()
            raise InvalidInput("the file holds something else's tables", field=path, hint=_HINT)
        database.executescript(tables)
    except sqlite3.Error as error:
        raise InvalidInput(
            f"no state can be kept there: {error}",
            field=path,
            hint=_HINT,
        ) from error
    return database


def _wanted(tables: str) -> dict[str, frozenset[str]]:
    """Return the tables as they are where nothing was before."""
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(tables)
        return _tables(fresh)


def _tables(database: sqlite3.Connection) -> dict[str, frozenset[str]]:
    """Return the tables that are there, each with the names of its columns."""
    named = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {name: _there(database, name) for (name,) in named if not name.startswith("sqlite_")}


def _there(database: sqlite3.Connection, table: str) -> frozenset[str]:
    rows = database.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return frozenset(name for (name,) in rows)
