"""The worker verifies the record by itself, and says so until a broken one is intact again."""

import errno
import sqlite3
from datetime import timedelta
from pathlib import Path
from threading import Event as Stop

import pytest
from msgspec.structs import replace
from tests.fakes.cybertip_store import HandClock
from tests.fakes.in_process import fresh_services
from tests.fakes.patience import until
from tests.ports.builders import ENTRY

from nightlight.audit.verification import Verification
from nightlight.errors import Unavailable
from nightlight.services import Services
from nightlight.web.console.readings import overview, record
from nightlight.worker.loop import Worker, WorkerOptions
from nightlight.worker.watch import RecordWatch

HOUR, WEEK = timedelta(hours=1), timedelta(days=7)


@pytest.fixture
def services(tmp_path: Path) -> Services:
    made = fresh_services(tmp_path)
    commit(made, 3)
    return made


@pytest.fixture
def clock(services: Services) -> HandClock:
    clock = HandClock(services.clock.now())
    services.record._clock = clock
    return clock


def commit(services: Services, count: int) -> None:
    with services.unit_of_work.begin() as tx:
        tx.commit(*[ENTRY] * count)


def watch(services: Services, clock: HandClock) -> RecordWatch:
    return RecordWatch(
        services.record, clock, every=HOUR, whole_every=WEEK, start=lambda work: work()
    )


def spoil(services: Services, *, mend: bool = False) -> None:
    """Alter an entry behind the record's back, or undo that."""
    with sqlite3.connect(services.settings.home / "nightlight.db") as connection:
        if mend:
            connection.execute("UPDATE audit_entry SET at_us = at_us - 1 WHERE seq = 2")
        else:
            connection.execute("UPDATE audit_entry SET at_us = at_us + 1 WHERE seq = 2")
    connection.close()


def found(one: Verification | None) -> tuple[int, int, bool]:
    assert one is not None
    return one.since, one.entries, one.intact


def test_what_is_new_is_verified_every_hour_and_all_of_it_every_week(
    services: Services, clock: HandClock
) -> None:
    looking = watch(services, clock)
    assert found(looking.look()) == (0, 3, True)
    assert looking.look() is None, "not again before its time"
    commit(services, 2)
    clock.advance(minutes=60, microseconds=-1)
    assert looking.look() is None
    clock.advance(microseconds=1)
    assert found(looking.look()) == (3, 2, True)
    clock.advance(days=7, hours=-1, microseconds=-1)
    assert found(looking.look()) == (5, 0, True)
    clock.advance(hours=1, microseconds=1)
    assert found(looking.look()) == (0, 5, True)


def test_a_broken_record_is_verified_whole_until_it_is_intact(
    services: Services, clock: HandClock
) -> None:
    looking = watch(services, clock)
    looking.look()
    spoil(services)
    clock.advance(hours=1)
    assert found(looking.look()) == (3, 0, True), "an old entry is found within the week"
    clock.advance(days=7)
    said = "entry 2: the entry was changed after it was written"
    for _ in range(2):
        assert found(looking.look()) == (0, 3, False)
        clock.advance(hours=1)
    kept = services.record.verified()
    assert kept is not None
    assert overview(services, {})["record_broken"] == kept.broken == said
    assert record(services, {})["verified"] == kept
    again = watch(services, clock)  # as after a restart
    assert found(again.look()) == (0, 3, False)
    spoil(services, mend=True)
    clock.advance(hours=1)
    assert found(again.look()) == (0, 3, True)
    assert overview(services, {})["record_broken"] == ""


def test_the_note_that_the_record_is_broken_cannot_be_changed_in_silence(
    services: Services, clock: HandClock
) -> None:
    spoil(services)
    watch(services, clock).look()
    path = services.settings.verified_file
    path.write_bytes(path.read_bytes().replace(b"entry 2", b"entry 9"))
    changed = services.record.verified()
    assert changed is not None
    assert "not genuine" in changed.broken
    assert found(watch(services, clock).look()) == (0, 3, False)


def test_a_broken_record_is_named_where_that_cannot_be_noted(
    services: Services, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert services.record.verify().intact
    commit(services, 1)
    spoil(services)
    fixed, full = OSError(errno.EROFS, "read-only"), OSError(errno.ENOSPC, "full")

    def refuse(error: OSError, *calls: str) -> None:
        def refused(*_: object, **__: object) -> None:
            raise error

        for call in calls:
            monkeypatch.setattr(Path, call, refused)

    refuse(fixed, "mkdir", "unlink")
    looking = watch(services, clock)
    clock.advance(days=7)
    for _ in range(2):
        one = looking.look()
        assert one is not None
        assert [fault.seq for fault in one.faults] == [2, 2]
        assert "verified.json cannot be written: read-only" in one.faults[1].problem
        clock.advance(hours=1)
    assert services.record.verified() is not None, "the note before is all there is"
    monkeypatch.undo()
    refuse(full, "replace")
    assert rounds(services, clock, 3, looking) == "verify: the record is broken at entry 2"
    assert services.record.verified() is None, "so everybody verifies all of it"
    folder = services.settings.verified_file.parent
    assert not list(folder.glob(f".{services.settings.verified_file.name}.*"))


def test_an_intact_record_that_cannot_be_noted_is_told_of(
    services: Services, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, "replace", refused)
    assert rounds(services, clock, 3, watch(services, clock)) == "verify: unavailable"


class Unreadable:
    """A record that cannot be read."""

    def verified(self) -> None:
        return None

    def verify(self, *, since_last: bool) -> Verification:
        raise OSError if since_last else Unavailable("the database does not answer")


def rounds(services: Services, clock: HandClock, count: int, looking: RecordWatch) -> str:
    left = iter([False] * count)
    options = WorkerOptions(pause_after_failure_s=0, idle_s=0, beat_every_s=0)
    worker = Worker(
        services=replace(services, clock=clock),
        options=options,
        orphaned=lambda: next(left, True),
        watch=looking,
    )
    worker.run(Stop())
    with services.unit_of_work.read() as tx:
        return tx.heartbeats.last()["worker"][1]


def test_the_heartbeat_says_that_the_record_is_broken_for_as_long_as_it_is(
    services: Services, clock: HandClock
) -> None:
    spoil(services)
    looking = watch(services, clock)
    assert rounds(services, clock, 5, looking) == "verify: the record is broken at entry 2"
    spoil(services, mend=True)
    clock.advance(hours=1)
    assert rounds(services, clock, 5, looking) == ""


def test_a_record_that_cannot_be_read_is_said_too(services: Services, clock: HandClock) -> None:
    looking = watch(services, clock)
    looking._record = Unreadable()  # type: ignore[assignment]
    assert rounds(services, clock, 3, looking) == "verify: unavailable"


def test_verifying_holds_no_other_work_up(services: Services, clock: HandClock) -> None:
    looking = RecordWatch(services.record, clock, every=HOUR, whole_every=WEEK)
    first = looking.look()
    seen = [] if first is None else [first]

    def is_found() -> bool:
        one = looking.look()
        seen.extend([] if one is None else [one])
        return bool(seen)

    until(is_found, "the record to be verified")
    assert found(seen[0]) == (0, 3, True)
