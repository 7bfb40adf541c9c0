"""The hash chain over audit entries, and its verification.

Each entry's hash is SHA-256 over the entry before and over its own canonical bytes, so an edit, a
removal or a change of order breaks the chain at the first entry concerned. Anchors (chain heads
under a keyed digest, kept outside the database) make the loss of the newest entries visible too.
Design after Crosby and Wallach, "Efficient Data Structures for Tamper-Evident Logging" (2009).
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from nightlight.model.audit import AuditEntry, ChainedEntry

#: The ``previous`` of the first entry.
GENESIS = "0" * 64

_encoder = msgspec.json.Encoder(order="sorted")


def entry_hash(*, seq: int, at: datetime, entry: AuditEntry, previous: str) -> str:
    """Return the SHA-256 (hex) that puts ``entry`` at place ``seq`` after ``previous``."""
    body = _encoder.encode({"seq": seq, "at": at, "entry": entry, "previous": previous})
    return hashlib.sha256(body).hexdigest()


def link(entry: AuditEntry, *, seq: int, at: datetime, previous: str) -> ChainedEntry:
    """Return ``entry`` in its place in the chain."""
    digest = entry_hash(seq=seq, at=at, entry=entry, previous=previous)
    return ChainedEntry(seq=seq, at=at, entry=entry, previous=previous, hash=digest)


class Anchor(Struct, frozen=True, kw_only=True):
    """A chain head as it once was, under a key that the database does not hold."""

    seq: int
    hash: str
    at: datetime
    seal: str

    @staticmethod
    def make(*, seq: int, head: str, at: datetime, key: bytes) -> "Anchor":
        """Return the anchor of a head, sealed with ``key``."""
        return Anchor(seq=seq, hash=head, at=at, seal=_seal(seq, head, at, key))

    def is_genuine(self, key: bytes) -> bool:
        """Return whether this anchor was sealed with ``key``."""
        return hmac.compare_digest(self.seal, _seal(self.seq, self.hash, self.at, key))


def _seal(seq: int, head: str, at: datetime, key: bytes) -> str:
    return hmac.new(key, f"{seq}:{head}:{at.isoformat()}".encode(), hashlib.sha256).hexdigest()


class Fault(Struct, frozen=True, kw_only=True):
    """One place where the record contradicts itself."""

    seq: int
    problem: str


class Verification(Struct, frozen=True, kw_only=True):
    """What verifying the chain found; ``faults`` is empty for an untouched record."""

    entries: int
    head: str
    anchors: int
    faults: tuple[Fault, ...]

    @property
    def intact(self) -> bool:
        """Whether no fault was found."""
        return not self.faults


#: A broken chain is broken at every later entry too: more than this many faults say nothing new.
_FAULTS_SHOWN = 20


def verify(
    entries: Iterable[ChainedEntry],
    *,
    head: tuple[int, str],
    anchors: Sequence[Anchor] = (),
    anchor_key: bytes = b"",
) -> Verification:
    """Return every contradiction among entries, the stored head and the anchors.

    Args:
        entries: all entries in the order of their ``seq``.
        head: (seq, hash) of the newest entry as the store remembers it.
        anchors: chain heads kept outside the store.
        anchor_key: the key the anchors were sealed with.
    """
    faults: list[Fault] = []
    anchored: dict[int, str] = {}
    for anchor in anchors:
        if anchor.is_genuine(anchor_key):
            anchored.setdefault(anchor.seq, anchor.hash)
        else:
            faults.append(Fault(seq=anchor.seq, problem="an anchor's seal is not genuine"))
    previous, expected_seq, count = GENESIS, 1, 0
    for chained in entries:
        count += 1
        problem = _problem(chained, expected_seq, previous)
        if problem is None and anchored.get(chained.seq, chained.hash) != chained.hash:
            problem = "the entry is not the one that was anchored"
        if problem is not None and len(faults) < _FAULTS_SHOWN:
            faults.append(Fault(seq=chained.seq, problem=problem))
        previous, expected_seq = chained.hash, chained.seq + 1
    last = expected_seq - 1
    if head != (last, previous):
        faults.append(Fault(seq=head[0], problem="the newest entries are missing or were replaced"))
    faults.extend(
        Fault(seq=seq, problem="an anchored entry is missing")
        for seq in sorted(anchored)
        if seq > last
    )
    return Verification(
        entries=count, head=previous, anchors=len(anchors), faults=tuple(faults[:_FAULTS_SHOWN])
    )


def _problem(chained: ChainedEntry, expected_seq: int, previous: str) -> str | None:
    if chained.seq != expected_seq:
        return f"an entry is missing or out of order: expected number {expected_seq}"
    if chained.previous != previous:
        return "the entry does not follow the one before it"
    digest = entry_hash(
        seq=chained.seq, at=chained.at, entry=chained.entry, previous=chained.previous
    )
    if digest != chained.hash:
        return "the entry was changed after it was written"
    return None
