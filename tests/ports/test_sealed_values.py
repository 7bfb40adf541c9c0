"""Every sealed value in the database can be wrapped again, whatever table it is in."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, LargeBinary
from tests.fakes.cybertip_store import NOON, HandClock
from tests.fakes.evidence_room import EvidenceRoom
from tests.ports.builders import ENTRY, make_account, make_media

from nightlight.adapters.keyring_file import FileKeyRing
from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.adapters.sql.schema import metadata
from nightlight.adapters.sql.sealed_values import sealed_columns
from nightlight.errors import IntegrityFailure
from nightlight.model.ids import MediaId

#: Binary columns that the key ring has nothing to do with.
IN_CLEAR = {"policy.body", "offer_weights.body", "event_log.data", "post.fingerprint"}
NEW = "0a0b0c0d"


@pytest.fixture
def ring(tmp_path: Path) -> FileKeyRing:
    return FileKeyRing(tmp_path / "keys.json")


@pytest.fixture
def room(engine: Engine, clock: HandClock, ring: FileKeyRing) -> EvidenceRoom:
    room = EvidenceRoom(SqlUnitOfWork(engine=engine, clock=clock, keys=ring), clock, ring)
    room.case()
    room.draft()
    for number in range(5):
        room.seal(f"file-{number}", content=f"quibble {number}".encode())
    with room.unit_of_work.begin() as tx:
        tx.context.save(accounts=[make_account("account-1")], posts=[], media=[make_media("m")])
        tx.commit(ENTRY)
    return room


def rewrap(room: EvidenceRoom, limit: int) -> int:
    total, place = 0, ""
    while True:
        with room.unit_of_work.begin() as tx:
            changed, place = tx.sealed.rewrap(place, limit)
            tx.commit_unrecorded()
        total += changed
        if not place:
            return total


def test_every_binary_column_is_sealed_or_known_to_be_in_clear() -> None:
    binary = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    sealed = {f"{table.name}.{column.name}" for table, column in sealed_columns()}
    assert binary - sealed == IN_CLEAR


@pytest.mark.parametrize("limit", [2, 500])
def test_everything_opens_under_the_new_key_alone(
    room: EvidenceRoom, ring: FileKeyRing, limit: int
) -> None:
    [old] = ring.master_keys()
    with room.unit_of_work.read() as tx:
        assert tx.sealed.count() == {old.id: 7}
    ring.add(NEW, at=NOON)
    assert rewrap(room, limit) == 7
    assert rewrap(room, limit) == 0
    with room.unit_of_work.read() as tx:
        assert tx.sealed.count() == {NEW: 7}
    ring.remove(old.id)
    assert room.evidence("file-3").digest
    with room.unit_of_work.read() as tx:
        assert tx.tips.newest(9)[0].tip_id == "tip-of-case-1"
        assert tx.tips.load(tx.tips.newest(9)[0].tip_id)
        assert tx.context.media([MediaId("m")])


def test_what_was_destroyed_is_under_no_key(room: EvidenceRoom, ring: FileKeyRing) -> None:
    with room.unit_of_work.begin() as tx:
        tx.evidence.destroyed("file-1", at=NOON)
        tx.commit(ENTRY)
    with room.unit_of_work.read() as tx:
        assert list(tx.sealed.count().values()) == [6]
    ring.add(NEW, at=NOON)
    assert rewrap(room, 500) == 6


def test_a_value_under_a_lost_key_is_counted_and_stops_wrapping_again(
    room: EvidenceRoom, ring: FileKeyRing
) -> None:
    [old] = ring.master_keys()
    ring.add(NEW, at=NOON)
    ring.remove(old.id)
    with room.unit_of_work.read() as tx:
        assert tx.sealed.count() == {old.id: 7}
    with pytest.raises(IntegrityFailure):
        rewrap(room, 500)
