"""What preserve needs of its surroundings."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import BinaryIO, Protocol

from msgspec import Struct

from nightlight.model.case import Evidence
from nightlight.model.custody import CustodyRequest, Destruction, EvidenceRead
from nightlight.model.hold import Hold, HoldEvent
from nightlight.model.ids import CaseId, DecisionId
from nightlight.preserve.retention import CaseStanding


class BlobStore(Protocol):
    """Keeps opaque bytes under opaque names, durable once ``put`` returned."""

    def put(self, name: str, data: bytes) -> None:
        """Keep ``data`` under ``name``; what is already there stays."""
        ...

    def put_parts(self, name: str, parts: Iterable[bytes]) -> None:
        """Keep the parts, one after the other, under ``name``; what is already there stays.

        Nothing is kept where ``parts`` raises: its error goes on to the caller.
        """
        ...

    def get(self, name: str) -> bytes:
        """Return the bytes under ``name``.

        Raises:
            NotFound: nothing is kept under it.
        """
        ...

    def open(self, name: str) -> BinaryIO:
        """Return a reader of the bytes under ``name``.

        Raises:
            NotFound: nothing is kept under it.
        """
        ...

    def has(self, name: str) -> bool:
        """Return whether something is kept under ``name``."""
        ...

    def names(self) -> Iterator[str]:
        """Yield every name under which something is kept, each once."""
        ...

    def replace_parts(
        self, name: str, parts: Iterable[bytes], *, instead_of: BinaryIO | None = None
    ) -> None:
        """Keep the parts in place of what is under ``name``: there is the old or the new, whole.

        Args:
            name: the name.
            parts: what is kept from now on.
            instead_of: what ``open`` gave and is open still: only its file is replaced.

        Raises:
            NotFound: nothing is kept under it, or not any more, or not what ``instead_of`` reads.
        """
        ...

    def destroy(self, name: str) -> None:
        """Destroy what is kept under ``name``, its beginning first; once back, it is gone.

        What is not there is no error.
        """
        ...


class MasterKey(Struct, frozen=True, kw_only=True):
    """A master key as it may be told of.

    Attributes:
        made_at: None where that is not known.
    """

    id: str
    made_at: datetime | None


class EvidenceFile(Protocol):
    """A file that is to be sealed without being held in memory."""

    @property
    def sha256(self) -> str:
        """The SHA-256 in hex."""
        ...

    def open(self) -> BinaryIO:
        """Return a reader from the start."""
        ...


class KeyRing(Protocol):
    """Wraps data keys under master keys; the newest master key wraps, any known one unwraps."""

    def wrap(self, data_key: bytes) -> bytes:
        """Return ``data_key`` encrypted under the newest master key, with the key's id."""
        ...

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return the data key.

        Raises:
            IntegrityFailure: no known master key opens it.
        """
        ...

    def naming_key(self) -> bytes:
        """Return the key from which vault names are derived."""
        ...

    def key_of(self, wrapped: bytes) -> str:
        """Return the id of the master key under which something is wrapped."""
        ...

    def master_keys(self) -> list[MasterKey]:
        """Return every master key, newest last."""
        ...

    def add(self, key_id: str, *, at: datetime) -> None:
        """Make a fresh master key, which wraps from now on; the others still unwrap.

        Raises:
            Conflict: there is a key with this id.
        """
        ...

    def remove(self, key_id: str) -> None:
        """Take a master key out: what is wrapped under it can never be opened again.

        Raises:
            NotFound: there is none with this id.
            Conflict: it is the one that wraps.
        """
        ...


class SealedValues(Protocol):
    """The values in the database that are wrapped by the key ring."""

    def count(self) -> dict[str, int]:
        """Return how many there are under each master key, by its id."""
        ...

    def remember_newest(self, key_id: str) -> None:
        """Remember the newest master key: nothing starts with keys that lack it."""
        ...

    def rewrap(self, after: str, limit: int) -> tuple[int, str]:
        """Wrap up to so many again under the newest key, from a place on ("" is the start).

        Returns:
            How many were wrapped again, and the next place; "" once everything was looked at.
        """
        ...


class EvidenceStore(Protocol):
    """Which evidence belongs to which case."""

    def add(self, evidence: Iterable[Evidence]) -> None:
        """Store evidence rows; one that is already there stays as it is."""
        ...

    def move(self, decision_ids: Collection[DecisionId], case_id: CaseId) -> None:
        """Let the evidence of these findings belong to another case."""
        ...

    def get(self, evidence_id: str) -> Evidence:
        """Return evidence, also what was destroyed.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    def of_case(self, case_id: CaseId, *, destroyed: bool = False) -> list[Evidence]:
        """Return the evidence of a case that is kept, or also what was, oldest first."""
        ...

    def of_cases(self, case_ids: Collection[CaseId]) -> list[Evidence]:
        """Return the evidence of these cases that is kept, oldest first."""
        ...

    def of_posts(self, event_keys: Collection[str], media_ids: Collection[str]) -> list[Evidence]:
        """Return the evidence of these versions of posts, also what was destroyed.

        And that of these files, as far as it was sealed beside one of those versions.
        """
        ...

    def sealed_before(self, at: datetime, *, after: str, limit: int) -> list[CaseId]:
        """Return cases of which something kept was sealed before then, by id, from ``after`` on."""
        ...

    def others(self, evidence: Evidence) -> int:
        """Return how much other evidence that is kept is the same bytes."""
        ...

    def needless(self, names: Collection[str]) -> list[str]:
        """Return those vault names of which evidence was destroyed, and none that is kept is."""
        ...

    def destroyed(self, evidence_id: str, *, at: datetime) -> None:
        """Remember that evidence is gone, and forget its digest."""
        ...


class CustodyStore(Protocol):
    """Holds, orders to destroy, and what two people ask for together."""

    def standing(self, case_id: CaseId) -> CaseStanding:
        """Return what decides for how long a case's evidence is kept, held until the end."""
        ...

    def standings(self, case_ids: Collection[CaseId]) -> dict[CaseId, CaseStanding]:
        """Return what decides for how long evidence is kept, for each of these cases."""
        ...

    def say(self, event: HoldEvent) -> None:
        """Store what is said of a hold; what was said before stays."""
        ...

    def hold(self, hold_id: str) -> Hold:
        """Return a hold.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    def holds(self, case_id: CaseId) -> list[Hold]:
        """Return every hold of a case, oldest first."""
        ...

    def order(self, destructions: Iterable[Destruction]) -> None:
        """Store that evidence is to be destroyed."""
        ...

    def ordered(self, limit: int) -> list[Destruction]:
        """Return what is to be destroyed and was not yet: what was never tried, oldest order first.

        Then follows what was tried, longest ago first: no order is passed over for ever.
        """
        ...

    def missed(self, limit: int) -> list[Destruction]:
        """Return what is to be destroyed and was not in the vault, oldest order first."""
        ...

    def late(self, before: datetime, limit: int) -> list[Destruction]:
        """Return what was ordered before a time, is not missing, and was not destroyed yet."""
        ...

    def order_of(self, evidence_id: str) -> Destruction | None:
        """Return the order to destroy evidence, None where there is none."""
        ...

    def found(self, evidence_id: str, *, at: datetime) -> None:
        """Remember that what an order is about was in the vault, before it is destroyed."""
        ...

    def missing(self, evidence_id: str, *, at: datetime) -> None:
        """Remember that what an order is about was not in the vault."""
        ...

    def tried(self, evidence_id: str, *, at: datetime) -> None:
        """Remember that an order was tried and stands."""
        ...

    def failed(self, evidence_id: str, *, at: datetime) -> None:
        """Remember that the vault failed to destroy what an order is about: is it there?"""
        ...

    def carried_out(self, evidence_id: str, *, at: datetime) -> None:
        """Remember that an order was carried out."""
        ...

    def take_back(self, evidence_id: str) -> None:
        """Forget an order that was not carried out."""
        ...

    def save_request(self, request: CustodyRequest) -> None:
        """Store a request over its former state."""
        ...

    def request(self, request_id: str) -> CustodyRequest:
        """Return a request, held until the transaction ends.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    def requests(self, limit: int) -> list[CustodyRequest]:
        """Return the newest requests, newest first."""
        ...


class ViewLog(Protocol):
    """Who opened and who viewed what; it only grows."""

    def add(self, reads: Iterable[EvidenceRead]) -> None:
        """Store lines of the log; what was said before stays as it was said."""
        ...

    def of(self, evidence_ids: Collection[str]) -> list[EvidenceRead]:
        """Return the log of these files, oldest line first."""
        ...
