"""Whoever edits, deletes, reorders or inserts audit entries behind the record's back is found."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, insert, select, text, update
from tests.fakes.cybertip_store import HandClock
from tests.fakes.record_stores import MemoryAnchors, chain, record_over

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.adapters.sql.schema import audit_entry, audit_head
from nightlight.audit.chain import GENESIS, StoredEntry, hash_of
from nightlight.audit.checkpoint import Anchor, AuditKey
from nightlight.audit.verification import Verification
from nightlight.errors import IntegrityFailure
from nightlight.model.audit import AuditEntry
from nightlight.services.record import Record

ENTRIES = 8

Tamper = Callable[[Connection], None]


@pytest.fixture
def anchors() -> MemoryAnchors:
    return MemoryAnchors()


@pytest.fixture
def record(unit_of_work: SqlUnitOfWork, anchors: MemoryAnchors, clock: HandClock) -> Record:
    """A record of eight entries, the newest anchored."""
    for number in range(ENTRIES):
        clock.advance(seconds=1)
        entry = AuditEntry(
            actor="a test", action="test.acted", subject=f"thing {number}", detail={"n": number}
        )
        with unit_of_work.begin() as tx:
            tx.commit(entry)
    made = record_over(unit_of_work, anchors=anchors, clock=clock)
    assert made.anchor() is not None
    return made


def tampered(record: Record, engine: Engine, tamper: Tamper) -> Verification:
    assert record.verify().intact, "an untouched record is intact"
    with engine.begin() as connection:
        tamper(connection)
    # Whoever tampers may have taken the note of what was verified, too.
    record._verified.forget()
    return record.verify()


def rows(connection: Connection) -> list[dict[str, Any]]:
    found = connection.execute(select(audit_entry).order_by(audit_entry.c.seq))
    return [dict(row._mapping) for row in found]


def rewrite(connection: Connection, entries: list[dict[str, Any]]) -> None:
    """Store other rows, chained anew, with the head to fit: a forger who knows the format."""
    connection.execute(delete(audit_entry))
    previous = GENESIS
    for seq, row in enumerate(entries, start=1):
        connection.execute(insert(audit_entry).values({**row, "seq": seq, "previous": previous}))
        previous = row["hash"]
    connection.execute(update(audit_head).values(seq=len(entries), hash=previous))


def edit(column: str, value: object) -> Tamper:
    def tamper(connection: Connection) -> None:
        connection.execute(
            update(audit_entry).where(audit_entry.c.seq == 4).values({column: value})
        )

    return tamper


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at_us", 1),
        ("at_us", -(1 << 62)),
        ("at_us", (1 << 63) - 1),
        ("entry", '{"action":"test.acted","policy_version":"","detail":{"n":3}}'),
        ("entry", "not JSON"),
        ("entry", ""),
        ("private", '"b"\n"thing 3"\n""\n{"n":3}'),
        ("private", "not JSON"),
        ("private", ""),
        ("private", None),
        ("salt", "00" * 16),
        ("salt", "not digits"),
        ("salt", None),
        ("previous", "f" * 64),
        ("previous", ""),
        ("hash", "f" * 64),
        ("seq", 400),
        ("seq", -4),
    ],
)
def test_an_edit_of_any_column_is_found(
    record: Record, engine: Engine, column: str, value: object
) -> None:
    assert not tampered(record, engine, edit(column, value)).intact


@pytest.mark.parametrize(
    ("column", "old", "new"),
    [
        ("entry", "test.acted", "test.undone"),
        ("entry", '"policy_version":""', '"policy_version":"x"'),
        ("private", '"a test"', '"another"'),
        ("private", '"thing 3"', '"thing 4"'),
        ("private", '""', '"because"'),
        ("private", '"n":3', '"n":5'),
    ],
)
def test_an_edit_of_any_field_of_an_entry_is_found(
    record: Record, engine: Engine, column: str, old: str, new: str
) -> None:
    def tamper(connection: Connection) -> None:
        body = rows(connection)[3][column]
        assert old in body
        edit(column, body.replace(old, new))(connection)

    assert not tampered(record, engine, tamper).intact


@pytest.mark.parametrize("column", ["entry", "private"])
@pytest.mark.parametrize("added", [',"more":"words"}', ',"detail":{}}', " }", "}\n"])
def test_words_added_to_an_entry_are_found(
    record: Record, engine: Engine, column: str, added: str
) -> None:
    def tamper(connection: Connection) -> None:
        edit(column, rows(connection)[3][column].removesuffix("}") + added)(connection)

    assert not tampered(record, engine, tamper).intact


def test_an_edit_with_the_entrys_own_hash_renewed_is_found(record: Record, engine: Engine) -> None:
    def tamper(connection: Connection) -> None:
        row = {**rows(connection)[3], "at_us": 5}
        edit("at_us", 5)(connection)
        edit("hash", hash_of(StoredEntry(**row)))(connection)

    assert not tampered(record, engine, tamper).intact


@pytest.mark.parametrize("seq", range(1, ENTRIES + 1))
def test_a_deleted_entry_is_found(record: Record, engine: Engine, seq: int) -> None:
    def tamper(connection: Connection) -> None:
        connection.execute(delete(audit_entry).where(audit_entry.c.seq == seq))

    assert not tampered(record, engine, tamper).intact


@pytest.mark.parametrize("lost", range(1, ENTRIES + 1))
def test_the_newest_entries_deleted_with_the_head_set_back_are_found_by_the_anchor(
    record: Record, engine: Engine, lost: int
) -> None:
    def tamper(connection: Connection) -> None:
        rewrite(connection, rows(connection)[:-lost])

    found = tampered(record, engine, tamper)
    assert [fault.problem for fault in found.faults] == ["an anchored entry is missing"]


def test_a_record_written_anew_is_found_by_the_anchor(record: Record, engine: Engine) -> None:
    def tamper(connection: Connection) -> None:
        entry = AuditEntry(actor="forger", action="test.acted", subject="")
        forged = [one._asdict() for one in chain([entry] * ENTRIES)]
        rewrite(connection, forged)

    found = tampered(record, engine, tamper)
    assert [fault.problem for fault in found.faults] == [
        "the entry is not the one that was anchored"
    ], "only the anchor tells a whole forged chain from the true one"


@pytest.mark.parametrize(("first", "second"), [(1, 2), (3, 6), (7, 8)])
def test_entries_that_changed_places_are_found(
    record: Record, engine: Engine, first: int, second: int
) -> None:
    def tamper(connection: Connection) -> None:
        for before, after in ((first, -1), (second, first), (-1, second)):
            moved = update(audit_entry).where(audit_entry.c.seq == before).values(seq=after)
            connection.execute(moved)

    assert not tampered(record, engine, tamper).intact


@pytest.mark.parametrize("seq", [-5, 0, ENTRIES + 1, 1000])
def test_an_inserted_entry_is_found(record: Record, engine: Engine, seq: int) -> None:
    def tamper(connection: Connection) -> None:
        connection.execute(insert(audit_entry).values({**rows(connection)[3], "seq": seq}))

    assert not tampered(record, engine, tamper).intact


def test_an_entry_appended_with_the_head_moved_on_stays_a_contradiction_unless_chained(
    record: Record, engine: Engine
) -> None:
    def tamper(connection: Connection) -> None:
        copied = rows(connection)[3]
        connection.execute(insert(audit_entry).values({**copied, "seq": ENTRIES + 1}))
        connection.execute(update(audit_head).values(seq=ENTRIES + 1, hash=copied["hash"]))

    assert not tampered(record, engine, tamper).intact


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_head",
        "UPDATE audit_head SET seq = seq - 1",
        f"UPDATE audit_head SET hash = '{'f' * 64}'",
        f"INSERT INTO audit_head (id, seq, hash) VALUES (2, 8, '{'f' * 64}')",
        "DELETE FROM audit_entry",
    ],
)
def test_a_changed_head_is_found(record: Record, engine: Engine, statement: str) -> None:
    def tamper(connection: Connection) -> None:
        connection.execute(text(statement))

    assert not tampered(record, engine, tamper).intact


def test_nothing_is_committed_to_a_record_without_a_head(
    engine: Engine, unit_of_work: SqlUnitOfWork
) -> None:
    with engine.begin() as connection:
        connection.execute(delete(audit_head))
    with pytest.raises(IntegrityFailure, match="lost its head"), unit_of_work.begin() as tx:
        tx.commit(AuditEntry(actor="a test", action="test.acted", subject=""))


def test_an_anchor_without_a_genuine_seal_is_found(
    record: Record, anchors: MemoryAnchors, clock: HandClock
) -> None:
    forged = AuditKey(b"not the key", origin="nightlight")
    anchors.append(forged.checkpoint(seq=3, head="f" * 64, at=clock.now()))
    assert not record.verify().intact


def test_an_anchor_is_made_only_of_what_is_new(record: Record, anchors: MemoryAnchors) -> None:
    assert record.anchor() is None
    assert [anchor.seq for anchor in anchors.all()] == [ENTRIES]


def test_entries_committed_while_the_record_is_verified_are_no_fault(
    unit_of_work: SqlUnitOfWork, anchors: MemoryAnchors, clock: HandClock, record: Record
) -> None:
    class Busy(MemoryAnchors):
        """Another process commits and anchors at the very moment of verification."""

        def all(self) -> Sequence[Anchor]:
            with unit_of_work.begin() as tx:
                tx.commit(AuditEntry(actor="a test", action="test.acted", subject=""))
            record_over(unit_of_work, anchors=anchors, clock=clock).anchor()
            return anchors.all()

    busy = record_over(unit_of_work, anchors=Busy(), clock=clock)
    assert record.verify().intact
    assert busy.verify().faults == ()
