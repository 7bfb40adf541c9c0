"""What review needs of its surroundings."""

from collections.abc import Collection
from typing import Protocol

from nightlight.model.case import Case, CaseState
from nightlight.model.ids import AccountId, CaseId


class CaseStore(Protocol):
    """Cases and their order of urgency."""

    def get(self, case_id: CaseId) -> Case:
        """Return the case, held until the transaction ends if that may write.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    def hold(self, case_ids: Collection[CaseId]) -> None:
        """Hold these cases until the transaction ends, one after another in the order of ids.

        Whoever holds several, or goes on to what belongs to them, holds them first by this.
        """
        ...

    def some(self, case_ids: Collection[CaseId]) -> list[Case]:
        """Return those of these cases that there are, without holding them."""
        ...

    def open_of(self, accounts: Collection[AccountId]) -> dict[AccountId, Case]:
        """Return the open case of each account that has one."""
        ...

    def of_account(self, account_id: AccountId) -> list[Case]:
        """Return every case of an account, oldest first."""
        ...

    def save(self, case: Case) -> None:
        """Store the case over its former state."""
        ...

    def deciders(self) -> set[str]:
        """Return everybody who decided a case."""
        ...

    def queue(self, state: CaseState | None, limit: int) -> list[Case]:
        """Return cases, most severe first, then oldest first."""
        ...
