"""Where a simulator keeps what survives its restart: a SQLite file, or memory."""

import sqlite3

from nightlight.errors import InvalidInput


def open_state(path: str, tables: str) -> sqlite3.Connection:
    """Return the database at ``path``, ":memory:" for none; tables are made if missing.

    Raises:
        InvalidInput: there can be no file, it is no SQLite file, or one of something else.
    """
    try:
        database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("PRAGMA synchronous = FULL")
        wanted = _columns(tables)
        database.executescript(tables)
        if any(columns - _there(database, table) for table, columns in wanted.items()):
            raise InvalidInput("the file holds something else's tables", field=path)
    except sqlite3.Error as error:
        raise InvalidInput(
            f"no state can be kept there: {error}",
            field=path,
            hint="name a file that is not there yet, or one that this simulator made",
        ) from error
    return database


def _columns(tables: str) -> dict[str, set[str]]:
    """Return the columns that the tables have where nothing was before."""
    fresh = sqlite3.connect(":memory:")
    fresh.executescript(tables)
    named = fresh.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    found = {name: _there(fresh, name) for (name,) in named if not name.startswith("sqlite_")}
    fresh.close()
    return found


def _there(database: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in database.execute("SELECT * FROM pragma_table_info(?)", (table,))}
