"""What is sealed opens, whatever lay under its name before; the record tells what was mended."""

import hashlib
import io
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import pytest
from tests.fakes.blobs import ACCESS
from tests.fakes.cybertip_store import HandClock
from tests.fakes.evidence_room import EvidenceRoom

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.adapters.vault_directory import DirectoryBlobStore
from nightlight.errors import Unavailable
from nightlight.model.case import CaseState
from nightlight.preserve.ports import KeyRing
from nightlight.services.sealing import Sealing

CONTENT = b"quibble"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Killed(BaseException):
    """Stands for kill -9."""


class File:
    """A file as it comes in."""

    sha256 = DIGEST

    def open(self) -> BinaryIO:
        return io.BytesIO(CONTENT)


@pytest.fixture
def room(
    unit_of_work: SqlUnitOfWork, clock: HandClock, keys: KeyRing, tmp_path: Path
) -> EvidenceRoom:
    return EvidenceRoom(unit_of_work, clock, keys, store=DirectoryBlobStore(tmp_path / "vault"))


def path_of(room: EvidenceRoom, tmp_path: Path) -> Path:
    name = room.vault.name_of(DIGEST)
    return tmp_path / "vault" / name[:2] / name[2:4] / name


def die_at(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def die(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(f"nightlight.adapters.vault_directory.{name}", die)


@pytest.mark.parametrize(
    "step", ["_sync_directory", "secrets.token_bytes", "os.fsync", "Path.unlink"]
)
def test_what_is_found_again_after_a_kill_while_it_was_destroyed_is_sealed_anew(
    room: EvidenceRoom, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.case()
    room.seal("one", content=CONTENT)
    room.clock.at += timedelta(days=400)
    with monkeypatch.context() as killed:
        die_at(killed, step)
        with pytest.raises(Killed):
            room.retention.run_due()
    room.case("case-2", CaseState.OPEN)
    room.seal("other", "case-2", content=CONTENT)
    assert room.retention.run_due().destroyed == 1
    [certificate] = room.entries("evidence.destroyed")
    assert certificate.detail["vault"] == "kept for 1 other(s)"
    assert room.vault.open(DIGEST, ACCESS) == CONTENT


def damaged(data: bytes) -> bytes:
    return data[:-3] + bytes([data[-3] ^ 1]) + data[-2:]


@pytest.mark.parametrize("content", [b"", b"\0" * 4096], ids=["cut to nothing", "overwritten"])
def test_damaged_file_is_replaced_by_equal_bytes_that_come_in_and_the_record_says_so(
    room: EvidenceRoom, tmp_path: Path, content: bytes
) -> None:
    room.vault.seal(CONTENT)
    path_of(room, tmp_path).write_bytes(content)
    sealing = Sealing(unit_of_work=room.unit_of_work, vault=room.vault)
    assert sealing.seal_file(File()) == DIGEST
    assert room.vault.open(DIGEST, ACCESS) == CONTENT
    [alarm] = room.entries("evidence.mended")
    assert alarm.subject == room.vault.name_of(DIGEST)
    sealing.seal_file(File())
    assert sealing.tell() == 0
    assert len(room.entries("evidence.mended")) == 1


def test_alarm_that_could_not_be_told_is_told_later_and_the_file_is_sealed(
    room: EvidenceRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.vault.seal(CONTENT)
    path_of(room, tmp_path).write_bytes(damaged(path_of(room, tmp_path).read_bytes()))
    sealing = Sealing(unit_of_work=room.unit_of_work, vault=room.vault)

    def gone() -> None:
        raise Unavailable("the database does not answer")

    with monkeypatch.context() as away:
        away.setattr(room.unit_of_work, "begin", gone)
        sealing.seal_file(File())
    assert room.vault.open(DIGEST, ACCESS) == CONTENT
    assert sealing.tell() == 1
    assert len(room.entries("evidence.mended")) == 1
