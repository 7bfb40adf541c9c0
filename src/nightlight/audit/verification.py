"""Verifying the chain: every contradiction among entries, the stored head and the anchors."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from nightlight.audit.chain import GENESIS, UNREADABLE, StoredEntry, hash_of
from nightlight.audit.checkpoint import Anchor, AuditKey

#: A broken chain is broken at every later entry too: more than this many faults say nothing new.
_FAULTS_SHOWN = 20
_NOT_AS_KNOWN = "the entry is not the one that was verified or published before"


class Fault(Struct, frozen=True, kw_only=True):
    """One place where the record contradicts itself."""

    seq: int
    problem: str


class Verification(Struct, frozen=True, kw_only=True):
    """What verifying the chain found; ``faults`` is empty for an untouched record.

    Attributes:
        entries: how many entries were looked at.
        seq: the place of the newest of them.
        head: its hash.
        since: the place after which they were looked at; 0 for the whole record.
        anchors: how many anchors there are.
    """

    entries: int
    seq: int
    head: str
    anchors: int
    faults: tuple[Fault, ...]
    since: int = 0

    @property
    def intact(self) -> bool:
        """Whether no fault was found."""
        return not self.faults


def verify(
    entries: Iterable[StoredEntry],
    *,
    head: tuple[int, str],
    anchors: Sequence[Anchor] = (),
    key: AuditKey,
    since: tuple[int, str] = (0, GENESIS),
    known: Sequence[tuple[int, str]] = (),
) -> Verification:
    """Return every contradiction among entries, the stored head and the anchors.

    Args:
        entries: all entries after ``since`` in the order of their ``seq``.
        head: (seq, hash) of the newest entry as the store remembers it.
        anchors: chain heads kept outside the store.
        key: the key they were made with.
        since: (seq, hash) up to which the record was verified before.
        known: (seq, hash) of entries that were found right or published before; a hash may be "".
    """
    faults: list[Fault] = []
    before = _by_place(known)
    anchored = _genuine(anchors, key, faults)
    start, previous = since
    # Whatever verifies from a place on writes the newer form: nothing of the former comes after it.
    expected, count, is_former = start + 1, 0, not start
    if anchored.get(start, previous) != previous:
        faults.append(Fault(seq=start, problem="the entry is not the one that was anchored"))
    if before.get(start, {previous}) != {previous}:
        faults.append(Fault(seq=start, problem=_NOT_AS_KNOWN))
    for stored in entries:
        count += 1
        problem = _problem(stored, expected, previous)
        if problem is None:
            if stored.private is not None:
                is_former = False
            elif not is_former:
                problem = "an entry of the former kind follows a newer one"
            elif stored.salt is not None:
                problem = "the entry was changed after it was written"
            if stored.seq in anchored and anchored[stored.seq] != stored.hash:
                problem = "the entry is not the one that was anchored"
            if stored.seq in before and before[stored.seq] != {stored.hash}:
                problem = _NOT_AS_KNOWN
        if problem is not None and len(faults) < _FAULTS_SHOWN:
            faults.append(Fault(seq=stored.seq, problem=problem))
        previous, expected = stored.hash, stored.seq + 1
    last = expected - 1
    if head != (last, previous):
        faults.append(Fault(seq=head[0], problem="the newest entries are missing or were replaced"))
    faults.extend(
        Fault(seq=seq, problem="an entry that was verified or published before is missing")
        for seq in sorted({seq for seq, _ in known})
        if seq > last
    )
    faults.extend(
        Fault(seq=seq, problem="an anchored entry is missing")
        for seq in sorted(anchored)
        if seq > last
    )
    return Verification(
        entries=count,
        seq=last,
        head=previous,
        anchors=len(anchors),
        faults=tuple(faults[:_FAULTS_SHOWN]),
        since=start,
    )


def _genuine(anchors: Iterable[Anchor], key: AuditKey, faults: list[Fault]) -> dict[int, str]:
    anchored: dict[int, str] = {}
    for anchor in anchors:
        if not key.is_genuine(anchor):
            faults.append(Fault(seq=anchor.seq, problem="an anchor's seal is not genuine"))
        elif anchored.setdefault(anchor.seq, anchor.hash) != anchor.hash:
            faults.append(Fault(seq=anchor.seq, problem="two anchors name different entries"))
    return anchored


def _by_place(known: Iterable[tuple[int, str]]) -> Mapping[int, set[str]]:
    places: dict[int, set[str]] = {}
    for seq, digest in known:
        if digest:
            places.setdefault(seq, set()).add(digest)
    return places


def _problem(stored: StoredEntry, expected: int, previous: str) -> str | None:
    if stored.seq != expected:
        return f"an entry is missing or out of order: expected number {expected}"
    if stored.previous != previous:
        return "the entry does not follow the one before it"
    try:
        digest = hash_of(stored)
    except UNREADABLE:
        digest = ""
    if digest != stored.hash:
        return "the entry was changed after it was written"
    return None
