"""What was around a finding when it was found: the thread, the account's own posts, its machines.

All of it is bounded, and read from what Nightlight keeps anyway: nothing is fetched.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from nightlight.model.context import MediaContext, PostContext
from nightlight.model.event import KEPT_SIGN_INS, Event, EventType, Machine, PostCreated
from nightlight.model.ids import AccountId, EventKey, PostId
from nightlight.model.masked import Masked
from nightlight.model.media import MediaHashes

#: How far up a thread, how many replies, how many of the account's own posts, and how many of the
#: account's profile changes and sign-ins that told a machine.
ABOVE, BELOW, OWN, OF_ACCOUNT = 5, 20, 20, KEPT_SIGN_INS


class Hashed(Masked, frozen=True, kw_only=True):
    """The hashes of a file that a finding is about."""

    media_id: str
    hashes: MediaHashes


class Seen(Masked, frozen=True, kw_only=True):
    """From which machine and network the account sent something, as the platform told it."""

    event_key: str
    event_type: EventType
    at: datetime
    machine: Machine


class Surroundings(Masked, frozen=True, kw_only=True):
    """What was around a finding.

    Attributes:
        above: the posts that the post replies to, nearest first.
        below: replies to the post, oldest first.
        own: the account's newest other posts, as published.
        seen: machines and networks of the finding, of those posts, and of the account's
            registration, profile changes and sign-ins.
    """

    account_id: str
    above: tuple[Event, ...]
    below: tuple[Event, ...]
    own: tuple[Event, ...]
    seen: tuple[Seen, ...]
    hashes: tuple[Hashed, ...]

    @property
    def tells_anything(self) -> bool:
        """Whether there was anything around it."""
        return bool(self.above or self.below or self.own or self.seen or self.hashes)


class _Posts(Protocol):
    def posts(self, ids: Collection[PostId]) -> dict[PostId, PostContext]: ...

    def posts_of(self, account_id: AccountId, limit: int) -> list[PostContext]: ...


class _Events(Protocol):
    def find(self, keys: Sequence[EventKey]) -> dict[EventKey, Event]: ...

    def machines(self, keys: Collection[EventKey]) -> dict[EventKey, Machine]: ...

    def account_machines(
        self, account_id: AccountId, limit: int
    ) -> list[tuple[Event, Machine]]: ...


class _Engagements(Protocol):
    def replies(self, post_id: PostId, limit: int) -> list[PostId]: ...


class Stores(Protocol):
    """Where it is read from."""

    @property
    def context(self) -> _Posts: ...  # noqa: D102  the attribute's type says it
    @property
    def events(self) -> _Events: ...  # noqa: D102
    @property
    def engagements(self) -> _Engagements: ...  # noqa: D102


def surroundings(
    stores: Stores,
    event: Event,
    *,
    account_id: AccountId,
    posts: Mapping[PostId, PostContext],
    media: Iterable[MediaContext],
) -> Surroundings:
    """Return what was around a finding.

    Args:
        stores: what is kept.
        event: the finding's event.
        account_id: whom the finding is about.
        posts: posts of the batch under way, which are not stored yet.
        media: the files that the finding is about.
    """
    own = _own(stores, event, account_id, posts)
    concerned = [event, *own]
    machines = stores.events.machines([one.key for one in concerned])
    told = stores.events.account_machines(account_id, OF_ACCOUNT) if account_id else []
    sent = {one.key: (one, machines[one.key]) for one in concerned if one.key in machines}
    sent |= {one.key: (one, machine) for one, machine in told}
    return Surroundings(
        account_id=account_id,
        above=tuple(_above(stores, event, posts)),
        below=tuple(_below(stores, event, posts)),
        own=tuple(own),
        seen=tuple(
            Seen(event_key=one.key, event_type=one.type, at=one.time, machine=machine)
            for one, machine in sent.values()
        ),
        hashes=tuple(Hashed(media_id=one.media_id, hashes=one.scan.hashes) for one in media),
    )


def _own(
    stores: Stores, event: Event, account_id: AccountId, posts: Mapping[PostId, PostContext]
) -> list[Event]:
    """Return the account's newest posts but the finding's own, newest first."""
    if not account_id:
        return []
    stored = {one.post_id: one for one in stores.context.posts_of(account_id, OWN + 1)}
    batch = {name: one for name, one in posts.items() if one.account_id == account_id}
    keys = {
        EventKey(one.event_key)
        for name, one in {**stored, **batch}.items()
        if one.event_key and name != event.post_id
    }
    found = stores.events.find(sorted(keys)).values()
    return sorted(found, key=lambda one: (one.time, one.key), reverse=True)[:OWN]


def _above(stores: Stores, event: Event, posts: Mapping[PostId, PostContext]) -> Iterable[Event]:
    """Yield what the event's post replies to, and what that replies to, nearest first."""
    seen = {event.key}
    for _ in range(ABOVE):
        parent = event.data.reply_to if isinstance(event.data, PostCreated) else ""
        [*found] = _published(stores, [PostId(parent)] if parent else [], posts)
        if not found or found[0].key in seen:
            return
        event = found[0]
        seen.add(event.key)
        yield event


def _below(stores: Stores, event: Event, posts: Mapping[PostId, PostContext]) -> list[Event]:
    """Return replies to the event's post, oldest first."""
    if not event.post_id:
        return []
    return _published(stores, stores.engagements.replies(event.post_id, BELOW), posts)


def _published(
    stores: Stores, names: Sequence[PostId], posts: Mapping[PostId, PostContext]
) -> list[Event]:
    """Return posts as they were published, oldest first; what is not known is left out."""
    known = {**stores.context.posts(names), **{one: posts[one] for one in names if one in posts}}
    keys = [EventKey(one.event_key) for one in known.values() if one.event_key]
    return sorted(stores.events.find(keys).values(), key=lambda one: (one.time, one.key))
