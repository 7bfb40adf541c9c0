"""What enforce needs of its surroundings."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from nightlight.model.decision import Decision
from nightlight.model.effect import DeliveryState, Effect, EffectKind
from nightlight.model.ids import AccountId


class DecisionStore(Protocol):
    """Every decision, by policy and by people."""

    def add(self, decisions: Iterable[Decision]) -> None:
        """Store decisions; one that is already there stays as it is."""
        ...

    def get(self, ids: Sequence[str]) -> list[Decision]:
        """Return the decisions with these ids, oldest first."""
        ...

    def newest(self, limit: int) -> list[Decision]:
        """Return the newest decisions, newest first."""
        ...

    def of_account(self, account_id: AccountId, limit: int) -> list[Decision]:
        """Return the newest decisions about an account, newest first."""
        ...

    def about(self, subject_ids: Collection[str]) -> list[Decision]:
        """Return every decision about these posts and files, oldest first."""
        ...


class Delivery(Struct, frozen=True, kw_only=True):
    """An effect on its way to the platform."""

    effect: Effect
    state: DeliveryState
    attempts: int
    requested_at: datetime
    next_attempt_at: datetime
    delivered_at: datetime | None = None
    failure: str = ""


class Outbox(Protocol):
    """Effects to deliver, committed in the transaction of their decision."""

    def put(self, effects: Iterable[Effect], *, at: datetime) -> None:
        """Queue effects for delivery; one that is already there stays as it is."""
        ...

    def claim(self, *, now: datetime, lease_s: float, limit: int) -> list[Delivery]:
        """Return due effects, hidden from other workers for ``lease_s`` seconds."""
        ...

    def settle(self, deliveries: Iterable[Delivery]) -> None:
        """Store what became of claimed effects."""
        ...

    def pending(self) -> int:
        """Return how many effects still wait."""
        ...

    def newest(self, limit: int) -> list[Delivery]:
        """Return the newest effects, newest first."""
        ...

    def last_delivered(
        self, account_id: AccountId, kinds: Collection[EffectKind]
    ) -> Delivery | None:
        """Return what the platform last confirmed of these kinds about an account, if anything."""
        ...

    def count_since(self, kind: str, since: datetime) -> int:
        """Return how many effects of a kind were asked for since then."""
        ...


class Platform(Protocol):
    """The platform that carries out effects."""

    def deliver(self, effect: Effect, *, at: datetime) -> None:
        """Hand over one effect; returns once the platform confirmed it.

        Raises:
            Unavailable: no confirmation came; deliver again with the same effect id.
            InvalidInput: the platform refuses this effect for good.
        """
        ...

    def is_reachable(self) -> bool:
        """Return whether anything answers at the platform's address."""
        ...
