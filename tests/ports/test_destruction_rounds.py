"""Rounds of destroying are fair: what cannot be destroyed starves nothing, and is tried in turn."""

from collections import Counter
from datetime import datetime

import pytest
from tests.fakes.blobs import MemoryBlobs
from tests.fakes.cybertip_store import HandClock
from tests.fakes.evidence_room import EvidenceRoom

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.errors import Unavailable
from nightlight.model.case import CaseState
from nightlight.preserve.ports import KeyRing

BROKEN, SOUND, NEW = 15, 3, 2
#: How many failures in a row end a round.
END = 10


class Partly(MemoryBlobs):
    """A store some of whose files cannot be destroyed; it counts how often it was asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: set[str] = set()
        self.asked: Counter[str] = Counter()

    def destroy(self, name: str) -> None:
        if name in self.broken:
            self.asked[name] += 1
            raise Unavailable("the vault does not answer")
        super().destroy(name)


class Ticking(HandClock):
    """A clock that goes on a little whenever it is looked at."""

    def now(self) -> datetime:
        self.advance(seconds=1)
        return self.at


@pytest.fixture
def clock() -> HandClock:
    return Ticking()


@pytest.fixture
def blobs() -> Partly:
    return Partly()


@pytest.fixture
def room(
    unit_of_work: SqlUnitOfWork, clock: HandClock, keys: KeyRing, blobs: Partly
) -> EvidenceRoom:
    return EvidenceRoom(unit_of_work, clock, keys, store=blobs)


def sealed(room: EvidenceRoom, name: str, count: int) -> list[str]:
    """Seal so many files of a case that was decided now."""
    room.case(name, CaseState.DISMISSED)
    return [room.seal(f"{name}-{n:02}", name, f"{name} {n}".encode()) for n in range(count)]


def test_files_that_cannot_be_destroyed_starve_nothing_behind_them_and_each_is_tried_in_turn(
    room: EvidenceRoom, blobs: Partly, clock: HandClock
) -> None:
    broken = sealed(room, "broken", BROKEN)
    blobs.broken = {room.vault.name_of(room.evidence(one).digest) for one in broken}
    clock.advance(days=1)
    sound = sealed(room, "sound", SOUND)
    clock.advance(days=367)

    first, second = room.retention.run_due(), room.retention.run_due()
    assert (first.failed, first.destroyed) == (END, 0), "a vault that is not there ends the round"
    assert second.destroyed == SOUND, "at the latest once every broken file was tried"
    assert all(room.destroyed_at(one) for one in sound)

    # What becomes due later goes at once, and takes no turn from those that were tried.
    new = sealed(room, "new", NEW)
    clock.advance(days=367)
    assert room.retention.run_due().destroyed == NEW
    assert all(room.destroyed_at(one) for one in new)
    room.retention.run_due()
    turns = [blobs.asked[name] for name in blobs.broken]
    assert max(turns) - min(turns) <= 1, "what was tried longest ago is next"

    blobs.broken.clear()
    assert room.retention.run_due().destroyed == BROKEN
