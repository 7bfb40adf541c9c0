"""What another database, or this one before a backup was restored, left is never answered from."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.fakes.cybertip_store import HandClock
from tests.integration.postgres import Postgres
from tests.ports.test_matching import ASKED, KNOWN, many, matched, put, snapshotting
from tests.synthetic.known_media import near

from nightlight.adapters.sql.database import SqlUnitOfWork, open_engine
from nightlight.model.media import MediaHashes
from nightlight.preserve.ports import KeyRing
from nightlight.services.matching import Matcher

Backup = Callable[[], SqlUnitOfWork]


@pytest.fixture
def backup(
    request: pytest.FixtureRequest,
    database_url: str,
    engine: Engine,
    keys: KeyRing,
    tmp_path: Path,
) -> Iterator[Backup]:
    """Return what copies the database as it is, to go on by itself."""
    clock = HandClock()
    opened: list[Engine] = []
    dropped: list[tuple[Postgres, str]] = []

    def copy() -> SqlUnitOfWork:
        engine.dispose()
        if engine.dialect.name == "sqlite":
            path = tmp_path / f"backup-{len(opened)}.db"
            with (
                closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as source,
                closing(sqlite3.connect(path)) as target,
            ):
                source.backup(target)
            url = f"sqlite:///{path}"
        else:
            server: Postgres = request.getfixturevalue("postgres")
            url = server.new_database(database_url)
            dropped.append((server, url))
        opened.append(open_engine(url))
        return SqlUnitOfWork(engine=opened[-1], clock=clock, keys=keys)

    yield copy
    for one in opened:
        one.dispose()
    for server, url in dropped:
        server.drop_database(url)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder in what stands for shared memory."""
    folder = tmp_path / "shared"
    folder.mkdir(mode=0o700)
    return folder


def leave(work: SqlUnitOfWork, clock: HandClock, folder: Path) -> Path:
    matcher = snapshotting(work, clock, folder)
    matcher.refresh()
    left = matcher.leave_snapshot()
    assert left is not None
    return left


def is_opened(work: SqlUnitOfWork, clock: HandClock, folder: Path) -> bool:
    """Return whether a process that starts maps the snapshot, and so reads no entry again."""
    matcher = snapshotting(work, clock, folder)
    matcher.refresh()
    return not matcher.changes


def test_snapshot_of_another_database_is_passed_over(
    unit_of_work: SqlUnitOfWork, backup: Backup, clock: HandClock, shared: Path
) -> None:
    other = backup()
    put(other, *KNOWN, *many())
    put(unit_of_work, replace(near(2), id="ours"))
    leave(other, clock, shared)
    assert is_opened(other, clock, shared)
    assert matched(snapshotting(unit_of_work, clock, shared)) == ["ours"]


def test_snapshot_of_what_a_restored_database_never_came_to_is_passed_over(
    unit_of_work: SqlUnitOfWork, backup: Backup, clock: HandClock, shared: Path
) -> None:
    put(unit_of_work, *many())
    restored = backup()
    put(unit_of_work, *KNOWN)
    leave(unit_of_work, clock, shared)
    put(restored, replace(near(2), id="since"))  # as many versions as in what was lost
    assert "since" in matched(snapshotting(restored, clock, shared))
    assert KNOWN[1].id not in matched(snapshotting(restored, clock, shared))


def test_snapshot_of_what_a_restored_database_was_before_is_opened(
    unit_of_work: SqlUnitOfWork, backup: Backup, clock: HandClock, shared: Path
) -> None:
    put(unit_of_work, *KNOWN, *many())
    leave(unit_of_work, clock, shared)
    assert is_opened(backup(), clock, shared)


def test_a_snapshot_takes_the_place_of_what_another_database_left(
    unit_of_work: SqlUnitOfWork, backup: Backup, clock: HandClock, shared: Path
) -> None:
    other = backup()
    for work in (other, unit_of_work):
        put(work, *KNOWN, *many())
    leave(other, clock, shared)
    left = leave(unit_of_work, clock, shared)
    assert list(shared.glob("*.banks")) == [left]
    assert is_opened(unit_of_work, clock, shared)


def test_index_of_a_process_that_ran_on_is_read_anew_after_a_restore(
    unit_of_work: SqlUnitOfWork, backup: Backup, clock: HandClock
) -> None:
    restored = backup()
    put(unit_of_work, *KNOWN)
    matcher = Matcher(unit_of_work=unit_of_work, clock=clock)
    matcher.refresh()
    put(restored, replace(near(2), id="since"))
    with restored.read() as tx:
        found = matcher.follow(tx)
    assert [one.entry_id for one in found.match(ASKED)] == ["since"]


def test_index_of_a_process_that_ran_on_takes_back_what_a_restore_took_back(
    unit_of_work: SqlUnitOfWork, backup: Backup, clock: HandClock
) -> None:
    put(unit_of_work, KNOWN[1])
    restored = backup()
    put(unit_of_work, KNOWN[0])
    matcher = Matcher(unit_of_work=unit_of_work, clock=clock)
    matcher.refresh()
    matcher._unit_of_work = restored
    assert matched(matcher) == [KNOWN[1].id]


def test_a_restore_while_a_large_change_is_taken_in_is_seen(
    unit_of_work: SqlUnitOfWork, backup: Backup, clock: HandClock
) -> None:
    put(unit_of_work, *KNOWN)
    restored = backup()
    matcher = Matcher(unit_of_work=unit_of_work, clock=clock, piece=100)
    matcher.refresh()
    put(unit_of_work, *many())
    with unit_of_work.read() as tx:
        matcher.advance(tx)
    assert not matcher.is_whole
    since = [replace(one, id=f"since-{one.id}", value="e" + one.value[1:]) for one in many()]
    put(restored, *since)  # as many versions as in what was lost
    matcher._unit_of_work = restored
    index = matcher.refresh()
    asked = [MediaHashes(pdq=one.value, pdq_quality=100) for one in (*since, *many()[200:])]
    found = {match.entry_id for one in asked for match in index.match(one)}
    assert found >= {one.id for one in since}
    assert not found & {one.id for one in many()}
