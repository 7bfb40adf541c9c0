"""Master keys are rotated while everything opens at every moment, and retire when unneeded."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from sqlalchemy import Engine
from tests.fakes.blobs import ACCESS, MemoryBlobs
from tests.fakes.cybertip_store import HandClock
from tests.fakes.evidence_room import WHO, EvidenceRoom

from nightlight.adapters.keyring_file import FileKeyRing
from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.errors import Conflict, InvalidInput, NotFound, Unavailable
from nightlight.services.keys import Keys

CONTENTS = {f"file-{number}": f"quibble {number}".encode() * 9 for number in range(4)}


class Vaulted:
    """Sealed things and the keys that open them."""

    def __init__(self, engine: Engine, clock: HandClock, path: Path) -> None:
        self.ring = FileKeyRing(path)
        self.clock = clock
        work = SqlUnitOfWork(engine=engine, clock=clock, keys=self.ring)
        self.room = EvidenceRoom(work, clock, self.ring)
        self.keys = Keys(unit_of_work=work, keys=self.ring, vault=self.room.vault, clock=clock)
        self.room.case()
        for name, content in CONTENTS.items():
            self.room.seal(name, content=content)

    def opens(self) -> bool:
        """Return whether everything opens."""
        return all(
            self.room.vault.open(self.room.evidence(name).digest, ACCESS) == content
            for name, content in CONTENTS.items()
        )

    def used(self) -> list[tuple[bool, int, int]]:
        return [(one.is_newest, one.files, one.values) for one in self.keys.status().keys]


@pytest.fixture
def vaulted(engine: Engine, clock: HandClock, tmp_path: Path) -> Vaulted:
    return Vaulted(engine, clock, tmp_path / "keys.json")


def test_rotating_makes_a_key_and_older_things_stay_under_theirs(vaulted: Vaulted) -> None:
    key_id = vaulted.keys.rotate(**WHO)
    assert vaulted.used() == [(False, 4, 4), (True, 0, 0)]
    assert vaulted.opens()
    vaulted.room.seal("file-9", content=b"newer")
    assert vaulted.used() == [(False, 4, 4), (True, 1, 1)]
    [entry] = vaulted.room.entries("keys.rotated")
    assert entry.subject == f"master key {key_id}"


def test_wrapping_again_leaves_nothing_under_the_old_key(vaulted: Vaulted) -> None:
    vaulted.keys.rotate(**WHO)
    done = vaulted.keys.rewrap(**WHO)
    assert (done.files, done.values) == (4, 4)
    assert vaulted.used() == [(False, 0, 0), (True, 4, 4)]
    assert vaulted.opens()
    again = vaulted.keys.rewrap(**WHO)
    assert (again.files, again.values) == (0, 0)


@pytest.mark.parametrize("at", range(4))
def test_cut_off_at_any_file_everything_opens_and_it_goes_on(
    vaulted: Vaulted, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    vaulted.keys.rotate(**WHO)
    blobs, left = vaulted.room.blobs, [at]
    replace_parts = MemoryBlobs.replace_parts

    def failing(
        self: MemoryBlobs,
        name: str,
        parts: Iterable[bytes],
        *,
        instead_of: BinaryIO | None = None,
    ) -> None:
        if not left[0]:
            raise Unavailable("killed")
        left[0] -= 1
        replace_parts(self, name, parts, instead_of=instead_of)

    with monkeypatch.context() as patch:
        patch.setattr(MemoryBlobs, "replace_parts", failing)
        with pytest.raises(Unavailable):
            vaulted.keys.rewrap(**WHO)
    assert vaulted.opens()
    assert len(blobs.kept) == 4
    assert vaulted.keys.rewrap(**WHO).files == 4 - at
    assert vaulted.opens()


def test_a_key_retires_only_once_nothing_needs_it(vaulted: Vaulted) -> None:
    [old] = vaulted.keys.status().keys
    with pytest.raises(Conflict, match="in use"):
        vaulted.keys.retire(old.id, **WHO)
    vaulted.keys.rotate(**WHO)
    with pytest.raises(Conflict, match="younger than an hour"):
        vaulted.keys.retire(old.id, **WHO)
    vaulted.clock.advance(hours=1)
    with pytest.raises(Conflict, match="4 files and 4 values"):
        vaulted.keys.retire(old.id, **WHO)
    vaulted.keys.rewrap(**WHO)
    vaulted.keys.retire(old.id, **WHO)
    assert vaulted.used() == [(True, 4, 4)]
    assert vaulted.opens()
    with pytest.raises(NotFound):
        vaulted.keys.retire(old.id, **WHO)


def test_a_copy_of_a_vault_file_opens_no_more_once_its_key_is_retired(vaulted: Vaulted) -> None:
    copies = dict(vaulted.room.blobs.kept)
    [old] = vaulted.keys.status().keys
    vaulted.keys.rotate(**WHO)
    vaulted.keys.rewrap(**WHO)
    vaulted.clock.advance(hours=1)
    vaulted.keys.retire(old.id, **WHO)
    vaulted.room.blobs.kept = copies
    [lost, _] = vaulted.keys.status().keys
    assert (lost.id, lost.is_known, lost.files) == (old.id, False, 4)


def test_damaged_files_are_named_and_hold_up_neither_wrapping_again_nor_retiring(
    vaulted: Vaulted,
) -> None:
    kept = vaulted.room.blobs.kept
    damaged = sorted(kept)[1]
    kept[damaged] = b"\0" * 8 + kept[damaged][8:]
    [old] = vaulted.keys.status().keys
    vaulted.keys.rotate(**WHO)
    done = vaulted.keys.rewrap(**WHO)
    assert (done.files, done.unreadable) == (3, (damaged,))
    survey = vaulted.keys.status()
    assert survey.unreadable == (damaged,)
    assert next((one.id, one.files) for one in survey.keys) == (old.id, 0)
    vaulted.clock.advance(hours=1)
    with pytest.raises(Conflict, match="1 vault files are damaged"):
        vaulted.keys.retire(old.id, **WHO)
    vaulted.keys.retire(old.id, **WHO, despite_unreadable=True)
    [entry] = vaulted.room.entries("keys.retired")
    assert entry.detail == {"unreadable": 1}


@pytest.mark.parametrize("said", [{"person": " ", "reason": "x"}, {"person": "a", "reason": ""}])
def test_keys_change_only_by_a_person_who_says_why(vaulted: Vaulted, said: Any) -> None:
    for change in (vaulted.keys.rotate, vaulted.keys.rewrap):
        with pytest.raises(InvalidInput):
            change(**said)
    with pytest.raises(InvalidInput):
        vaulted.keys.retire("0a0b0c0d", **said)


def test_what_was_destroyed_while_it_was_wrapped_again_does_not_stay(
    vaulted: Vaulted, monkeypatch: pytest.MonkeyPatch
) -> None:
    vaulted.clock.advance(days=366)
    vaulted.keys.rotate(**WHO)
    replace_parts = MemoryBlobs.replace_parts

    def late(
        self: MemoryBlobs,
        name: str,
        parts: Iterable[bytes],
        *,
        instead_of: BinaryIO | None = None,
    ) -> None:
        replace_parts(self, name, parts, instead_of=instead_of)
        back = dict(self.kept)
        vaulted.room.retention.run_due()
        self.kept.update(back)

    monkeypatch.setattr(MemoryBlobs, "replace_parts", late)
    vaulted.keys.rewrap(**WHO)
    assert vaulted.room.blobs.kept == {}
