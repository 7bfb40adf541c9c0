"""The record: anchored outside the database, and verified."""

from collections.abc import Sequence
from typing import Protocol

from nightlight.audit.chain import Anchor, Verification, verify
from nightlight.audit.clock import Clock
from nightlight.transaction import UnitOfWork


class AnchorStore(Protocol):
    """Keeps anchors where the database's owner cannot silently change them."""

    def append(self, anchor: Anchor) -> None:
        """Keep one more anchor, durably."""
        ...

    def all(self) -> Sequence[Anchor]:
        """Return every anchor, oldest first."""
        ...


class Record:
    """Anchors and verifies the audit chain."""

    def __init__(
        self, *, unit_of_work: UnitOfWork, anchors: AnchorStore, key: bytes, clock: Clock
    ) -> None:
        self._unit_of_work = unit_of_work
        self._anchors = anchors
        self._key = key
        self._clock = clock

    def anchor(self) -> Anchor | None:
        """Return the anchor of the newest entry, now kept; None where nothing is new."""
        with self._unit_of_work.read() as tx:
            seq, head = tx.audit.head()
        kept = self._anchors.all()
        if seq == 0 or (kept and kept[-1].seq >= seq):
            return None
        made = Anchor.make(seq=seq, head=head, at=self._clock.now(), key=self._key)
        self._anchors.append(made)
        return made

    def verify(self) -> Verification:
        """Return every contradiction in the record."""
        # Anchors first: one that another process makes meanwhile is of an entry not read here.
        anchors = self._anchors.all()
        with self._unit_of_work.read() as tx:
            return verify(
                tx.audit.entries(),
                head=tx.audit.head(),
                anchors=anchors,
                anchor_key=self._key,
            )
