"""What ingest needs of its surroundings."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import BinaryIO, Protocol, Self

from msgspec import Struct

from nightlight.model.event import Event, EventType, Machine
from nightlight.model.ids import AccountId, EventKey
from nightlight.model.masked import Masked
from nightlight.model.media import MediaHashes, Scan


class LoggedEvent(Struct, frozen=True, kw_only=True):
    """An accepted event and its place in the log."""

    seq: int
    event: Event


class Sifted(Struct, frozen=True, kw_only=True):
    """A part of the log, gone through for some of its events.

    Attributes:
        events: those that passed.
        looked_at: how many events of the types asked for there are in the part.
        to: the last place of the part.
    """

    events: list[LoggedEvent]
    looked_at: int
    to: int


class Quarantined(Masked, frozen=True, kw_only=True):
    """Input that could not be read, kept sealed until a person has looked at the reason."""

    id: str
    origin: str
    line_number: int
    reason: str
    received_at: datetime
    raw: bytes = b""

    def __repr__(self) -> str:
        return f"<Quarantined {self.id}: masked>"


class EventLog(Protocol):
    """The durable, ordered log of accepted events; an event enters once per key."""

    def append(self, events: Sequence[Event], *, at: datetime) -> list[LoggedEvent]:
        """Append the events whose key is new and return them with their places."""
        ...

    def read_after(self, seq: int, limit: int) -> list[LoggedEvent]:
        """Return up to ``limit`` events after ``seq``, oldest first."""
        ...

    def sift(
        self,
        types: Collection[EventType],
        passes: Callable[[EventType, bytes], bool],
        *,
        after: int,
        to: int,
        limit: int,
    ) -> Sifted:
        """Return which of up to ``limit`` events of these types, after one place, pass.

        Args:
            types: other events are not looked at.
            passes: is asked with an event's type and its data as stored, in JSON, before it is
                read any further.
            after: the place behind which the part begins.
            to: the place where it ends at the latest.
            limit: how many events are looked at.
        """
        ...

    def find(self, keys: Sequence[EventKey]) -> dict[EventKey, Event]:
        """Return the logged events with these keys."""
        ...

    def machines(self, keys: Collection[EventKey]) -> dict[EventKey, Machine]:
        """Return from which machines these events were sent, where that is told and still kept."""
        ...

    def account_machines(self, account_id: AccountId, limit: int) -> list[tuple[Event, Machine]]:
        """Return registration, profile changes and sign-ins of an account that told a machine.

        The newest of each, up to ``limit``; only what is still kept of machines.
        """
        ...

    def forget_machines(self, before: datetime, limit: int) -> int:
        """Forget the machines of up to so many events accepted before; return of how many.

        The keyed hashes in the events stay.
        """
        ...

    def offset(self) -> int:
        """Return the place up to which events are processed, held until the transaction ends."""
        ...

    def offset_now(self) -> int:
        """Return the place up to which events are processed, without holding it."""
        ...

    def backlog(self) -> int:
        """Return how many accepted events are not processed yet."""
        ...

    def advance(self, seq: int) -> None:
        """Remember that every event up to ``seq`` is processed."""
        ...

    def head(self) -> int:
        """Return the place of the newest event, 0 when there is none."""
        ...

    def quarantine(self, rejected: Sequence[Quarantined]) -> None:
        """Keep what could not be read, with its reason."""
        ...

    def quarantine_size(self) -> int:
        """Return how many inputs are quarantined."""
        ...

    def quarantined(self, limit: int) -> list[Quarantined]:
        """Return the newest quarantined input, without its raw bytes."""
        ...


class MediaFile(Protocol):
    """A fetched file, in memory or not; whoever has it closes it."""

    @property
    def size(self) -> int:
        """The number of bytes."""
        ...

    @property
    def hashes(self) -> MediaHashes:
        """The exact hashes."""
        ...

    @property
    def sha256(self) -> str:
        """The SHA-256 in hex."""
        ...

    def head(self, count: int) -> bytes:
        """Return the first ``count`` bytes, or all where there are fewer."""
        ...

    def open(self) -> BinaryIO:
        """Return a seekable reader of its own position, from the start.

        Its methods raise ``Unavailable`` where the bytes can no longer be had.
        """
        ...

    def read_all(self) -> bytes:
        """Return the whole file; only for what is known to be small."""
        ...

    def close(self) -> None:
        """Let the bytes go; closing twice is harmless."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class MediaSource(Protocol):
    """Where the platform's media can be fetched."""

    def fetch(self, url: str) -> MediaFile:
        """Return a file, to be closed by the caller.

        Raises:
            Unavailable: it cannot be had now.
            NotPermitted: the operator has not allowed this place.
            InvalidInput: the address is not one, or the file is larger than allowed.
        """
        ...


class TakesLong(Exception):  # noqa: N818  what is said of the file, not an error of anybody's
    """Decoding a file takes longer than what decodes briefly may: begin again where that may be."""


class Hasher(Protocol):
    """Turns bytes into hashes; keeps none of the bytes."""

    def scan(self, data: bytes) -> Scan:
        """Return the outcome; a file that cannot be decoded is a failed scan, never an error."""
        ...

    def takes_long(self, file: MediaFile) -> bool:
        """Return whether decoding a file may take much longer than a picture takes."""
        ...

    def scan_file(
        self,
        file: MediaFile,
        *,
        for_bank: bool = False,
        until_s: float | None = None,
        briefly: bool = False,
    ) -> Scan:
        """Return the outcome as ``scan`` does, without holding a large file in memory.

        What is not decoded by ``until_s``, by the monotonic clock, is a failed scan.

        The views are those that undo what others may have done to a picture, or with ``for_bank``
        those that a bank made from media holds: what others may do to it.

        Raises:
            TakesLong: asked for ``briefly``, it turned out to take long; ``takes_long`` says so of
                this file from now on.
        """
        ...
