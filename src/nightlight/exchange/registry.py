"""Exchanges as the operator set them up, how far fetching came, and opinions on their way."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from nightlight.errors import InvalidInput
from nightlight.model.bank import Opinion
from nightlight.model.ids import derive_id
from nightlight.model.masked import Masked

DEFAULT_EVERY_S = 300
_SHORTEST_EVERY_S = 10
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,47}")


class Exchange(Struct, frozen=True, kw_only=True):
    """An exchange that feeds a bank.

    Attributes:
        api: which client speaks to it, see ``apis.py``.
        bank: what it feeds; a bank is fed by one exchange at most.
        every_s: how often it is fetched, from the end of one fetch to the begin of the next.
        options: what is not secret, by the names that the API has.
        public_only: whether its address must be a public one, as where a token's holder set it.
    """

    name: str
    api: str
    bank: str
    enabled: bool = True
    every_s: int = DEFAULT_EVERY_S
    options: Mapping[str, str] = {}
    public_only: bool = False


class Credentials(Masked, frozen=True, kw_only=True):
    """What opens an exchange, by the names that the API has; never shown."""

    values: Mapping[str, str] = {}


class FetchState(Struct, frozen=True, kw_only=True):
    """How far fetching came.

    Attributes:
        checkpoint: where it goes on, as the client writes it.
        checkpoint_at: up to when everything is there, None while that is unknown.
        running_since: when the fetch under way began, None where none is.
        alive_at: when it was last heard of.
        completed_at: when the last fetch ended, however it did.
        succeeded: whether that came to its end, None before the first.
        failure: why it did not, or what is still missing.
        fetched: entries that came through it and were not withdrawn.
    """

    checkpoint: str = ""
    checkpoint_at: datetime | None = None
    running_since: datetime | None = None
    alive_at: datetime | None = None
    completed_at: datetime | None = None
    succeeded: bool | None = None
    up_to_date: bool = False
    failure: str = ""
    fetched: int = 0


class VoteState(StrEnum):
    """What became of an opinion."""

    PENDING = "pending"
    SENT = "sent"
    REFUSED = "refused"
    """It will never be taken as it is: a person has to look."""


class Vote(Struct, frozen=True, kw_only=True):
    """This platform's opinion on an entry, once for each entry; a later one takes its place."""

    id: str
    exchange: str
    entry_id: str
    source_ref: str
    opinion: Opinion
    state: VoteState = VoteState.PENDING
    attempts: int = 0
    requested_at: datetime
    next_attempt_at: datetime
    failure: str = ""


def vote_id(exchange: str, entry_id: str) -> str:
    """Return the id of the opinion on an entry."""
    return derive_id("vo", exchange, entry_id)


def check_name(name: str) -> None:
    """Return if this can be the name of an exchange.

    Raises:
        InvalidInput: it cannot.
    """
    if not _NAME.fullmatch(name):
        hint = "1 to 48 letters, digits and _ . -"
        raise InvalidInput("not a name for an exchange", field="name", hint=hint)


def check_interval(every_s: int) -> None:
    """Return if an exchange may be asked this often.

    Raises:
        InvalidInput: it may not.
    """
    if every_s < _SHORTEST_EVERY_S:
        hint = f"at least {_SHORTEST_EVERY_S} seconds"
        raise InvalidInput("too often", field="every_s", hint=hint)


class ExchangeStore(Protocol):
    """Exchanges and their progress; addresses and credentials are encrypted at rest."""

    def save(self, settings: Exchange, credentials: Credentials) -> None:
        """Store a new exchange or the changed settings of one; its progress stays."""
        ...

    def get(self, name: str) -> tuple[Exchange, FetchState]:
        """Return an exchange and how far fetching came.

        Raises:
            NotFound: there is none of this name.
        """
        ...

    def all(self) -> list[tuple[Exchange, FetchState]]:
        """Return every exchange, by name."""
        ...

    def credentials(self, name: str, *, shared: bool = True) -> Credentials:
        """Return what opens an exchange; its API's, if ``shared``, where it has none of its own.

        Raises:
            NotFound: there is no exchange of this name.
        """
        ...

    def save_api_credentials(self, api: str, credentials: Credentials) -> None:
        """Store what opens every exchange of an API that has no credentials of its own."""
        ...

    def remove_api_credentials(self, api: str) -> None:
        """Forget what opens every exchange of an API that has no credentials of its own."""
        ...

    def apis_with_credentials(self) -> frozenset[str]:
        """Return the APIs for which credentials are stored."""
        ...

    def remove(self, name: str) -> bool:
        """Take an exchange and its opinions under way away; return whether there was one."""
        ...

    def start(self, name: str, *, now: datetime, lease_s: float) -> FetchState:
        """Return the progress, with ``running_since`` now: this fetch is the only one.

        Raises:
            NotFound: there is no exchange of this name.
            Conflict: another fetch is under way and was heard of within ``lease_s``.
        """
        ...

    def progress(self, name: str, state: FetchState, *, at: datetime) -> None:
        """Store how far the fetch came that began at ``state.running_since``.

        Raises:
            Conflict: another fetch took over, or the exchange was removed or set anew.
        """
        ...

    def finish(self, name: str, state: FetchState, *, at: datetime) -> None:
        """Store how the fetch ended that began at ``state.running_since``.

        Raises:
            Conflict: as for ``progress``.
        """
        ...

    def rewind(self, name: str) -> None:
        """Forget how far fetching came: the next fetch begins at the beginning, and is due."""
        ...

    def forgive(self, name: str) -> None:
        """Forget how the last fetch ended: the next one is due."""
        ...

    def cast(self, opinion: Vote) -> Vote:
        """Store an opinion to be sent and return it as stored; the same one is not sent again."""
        ...

    def claim_votes(self, *, now: datetime, lease_s: float, limit: int) -> Sequence[Vote]:
        """Return opinions that are due, counted as tried and hidden for ``lease_s`` seconds."""
        ...

    def settle(self, settled: Vote) -> bool:
        """Store what became of a claimed opinion; return False where a later one came meanwhile."""
        ...

    def votes(self, *, exchange: str | None = None, limit: int = 100) -> Sequence[Vote]:
        """Return the newest opinions, newest first."""
        ...

    def own_opinions(self, exchange: str, entry_ids: Collection[str]) -> Mapping[str, Opinion]:
        """Return what this platform says of these entries, as far as it said anything."""
        ...
