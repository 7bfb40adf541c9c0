"""What a page comes to while its elements are read, one after the other."""

from collections.abc import Iterable
from datetime import datetime

from nightlight.exchange.client import Page, Rejected
from nightlight.model.bank import BankEntry


class Gathered:
    """Entries by reference, withdrawals, and what could not be read; the last word holds."""

    def __init__(self) -> None:
        self._entries: dict[str, list[BankEntry]] = {}
        self._incomplete: set[str] = set()
        self._rejected: list[Rejected] = []
        self._ignored: dict[str, int] = {}

    def put(self, ref: str, entries: Iterable[BankEntry]) -> None:
        """Let these, and nothing else, stand under the reference."""
        self._entries[ref] = list(entries)
        self._incomplete.discard(ref)

    def withdraw(self, ref: str) -> None:
        """Let nothing stand under the reference."""
        self.put(ref, ())

    def reject(self, raw: bytes, reason: str, *, place: int, ref: str = "") -> None:
        """Set an element aside; with its reference, nothing known under that is withdrawn."""
        self._rejected.append(Rejected(raw=raw, reason=reason, place=place))
        if ref:
            self._entries.setdefault(ref, [])
            self._incomplete.add(ref)

    def ignore(self, kind: str) -> None:
        """Count a hash of a kind that is not matched here."""
        name = kind[:32] if kind.replace("_", "").isalnum() else "another"
        self._ignored[name] = self._ignored.get(name, 0) + 1

    def page(
        self,
        *,
        checkpoint: str,
        checkpoint_at: datetime | None = None,
        up_to_date: bool = False,
        missing: str = "",
    ) -> Page:
        """Return the page, with where fetching goes on after it."""
        gone = (ref for ref, found in self._entries.items() if not found)
        return Page(
            entries=tuple(one for found in self._entries.values() for one in found),
            withdrawn=tuple(ref for ref in gone if ref not in self._incomplete),
            incomplete=frozenset(self._incomplete),
            rejected=tuple(self._rejected),
            ignored=dict(self._ignored),
            checkpoint=checkpoint,
            checkpoint_at=checkpoint_at,
            up_to_date=up_to_date,
            missing=missing,
        )
