"""A hunt: the stored window searched once for what newly came onto a list, with its progress."""

from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from nightlight.model.ids import AccountId, DecisionId, EventKey
from nightlight.model.signal import Subject

#: The evidence that names the hunt which found something.
HUNT = "hunt"


class HuntKind(StrEnum):
    """What is looked for."""

    TERMS = "terms"
    HASHES = "hashes"


class HuntState(StrEnum):
    """Where a hunt is; one that was interrupted is simply running still."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class Hunt(Struct, frozen=True, kw_only=True):
    """One hunt.

    Attributes:
        name: the lexicon or banks whose news is looked for, for people.
        terms: ids of the new terms and patterns.
        raised, lowered: of these, ids of terms whose severity was changed: what was found by them
            before is listed, and decided anew where a raised one makes it graver.
        returned: of these, ids of terms that came into a lexicon which was withdrawn once: they may
            have been in it with another severity, and count as raised.
        after_version: the version of the banks after which an entry is new.
        to_version: the version up to which entries are looked for.
        at_seq: the place in the event log up to which the window is searched.
        to_seq: the last place of the window.
        looked_at: events that could show a finding and were searched.
        found: events that showed one, whether found before or not.
        known_before: of these, how many a detector had found when they happened.
        graver: of those known before, how many got a graver decision.
    """

    id: str
    kind: HuntKind
    name: str
    asked_by: str
    asked_at: datetime
    to_seq: int
    terms: tuple[str, ...] = ()
    raised: tuple[str, ...] = ()
    lowered: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    after_version: int = 0
    to_version: int = 0
    at_seq: int = 0
    looked_at: int = 0
    found: int = 0
    known_before: int = 0
    graver: int = 0
    state: HuntState = HuntState.WAITING
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def share_done(self) -> float:
        """0.0 to 1.0: how much of the window is searched."""
        return self.at_seq / self.to_seq if self.to_seq else 1.0


class HuntFinding(Struct, frozen=True, kw_only=True):
    """An earlier occurrence that a hunt found.

    Attributes:
        up_from: when it was published.
        up_until: when it was deleted, None while it is up.
        views: how often it had been seen when it was found.
        decision_id: what was decided, now or before; "" where no rule asked for anything.
    """

    hunt_id: str
    event_key: EventKey
    subject: Subject
    account_id: AccountId
    up_from: datetime
    up_until: datetime | None
    found_at: datetime
    views: int
    decision_id: DecisionId


class HuntStore(Protocol):
    """Hunts, how far they are, and what they found."""

    def put(self, hunt: Hunt) -> None:
        """Store a hunt over its former state."""
        ...

    def get(self, hunt_id: str) -> Hunt:
        """Return a hunt, held until the transaction ends.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    def newest(self, limit: int) -> list[Hunt]:
        """Return the newest hunts, newest first."""
        ...

    def unfinished(self) -> list[Hunt]:
        """Return hunts that wait or run, oldest first."""
        ...

    def add_findings(self, findings: Iterable[HuntFinding]) -> None:
        """Store findings; one that is already there stays as it is."""
        ...

    def findings(self, hunt_id: str, limit: int) -> list[HuntFinding]:
        """Return what a hunt found, what was up longest first."""
        ...

    def found(self, event_keys: Collection[str]) -> dict[EventKey, datetime]:
        """Return when a hunt found something in each of these events last, if any did."""
        ...

    def hunted_version(self) -> int:
        """Return the version of the banks up to which entries were hunted or need not be."""
        ...

    def set_hunted_version(self, version: int) -> None:
        """Remember the version of the banks up to which entries were hunted."""
        ...
