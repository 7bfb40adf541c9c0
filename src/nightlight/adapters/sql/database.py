"""Connections, transactions and migrations.

SQLite runs in WAL mode with ``synchronous=FULL``: what was committed survives a power cut. A
writing transaction begins IMMEDIATE, so two processes queue for the lock instead of failing at
commit. On PostgreSQL, row locks on ``counter`` and ``audit_head`` do the same work.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import Connection as SqliteConnection
from typing import Any

from psycopg import Error as PsycopgError
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError

from nightlight.adapters.sql.rows import is_postgresql
from nightlight.adapters.sql.transaction import SqlTransaction
from nightlight.audit.clock import Clock
from nightlight.errors import Conflict, InvalidInput, Unavailable
from nightlight.model.filing import Line
from nightlight.preserve.ports import KeyRing

_BUSY_TIMEOUT_S = 60
#: Any number that no other program on the same database is likely to lock.
_LOCK = 0x6E696768746C6974
#: The newest schema revision; a test compares it with the migration scripts.
NEWEST_REVISION = "0027"


class SqlUnitOfWork:
    """Begins transactions on one database."""

    def __init__(
        self, *, engine: Engine, clock: Clock, keys: KeyRing, line: Line | None = None
    ) -> None:
        """Keep the parts; ``line`` is the CyberTipline in force, None where none is configured."""
        self._line = line or Line()
        self._engine = engine
        self._clock = clock
        self._keys = keys

    @contextmanager
    def begin(self) -> Iterator[SqlTransaction]:
        """Begin a transaction that may write; leaving it without ``commit`` undoes everything."""
        with self._connection(write=True) as connection:
            transaction = SqlTransaction(
                connection=connection,
                clock=self._clock,
                keys=self._keys,
                line=self._line,
                writable=True,
            )
            yield transaction
            if not transaction.committed:
                connection.rollback()

    @contextmanager
    def read(self) -> Iterator[SqlTransaction]:
        """Begin a transaction that only reads."""
        with self._connection(write=False) as connection:
            yield SqlTransaction(
                connection=connection,
                clock=self._clock,
                keys=self._keys,
                line=self._line,
                writable=False,
            )
            connection.rollback()

    @contextmanager
    def _connection(self, *, write: bool) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                # "begin_sqlite" reads this option to choose the kind of BEGIN.
                connection.execution_options(nightlight_write=write)
                if not write and is_postgresql(connection):
                    # Every statement sees the same moment, as a reader of SQLite does.
                    connection.execution_options(
                        isolation_level="REPEATABLE READ", postgresql_readonly=True
                    )
                yield connection
        except IntegrityError as error:
            # Without its cause: PostgreSQL's own message shows the whole row that it refused.
            raise Conflict(f"the database refuses this: {_said(error)}") from None
        except (OperationalError, DBAPIError) as error:
            if isinstance(error, OperationalError) or error.connection_invalidated:
                raise Unavailable(
                    f"the database does not answer: {_said(error)}",
                    hint="check NIGHTLIGHT_DATABASE_URL, then `nightlight doctor`",
                ) from error
            raise


def open_engine(url: str) -> Engine:
    """Return an engine for a SQLite or PostgreSQL URL.

    Raises:
        InvalidInput: the URL is not one, or names another database.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidInput(
            "not a database URL",
            field="NIGHTLIGHT_DATABASE_URL",
            hint="for example postgresql://user:password@host/nightlight",
        ) from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _open_sqlite(url)
    if backend in ("postgresql", "postgres"):
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            pool_size=5,
            hide_parameters=True,
        )
    raise InvalidInput(
        f"the database {backend!r} is not supported",
        field="NIGHTLIGHT_DATABASE_URL",
        hint="use sqlite:///FILE or postgresql://...",
    )


def _open_sqlite(url: str) -> Engine:
    # Parameters are content, hashes and terms: errors must not show them.
    engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def configure(connection: SqliteConnection, _: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA cache_size=-131072")
        connection.execute("PRAGMA mmap_size=1073741824")
        connection.execute("PRAGMA journal_size_limit=67108864")

    @event.listens_for(engine, "begin")
    def begin_sqlite(connection: Connection) -> None:
        write = connection.get_execution_options().get("nightlight_write", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def migrate(engine: Engine) -> None:
    """Bring the database to the newest schema; does nothing where it is already."""
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                # Two processes starting at once: the second waits, then finds nothing to do.
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            if _revision(connection) != NEWEST_REVISION:
                from nightlight.adapters.sql.upgrade import upgrade  # noqa: PLC0415  rare and slow

                upgrade(connection)
                connection.commit()
    except OperationalError as error:
        raise Unavailable(
            f"the database does not answer: {_said(error)}",
            hint="check NIGHTLIGHT_DATABASE_URL, then `nightlight doctor`",
        ) from error


def _revision(connection: Connection) -> str | None:
    """Return the schema revision that Alembic noted in the database, None in an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    statement = text("SELECT version_num FROM alembic_version")
    return connection.execute(statement).scalar_one_or_none()


def _said(error: DBAPIError) -> str:
    """Return the database's words without the detail, which may show stored values."""
    said = error.orig
    return (isinstance(said, PsycopgError) and said.diag.message_primary) or str(said)
