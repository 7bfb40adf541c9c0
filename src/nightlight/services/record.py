"""The record: anchored outside the database, published, and verified."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol

from msgspec.structs import replace

from nightlight.audit.chain import GENESIS, StoredEntry
from nightlight.audit.checkpoint import Anchor, AuditKey, Export
from nightlight.audit.clock import Clock
from nightlight.audit.verification import Fault, Verification, verify
from nightlight.errors import Conflict, InvalidInput, Unavailable
from nightlight.model.custody import check_is_person
from nightlight.services.record_notes import (
    AnchorDigest,
    Known,
    Published,
    PublishedStore,
    Verified,
    VerifiedStore,
)
from nightlight.services.settlement import Settlement, settled_entry, settlement_of
from nightlight.transaction import UnitOfWork

#: How often verification says how far it came.
_TOLD_EVERY = 20_000
_NOT_GENUINE = "the note of how far the record was verified is not genuine"


class AnchorStore(Protocol):
    """Keeps anchors where the database's owner cannot silently change them."""

    def append(self, anchor: Anchor) -> None:
        """Keep one more anchor, durably."""
        ...

    def all(self) -> Iterable[Anchor]:
        """Return every anchor, oldest first."""
        ...

    def last(self) -> Anchor | None:
        """Return the newest anchor; None where there is none, or it cannot be read."""
        ...

    def set_aside(self, keep: Sequence[Anchor], *, at: datetime) -> None:
        """Keep only these from now on; all that there were are laid aside under the time.

        Raises:
            Unavailable: that cannot be done now.
        """
        ...


class CheckpointDestination(Protocol):
    """A place where others can see checkpoints."""

    def publish(self, checkpoint: Anchor) -> None:
        """Put a checkpoint there.

        Raises:
            Unavailable: the place does not take it now.
            InvalidInput: the place refuses it.
        """
        ...


class Record:
    """Anchors, publishes and verifies the audit chain."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        anchors: AnchorStore,
        key: bytes,
        clock: Clock,
        verified: VerifiedStore,
        published: PublishedStore,
        origin: str = "nightlight",
        destinations: tuple[CheckpointDestination, ...] = (),
    ) -> None:
        self._unit_of_work = unit_of_work
        self._anchors = anchors
        self._raw_key = key
        self._key = AuditKey(key, origin=origin)
        self._clock = clock
        self._verified = verified
        self._published = published
        self._destinations = destinations

    @property
    def verifier_key(self) -> str:
        """The public key of the checkpoints, in the form that verifiers take."""
        return self._key.verifier_key

    def anchor(self) -> Anchor | None:
        """Return the signed checkpoint of the newest entry, now kept; None if nothing is new."""
        with self._unit_of_work.read() as tx:
            seq, head = tx.audit.head()
        last = self._anchors.last()
        if seq == 0 or (last is not None and last.seq >= seq):
            return None
        made = self._key.checkpoint(seq=seq, head=head, at=self._clock.now())
        self._anchors.append(made)
        return made

    def manifest(self, export: Export) -> str:
        """Return the signed note that says what an export holds."""
        return self._key.manifest(export, at=self._clock.now())

    def last_checkpoint(self) -> Anchor | None:
        """Return the newest anchor, None where there is none."""
        return self._anchors.last()

    def verify(
        self, *, since_last: bool = False, progress: Callable[[int], None] = lambda _: None
    ) -> Verification:
        """Return every contradiction in the record, and remember how far it was found right.

        What it was ever found to hold, or was published of it, has to be there still, whatever was
        found since: only a person settles that it is not. What contradicts is returned even if it
        cannot be noted, which is one more fault then.

        Args:
            since_last: look only at what came after the last verification that found no fault.
            progress: told the place of an entry every now and then.

        Raises:
            Unavailable: no fault was found, and how far it was verified cannot be noted.
        """
        note = self._verified.load()
        is_genuine = note is None or note.is_genuine(self._raw_key)
        before = note if is_genuine else None
        since = (before.seq, before.hash) if before and since_last else (0, GENESIS)
        digest = AnchorDigest(before.ever if before else None)
        # Anchors first: one that another process makes meanwhile is of an entry not read here.
        anchors = digest.counted(self._anchors.all())
        known = [one for one in anchors if one.seq >= since[0] or not one.seq]
        with self._unit_of_work.read() as tx:
            found = verify(
                _telling(tx.audit.stored(after=since[0]), progress),
                head=tx.audit.head(),
                anchors=known,
                key=self._key,
                since=since,
                known=self._known(before),
            )
        more = [] if is_genuine else [Fault(seq=0, problem=_NOT_GENUINE)]
        if digest.problem:
            more.append(Fault(seq=0, problem=digest.problem))
        found = replace(found, faults=(*found.faults, *more))
        if found.intact:
            self._remember(found, digest, before if since[0] else None)
            return found
        # A note under another key may be true: it stays, and is a fault until that key is back.
        return self._alarmed(found) if is_genuine else found

    def verified(self) -> Verified | None:
        """Return how far the record was verified, None if never; broken if the note was changed."""
        kept = self._verified.load()
        if kept is None or kept.is_genuine(self._raw_key):
            return kept
        return Verified(
            seq=0,
            hash=GENESIS,
            at=kept.at,
            whole_at=kept.whole_at,
            broken=f"entry 0: {_NOT_GENUINE}",
        )

    def unsettled(self) -> Settlement:
        """Return what contradicts the record from outside, and what of it is lost with that.

        Raises:
            Conflict: nothing does.
            IntegrityFailure: the record contradicts itself, which nobody can settle.
        """
        faults = self.verify().faults
        if not faults:
            raise Conflict("the record is intact", hint="there is nothing to settle")
        with self._unit_of_work.read() as tx:
            return settlement_of(
                faults,
                entries=tx.audit.stored(),
                head=tx.audit.head(),
                anchors=list(self._anchors.all()),
                known=self._known(self.verified()),
                key=self._key,
            )

    def settle(self, *, by: str, reason: str) -> Settlement:
        """Return what was settled: the record is as it is, a person says so, and it goes on.

        The record says what was lost. Anchors that contradict it, or cannot be read, are set aside.

        Raises:
            InvalidInput: a name or a reason is missing.
            Conflict: the record is intact.
            IntegrityFailure: the record contradicts itself, which nobody can settle.
            Unavailable: what is kept outside the database cannot be written; settle again.
        """
        check_is_person(by, field="by")
        if not reason.strip():
            raise InvalidInput("settling needs a person's words", field="reason")
        settled = self.unsettled()
        with self._unit_of_work.begin() as tx:
            tx.commit(settled_entry(settled, by=by, reason=reason))
        self._anchors.set_aside(settled.keep, at=self._clock.now())
        published = self._published.load()
        if published is not None and settled.lost_from <= published.seq <= settled.lost_to:
            self._published.save(Published(seq=0, at=None))
        self._verified.forget()
        self.anchor()
        self.verify()
        return settled

    def _known(self, note: Verified | None) -> list[tuple[int, str]]:
        """Return places that the record once had, with their hashes where those are known."""
        ever, published = note.ever if note else None, self._published.load()
        known = [(ever.seq, ever.hash)] if ever else []
        return [*known, (published.seq, published.hash)] if published else known

    def _ever(self) -> tuple[Verified | None, Known | None]:
        """Return the note as it is now, another verification may have written it, and its core."""
        note = self._verified.load()
        return (note, note.ever) if note and note.is_genuine(self._raw_key) else (None, None)

    def _alarmed(self, found: Verification) -> Verification:
        """Return what was found, now noted; with one more fault where that cannot be."""
        note, ever = self._ever()
        first = found.faults[0]
        made = Verified(
            seq=0,
            hash=GENESIS,
            at=self._clock.now(),
            whole_at=note.whole_at if note else datetime.fromtimestamp(0, UTC),
            broken=f"entry {first.seq}: {first.problem}",
            known=ever,
        )
        try:
            self._verified.save(made.sealed(self._raw_key))
        except Unavailable as error:
            # Without a note all is verified again; with the one before, only what is new.
            with suppress(Unavailable):
                self._verified.forget()
            unsaid = Fault(seq=first.seq, problem=f"nor can that be noted: {error}")
            return replace(found, faults=(*found.faults, unsaid))
        return found

    def _remember(self, found: Verification, digest: AnchorDigest, before: Verified | None) -> None:
        now, (_, ever) = self._clock.now(), self._ever()
        known = Known(seq=found.seq, hash=found.head, anchors=digest.count, anchored=digest.value)
        made = Verified(
            seq=found.seq,
            hash=found.head,
            at=now,
            whole_at=before.whole_at if before else now,
            known=ever if ever and ever.seq > known.seq else known,
        )
        self._verified.save(made.sealed(self._raw_key))

    @property
    def publishes(self) -> bool:
        """Whether checkpoints are published anywhere."""
        return bool(self._destinations)

    def published(self) -> Published | None:
        """Return which checkpoint was published last; None if none ever was."""
        return self._published.load()

    def publish(self) -> Published | None:
        """Return what is published now that the newest checkpoint was put everywhere it belongs.

        A place that does not take it is noted, and holds up nothing else; None where nothing is
        to be published.
        """
        newest = self._anchors.last()
        if not self._destinations or newest is None or not newest.note:
            return None
        before = self._published.load() or Published(seq=0, at=None)
        if before.seq == newest.seq and not before.failure:
            return before
        failures: list[str] = []
        for destination in self._destinations:
            try:
                destination.publish(newest)
            except (Unavailable, InvalidInput) as error:
                failures.append(str(error))
        after = Published(seq=newest.seq, at=self._clock.now(), hash=newest.hash)
        if failures:
            after = replace(before, failure="; ".join(failures))
        self._published.save(after)
        return after


def _telling(
    entries: Iterable[StoredEntry], progress: Callable[[int], None]
) -> Iterator[StoredEntry]:
    for count, one in enumerate(entries):
        if count % _TOLD_EVERY == 0:
            progress(one.seq)
        yield one
