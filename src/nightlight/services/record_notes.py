"""What is noted about the record outside the database: how far it was verified and published."""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from nightlight.audit.checkpoint import Anchor


class Known(Struct, frozen=True, kw_only=True):
    """What the record was once found to hold; only a person settles that it does not any more.

    Attributes:
        seq: the newest entry that was ever found right.
        hash: its hash.
        anchors: how many anchors there were.
        anchored: a digest of them, in their order.
    """

    seq: int
    hash: str
    anchors: int
    anchored: str


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
        known: what it was found to hold, whatever was found since; None in a note from before.
    """

    seq: int
    hash: str
    at: datetime
    whole_at: datetime
    seal: str = ""
    broken: str = ""
    known: Known | None = None

    @property
    def ever(self) -> Known | None:
        """What the record was ever found to hold; None where this note does not say."""
        if self.known is None and self.seq:
            return Known(seq=self.seq, hash=self.hash, anchors=0, anchored="")
        return self.known

    def sealed(self, key: bytes) -> "Verified":
        """Return this note under its seal."""
        return replace(self, seal=self._seal(key))

    def is_genuine(self, key: bytes) -> bool:
        """Return whether it was sealed under this key, as it is."""
        return hmac.compare_digest(self.seal.encode(), self._seal(key).encode())

    def _seal(self, key: bytes) -> str:
        body = f"verified\n{self.seq}\n{self.hash}\n{self.at}\n{self.whole_at}"
        if self.known is not None:
            known = self.known
            body += f"\nknown {known.seq} {known.hash} {known.anchors} {known.anchored}"
        if self.broken:
            body += f"\n{self.broken}"
        return hmac.new(key, body.encode(), hashlib.sha256).hexdigest()


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
    """Which checkpoint was published last, and why none was since.

    Attributes:
        hash: of the entry that it names; "" in a note from before.
    """

    seq: int
    at: datetime | None
    failure: str = ""
    hash: str = ""


class PublishedStore(Protocol):
    """Keeps what was published."""

    def load(self) -> Published | None:
        """Return it; None where nothing is kept."""
        ...

    def save(self, value: Published) -> None:
        """Keep it in place of the one before."""
        ...


class AnchorDigest:
    """Counts anchors, and digests them in their order: those at the start never change."""

    def __init__(self, known: Known | None) -> None:
        self._known = known
        self._digest = hashlib.sha256()
        self._is_as_known = known is None or not known.anchors
        self.count = 0

    def counted(self, anchors: Iterable[Anchor]) -> Iterator[Anchor]:
        """Yield these anchors; counted once they are through."""
        for one in anchors:
            self.count += 1
            self._digest.update(f"{one.seq} {one.hash}\n".encode())
            if self._known is not None and self.count == self._known.anchors:
                self._is_as_known = self.value == self._known.anchored
            yield one

    @property
    def value(self) -> str:
        """The digest of all that were taken."""
        return self._digest.hexdigest()

    @property
    def problem(self) -> str:
        """What is wrong with those that were there when the record was verified last, or ""."""
        if self._is_as_known or self._known is None:
            return ""
        if self.count < self._known.anchors:
            return f"anchors are missing: {self.count:,} are left of {self._known.anchors:,}"
        return "anchors were changed, or others were put in their place"
