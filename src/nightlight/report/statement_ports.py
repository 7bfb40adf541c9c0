"""What publishing statements of reasons needs of the outside."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from nightlight.model.statement import Statement, StatementDelivery, StatementState


class StatementStore(Protocol):
    """Statements on their way to the database."""

    def put(self, statements: Iterable[Statement], *, at: datetime) -> None:
        """Queue statements; one that is already there stays as it is."""
        ...

    def claim(self, *, now: datetime, lease_s: float, limit: int) -> list[StatementDelivery]:
        """Return due statements, hidden from other workers for ``lease_s`` seconds."""
        ...

    def settle(self, deliveries: Iterable[StatementDelivery]) -> None:
        """Store what became of claimed statements; what is no longer waiting stays as it is."""
        ...

    def newest(self, limit: int, state: StatementState | None = None) -> list[StatementDelivery]:
        """Return the newest statements, newest first; with ``state``, only those in it."""
        ...

    def counts(self) -> dict[StatementState, int]:
        """Return how many statements are in each state."""
        ...

    def retry(self, statement_id: str, *, at: datetime) -> bool:
        """Let a refused statement wait again; return whether there was one."""
        ...


class Submitted(Struct, frozen=True, kw_only=True):
    """What the database made of a batch.

    Attributes:
        receipts: the ids that it gave, by statement.
        known: statements that it has from before: an answer was lost.
        refused: statements that break its rules, with the fields that do.
    """

    receipts: Mapping[str, str]
    known: frozenset[str] = frozenset()
    refused: Mapping[str, str]


class StatementDatabase(Protocol):
    """The public database of statements of reasons."""

    def submit(self, statements: Sequence[Statement]) -> Submitted:
        """Hand over up to 100 statements; what is in none of the answer's parts waits.

        Raises:
            Unavailable: nothing is known of any; submit again.
        """
        ...
