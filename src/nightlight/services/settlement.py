"""What a person settles when the record is not what was known of it."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from nightlight.audit.chain import StoredEntry
from nightlight.audit.checkpoint import Anchor, AuditKey
from nightlight.audit.verification import Fault, verify
from nightlight.errors import IntegrityFailure
from nightlight.model.audit import AuditEntry

#: An entry names no more problems than these; they are alike then.
_PROBLEMS_NAMED = 10


class Settlement(Struct, frozen=True, kw_only=True):
    """What contradicts the record from outside, and what is lost.

    Attributes:
        faults: what verifying found.
        lost_from: the first entry that may not be what it was; 0 where none is known to be lost.
        lost_to: the newest entry that is known to have been there, and is not; 0 for none.
        keep: the anchors that fit the record.
        set_aside: how many do not, or cannot be read.
    """

    faults: tuple[Fault, ...]
    lost_from: int
    lost_to: int
    keep: tuple[Anchor, ...]
    set_aside: int


def settlement_of(
    faults: tuple[Fault, ...],
    *,
    entries: Iterable[StoredEntry],
    head: tuple[int, str],
    anchors: Sequence[Anchor],
    known: Sequence[tuple[int, str]],
    key: AuditKey,
) -> Settlement:
    """Return what is to be settled about a record that is right in itself.

    Args:
        faults: what verifying found.
        entries: the whole record.
        head: (seq, hash) of its newest entry as the store remembers it.
        anchors: all that there are.
        known: (seq, hash) of entries that were found right or published before.
        key: the key that anchors are made with.

    Raises:
        IntegrityFailure: the record contradicts itself.
    """
    genuine = [one for one in anchors if key.is_genuine(one)]
    told = {*known, *((one.seq, one.hash) for one in genuine)}
    hashes = dict.fromkeys((seq for seq, _ in told), "")
    alone = verify(_noting(entries, hashes), head=head, key=key)
    if not alone.intact:
        raise IntegrityFailure(
            f"the record itself is broken at entry {alone.faults[0].seq}:"
            f" {alone.faults[0].problem}",
            hint="that cannot be settled: see docs/operations/record.md",
        )
    right = {seq for seq, digest in told if hashes[seq] and digest in ("", hashes[seq])}
    lost = {seq for seq, _ in told} - right - {0}
    keep = tuple(one for one in genuine if hashes[one.seq] == one.hash)
    first = min(lost, default=0)
    return Settlement(
        faults=faults,
        lost_from=max((one for one in right if one < first), default=0) + 1 if lost else 0,
        lost_to=max(lost, default=0),
        keep=keep,
        set_aside=len(anchors) - len(keep),
    )


def _noting(entries: Iterable[StoredEntry], hashes: dict[int, str]) -> Iterator[StoredEntry]:
    for one in entries:
        if one.seq in hashes:
            hashes[one.seq] = one.hash
        yield one


def settled_entry(settled: Settlement, *, by: str, reason: str) -> AuditEntry:
    """Return what the record says of it."""
    named = [f"entry {one.seq}: {one.problem}" for one in settled.faults[:_PROBLEMS_NAMED]]
    return AuditEntry(
        actor=by,
        action="record.settled",
        subject="the record",
        reason=reason,
        detail={
            "lost_from": settled.lost_from,
            "lost_to": settled.lost_to,
            "set_aside": settled.set_aside,
            "problems": named,
        },
    )
