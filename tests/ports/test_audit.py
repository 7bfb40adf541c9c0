"""The record: nothing is stored without it, and one unbroken chain comes of many committers."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from tests.fakes.cybertip_store import NOON, HandClock
from tests.ports.builders import (
    ENTRY,
    make_account,
    make_case,
    make_decision,
    make_effect,
    make_event,
    make_evidence,
    make_signal,
)

from nightlight.adapters.sql.database import SqlUnitOfWork, open_engine
from nightlight.adapters.sql.schema import metadata
from nightlight.adapters.sql.transaction import SqlTransaction
from nightlight.audit.chain import GENESIS
from nightlight.audit.checkpoint import AuditKey
from nightlight.audit.verification import Verification, verify
from nightlight.errors import IntegrityFailure, NotPermitted
from nightlight.model.audit import AuditEntry
from nightlight.preserve.ports import KeyRing

KEYS = AuditKey(b"a key for tests", origin="example.test")


def verified(unit_of_work: SqlUnitOfWork) -> Verification:
    with unit_of_work.read() as tx:
        return verify(tx.audit.stored(), head=tx.audit.head(), key=KEYS)


def commit(unit_of_work: SqlUnitOfWork, *entries: AuditEntry) -> None:
    with unit_of_work.begin() as tx:
        tx.commit(*entries)


def write_something_everywhere(tx: SqlTransaction) -> None:
    tx.events.append([make_event("one")], at=NOON)
    tx.events.offset()
    tx.events.advance(1)
    tx.context.save(accounts=[make_account("account-1")], posts=[], media=[])
    tx.signals.add([make_signal("one")], at=NOON)
    tx.decisions.add([make_decision("one")])
    tx.outbox.put([make_effect("effect-1")], at=NOON)
    tx.cases.save(make_case("case-1"))
    tx.events.offset()
    tx.evidence.add([make_evidence("evidence-1")])
    tx.policies.activate("v1", b"body", at=NOON)
    tx.heartbeats.beat("a test", at=NOON)


def row_counts(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


def test_an_empty_record_is_intact(unit_of_work: SqlUnitOfWork) -> None:
    assert verified(unit_of_work).intact
    with unit_of_work.read() as tx:
        assert tx.audit.head() == (0, GENESIS)
        assert tx.audit.newest(5) == []


def test_entries_come_back_in_order_as_they_were_committed(unit_of_work: SqlUnitOfWork) -> None:
    told = [
        AuditEntry(
            actor="nightlight",
            action=f"test.{number}",
            subject="s\N{SNOWMAN}",
            reason='because "so"',
            policy_version="p-1",
            detail={"z": 1, "a": 0.5, "flag": True, "ids": ["x", "y"], "word": "w"},
        )
        for number in range(5)
    ]
    commit(unit_of_work, *told[:2])
    commit(unit_of_work, *told[2:])
    with unit_of_work.read() as tx:
        chained = list(tx.audit.entries())
        newest = tx.audit.newest(2)
    assert [one.entry for one in chained] == told
    assert [one.seq for one in chained] == [1, 2, 3, 4, 5]
    assert newest == chained[:-3:-1]
    assert verified(unit_of_work).intact


def test_entries_are_read_from_a_place_up_to_a_limit(unit_of_work: SqlUnitOfWork) -> None:
    commit(unit_of_work, *[ENTRY] * 9)
    with unit_of_work.read() as tx:
        assert [one.seq for one in tx.audit.entries(after=3, limit=4)] == [4, 5, 6, 7]


def test_a_commit_without_an_entry_is_impossible(unit_of_work: SqlUnitOfWork) -> None:
    no_entries: list[Any] = []
    with unit_of_work.begin() as tx, pytest.raises(TypeError):
        tx.commit(*no_entries)


def test_leaving_without_a_commit_leaves_nothing(
    unit_of_work: SqlUnitOfWork, engine: Engine
) -> None:
    before = row_counts(engine)
    with unit_of_work.begin() as tx:
        write_something_everywhere(tx)
    assert row_counts(engine) == before


def test_a_failure_half_way_leaves_nothing(unit_of_work: SqlUnitOfWork, engine: Engine) -> None:
    before = row_counts(engine)

    def fail_half_way() -> None:
        with unit_of_work.begin() as tx:
            write_something_everywhere(tx)
            raise NotPermitted("a test says no")

    with pytest.raises(NotPermitted):
        fail_half_way()
    assert row_counts(engine) == before


def test_everything_in_a_transaction_is_stored_with_its_entry(
    unit_of_work: SqlUnitOfWork, engine: Engine
) -> None:
    with unit_of_work.begin() as tx:
        write_something_everywhere(tx)
        tx.commit(ENTRY)
    counts = row_counts(engine)
    assert all(
        counts[name] == 1
        for name in ("event_log", "account", "signal", "decision", "effect", "review_case",
                     "evidence", "policy", "heartbeat", "audit_entry")
    )  # fmt: skip


def test_a_transaction_for_reading_cannot_be_committed(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.read() as tx:
        with pytest.raises(IntegrityFailure):
            tx.commit(ENTRY)
        with pytest.raises(IntegrityFailure):
            tx.commit_unrecorded()


def test_a_transaction_is_committed_once(unit_of_work: SqlUnitOfWork) -> None:
    with unit_of_work.begin() as tx:
        tx.commit(ENTRY)
        with pytest.raises(IntegrityFailure):
            tx.commit(ENTRY)
        with pytest.raises(IntegrityFailure):
            tx.commit_unrecorded()
    assert verified(unit_of_work).entries == 1


def test_many_committers_at_once_make_one_unbroken_chain(
    database_url: str, keys: KeyRing, unit_of_work: SqlUnitOfWork
) -> None:
    start = Barrier(4)

    def work(number: int) -> None:
        engine = open_engine(database_url)
        own = SqlUnitOfWork(engine=engine, clock=HandClock(), keys=keys)
        start.wait()  # all four race for the first entry of the empty chain too
        for turn in range(10):
            entry = AuditEntry(actor=f"worker {number}", action="test.acted", subject=str(turn))
            commit(own, entry, entry)
        engine.dispose()

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, number) for number in range(4)]:
            done.result()
    found = verified(unit_of_work)
    assert (found.entries, found.faults) == (80, ())


def test_reading_while_others_commit_sees_one_moment(
    unit_of_work: SqlUnitOfWork,
) -> None:
    commit(unit_of_work, *[ENTRY] * 3)
    with unit_of_work.read() as tx:
        head = tx.audit.head()
        commit(unit_of_work, ENTRY)
        assert verify(tx.audit.stored(), head=head, key=KEYS).faults == ()


def test_a_heartbeat_is_the_newest_one(unit_of_work: SqlUnitOfWork, clock: HandClock) -> None:
    for detail in ("starting", "working"):
        clock.advance(seconds=5)
        with unit_of_work.begin() as tx:
            tx.heartbeats.beat("worker", at=clock.now(), detail=detail)
            tx.commit_unrecorded()
    with unit_of_work.read() as tx:
        assert tx.heartbeats.last() == {"worker": (clock.now(), "working")}
