"""What the record keeps outside the database, in memory; and a record of the former kind."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Generic, TypeVar

from msgspec import Struct

from nightlight.adapters.sql.database import SqlUnitOfWork
from nightlight.audit.chain import GENESIS, StoredEntry, link
from nightlight.audit.checkpoint import Anchor
from nightlight.audit.clock import Clock
from nightlight.model.audit import AuditEntry
from nightlight.services.record import CheckpointDestination, Record

T = TypeVar("T", bound=Struct)
KEY = b"quibble-key"

#: Two entries and their anchor as Nightlight wrote them before entries could be taken apart.
FORMER = (
    StoredEntry(
        seq=1,
        at_us=1772366400250000,
        entry='{"actor":"ana","action":"case.confirmed","subject":"case-1",'
        '"reason":"because \\"so\\" \N{SNOWMAN}","policy_version":"p-1",'
        '"detail":{"z":1,"a":0.5,"flag":true,"ids":["x","y"]}}',
        private=None,
        salt=None,
        previous=GENESIS,
        hash="16162d8c17672e656a5635d62ca8a998b7f0ff4ee0e0eb7dd0e51da40502f68c",
    ),
    StoredEntry(
        seq=2,
        at_us=1772366401000000,
        entry='{"actor":"nightlight","action":"events.processed","subject":"events up to 9",'
        '"reason":"","policy_version":"","detail":{"events":9}}',
        private=None,
        salt=None,
        previous="16162d8c17672e656a5635d62ca8a998b7f0ff4ee0e0eb7dd0e51da40502f68c",
        hash="8f35abf39e014fd2694bab97baf4205618115bdf1e0e54f86c2129880262c3ca",
    ),
)
FORMER_ANCHOR = Anchor(
    seq=2,
    hash=FORMER[1].hash,
    at=datetime(2026, 3, 1, 12, 0, 2, tzinfo=UTC),
    seal="e872bbc0ad7827d6b4f79838b1ce04c32795eeeea694fca735bca870df80344f",
)


class MemoryAnchors:
    """Anchors in a list."""

    def __init__(self) -> None:
        self.kept: list[Anchor] = []
        self.aside: dict[datetime, list[Anchor]] = {}

    def append(self, anchor: Anchor) -> None:
        self.kept.append(anchor)

    def all(self) -> Sequence[Anchor]:
        return list(self.kept)

    def last(self) -> Anchor | None:
        return self.kept[-1] if self.kept else None

    def set_aside(self, keep: Sequence[Anchor], *, at: datetime) -> None:
        self.aside[at], self.kept = self.kept, list(keep)


class MemoryState(Generic[T]):
    """One value, or none."""

    def __init__(self) -> None:
        self.kept: T | None = None

    def load(self) -> T | None:
        return self.kept

    def save(self, value: T) -> None:
        self.kept = value

    def forget(self) -> None:
        self.kept = None


def record_over(
    unit_of_work: SqlUnitOfWork,
    *,
    anchors: MemoryAnchors,
    clock: Clock,
    destinations: tuple[CheckpointDestination, ...] = (),
) -> Record:
    """Return the record of a database, with everything else of it in memory."""
    return Record(
        unit_of_work=unit_of_work,
        anchors=anchors,
        key=KEY,
        clock=clock,
        verified=MemoryState(),
        published=MemoryState(),
        destinations=destinations,
    )


def chain(entries: Sequence[AuditEntry], after: StoredEntry | None = None) -> list[StoredEntry]:
    """Return entries linked one after the other, a minute apart, from a place on."""
    made = [after] if after else []
    for entry in entries:
        seq = made[-1].seq + 1 if made else 1
        previous = made[-1].hash if made else GENESIS
        salt = f"salt of {seq:08}".encode()
        at_us = 1_772_366_400_000_000 + seq * 60_000_000
        made.append(link(entry, seq=seq, at_us=at_us, previous=previous, salt=salt))
    return made[1:] if after else made
