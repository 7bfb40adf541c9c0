"""What exchange needs of its surroundings."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from nightlight.model.bank import BankEntry
from nightlight.model.lexicon import Term


class ListSummary(Struct, frozen=True, kw_only=True):
    """A hash bank or lexicon as it may be shown: how much it holds, never what."""

    name: str
    entries: int
    updated_at: datetime | None


class BankStore(Protocol):
    """Hash banks, encrypted at rest."""

    def put(self, entries: Sequence[BankEntry], *, at: datetime) -> int:
        """Add entries and return how many were new."""
        ...

    def remove_bank(self, bank: str) -> int:
        """Withdraw a whole bank and return how many entries it held."""
        ...

    def all(self) -> Iterable[BankEntry]:
        """Return every entry of every bank."""
        ...

    def summaries(self) -> list[ListSummary]:
        """Return what may be shown of each bank."""
        ...


class LexiconStore(Protocol):
    """Lexicons, encrypted at rest."""

    def put(self, name: str, terms: Sequence[Term], *, at: datetime) -> int:
        """Add terms and return how many were new."""
        ...

    def remove_lexicon(self, name: str) -> int:
        """Withdraw a whole lexicon and return how many terms it held."""
        ...

    def all(self) -> Iterable[Term]:
        """Return every term of every lexicon."""
        ...

    def summaries(self) -> list[ListSummary]:
        """Return what may be shown of each lexicon."""
        ...
