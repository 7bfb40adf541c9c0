"""The event log: once per key, in gap-free order, whoever appends."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fakes.cybertip_store import NOON, HandClock
from tests.ports.builders import ENTRY, key_of, make_event, make_events

from nightlight.adapters.sql.database import SqlUnitOfWork, open_engine
from nightlight.ingest.ports import LoggedEvent, Quarantined
from nightlight.model.event import Event
from nightlight.preserve.ports import KeyRing

_ROOT = Path(__file__).parents[2]


def append(unit_of_work: SqlUnitOfWork, events: list[Event]) -> list[LoggedEvent]:
    with unit_of_work.begin() as tx:
        logged = tx.events.append(events, at=NOON)
        tx.commit(ENTRY)
    return logged


def test_events_get_places_in_the_order_in_which_they_are_appended(
    unit_of_work: SqlUnitOfWork,
) -> None:
    append(unit_of_work, make_events("first", 3))
    append(unit_of_work, make_events("second", 2))
    with unit_of_work.read() as tx:
        logged = tx.events.read_after(0, 10)
        assert tx.events.head() == 5
    assert [one.seq for one in logged] == [1, 2, 3, 4, 5]
    assert [one.event.id for one in logged] == [
        "first-0", "first-1", "first-2", "second-0", "second-1",
    ]  # fmt: skip


def test_an_event_comes_back_as_it_went_in(unit_of_work: SqlUnitOfWork) -> None:
    event = make_event("whole", text='tab\tquote" \N{SNOWMAN} \U0001f3e0 zorbleflux')
    append(unit_of_work, [event])
    with unit_of_work.read() as tx:
        assert tx.events.read_after(0, 1)[0].event == event
        assert tx.events.find([event.key]) == {event.key: event}


def test_an_event_that_is_there_is_not_appended_again(unit_of_work: SqlUnitOfWork) -> None:
    append(unit_of_work, make_events("known", 2))
    again = append(unit_of_work, [make_event("known-1"), make_event("new"), make_event("known-0")])
    assert [(one.seq, one.event.id) for one in again] == [(3, "new")]


def test_an_event_that_stands_twice_in_one_batch_is_appended_once(
    unit_of_work: SqlUnitOfWork,
) -> None:
    logged = append(unit_of_work, [make_event("twin"), make_event("twin", text="other")])
    assert [(one.seq, one.event.id) for one in logged] == [(1, "twin")]


def test_appending_nothing_changes_nothing(unit_of_work: SqlUnitOfWork) -> None:
    assert append(unit_of_work, []) == []
    with unit_of_work.read() as tx:
        assert tx.events.head() == 0


def test_reading_starts_after_a_place_and_stops_at_the_limit(unit_of_work: SqlUnitOfWork) -> None:
    append(unit_of_work, make_events("read", 6))
    with unit_of_work.read() as tx:
        assert [one.seq for one in tx.events.read_after(2, 3)] == [3, 4, 5]
        assert tx.events.read_after(6, 3) == []


def test_unknown_keys_find_nothing(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.read() as tx:
        assert tx.events.find([key_of("never")]) == {}


def test_the_offset_stays_where_it_was_advanced_to(unit_of_work: SqlUnitOfWork) -> None:
    append(unit_of_work, make_events("some", 5))
    with unit_of_work.begin() as tx:
        assert tx.events.offset() == 0
        tx.events.advance(3)
        tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert tx.events.offset_now() == 3
        assert tx.events.backlog() == 2


def test_an_event_that_was_rolled_back_leaves_no_gap(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.begin() as tx:
        tx.events.append(make_events("undone", 4), at=NOON)
    assert [one.seq for one in append(unit_of_work, [make_event("kept")])] == [1]


def test_quarantined_input_keeps_its_reason_and_is_counted_once(
    unit_of_work: SqlUnitOfWork,
) -> None:
    rejected = Quarantined(
        id="qrt_1",
        origin="file:x",
        line_number=7,
        reason="not JSON",
        received_at=NOON,
        raw=b"secret",
    )
    for _ in range(2):
        with unit_of_work.begin() as tx:
            tx.events.quarantine([rejected])
            tx.commit(ENTRY)
    with unit_of_work.read() as tx:
        assert tx.events.quarantine_size() == 1
        shown = tx.events.quarantined(5)[0]
    assert (shown.reason, shown.line_number, shown.raw) == ("not JSON", 7, b"")


def assert_gap_free(unit_of_work: SqlUnitOfWork, expected: set[str]) -> None:
    with unit_of_work.read() as tx:
        logged = tx.events.read_after(0, 10_000)
    assert [one.seq for one in logged] == list(range(1, len(expected) + 1))
    assert {one.event.id for one in logged} == expected


def test_threads_that_append_at_once_share_one_gap_free_order(
    database_url: str, keys: KeyRing, unit_of_work: SqlUnitOfWork
) -> None:
    def write(number: int) -> None:
        engine = open_engine(database_url)
        own = SqlUnitOfWork(engine=engine, clock=HandClock(), keys=keys)
        for batch in range(6):
            # Neighbours overlap: two threads offer the same events at the same time.
            append(own, make_events(f"batch-{batch}-{number // 2}", 5))
        engine.dispose()

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write, number) for number in range(4)]:
            done.result()
    names = {f"batch-{b}-{half}-{n}" for b in range(6) for half in range(2) for n in range(5)}
    assert_gap_free(unit_of_work, names)


def test_processes_that_append_at_once_share_one_gap_free_order(
    database_url: str,
    keys_file: Path,
    unit_of_work: SqlUnitOfWork,
    command_environment: Callable[..., dict[str, str]],
) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.ports.appender", database_url, str(keys_file), prefix],
            env=command_environment(),
            cwd=_ROOT,
        )
        for prefix in ("left", "right")
    ]
    assert [process.wait() for process in processes] == [0, 0]
    assert_gap_free(unit_of_work, {f"{p}-{n}" for p in ("left", "right") for n in range(200)})
