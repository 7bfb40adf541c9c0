"""A vault that lost single files, or shows an empty place, never makes a clean certificate."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.cybertip_store import HandClock
from tests.fakes.evidence_room import EvidenceRoom
from tests.fakes.simulators import Simulator

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.adapters.vault_directory import DirectoryBlobStore
from nightlight.adapters.vault_s3 import Bucket, S3BlobStore
from nightlight.preserve.ports import BlobStore, KeyRing

YEAR = 366


@pytest.fixture(scope="module")
def server() -> Iterator[Simulator]:
    with Simulator(
        "s3", "--bucket", "vault", "--access-key", "quibble", "--secret-key", "quibble-secret"
    ) as running:
        yield running


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param == "folder":
        return DirectoryBlobStore(tmp_path / "vault")
    server = request.getfixturevalue("server")
    bucket = Bucket(
        name="vault",
        prefix=tmp_path.name,
        endpoint=server.url,
        region="us-east-1",
        access_key="quibble",
        secret_key="quibble-secret",
        timeout_s=5.0,
        retries=0,
    )
    return S3BlobStore(bucket)


@pytest.fixture
def room(
    unit_of_work: SqlUnitOfWork, clock: HandClock, keys: KeyRing, store: BlobStore
) -> EvidenceRoom:
    room = EvidenceRoom(unit_of_work, clock, keys, store=store)
    room.case()
    return room


def test_one_missing_file_is_an_alarm_and_the_others_are_destroyed(
    room: EvidenceRoom, store: BlobStore
) -> None:
    lost, there = room.seal("lost", content=b"lost"), room.seal("there", content=b"there")
    store.destroy(room.vault.name_of(room.evidence(lost).digest))
    room.clock.advance(days=YEAR)
    done = room.retention.run_due()
    assert (done.destroyed, done.missing, done.failed) == (1, 1, 0)
    assert [one.subject for one in room.entries("evidence.missed")] == [lost]
    [certificate] = room.entries("evidence.destroyed")
    assert certificate.subject == there
    assert str(certificate.detail["before"]).startswith("found there")
    assert room.destroyed_at(lost) is None


def test_a_folder_that_only_looks_like_the_vault_certifies_nothing(
    unit_of_work: SqlUnitOfWork, clock: HandClock, keys: KeyRing, tmp_path: Path
) -> None:
    root, away = tmp_path / "vault", tmp_path / "away"
    store = DirectoryBlobStore(root, may_be_new=lambda: not away.exists())
    room = EvidenceRoom(unit_of_work, clock, keys, store=store)
    room.case()
    one = room.seal("one")
    shutil.move(root, away)
    (root / "partial").mkdir(parents=True)
    clock.advance(days=YEAR)
    assert room.retention.run_due().missing == 1
    assert room.destroyed_at(one) is None
    shutil.rmtree(root)
    shutil.move(away, root)
    assert room.retention.run_due().destroyed == 1
    assert room.destroying.missing(9) == []
