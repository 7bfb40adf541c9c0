"""What measure needs of its surroundings."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from nightlight.model.event import EventType


class Figures(Struct, frozen=True, kw_only=True):
    """How much of everything there is; each mapping counts by kind or state."""

    events: dict[str, int]
    backlog: int
    quarantined: int
    accounts: int
    signals: dict[str, int]
    decisions: dict[str, int]
    effects: dict[str, int]
    cases: dict[str, int]
    tips: dict[str, int]
    audit_entries: int


class RecentEvent(Struct, frozen=True, kw_only=True):
    """An accepted event as it may be shown: what and when, never its content."""

    seq: int
    type: EventType
    account_id: str
    about: str
    time: datetime


class FiguresSource(Protocol):
    """Counts what is stored."""

    def figures(self) -> Figures:
        """Return how much of everything there is."""
        ...

    def recent_events(self, limit: int) -> list[RecentEvent]:
        """Return the newest events, newest first."""
        ...

    def signalled(self) -> Iterator[tuple[str, str, str]]:
        """Return (detector, subject kind, subject id) of every signal."""
        ...

    def decided_posts(self) -> Iterator[tuple[str, bool]]:
        """Return (event key, whether it was confirmed) of every post that a person decided."""
        ...

    def acted_on(self) -> Iterator[tuple[str, str]]:
        """Return (subject kind, subject id) of every subject of an effect that policy asked for."""
        ...
