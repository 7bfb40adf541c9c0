"""The index follows the stored banks: what changed counts for the next file, in every process."""

import fcntl
import os
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs
from tests.fakes.cybertip_store import NOON, HandClock
from tests.ports.builders import ENTRY
from tests.synthetic.known_media import MD5, entry, hashes, near

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.model.bank import Bank, BankEntry, BankPurpose, EntryState, HashKind, Opinion
from nightlight.services.matching import Matcher

KNOWN = (near(4), entry(HashKind.MD5, MD5))
ASKED = hashes(md5=MD5)


def put(work: SqlUnitOfWork, *entries: BankEntry) -> None:
    with work.begin() as tx:
        tx.banks.put(entries, at=NOON)
        tx.commit(ENTRY)


def change(
    work: SqlUnitOfWork,
    known: BankEntry,
    *,
    state: EntryState | None = None,
    opinion: Opinion | None = None,
    disabled_until: object = None,
) -> None:
    with work.begin() as tx:
        [number] = [one.number for one in tx.banks.entries() if one.id == known.id]
        until = NOON + disabled_until if isinstance(disabled_until, timedelta) else None
        tx.banks.change([number], state=state, opinion=opinion, disabled_until=until)
        tx.commit(ENTRY)


def matched(matcher: Matcher) -> list[str]:
    matcher.refresh()
    return [one.entry_id for one in matcher.match(ASKED)]


@pytest.fixture
def matcher(unit_of_work: SqlUnitOfWork, clock: HandClock) -> Matcher:
    return Matcher(unit_of_work=unit_of_work, clock=clock)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder in what stands for shared memory."""
    folder = tmp_path / "shared"
    folder.mkdir(mode=0o700)
    return folder


def test_entry_counts_from_the_next_look_on(matcher: Matcher, unit_of_work: SqlUnitOfWork) -> None:
    before = matched(matcher)
    put(unit_of_work, *KNOWN)
    assert (before, len(matched(matcher))) == ([], 2)


def test_two_processes_see_the_same_changes(
    matcher: Matcher, unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    other = Matcher(unit_of_work=unit_of_work, clock=clock)
    seen = []
    put(unit_of_work, *KNOWN)
    for state in (EntryState.DISABLED, EntryState.ACTIVE, EntryState.WITHDRAWN):
        seen.append((len(matched(matcher)), len(matched(other))))
        change(unit_of_work, KNOWN[0], state=state)
    assert [*seen, (len(matched(matcher)), len(matched(other)))] == [(2, 2), (1, 1), (2, 2), (1, 1)]


def test_index_tells_the_version_that_it_answers_by(
    matcher: Matcher, unit_of_work: SqlUnitOfWork
) -> None:
    put(unit_of_work, KNOWN[0])
    first = matcher.refresh().version
    put(unit_of_work, KNOWN[1])
    with unit_of_work.read() as tx:
        stored = tx.banks.version()
    assert first < stored == matcher.refresh().version


def test_bank_settings_count_from_the_next_look_on(
    matcher: Matcher, unit_of_work: SqlUnitOfWork
) -> None:
    put(unit_of_work, *KNOWN)
    assert len(matched(matcher)) == 2
    with unit_of_work.begin() as tx:
        tx.banks.save_bank(Bank(name="local", threshold_bits=3), at=NOON)
        tx.commit(ENTRY)
    assert matched(matcher) == [KNOWN[1].id]
    with unit_of_work.begin() as tx:
        tx.banks.save_bank(Bank(name="local", purpose=BankPurpose.NEGATIVE), at=NOON)
        tx.commit(ENTRY)
    assert matched(matcher) == []


def test_bank_withdrawn_whole_matches_nothing_any_more(
    matcher: Matcher, unit_of_work: SqlUnitOfWork
) -> None:
    put(unit_of_work, *KNOWN)
    assert len(matched(matcher)) == 2
    with unit_of_work.begin() as tx:
        tx.banks.remove_bank("local")
        tx.commit(ENTRY)
    assert matched(matcher) == []


def test_renamed_bank_is_told_by_its_new_name(
    matcher: Matcher, unit_of_work: SqlUnitOfWork
) -> None:
    put(unit_of_work, *KNOWN)
    matched(matcher)
    with unit_of_work.begin() as tx:
        tx.banks.rename_bank("local", "quibbles")
        tx.commit(ENTRY)
    matcher.refresh()
    assert {one.bank for one in matcher.match(ASKED)} == {"quibbles"}


@pytest.mark.parametrize("late", [False, True])
def test_disabled_entry_counts_again_when_its_time_has_come(
    unit_of_work: SqlUnitOfWork, clock: HandClock, *, late: bool
) -> None:
    matcher = Matcher(unit_of_work=unit_of_work, clock=clock)
    put(unit_of_work, KNOWN[0])
    if not late:  # one that was there before the entry was disabled, and one that starts after
        matcher.refresh()
    change(unit_of_work, KNOWN[0], state=EntryState.DISABLED, disabled_until=timedelta(minutes=5))
    seen = [matched(matcher)]
    clock.advance(minutes=4)
    seen.append(matched(matcher))
    clock.advance(minutes=1)
    assert [*seen, matched(matcher)] == [[], [], [KNOWN[0].id]]


def test_entry_disabled_again_meanwhile_stays_so(
    matcher: Matcher, unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    put(unit_of_work, KNOWN[0])
    change(unit_of_work, KNOWN[0], state=EntryState.DISABLED, disabled_until=timedelta(minutes=5))
    matched(matcher)
    change(unit_of_work, KNOWN[0], state=EntryState.DISABLED)
    clock.advance(minutes=60)
    assert matched(matcher) == []


def test_entry_that_is_no_hash_is_told_and_keeps_no_other_from_counting(
    matcher: Matcher, unit_of_work: SqlUnitOfWork, clock: HandClock
) -> None:
    matched(matcher)
    too_good = "c3" * 32 + "7f" + "e8030000"  # a frame of a quality over 100
    bad = entry(HashKind.VPDQ, too_good)
    put(unit_of_work, KNOWN[0], bad, KNOWN[1])
    with capture_logs() as told:
        starting = Matcher(unit_of_work=unit_of_work, clock=clock)
        assert matched(matcher) == matched(starting) == [KNOWN[1].id, KNOWN[0].id]
    assert [(one["event"], one["entry"]) for one in told] == [("bank.entry_is_no_hash", bad.id)] * 2
    change(unit_of_work, bad, state=EntryState.WITHDRAWN)
    assert len(matched(matcher)) == 2


def many() -> list[BankEntry]:
    return [replace(near(n % 31), id=f"be-{n}", value=f"{n:064x}") for n in range(300)]


def snapshotting(work: SqlUnitOfWork, clock: HandClock, folder: Path) -> Matcher:
    return Matcher(unit_of_work=work, clock=clock, snapshots=folder, worth_a_snapshot=100)


def test_snapshot_answers_as_the_lists_and_what_came_since_is_added(
    unit_of_work: SqlUnitOfWork, clock: HandClock, shared: Path
) -> None:
    put(unit_of_work, *KNOWN, *many())
    first = snapshotting(unit_of_work, clock, shared)
    first.refresh()
    assert first.leave_snapshot() is not None
    change(unit_of_work, KNOWN[1], state=EntryState.WITHDRAWN)
    put(unit_of_work, replace(near(2), id="since"))
    second = snapshotting(unit_of_work, clock, shared)
    third = Matcher(unit_of_work=unit_of_work, clock=clock)
    assert matched(second) == matched(third) == matched(first)
    assert "since" in matched(second)
    assert KNOWN[1].id not in matched(second)


def test_disabled_entry_of_a_snapshot_counts_again_when_its_time_has_come(
    unit_of_work: SqlUnitOfWork, clock: HandClock, shared: Path
) -> None:
    put(unit_of_work, *KNOWN, *many())
    change(unit_of_work, KNOWN[1], state=EntryState.DISABLED, disabled_until=timedelta(minutes=5))
    first = snapshotting(unit_of_work, clock, shared)
    first.refresh()
    first.leave_snapshot()
    second = snapshotting(unit_of_work, clock, shared)
    before = KNOWN[1].id in matched(second)
    clock.advance(minutes=5)
    assert (before, KNOWN[1].id in matched(second)) == (False, True)


@pytest.mark.parametrize("damage", [b"", b"zorbleflux" * 40, None])
def test_damaged_snapshot_is_passed_over(
    unit_of_work: SqlUnitOfWork, clock: HandClock, shared: Path, damage: bytes | None
) -> None:
    put(unit_of_work, *KNOWN, *many())
    first = snapshotting(unit_of_work, clock, shared)
    first.refresh()
    path = first.leave_snapshot()
    assert path is not None
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    second = snapshotting(unit_of_work, clock, shared)
    assert matched(second) == matched(first)
    assert second.leave_snapshot() == path
    third = snapshotting(unit_of_work, clock, shared)
    assert (matched(third), third.changes) == (matched(first), 0)
    assert third.leave_snapshot() is None


def test_what_a_killed_process_left_of_a_snapshot_is_removed(
    unit_of_work: SqlUnitOfWork, clock: HandClock, shared: Path
) -> None:
    put(unit_of_work, *KNOWN)
    left = [shared / name for name in ("1-a.banks.part", "zorbleflux.part")]
    for path in left:
        path.write_bytes(b"of a writer that was killed")
    writer = os.open(shared, os.O_RDONLY)
    fcntl.flock(writer, fcntl.LOCK_EX)
    matched(snapshotting(unit_of_work, clock, shared))
    assert [path.exists() for path in left] == [True, True], "somebody writes a snapshot"
    os.close(writer)
    matched(snapshotting(unit_of_work, clock, shared))
    assert [path.exists() for path in left] == [False, True]


def test_snapshot_newer_than_the_database_is_passed_over(
    unit_of_work: SqlUnitOfWork, clock: HandClock, shared: Path
) -> None:
    put(unit_of_work, *KNOWN, *many())
    first = snapshotting(unit_of_work, clock, shared)
    first.refresh().version += 1_000  # as if the database had been restored from a backup
    assert first.leave_snapshot() is not None
    put(unit_of_work, replace(near(2), id="since"))
    assert "since" in matched(snapshotting(unit_of_work, clock, shared))


def test_only_the_newest_snapshot_is_kept(
    unit_of_work: SqlUnitOfWork, clock: HandClock, shared: Path
) -> None:
    put(unit_of_work, *KNOWN, *many())
    matcher = snapshotting(unit_of_work, clock, shared)
    for n in range(3):
        put(unit_of_work, replace(near(2), id=f"since-{n}"))
        matcher.refresh()
        matcher.leave_snapshot()
    (left,) = [path for path in shared.iterdir() if path.suffix == ".banks"]
    assert left.name.startswith(f"{matcher.version:020d}-")


def test_a_folder_is_made_with_the_first_snapshot_for_its_owner_alone(
    unit_of_work: SqlUnitOfWork, clock: HandClock, shared: Path
) -> None:
    folder = shared / "new"
    first = snapshotting(unit_of_work, clock, folder)
    first.refresh()
    first.leave_snapshot()
    assert not folder.exists()
    put(unit_of_work, *many())
    first.refresh()
    assert first.leave_snapshot() is not None
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_may_enter_is_neither_read_nor_written(
    unit_of_work: SqlUnitOfWork, clock: HandClock, shared: Path
) -> None:
    put(unit_of_work, *KNOWN, *many())
    first = snapshotting(unit_of_work, clock, shared)
    first.refresh()
    snapshot = first.leave_snapshot()
    assert snapshot is not None
    snapshot.write_bytes(b"of somebody else")
    shared.chmod(0o755)
    put(unit_of_work, replace(near(2), id="since"))
    other = snapshotting(unit_of_work, clock, shared)
    assert "since" in matched(other)
    assert other.leave_snapshot() is None
    assert list(shared.iterdir()) == [snapshot]


def test_few_entries_leave_no_snapshot(
    unit_of_work: SqlUnitOfWork, clock: HandClock, shared: Path
) -> None:
    put(unit_of_work, *KNOWN)
    matcher = snapshotting(unit_of_work, clock, shared)
    matcher.refresh()
    assert (matcher.leave_snapshot(), list(shared.iterdir())) == (None, [])


def test_index_that_was_filled_before_a_test_hook_emptied_the_banks_is_read_anew(
    matcher: Matcher, unit_of_work: SqlUnitOfWork
) -> None:
    put(unit_of_work, *KNOWN)
    matched(matcher)
    with unit_of_work.begin() as tx:
        tx.forget_banks()
        tx.commit(ENTRY)
    put(unit_of_work, replace(KNOWN[1], id="new"))  # gets the number that another entry had
    assert matched(matcher) == ["new"]


def test_snapshot_from_before_a_test_hook_emptied_the_banks_is_passed_over(
    unit_of_work: SqlUnitOfWork, clock: HandClock, shared: Path
) -> None:
    put(unit_of_work, *KNOWN, *many())
    first = snapshotting(unit_of_work, clock, shared)
    first.refresh()
    first.leave_snapshot()
    with unit_of_work.begin() as tx:
        tx.forget_banks()
        tx.commit(ENTRY)
    put(unit_of_work, replace(KNOWN[1], id="new"))
    assert matched(snapshotting(unit_of_work, clock, shared)) == ["new"]
