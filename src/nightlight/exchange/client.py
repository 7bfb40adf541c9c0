"""What every exchange's client gives: pages of entries, what was withdrawn, and how far it came."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from nightlight.model.bank import BankEntry, HashKind, Opinion
from nightlight.model.masked import Masked

_SEPARATOR = "\x1f"


class Rejected(Masked, frozen=True, kw_only=True):
    """What could not be read of an exchange's answer, and why; the reason shows no value.

    Attributes:
        place: which element of its page it is, counted from 1; 0 for a whole page.
    """

    raw: bytes
    reason: str
    place: int = 0


class Page(Masked, frozen=True, kw_only=True):
    """One answer of an exchange, taken in whole or not at all.

    A page says everything about the references that it names: an entry that the bank holds under
    one of them and that is not among ``entries`` is withdrawn.

    Attributes:
        withdrawn: references of which nothing stands any more.
        incomplete: references of which part could not be read: nothing of these is withdrawn.
        rejected: what is quarantined while the rest goes on.
        ignored: hashes of kinds that are not matched here, counted by the exchange's name for them.
        checkpoint: where fetching goes on once this page is stored.
        checkpoint_at: the time up to which the checkpoint has everything, None while unknown.
        up_to_date: whether nothing more was there when this page was fetched.
        missing: what could not be had so far and is asked for again, "" for nothing.
    """

    entries: tuple[BankEntry, ...] = ()
    withdrawn: tuple[str, ...] = ()
    incomplete: frozenset[str] = frozenset()
    rejected: tuple[Rejected, ...] = ()
    ignored: Mapping[str, int] = {}
    checkpoint: str = ""
    checkpoint_at: datetime | None = None
    up_to_date: bool = False
    missing: str = ""


class ExchangeClient(Protocol):
    """An exchange as this platform sees it."""

    def fetch(self, checkpoint: str) -> Iterator[Page]:
        """Yield what came after ``checkpoint`` ("" for everything), page by page.

        Raises:
            Unavailable: the exchange does not answer, or not usably; what was yielded stands.
            NotPermitted: it does not take the credentials.
        """
        ...

    def vote(self, entry: BankEntry, opinion: Opinion) -> None:
        """Return once the exchange took this platform's opinion; sending it again changes nothing.

        Raises:
            InvalidInput: the exchange cannot be told this, now or later.
            Unavailable: it does not answer.
            NotPermitted: it does not take the credentials.
        """
        ...

    def close(self) -> None:
        """Give connections back."""
        ...


class EntryNames(Struct, frozen=True, kw_only=True):
    """Makes the ids of entries, keyed so that an id does not tell what hash it stands for."""

    key: bytes
    bank: str

    def __repr__(self) -> str:
        return f"<EntryNames of {self.bank}>"

    def entry_id(self, ref: str, kind: HashKind, value: str) -> str:
        """Return the id of one hash under one reference, the same on every fetch."""
        return f"be_{self._keyed('entry', self.bank, ref, kind.value, value)}"

    def ref(self, kind: str, value: str) -> str:
        """Return a reference for a list that names its entries only by their hashes."""
        return f"{kind}/{self._keyed('ref', self.bank, kind, value)}"

    def _keyed(self, *parts: str) -> str:
        joined = _SEPARATOR.join(parts).encode()
        return hmac.new(self.key, joined, hashlib.sha256).hexdigest()[:32]
