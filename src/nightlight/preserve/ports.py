"""What preserve needs of its surroundings."""

from collections.abc import Collection, Iterable
from typing import BinaryIO, Protocol

from nightlight.model.case import Evidence
from nightlight.model.custody import EvidenceRead
from nightlight.model.ids import CaseId, DecisionId


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


class ViewLog(Protocol):
    """Who opened and who viewed what; it only grows."""

    def add(self, reads: Iterable[EvidenceRead]) -> None:
        """Store lines of the log; what was said before stays as it was said."""
        ...

    def of(self, evidence_ids: Collection[str]) -> list[EvidenceRead]:
        """Return the log of these files, oldest line first."""
        ...
