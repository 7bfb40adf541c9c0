"""Migrations lead an empty database to exactly the tables that the code names."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect
from tests.fakes.cybertip_store import HandClock
from tests.ports.builders import ENTRY

from nightlight.adapters.sql.database import (
    NEWEST_REVISION,
    SqlUnitOfWork,
    migrate,
    open_engine,
)
from nightlight.adapters.sql.schema import metadata
from nightlight.adapters.sql.upgrade import newest_revision
from nightlight.errors import InvalidInput, Unavailable
from nightlight.preserve.ports import KeyRing

_ROOT = Path(__file__).parents[2]


def test_migrating_an_empty_database_makes_the_tables_that_the_code_names(blank_url: str) -> None:
    engine = open_engine(blank_url)
    migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == newest_revision() == NEWEST_REVISION
    engine.dispose()


def test_indexes_that_cover_a_part_of_a_table_are_made_so(blank_url: str) -> None:
    engine = open_engine(blank_url)
    migrate(engine)
    partial = {
        index["name"]
        for table in metadata.tables
        for index in inspect(engine).get_indexes(table)
        if index["dialect_options"].get(f"{engine.dialect.name}_where") is not None
    }
    wanted = {
        index.name
        for table in metadata.tables.values()
        for index in table.indexes
        if index.dialect_options[engine.dialect.name]["where"] is not None
    }
    engine.dispose()
    assert partial == wanted


def test_migrating_twice_keeps_everything(blank_url: str, keys: KeyRing) -> None:
    engine = open_engine(blank_url)
    migrate(engine)
    work = SqlUnitOfWork(engine=engine, clock=HandClock(), keys=keys)
    with work.begin() as tx:
        tx.commit(ENTRY)
    migrate(engine)
    with work.read() as tx:
        assert [one.entry for one in tx.audit.entries()] == [ENTRY]
    engine.dispose()


def test_threads_that_migrate_at_once_all_find_the_tables(blank_url: str, keys: KeyRing) -> None:
    start = Barrier(4)

    def work() -> None:
        engine = open_engine(blank_url)
        start.wait()
        migrate(engine)
        with SqlUnitOfWork(engine=engine, clock=HandClock(), keys=keys).begin() as tx:
            tx.commit(ENTRY)
        engine.dispose()

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work) for _ in range(4)]:
            done.result()
    engine = open_engine(blank_url)
    with SqlUnitOfWork(engine=engine, clock=HandClock(), keys=keys).read() as tx:
        assert tx.audit.head()[0] == 4
    engine.dispose()


def test_processes_that_migrate_at_once_all_find_the_tables(
    blank_url: str, keys_file: Path, command_environment: Callable[..., dict[str, str]]
) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.ports.appender", blank_url, str(keys_file), prefix],
            env=command_environment(),
            cwd=_ROOT,
        )
        for prefix in ("left", "right")
    ]
    assert [process.wait() for process in processes] == [0, 0]


@pytest.mark.parametrize("url", ["not a url", "mysql://user@host/name", "oracle://x/y", ""])
def test_a_database_that_is_not_supported_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        open_engine(url)


@pytest.mark.parametrize(
    "url",
    ["postgresql://nobody:secret-of-a-test@127.0.0.1:1/none", "sqlite:////nonexistent/folder/x.db"],
)
def test_a_database_that_does_not_answer_is_unavailable_and_shows_no_password(url: str) -> None:
    engine = open_engine(url)
    with pytest.raises(Unavailable) as caught:
        migrate(engine)
    assert "secret-of-a-test" not in str(caught.value)
