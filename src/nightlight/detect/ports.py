"""What judging needs to know: loaded before, saved after, keyed by account and content."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from nightlight.model.context import AccountContext, MediaContext, PostContext
from nightlight.model.event import Event
from nightlight.model.ids import AccountId, EventKey, MediaId, PostId
from nightlight.model.link import Link, LinkKind, LinkMark, LinkToken
from nightlight.model.media import Scan
from nightlight.model.signal import Signal
from nightlight.model.word_use import Answered, Counted, Users, Word, WordUse


class ContextStore(Protocol):
    """Accounts, posts and media as known so far."""

    def accounts(self, ids: Collection[AccountId]) -> dict[AccountId, AccountContext]:
        """Return the accounts among ``ids`` that are known."""
        ...

    def posts(self, ids: Collection[PostId]) -> dict[PostId, PostContext]:
        """Return the posts among ``ids`` that are known."""
        ...

    def media(self, ids: Collection[MediaId]) -> dict[MediaId, MediaContext]:
        """Return the media among ``ids`` that are known."""
        ...

    def recent_scans(self, limit: int) -> Iterator[Scan]:
        """Return the newest uploads that were scanned, newest first.

        Left out is what matched a bank when it came in, and what a person decided about.
        """
        ...

    def tombstones(
        self, ids: Collection[AccountId], *, deleted_after: datetime, each: int
    ) -> dict[AccountId, list[PostContext]]:
        """Return each account's newest ``each`` deleted posts that had a text."""
        ...

    def posted_since(
        self, ids: Collection[AccountId], *, posted_after: datetime, each: int
    ) -> dict[AccountId, list[PostContext]]:
        """Return each account's newest ``each`` posts since then that have a text."""
        ...

    def post_times(
        self, ids: Collection[AccountId], *, posted_after: datetime, each: int
    ) -> dict[AccountId, dict[PostId, datetime]]:
        """Return when each account published its newest ``each`` posts since then."""
        ...

    def stopped(self, ids: Collection[AccountId]) -> dict[AccountId, AccountContext]:
        """Return the accounts among ``ids`` that were suspended, or confirmed by a person."""
        ...

    def posts_of(self, account_id: AccountId, limit: int) -> list[PostContext]:
        """Return an account's newest posts, deleted ones included, newest first."""
        ...

    def save(
        self,
        *,
        accounts: Iterable[AccountContext],
        posts: Iterable[PostContext],
        media: Iterable[MediaContext],
    ) -> None:
        """Store the new knowledge over the old."""
        ...


class EventFinder(Protocol):
    """Events of the log, read back."""

    def find(self, keys: Sequence[EventKey]) -> dict[EventKey, Event]:
        """Return the logged events with these keys."""
        ...


class LinkStore(Protocol):
    """Which accounts showed the same things."""

    def keyed(self, marks: Iterable[LinkMark]) -> tuple[LinkToken, ...]:
        """Return the token of each mark."""
        ...

    def add(self, links: Iterable[Link]) -> None:
        """Add to what is known of who showed what: times widen, counts add up."""
        ...

    def of_account(
        self, account_id: AccountId, limit: int, *, kinds: Collection[LinkKind] = ()
    ) -> list[Link]:
        """Return what an account showed, the newest first."""
        ...

    def holders(self, tokens: Collection[int], *, most: int) -> dict[int, list[Link]]:
        """Return who showed each token: up to ``most`` and one more, which says "too many"."""
        ...


class WordUseStore(Protocol):
    """Which accounts used which words, of a bounded number of accounts; words are not kept."""

    def is_counted(self, users: Users, account_id: AccountId) -> bool:
        """Return whether an account is among those of its kind whose words are kept."""
        ...

    def add(self, uses: Iterable[WordUse]) -> None:
        """Add to what accounts used; beyond what fits, fewer accounts are counted from now on.

        Which accounts those are is decided by keyed hashes of their ids, so they are a fair sample
        of all, and the same ones whatever order events come in.
        """
        ...

    def token_of(self, word: Word) -> int:
        """Return the keyed hash of a word."""
        ...

    def totals(self) -> Mapping[Users, int]:
        """Return how many accounts of each kind are counted."""
        ...

    def counted(self, *, least: int) -> list[Counted]:
        """Return what at least so many accounts of sellers used, in no order.

        Sellers about whom a person decided otherwise do not count.
        """
        ...

    def answer(self, answers: Iterable[Answered]) -> None:
        """Remember what a person made of words, over what was made of them before."""
        ...

    def answered(self) -> list[Answered]:
        """Return every word that a person looked at."""
        ...


class KnownStores(Protocol):
    """What is read before a batch of events is judged."""

    @property
    def context(self) -> ContextStore: ...  # noqa: D102  the attribute's type says it
    @property
    def events(self) -> EventFinder: ...  # noqa: D102
    @property
    def links(self) -> LinkStore: ...  # noqa: D102
    @property
    def word_uses(self) -> WordUseStore: ...  # noqa: D102


class SignalStore(Protocol):
    """Every signal that fired."""

    def add(self, signals: Iterable[Signal], *, at: datetime) -> None:
        """Store signals; one that is already there stays as it is."""
        ...

    def of_events(self, event_keys: Collection[str]) -> list[Signal]:
        """Return the signals that these events gave."""
        ...

    def about(self, subject_ids: Collection[str]) -> list[Signal]:
        """Return the signals about these posts, files or accounts."""
        ...

    def recorded(self, event_keys: Collection[str]) -> dict[EventKey, datetime]:
        """Return when the newest signal of each of these events was stored, if it gave any."""
        ...

    def of_account(self, account_id: AccountId, limit: int) -> list[Signal]:
        """Return the newest signals about an account, newest first."""
        ...
