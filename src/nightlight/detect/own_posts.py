"""What a new post, or a deletion that arrives late, is compared with: its author's own posts.

Chosen for each event as the store would choose them, so that it does not matter which events
shared a batch with it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from nightlight.detect.ports import ContextStore
from nightlight.model.context import AccountContext, PostContext
from nightlight.model.event import Event, PostCreated, PostDeleted
from nightlight.model.ids import AccountId, PostId

#: Posts compared, an account: enough for a week of deleting and posting again by hand.
_EACH = 100
#: How long a deleted post is compared with new ones.
_TOMBSTONE_LIFE = timedelta(days=14)

_Posts: TypeAlias = dict[PostId, PostContext]


class OwnPosts:
    """Deleted and later posts of the accounts that a batch of events compares."""

    def __init__(self) -> None:
        self._deleted: dict[AccountId, _Posts] = {}
        self._later: dict[AccountId, _Posts] = {}

    def load(
        self,
        events: Sequence[Event],
        *,
        posts: Mapping[PostId, PostContext],
        accounts: Mapping[AccountId, AccountContext],
        store: ContextStore,
    ) -> None:
        """Fetch what the events are compared with; ``posts`` and ``accounts`` are those stored."""
        authors = {e.post_id: e.account_id for e in events if isinstance(e.data, PostCreated)}
        deletions = [event for event in events if isinstance(event.data, PostDeleted)]
        # Whose post was deleted may stand in the event, in the store or in the same batch.
        deleters = {event.account_id for event in deletions}
        deleters |= {authors[e.post_id] for e in deletions if e.post_id in authors}
        deleters |= {posts[e.post_id].account_id for e in deletions if e.post_id in posts}
        deleters.discard(AccountId(""))
        with_deletions = {
            one for one in authors.values() if one in accounts and accounts[one].deletions > 0
        }
        if with_deletions:
            oldest = min(event.time for event in events)
            found = store.tombstones(
                with_deletions, deleted_after=oldest - _TOMBSTONE_LIFE, each=_EACH
            )
            self._deleted = {author: _by_id(own) for author, own in found.items()}
        self._later = {author: {} for author in deleters}
        if deleters:
            first = min(event.time for event in deletions)
            since = store.posted_since(deleters, posted_after=first, each=_EACH)
            self._later |= {author: _by_id(own) for author, own in since.items()}

    def tombstones(self, author: AccountId, time: datetime) -> tuple[PostContext, ...]:
        """Return the author's deleted posts that a post of this time is compared with.

        Newest deletion first.
        """
        own = self._deleted.get(author)
        if not own:
            return ()
        oldest = time - _TOMBSTONE_LIFE
        timed = [(one.deleted_at, one) for one in own.values() if one.deleted_at is not None]
        return _newest([(when, one) for when, one in timed if when >= oldest])

    def tombstone(self, post_id: PostId) -> PostContext | None:
        """Return the deleted post with this id, None where no event is compared with it."""
        return next((own[post_id] for own in self._deleted.values() if post_id in own), None)

    def later_than(self, author: AccountId, time: datetime) -> tuple[PostContext, ...]:
        """Return the author's posts published since ``time``, newest first."""
        own = self._later.get(author)
        if not own:
            return ()
        timed = [(one.posted_at, one) for one in own.values() if one.posted_at is not None]
        return _newest([(when, one) for when, one in timed if when >= time])

    def tell(self, before: PostContext | None, post: PostContext) -> None:
        """Remember a post that was created, edited or deleted, in place of what it was before."""
        if before is not None and before.account_id != post.account_id:
            self._deleted.get(before.account_id, {}).pop(post.post_id, None)
        if post.deleted_at is not None and post.account_id:
            _file(post, self._deleted.setdefault(post.account_id, {}))
        if post.posted_at is not None and post.account_id in self._later:
            _file(post, self._later[post.account_id])


def _by_id(posts: Sequence[PostContext]) -> _Posts:
    return {post.post_id: post for post in posts}


def _newest(timed: list[tuple[datetime, PostContext]]) -> tuple[PostContext, ...]:
    """Return the posts of most recent time, newest first; equal times by id."""
    timed.sort(key=lambda pair: pair[1].post_id)
    timed.sort(key=lambda pair: pair[0], reverse=True)
    return tuple(post for _, post in timed[:_EACH])


def _file(post: PostContext, own: _Posts) -> None:
    if post.fingerprint:
        own[post.post_id] = post
    else:
        own.pop(post.post_id, None)
