"""The record: anchored outside the database, published, and verified."""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from nightlight.audit.chain import GENESIS, StoredEntry
from nightlight.audit.checkpoint import Anchor, AuditKey, Export
from nightlight.audit.clock import Clock
from nightlight.audit.verification import Fault, Verification, verify
from nightlight.errors import InvalidInput, Unavailable
from nightlight.transaction import UnitOfWork

#: How often verification says how far it came.
_TOLD_EVERY = 20_000


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


class Verified(Struct, frozen=True, kw_only=True):
    """How far the record was verified.

    Attributes:
        seq: the newest entry that was found right.
        hash: its hash.
        at: when anything was verified last.
        whole_at: when the whole record was verified last.
        seal: under the audit key, so that nobody else can say that much was verified.
        broken: the first fault that was found since, "" for none: then nothing counts as verified,
            and all of the record is looked at again until it is found intact.
    """

    seq: int
    hash: str
    at: datetime
    whole_at: datetime
    seal: str = ""
    broken: str = ""


class VerifiedStore(Protocol):
    """Keeps how far the record was verified, outside the database."""

    def load(self) -> Verified | None:
        """Return it; None where nothing is kept."""
        ...

    def save(self, value: Verified) -> None:
        """Keep it in place of the one before.

        Raises:
            Unavailable: it cannot be kept now.
        """
        ...

    def forget(self) -> None:
        """Keep nothing any more.

        Raises:
            Unavailable: that cannot be done now.
        """
        ...


class Published(Struct, frozen=True, kw_only=True):
    """Which checkpoint was published last, and why none was since."""

    seq: int
    at: datetime | None
    failure: str = ""


class PublishedStore(Protocol):
    """Keeps what was published."""

    def load(self) -> Published | None:
        """Return it; None where nothing is kept."""
        ...

    def save(self, value: Published) -> None:
        """Keep it in place of the one before."""
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

        What contradicts is returned even if it cannot be noted, which is one more fault then.

        Args:
            since_last: look only at what came after the last verification that found no fault.
            progress: told the place of an entry every now and then.

        Raises:
            Unavailable: no fault was found, and how far it was verified cannot be noted.
        """
        known_before = self.verified()
        before = known_before if since_last else None
        since = (before.seq, before.hash) if before else (0, GENESIS)
        # Anchors first: one that another process makes meanwhile is of an entry not read here.
        anchors = self._anchors.all()
        if before is not None:
            anchors = (one for one in anchors if one.seq >= before.seq or not one.seq)
        known = list(anchors)
        with self._unit_of_work.read() as tx:
            found = verify(
                _telling(tx.audit.stored(after=since[0]), progress),
                head=tx.audit.head(),
                anchors=known,
                key=self._key,
                since=since,
            )
        if found.intact:
            self._remember(found, before if since[0] else None)
            return found
        try:
            self._alarm(found, known_before)
        except Unavailable as error:
            # Without a note all is verified again; with the one before, only what is new.
            with suppress(Unavailable):
                self._verified.forget()
            unsaid = Fault(seq=found.faults[0].seq, problem=f"nor can that be noted: {error}")
            return replace(found, faults=(*found.faults, unsaid))
        return found

    def verified(self) -> Verified | None:
        """Return how far the record was verified; None if never, or somebody changed the note."""
        kept = self._verified.load()
        if kept is None or not hmac.compare_digest(kept.seal.encode(), self._seal(kept).encode()):
            return None
        return kept

    def _alarm(self, found: Verification, before: Verified | None) -> None:
        now, first = self._clock.now(), found.faults[0]
        made = Verified(
            seq=0,
            hash=GENESIS,
            at=now,
            whole_at=before.whole_at if before else datetime.fromtimestamp(0, UTC),
            broken=f"entry {first.seq}: {first.problem}",
        )
        self._verified.save(replace(made, seal=self._seal(made)))

    def _remember(self, found: Verification, before: Verified | None) -> None:
        now = self._clock.now()
        made = Verified(
            seq=found.seq, hash=found.head, at=now, whole_at=before.whole_at if before else now
        )
        self._verified.save(replace(made, seal=self._seal(made)))

    def _seal(self, value: Verified) -> str:
        body = f"verified\n{value.seq}\n{value.hash}\n{value.at}\n{value.whole_at}"
        if value.broken:
            body += f"\n{value.broken}"
        return hmac.new(self._raw_key, body.encode(), hashlib.sha256).hexdigest()

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
        after = Published(seq=newest.seq, at=self._clock.now())
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
